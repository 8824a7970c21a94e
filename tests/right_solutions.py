"""How many right solutions that people wrote the chain checker vetoes, and by which words.

    python tests/right_solutions.py SOLUTIONS.jsonl [--show]

SOLUTIONS is a file of GSM8K, as `prose_answers.py` reads it; each solution's own answer is put into
a box behind it. Some of these solutions do hold slips: with --show, read who is right.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from prose_answers import solutions

from vlm_boundary.reasoning.files import check_output
from vlm_boundary.verifier import Grader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("solutions", type=Path)
    parser.add_argument("--show", action="store_true", help="print each solution that is vetoed")
    chosen = parser.parse_args()
    outputs = [
        replace(output, text=f"{output.text}\n\\boxed{{{output.target().answer}}}")
        for output, _ in solutions(chosen.solutions)
    ]
    with Grader(deadline=20) as grader:
        verdicts = grader.grade(outputs)
    flags: Counter[str] = Counter()
    right = vetoed = 0
    for output, verdict in zip(outputs, verdicts, strict=True):
        if verdict.correct is not True:
            continue
        right += 1
        vetoes = [item for item in check_output(output, verdict) if item.veto]
        vetoed += bool(vetoes)
        flags.update({item.flag for item in vetoes})
        if chosen.show and vetoes:
            print(f"\n{output.target().question}\n{output.text}")
            for item in vetoes:
                print(f"  {item.flag}: {item.note}: {output.text[item.start : item.end]!r}")
    print(f"{right:,} right solutions, {vetoed} vetoed: {dict(flags)}")


if __name__ == "__main__":
    main()

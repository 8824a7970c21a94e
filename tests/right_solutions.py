"""How many right solutions that people wrote the chain checker vetoes, and by which words.

    python tests/right_solutions.py SOLUTIONS.jsonl [--show]

SOLUTIONS is a file of GSM8K, as `prose_answers.py` reads it, or one of Qwen2.5-Math's repository
(github.com/QwenLM/Qwen2.5-Math, evaluation): data/olympiadbench/test.jsonl with people's solutions,
or its published outputs on MATH; or one of TabMWP (github.com/lupantech/PromptPG,
data/tabmwp/problems_test1k.json), whose questions are given with their tables. An own answer is put
into a box behind each solution of people.
Some of these solutions do hold slips: with --show, read who is right.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from prose_answers import solutions

from vlm_boundary.reasoning.files import check_output
from vlm_boundary.verifier import Gold, Grader, Output


def boxed(output: Output) -> Output:
    """An output with its target's answer in a box behind it."""
    return replace(output, text=f"{output.text}\n\\boxed{{{output.target().answer}}}")


def right_solutions(path: Path) -> Iterator[Output]:
    """The solutions of a file, each against its own answer, which stands in a box."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":  # problems with a table
        for problem in json.loads(text).values():
            table = problem["table"].replace("\n", "; ")
            gold = Gold(problem["answer"], question=f"[Table: {table}] {problem['question']}")
            yield boxed(Output(problem["solution"].strip(), gold, "stop"))
        return
    records = [json.loads(line) for line in text.splitlines()]
    if "code" in records[0]:  # a model's outputs, several for each problem, which end in a box
        for record in records:
            gold = Gold(str(record["answer"]), question=record["question"])
            yield from (Output(text, gold, "stop") for text in record["code"])
    elif "final_answer" in records[0]:
        for record in records:
            answer = record["final_answer"][0].strip("$")
            gold = Gold(answer, question=record["question"])
            yield boxed(Output(record["solution"][0], gold, "stop"))
    else:
        yield from (boxed(output) for output, _ in solutions(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("solutions", type=Path)
    parser.add_argument("--show", action="store_true", help="print each solution that is vetoed")
    chosen = parser.parse_args()
    outputs = list(right_solutions(chosen.solutions))
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

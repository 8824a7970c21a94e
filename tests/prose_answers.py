"""How the verifier reads answers that prose gives without a box or a statement.

    python tests/prose_answers.py SOLUTIONS.jsonl [--show N]
    python tests/prose_answers.py --chains FOLDER …

SOLUTIONS is a file of GSM8K (github.com/openai/grade-school-math, grade_school_math/data): people's
worked solutions, whose last line "#### 72" and calculator marks <<48/2=24>> are taken out, so that
only prose is left. Each is graded against its own answer, and against every other number that it
works out on the way, which is never the answer. FOLDER is one of tests/reasoning/cases, whose
chains all end in the right answer by their authors' intent.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from vlm_boundary.verifier import Gold, Grader, Output, Verdict

CHAINS = Path(__file__).parent / "reasoning" / "cases"
MARK = re.compile(r"<<[^<>\n]*?=?(-?[\d.,/]*)>>")
SAID = {True: "right", None: "undecided", False: "wrong"}


def solutions(path: Path) -> Iterator[tuple[Output, list[Output]]]:
    """Each solution against its own answer, and against what it works out on the way."""
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        body, answer = record["answer"].rsplit("####", 1)
        answer = answer.strip().replace(",", "")
        text, question = MARK.sub("", body).strip(), record["question"]
        steps = {number(found) for found in MARK.findall(body)} - {None, number(answer)}
        others = [Gold(str(value), question=question) for value in sorted(filter(None, steps))]
        own = Output(text, Gold(answer, question=question), "stop")
        yield own, [Output(text, gold, "stop") for gold in others]


def number(text: str) -> Fraction | None:
    """The value of digits."""
    try:
        return Fraction(text.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        return None


def chains(folder: str) -> list[Output]:
    """The written chains of a folder, valid or not."""
    found = []
    for path in sorted((CHAINS / folder).glob("*.txt")):
        for line in filter(str.strip, path.read_text(encoding="utf-8").split("\n")):
            _, gold, finish, question, text = (part.strip() for part in line.split("|", 4))
            target = Gold(gold, question=question)
            found.append(Output(text.replace("⏎", "\n"), target, finish))
    return found


def report(name: str, verdicts: list[Verdict]) -> None:
    counts = Counter(SAID[verdict.correct] for verdict in verdicts)
    shown = ", ".join(f"{counts[said]:,} {said}" for said in SAID.values())
    print(f"{name}: {len(verdicts):,}: {shown}")


def show(outputs: list[Output], verdicts: list[Verdict], said: bool | None, most: int) -> None:
    wanted = [(o, v) for o, v in zip(outputs, verdicts, strict=True) if v.correct is said]
    for output, verdict in wanted[:most]:
        target = output.target()
        print(f"\n{verdict.rule} {verdict.extracted!r} for {target.answer}: {target.question}")
        print(output.text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("solutions", nargs="?", type=Path)
    parser.add_argument("--chains", nargs="+", default=[])
    parser.add_argument("--show", type=int, default=0, help="print so many of each kind of error")
    chosen = parser.parse_args()
    with Grader(deadline=20) as grader:
        for folder in chosen.chains:
            report(folder, grader.grade(chains(folder)))
        if chosen.solutions is None:
            return
        pairs = list(solutions(chosen.solutions))
        own = [output for output, _ in pairs]
        steps = [output for _, others in pairs for output in others]
        verdicts, on_the_way = grader.grade(own), grader.grade(steps)
    report("against their own answers", verdicts)
    report("against numbers on the way", on_the_way)
    show(own, verdicts, False, chosen.show)
    show(own, verdicts, None, chosen.show)
    show(steps, on_the_way, True, chosen.show)


if __name__ == "__main__":
    main()

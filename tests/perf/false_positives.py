"""How often wrong outputs are called right, and what that bounds at k = 256.

Outputs are wrong by construction: the procedural benchmark's responses with slips, whose final
answer is read here by the two forms it is written in, independently of the verifier. Run from the
repository root:

    python tests/perf/false_positives.py [--count 20000]
    python tests/perf/false_positives.py --outputs FILE.jsonl   # output, answer, answer_type
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

from vlm_boundary.verifier import Gold, Grader, Output

_ENDING = re.compile(r"(?:\\boxed\{([^{}]*)\}|The answer is ([^\n]*?)\.|Answer: ([^\n]*?))\s*")


def final_answer(text: str) -> str | None:
    """The answer at the end of a response as the embedded models write it; None in other forms."""
    if len(re.findall(r"\\boxed|answer", text, re.IGNORECASE)) != 1:
        return None
    start = re.search(r"\\boxed|The answer|Answer", text)
    match = _ENDING.fullmatch(text, start.start()) if start else None
    return next((group for group in match.groups() if group is not None), None) if match else None


def same(answer: str, gold: str) -> bool:
    """Whether two answers are the same number or the same text."""
    try:
        return Fraction(answer.strip()) == Fraction(gold.strip())
    except (ValueError, ZeroDivisionError):
        return re.sub(r"\s", "", answer).casefold() == re.sub(r"\s", "", gold).casefold()


def slipped_responses(count: int, seed: int) -> Iterator[Output]:
    """Responses of the embedded models' training mixture, every one with a slip."""
    from vlm_boundary.benchmarks.procedural import problems
    from vlm_boundary.tiny.mixture import BROAD, Slip, guesses, response

    slips: dict[Slip, float] = {"misread": 0.35, "arithmetic": 0.35, "stop": 0.15, "guess": 0.15}
    mixture = replace(BROAD, slips=slips)
    rng = Random(seed)
    drawn = [p for p in problems(split="train", seed=seed, count=600) if not p.choices]
    likely = guesses(drawn)
    for place in range(count):
        problem = drawn[place % len(drawn)]
        gold = Gold(
            problem.answer,
            problem.answer_type,
            problem.unit,
            problem.precision,
            question=problem.question,
        )
        yield Output(response(rng, problem, mixture, likely), gold, "stop")


def stored_outputs(path: Path) -> Iterator[Output]:
    """Outputs of a file, as `vlm-boundary grade` reads them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        known = {key: row[key] for key in ("answer_type", "unit", "precision") if key in row}
        gold = Gold(str(row["answer"]), question=row.get("question", ""), **known)
        yield Output(row["output"], gold, row.get("finish_reason"))


def false_positives(outputs: Iterable[Output]) -> tuple[int, int, list[Output]]:
    """(distinct wrong outputs, outputs in another form, wrong outputs called right)."""
    wrong: dict[tuple[str, Gold], Output] = {}
    other = 0
    for output in outputs:
        answer = final_answer(output.text)
        gold = output.target()
        if answer is None:
            other += 1
        elif not same(answer, gold.answer) and not _within_precision(answer, gold):
            wrong[output.text, gold] = output
    with Grader() as grader:
        verdicts = grader.grade(wrong.values())
    accepted = [o for o, v in zip(wrong.values(), verdicts, strict=True) if v.correct]
    return len(wrong), other, accepted


def _within_precision(answer: str, gold: Gold) -> bool:
    """Whether a float is as near as the benchmark asks, by the convention on precision."""
    if gold.answer_type != "float" or gold.precision is None:
        return False
    try:
        difference = abs(Fraction(answer) - Fraction(gold.answer))
    except ValueError:
        return False
    return difference <= Fraction(1, 2 * 10**gold.precision)


def bound(count: int, accepted: int) -> tuple[float, float]:
    """The upper 95 % limit of the rate (Clopper and Pearson 1934), and 1-(1-rate)^256."""
    from scipy.stats import beta

    rate = float(beta.ppf(0.95, accepted + 1, count - accepted)) if count else 1.0
    return rate, 1 - (1 - rate) ** 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--outputs", type=Path)
    options = parser.parse_args()
    outputs = (
        stored_outputs(options.outputs)
        if options.outputs
        else slipped_responses(options.count, options.seed)
    )
    wrong, other, accepted = false_positives(outputs)
    rate, at_256 = bound(wrong, len(accepted))
    print(f"{wrong:,} distinct wrong outputs, {len(accepted)} called right; {other} of other form")
    print(f"rate below {rate:.2e} (95 %), so that of problems never solved fewer than {at_256:.2%}")
    print("would look solved at k = 256")
    for output in accepted:
        print(repr(output.text), "gold", output.target().answer)


if __name__ == "__main__":
    main()

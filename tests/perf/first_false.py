"""How often the first false statement of a chain is told apart rightly, on slips that are known.

    python tests/perf/first_false.py [--problems 200]

prints a table of docs/seeing.md: responses of the embedded models' training mixture, in every style
of writing, with one slip made on purpose: a misread picture, or an arithmetic slip. Slips that
change nothing (a misread part that does not matter) are false all the same.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from random import Random

from vlm_boundary.benchmarks.procedural import FAMILIES, make_problem
from vlm_boundary.reasoning import Chain
from vlm_boundary.reasoning.truth.stated import reader_of
from vlm_boundary.records.validity import FIRST_FALSE
from vlm_boundary.tiny.mixture import BROAD, Slip, guesses, response

STYLES = ("described", "terse", "other")


def told(style: str, slip: Slip | None, family: str, count: int) -> Counter[str | None]:
    """The first false statement of so many responses of one family."""
    shares = {name: float(name == style) for name in STYLES}
    slips: dict[Slip, float] = {slip: 1.0} if slip else {}
    mixture = replace(BROAD, **shares, answer_only=0.0, boxed=1.0, phrased=0.0, slips=slips)
    problems = [make_problem(family, split="test", seed=11, index=i) for i in range(count)]
    likely, rng = guesses(problems), Random(2)
    found: Counter[str | None] = Counter()
    for one in problems:
        text = response(rng, one, mixture, likely)
        end = text.rindex("}")
        answer = text[text.rindex("{") + 1 : end]
        span = end - len(answer), end
        chain = Chain(text, one.question, "stop", answer == one.answer, answer, span, "box")
        found[reader_of(one.problem_id, generated=True)(chain).first_false] += 1
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    options = parser.parse_args()
    print(f"| style | slip | responses | {' | '.join(FIRST_FALSE)} |")
    print("|---|---|---:" + len(FIRST_FALSE) * "|---:" + "|")
    for style in STYLES:
        for slip in (None, "misread", "arithmetic"):
            kinds: Counter[str | None] = Counter()
            for family in FAMILIES:
                kinds += told(style, slip, family, options.problems)
            cells = " | ".join(f"{kinds[kind]:,}" for kind in FIRST_FALSE)
            print(f"| {style} | {slip or 'none'} | {kinds.total():,} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

"""Exact truth: a chain on a generated problem, checked against all that its picture shows.

Every stated fact is compared with the picture, every equation is worked out, and the equations
must make up a derivation of the answer. So the other layers' error rates can be known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from vlm_boundary.benchmarks.procedural import (
    FAMILIES,
    ProceduralProblem,
    caption,
    make_problem,
)
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.truth.solutions import Derivation, derivations, key

CHECKER = "procedural/1"
_WORD = re.compile(r"[^\s,]+")
_SIGN = re.compile(r"[\[\],.]")


class Truth:
    """What may be said of one problem."""

    def __init__(self, problem: ProceduralProblem) -> None:
        self.problem = problem
        self.caption = caption(problem)
        self._shown = _WORD.findall(self.caption)
        reads = [step for chain in problem.chains for step in chain if step.kind == "read"]
        self.facts = frozenset(step.text.rstrip(",.") for step in reads) | _facts(problem)
        self.claims = frozenset(
            chain[-1].text.rstrip(",.") for chain in problem.chains if chain[-1].kind == "read"
        )
        self.ways: list[Derivation] = derivations(problem)
        self.known = self.ways[0].welcome if self.ways else frozenset()

    def check(self, chain: Chain) -> tuple[Evidence, ...]:
        """Everything false or missing in a chain: wrong_fact, wrong_step, underived."""
        text = chain.text
        (start, end), answer = chain.turn, chain.answer_place
        there = clauses(text, start, answer.start)
        found: list[Evidence] = []
        steps: set[str] = set()
        facts = 0
        for first, last in there:
            clause = text[first:last]
            if "=" in clause:
                found += self._step(text, first, last, steps)
            elif clause not in self.claims:
                facts += 1
                found += self.wrong(text, first, last)
        if not there:
            found.append(Evidence("no_reasoning", start, end, "an answer alone"))
        elif not found and not self._derived(steps, facts):
            note = "the steps do not make up a way to the answer"
            found.append(Evidence("underived", there[0][0], there[-1][1], note))
        return tuple(found)

    def _derived(self, steps: set[str], facts: int) -> bool:
        if not self.ways:
            return facts > 0
        return any(way.needed <= steps for way in self.ways)

    def _step(self, text: str, first: int, last: int, steps: set[str]) -> list[Evidence]:
        clause = text[first:last]  # many chains have it: it is read once
        read = equations(clause, 0, len(clause))
        if not read:
            return [Evidence("wrong_step", first, last, "no equation of numbers")]
        found = []
        for equation in read:
            span = first + equation.left.start, first + equation.right.end
            left, right = equation.values
            if left is None or right is None:
                found.append(Evidence("wrong_step", *span, "cannot be worked out"))
                continue
            name = key(equation.left.node)
            steps.add(name)
            if left != right:
                found.append(Evidence("wrong_step", *span, f"the left side is {left}"))
            elif name not in self.known:
                found.append(Evidence("wrong_step", *span, "true, but no step towards the answer"))
        return found

    def wrong(self, text: str, first: int, last: int) -> list[Evidence]:
        """What is wrong in a clause that states a fact of the picture: wrong_fact, by its words."""
        clause = text[first:last]
        if clause == self.caption or clause in self.facts:
            return []
        words = list(_WORD.finditer(text, first, last))
        if len(words) != len(self._shown):
            return [Evidence("wrong_fact", first, last, f"the picture shows {self.caption}")]
        return [
            Evidence("wrong_fact", *word.span(), f"the picture shows {right}")
            for word, right in zip(words, self._shown, strict=True)
            if word[0] != right
        ]


def _facts(problem: ProceduralProblem) -> frozenset[str]:
    """Facts that no worked chain happens to need: every named value, every row."""
    pairs: list[tuple[str, object]] = []
    for name in ("bars", "points", "labels"):
        shown = problem.facts.get(name)
        if isinstance(shown, dict):
            pairs += shown.items()
    grid = problem.facts.get("grid")
    if isinstance(grid, list) and "counts" not in problem.facts:  # numbers, not shapes
        for place, row in enumerate(grid, start=1):
            line = " ".join("?" if number is None else str(number) for number in row)
            pairs.append((f"row {place}:", line))
    said = [f"{name} {value}" for name, value in pairs]
    said += [f"{name[:1].upper()}{name[1:]} is {value}" for name, value in pairs]
    said += [f"{name[:1].upper()}{name[1:]} {value}" for name, value in pairs]
    return frozenset(said)


def clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches between commas and full stops that stand outside square brackets."""
    found = []
    depth, first = 0, start
    cuts = []
    for match in _SIGN.finditer(text, start, end):
        sign, place = match[0], match.start()
        if sign == "[":
            depth += 1
        elif sign == "]":
            depth -= 1
        elif depth <= 0 and (place + 1 == end or text[place + 1].isspace()):
            cuts.append(place)
    for place in (*cuts, end):
        piece = text[first:place].lstrip()
        if stripped := piece.rstrip():
            begin = place - len(piece)
            found.append((begin, begin + len(stripped)))
        first = place + 1
    return found


@lru_cache(maxsize=4096)
def truth_of(problem_id: str) -> Truth | None:
    """The truth of a generated problem, which its id determines; None for any other problem."""
    family, *place = problem_id.rsplit("-", 3)
    if family not in FAMILIES or len(place) != 3 or not (place[1] + place[2]).isdecimal():
        return None
    split, seed, index = place
    if split not in ("train", "test"):
        return None
    return Truth(make_problem(family, split=split, seed=int(seed), index=int(index)))  # type: ignore[arg-type]


def check_of(problem_id: str) -> Callable[[Chain], tuple[Evidence, ...]] | None:
    """The check of a generated problem's samples."""
    truth = truth_of(problem_id)
    return truth.check if truth else None

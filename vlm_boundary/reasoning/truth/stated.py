"""What a chain states, read from its text; on generated problems also what of it is false first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from vlm_boundary.mathtext.evaluate import Value
from vlm_boundary.reasoning.evidence import Chain
from vlm_boundary.reasoning.text.equations import Equation, equations
from vlm_boundary.reasoning.truth.procedural import Truth, clauses, truth_of
from vlm_boundary.reasoning.truth.solutions import key
from vlm_boundary.reasoning.truth.statements import assignments
from vlm_boundary.records.validity import FirstFalse, Stated
from vlm_boundary.verifier.faults import FAULTS

READER = "statements/2"
_MOST = 200  # facts and steps of one chain that are kept
_WORD = re.compile(r"[^\s,\[\]]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_VALUE = re.compile(r"-?\d+(?:[.:]\d+)*|[?-]")
_LINKING = frozenset(("is", "are", "shows", "the", "at", "by"))

Reader = Callable[[Chain], Stated]


def reader_of(problem_id: str, *, generated: bool) -> Reader:
    """What reads a problem's chains: against its truth where it is known.

    Args:
        generated: the problem is of a benchmark that this package generated.
    """
    truth = truth_of(problem_id) if generated else None
    return _Known(truth).read if truth else read_text


def guarded(read: Reader, chain: Chain) -> Stated:
    """What a reader makes of an output; nothing where it raises."""
    try:
        return read(chain)
    except FAULTS:
        return Stated([], [], [])


def read_text(chain: Chain) -> Stated:
    """Named values that are neither given by the question nor worked out, and equations.

    A named value is what `statements.assignments` finds ("AB = 5", "angle A is 40°"). One that
    is the result of an equation of the chain, or stands in the question, was not seen.
    """
    start, end = chain.turn
    found = equations(chain.text, start, end)
    given = {_shown(Fraction(number)) for number in _NUMBER.findall(chain.question)}
    worked = {_shown(value) for one in found if (value := one.values[0]) is not None}
    names, values = [], []
    for name, value, unit, _, _ in assignments(chain.text, start, end):
        number = _shown(value)
        if number not in given | worked and name not in names:  # said again, or taken back
            names.append(name)
            values.append(number + unit)
    steps = {key(one.left.node) for one in found if one.sure}
    return Stated(names[:_MOST], values[:_MOST], sorted(steps)[:_MOST])


def _shown(value: Value) -> str:
    return f"{float(value):.12g}"


def facts_of(clause: str) -> Iterator[tuple[str, str]]:
    """The values of one stated fact, each with the words before it, or its place, as its name.

    "Red is 5" is (red, 5), "row 2: 5 7" is (row 2:, 5) and (row 2: 2, 7), "[3 3 1]" is (1, 3),
    (2, 3) and (3, 1); where no word is a number each is a value by its place.
    """
    words: list[str] = _WORD.findall(clause)
    if not any(map(_NUMBER.search, words)):
        yield from ((str(place), word) for place, word in enumerate(words, start=1))
        return
    label: list[str] = []
    behind = 0
    for word in words:
        if not _VALUE.fullmatch(word):
            label = [word.lower()] if behind else [*label, word.lower()]
            behind = 0
            continue
        behind += 1
        name = " ".join(one for one in label if one not in _LINKING)
        yield f"{name} {behind}".strip() if behind > 1 or not name else name, word


class _Known:
    """The chains of one generated problem."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._labels = frozenset(map(_label, truth.claims))
        self._ways = [_form(one) for one in sorted(truth.known)]
        self._shown = frozenset(
            number for text in (truth.caption, *truth.facts) for number in _NUMBER.findall(text)
        )
        # What every way takes from nowhere in the picture: 180 degrees, 60 minutes.
        self._constants = frozenset(
            number for _, numbers in self._ways for number in numbers if number not in self._shown
        )

    def read(self, chain: Chain) -> Stated:
        """Facts, steps, and the first false statement of a chain."""
        text = chain.text
        (start, end), answer = chain.turn, chain.answer_place
        asked = frozenset(_NUMBER.findall(chain.question))
        told = set(asked | self._constants)  # numbers that a step may take
        met: Counter[str] = Counter()
        names: list[str] = []
        values: list[str] = []
        steps: set[str] = set()
        first: tuple[FirstFalse, int, int] | None = None
        there = clauses(text, start, answer.start)
        for begin, last in there:
            clause = text[begin:last]
            if "=" in clause:
                found = equations(clause, 0, len(clause))
                steps.update(key(one.left.node) for one in found)
                first = first or self._step(found, begin, last, told)
                told.update(_NUMBER.findall(clause))
                continue
            if clause in self._truth.claims:
                continue
            # Behind facts, "highest: C" follows from them; by itself it is read off the picture.
            concluded = bool(names) and _label(clause) in self._labels
            if not concluded:
                for name, value in facts_of(clause):
                    met[name] += 1  # two angles are both called so
                    names.append(name if met[name] == 1 else f"{name} ({met[name]})")
                    values.append(value)
            if first is None and self._truth.wrong(text, begin, last):
                first = ("reasoning" if concluded else "seeing"), begin, last
            told.update(_NUMBER.findall(clause))
        stated = Stated(names[:_MOST], values[:_MOST], sorted(steps)[:_MOST])
        if first is not None:
            return replace(stated, first_false=first[0], place=list(first[1:]))
        if chain.correct is None:
            return stated
        if chain.correct:
            return replace(stated, first_false="none")
        place = chain.span or (answer.start, end)
        return replace(stated, first_false="answer", place=list(place))

    def _step(
        self, found: tuple[Equation, ...], begin: int, last: int, told: set[str]
    ) -> tuple[FirstFalse, int, int] | None:
        """The first false equation of a clause, or the first true one that is on no way."""
        if not found:
            return "reasoning", begin, last
        for one in found:
            start, end = begin + one.left.start, begin + one.right.end
            name = key(one.left.node)
            left, right = one.values
            if left is None or right is None:
                return "reasoning", start, end
            if left != right:
                # Where the numbers are misread as well, that is the earlier fault.
                read = self._misread(name, told)
                return ("seeing" if read else "reasoning"), start, end
            if name not in self._truth.known:
                return ("seeing" if self._misread(name, told) else "reasoning"), start, end
        return None

    def _misread(self, name: str, told: set[str]) -> bool:
        """Whether an equation that is on no way takes a number from the picture, and a wrong one.

        A number that the chain has not stated before, nor the question, was read off for it. It is
        misread where it is not in the step of the same form that comes closest, or where there is
        none, nowhere in the picture.
        """
        form, numbers = _form(name)
        taken = {number for number in numbers if number not in told}
        if not taken:
            return False
        alike = [other for signs, other in self._ways if signs == form]
        if not alike:
            return bool(taken - self._shown)
        closest = min(alike, key=lambda other: ((numbers - other).total(), sorted(other)))
        return bool(taken & set(numbers - closest))


def _form(name: str) -> tuple[str, Counter[str]]:
    """An expression's signs and its numbers, in whatever order."""
    return "".join(sorted(re.sub(r"[^-+*/^]", "", name))), Counter(_NUMBER.findall(name))


def _label(clause: str) -> str:
    """The words before the value of what is concluded, as in "highest: C" and "sorted [1, 2]"."""
    head = clause.split("[")[0] if "[" in clause else clause.rpartition(" ")[0]
    return head.strip() or ("[]" if clause.startswith("[") and ", " in clause else "")

"""Every answer against every gold answer, as the verifier compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.verifier.compare import GoldTarget, target_of
from vlm_boundary.verifier.faults import FAULTS
from vlm_boundary.verifier.numbers import SCALE_WORD
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.values import Number, Value, is_value
from vlm_boundary.verifier.verdict import Gold

Item = TypeVar("Item")

# No rule of `compare` calls numbers further apart than this equal, unless a tolerance is declared:
# a rounded decimal counts from three significant digits, half a per cent at most.
_NEAR_RELATIVE, _NEAR_ABSOLUTE = 0.01, 1e-6


def cross(answers: Sequence[str], golds: Sequence[Gold]) -> NDArray[np.bool_]:
    """Which answers are right for which gold answers, shape (answers, golds).

    Each pair has the outcome of the verifier's own comparison. Equal pairs are compared once, and
    two plain numbers only where they lie near each other. What the verifier leaves undecided, or
    would hand to its symbolic pool, or fails on, counts as not right.

    Args:
        answers: as extracted from outputs.
        golds: what they are compared with; a question matters only where it names a scale.
    """
    distinct_answers, answer_rows = _distinct(answers)
    distinct_golds, gold_columns = _distinct(
        [gold if SCALE_WORD.search(gold.question) else replace(gold, question="") for gold in golds]
    )
    targets = [
        (column, target)
        for column, gold in enumerate(distinct_golds)
        for each in gold.each()
        if (target := _target(each)) is not None
    ]
    readings = {
        listed: _Readings(distinct_answers, listed)
        for listed in {target.listed for _, target in targets}
    }
    right = np.zeros((len(distinct_answers), len(distinct_golds)), dtype=bool)
    for column, target in targets:
        right[readings[target.listed].right_for(target), column] = True
    return right[np.ix_(answer_rows, gold_columns)]


def _target(gold: Gold) -> GoldTarget | None:
    try:
        return target_of(gold)
    except FAULTS:
        return None


def _distinct(items: Sequence[Item]) -> tuple[list[Item], NDArray[np.int64]]:
    """Distinct items in order of appearance, and where each item stands among them."""
    places: dict[Item, int] = {}
    rows = [places.setdefault(item, len(places)) for item in items]
    return list(places), np.array(rows, dtype=np.int64)


class _Readings:
    """Answers read once; the plain numbers among them sorted by value."""

    def __init__(self, answers: Sequence[str], listed: bool) -> None:
        self._answers = answers
        self._values: list[Value | None] = []
        self._readable: list[int] = []
        self._composed: list[int] = []  # neither a plain number nor mere words
        plain: list[tuple[float, int]] = []
        for row, answer in enumerate(answers):
            try:
                value = read(answer, listed=listed)
            except FAULTS:  # what is not covered is among them
                self._values.append(None)
                continue
            self._values.append(value)
            self._readable.append(row)
            number = _plain(value)
            if number is not None:
                plain.append((number, row))
            elif is_value(value):
                self._composed.append(row)
        plain.sort()
        self._numbers = np.array([number for number, _ in plain])
        self._number_rows = [row for _, row in plain]

    def right_for(self, target: GoldTarget) -> list[int]:
        """The rows of the answers that are right."""
        return [row for row in self._candidates(target) if self._is_right(target, row)]

    def _candidates(self, target: GoldTarget) -> list[int]:
        gold = target.gold
        number = _plain(target.value)
        if number is None or target.is_text or gold.choices or gold.letter_set:
            return self._readable
        declared = float(target.tolerance.distance(Fraction(number)))
        reach = declared + max(_NEAR_RELATIVE * abs(number), _NEAR_ABSOLUTE)
        start = int(np.searchsorted(self._numbers, number - reach, side="left"))
        end = int(np.searchsorted(self._numbers, number + reach, side="right"))
        return self._number_rows[start:end] + self._composed

    def _is_right(self, target: GoldTarget, row: int) -> bool:
        try:
            return target.compare(self._answers[row], self._values[row]).correct is True
        except FAULTS:
            return False


def _plain(value: Value | None) -> float | None:
    """A constant that is compared as it stands: without unit, per cent, scale or doubt."""
    if (
        not isinstance(value, Number)
        or value.unit is not None
        or value.percent
        or value.doubtful
        or value.scale != 1
    ):
        return None
    return value.value.approximate

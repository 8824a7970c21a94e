"""What the arms of a view did on each problem, and the groups that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.demo.codes import Bit, Codes, has, ungraded, valid

SOLVED = ("both", "left", "right", "neither")
SOLVED_BY_THREE = tuple("".join(one) for one in product("10", repeat=3))
"""Solved (1) or not (0) by the left, the right and the third arm."""
_OTHERS = ("open", "luck", "disputed", "undecided")
GROUPS = ("all", *SOLVED, *SOLVED_BY_THREE, *_OTHERS)


@dataclass(frozen=True)
class Tallies:
    """Samples of each problem by two arms or three, codes of shape (problems, samples).

    A problem is solved with at least `at_least` right samples. It is not solved only once every
    sample of it has a verdict: until then that is open.
    """

    left: Codes
    right: Codes
    at_least: int = 1
    third: Codes | None = None

    @property
    def arms(self) -> list[Codes]:
        """Those of the sides in order, two or three."""
        return [self.left, self.right, *([] if self.third is None else [self.third])]

    @staticmethod
    def drawn(codes: Codes) -> NDArray[np.int64]:
        """N."""
        return np.asarray(has(codes, Bit.DRAWN).sum(axis=1), dtype=np.int64)

    @staticmethod
    def correct(codes: Codes) -> NDArray[np.int64]:
        """C."""
        return np.asarray(has(codes, Bit.CORRECT).sum(axis=1), dtype=np.int64)

    def rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Right shares of what is graded; nan where nothing is."""
        return rates_of(self.left), rates_of(self.right)

    def group(self, name: str) -> NDArray[np.bool_]:
        """Which problems are of a group of `GROUPS`."""
        if name in SOLVED_BY_THREE:
            told = zip(self.arms, name, strict=True)
            return _all([self.solved(codes)[sign == "0"] for codes, sign in told])
        left, not_left = self.solved(self.left)
        right, not_right = self.solved(self.right)
        match name:
            case "all":
                return np.ones(len(left), dtype=bool)
            case "both":
                return left & right
            case "left":
                return left & not_right
            case "right":
                return right & not_left
            case "neither":
                return not_left & not_right
            case "open":
                return ~_all([np.logical_or(*self.solved(codes)) for codes in self.arms])
            case "luck":
                return ~_all([~self._by_luck(codes) for codes in self.arms])
            case "disputed":
                return self._any(Bit.DISPUTED)
            case "undecided":
                return self._any(Bit.UNDECIDED)
        raise ValueError(f"group {name!r}: valid are {', '.join(GROUPS)}")

    def solved(self, codes: Codes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which problems are solved, and which are known not to be."""
        solved = self.correct(codes) >= self.at_least
        drawn = has(codes, Bit.DRAWN).any(axis=1)
        return solved, np.asarray(~solved & drawn & ~ungraded(codes).any(axis=1))

    @staticmethod
    def _by_luck(codes: Codes) -> NDArray[np.bool_]:
        """Right answers that were all checked, and none of them found valid."""
        right = has(codes, Bit.CORRECT)
        checked = right & (has(codes, Bit.VETOED) | has(codes, Bit.ENDORSED))
        unchecked = (right & ~checked).any(axis=1)
        whole = ~ungraded(codes).any(axis=1) & ~unchecked
        return np.asarray(checked.any(axis=1) & whole & ~valid(codes).any(axis=1))

    def _any(self, bit: Bit) -> NDArray[np.bool_]:
        return ~_all([np.asarray(~has(codes, bit).any(axis=1)) for codes in self.arms])


def _all(told: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.asarray(np.all(told, axis=0), dtype=bool)


def rates_of(codes: Codes) -> NDArray[np.float64]:
    """Right shares of what is graded; nan where nothing is."""
    graded = has(codes, Bit.GRADED).sum(axis=1)
    rates = Tallies.correct(codes) / np.where(graded, graded, np.nan)
    return np.asarray(rates, dtype=np.float64)

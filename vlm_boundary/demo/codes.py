"""What is known of every sample, a byte each, and what problems are by it: without any text."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.stopping import Standing, StoppingRule

Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]
Which = NDArray[np.bool_]


class Bit(enum.IntFlag):
    """What one sample's byte says of it."""

    DRAWN = 1
    GRADED = 2
    CORRECT = 4
    UNDECIDED = 8
    TRUNCATED = 16
    """It ended at the token limit."""
    VETOED = 32
    """A layer of the reasoning checker calls it invalid."""
    ENDORSED = 64
    """A layer calls it valid."""
    DISPUTED = 128
    """An official rule, or math-verify, judges the answer otherwise than the verifier."""


def has(codes: Codes, bit: Bit) -> Which:
    """Which samples have a bit; the shape of `codes`."""
    return (codes & np.uint8(bit)) > 0


def count(codes: Codes, bit: Bit) -> Counts:
    """How many samples of each problem have a bit; `codes` are of shape (problems, samples)."""
    return np.asarray(has(codes, bit).sum(axis=1), dtype=np.int64)


def ungraded(codes: Codes) -> Which:
    """Drawn, and without a verdict yet: neither right nor wrong."""
    return has(codes, Bit.DRAWN) & ~has(codes, Bit.GRADED)


def valid(codes: Codes) -> Which:
    """Right, no layer calls the reasoning invalid, and one calls it valid."""
    return has(codes, Bit.CORRECT) & has(codes, Bit.ENDORSED) & ~has(codes, Bit.VETOED)


def invalid(codes: Codes) -> Which:
    """Right, and some layer calls the reasoning invalid."""
    return has(codes, Bit.CORRECT) & has(codes, Bit.VETOED)


_KINDS: dict[str, Callable[[Codes], Which]] = {
    "all": lambda codes: has(codes, Bit.DRAWN),
    "correct": lambda codes: has(codes, Bit.CORRECT),
    "wrong": lambda codes: has(codes, Bit.GRADED) & ~has(codes, Bit.CORRECT),
    "ungraded": ungraded,
    "valid": valid,
    "invalid": invalid,
    "truncated": lambda codes: has(codes, Bit.TRUNCATED),
    "disputed": lambda codes: has(codes, Bit.DISPUTED),
}
SHOWN = tuple(_KINDS)
"""The kinds of samples that can be asked for."""


def kind(codes: Codes, name: str) -> Which:
    """Which samples are of a kind of `SHOWN`; wrong is what was graded and is not correct."""
    return _KINDS[name](codes)


def answer_name(answer: str | None) -> str:
    """An answer as views and links name it: "=42", or "none"."""
    return "none" if answer is None else f"={answer}"


SOLVED = ("both", "left", "right", "neither")
SOLVED_BY_THREE = tuple("".join(one) for one in product("10", repeat=3))
"""Solved (1) or not (0) by the left, the right and the third arm."""
GROUPS = ("all", *SOLVED, *SOLVED_BY_THREE, "open", "luck", "disputed", "undecided")


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

    def group(self, name: str) -> Which:
        """Which problems are of a group of `GROUPS`."""
        told = [self.solved(codes) for codes in self.arms]
        if name in SOLVED_BY_THREE:
            return _all(one[sign == "0"] for one, sign in zip(told, name, strict=True))
        (left, not_left), (right, not_right) = told[:2]
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
                return ~_all(solved | unsolved for solved, unsolved in told)
            case "luck":
                return ~_all(~_by_luck(codes) for codes in self.arms)
            case "disputed" | "undecided":
                return ~_all(count(codes, Bit[name.upper()]) == 0 for codes in self.arms)
        raise ValueError(f"group {name!r}: valid are {', '.join(GROUPS)}")

    def solved(self, codes: Codes) -> tuple[Which, Which]:
        """Which problems are solved, and which are known not to be."""
        solved = count(codes, Bit.CORRECT) >= self.at_least
        drawn = has(codes, Bit.DRAWN).any(axis=1)
        return solved, np.asarray(~solved & drawn & ~ungraded(codes).any(axis=1))


def _by_luck(codes: Codes) -> Which:
    """Right answers that were all checked, and none of them found valid."""
    right = has(codes, Bit.CORRECT)
    checked = right & (has(codes, Bit.VETOED) | has(codes, Bit.ENDORSED))
    unchecked = (right & ~checked).any(axis=1)
    whole = ~ungraded(codes).any(axis=1) & ~unchecked
    return np.asarray(checked.any(axis=1) & whole & ~valid(codes).any(axis=1))


def _all(told: Iterable[Which]) -> Which:
    return np.asarray(np.all(list(told), axis=0), dtype=bool)


def rates_of(codes: Codes) -> NDArray[np.float64]:
    """Right shares of what is graded; nan where nothing is."""
    graded = count(codes, Bit.GRADED)
    return np.asarray(count(codes, Bit.CORRECT) / np.where(graded, graded, np.nan))


def standing(rule: StoppingRule, codes: Codes) -> Standing:
    """How far one problem has come by its verdicts; `codes` are those of its samples."""
    graded = np.flatnonzero(has(codes, Bit.GRADED))
    return rule.standing(graded.tolist(), has(codes, Bit.CORRECT)[graded].tolist())


def ended_line(rule: StoppingRule, end: Standing) -> str:
    """How far a problem has come, and why it ended there, in words."""
    if not end.complete:
        return f"goes on to {end.look} of at most {rule.n} samples"
    if end.look == rule.n:
        return f"all {rule.n} samples, since no look before had {rule.right} right"
    return f"ended at {end.look} of at most {rule.n} samples, {end.right} of them right"


def counted(codes: Codes, rule: StoppingRule | None) -> tuple[Counts, Counts] | None:
    """Right samples and samples of each problem, by a rule those up to the look that ended it.

    Args:
        codes: shape (problems, samples).
        rule: that problems end by.

    Returns:
        None until every problem has come to its end.
    """
    if rule is None:
        return count(codes, Bit.CORRECT), count(codes, Bit.DRAWN)
    ends = [standing(rule, row) for row in codes]
    if not all(end.complete for end in ends):
        return None
    return np.array([end.right for end in ends]), np.array([end.look for end in ends])


def pass_at(
    ks: Sequence[int], right: Counts, drawn: Counts, rule: StoppingRule | None
) -> NDArray[np.float64]:
    """pass@k of each problem by the unbiased estimator, shape (problems, ks).

    That of `analysis.estimators` from c and n alone; of problems that ended by a rule that of
    `analysis.stopping`, up to the rule's n.
    """
    if rule is None:
        return pass_at_k(right, drawn, np.array(ks))
    return stopped_pass_at_k(right, drawn, np.array(ks), rule)


def usual_ks(n: int) -> list[int]:
    """The powers of two up to n, and n."""
    return sorted({*(1 << power for power in range(n.bit_length())), n})

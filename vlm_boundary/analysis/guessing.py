"""What luck would score: guesses, answers moved to other problems, whole lists exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Bools, Floats, Ints
from vlm_boundary.analysis.estimators import pass_at_k

SMOOTHING_ANSWERS = tuple(str(number) for number in range(101))
"""What a smoothed prior holds possible although nobody gave it: the whole numbers 0 to 100."""
EXCHANGES = 1_000
"""How often lists are exchanged, for what luck solves on average and its range."""
_LEAST_SHARE = 8  # a problem with less than an eighth of the most samples shortens no list


def guessed_pass_at_k(chance: Floats, ks: Ints) -> Floats:
    """pass@k of k independent guesses, each right with a problem's own chance g: 1 - (1 - g)^k.

    Shape (problems, ks); NaN where the chance is.
    """
    with np.errstate(divide="ignore"):  # a chance of 1 has the logarithm -inf, and pass@k 1
        values = -np.expm1(np.log1p(-np.asarray(chance))[:, None] * np.asarray(ks))
    return np.asarray(values, dtype=np.float64)


def leave_one_out_chance(right: Bools, smoothing: float, spread: Floats) -> Floats:
    """The chance that another problem's gold answer, drawn at random, is right for a problem.

    g_i = (Σ_{j≠i} right[j, i] + s·u_i) / (N - 1 + s)

    Args:
        right: whether the gold answer of problem j is right for problem i, shape (N, N).
        smoothing: s, how many answers the smoothing weighs.
        spread: u, the share of the smoothing's answers that are right, shape (N,).

    Returns:
        Shape (N,); NaN where there is nothing to draw from.
    """
    others = right.sum(axis=0) - right.diagonal()
    return _smoothed(others, len(right) - 1, smoothing, spread)


def held_out_chance(right: Bools, smoothing: float, spread: Floats) -> Floats:
    """The chance that an answer drawn from a list of answers is right for a problem.

    g_i = (Σ_a right[a, i] + s·u_i) / (A + s), with right of shape (A, problems) and the smoothing
    as in `leave_one_out_chance`; shape (problems,), NaN where there is nothing to draw from.
    """
    return _smoothed(right.sum(axis=0), len(right), smoothing, spread)


def _smoothed(hits: Ints, draws: int, smoothing: float, spread: Floats) -> Floats:
    total = draws + smoothing
    if total <= 0:
        return np.full(len(hits), np.nan)
    return np.asarray((hits + smoothing * spread) / total, dtype=np.float64)


@dataclass(frozen=True)
class Moved:
    """Every problem's answers graded on every other problem of the same answer type.

    Attributes:
        hits: how many of problem j's answers are right for problem i, shape (N, N).
        allowed: whether j's answers are put to i: another problem, of the same type.
        samples: how many samples each problem j has, with an answer or without, shape (N,).
    """

    hits: Ints
    allowed: Bools
    samples: Ints

    @property
    def draws(self) -> Ints:
        """Samples that were put to each problem, shape (N,)."""
        return np.asarray(self.samples @ self.allowed, dtype=np.int64)

    @property
    def successes(self) -> Ints:
        """Those of them that were right, shape (N,)."""
        return np.asarray((self.hits * self.allowed).sum(axis=0), dtype=np.int64)


def move(answers: Ints, samples: Ints, right: Bools, types: NDArray[np.int64]) -> Moved:
    """Grade each problem's answers on the other problems of its type.

    Args:
        answers: how often problem j was given answer a, a scipy.sparse matrix of shape (N, A).
        samples: samples of each problem, shape (N,); those without an answer are never right.
        right: whether answer a is right for problem i, shape (A, N).
        types: the answer type of each problem as a number, shape (N,).
    """
    hits = np.asarray(answers @ right.astype(np.int64), dtype=np.int64)
    allowed = types[:, None] == types[None, :]
    np.fill_diagonal(allowed, False)
    return Moved(hits, allowed, np.asarray(samples, dtype=np.int64))


def moved_pass_at_k(moved: Moved, ks: Ints) -> Floats:
    """pass@k of each problem when it gets all answers of another problem, over all such.

    The mean over j of 1 - C(n_j - h_ji, k) / C(n_j, k). Shape (N, ks); NaN where no other problem
    of the type has k samples.
    """
    problems, ks = len(moved.samples), np.asarray(ks)
    scored, among = np.zeros((problems, len(ks))), np.zeros((problems, len(ks)))
    for n in np.unique(moved.samples):
        donors = np.flatnonzero(moved.samples == n)
        # How many of these problems hit each problem h times, h = 0 … n.
        cells = np.arange(problems)[None, :] * (n + 1) + moved.hits[donors]
        counted = np.bincount(cells[moved.allowed[donors]], minlength=problems * (n + 1))
        by_hits = counted.reshape(problems, n + 1)
        reached = ks <= n
        counts = np.arange(n + 1)
        table = pass_at_k(counts, np.full(n + 1, n), ks[reached])
        scored[:, reached] += by_hits @ table
        among[:, reached] += by_hits.sum(axis=1)[:, None]
    return np.where(among > 0, scored / np.maximum(among, 1), np.nan)


def own_chance(moved: Moved) -> Floats:
    """The chance that one answer to another problem of the type is right, shape (N,); else NaN."""
    draws = moved.draws
    return np.where(draws > 0, moved.successes / np.maximum(draws, 1), np.nan)


def discoveries(p_values: Floats, rate: float) -> Bools:
    """Which hypotheses are rejected while at most this share of the rejected ones is true.

    Benjamini & Hochberg 1995 over the p-values that are known; the others are never rejected.
    """
    from scipy.stats import false_discovery_control

    found = np.zeros(len(p_values), dtype=bool)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = false_discovery_control(p_values[known], method="bh") <= rate
    return found


@dataclass(frozen=True)
class Exchange:
    """Lists of answers of one length, each held against every gold answer.

    An arm that misreads a picture gives one answer again and again: its samples are no independent
    guesses. What is exchangeable by luck is the whole list.

    Attributes:
        length: how many samples a list has.
        own: how many answers of each problem's own list are right for it, shape (N,).
        hits: how many of problem j's list are right for problem i, shape (N, N).
        kin: whether i and j are of one answer type and both have a whole list, shape (N, N).
        same: whether the gold answer of one is right for the other, shape (N, N).
    """

    length: int
    own: Ints
    hits: Ints
    kin: Bools
    same: Bools

    @cached_property
    def donors(self) -> Bools:
        """Whether j's list may stand for i's, shape (N, N): kin with another gold answer.

        Where the gold answers agree, a list that solves j is right for i without any luck.
        """
        return np.asarray(self.kin & ~self.same & ~np.eye(len(self.own), dtype=bool))

    @cached_property
    def lists(self) -> Ints:
        """M: how many lists may stand for each problem's own, shape (N,)."""
        return np.asarray(self.donors.sum(axis=0), dtype=np.int64)

    def above(self, rate: float) -> tuple[Floats, Bools]:
        """P-values of the problems with `fewest_lists` or more, and which are solved above luck.

        Twice: the lists of problems that are found solved stand for no other's the second time,
        since they are right for others too rarely. A problem for which too few are left keeps its
        first p-value. Shapes (N,); NaN and False for a problem that is not tested.
        """
        enough = fewest_lists(rate)
        tested = self.lists >= enough
        first = self._p_values(self.donors, tested)
        left = self.donors & ~discoveries(first, rate)[:, None]
        # Of an arm that solves nearly everything too few lists are left to show what luck does.
        p_values = np.where(left.sum(axis=0) >= enough, self._p_values(left, tested), first)
        return p_values, discoveries(p_values, rate)

    def _p_values(self, donors: Bools, tested: Bools) -> Floats:
        """How many problems do as well by luck, as a share of those that are tested.

        A list's score is the likelihood ratio of its share of right answers against the share in
        all lists that may stand there. V(t) sums over problems the share of lists that score t or
        more, a problem's own among them. By luck V(t)/N of the problems score t on average, however
        uneven answers are and however much they depend on each other.
        """
        values = np.full(len(self.own), np.nan)
        if not tested.any():
            return values
        lists = donors.sum(axis=0) + 1.0
        right = (self.hits * donors).sum(axis=0) + self.own
        floor = (right + 0.5) / (self.length * lists + 1.0)
        own = _score(self.own, self.length, floor)
        donor, problem = np.nonzero(donors & tested)
        others = _score(self.hits[donor, problem], self.length, floor[problem])
        order = np.argsort(others)
        below = np.concatenate([[0.0], np.cumsum(1 / lists[problem[order]])])
        luck = below[-1] - below[np.searchsorted(others[order], own - 1e-9)]
        alike = self.kin & self.same & tested
        np.fill_diagonal(alike, tested)
        luck += alike @ (1 / lists)
        values[tested] = np.minimum(luck / np.count_nonzero(tested), 1.0)[tested]
        return values

    def solved_by_luck(
        self, types: NDArray[np.int64], draws: int, rng: np.random.Generator
    ) -> Ints:
        """How many problems are solved at least once when lists are exchanged, shape (draws,).

        Lists are permuted among the problems of a type; one that may not stand where it falls is
        replaced by one that may. Problems for which there is none do not count.
        """
        right = self.hits > 0
        solved = np.zeros(draws, dtype=np.int64)
        for kind in np.unique(types):
            here = np.flatnonzero(types == kind).astype(np.int32)
            drawn = rng.permuted(np.broadcast_to(here, (draws, len(here))), axis=1)
            for column, problem in enumerate(here):
                if not self.lists[problem]:
                    continue
                donors = drawn[:, column]
                unfit = np.flatnonzero(~self.donors[donors, problem])
                donors[unfit] = rng.choice(np.flatnonzero(self.donors[:, problem]), len(unfit))
                solved += right[donors, problem]
        return solved


def _score(right: Ints, length: int, floor: Floats) -> Floats:
    """Log-likelihood ratio of a share of right answers against the floor; 0 where not above it."""
    share = right / length
    with np.errstate(divide="ignore", invalid="ignore"):
        up = share * np.log(share / floor)
        down = np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - floor)), 0.0)
    return np.where(share > floor, length * (up + down), 0.0)


def fewest_lists(rate: float) -> int:
    """The M below which only the count and luck are reported: 19 other lists at 5 %.

    A problem's rank among M + 1 lists is evidence of 1/(M + 1) at best, which must reach the rate.
    """
    return int(np.ceil(1 / rate - 1e-9)) - 1


def list_length(samples: Ints) -> int:
    """How many samples, from the first on, are a list: as many as all problems have.

    A problem with less than an eighth of the most (failures) shortens no list; it has none.
    """
    most = int(samples.max(initial=0))
    whole = samples[(samples > 0) & (samples * _LEAST_SHARE >= most)]
    return int(whole.min()) if len(whole) else 0

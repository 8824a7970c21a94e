"""P-values of single differences, and of all claims of a report at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import numpy as np

from vlm_boundary.analysis.counts import Bools, Bounds, Floats
from vlm_boundary.analysis.intervals import (
    NOTHING,
    Clustered,
    Intervals,
    intervals_of,
    is_small,
    known,
    unskewed,
    weighted_at_random,
    with_one_more,
)
from vlm_boundary.analysis.quantiles import beyond_student
from vlm_boundary.records.analysis import (
    BenchmarkAnalysis,
    HeadlineTest,
    Multiplicity,
    PairAnalysis,
)
from vlm_boundary.records.record import where_known

_USUAL = 0.95
_LEAST = 1e-12  # no p-value is said to be smaller
_STEPS = 50  # from there to 1, each a good half more
_GRIDS = 4  # each within a step of the one before: to a millionth of the value
_WITHIN = "within_"


def p_values(sums: Clustered, bounds: Bounds) -> Floats:
    """The smallest p at which the interval of level 1 - p leaves zero out, for each column.

    So a p-value is below 5 % just where the 95 % interval leaves zero out. Shape (columns,); NaN
    below two clusters.
    """
    mean, error = sums.mean(), sums.error()
    known = intervals_of(sums, 0.0, bounds)  # at the level at which t is relied upon soonest
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2 * beyond_student(np.abs(mean) / error, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 1.0), _LEAST)
    tested, small = sums.clusters > 1, is_small(sums)
    few = tested & ~small & (known.few | _few_at(1 - found, sums, bounds))
    if few.any():
        found[few] = _smallest(sums.columns(few), bounds, 1, _without_zero)
    below, above = weighted_at_random(sums.columns(small), bounds)
    found[small] = np.clip(2 * np.minimum(below.beyond(0.0), above.beyond(0.0)), _LEAST, 1.0)
    lowest, highest = with_one_more(sums, bounds)
    found = np.where((lowest <= 0) & (highest >= 0), 1.0, found)
    return np.where(tested, found, np.nan)


def equivalence_p(sums: Clustered, margin: float, bounds: Bounds) -> Floats:
    """P-value that the mean lies outside ± margin, for each column: two one-sided tests (TOST).

    The larger of those of "at most -margin" and "at least +margin" (Schuirmann 1987), shape
    (columns,); 1 where the mean itself lies outside, NaN below two clusters.
    """
    above, _ = one_sided_p(sums, -margin, bounds)
    _, below = one_sided_p(sums, margin, bounds)
    return np.maximum(above, below)


def one_sided_p(sums: Clustered, bound: float, bounds: Bounds) -> tuple[Floats, Floats]:
    """P-values against "at most the bound" and against "at least the bound", for each column.

    Each is the smallest p at which the interval of level 1 - 2p, with ends that hold by themselves
    (`intervals_of`, each_end), lies beyond the bound on that side.

    Returns:
        Each of shape (columns,); 1 where the mean lies on the other side, NaN below two clusters.
    """
    turned = Clustered(-sums.total, sums.size)
    return _above_p(sums, bound, bounds), _above_p(turned, -bound, (-bounds[1], -bounds[0]))


def _above_p(sums: Clustered, bound: float, bounds: Bounds) -> Floats:
    room, error = sums.mean() - bound, sums.error()
    known = intervals_of(sums, 0.0, bounds)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = room / error
        least = np.fmin(away, unskewed(away, sums.skewness()))
        found = beyond_student(least, np.fmax(known.freedom, 1))
    found = np.where(error > NOTHING, np.clip(found, _LEAST, 0.5), _LEAST)
    tested, small = sums.clusters > 1, is_small(sums)
    few = tested & ~small & (known.few | _few_at(1 - 2 * found, sums, bounds))
    if few.any():
        found[few] = _smallest(sums.columns(few), bounds, 2, lambda one: one.low > bound)
    below, _ = weighted_at_random(sums.columns(small), bounds)
    found[small] = np.clip(below.beyond(-bound), _LEAST, 1.0)
    lowest, _ = with_one_more(sums, bounds)
    return np.where(tested, np.where(lowest > bound, found, 1.0), np.nan)


def _few_at(level: Floats, sums: Clustered, bounds: Bounds) -> Bools:
    """Whether the interval is not Student's at a level, or at the usual one if that is higher."""
    return intervals_of(sums, np.maximum(level, _USUAL), bounds).few


def _without_zero(found: Intervals) -> Bools:
    return np.asarray((found.low > 0) | (found.high < 0))


def _smallest(
    sums: Clustered, bounds: Bounds, tails: int, claims: Callable[[Intervals], Bools]
) -> Floats:
    """The smallest p at which the interval of level 1 - tails · p claims something.

    On a grid from the smallest on, then on finer ones within a step: intervals are of one kind
    where a level takes more problems than carry the spread, and of another below.
    """
    columns = sums.total.shape[1]
    repeated = sums.columns(np.repeat(np.arange(columns), _STEPS))
    low = np.full(columns, np.log(_LEAST))
    high = np.full(columns, -np.log(tails))
    for _ in range(_GRIDS):
        grid = np.linspace(low, high, _STEPS + 1, axis=1)
        level = 1 - tails * np.exp(grid[:, 1:].ravel())
        found = intervals_of(repeated, np.maximum(level, 0.0), bounds, each_end=tails == 2)
        yes = claims(found).reshape(columns, _STEPS)
        yes[:, -1] = True
        first = np.argmax(yes, axis=1)
        rows = np.arange(columns)
        low, high = grid[rows, first], grid[rows, first + 1]
    return np.asarray(np.exp(high))


def no_crossover_p(difference: Floats, p: Floats, excluded: bool) -> float | None:
    """P-value that a difference never turns from above zero to zero or below.

    At every k it must be below zero before or above zero after, each by its own test; the largest
    of these p-values holds for all. 1 where the intervals do not exclude a crossover, None where
    there is one k only.

    Args:
        difference, p: at some k in ascending order, shape (ks,).
        excluded: whether the intervals exclude a crossover at every k, those between these too.
    """
    if len(difference) < 2:
        return None
    if not excluded:
        return 1.0
    before: Bools = difference[:-1] < 0
    after: Bools = difference[1:] > 0
    each = np.minimum(np.where(before, p[:-1], 1.0), np.where(after, p[1:], 1.0))
    return float(each.max())


def family(
    benchmarks: Mapping[str, BenchmarkAnalysis], margin: float | None = None
) -> Multiplicity:
    """Every claim about every pair on every benchmark as one family, adjusted by Holm's method.

    That a pair never crosses waits for its differences at k = 1 and k = n, whose place it takes;
    with a margin, of which "alike" and "apart by it" exclude each other, it is asked at once. See
    docs/analysis.md.
    """
    tests: list[HeadlineTest] = []
    groups: list[tuple[str, ...]] = []
    after: list[tuple[int, ...]] = []
    for name, content in benchmarks.items():
        for pair in content.pairs:
            named = {"benchmark": name, "base": pair.base, "other": pair.other}
            for claim, k, p in _claims(pair):
                waits = claim == "no_crossover" and margin is None
                after.append((len(tests) - 2, len(tests) - 1) if waits else ())
                groups.append((name, pair.base, pair.other, claim.removeprefix(_WITHIN)))
                tests.append(HeadlineTest(**named, claim=claim, k=k, p=p, p_holm=None))
    p_values = np.array([np.nan if one.p is None else one.p for one in tests], dtype=float)
    adjusted = known(in_turn(p_values, after, groups))
    ends = "k = 1, k = n"
    within = "" if margin is None else f", within the margin at {ends}"
    return Multiplicity(
        method="Holm",
        family=f"benchmark × pair × {{{ends}, no crossover{within}}}",
        tests=[
            one.model_copy(update={"p_holm": p}) for one, p in zip(tests, adjusted, strict=True)
        ],
        **where_known(margin=margin),
    )


def in_turn(
    p_values: Floats,
    after: Sequence[tuple[int, ...]],
    groups: Sequence[Hashable] | None = None,
) -> Floats:
    """Holm's adjusted p-values where some tests wait for others, and some exclude each other.

    The smallest p-value of those that are open is multiplied by how many are, those of one group
    counting once; then those open that waited for it (Holm 1979; Shaffer 1986). A test may wait for
    others if it is true of them that one is open, or it is, and tests may be of one group if the
    hypotheses that they deny exclude each other.

    Args:
        p_values: shape (tests,); NaN is no test.
        after: for each test the places of those that must reject before it is made.
        groups: the group of each test; by default each is its own.

    Returns:
        Shape (tests,); NaN where there is no test, or it waits for one that there is not.
    """
    of = range(len(p_values)) if groups is None else groups
    adjusted = np.full(p_values.shape, np.nan)
    done: set[int] = set()
    largest = 0.0
    while True:
        open_ = [
            i
            for i, p in enumerate(p_values)
            if i not in done and not np.isnan(p) and done.issuperset(after[i])
        ]
        if not open_:
            return adjusted
        least = min(open_, key=lambda i: p_values[i])
        count = len({of[i] for i in open_})
        largest = max(largest, min(1.0, float(p_values[least]) * count))
        adjusted[least] = largest
        done.add(least)


def _claims(pair: PairAnalysis) -> Iterator[tuple[str, int, float | None]]:
    """The claims about a pair: what is claimed, at or up to which k, and the p-value."""
    yield "first", 1, pair.p_values[1]
    if pair.n > 1:
        yield "last", pair.n, pair.p_values[pair.n]
        yield "no_crossover", pair.crossover.up_to, pair.p_no_crossover
    if pair.equivalence:
        ends = ("first", "last") if pair.n > 1 else ("first",)
        for end, (k, one) in zip(ends, pair.equivalence.at.items(), strict=True):
            yield f"{_WITHIN}{end}", k, one.p_value

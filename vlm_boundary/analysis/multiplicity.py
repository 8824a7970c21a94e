"""Which claims an analysis makes: all of a report's at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.analysis import (
    BenchmarkAnalysis,
    HeadlineTest,
    Multiplicity,
    PairAnalysis,
)
from vlm_boundary.records.record import where_known

_WITHIN = "within_"


def family(
    benchmarks: Mapping[str, BenchmarkAnalysis], margin: float | None = None
) -> Multiplicity:
    """Every claim about every pair on every benchmark as one family of tests.

    Each has one test: that of the difference at k = 1, at k = n, and whether they never cross. The
    p-values are adjusted by Holm's method, and what is claimed follows from these alone. That a
    pair never crosses is asked once its differences at k = 1 and k = n are both claimed, and then
    in their place: so it makes no other claim harder. That two models cross is no further claim:
    it is claimed where one is above at k = 1 and below at k = n. Intervals are not adjusted: each
    holds by itself, those of a band over all k.

    With a margin each pair also has the claims that its differences at k = 1 and k = n are smaller
    than that. Of "they are alike" and "they differ by the margin" only one can be so, and the two
    tests that deny them count as one; whether the pair never crosses is then asked from the start,
    since both differences can be as large as the margin and the pair cross.
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
    counting once; then those open that waited for it. With no more true hypotheses than that at
    each step, the chance of any false rejection is the level (Holm 1979; Shaffer 1986): a test may
    wait for others if it is true of them that one is open, or it is, and tests may be of one group
    if the hypotheses that they deny exclude each other.

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

"""Which claims an analysis makes: all of a report's at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.analysis import (
    BenchmarkAnalysis,
    HeadlineTest,
    Multiplicity,
    PairAnalysis,
)


def family(benchmarks: Mapping[str, BenchmarkAnalysis]) -> Multiplicity:
    """Every claim about every pair on every benchmark as one family of tests.

    Each has one test: that of the difference at k = 1, at k = n, and whether they never cross. The
    p-values are adjusted by Holm's method, and what is claimed follows from these alone. That a
    pair never crosses is asked once its differences at k = 1 and k = n are both claimed, and then
    in their place: so it makes no other claim harder. That two models cross is no further claim:
    it is claimed where one is above at k = 1 and below at k = n. Intervals are not adjusted: each
    holds by itself, those of a band over all k.
    """
    tests = [
        (name, pair, claim, k, p)
        for name, content in benchmarks.items()
        for pair in content.pairs
        for claim, k, p in _claims(pair)
    ]
    p_values = np.array([np.nan if p is None else p for *_, p in tests], dtype=float)
    after = [
        (i - 2, i - 1) if claim == "no_crossover" else ()
        for i, (_, _, claim, *_) in enumerate(tests)
    ]
    return Multiplicity(
        method="Holm",
        family="benchmark × pair × {k = 1, k = n, no crossover}",
        tests=[
            HeadlineTest(
                benchmark=name,
                base=pair.base,
                other=pair.other,
                claim=claim,
                k=k,
                p=p,
                p_holm=adjusted,
            )
            for (name, pair, claim, k, p), adjusted in zip(
                tests, known(in_turn(p_values, after)), strict=True
            )
        ],
    )


def in_turn(p_values: Floats, after: Sequence[tuple[int, ...]]) -> Floats:
    """Holm's adjusted p-values where some tests are made only after others have rejected.

    The smallest p-value of those that are open is multiplied by how many are; then those open that
    waited for it. With no more true hypotheses than open tests at each step, the chance of any
    false rejection is the level (Holm 1979; Shaffer 1986): a test may wait for others if it is true
    of them that one is open, or it is.

    Args:
        p_values: shape (tests,); NaN is no test.
        after: for each test the places of those that must reject before it is made.

    Returns:
        Shape (tests,); NaN where there is no test, or it waits for one that there is not.
    """
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
        largest = max(largest, min(1.0, float(p_values[least]) * len(open_)))
        adjusted[least] = largest
        done.add(least)


def _claims(pair: PairAnalysis) -> Iterator[tuple[str, int, float | None]]:
    """The claims about a pair: what is claimed, at or up to which k, and the p-value."""
    yield "first", 1, pair.p_values[1]
    if pair.n > 1:
        yield "last", pair.n, pair.p_values[pair.n]
        yield "no_crossover", pair.crossover.up_to, pair.p_no_crossover

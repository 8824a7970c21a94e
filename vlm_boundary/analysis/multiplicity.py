"""Which claims an analysis makes: all of a report's at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vlm_boundary.analysis.intervals import holm, known
from vlm_boundary.records.analysis import (
    BenchmarkAnalysis,
    HeadlineTest,
    Multiplicity,
    PairAnalysis,
)


def family(benchmarks: Mapping[str, BenchmarkAnalysis]) -> Multiplicity:
    """Every claim about every pair on every benchmark as one family of tests.

    Each has one test: that of the difference at k = 1, at k = n, and whether they never cross. The
    p-values are adjusted by Holm's method, and what is claimed follows from these alone. That two
    models cross is no further claim: it is claimed where one is above at k = 1 and below at k = n.
    Intervals are not adjusted: each holds by itself, those of a band over all k.
    """
    tests = [
        (name, pair, claim, k, p)
        for name, content in benchmarks.items()
        for pair in content.pairs
        for claim, k, p in _claims(pair)
    ]
    p_values = np.array([np.nan if p is None else p for *_, p in tests], dtype=float)
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
                tests, known(holm(p_values)), strict=True
            )
        ],
    )


def _claims(pair: PairAnalysis) -> Iterator[tuple[str, int, float | None]]:
    """The claims about a pair: what is claimed, at or up to which k, and the p-value."""
    yield "first", 1, pair.p_values[1]
    if pair.n > 1:
        yield "last", pair.n, pair.p_values[pair.n]
        yield "no_crossover", pair.crossover.up_to, pair.p_no_crossover

"""How many claims an analysis makes at once, and what is left of each for it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vlm_boundary.analysis.intervals import holm, known
from vlm_boundary.records.analysis import BenchmarkAnalysis, HeadlineTest, Multiplicity


def family(benchmarks: Mapping[str, BenchmarkAnalysis]) -> Multiplicity:
    """Every pair on every benchmark at k = 1 and at k = n as one family of tests.

    At k = 1 the test is Student's t, at k = n McNemar's exact test on the solved sets; p-values are
    adjusted by Holm's method. Intervals are not: each holds by itself, those of a band over all k.
    """
    tests = [
        (name, pair, k, p)
        for name, content in benchmarks.items()
        for pair in content.pairs
        for k, p in ((1, pair.p_values[1]), (pair.n, pair.mcnemar_p))
    ]
    p_values = np.array([np.nan if p is None else p for *_, p in tests], dtype=float)
    return Multiplicity(
        method="Holm",
        family="benchmark × pair × {k = 1, k = n}",
        tests=[
            HeadlineTest(
                benchmark=name, base=pair.base, other=pair.other, k=k, p=p, p_holm=adjusted
            )
            for (name, pair, k, p), adjusted in zip(tests, known(holm(p_values)), strict=True)
        ],
    )

"""Which of two arms solved which problems at least once, and what that proves."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Bools, Counts, Floats, Ints
from vlm_boundary.records.record import CellCounts, CellProblems, SolvedSets, Support

CELLS = ("both", "base_only", "other_only", "neither")


def cells(base_correct: Ints, other_correct: Ints) -> dict[str, Bools]:
    """Which problems each of two arms solved at least once, in the four combinations."""
    base, other = base_correct > 0, other_correct > 0
    masks = (base & other, base & ~other, ~base & other, ~base & ~other)
    return dict(zip(CELLS, masks, strict=True))


def solved_sets(base_correct: Ints, other_correct: Ints) -> CellCounts:
    """How many problems are in each of the `cells`."""
    found = cells(base_correct, other_correct)
    return CellCounts(**{name: int(mask.sum()) for name, mask in found.items()})


def support_metrics(solved: CellCounts) -> Support:
    """How the set of solved problems changed (Wu et al. 2025, arXiv 2507.14843).

    With P problems solved by both, S by the base only and E by the other only: SRR = P/(P+S), NDR =
    E/(P+E), SDS their harmonic mean, NSCR = (E-S)/(P+E+S). None where a denominator is zero.
    """
    p, s, e, _ = solved.counts
    srr, ndr = _ratio(p, p + s), _ratio(e, p + e)
    sds = None
    if srr is not None and ndr is not None:
        sds = _ratio(2 * srr * ndr, srr + ndr)
    return Support(srr=srr, ndr=ndr, sds=sds, nscr=_ratio(e - s, p + e + s))


def mcnemar(base_only: int, other_only: int) -> float | None:
    """McNemar's exact test: two-sided p-value that both arms solve as many problems.

    Binomial, 2·Σ C(n, i)/2^n over i up to the fewer, in whole numbers; None where there is none.
    """
    total = base_only + other_only
    if not total:
        return None
    ways = added = 1  # to choose the fewer of the problems, and as many or less
    for chosen in range(min(base_only, other_only)):
        ways = ways * (total - chosen) // (chosen + 1)
        added += ways
    return min(1.0, 2 * added / (1 << total))


def unsolved_bound(samples: Ints, confidence: float) -> Floats:
    """What no success in n samples proves: the success probability is below 1 - α^(1/n).

    One-sided (Clopper and Pearson 1934). It never proves that a problem cannot be solved.
    """
    with np.errstate(divide="ignore"):
        bound = 1 - (1 - confidence) ** (1 / np.asarray(samples, dtype=np.float64))
    return np.where(samples > 0, bound, np.nan)


def solved(base: Counts, other: Counts, confidence: float) -> SolvedSets:
    """The solved sets of a pair, by count and by id, and what follows from them."""
    counted = solved_sets(base.correct, other.correct)
    ids = np.array(base.problem_ids, dtype=object)
    found = cells(base.correct, other.correct)
    drawn = np.concatenate([base.depths, other.depths])  # an unsolved problem ends at n
    bound = unsolved_bound(drawn, confidence).max() if len(drawn) else np.nan
    return SolvedSets(
        solved=counted,
        solved_problems=CellProblems(**{name: ids[mask].tolist() for name, mask in found.items()}),
        support=support_metrics(counted),
        mcnemar_p=mcnemar(counted.base_only, counted.other_only),
        unsolved_below=None if np.isnan(bound) else float(bound),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None

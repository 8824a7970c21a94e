"""Shares of things that problems have in different numbers: ratios of sums over problems."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Codes, Floats, Ints
from vlm_boundary.analysis.intervals import Clustered, intervals_of, t_intervals
from vlm_boundary.records.record import Entry


def share_of(
    part: Floats | Ints,
    whole: Floats | Ints,
    confidence: float,
    groups: Codes | None,
    most: float = 1.0,
) -> Entry:
    """Σ part / Σ whole with the interval of a ratio of sums over problems (linearised).

    Args:
        part, whole: shape (problems,); problems that have neither are left out, and all where no
            problem has any whole.
        most: what the ratio can be; infinity where the part is none of the whole.
    """
    rows = np.flatnonzero(((part > 0) | (whole > 0)) & whole.any())
    of_rows = None if groups is None else groups[rows]
    sums = Clustered(
        Clustered.of(part[rows].astype(np.float64)[:, None], of_rows).total,
        Clustered.of(whole[rows].astype(np.float64)[:, None], of_rows).total,
    )
    share = intervals_of(sums, confidence, (0, most)).entries()[0]
    return share.model_copy(update={"problems": len(rows)})


def difference_of_shares(
    base: tuple[Floats | Ints, Floats | Ints],
    other: tuple[Floats | Ints, Floats | Ints],
    confidence: float,
    groups: Codes | None,
    most: float = 1.0,
) -> Entry:
    """The difference of two such shares, other − base, of the same problems.

    Each problem moves a share R = Σx / Σw by (x - R w) / Σw to first order; the interval is that
    of the mean of these, other less base. Each side is its part and whole, shape (problems,).
    """
    rows = np.flatnonzero(np.any([*base, *other], axis=0) & base[1].any() & other[1].any())
    moved, shares = np.zeros(len(rows)), list[float]()
    for sign, (part, whole) in ((-1, base), (1, other)):
        total = whole[rows].sum()
        shares.append(part[rows].sum() / (total or 1))
        moved += sign * len(rows) * (part[rows] - shares[-1] * whole[rows]) / (total or 1)
    values = (moved + shares[1] - shares[0])[:, None]
    of_rows = None if groups is None else groups[rows]
    return t_intervals(values, confidence, (-most, most), of_rows).entries()[0]

"""How many problems, or samples of each, it takes to tell a gap from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from vlm_boundary.analysis.counts import Counts, Floats, Ints
from vlm_boundary.analysis.estimators import all_of
from vlm_boundary.analysis.quantiles import normal
from vlm_boundary.analysis.small_sets import SMALL
from vlm_boundary.analysis.stopping import stopped_variance
from vlm_boundary.records.record import Needed

POWER = 0.8


def sampling_variance(correct: Ints, samples: Ints, ks: Ints) -> Floats:
    """Variance of the pass@k estimate of one problem over its samples, the problem being fixed.

    Unbiased: V_k² - V_2k with V_j = C(n-c, j)/C(n, j), since V_2k estimates (1-p)^2k, the square of
    what V_k estimates, without bias. It takes 2k samples to know.

    Returns:
        Shape (problems, ks); NaN where n < 2k.
    """
    wrong = samples - correct
    return all_of(wrong, samples, ks) ** 2 - all_of(wrong, samples, 2 * np.asarray(ks))


def variance_of(counts: Counts, ks: Ints) -> Floats:
    """`sampling_variance` of each problem, by a stopping rule where it was sampled by one."""
    if counts.rule is None:
        return sampling_variance(counts.correct, counts.samples, ks)
    return stopped_variance(counts.correct, counts.samples, ks, counts.rule)


def smallest_gap(
    problems: int, variance: float, confidence: float, power: float = POWER
) -> float | None:
    """The smallest gap that so many problems find with this power.

    A gap g is found where g ≥ √((z s)² + (f (1 + g))²) + z' s, with z and z' the normal quantiles
    of level and power, and s = √(variance / N). f is 0 from `SMALL` problems on, which leaves
    (z + z') s. Of fewer, the interval's end allows for one more problem at -1 with a weight of up
    to f = 1 - tail^(1/N) (`small_sets`); without any spread that leaves tail^(-1/N) - 1.

    Args:
        problems: N.
        variance: of one problem's difference. At k = n that is -1, 0 or 1, and the variance at most
            the share of problems that one model alone solves.

    Returns:
        None where not even a gap of 1 is found.
    """
    level, more = _quantiles(confidence, power)
    error, weight = float(np.sqrt(variance / problems)), _of_one_more(problems, confidence)
    added, kept = more * error, 1 - weight**2
    end = np.hypot(weight * (1 + added), level * error * np.sqrt(kept))
    found = float((added + weight**2 + end) / kept)
    return found if found <= 1 else None


def problems_for(gap: float, variance: float, confidence: float, power: float = POWER) -> int:
    """How many problems find a gap; see `smallest_gap`."""
    many = ceil((sum(_quantiles(confidence, power)) / gap) ** 2 * variance)
    if many >= SMALL:
        return many
    for few in range(2, SMALL):
        found = smallest_gap(few, variance, confidence, power)
        if found is not None and found <= gap:
            return few
    return SMALL


def _largest_error(gap: float, problems: int, confidence: float, power: float) -> float:
    """The largest standard error at which so many problems find a gap; 0 where none does."""
    level, more = _quantiles(confidence, power)
    room = gap**2 - (_of_one_more(problems, confidence) * (1 + gap)) ** 2
    if room <= 0:
        return 0.0
    return float(room / (gap * more + np.sqrt((gap * more) ** 2 + (level**2 - more**2) * room)))


def _quantiles(confidence: float, power: float) -> tuple[float, float]:
    return float(normal(0.5 + confidence / 2)), float(normal(power))


def _of_one_more(problems: int, confidence: float) -> float:
    return 1 - ((1 - confidence) / 2) ** (1 / problems) if problems < SMALL else 0.0


@dataclass(frozen=True)
class Variance:
    """The variance of one problem's difference at k, and of that what is noise of its samples.

    `within` is NaN where there are fewer than 2k samples.
    """

    total: float
    within: float


def variances(differences: Floats, base: Counts, other: Counts, ks: Ints) -> list[Variance]:
    """The variance of per-problem differences at each k, split.

    Args:
        differences: shape (problems, ks), NaN where a problem has none.
    """
    noise = sum(variance_of(counts, ks) for counts in (base, other))
    found = []
    for values, within in zip(differences.T, np.asarray(noise).T, strict=True):
        known = ~np.isnan(values)
        total = values[known].var(ddof=1) if known.sum() > 1 else np.nan
        # One problem without it, and the mean over all is not known.
        found.append(Variance(float(total), float(within[known].mean()) if known.any() else np.nan))
    return found


def needed(
    gap: float, spread: Variance, problems: int, n: int, confidence: float, power: float = POWER
) -> Needed:
    """What it would take to find a gap as large as the one that was seen.

    The mean's variance is (between + within)/N, and within shrinks as 1/n: more problems always
    help, more samples only until the differences between problems are all that is left.

    Returns:
        `problems`: N that finds the gap at this n; `samples`: n that finds it with these problems,
        None where no n would or where fewer than 2k samples leave that unknown; `smallest_gap` that
        this N and n find, None where they find none; all at this `power`.
    """
    if gap == 0 or not spread.total > 0:
        return Needed(gap=gap, power=power, problems=None, samples=None, smallest_gap=None)
    error = _largest_error(abs(gap), problems, confidence, power)
    between = spread.total - spread.within
    room = error**2 * problems - between  # variance that the samples may add
    samples = None
    if not np.isnan(spread.within) and error > 0 and room > 0:
        samples = max(1, ceil(n * max(spread.within, 0.0) / room))
    return Needed(
        gap=gap,
        power=power,
        problems=problems_for(abs(gap), spread.total, confidence, power),
        samples=samples,
        smallest_gap=smallest_gap(problems, spread.total, confidence, power),
    )

"""Intervals that need random draws: bootstrap-t, and bands that hold for every k at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vlm_boundary.analysis.counts import Bounds, Floats
from vlm_boundary.analysis.intervals import NOTHING, Clustered
from vlm_boundary.analysis.quantiles import beyond_student

_BLOCK = 1 << 22  # how often resamples take clusters, held at once


def bootstrap_t(
    sums: Clustered, confidence: float, bounds: Bounds, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Bootstrap-t interval of the mean of each column, clusters resampled.

    low = mean - q(1-α/2)·se and high = mean - q(α/2)·se with q the quantiles of (mean* - mean)/se*
    (Efron and Tibshirani 1993, section 12.5).

    Args:
        sums: the values, shape (clusters, columns).
        draws: how many resamples.
        bounds: what the mean can be at all.

    Returns:
        low and high, shape (columns,); NaN below two clusters, and where an end is not within the
        bounds: too many resamples have next to no spread for their quantiles to bound anything.
    """
    clusters = len(sums.total)
    low = np.full(sums.total.shape[1], np.nan)
    high = low.copy()
    mean, error = sums.mean(), sums.error()
    usable = np.flatnonzero(error > NOTHING)  # without spread every resample is the same
    if clusters < 2 or not len(usable):
        return low, high
    used = sums.columns(usable)
    blocks = [_studentised(used, mean[usable], times) for times in _resamples(clusters, draws, rng)]
    studentised = np.concatenate(blocks)
    alpha = 1 - confidence
    # Of the resamples' values themselves: between two of them, one infinite, there is no number.
    lower, upper = np.quantile(studentised, [alpha / 2, 1 - alpha / 2], axis=0, method="nearest")
    low[usable] = mean[usable] - upper * error[usable]
    high[usable] = mean[usable] - lower * error[usable]
    outside = ~((low >= bounds[0]) & (high <= bounds[1]))
    low[outside], high[outside] = np.nan, np.nan
    return low, high


def _studentised(sums: Clustered, mean: Floats, times: Floats) -> Floats:
    """(mean* - mean)/se* of each resample and column; infinite where a resample has no spread."""
    total, size = sums.total, sums.size
    sampled = times @ total
    if (size == 1).all():  # three products fewer
        problems = square = present = np.full((len(times), 1), float(len(total)))
        cross = sampled
    else:
        problems, cross, square = times @ size, times @ (total * size), times @ size**2
        present = times @ (size > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sampled / problems
        residuals = np.maximum(times @ total**2 - 2 * means * cross + means**2 * square, 0.0)
        errors = np.sqrt(residuals * present / (present - 1)) / problems
        away = means - mean
        # A resample without spread says that the mean may be any distance off.
        studentised = np.where(errors > NOTHING, away / errors, np.sign(away) * np.inf)
    return np.where(np.abs(away) < NOTHING, 0.0, studentised)


def simultaneous_level(
    sums: Clustered, confidence: float, draws: int, rng: np.random.Generator
) -> float:
    """The level that each column's interval needs for all of them to hold at once.

    1 - 2·P(T > q), q the quantile of max |T| for T multivariate t with the columns' estimated
    correlation and clusters - 1 degrees of freedom ("sup-t", Montiel Olea and Plagborg-Møller
    2019); `confidence` without any spread.
    """
    error = sums.error()
    usable = np.flatnonzero(error > NOTHING)
    if not len(usable):
        return confidence
    residuals = sums.residuals()[:, usable]
    residuals /= np.sqrt((residuals**2).sum(axis=0))
    values, vectors = np.linalg.eigh(residuals.T @ residuals)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    freedom = int(sums.clusters[usable].min()) - 1
    normal = rng.standard_normal((draws, len(usable))) @ root.T
    scale = np.sqrt(rng.chisquare(freedom, size=draws) / freedom)
    factor = np.quantile(np.abs(normal).max(axis=1) / scale, confidence)
    return max(confidence, 1.0 - 2.0 * float(beyond_student(factor, freedom)))


def _resamples(clusters: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each resample takes each cluster: blocks of shape (some of draws, clusters)."""
    rows = max(1, _BLOCK // clusters)
    for start in range(0, draws, rows):
        size = min(rows, draws - start)
        taken = rng.integers(clusters, size=(size, clusters), dtype=np.int32).astype(np.int64)
        taken += np.arange(size)[:, None] * clusters
        counted = np.bincount(taken.ravel(), minlength=size * clusters)
        yield counted.reshape(size, clusters).astype(np.float64)

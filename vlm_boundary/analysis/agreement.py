"""How far two raters agree on valid or invalid, beyond what chance would make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.intervals import known
from vlm_boundary.records.record import Estimate

_DRAWS = 2000
_CELLS = 4  # both valid, first only, second only, neither

Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Tables:
    """Weighted 2 × 2 tables of two raters, one per problem, shape (problems, 4).

    Cells: both say valid, only the first does, only the second does, neither does.
    """

    cells: Floats

    @classmethod
    def of(
        cls, first: NDArray[np.bool_], second: NDArray[np.bool_], weights: Floats, problems: Ints
    ) -> Tables:
        """From ratings, one row each; `problems` says which problem a row is of."""
        cell = 2 * (~first).astype(np.int64) + ~second
        _, group = np.unique(problems, return_inverse=True)
        size = int(group.max(initial=-1)) + 1
        flat = np.bincount(group * _CELLS + cell, weights, minlength=size * _CELLS)
        return cls(flat.astype(np.float64).reshape(size, _CELLS))

    def estimate(self, statistic: Statistic, level: float, rng: np.random.Generator) -> Estimate:
        """A statistic of the summed table, with its percentile interval over problems."""
        value = statistic(self.cells.sum(axis=0)[None, :])[0]
        low = high = np.nan
        problems = len(self.cells)
        if problems > 1 and np.isfinite(value):
            times = rng.multinomial(problems, np.full(problems, 1 / problems), size=_DRAWS)
            drawn = statistic(times @ self.cells)
            drawn = drawn[np.isfinite(drawn)]
            low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        said = known(np.array([value, low, high]))
        return Estimate(estimate=said[0], low=said[1], high=said[2], problems=problems)


def cohen_kappa(cells: Floats) -> Floats:
    """(p_o - p_e) / (1 - p_e), p_e from each rater's own rate (Cohen 1960).

    Of tables as in `Tables`, shape (tables, 4); NaN where both raters only ever say one thing.
    """
    share = _shares(cells)
    first, second = share[:, 0] + share[:, 1], share[:, 0] + share[:, 2]
    return _beyond(share, first * second + (1 - first) * (1 - second))


def gwet_ac1(cells: Floats) -> Floats:
    """As `cohen_kappa`, with p_e = 2 π (1 - π), π the mean of both rates (Gwet 2008).

    It does not collapse where nearly everything is valid.
    """
    share = _shares(cells)
    rate = share[:, 0] + (share[:, 1] + share[:, 2]) / 2
    return _beyond(share, 2 * rate * (1 - rate))


def sensitivity(cells: Floats) -> Floats:
    """Share of what the first rater finds valid that the second does too."""
    return _ratio(cells[:, 0], cells[:, 0] + cells[:, 1])


def specificity(cells: Floats) -> Floats:
    """Share of what the first rater finds invalid that the second does too."""
    return _ratio(cells[:, 3], cells[:, 2] + cells[:, 3])


def _shares(cells: Floats) -> Floats:
    return _ratio(cells, cells.sum(axis=1, keepdims=True))


def _beyond(share: Floats, by_chance: Floats) -> Floats:
    """What of the agreement left open by chance there is."""
    return _ratio(share[:, 0] + share[:, 3] - by_chance, 1 - by_chance)


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole > 1e-12, part / whole, np.nan))

"""Quantiles and tails of distributions that intervals are read from, without `scipy.stats`.

That takes half a second to import, for functions which it takes from `scipy.special` itself: the
values are the same to the bit. What is not in there (chi2, hypergeom, beta) stays where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, gammaincinv, ndtri, stdtr, stdtrit

from vlm_boundary.analysis.counts import Floats, Ints

SMALL = 60
"""Of fewer problems a spread says too little: one in twenty that is unlike all others is missing in
one such set of twenty or more (0.95^58 = 5.1 %), and what is missing leaves no trace."""
_WIDEST = 1e5  # so wide a beta distribution is a gamma distribution


def student(share: ArrayLike, freedom: ArrayLike) -> Floats:
    """The value that this share of Student's t lies below; 0 < share <= 1."""
    return np.asarray(stdtrit(freedom, share))


def beyond_student(value: ArrayLike, freedom: ArrayLike) -> Floats:
    """The share of Student's t that lies above a value."""
    return np.asarray(stdtr(freedom, -np.asarray(value)))


def normal(share: ArrayLike) -> Floats:
    """The value that this share of the standard normal distribution lies below."""
    return np.asarray(ndtri(share))


def gamma(share: ArrayLike, shape: ArrayLike, scale: ArrayLike) -> Floats:
    """The value that this share of a gamma distribution lies below; shape and scale above zero."""
    return np.asarray(gammaincinv(shape, share) * scale)


@dataclass(frozen=True)
class WithOneMore:
    """The mean under random weights of the problems and of one more at the upper bound.

    The weights are spread evenly over all that add up to one. The quantile 1 - α of this mean is an
    upper end that lies below the true mean with a probability of no more than α, for any values up
    to the bound (Gaffke 2005; proven for some cases, and without a known exception). It is Clopper
    and Pearson's where values are 0 or 1. Elsewhere it is computed from the beta distribution with
    the same highest value, mean, variance and third moment; one that leans further to the left than
    any beta distribution does is replaced by the one that leans most, whose end lies further out.

    Attributes:
        top: the upper end, shape (columns,); the distribution is that of top - width · B.
        width: of its range.
        first, second: the parameters of B.
    """

    top: Floats
    width: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, mean: Floats, away: Floats, count: Ints, bound: float) -> WithOneMore:
        """From the problems' mean, shape (columns,), and how far each is from it.

        Args:
            away: shape (problems, columns); 0 for one without a value.
            count: how many have a value, shape (columns,).
            bound: the highest that a value can be.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            squares, cubes = (away**2).sum(axis=0), (away**3).sum(axis=0)
            total, room = count + 1, bound - mean
            centre = mean + room / total
            variance = (squares + count * room**2 / total) / (total * (total + 1))
            third = cubes - 3 * room * squares / total + count * (count - 1) * room**3 / total**2
            third = 2 * third / (total * (total + 1) * (total + 2))
            top = np.maximum(bound, mean + away.max(axis=0, initial=0.0))
            room = top - centre
            bent = third * room + 2 * variance**2
            width = (4 * room * variance**2 + third * (room**2 - variance)) / bent
            width = np.where((bent > 0) & (width < _WIDEST * room), width, _WIDEST * room)
            both = room * (width - room) / variance - 1
            return cls(top, width, both * room / width, both * (1 - room / width))

    def quantile(self, beyond: float | Floats) -> Floats:
        """The value that this share lies beyond; `top` where all problems are at the bound."""
        found = self.top - self.width * betaincinv(self.first, self.second, beyond)
        return np.where(np.isnan(self.first), self.top, found)

    def beyond(self, value: float) -> Floats:
        """The share that lies beyond a value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = betainc(self.first, self.second, np.clip((self.top - value) / self.width, 0, 1))
        return np.where(np.isnan(self.first), self.top > value, found)

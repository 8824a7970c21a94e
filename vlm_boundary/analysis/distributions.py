"""How a benchmark's problems are distributed: pure functions on arrays."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.guessing import Ints

ACCURACY_BINS = ("0", *(f"({a / 10:.1f}, {a / 10 + 0.1:.1f}]" for a in range(9)), "(0.9, 1)", "1")
"""All wrong, nine tenths, the last tenth without 1, all right."""

STRATA = ("0", "(0, 0.1]", "(0.1, 0.5]", "(0.5, 1)", "1")
_STRATUM_ENDS = np.array([0.1, 0.5])


def accuracy_histogram(correct: Ints, samples: Ints) -> Ints:
    """How many problems have an accuracy in each of twelve bins.

    {0}, (0, 0.1], (0.1, 0.2] … (0.8, 0.9], (0.9, 1), {1} (Yue et al. 2025, arXiv 2504.13837, figure
    5). Between 0 and 1 the bin of c/n is ⌈10·c/n⌉, in whole numbers.

    Args:
        correct: c, shape (problems,).
        samples: n, shape (problems,); problems without samples are left out.

    Returns:
        Shape (12,), in the order of `ACCURACY_BINS`.
    """
    known = np.asarray(samples) > 0
    c, n = np.asarray(correct)[known], np.asarray(samples)[known]
    tenth = -(-10 * c // n)  # rounded up
    return np.bincount(np.where(c == n, 11, tenth), minlength=12).astype(np.int64)


def difficulty(correct: Ints, samples: Ints) -> Ints:
    """The stratum of each problem by its accuracy: place in `STRATA`, -1 without samples.

    Args:
        correct: c, shape (problems,), of samples that are used for nothing else: a problem that
            was put into the lowest stratum for its bad luck does better the next time.
        samples: n, shape (problems,).
    """
    c, n = np.asarray(correct), np.asarray(samples)
    share = c / np.maximum(n, 1)
    stratum = 1 + np.searchsorted(_STRATUM_ENDS, share, side="left")
    stratum = np.where(c == 0, 0, np.where(c == n, len(STRATA) - 1, stratum))
    return np.where(n > 0, stratum, -1).astype(np.int64)

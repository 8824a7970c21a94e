"""Estimators under stopping, against enumeration of every sequence in exact fractions."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.stopping import (
    stopped_lenient_pass_at_k,
    stopped_part_pass_at_k,
    stopped_pass_at_k,
    stopped_variance,
)
from vlm_boundary.stopping import StoppingRule

RULES = [
    StoppingRule((3, 5, 8), 1),
    StoppingRule((3, 5, 8), 2),
    StoppingRule((2, 3, 4, 7), 2),
    StoppingRule((4, 9), 3),
    StoppingRule((4, 8), 4),
    StoppingRule((7,), 2),
]
SMALL = [StoppingRule((2, 4, 6), 1), StoppingRule((2, 4, 7), 2), StoppingRule((3, 6), 3)]

RIGHT, OTHER, WRONG = "R", "o", "."


def ended(sequence: Sequence[str], rule: StoppingRule, counted: str) -> int:
    """Where a problem with these samples ends."""
    right = [one in counted for one in sequence]
    return rule.standing(range(len(right)), right).look


def endings(rule: StoppingRule, kinds: str, counted: str) -> Counter[tuple[str, ...]]:
    """Every beginning at which a problem ends, once."""
    return Counter({seq[: ended(seq, rule, counted)]: 1 for seq in product(kinds, repeat=rule.n)})


def power(p: Fraction, exponent: int) -> Fraction:
    return p**exponent if exponent else Fraction(1)


@pytest.mark.parametrize("rule", RULES)
def test_every_ending_and_every_k_agree_with_enumeration(rule: StoppingRule) -> None:
    """And so E f_k = (1 - p)^k, as polynomials: they agree at more points than their degree."""
    whole: Counter[tuple[int, int]] = Counter()
    missing: Counter[tuple[int, int, int]] = Counter()
    for sequence in endings(rule, RIGHT + WRONG, RIGHT):
        cell = len(sequence), sequence.count(RIGHT)
        whole[cell] += 1
        for k in range(1, rule.n + 1):
            missing[*cell, k] += len(sequence) >= k and RIGHT not in sequence[:k]
    cells = sorted(whole)
    samples, correct = (np.array(column) for column in zip(*cells, strict=True))
    ks = range(1, rule.n + 1)
    found = stopped_pass_at_k(correct, samples, np.array(ks), rule)
    share = {(*cell, k): Fraction(missing[*cell, k], whole[cell]) for cell in cells for k in ks}
    expected = [[float(1 - share[*cell, k]) for k in ks] for cell in cells]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    assert (np.diff(found, axis=1) >= -1e-15).all()
    for p in (Fraction(i, rule.n + 2) for i in range(rule.n + 3)):
        for k in ks:
            mean = sum(
                whole[n, c] * share[n, c, k] * power(p, c) * power(1 - p, n - c) for n, c in cells
            )
            assert mean == power(1 - p, k)


@pytest.mark.parametrize("rule", RULES)
def test_the_variance_is_unbiased(rule: StoppingRule) -> None:
    cells = Counter((len(one), one.count(RIGHT)) for one in endings(rule, RIGHT + WRONG, RIGHT))
    samples, correct = (np.array(column) for column in zip(*sorted(cells), strict=True))
    ways = np.array([cells[cell] for cell in sorted(cells)])
    ks = np.arange(1, rule.n + 1)
    values, said = (f(correct, samples, ks, rule) for f in (stopped_pass_at_k, stopped_variance))
    assert np.isnan(said).any(axis=0).tolist() == (2 * ks > rule.n).tolist()
    for p in (0.05, 0.3, 0.8):
        chances = ways * p**correct * (1 - p) ** (samples - correct)
        mean = chances @ values
        variance = chances @ (values - mean) ** 2
        known = 2 * ks <= rule.n
        np.testing.assert_allclose((chances @ said)[known], variance[known], rtol=0, atol=1e-13)


@pytest.mark.parametrize("rule", SMALL)
def test_the_lenient_and_the_validity_forms_agree_with_enumeration(rule: StoppingRule) -> None:
    """Undecided samples beside right ones; or right ones beside valid ones."""
    whole: Counter[tuple[int, int, int]] = Counter()
    missing: Counter[tuple[int, ...]] = Counter()
    for sequence in endings(rule, RIGHT + OTHER + WRONG, RIGHT):
        cell = len(sequence), sequence.count(RIGHT), sequence.count(OTHER)
        whole[cell] += 1
        for k in range(1, rule.n + 1):
            missing[*cell, k] += len(sequence) >= k and {*sequence[:k]} == {WRONG}
    cells = sorted(whole)
    samples, correct, others = (np.array(column) for column in zip(*cells, strict=True))
    ks = np.arange(1, rule.n + 1)
    found = stopped_lenient_pass_at_k(correct, others, samples, ks, rule)
    expected = [[1 - missing[*cell, k] / whole[cell] for k in ks.tolist()] for cell in cells]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    ways = np.array([whole[cell] for cell in cells])
    for p, u in ((0.1, 0.2), (0.4, 0.05)):
        chances = ways * p**correct * u**others * (1 - p - u) ** (samples - correct - others)
        np.testing.assert_allclose(chances @ found, 1 - (1 - p - u) ** ks, rtol=0, atol=1e-13)


@pytest.mark.parametrize("rule", SMALL)
def test_a_part_of_what_is_counted_is_exact_to_the_first_look_and_in_bounds_beyond(
    rule: StoppingRule,
) -> None:
    whole: Counter[tuple[int, int, int]] = Counter()
    missing: Counter[tuple[int, ...]] = Counter()
    for sequence in endings(rule, RIGHT + OTHER + WRONG, RIGHT + OTHER):
        valid, right = sequence.count(RIGHT), len(sequence) - sequence.count(WRONG)
        cell = len(sequence), right, valid
        whole[cell] += 1
        for k in range(1, len(sequence) + 1):
            missing[*cell, k] += RIGHT not in sequence[:k]
    cells = sorted(whole)
    samples, correct, part = (np.array(column) for column in zip(*cells, strict=True))
    ks = np.arange(1, rule.n + 1)
    low, high = stopped_part_pass_at_k(part, correct, samples, ks, rule)
    for row, cell in enumerate(cells):
        for k in ks.tolist():
            if k <= cell[0]:
                expected = (1 - missing[*cell, k] / whole[cell],) * 2
            else:
                expected = (1, 1) if cell[2] else (0, 1)
            assert (low[row, k - 1], high[row, k - 1]) == pytest.approx(expected, abs=1e-13)
    ways = np.array([whole[cell] for cell in cells])
    for a, b in ((0.1, 0.2), (0.3, 0.3)):
        chances = ways * a**part * b ** (correct - part) * (1 - a - b) ** (samples - correct)
        least, most, truth = chances @ low, chances @ high, 1 - (1 - a) ** ks
        np.testing.assert_allclose(least[: rule.first], truth[: rule.first], rtol=0, atol=1e-13)
        np.testing.assert_allclose(most[: rule.first], truth[: rule.first], rtol=0, atol=1e-13)
        assert (least <= truth + 1e-13).all()
        assert (truth <= most + 1e-13).all()


def test_a_part_that_is_all_is_pass_at_k() -> None:
    rule = StoppingRule((4, 8, 16), 2)
    samples, correct = np.array([4, 8, 16, 16]), np.array([3, 2, 1, 0])
    ks = np.arange(1, 17)
    plain = stopped_pass_at_k(correct, samples, ks, rule)
    for found in stopped_part_pass_at_k(correct, correct, samples, ks, rule):
        np.testing.assert_array_equal(found, plain)
    none = np.zeros(4, dtype=np.int64)
    np.testing.assert_array_equal(
        stopped_lenient_pass_at_k(correct, none, samples, ks, rule), plain
    )


@pytest.mark.parametrize("n", [1, 2, 8, 17, 256])
def test_at_one_look_it_is_the_usual_estimator(n: int) -> None:
    correct, samples, ks = np.arange(n + 1), np.full(n + 1, n), np.arange(1, n + 1)
    found = stopped_pass_at_k(correct, samples, ks, StoppingRule((n,), 3))
    np.testing.assert_array_equal(found, pass_at_k(correct, samples, ks))


def test_many_samples_neither_overflow_nor_cancel() -> None:
    """Against whole numbers of any length."""
    rule = StoppingRule((32, 64, 128, 256, 512, 1024, 100_000), 4)
    for look, c in ((32, 4), (64, 5), (64, 35), (1024, 4), (1024, 300), (100_000, 3), (100_000, 9)):
        before = rule.before(look)
        ways = [
            math.comb(before, s) * math.comb(look - before, c - s) for s in range(min(4, c + 1))
        ]
        for k in (1, 2, 31, 33, 60, 500, 1000, 1024, 5000):
            if k > look:
                expected = Fraction(1)
            elif k > before:
                expected = 1 - Fraction(math.comb(look - k, c), sum(ways))
            else:
                none = [
                    math.comb(before - k, s) * math.comb(look - before, c - s)
                    for s in range(min(4, c + 1))
                ]
                expected = 1 - Fraction(sum(none), sum(ways))
            (value,) = stopped_pass_at_k(np.array([c]), np.array([look]), np.array([k]), rule)[0]
            assert value == pytest.approx(float(expected), abs=1e-12), (look, c, k)


def test_it_is_as_fast_as_the_analysis_needs() -> None:
    """A benchmark of 574 problems, two models, every k up to 1,024, in all forms."""
    rng = np.random.default_rng(0)
    rule = StoppingRule((32, 64, 128, 256, 512, 1024), 4)
    right = rng.random((1148, 1024)) < rng.beta(0.3, 0.8, (1148, 1))
    looks = np.array([rule.standing(range(1024), row.tolist()).look for row in right])
    correct = np.array([row[:look].sum() for row, look in zip(right, looks, strict=True)])
    part, others = rng.binomial(correct, 0.9), rng.binomial(looks - correct, 0.1)
    ks = np.arange(1, 1025)
    began = time.perf_counter()
    stopped_pass_at_k(correct, looks, ks, rule)
    stopped_part_pass_at_k(part, correct, looks, ks, rule)
    stopped_lenient_pass_at_k(correct, others, looks, ks, rule)
    stopped_variance(correct, looks, ks[:512], rule)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("correct", "samples"),
    [
        (1, 4),  # would have gone on
        (6, 8),  # at least two of them stood before the last look, so that it came to no other
        (2, 5),
        (5, 4),
    ],
)
def test_counts_that_no_problem_ends_with_are_refused(correct: int, samples: int) -> None:
    rule = StoppingRule((4, 8), 2)
    with pytest.raises(ValueError, match=f"ends with {correct} right of {samples} samples"):
        stopped_pass_at_k(np.array([correct]), np.array([samples]), np.array([1]), rule)


def test_beyond_n_there_is_no_estimate() -> None:
    rule = StoppingRule((4, 8), 2)
    found = stopped_pass_at_k(np.array([4, 0]), np.array([4, 8]), np.array([8, 9]), rule)
    np.testing.assert_array_equal(np.isnan(found), [[False, True], [False, True]])

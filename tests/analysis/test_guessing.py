"""Guessing, exchanged lists, and what a verifier's errors leave possible: pure functions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from luck_simulation import GUESSERS, RATE, Guesser, simulate
from scipy.sparse import csr_matrix

from vlm_boundary.analysis.controls import fewest_draws, guessable, survivors
from vlm_boundary.analysis.guessing import (
    Exchange,
    Moved,
    discoveries,
    fewest_lists,
    guessed_pass_at_k,
    held_out_chance,
    leave_one_out_chance,
    list_length,
    move,
    moved_pass_at_k,
    own_chance,
)
from vlm_boundary.analysis.verifier_error import ErrorRates, corrected_share, pass_at_k_range


def at_k(c: int, n: int, k: int) -> Fraction:
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


@pytest.mark.parametrize("chance", [Fraction(0), Fraction(1, 97), Fraction(1, 3), Fraction(1)])
def test_guesses_are_independent(chance: Fraction) -> None:
    ks = np.array([1, 2, 7, 128, 1024])
    found = guessed_pass_at_k(np.array([float(chance)]), ks)[0]
    expected = [float(1 - (1 - chance) ** int(k)) for k in ks]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_chance_that_is_not_known_stays_unknown() -> None:
    assert np.isnan(guessed_pass_at_k(np.array([np.nan]), np.array([1, 4]))).all()


def test_leaving_one_out_counts_the_others_with_the_same_answer() -> None:
    answers = ["4", "4", "7", "4", "9"]
    right = np.array([[a == b for b in answers] for a in answers])
    plain = leave_one_out_chance(right, 0.0, np.zeros(5))
    assert plain.tolist() == [2 / 4, 2 / 4, 0, 2 / 4, 0]
    smoothed = leave_one_out_chance(right, 1.0, np.full(5, 0.1))
    assert smoothed == pytest.approx([2.1 / 5, 2.1 / 5, 0.1 / 5, 2.1 / 5, 0.1 / 5])


def test_held_out_answers_count_as_often_as_they_are_listed() -> None:
    right = np.array([[True, False], [True, False], [False, False], [False, True]])
    assert held_out_chance(right, 0.0, np.zeros(2)).tolist() == [0.5, 0.25]


def test_with_nothing_to_draw_from_no_chance_is_known() -> None:
    assert np.isnan(leave_one_out_chance(np.ones((1, 1), bool), 0.0, np.zeros(1))).all()
    assert np.isnan(held_out_chance(np.ones((0, 2), bool), 0.0, np.zeros(2))).all()


ANSWERS: list[list[str | None]] = [
    ["4", "4", "5"],
    ["5", "5", "5"],
    ["7", "4", None],
    ["x", "y", "x"],
    ["y", "y"],
]
GOLDS, TYPES = ["4", "5", "7", "x", "y"], np.array([0, 0, 0, 1, 2])


def moved() -> Moved:
    names = sorted({a for row in ANSWERS for a in row if a is not None})
    counts = np.array([[row.count(name) for name in names] for row in ANSWERS])
    right = np.array([[name == gold for gold in GOLDS] for name in names])
    return move(csr_matrix(counts), np.array([3, 3, 3, 3, 2]), right, TYPES)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_answers_moved_to_other_problems_of_their_type(k: int) -> None:
    """By going through every other problem's answers one by one."""
    found = moved_pass_at_k(moved(), np.array([k]))[:, 0]
    for i, gold in enumerate(GOLDS):
        others = [j for j in range(5) if j != i and TYPES[j] == TYPES[i]]
        values = [at_k(ANSWERS[j].count(gold), len(ANSWERS[j]), k) for j in others]
        if values:
            assert found[i] == pytest.approx(float(sum(values) / len(values)), abs=1e-12)
        else:
            assert math.isnan(found[i])


def test_donors_with_fewer_samples_than_k_are_left_out() -> None:
    one = Moved(np.array([[0, 1], [2, 0]]), ~np.eye(2, dtype=bool), np.array([2, 4]))
    found = moved_pass_at_k(one, np.array([1, 3]))
    assert found[0] == pytest.approx([0.5, float(at_k(2, 4, 3))])
    assert found[1, 0] == pytest.approx(0.5)
    assert math.isnan(found[1, 1])


def test_the_own_chance_counts_samples_without_an_answer() -> None:
    found = own_chance(moved())
    assert found[:3] == pytest.approx([1 / 6, 1 / 6, 0])
    assert np.isnan(found[3:]).all()


def test_discoveries_step_up() -> None:
    """Benjamini and Hochberg's own example (1995, section 4.1): four of fifteen at 0.05."""
    published = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
        *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    p_values = np.array([*published, np.nan])
    assert discoveries(p_values, 0.05).tolist() == [True] * 4 + [False] * 12
    assert not discoveries(np.array([np.nan]), 0.05).any()


@pytest.mark.parametrize(
    ("correct", "samples", "expected"),
    [(0, 64, 0), (1, 64, 1), (3, 64, 1), (4, 64, 0), (64, 64, 0), (1, 63, math.nan)],
)
def test_guessable_is_hit_rarely_but_hit(correct: int, samples: int, expected: float) -> None:
    found = guessable(np.array([correct]), np.array([samples]), 64, 0.05)
    assert found == pytest.approx([expected], nan_ok=True)


def test_too_few_draws_cannot_show_a_rare_hit() -> None:
    assert fewest_draws(0.05) == 21
    assert fewest_draws(0.03) == 34


def test_what_one_model_guesses_is_out_whatever_is_known_of_the_other() -> None:
    base, other = np.array([1, 0, 0, np.nan]), np.array([np.nan, 0, 1, 0])
    survive, unknown = survivors([base, other])
    assert survive.tolist() == [False, True, False, False]
    assert unknown.tolist() == [False, False, False, True]


def test_the_correction_undoes_the_errors() -> None:
    rates = ErrorRates(0.02, 0.1)
    true = np.array([0.0, 0.3, 1.0])
    observed = true * 0.9 + (1 - true) * 0.02
    assert corrected_share(observed, rates) == pytest.approx(true)
    with pytest.raises(ValueError, match="say nothing"):
        corrected_share(observed, ErrorRates(0.5, 0.5))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_the_range_holds_for_every_way_the_errors_can_fall(k: int) -> None:
    """Against all allocations of whole errors to three problems."""
    correct, samples = np.array([0, 1, 3]), np.array([4, 4, 4])
    rates = ErrorRates(0.1, 0.1)
    right = (4 - 0.1 * 12) / 0.8
    accepted, rejected = 0.1 * (12 - right), 0.1 * right
    (low,), (high,) = pass_at_k_range(correct, samples, np.array([k]), rates)

    def mean(counts: tuple[int, ...]) -> float:
        return float(sum(at_k(c, 4, k) for c in counts) / 3)

    reachable_low, reachable_high = [], []
    for shift in product(range(-3, 5), repeat=3):
        counts = tuple(int(c) + s for c, s in zip(correct, shift, strict=True))
        if min(counts) < 0 or max(counts) > 4:
            continue
        if max(shift) <= 0 and -sum(shift) <= accepted:
            reachable_low.append(mean(counts))
        if min(shift) >= 0 and sum(shift) <= rejected:
            reachable_high.append(mean(counts))
    assert low <= min(reachable_low) + 1e-12
    assert high >= max(reachable_high) - 1e-12


def test_whole_errors_are_bounded_tightly() -> None:
    """40 samples, 8 right, 4 wrongly accepted: the two problems with the fewest go first."""
    correct, samples = np.array([0, 2, 2, 8]), np.array([10, 10, 10, 10])
    share = (12 - 40 * 0.125) / (1 - 0.125)  # 8 right of 40, so α·32 = 4
    assert share == pytest.approx(8)
    (low,), (high,) = pass_at_k_range(correct, samples, np.array([10]), ErrorRates(0.125, 0.0))
    assert low == pytest.approx(1 / 4)
    assert high == pytest.approx(3 / 4)


def test_a_perfect_verifier_leaves_no_range() -> None:
    correct, samples = np.array([0, 1, 3, 4]), np.array([4, 4, 4, 8])
    low, high = pass_at_k_range(correct, samples, np.array([2, 5, 9]), ErrorRates(0.0, 0.0))
    assert low[:2] == pytest.approx(high[:2])
    assert np.isnan([low[2], high[2]]).all(), "no problem has 9 samples"


REPETITIONS = 120


@pytest.mark.parametrize("guesser", GUESSERS[:4], ids=lambda one: one.name)
@pytest.mark.parametrize("solved", [0.0, 0.3])
def test_the_false_share_is_at_most_the_nominal_one(guesser: Guesser, solved: float) -> None:
    found, _, _ = simulate(guesser, 100, solved, REPETITIONS)
    spread = np.sqrt(RATE * (1 - RATE) / REPETITIONS)  # what a share of repetitions can err by
    error = found.error if solved else spread
    assert found.false_share <= RATE + 3 * error
    if solved and guesser.answers == 20 and guesser.dirichlet != 0.2:
        assert found.power > 0.9


@pytest.mark.parametrize(
    ("place", "false", "near"), [(0, 0.05, 0.1), (1, 13.6, 2.0), (2, 30.0, 3.0)]
)
def test_samples_are_no_independent_guesses(place: int, false: float, near: float) -> None:
    """The audit's false discoveries per 100 problems of Fisher's test; lists make hardly any."""
    by_lists, by_fisher, wrong = simulate(GUESSERS[place], 100, 0.0, 60)
    assert by_fisher.false == pytest.approx(false, abs=near)
    assert by_lists.false < 1
    assert (wrong > 0).mean() <= RATE + 3 * np.sqrt(RATE * (1 - RATE) / 60)


def test_more_samples_find_no_more_by_luck() -> None:
    """More than a tenth of 460 are falsely found by Fisher's test, and next to none by lists."""
    by_lists, by_fisher, _ = simulate(GUESSERS[1], 460, 0.0, 5)
    assert 460 / 100 * by_fisher.false > 45
    assert 460 / 100 * by_lists.false < 2


def lists_of(own: list[int], hits: int, golds: list[int]) -> Exchange:
    """Ten answers a problem, of which so many are right for each other problem."""
    given = np.array(own)
    table = np.full((len(own), len(own)), hits)
    np.fill_diagonal(table, given)
    gold = np.array(golds)
    kin = np.ones_like(table, dtype=bool)
    return Exchange(10, given, table, kin, gold[:, None] == gold[None, :])


def test_below_19_other_lists_nothing_is_tested() -> None:
    assert (fewest_lists(0.05), fewest_lists(0.1), fewest_lists(0.04)) == (19, 9, 24)
    values, above = lists_of([10] * 19, 0, list(range(19))).above(0.05)
    assert np.isnan(values).all()
    assert not above.any()
    assert lists_of([10] * 20, 0, list(range(20))).above(0.05)[1].all()


def test_a_p_value_counts_how_many_do_as_well_by_luck() -> None:
    """By hand: of 25 problems one is solved; of 25 lists for it only its own is right."""
    values, above = lists_of([10] + [0] * 24, 0, list(range(25))).above(0.05)
    assert values[0] == pytest.approx(1 / 25 / 25)
    assert values[1:].min() > 0.9
    assert above.tolist() == [True] + [False] * 24
    # Where others do as well, it is luck.
    assert not lists_of([10] + [0] * 24, 10, list(range(25))).above(0.05)[1].any()


def test_a_list_stands_for_no_problem_with_its_gold_answer() -> None:
    lists = lists_of([3, 3, 0, 0], 0, [1, 1, 2, 3]).lists
    assert lists.tolist() == [2, 2, 3, 3]


def test_what_luck_solves_is_counted_by_exchange() -> None:
    one = lists_of([10, 10, 10, 10], 0, [1, 2, 3, 4])
    drawn = one.solved_by_luck(np.zeros(4, dtype=np.int64), 50, np.random.default_rng(0))
    assert (drawn == 0).all()
    lucky = lists_of([0, 0, 0, 0], 1, [1, 2, 3, 3])
    drawn = lucky.solved_by_luck(np.zeros(4, dtype=np.int64), 50, np.random.default_rng(0))
    assert (drawn == 4).all()


def test_a_list_is_as_long_as_all_problems_reach() -> None:
    assert list_length(np.array([128, 128, 100])) == 100
    assert list_length(np.array([128, 3, 0])) == 128
    assert list_length(np.array([], dtype=np.int64)) == 0


def test_an_arm_that_solves_everything_is_found_to() -> None:
    """No list is left that luck could be seen by; what was found at first then stands."""
    rng = np.random.default_rng(0)
    golds = np.arange(100) % 7
    hits = np.where(golds[:, None] == golds[None, :], rng.integers(8, 129, 100)[None, :], 0)
    every = np.ones((100, 100), dtype=bool)
    exchange = Exchange(128, np.diag(hits), hits, every, golds[:, None] == golds[None, :])
    _, found = exchange.above(0.05)
    assert found.all()

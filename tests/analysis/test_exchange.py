"""Solved above luck, by exchange of lists: what is called so rarely is not, by any guesser."""

from __future__ import annotations

import numpy as np
import pytest
from luck_simulation import GUESSERS, RATE, Guesser, simulate

from vlm_boundary.analysis.guessing import Exchange, fewest_lists, list_length

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

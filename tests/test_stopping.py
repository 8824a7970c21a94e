"""When a problem ends under a rule, and which rules go on from each other."""

from __future__ import annotations

import pytest

from vlm_boundary.stopping import Standing, StoppingRule

RULE = StoppingRule((4, 8, 16), right=2)


def graded(*right: int, n: int) -> tuple[list[int], list[bool]]:
    return list(range(n)), [index in right for index in range(n)]


@pytest.mark.parametrize(
    ("samples", "standing"),
    [
        (([], []), Standing(4, complete=False, right=0)),
        (graded(0, 1, n=3), Standing(4, complete=False, right=2)),
        (graded(0, 1, n=4), Standing(4, complete=True, right=2)),
        (graded(0, n=4), Standing(8, complete=False, right=1)),
        (graded(0, 7, n=8), Standing(8, complete=True, right=2)),
        # What was drawn beyond the look at which a problem ends does not count.
        (graded(0, 1, 9, 10, n=16), Standing(4, complete=True, right=2)),
        (graded(0, n=15), Standing(16, complete=False, right=1)),
        (graded(0, n=16), Standing(16, complete=True, right=1)),
        (graded(n=20), Standing(16, complete=True, right=0)),
    ],
)
def test_a_problem_ends_at_the_first_look_with_enough_right(
    samples: tuple[list[int], list[bool]], standing: Standing
) -> None:
    assert RULE.standing(*samples) == standing


def test_a_look_with_a_sample_missing_is_not_complete() -> None:
    """Whatever stands behind the gap, which another engine may have been faster with."""
    indices = [0, 1, 3, 4, 5, 6, 7]
    assert RULE.standing(indices, [True] * 7) == Standing(4, complete=False, right=3)


@pytest.mark.parametrize(
    ("now", "goes_on"),
    [
        (RULE, True),
        (StoppingRule((4, 8, 32), 2), True),  # a larger n
        (StoppingRule((4, 8, 12), 2), True),  # fewer of the samples that there are
        (StoppingRule((4, 8, 16, 32), 2), True),  # the old n as a further look
        (StoppingRule((4, 8, 16, 64, 128), 2), True),
        (StoppingRule((4, 8, 12, 32), 2), False),  # a look before the old n
        (StoppingRule((4, 16), 2), False),
        (StoppingRule((4, 16, 32), 2), False),
        (StoppingRule((8, 16, 32), 2), False),
        (StoppingRule((4, 8, 32), 3), False),
        (StoppingRule((16,), 1), False),
    ],
)
def test_a_rule_goes_on_from_one_with_the_same_looks(now: StoppingRule, goes_on: bool) -> None:
    assert now.goes_on_from(RULE) is goes_on


def test_a_fixed_n_may_become_a_look() -> None:
    fixed = StoppingRule((16,), 1)
    assert StoppingRule((32,), 1).goes_on_from(fixed)
    assert StoppingRule((16, 32), 4).goes_on_from(fixed)
    assert not StoppingRule((8, 32), 4).goes_on_from(fixed)


def test_a_rule_ends_at_one_of_its_looks() -> None:
    assert RULE.up_to(8) == StoppingRule((4, 8), 2)
    assert (RULE.before(4), RULE.before(16)) == (0, 8)

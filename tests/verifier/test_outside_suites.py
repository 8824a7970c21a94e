"""Cases of other projects' suites: read without running their code; differences are judged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from outside_suites import cases, graded, judged

CHECKOUTS = os.environ.get("VLM_BOUNDARY_SUITES", "")
TABLES = r"""
import pytest
raise SystemExit("this code is never run")

@pytest.mark.parametrize("gold, pred, expected", [
    (r"$\frac{1}{2}$", "$0.5$", 1),
    ("$3$", "$4$", 0),
    (unknown(), "$4$", 0),
])
def test_strings(gold, pred, expected):
    assert compare_strings(gold, pred, match_types=["latex"]) == expected

@pytest.mark.parametrize("gold,pred,precision,expected", [("$0.12$", "$0.1234$", 2, True)])
def test_rounding(gold, pred, precision, expected):
    assert compare_strings(gold, pred, precision=precision) == expected

def test_not():
    assert not verify(parse("$7$"), parse("$8$"))
    assert verify(parse("$7$"), parse("$8$"), strict=False)
"""
REWARDS = r"""
class TestRewards:
    def test_two(self):
        completions = [[{"content": r"\boxed{4}"}], [{"content": r"\boxed{5}"}]]
        rewards = accuracy_reward(completions, ["4", "4"])
        assert rewards[0] == 1.0
        self.assertEqual(rewards[1], 0.0)
"""
PAIRS = r"""
@pytest.mark.parametrize("pair", [(5 , 5.0), ("1/2", 0.5)], ids=str)
def test_pairs(pair):
    output = math_equal(pair[0], pair[1])
    assert output is True
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (
        ("Math-Verify/tests/test_all.py", TABLES),
        ("trl/tests/test_rewards.py", REWARDS),
        ("nemo-skills/tests/test_math_equal.py", PAIRS),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path


def test_cases_are_read_from_tables_and_assertions(folder: Path) -> None:
    found = [(c.suite, c.gold, c.output, c.theirs, c.decimals) for c in cases(folder)]
    assert found == [
        ("math-verify", r"$\frac{1}{2}$", "$0.5$", True, None),
        ("math-verify", "$3$", "$4$", False, None),
        ("math-verify", "$0.12$", "$0.1234$", True, 2),
        ("math-verify", "$7$", "$8$", False, None),
        ("nemo-skills", "5", "\\boxed{5.0}", True, None),
        ("nemo-skills", "1/2", "\\boxed{0.5}", True, None),
        ("trl", "4", "\\boxed{4}", True, None),
        ("trl", "4", "\\boxed{5}", False, None),
    ]
    assert [v.correct for v in graded(cases(folder))] == [c.theirs for c in cases(folder)]


def test_every_judgement_says_who_is_right_and_why() -> None:
    for row in judged().values():
        assert row["right"] in ("ours", "theirs", "either")
        assert row["why"]
        assert row["theirs"] is not row["ours"]


@pytest.mark.skipif(not CHECKOUTS, reason="VLM_BOUNDARY_SUITES names no folder of checkouts")
def test_every_difference_from_a_checkout_is_judged() -> None:
    found = cases(Path(CHECKOUTS))
    known = judged()
    for case, verdict in zip(found, graded(found), strict=True):
        assert verdict.rule != "failed"
        if verdict.correct is not case.theirs:
            assert case.key in known, case
            # A verdict may get better than the one that was judged, never wrong where it was not.
            assert verdict.correct is not True or known[case.key]["ours"] is True, case

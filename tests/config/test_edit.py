"""An arm is added to a file that somebody wrote by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_boundary.config import load_experiment
from vlm_boundary.config.files import add_arm
from vlm_boundary.errors import UserError

WRITTEN = """\
# Ours against theirs.
name: mine
benchmarks:
  procedural:
arms:
  base: {model: "tiny:base", role: base}  # as published
  rl:
    model: 'tiny:rl'
    role: rl
    sampling:
      top_p: 0.9  # its own
  late: {model: "tiny:rl-step80", role: rl}
"""


def test_the_new_arm_stands_after_the_one_it_is_like_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    add_arm(path, "rl-matched", like="rl", sampling={"temperature": 1.25})
    arms = load_experiment(path).arms
    assert list(arms) == ["base", "rl", "rl-matched", "late"]
    assert arms["rl-matched"].model == "tiny:rl"
    assert arms["rl-matched"].sampling == {"top_p": 0.9, "temperature": 1.25}
    assert arms["rl"].sampling == {"top_p": 0.9}
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in WRITTEN.splitlines() if line not in lines] == []


def test_an_arm_is_like_one_that_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    with pytest.raises(UserError, match="no arm 'sft'"):
        add_arm(path, "new", like="sft", sampling={})
    assert path.read_text(encoding="utf-8") == WRITTEN

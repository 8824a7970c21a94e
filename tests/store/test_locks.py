"""Who may write into a run directory at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.store import RunDirectory, Shard


def test_a_second_sampler_is_refused_with_the_advice_to_share(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with (
        run.locks.writing(Shard()),
        pytest.raises(UserError, match=r"another process is sampling into this run.*--shard i/N"),
        RunDirectory(tmp_path).locks.writing(Shard()),
    ):
        pass
    with run.locks.writing(Shard()):
        pass  # free again


def test_shards_of_one_division_write_side_by_side(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with run.locks.writing(Shard(0, 2)), run.locks.writing(Shard(1, 2)):
        with run.locks.alone(Shard(0, 2)) as alone:
            assert not alone
        with (
            pytest.raises(UserError, match="shard 1/2 of this run"),
            RunDirectory(tmp_path).locks.writing(Shard(1, 2)),
        ):
            pass
    with run.locks.writing(Shard(0, 2)), run.locks.alone(Shard(0, 2)) as alone:
        assert alone


@pytest.mark.parametrize("other", [Shard(), Shard(2, 3)])
def test_another_division_meanwhile_is_refused(tmp_path: Path, other: Shard) -> None:
    run = RunDirectory(tmp_path)
    with (
        run.locks.writing(Shard(0, 2)),
        pytest.raises(UserError, match="is sampling shard 0/2"),
        run.locks.writing(other),
    ):
        pass

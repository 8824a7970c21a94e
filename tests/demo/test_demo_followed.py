"""One table that grows while it is read and searched at once."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from vlm_boundary.demo.followed import FollowedTable
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

HERE = Partition("rl", "made")


@pytest.fixture
def table(tmp_path: Path) -> FollowedTable:
    """Two parts with a sample of each of two problems, and a look at them."""
    run = RunDirectory(tmp_path)
    for index in range(2):
        writer = SampleWriter(run.samples, HERE)
        for problem_id in ("p0", "p1"):
            writer.add(Sample(problem_id, index, None, [1], "so 4", "stop", None))
        writer.flush()
    made = FollowedTable(run.samples, HERE, {"p0": 0, "p1": 1})
    assert made.look()
    return made


def _rows(table: FollowedTable) -> int:
    return sum(rows.num_rows for _, rows in table.read_new(["sample_index"]))


def test_what_a_search_reads_meanwhile_does_not_count_as_taken_in(table: FollowedTable) -> None:
    both = set(table.came)
    assert len(both) == 2
    assert _rows(table) == 4
    searched = table.read_known(["text"])
    found = next(searched).num_rows
    table.forget()  # the run was compacted or graded anew
    found += sum(rows.num_rows for rows in searched)
    assert found == 4
    assert table.came == both
    assert _rows(table) == 4
    assert table.rows_of("p1", ["text"]).num_rows == 2


def test_a_part_without_rows_is_read_once(table: FollowedTable) -> None:
    (one, other) = sorted(table.came)
    pq.write_table(pq.read_table(one, partitioning=None).slice(0, 0), one)
    assert _rows(table) == 2
    assert not table.look()
    assert table.came == set()
    one.unlink()
    assert table.look()
    assert table.went == {one}
    assert other not in table.went


def test_a_problem_is_found_in_whichever_row_group_it_stands(table: FollowedTable) -> None:
    for number, path in enumerate(sorted(table.came)):
        rows = pq.read_table(path, partitioning=None)
        pq.write_table(rows.slice(number), path, row_group_size=1)
    assert _rows(table) == 3
    assert [table.rows_of(name, []).num_rows for name in ("p0", "p1")] == [1, 2]

"""Parquet parts: whole or absent, one row a key, the same bytes for the same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Grading, Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import (
    Partition,
    PartTable,
    RunDirectory,
    SampleWriter,
    compact,
    sample_indices,
)
from vlm_boundary.store.schemas import SAMPLES

HERE = Partition("base", "b")


def table(tmp_path: Path) -> PartTable:
    return PartTable(tmp_path / "samples", SAMPLES)


def sample(problem_id: str, index: int, text: str = "x") -> Sample:
    return Sample(problem_id, index, 7 + index, [1, 2], text, "stop", -1.5)


def append(samples: PartTable, rows: list[tuple[Sample, int]]) -> None:
    """Samples with the second of the day at which they were written."""
    stamped = [vars(s) | {"written_at": datetime(2026, 1, 1, 0, 0, t, tzinfo=UTC)} for s, t in rows]
    samples.append(HERE, pa.Table.from_pylist(stamped, schema=SAMPLES))


def indices(samples: PartTable) -> dict[str, set[int]]:
    return {key: set(found.tolist()) for key, found in sample_indices(samples, HERE).items()}


def texts(samples: PartTable) -> dict[tuple[str, int], str]:
    rows = samples.read(HERE, ["text"]).to_pylist()
    found = {(r["problem_id"], r["sample_index"]): r["text"] for r in rows}
    assert list(found) == sorted((r["problem_id"], r["sample_index"]) for r in rows)
    return found


def test_the_earliest_written_of_equal_keys_counts(tmp_path: Path) -> None:
    samples = table(tmp_path)
    append(samples, [(sample("p", 0, "late"), 9), (sample("p", 1, "only"), 9)])
    append(samples, [(sample("p", 0, "early"), 3), (sample("q", 0, "other"), 3)])
    append(samples, [(sample("p", 0, "middle"), 5)])
    expected = {("p", 0): "early", ("p", 1): "only", ("q", 0): "other"}
    assert texts(samples) == expected
    compact(samples, HERE)
    assert len(samples.parts(HERE)) == 1
    assert texts(samples) == expected


def test_a_compacted_partition_is_sorted_with_a_row_group_a_problem(tmp_path: Path) -> None:
    samples = table(tmp_path)
    append(samples, [(sample("q", 1), 1), (sample("p", 2), 1)])
    append(samples, [(sample("q", 0), 2), (sample("p", 0), 2), (sample("r", 0), 2)])
    compact(samples, HERE)
    (part,) = samples.parts(HERE)
    file = pq.ParquetFile(part)
    groups = [file.read_row_group(i).to_pylist() for i in range(file.num_row_groups)]
    keys = [[(r["problem_id"], r["sample_index"]) for r in group] for group in groups]
    assert keys == [[("p", 0), ("p", 2)], [("q", 0), ("q", 1)], [("r", 0)]]


def test_the_same_rows_in_another_order_of_parts_give_the_same_file(tmp_path: Path) -> None:
    first, second = table(tmp_path / "1"), table(tmp_path / "2")
    one, two = [(sample("p", 0), 1)], [(sample("p", 1), 2)]
    for samples, order in ((first, (one, two)), (second, (two, one))):
        for rows in order:
            append(samples, rows)
        compact(samples, HERE)
    assert first.parts(HERE)[0].name == second.parts(HERE)[0].name
    assert first.parts(HERE)[0].read_bytes() == second.parts(HERE)[0].read_bytes()


def test_unfinished_files_are_never_read(tmp_path: Path) -> None:
    samples = table(tmp_path)
    append(samples, [(sample("p", 0), 1)])
    (tmp_path / "samples" / HERE.folder / ".half.tmp").write_bytes(b"PAR1")
    assert indices(samples) == {"p": {0}}


def test_partitions_open_as_hive_data_sets(tmp_path: Path) -> None:
    import pyarrow.dataset as ds

    samples = table(tmp_path)
    append(samples, [(sample("p", 0), 1)])
    rows = ds.dataset(tmp_path / "samples", partitioning="hive").to_table().to_pylist()
    assert (rows[0]["arm"], rows[0]["benchmark"], rows[0]["condition"]) == ("base", "b", "full")
    assert samples.partitions() == [HERE]


def test_the_writer_flushes_when_due_and_at_the_end(tmp_path: Path) -> None:
    samples = table(tmp_path)
    writer = SampleWriter(samples, HERE, flush_seconds=0.0)
    writer.add(sample("p", 0))
    assert indices(samples) == {"p": {0}}
    patient = SampleWriter(samples, HERE, flush_seconds=3600.0)
    patient.add(sample("p", 1))
    assert indices(samples) == {"p": {0}}
    patient.flush()
    assert indices(samples) == {"p": {0, 1}}


def test_a_missing_partition_is_empty(tmp_path: Path) -> None:
    samples = table(tmp_path)
    assert indices(samples) == {}
    assert texts(samples) == {}


def test_problems_survive_the_run_directory(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    problems = (
        Problem(
            "b",
            "1",
            "¿?",
            "3.5",
            ("a.png", "b.png"),
            "float",
            "cm",
            1,
            ("x",),
            Grading("relative", tolerance=0.05, alternatives=("7/2",), chance=0.25),
            {"level": 3},
        ),
        Problem("b", "2", "?", "", error="no gold answer"),
    )
    run.write_problems("b", problems)
    assert tuple(run.read_problems("b")) == problems


def test_an_edited_manifest_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UserError, match=r"not a manifest \(Invalid JSON"):
        RunDirectory(tmp_path).read_manifest()


def test_a_part_from_before_a_column_existed_holds_nulls_there(tmp_path: Path) -> None:
    samples = table(tmp_path)
    append(samples, [(sample("p", 0), 1)])
    (part,) = samples.parts(HERE)
    pq.write_table(pq.read_table(part, partitioning=None).drop(["token_logprobs"]), part)
    append(samples, [(replace(sample("p", 1), token_logprobs=[-0.5, -1.0]), 2)])
    compact(samples, HERE)
    rows = samples.read(HERE).to_pylist()
    assert [row["token_logprobs"] for row in rows] == [None, [-0.5, -1.0]]


def test_samples_of_some_problems_are_read_without_the_others(tmp_path: Path) -> None:
    samples = table(tmp_path)
    append(samples, [(sample("p", 0, "late"), 9), (sample("q", 0), 9), (sample("r", 0), 9)])
    append(samples, [(sample("p", 0, "early"), 3)])
    wanted = pc.field("problem_id").isin(["p", "r"])
    rows = samples.read(HERE, ["text"], wanted).to_pylist()
    assert sorted((r["problem_id"], r["text"]) for r in rows) == [("p", "early"), ("r", "x")]

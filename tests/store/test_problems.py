"""Rows by problem: from any parts, each key once, in order, only the columns that are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vlm_boundary.store import Partition, PartTable, ProblemReader, Reconciled, places_of
from vlm_boundary.store.parts import whole_problems
from vlm_boundary.store.schemas import SAMPLES

HERE = Partition("base", "b")
PLAIN = pa.schema([("problem_id", pa.string()), ("sample_index", pa.int32()), ("v", pa.string())])


def samples(tmp_path: Path, parts: list[list[tuple[str, int, str, int]]]) -> PartTable:
    """Problem, sample index, text and second of writing of each row of each part."""
    table = PartTable(tmp_path / "samples", SAMPLES)
    for number, part in enumerate(parts):
        rows = [
            {
                "problem_id": problem_id,
                "sample_index": index,
                "token_ids": [1],
                "text": text,
                "finish_reason": "stop",
                "written_at": datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC),
            }
            for problem_id, index, text, second in part
        ]
        path = table.append(HERE, pa.Table.from_pylist(rows, schema=SAMPLES))
        path.rename(path.with_name(f"part-{number}.parquet"))
    return table


def plain(rows: list[tuple[str, int, str]]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(PLAIN.names, row, strict=True)) for row in rows], schema=PLAIN
    )


def test_problems_come_in_order_each_key_once(tmp_path: Path) -> None:
    table = samples(
        tmp_path,
        [
            [("q", 1, "q1", 1), ("p", 2, "late", 9), ("p", 0, "first part", 5)],
            [("p", 2, "early", 3), ("r", 0, "r0", 1), ("p", 0, "second part", 5)],
            [("q", 0, "q0", 1)],
        ],
    )
    reader = ProblemReader.of(table, HERE)
    assert reader.counts == {"p": 4, "q": 2, "r": 1}
    rows = reader.read(["p", "q", "unknown"], ["sample_index", "text"])
    assert rows.column_names == ["sample_index", "text"]
    found = [(row["sample_index"], row["text"]) for row in rows.to_pylist()]
    assert found == [(0, "first part"), (2, "early"), (0, "q0"), (1, "q1")]
    assert reader.read(["unknown"]).schema == SAMPLES


@pytest.mark.parametrize(
    ("rows", "wanted", "chunks"),
    [
        (1, None, [("p",), ("q",), ("r",)]),
        (3, None, [("p", "q"), ("r",)]),
        (99, None, [("p", "q", "r")]),
        (99, ["a", "q", "r", "z"], [("q", "r")]),
        (99, [], []),
    ],
)
def test_chunks_hold_whole_problems(
    tmp_path: Path, rows: int, wanted: list[str] | None, chunks: list[tuple[str, ...]]
) -> None:
    listed = [("p", 0), ("p", 1), ("q", 0), ("r", 0), ("r", 1), ("r", 2)]
    table = samples(tmp_path, [[(key, index, "x", 1) for key, index in listed]])
    assert list(ProblemReader.of(table, HERE).chunks(rows, wanted)) == chunks


def test_only_the_columns_that_are_asked_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ProblemReader.of(samples(tmp_path, [[("p", 0, "x", 1)]]), HERE)
    asked: list[list[str]] = []
    read = pq.ParquetFile.read_row_group

    def watched(self: pq.ParquetFile, group: int, columns: list[str]) -> pa.Table:
        asked.append(columns)
        return read(self, group, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", watched)
    assert reader.read(["p"], ["text"]).to_pylist() == [{"text": "x"}]
    assert sorted(asked[0]) == ["problem_id", "sample_index", "text", "written_at"]


def test_row_groups_do_not_depend_on_how_rows_come(tmp_path: Path) -> None:
    sizes = {"a": 300, "b": 300, "c": 100, "d": 600, "e": 5, "f": 511, "g": 2}
    rows = plain([(key, i, str(i)) for key, size in sizes.items() for i in range(size)])
    ends = np.cumsum(list(sizes.values())).tolist()
    expected = [group.num_rows for group in whole_problems([rows])]
    assert expected == [600, 700, 516, 2]
    names = set()
    for number, cuts in enumerate([[], ends[:-1], ends[1:4:2], ends[:1]]):
        bounds = zip([0, *cuts], [*cuts, len(rows)], strict=True)
        pieces = [rows.slice(begin, end - begin) for begin, end in bounds]
        table = PartTable(tmp_path / str(number), PLAIN)
        names.add(table.rewrite(HERE, whole_problems(pieces)).name)
    names.add(PartTable(tmp_path / "whole", PLAIN).replace(HERE, rows).name)
    assert len(names) == 1


EXPECTED = [("p", 0, "a"), ("p", 1, "b"), ("q", 0, "c")]


@pytest.mark.parametrize(
    ("stored", "changed", "missing"),
    [
        (EXPECTED, (), []),
        ([], ("p", "q"), [0, 1, 2]),
        ([("p", 0, "a"), ("q", 0, "c")], ("p",), [1]),
        ([("p", 0, "a"), ("p", 1, "old"), ("q", 0, "c")], ("p",), [1]),
        ([*EXPECTED, ("q", 1, "gone")], ("q",), []),
        ([*EXPECTED, ("r", 0, "gone")], ("r",), []),
        ([("p", 2, "gone"), ("q", 0, "c")], ("p",), [0, 1]),
    ],
)
def test_what_is_stored_is_compared_with_what_should_be(
    stored: list[tuple[str, int, str]], changed: tuple[str, ...], missing: list[int]
) -> None:
    expected = plain(EXPECTED)
    found = Reconciled(("p", "q", "r"), expected, plain(stored))
    assert found.problem_ids == changed
    assert found.missing.tolist() == missing
    rows = found.rows(expected.take(pa.array(missing, pa.int64()))).to_pylist()
    assert [tuple(row.values()) for row in rows] == [row for row in EXPECTED if row[0] in changed]


def test_places_are_null_where_a_key_is_not_there() -> None:
    rows = plain([("q", 0, ""), ("p", 1, ""), ("p", 7, ""), ("q", 9, "")])
    among = plain([("p", 0, ""), ("p", 1, ""), ("q", 0, "")])
    assert places_of(["p", "q"], rows, among).to_pylist() == [2, 1, None, None]


def test_strings_that_repeat_are_read_as_codes(tmp_path: Path) -> None:
    table = samples(tmp_path, [[("p", 0, "x", 1), ("p", 1, "y", 1)], [("q", 0, "x", 1)]])
    rows = table.read(HERE, ["problem_id", "text"], coded=["problem_id"])
    assert pa.types.is_dictionary(rows["problem_id"].type)
    assert rows["problem_id"].to_pylist() == ["p", "p", "q"]
    assert rows["text"].type == pa.string()
    empty = table.read(Partition("rl", "b"), ["problem_id"], coded=["problem_id"])
    assert empty.num_rows == 0
    assert pa.types.is_dictionary(empty["problem_id"].type)

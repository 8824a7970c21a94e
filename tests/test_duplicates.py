"""Which of several rows with one key counts: the same one for every stage and every reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import HandMadeRun

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.luck import _answers
from vlm_boundary.analysis.readings import readings
from vlm_boundary.demo.codes import Bit, has
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.reasoning.selection import correct_samples
from vlm_boundary.reasoning.stage import check
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, ProblemReader, RunDirectory, compact_run
from vlm_boundary.verifier import store_opinions, verify

BASE = Partition("base", "mine")
EARLY = Sample("p1", 0, 0, [5, 6], "2 + 2 = 4, so \\boxed{4}", "stop", -2.0)
LATE = replace(
    EARLY, token_ids=list(range(40)), text="hm", finish_reason="length", logprob_sum=-9.0
)


def write(run: RunDirectory, name: str, sample: Sample, second: int) -> None:
    """A part of one sample, under a name that decides which part comes first."""
    when = datetime(2000, 1, 1, 0, 0, second, tzinfo=UTC)
    row = vars(sample) | {"tokens": len(sample.token_ids), "written_at": when}
    part = run.samples.append(BASE, pa.Table.from_pylist([row], schema=run.samples.schema))
    rename(part, f"part-{name}.parquet")


def rename(part: Path, name: str) -> None:
    """As an older version named parts, at random: they say nothing of whose they are."""
    rows = pq.read_table(part, partitioning=None).replace_schema_metadata(None)
    pq.write_table(rows, part.with_name(name))
    part.unlink()


def numbers(made: HandMadeRun) -> dict[str, Any]:
    """What the analysis and the demo make of sample 0 of the first problem, and of its arm."""
    run = made.directory
    data = BenchmarkData.read(run, made.experiment, "mine")
    assert data is not None
    lengths, verdicts = data.responses["base"], data.verdicts["base"]
    opened = RunIndex(run.path)
    codes = opened.codes("base", "mine", "full")
    drawn = opened.load("base", "mine", "full", "p1").sample(0)
    assert drawn is not None
    assert drawn.verdict is not None
    return {
        "samples": (len(verdicts), len(lengths.tokens)),
        "length": (lengths.tokens[0], lengths.logprob_sum[0], lengths.tokens.sum()),
        "right": verdicts.counts.correct.tolist(),
        "answers": len(_answers(data, "base", data.n("base"))[0]),
        "valid": [(r.name, r.counts(verdicts).valid.tolist()) for r in readings(data, "base")],
        "of right": [found.accuracy for found in correct_samples(run, BASE, 4, 0)],
        "demo": {bit.name: has(codes, bit).sum(axis=1).tolist() for bit in Bit},
        "shown": (drawn.response.text, drawn.response.tokens, drawn.verdict.correct),
    }


def derive(run: RunDirectory) -> None:
    verify(run)
    check(run)
    store_opinions(run)


@pytest.mark.parametrize(("early", "late"), [("-b", "-a"), ("-a", "-b")])
def test_of_two_samples_the_earlier_counts_wherever_its_part_sorts(
    run: HandMadeRun, early: str, late: str
) -> None:
    directory = run.directory
    write(directory, early, EARLY, 1)
    write(directory, late, LATE, 2)
    derive(directory)
    (row,) = (r for r in directory.samples.read(BASE).to_pylist() if r["text"] == EARLY.text)
    assert (row["problem_id"], row["sample_index"]) == ("p1", 0)
    found = numbers(run)
    assert found["samples"] == (12, 12)
    assert found["length"] == (2.0, -2.0, 24.0)
    assert found["right"] == [1, 1, 0]
    assert found["demo"]["TRUNCATED"] == [0, 0, 0, 0]
    assert found["shown"] == (EARLY.text, 2, True)
    compact_run(directory)
    derive(directory)
    assert numbers(run) == found


def test_rows_that_a_crash_left_beside_the_new_ones_count_nowhere(run: HandMadeRun) -> None:
    directory = run.directory
    write(directory, "-a", EARLY, 1)
    derive(directory)
    before = numbers(run)
    layers = [directory.validity(layer) for layer in directory.validity_layers()]
    for table in (directory.verdicts, directory.opinions, *layers):
        rows = table.read(BASE).to_pylist()
        for row in rows:  # what an older version said
            row |= {"correct": True, "valid": False, "mathvista": True, "extracted": "old"}
        names = set(table.schema.names)
        old = [{name: row[name] for name in names} for row in rows]
        part = table.append(BASE, pa.Table.from_pylist(old, schema=table.schema))
        rename(part, "part-zzz.parquet")
        assert len(table.parts(BASE)) == 2
    assert numbers(run) == before


def test_every_reader_gives_the_rows_that_count_in_order(tmp_path: Path) -> None:
    run, rng = RunDirectory(tmp_path), np.random.default_rng(0)
    written: dict[tuple[str, int], tuple[int, str]] = {}
    for name in sorted(f"{n:03}" for n in rng.permutation(40)):
        key, second = (f"p{rng.integers(4)}", int(rng.integers(4))), int(rng.integers(9))
        write(run, name, replace(EARLY, problem_id=key[0], sample_index=key[1], text=name), second)
        written[key] = min(written.get(key, (99, "")), (second, name))
    expected = [(*key, text) for key, (_, text) in sorted(written.items())]
    columns = ["problem_id", "sample_index", "text"]
    reader = ProblemReader.of(run.samples, BASE)
    for rows in (
        run.samples.read(BASE, ["text"]),
        run.samples.read(BASE, ["text"], coded=["problem_id"]),
        reader.read(list(reader.counts), columns),
    ):
        assert rows.column_names == columns
        assert [tuple(row.values()) for row in rows.to_pylist()] == expected

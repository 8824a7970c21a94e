"""The stage: every layer's rows, only what is missing, nothing stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from vlm_boundary.benchmarks import Problem
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning import arithmetic
from vlm_boundary.reasoning.stage import check
from vlm_boundary.store import Partition, RunDirectory, Sample, SampleWriter
from vlm_boundary.verifier import verify

HERE = Partition("rl", "b")
RIGHT = "3 + 4 = 7, 7 × 2 = 14.\n\\boxed{14}"
SLIPPED = "3 + 4 = 8, 7 × 2 = 14.\n\\boxed{14}"
WRONG = "3 + 4 = 7, 7 × 3 = 21.\n\\boxed{21}"


def a_run(tmp_path: Path, texts: list[str], *, generated: bool = False) -> RunDirectory:
    run = RunDirectory(tmp_path / "run")
    config = {"procedural": {"seed": 0}} if generated else {"procedural": None}
    run.write_manifest({"benchmarks": {"b": {"config": config}}})
    name = "line_chart-test-0-6" if generated else "p"
    run.write_problems("b", (Problem("b", name, "How many?", "4" if generated else "14"),))
    write(run, texts, name=name)
    verify(run)
    return run


def write(run: RunDirectory, texts: list[str], name: str = "p") -> None:
    writer = SampleWriter(run.samples, HERE)
    for index, text in enumerate(texts):
        writer.add(Sample(name, index, 7, [1], text, "stop", -1.0))
    writer.flush()


def rows(run: RunDirectory, layer: str) -> list[dict[str, Any]]:
    return run.validity(layer).read(HERE).to_pylist()


def test_layers_are_stored_apart(tmp_path: Path) -> None:
    run = a_run(tmp_path, [RIGHT, SLIPPED, WRONG, "\\boxed{14}"])
    assert check(run).samples == 4
    assert run.validity_layers() == ["arithmetic", "structure"]
    assert [row["valid"] for row in rows(run, "structure")] == [True, True, False, False]
    assert [row["valid"] for row in rows(run, "arithmetic")] == [True, False, False, True]
    (item,) = rows(run, "arithmetic")[1]["evidence"]
    assert SLIPPED[item["start"] : item["end"]] == "3 + 4 = 8"
    assert rows(run, "structure")[3]["flags"] == ["no_reasoning"]


def test_only_what_is_missing_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(tmp_path, [RIGHT])
    assert check(run).samples == 1
    before = run.validity("structure").parts(HERE)
    assert check(run).samples == 0
    assert run.validity("structure").parts(HERE) == before
    assert check(run, force=True).samples == 1
    writer = SampleWriter(run.samples, HERE)
    writer.add(Sample("p", 1, 8, [1], SLIPPED, "stop", -1.0))
    writer.flush()
    done = check(run)
    assert (done.samples, done.unverified) == (0, 1)
    verify(run)
    assert check(run).samples == 1
    monkeypatch.setattr(arithmetic, "CHECKER", "arithmetic/next")
    assert check(run).samples == 2
    assert {row["checker"] for row in rows(run, "arithmetic")} == {"arithmetic/next"}


def test_another_verdict_makes_a_row_stale(tmp_path: Path) -> None:
    run = a_run(tmp_path, [RIGHT, RIGHT])
    check(run)
    verdicts = run.verdicts.read(HERE).to_pylist()
    verdicts[0]["correct"] = None
    table = pa.Table.from_pylist(verdicts, schema=run.verdicts.schema)
    run.verdicts.replace(HERE, table)
    assert check(run).samples == 1
    assert [row["valid"] for row in rows(run, "structure")] == [None, True]


def test_generated_problems_have_exact_truth(tmp_path: Path) -> None:
    seen = "A 7 B 8 C 6 D 7 E 9 F 9, 8 - 7 = 1, 9 - 6 = 3, 1 + 3 = 4 \\boxed{4}"
    run = a_run(tmp_path, [seen, seen.replace("D 7", "D 8")], generated=True)
    check(run)
    assert run.validity_layers() == ["arithmetic", "procedural", "structure"]
    assert [row["valid"] for row in rows(run, "procedural")] == [True, False]
    assert [row["valid"] for row in rows(run, "structure")] == [True, True]


def test_a_run_without_verdicts_is_refused(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    write(run, [RIGHT])
    with pytest.raises(UserError, match="verify"):
        check(run)

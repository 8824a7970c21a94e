"""The stage: every layer's rows, only what is missing, nothing stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.reasoning import arithmetic
from vlm_boundary.reasoning.stage import chains_of, check, failures_of
from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter, derived
from vlm_boundary.verifier import verify

HERE = Partition("rl", "b")
RIGHT = "3 + 4 = 7, 7 × 2 = 14.\n\\boxed{14}"
SLIPPED = "3 + 4 = 8, 7 × 2 = 14.\n\\boxed{14}"
Result = TypeVar("Result")
WRONG = "3 + 4 = 7, 7 × 3 = 21.\n\\boxed{21}"


def a_run(tmp_path: Path, texts: list[str], *, generated: bool = False) -> RunDirectory:
    run = RunDirectory(tmp_path / "run")
    config = {"procedural": {"seed": 0}} if generated else {"procedural": None}
    run.write_manifest(Manifest(benchmarks={"b": RunBenchmark(config=config)}))
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
    return list(run.validity(layer).read(HERE).to_pylist())


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


def test_a_checker_that_raises_leaves_its_sample_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = arithmetic.check_arithmetic
    raising = RIGHT + " "

    def raises(chain: Any) -> Any:
        table: dict[str, Any] = {}
        return table["a rule's"] if chain.text == raising else whole(chain)

    monkeypatch.setattr(arithmetic, "check_arithmetic", raises)
    run = a_run(tmp_path, [RIGHT, raising])
    assert check(run).samples == 2
    assert [row["valid"] for row in rows(run, "arithmetic")] == [True, None]
    assert [row["valid"] for row in rows(run, "structure")] == [True, True]
    failures = failures_of(run)
    assert failures.kinds == {"KeyError": 1}
    assert failures.first == "problem p, sample 1, of rl on b (full), arithmetic"


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


def many(tmp_path: Path, order: int = 1) -> RunDirectory:
    """Three generated problems in many parts, each sample twice."""
    run = RunDirectory(tmp_path / "run")
    run.write_manifest(Manifest(benchmarks={"b": RunBenchmark(config={"procedural": {"seed": 0}})}))
    names = ["line_chart-test-0-6", "line_chart-test-0-7", "other"]
    run.write_problems("b", tuple(Problem("b", name, "How many?", "14") for name in names))
    for name in names[::order]:
        for _ in range(2):
            write(run, [RIGHT, SLIPPED, WRONG, RIGHT], name=name)
    verify(run)
    return run


def stored(run: RunDirectory) -> dict[str, bytes]:
    root = run.path / "validity"
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_shares_give_the_same_bytes_as_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = many(tmp_path / "1"), many(tmp_path / "2", order=-1)
    assert check(one).samples == 12
    monkeypatch.setattr(derived, "CHUNK_ROWS", 1)
    assert (
        check(two, elsewhere=lambda work, shares: map(work, shares), samples_a_share=5).samples
        == 12
    )
    assert len(stored(one)) == 3
    assert stored(one) == stored(two)
    assert check(one, force=True).samples == 12
    assert stored(one) == stored(two)


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    run = many(tmp_path)
    check(run)
    parts = [part for layer in run.validity_layers() for part in run.validity(layer).parts(HERE)]
    before = [(part.stat().st_ino, part.stat().st_mtime_ns) for part in parts]
    (parts[0].parent / ".piece-0.tmp").write_bytes(b"PAR1")  # a killed share's
    done = check(run, elsewhere=lambda work, shares: map(work, shares), samples_a_share=1)
    assert (done.samples, done.unverified) == (0, 0)
    assert [(part.stat().st_ino, part.stat().st_mtime_ns) for part in parts] == before
    assert len(stored(run)) == 3


def test_rows_of_what_is_no_longer_verified_are_dropped(tmp_path: Path) -> None:
    run = many(tmp_path)
    check(run)
    before = stored(run)
    verdicts = run.verdicts.read(HERE)
    run.verdicts.replace(HERE, verdicts.slice(5))
    done = check(run)
    assert (done.samples, done.unverified) == (0, 5)
    assert [len(rows(run, layer)) for layer in ("structure", "arithmetic")] == [7, 7]
    run.verdicts.replace(HERE, verdicts)
    assert check(run).samples == 5
    assert stored(run) == before


def test_chains_are_of_verified_samples_in_order(tmp_path: Path) -> None:
    run = many(tmp_path)
    run.verdicts.replace(HERE, run.verdicts.read(HERE).slice(1))
    (found,) = chains_of(run, HERE)
    assert (found.samples, found.unverified) == (12, 1)
    assert [chain.text for chain in found.chains[:4]] == [SLIPPED, WRONG, RIGHT, RIGHT]
    assert found.keys["sample_index"].to_pylist()[:4] == [1, 2, 3, 0]


def test_ctrl_c_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = many(tmp_path)
    check(run)
    before = stored(run)

    def stopped(chain: object) -> tuple[()]:
        raise KeyboardInterrupt

    monkeypatch.setattr(arithmetic, "check_arithmetic", stopped)
    with pytest.raises(KeyboardInterrupt):
        check(run, force=True)
    assert stored(run) == before

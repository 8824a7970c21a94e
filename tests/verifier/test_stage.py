"""The stage: the same bytes however it is done, only what is missing, nothing stale, no litter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pyarrow as pa
import pytest
from sampled import EARLY, append_samples, sample_row

from vlm_boundary.records.manifest import Manifest, RunArm
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory, Share, derived
from vlm_boundary.verifier import Grader, Output, Verdict, verify, verify_share

ARMS = [Partition("base", "b"), Partition("rl", "b")]
HERE = ARMS[0]
Result = TypeVar("Result")


def a_run(path: Path, seed: int = 0) -> RunDirectory:
    """Five problems, six samples of each, in many parts, some samples twice."""
    run = RunDirectory(path)
    run.write_problems("b", tuple(Problem("b", f"p{i}", "How many?", str(i)) for i in range(5)))
    for here in ARMS:
        rows = [
            sample_row(f"p{i}", index, f"so \\boxed{{{index}}}")
            for i in range(5)
            for index in range(6)
        ]
        rows += [
            sample_row("p1", index, "late", EARLY + timedelta(seconds=1)) for index in range(4)
        ]
        Random(seed).shuffle(rows)
        for start in range(0, len(rows), 4):
            append_samples(run, here, rows[start : start + 4])
    return run


def stored(run: RunDirectory) -> dict[str, bytes]:
    """Every file of verdicts, hidden ones too."""
    root = run.verdicts.root
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("samples_a_share", [1, 7, 100])
def test_shares_give_the_same_bytes_as_one_process(tmp_path: Path, samples_a_share: int) -> None:
    one, two = a_run(tmp_path / "1"), a_run(tmp_path / "2", seed=1)
    assert verify(one) == 60
    assert (
        verify(
            two, elsewhere=lambda work, shares: map(work, shares), samples_a_share=samples_a_share
        )
        == 60
    )
    assert len(stored(one)) == 2
    assert stored(one) == stored(two)


def test_other_processes_give_the_same_bytes_too(tmp_path: Path) -> None:
    one, two = a_run(tmp_path / "1"), a_run(tmp_path / "2")
    verify(one)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert (
            verify(two, elsewhere=lambda work, shares: pool.map(work, shares), samples_a_share=20)
            == 60
        )
    assert stored(one) == stored(two)


def test_pieces_of_any_size_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = a_run(tmp_path / "1"), a_run(tmp_path / "2")
    verify(one)
    monkeypatch.setattr(derived, "CHUNK_ROWS", 2)
    verify(two)
    assert stored(one) == stored(two)


def test_of_a_sample_written_twice_the_earlier_text_counts(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    verify(run)
    rows = run.verdicts.read(HERE).to_pylist()
    keys = [(row["problem_id"], row["sample_index"]) for row in rows]
    assert keys == [(f"p{i}", index) for i in range(5) for index in range(6)]
    assert [row["correct"] for row in rows] == [f"p{index}" == key for key, index in keys]


@pytest.mark.parametrize("elsewhere", [None, map])
def test_nothing_is_written_where_nothing_changed(
    tmp_path: Path, elsewhere: Callable[..., Any] | None
) -> None:
    run = a_run(tmp_path)
    verify(run)
    parts = [part for here in ARMS for part in run.verdicts.parts(here)]
    before = [(part.stat().st_ino, part.stat().st_mtime_ns) for part in parts]
    assert verify(run, elsewhere=elsewhere) == 0
    assert [(part.stat().st_ino, part.stat().st_mtime_ns) for part in parts] == before
    append_samples(run, HERE, [sample_row("p4", 6, "\\boxed{4}")])
    assert verify(run, elsewhere=elsewhere, samples_a_share=6) == 1
    assert run.verdicts.read(HERE).num_rows == 31
    assert parts[1].stat().st_ino == before[1][0]  # the other arm's


def test_stale_rows_are_graded_again_and_the_others_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)
    rows = run.verdicts.read(HERE).to_pylist()
    rows[0]["grader"] = "an older one"
    rows[13]["text_hash"] = rows[14]["gold_hash"] = "0" * 16
    run.verdicts.replace(HERE, pa.Table.from_pylist(rows, schema=run.verdicts.schema))
    graded: list[Output] = []
    grade = Grader.grade

    def watched(self: Grader, outputs: Iterable[Output]) -> list[Verdict]:
        graded.extend(outputs)
        return grade(self, outputs)

    monkeypatch.setattr(Grader, "grade", watched)
    assert verify(run) == 3
    assert [output.text for output in graded] == [
        "so \\boxed{0}",
        "so \\boxed{1}",
        "so \\boxed{2}",
    ]
    assert stored(run) == before
    assert verify(run, force=True) == 60
    assert stored(run) == before


@pytest.mark.parametrize(
    "left_over",
    [("p1", 77), ("gone", 0)],
    ids=["a sample that is gone", "a problem that is gone"],
)
def test_verdicts_without_a_sample_are_dropped(tmp_path: Path, left_over: tuple[str, int]) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)
    rows = run.verdicts.read(HERE).to_pylist()
    rows.append(rows[0] | {"problem_id": left_over[0], "sample_index": left_over[1]})
    run.verdicts.replace(HERE, pa.Table.from_pylist(rows, schema=run.verdicts.schema))
    assert verify(run) == 0
    assert stored(run) == before


def test_the_parts_that_a_crash_left_side_by_side_become_one(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)
    run.verdicts.append(HERE, run.verdicts.read(HERE).slice(3, 9))
    assert verify(run) == 0
    assert stored(run) == before


def test_what_a_killed_share_left_is_removed_by_the_next(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)
    litter = run.verdicts.root / HERE.folder / ".piece-0.tmp"
    litter.write_bytes(b"PAR1")
    assert run.verdicts.read(HERE).num_rows == 30
    assert verify(run) == 0
    assert stored(run) == before


def test_an_error_elsewhere_leaves_what_was_there(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)

    def dies(work: Callable[[Share], Result], shares: Sequence[Share]) -> Iterator[Result]:
        yield work(shares[0])
        raise ConnectionError("a machine is gone")

    with pytest.raises(ConnectionError):
        verify(run, force=True, elsewhere=dies, samples_a_share=1)
    assert stored(run) == before


def test_ctrl_c_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(tmp_path)
    verify(run)
    before = stored(run)
    monkeypatch.setattr(derived, "CHUNK_ROWS", 2)
    grade, calls = Grader.grade, 0

    def stopped(self: Grader, outputs: Iterable[Output]) -> list[Verdict]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return grade(self, outputs)

    monkeypatch.setattr(Grader, "grade", stopped)
    with pytest.raises(KeyboardInterrupt):
        verify(run, force=True)
    assert stored(run) == before


def test_every_share_must_come_back(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with pytest.raises(ValueError, match="shorter"):
        verify(run, elsewhere=lambda work, shares: [work(shares[0])], samples_a_share=6)
    assert stored(run) == {}


def test_a_share_verifies_its_own_problems_alone(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    done = verify_share(Share(run.path, HERE, ("p1", "p3"), 12, force=False))
    assert (done.made, done.pieces[0].problem_ids) == (12, ("p1", "p3"))
    assert done.pieces[0].path is not None
    assert done.pieces[0].path.name.startswith(".")
    assert run.verdicts.partitions() == []


def test_a_box_inside_a_thought_that_the_prompt_opened_is_graded_again(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.write_problems("b", (Problem("b", "p", "How many?", "4"),))
    texts = ["so \\boxed{4}", "so \\boxed{4}, or", "so 4.</think>It is \\boxed{4}."]
    rows = [sample_row("p", index, text) for index, text in enumerate(texts)]
    rows[1]["finish_reason"] = "length"
    for here in ARMS:
        append_samples(run, here, rows)
    assert verify(run) == 6  # before it was known
    assert _correct(run, HERE) == [True, True, True]
    arms = {"base": RunArm(thinking_open=True), "rl": RunArm(thinking_open=False)}
    run.write_manifest(Manifest(arms=arms))
    assert verify(run) == 3  # of the arm that the fact concerns
    assert _correct(run, HERE) == [False, False, True]
    assert _correct(run, ARMS[1]) == [True, True, True]
    assert _statuses(run, HERE)[:2] == ["no_answer", "truncated"]
    assert verify(run) == 0


def _correct(run: RunDirectory, here: Partition) -> list[bool]:
    return [bool(one) for one in run.verdicts.read(here, ["correct"])["correct"].to_pylist()]


def _statuses(run: RunDirectory, here: Partition) -> list[str]:
    return [str(one) for one in run.verdicts.read(here, ["status"])["status"].to_pylist()]

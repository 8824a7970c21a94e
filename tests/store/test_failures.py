"""Failures: written by many, kept while they are true."""

from __future__ import annotations

from pathlib import Path

from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

HERE = Partition("base", "b")


def kept(run: RunDirectory) -> list[tuple[str, int | None, str]]:
    rows = run.failures.read(HERE)
    return [(row["problem_id"], row["sample_index"], row["reason"]) for row in rows]


def test_the_latest_reason_of_what_is_still_missing_is_kept(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert kept(run) == []
    run.failures.add(HERE, [("p", None, "too long"), ("q", 1, "engine gave 'error' 3 times")])
    run.failures.add(HERE, [("p", None, "still too long"), ("q", 0, "first")])
    expected = [
        ("p", None, "still too long"),
        ("q", 0, "first"),
        ("q", 1, "engine gave 'error' 3 times"),
    ]
    assert kept(run) == expected
    run.failures.compact(HERE)
    assert kept(run) == expected


def test_a_problem_of_which_only_some_samples_could_be_had_stays(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    writer = SampleWriter(run.samples, HERE)
    writer.add(Sample("p", 0, 1, [1], "x", "stop", None))
    writer.flush()
    run.failures.add(HERE, [("p", None, "there are no more")])
    assert kept(run) == [("p", None, "there are no more")]
    writer.add(Sample("p", 1, 1, [1], "x", "stop", None))
    writer.flush()
    assert kept(run) == []


def test_a_problem_that_has_every_sample_lacks_none_whatever_the_clocks_say(tmp_path: Path) -> None:
    """Its samples came from a machine whose clock is behind."""
    run = RunDirectory(tmp_path)
    writer = SampleWriter(run.samples, HERE)
    for index in range(2):
        writer.add(Sample("p", index, 1, [1], "x", "stop", None))
    writer.flush()
    run.failures.add(HERE, [("p", None, "too long")])
    assert len(run.failures.read(HERE, n=3)) == 1
    assert run.failures.read(HERE, n=2) == []


def test_what_would_fail_again_is_known_by_its_settings(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    under = {("p", None): "settings", ("q", 1): "settings and a text"}
    lost = [("p", None, "too long"), ("q", 1, "too long"), ("q", 2, "engine gave 'error'")]
    run.failures.add(HERE, lost, under)
    run.failures.add(HERE, [("r", None, "it ended its engine 3 times")])
    assert run.failures.settled(HERE) == under
    run.failures.compact(HERE)
    assert run.failures.settled(HERE) == under


def test_what_was_drawn_after_all_is_no_failure(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.failures.add(HERE, [("p", None, "no picture"), ("q", 0, "x"), ("q", 1, "x")])
    writer = SampleWriter(run.samples, HERE)
    for key in (("p", 5), ("q", 1)):
        writer.add(Sample(*key, 1, [1], "x", "stop", None))
    writer.flush()
    assert kept(run) == [("q", 0, "x")]

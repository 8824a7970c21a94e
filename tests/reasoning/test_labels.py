"""Labels: nothing is lost when many write, the last of a labeller holds, undo is a record too."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import (
    Label,
    SampleKey,
    add_label,
    labels_by_sample,
    labels_path,
    read_labels,
    withdraw_label,
)
from vlm_boundary.store import RunDirectory

KEY = SampleKey(arm="rl", benchmark="mine", problem_id="p1", sample_index=3)
LABEL = Label(sample=KEY, text_hash="ab12", verdict="valid", labeller="anna", blind=True)


@pytest.fixture
def folder(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


def verdicts(run: RunDirectory) -> list[tuple[str, str, str]]:
    return [(x.labeller, x.sample.problem_id, x.verdict) for x in read_labels(run).labels]


def test_a_label_comes_back_as_it_was_stored(folder: RunDirectory) -> None:
    stored = add_label(
        folder,
        replace(LABEL, note="2 + 2\n= 5 \u202e <b>", queue="paper", weight=2.5, labeller=" anna\n"),
    )
    assert read_labels(folder).labels == (stored,)
    assert stored.labelled_at is not None
    assert stored.labeller == "anna"


def test_no_labels_is_no_error(folder: RunDirectory) -> None:
    assert read_labels(folder).labels == ()


def test_the_last_of_each_labeller_holds(folder: RunDirectory) -> None:
    add_label(folder, LABEL)
    add_label(folder, replace(LABEL, labeller="bert", verdict="unsure"))
    add_label(folder, replace(LABEL, verdict="invalid"))
    assert verdicts(folder) == [("anna", "p1", "invalid"), ("bert", "p1", "unsure")]
    assert [x.labeller for x in labels_by_sample(read_labels(folder).labels)[KEY]] == [
        "anna",
        "bert",
    ]


def test_undo_is_appended_and_can_be_followed_by_another_label(folder: RunDirectory) -> None:
    add_label(folder, LABEL)
    withdraw_label(folder, "anna", KEY)
    assert verdicts(folder) == []
    assert len(labels_path(folder, "anna").read_text().splitlines()) == 2
    add_label(folder, replace(LABEL, verdict="unsure"))
    assert verdicts(folder) == [("anna", "p1", "unsure")]


def test_a_torn_line_is_passed_over_and_does_not_swallow_the_next(folder: RunDirectory) -> None:
    add_label(folder, LABEL)
    path = labels_path(folder, "anna")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert verdicts(folder) == [("anna", "p1", "valid")]
    assert read_labels(folder).unreadable == 1
    other = replace(KEY, problem_id="p2")
    add_label(folder, replace(LABEL, sample=other))
    assert verdicts(folder) == [("anna", "p1", "valid"), ("anna", "p2", "valid")]
    assert read_labels(folder).unreadable == 1


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        b'{"verdict": "yes"}',
        b"[" * 2000,
    ],
)
def test_lines_that_are_no_record_are_counted(folder: RunDirectory, line: bytes) -> None:
    add_label(folder, LABEL)
    with labels_path(folder, "anna").open("ab") as file:
        file.write(line + b"\n")
    found = read_labels(folder)
    assert (len(found.labels), found.unreadable) == (1, 1)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "..", "con", "李雷", "Anna", "x" * 80, ".hidden", "a\0b"]
)
def test_names_never_leave_the_folder(folder: RunDirectory, name: str) -> None:
    path = labels_path(folder, name)
    assert path.parent == folder.path / "labels"
    assert path.name == path.name.lower()
    assert not path.name.startswith(".")
    add_label(folder, replace(LABEL, labeller=name))
    assert path.is_file()


def test_different_names_have_different_files(folder: RunDirectory) -> None:
    names = ["anna", "Anna", "an na", "an-na", "an/na", "李雷", "李 雷", "ánna"]
    assert len({labels_path(folder, name).name for name in names}) == len(names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "yes"}, "valid, invalid, unsure"),
        ({"labeller": " \u200b"}, "needs a name"),
        ({"labeller": "x" * 81}, "80"),
        ({"note": "x" * 10_001}, "10,000"),
        ({"queue": "paper"}, "weight"),
        ({"weight": 2.0}, "weight"),
        ({"queue": "paper", "weight": 0.5}, "at least 1"),
        ({"queue": "paper", "weight": float("nan")}, "at least 1"),
    ],
)
def test_what_is_not_valid_is_refused(
    folder: RunDirectory, change: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        add_label(folder, replace(LABEL, **change))  # type: ignore[arg-type]
    assert read_labels(folder).labels == ()


def _write_many(path: Path, labeller: str, first: int, note: str) -> None:
    for i in range(first, first + 40):
        sample = replace(KEY, sample_index=i)
        add_label(RunDirectory(path), replace(LABEL, sample=sample, labeller=labeller, note=note))


def test_people_and_windows_that_write_at_once_lose_nothing(folder: RunDirectory) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_many, args=(folder.path, labeller, first, note * 9000))
        for labeller, first, note in (("anna", 0, "x"), ("anna", 40, "y"), ("bert", 0, "z"))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    found = read_labels(folder)
    assert found.unreadable == 0
    assert len(found.labels) == 120
    assert all(len(set(label.note)) == 1 for label in found.labels)

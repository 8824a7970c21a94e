"""The labelling desk: order, undo's other half, and how far judges agree."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from demo_parts import make_demo_run

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.label_tab import _Deeds
from vlm_boundary.demo.labelling import (
    CONTESTED,
    Desk,
    agreements,
    checker_verdict,
    kappa,
    next_item,
    progress,
    queue_of,
    queues_of,
)
from vlm_boundary.demo.view import View, settle
from vlm_boundary.reasoning.people.labels import Label, SampleKey, add_label, read_labels
from vlm_boundary.reasoning.people.queue import make_answer_queue, make_queue


@pytest.fixture
def run(tmp_path: Path) -> RunIndex:
    return RunIndex(make_demo_run(tmp_path / "run").path)


def _label(sample: SampleKey, verdict: str, labeller: str) -> Label:
    return Label(
        sample=sample,
        text_hash="0",
        verdict=verdict,  # type: ignore[arg-type]
        labeller=labeller,
        blind=True,
    )


# By hand: p_o = 3/4; yes 1/2 by both: p_e = 1/2; kappa = (3/4 - 1/2) / (1/2).
@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], None),
        ([("valid", "valid")] * 3, None),
        ([("valid", "valid"), ("invalid", "invalid")], 1.0),
        ([("valid", "invalid"), ("invalid", "valid")], -1.0),
        ([("valid", "valid")] * 2 + [("invalid", "invalid"), ("invalid", "valid")], 0.5),
    ],
)
def test_cohens_kappa(pairs: list[tuple[str, str]], expected: float | None) -> None:
    assert kappa(pairs) == (expected if expected is None else pytest.approx(expected))


def test_the_queue_is_walked_once_and_skipped_ones_come_last(run: RunIndex) -> None:
    experiment = ExperimentConfig.model_validate(run.manifest.experiment)
    queue = make_queue(run.directory, experiment)
    assert len(queue.items) == 7  # the only right answers of base's four problems and rl's three
    desk = Desk(run.name, queue.name, "anna", skipped=(queue.items[0].item,))
    seen = []
    while item := next_item(queue, read_labels(run.directory).labels, desk):
        seen.append(item)
        add_label(run.directory, _label(item.sample, "valid", "anna"))
    assert seen == [*queue.items[1:], queue.items[0]]
    labels = read_labels(run.directory).labels
    assert progress(queue, labels, "anna") == (7, 7)
    assert progress(queue, labels, "ben") == (0, 7)


def test_agreement_with_the_checker_and_between_people(run: RunIndex) -> None:
    keys = [
        SampleKey(arm="base", benchmark="made", problem_id=f"p{i}", sample_index=1)
        for i in (0, 1, 4, 5)
    ]
    assert [checker_verdict(run, key) for key in keys] == ["valid", "invalid", "valid", "invalid"]
    labels = [_label(key, "valid", "anna") for key in keys]
    labels += [_label(keys[0], "valid", "ben"), _label(keys[1], "unsure", "ben")]
    found = {(one.first, one.second): one for one in agreements(run, labels)}
    assert found["anna", "the checker"].samples == 4
    assert found["anna", "the checker"].same == 2
    assert found["anna", "the checker"].kappa == 0.0
    assert found["ben", "the checker"].samples == 1
    assert found["anna", "ben"].samples == 1


def test_two_people_at_once_lose_nothing(run: RunIndex) -> None:
    def work(labeller: str) -> None:
        for index in range(30):
            key = SampleKey(arm="rl", benchmark="made", problem_id="p0", sample_index=index)
            add_label(run.directory, _label(key, "valid", labeller))

    # Two windows of one person among them.
    threads = [threading.Thread(target=work, args=(name,)) for name in ("anna", "ben", "anna")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    labels = read_labels(run.directory)
    assert labels.unreadable == 0
    assert len(labels.labels) == 60


def test_a_queue_of_answers_asks_whether_they_are_right(run: RunIndex) -> None:
    experiment = ExperimentConfig.model_validate(run.manifest.experiment)
    answers = make_answer_queue(run.directory, experiment, per_arm=4)
    does = _Deeds({run.name: run})
    asked: Any = SimpleNamespace(username=None)
    desk, sheet, *_ = does.answer(1)(Desk(run.name, answers.name, "anna"), "", True, asked)
    (label,) = read_labels(run.directory).labels
    assert (label.verdict, label.subject, label.weight) == (
        "wrong", "answer", answers.items[0].weight,
    )  # fmt: skip
    assert "Is the final answer right" in sheet
    assert progress(answers, [label], "anna") == (1, len(answers.items))
    desk, sheet, _, _, _, *buttons = does.take_back(desk, True, asked)
    assert read_labels(run.directory).labels == ()
    assert desk.picked == answers.items[0].sample
    assert [button.value for button in buttons] == ["right  [1]", "wrong  [2]", "unsure  [3]"]
    # What people say of reasoning is counted apart.
    add_label(run.directory, _label(answers.items[0].sample, "valid", "anna"))
    assert progress(answers, read_labels(run.directory).labels, "anna")[0] == 0


def test_nothing_is_told_of_arms_checker_or_agreement_until_it_is_asked_for(run: RunIndex) -> None:
    experiment = ExperimentConfig.model_validate(run.manifest.experiment)
    queue = make_queue(run.directory, experiment)
    does = _Deeds({run.name: run})
    asked: Any = SimpleNamespace(username=None)
    view = settle(View(), {run.name: run})

    def tells(parts: list[Any]) -> set[str]:
        said = " ".join(str(getattr(one, "value", one)) for one in parts)
        hints = ("base", "rl", "the checker", "κ", "<mark", "vb-bad", "data-arm")
        return {hint for hint in hints if re.search(rf"(?<!\w){hint}(?!\w)", said)}

    desk, *sheet = does.enter(view, Desk(), "anna", "", queue.name, True, asked)
    told = tells(sheet[:7])
    for place in range(len(queue.items)):
        desk, *sheet = does.answer(place % 3)(desk, "", True, asked)
        told |= tells(sheet)
    # At the end of the queue, what can be asked for is named, and nothing of it told.
    assert "queue-done" in sheet[0]
    assert told == {"the checker"}
    assert [one for one in read_labels(run.directory).labels if not one.blind] == []
    assert read_labels(run.directory).revealed == {}
    desk, *sheet = does.reveal(desk, True, asked)
    assert tells(sheet) == {"base", "rl", "the checker", "κ"}
    assert len(read_labels(run.directory).revealed["anna"]) == len(queue.items)


def test_the_queue_of_disagreements_holds_what_people_judge_otherwise(run: RunIndex) -> None:
    keys = [
        SampleKey(arm="base", benchmark="made", problem_id=f"p{i}", sample_index=1)
        for i in (0, 1, 4, 5)
    ]
    for key, anna, ben in zip(
        keys,
        ("valid", "valid", "invalid", "unsure"),
        ("invalid", "valid", "valid", "invalid"),
        strict=True,
    ):
        add_label(run.directory, _label(key, anna, "anna"))
        add_label(run.directory, _label(key, ben, "ben"))
    of_reasoning, _ = CONTESTED
    assert queues_of(run) == [of_reasoning]
    queue = queue_of(run, of_reasoning, read_labels(run.directory))
    assert [item.sample for item in queue.items] == [keys[0], keys[2]]
    # A third settles both; what is said of them belongs to no drawn queue and has no weight.
    does = _Deeds({run.name: run})
    asked: Any = SimpleNamespace(username=None)
    desk, sheet, *_ = does.answer(0)(Desk(run.name, of_reasoning, "carl"), "", True, asked)
    assert "org/base" not in sheet
    desk, sheet, *_ = does.answer(1)(desk, "", True, asked)
    assert "queue-done" in sheet
    mine = [one for one in read_labels(run.directory).labels if one.labeller == "carl"]
    assert {(one.sample, one.verdict) for one in mine} == {
        (keys[0], "valid"),
        (keys[2], "invalid"),
    }
    assert {(one.queue, one.weight, one.blind) for one in mine} == {(None, None, True)}


def test_without_disagreement_there_is_no_such_queue(run: RunIndex) -> None:
    key = SampleKey(arm="base", benchmark="made", problem_id="p0", sample_index=1)
    for person, verdict in (("anna", "valid"), ("ben", "unsure"), ("carl", "valid")):
        add_label(run.directory, _label(key, verdict, person))
    assert queues_of(run) == []


def test_disagreements_about_answers_have_a_queue_of_their_own(run: RunIndex) -> None:
    keys = [
        SampleKey(arm="base", benchmark="made", problem_id=f"p{i}", sample_index=1)
        for i in (0, 1, 4)
    ]
    for key, anna, ben in zip(
        keys, ("right", "right", "wrong"), ("wrong", "unsure", "wrong"), strict=True
    ):
        for person, verdict in (("anna", anna), ("ben", ben)):
            add_label(run.directory, replace(_label(key, verdict, person), subject="answer"))
    # One person's answer and another's reasoning do not contradict each other.
    add_label(run.directory, _label(keys[1], "invalid", "ben"))
    _, of_answers = CONTESTED
    assert queues_of(run) == [of_answers]
    queue = queue_of(run, of_answers, read_labels(run.directory))
    assert [item.sample for item in queue.items] == [keys[0]]
    does = _Deeds({run.name: run})
    asked: Any = SimpleNamespace(username=None)
    _, sheet, _, _, _, *buttons = does.answer(0)(
        Desk(run.name, of_answers, "carl"), "", True, asked
    )
    assert "queue-done" in sheet
    assert [button.value for button in buttons] == ["right  [1]", "wrong  [2]", "unsure  [3]"]
    (mine,) = [one for one in read_labels(run.directory).labels if one.labeller == "carl"]
    assert (mine.sample, mine.verdict, mine.subject) == (keys[0], "right", "answer")
    assert (mine.queue, mine.weight, mine.blind) == (None, None, True)

"""How often the verifier errs, from what people say of answers that were drawn for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analysis_runs import BenchmarkRun, make_run
from given import given
from numpy.typing import NDArray

from vlm_boundary.analysis.labelled_verdicts import labelled_verdicts
from vlm_boundary.analysis.verifier_error import verifier_error
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import Label, SampleKey, add_label
from vlm_boundary.reasoning.people.queue import LabelQueue, QueueItem, make_answer_queue, make_queue
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sections import LabelledErrors

ARMS = {"base": {"model": "org/base", "role": "base"}, "rl": {"model": "org/rl", "role": "rl"}}
N, PROBLEMS = 16, 120
WRONG_ACCEPTED = {"base": 0.02, "rl": 0.15}  # kinder to rl
RIGHT_REJECTED = 0.1
Truth = dict[str, NDArray[np.bool_]]


def made(path: Path, seed: int) -> tuple[BenchmarkRun, Truth, Truth]:
    """A run, and by arm which answers are right and which the verifier accepted."""
    rng = np.random.default_rng(seed)
    problems = [Problem("mine", f"p{i:03d}", "How many?", "4") for i in range(PROBLEMS)]
    run = make_run(path, problems, ARMS, N)
    chances = rng.beta(0.5, 0.8, PROBLEMS)[:, None]
    right, accepted = {}, {}
    for arm, errs in WRONG_ACCEPTED.items():
        right[arm] = rng.random((PROBLEMS, N)) < chances
        slips = rng.random((PROBLEMS, N))
        accepted[arm] = np.where(right[arm], slips >= RIGHT_REJECTED, slips < errs)
        run.add_verdicts(
            arm,
            {
                problem.problem_id: [("4" if one else "5", bool(one)) for one in row]
                for problem, row in zip(problems, accepted[arm], strict=True)
            },
        )
    return run, right, accepted


def say(run: BenchmarkRun, queue: LabelQueue, right: Callable[[SampleKey], bool]) -> None:
    for item in queue.items:
        add_label(run.directory, labelled(item, right(item.sample), queue.name))


def labelled(item: QueueItem, right: bool, queue: str | None) -> Label:
    return Label(
        sample=item.sample,
        text_hash=item.text_hash,
        verdict="right" if right else "wrong",
        subject="answer",
        labeller="anna",
        blind=True,
        queue=queue,
        weight=item.weight if queue else None,
    )


def truly(right: Truth) -> Callable[[SampleKey], bool]:
    return lambda key: bool(right[key.arm][int(key.problem_id[1:]), key.sample_index])


def test_each_arms_rates_are_found_and_its_accuracy_corrected(tmp_path: Path) -> None:
    held = {"positive": 0, "negative": 0, "accuracy": 0, "gap": 0}
    for seed in range(12):
        run, right, accepted = made(tmp_path / f"run{seed}", seed)
        assert verifier_error(run.data) is None
        queue = make_answer_queue(run.directory, run.experiment, per_arm=120)
        say(run, queue, truly(right))
        found = verifier_error(run.data)
        assert found is not None
        assert found.false_positive is None  # of all arms nothing was stated
        for arm in ARMS:
            one = found.labelled[arm]
            assert (one.accepted.read, one.rejected.read) == (60, 60)
            positive = (accepted[arm] & ~right[arm]).sum() / (~right[arm]).sum()
            negative = (~accepted[arm] & right[arm]).sum() / right[arm].sum()
            held["positive"] += one.false_positive.low <= positive <= one.false_positive.high
            held["negative"] += one.false_negative.low <= negative <= one.false_negative.high
            corrected = found.arms[arm].pass_at_1
            held["accuracy"] += corrected.low <= right[arm].mean() <= corrected.high
        gap = right["rl"].mean() - right["base"].mean()
        stated = found.pairs[0].difference_at_1
        held["gap"] += stated.low <= gap <= stated.high
    # At 95 % four of 24 and three of twelve miss in one of a hundred.
    assert min(held["positive"], held["negative"], held["accuracy"]) >= 21
    assert held["gap"] >= 10


def test_by_difficulty_the_counts_are_of_the_bases_other_answers(tmp_path: Path) -> None:
    run, right, accepted = made(tmp_path / "run", 0)
    say(run, make_answer_queue(run.directory, run.experiment, per_arm=10_000), truly(right))
    found = labelled_verdicts(run.data)
    for arm in ARMS:
        others = accepted["base"].sum(axis=1, keepdims=True) - (accepted["base"] * (arm == "base"))
        hardest = others == 0
        one = found[arm].by_difficulty["0"]
        assert one.accepted.answers == (accepted[arm] & hardest).sum()
        assert one.rejected.answers == (~accepted[arm] & hardest).sum()
        wrong = ~right[arm] & hardest
        assert one.false_positive.estimate == pytest.approx(
            (accepted[arm] & wrong).sum() / wrong.sum()
        )
        whole = found[arm]
        parts: list[LabelledErrors] = list(whole.by_difficulty.values())
        assert sum(part.accepted.answers for part in parts) == whole.accepted.answers
        assert sum(part.rejected.read for part in parts) == whole.rejected.read


def test_what_nobody_read_is_not_known(tmp_path: Path) -> None:
    run, right, accepted = made(tmp_path / "run", 0)
    queue = make_answer_queue(run.directory, run.experiment)
    only = [item for item in queue.items if item.sample.arm == "rl"]
    taken = [one for one in only if accepted["rl"][int(one.sample.problem_id[1:]),
                                                   one.sample.sample_index]]  # fmt: skip
    for item in taken:
        add_label(run.directory, labelled(item, truly(right)(item.sample), queue.name))
    found = verifier_error(run.data)
    assert found is not None
    assert list(found.labelled) == ["rl"]
    assert found.labelled["rl"].rejected.read == 0
    assert found.labelled["rl"].false_positive.estimate is None
    assert (found.arms, found.pairs) == ({}, [])


def test_other_texts_other_subjects_and_picked_answers_do_not_count(tmp_path: Path) -> None:
    run, _, _ = made(tmp_path / "run", 0)
    queue = make_answer_queue(run.directory, run.experiment)
    first, second, third, fourth = [one for one in queue.items if one.sample.arm == "rl"][:4]
    add_label(run.directory, labelled(replace(first, text_hash="f" * 16), True, queue.name))
    add_label(run.directory, labelled(second, True, None))
    chain = replace(labelled(third, True, queue.name), verdict="valid", subject="reasoning")
    add_label(run.directory, chain)
    add_label(run.directory, replace(labelled(fourth, True, queue.name), verdict="unsure"))
    one = labelled_verdicts(run.data)["rl"]
    assert (one.stale, one.unsure, one.accepted.read + one.rejected.read) == (1, 1, 0)


def test_answers_to_one_problem_count_as_one(tmp_path: Path) -> None:
    """The same error on all sixteen answers of a problem is no more evidence than on one."""
    problems = [Problem("mine", f"p{i}", "How many?", "4") for i in range(20)]
    run = make_run(tmp_path / "run", problems, ARMS, N)
    accepted = {p.problem_id: [("4", True)] * N if i < 10 else [("5", False)] * N
                for i, p in enumerate(problems)}  # fmt: skip
    run.add_verdicts("rl", accepted)
    queue = make_answer_queue(run.directory, run.experiment, per_arm=1000)
    say(run, queue, lambda key: int(key.problem_id[1:]) in range(1, 10))  # p0 is not right
    one = labelled_verdicts(run.data)["rl"]
    assert one.false_positive.estimate == pytest.approx(1 / 11)
    assert given(one.false_positive.high) > 0.3  # one of about ten, not 16 of 160


def test_a_queue_of_answers_has_its_own_words_and_name(tmp_path: Path) -> None:
    run, _, _ = made(tmp_path / "run", 0)
    queue = make_answer_queue(run.directory, run.experiment, per_arm=10)
    assert len(queue.items) == 20
    with pytest.raises(UserError, match="another queue of this name"):
        make_queue(run.directory, run.experiment, name="answers", max_accuracy=1.0)
    wrong_word = replace(labelled(queue.items[0], True, queue.name), verdict="valid")
    with pytest.raises(UserError, match="valid are right, wrong, unsure"):
        add_label(run.directory, wrong_word)

"""The queue: only right answers on hard problems, a uniform draw, and what is kept of the draw."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from analysis_runs import write_verdicts
from click.testing import CliRunner
from conftest import HandMadeRun, make_run

from vlm_boundary.cli import cli
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.queue import make_queue, read_queue
from vlm_boundary.reasoning.selection import correct_samples
from vlm_boundary.store import Partition

N = 40
RIGHT = {"p1": 1, "p2": 10, "p3": 0, "p4": 40}


@pytest.fixture
def run(tmp_path: Path) -> HandMadeRun:
    """Two arms with the same verdicts: 1, 10, 0 and 40 of 40 right."""
    made = make_run(tmp_path / "run")
    experiment = made.experiment.model_copy(
        update={"sampling": made.experiment.sampling.model_copy(update={"n": N})}
    )
    for arm in ("base", "rl"):
        store_verdicts(made, arm, RIGHT)
    return HandMadeRun(made.directory, experiment)


def store_verdicts(run: HandMadeRun, arm: str, right: dict[str, int], n: int = N) -> None:
    rows = [
        {
            "problem_id": problem_id,
            "sample_index": index,
            # Right ones spread over the indices.
            "correct": (index * 7) % n < count,
            "status": "correct",
            "source": "box",
            "flags": [],
            "rule": "",
            "grader": "",
        }
        for problem_id, count in right.items()
        for index in range(n)
    ]
    write_verdicts(run.directory, Partition(arm, "mine"), rows)


def test_every_right_answer_on_hard_problems_is_read(run: HandMadeRun) -> None:
    queue = make_queue(run.directory, run.experiment, max_accuracy=0.5)
    counted = Counter((i.sample.arm, i.sample.problem_id) for i in queue.items)
    assert counted == {
        ("base", "p1"): 1, ("base", "p2"): 10, ("rl", "p1"): 1, ("rl", "p2"): 10,
    }  # fmt: skip
    assert {item.weight for item in queue.items} == {1.0}
    assert len({item.item for item in queue.items}) == 22


def test_the_bound_itself_is_outside_and_1_takes_all(run: HandMadeRun) -> None:
    quarter = make_queue(run.directory, run.experiment, max_accuracy=0.25)
    assert {item.sample.problem_id for item in quarter.items} == {"p1"}
    everything = make_queue(run.directory, run.experiment, max_accuracy=1.0, name="all")
    assert {item.sample.problem_id for item in everything.items} == {"p1", "p2", "p4"}


def test_a_draw_keeps_its_weights(run: HandMadeRun) -> None:
    queue = make_queue(run.directory, run.experiment, max_accuracy=0.5, per_arm=4)
    assert Counter(item.sample.arm for item in queue.items) == {"base": 4, "rl": 4}
    assert {item.weight for item in queue.items} == {11 / 4}


def test_draws_are_uniform_and_arms_mixed(run: HandMadeRun) -> None:
    drawn: Counter[int] = Counter()
    first: Counter[str] = Counter()
    for seed in range(200):
        queue = make_queue(
            run.directory, run.experiment, max_accuracy=0.5, per_arm=4, name=f"q{seed}", seed=seed
        )
        first[queue.items[0].sample.arm] += 1
        drawn.update(
            i.sample.sample_index
            for i in queue.items
            if (i.sample.arm, i.sample.problem_id) == ("rl", "p2")
        )
    assert len(drawn) == 10
    # Each of the 11 is drawn with probability 4/11, 73 times of 200; 4.5 standard deviations.
    assert all(abs(count - 200 * 4 / 11) < 4.5 * (200 * 4 / 11 * 7 / 11) ** 0.5
               for count in drawn.values())  # fmt: skip
    assert 65 < first["rl"] < 135


def test_a_queue_comes_back_and_is_never_replaced_by_another(run: HandMadeRun) -> None:
    queue = make_queue(run.directory, run.experiment, max_accuracy=0.5)
    assert read_queue(run.directory, "paper") == queue
    assert make_queue(run.directory, run.experiment, max_accuracy=0.5) == queue
    with pytest.raises(UserError, match="another queue of this name"):
        make_queue(run.directory, run.experiment, max_accuracy=0.5, seed=1)


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".x"])
def test_names_stay_in_the_folder(run: HandMadeRun, name: str) -> None:
    with pytest.raises(UserError, match="queue name"):
        make_queue(run.directory, run.experiment, max_accuracy=0.5, name=name)


def test_what_is_not_there_is_said(run: HandMadeRun) -> None:
    with pytest.raises(UserError, match=r"no queue 'other'; there are none"):
        read_queue(run.directory, "other")
    with pytest.raises(UserError, match="no right answer on a problem"):
        make_queue(run.directory, run.experiment, max_accuracy=0.01)


def test_the_command(run: HandMadeRun) -> None:
    done = CliRunner().invoke(
        cli, ["queue", str(run.directory.path), "--max-accuracy", "0.5", "-o", "sampling.n=40"]
    )
    assert done.exit_code == 0, done.output
    assert "base: 11 samples on 2 problems" in done.output
    assert "22 samples to read" in done.output


JUDGE = "judge={name: j, model: org/j, engine: {kind: openai, base_url: 'http://127.0.0.1:1/v1'}}"
NONE_RIGHT = dict.fromkeys(RIGHT, 0)


@pytest.mark.parametrize("arm", ["base", "rl"])
def test_an_arm_without_a_right_answer_has_nothing_to_read(run: HandMadeRun, arm: str) -> None:
    store_verdicts(run, arm, NONE_RIGHT)
    done = CliRunner().invoke(
        cli, ["queue", str(run.directory.path), "--max-accuracy", "0.5", "-o", "sampling.n=40"]
    )
    assert done.exit_code == 0, done.output
    assert f"  {arm}: nothing to read, none of its 160 graded samples is right\n" in done.output
    assert "11 samples to read" in done.output


def test_an_arm_without_verdicts_has_nothing_to_read(tmp_path: Path) -> None:
    made = make_run(tmp_path / "begun")
    store_verdicts(made, "base", RIGHT, n=4)
    done = CliRunner().invoke(cli, ["queue", str(made.directory.path), "--max-accuracy", "1"])
    assert done.exit_code == 0, done.output
    assert "  rl: nothing to read, none of its samples has a verdict yet\n" in done.output


def test_nothing_right_anywhere_is_one_line(run: HandMadeRun) -> None:
    for arm in ("base", "rl"):
        store_verdicts(run, arm, NONE_RIGHT)
    said = CliRunner().invoke(cli, ["queue", str(run.directory.path)])
    assert said.exit_code == 2
    assert said.output.endswith(
        "no arm has a right answer, so there is nothing to read; draw more samples\n"
    )


@pytest.mark.parametrize(("command", "options"), [("queue", []), ("judge", ["-o", JUDGE])])
def test_nothing_graded_is_one_line(tmp_path: Path, command: str, options: list[str]) -> None:
    made = make_run(tmp_path / "begun")
    said = CliRunner().invoke(cli, [command, str(made.directory.path), *options])
    assert said.exit_code == 2
    assert said.output.endswith("no sample has a verdict yet; run 'vlm-boundary verify' first\n")
    assert len(said.output.splitlines()) == 1


def test_a_smaller_subset_is_part_of_a_larger_and_stays_when_samples_are_added(
    run: HandMadeRun,
) -> None:
    partition = Partition("rl", "mine")

    def order(n: int) -> dict[str, tuple[int, ...]]:
        found = correct_samples(run.directory, partition, n, 0)
        return {problem.problem_id: problem.indices for problem in found}

    few, all_ = order(20), order(N)
    for problem_id, indices in few.items():
        assert indices == tuple(i for i in all_[problem_id] if i < 20)
    assert sorted(all_["p4"]) == list(range(N))
    assert not np.array_equal(all_["p4"], range(N))

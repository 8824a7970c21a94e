"""Scoring from stage to tables, in this process, with an engine made up here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from required import needs

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.engines.base import Failure, Scored, ScoreRequest, Workload
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew, Job
from vlm_boundary.fleet.session import EngineSession, Listener, OpenedEngine
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.scoring import score, stage, work
from vlm_boundary.scoring.work import Score
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

needs("transformers")

RL = Partition("rl", "procedural")
LONG = (range(4, 5),)


class Scorer:
    """Gives every token -1, and refuses responses with more than three of them."""

    def describe(self) -> dict[str, Any]:
        return {"engine": "made up", "device": "none"}

    def close(self) -> None:
        pass

    def generate(self, *_: object) -> Iterator[Failure]:
        raise AssertionError("nothing is to be drawn")

    def score(
        self, requests: Iterable[ScoreRequest], alive: Callable[[], None]
    ) -> Iterator[Scored | Failure]:
        for request in requests:
            assert request.pictures
            alive()
            for index in request.indices:
                tokens = len(request.responses[index])
                if tokens > 3:
                    yield Failure(request.request_id, index, "too long", lasting=True)
                else:
                    yield Scored(request.request_id, index, [-1.0] * tokens)


@pytest.fixture
def experiment(tmp_path: Path) -> ExperimentConfig:
    """Two arms of five samples per problem, drawn by nobody; the fifth is too long to score."""
    raw = {
        "name": "scored",
        "run_dir": str(tmp_path / "run"),
        "benchmarks": {"procedural": {"procedural": {"count": 8, "seed": 3}}},
        "arms": {
            "base": {"model": "tiny:untrained-1", "role": "base"},
            "rl": {"model": "tiny:untrained-2", "role": "rl"},
        },
        "sampling": {"n": 5, "max_tokens": 8},
    }
    found = build_experiment(raw, (), where="scored.yaml")
    run = RunDirectory(found.run_path)
    prepare(run, found)
    for arm in found.arms:
        writer = SampleWriter(run.samples, Partition(arm, "procedural"))
        for problem in run.read_problems("procedural"):
            for index in range(5):
                ids = [5] * (9 if index == 4 else 2)
                writer.add(Sample(problem.problem_id, index, index, ids, "x", "stop", -2.0))
        writer.flush()
    return found


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that were given, each done here instead of in a process of its own."""
    given: list[Job] = []
    workloads: list[Workload] = []

    def opened(model: str, checkpoint: object, config: object, workload: Workload) -> Scorer:
        assert model == "tiny:untrained-1"
        workloads.append(workload)
        return Scorer()

    class Here(Crew):
        def work_off(self, jobs: Sequence[Job]) -> None:
            for job in jobs:
                units = [unit for unit in job.units if isinstance(unit, Score)]
                scorer = work.Scorer(self._run, units)
                session = EngineSession(scorer, scorer.opening(), OpenedEngine(opened))
                told = Listener()
                for unit in units:
                    scorer.do(unit, session.engine, told)
                session.record(told)
                assert workloads[-1].samplings == ()
                too_long = {spans for unit in units for spans in unit.spans.values()} == {LONG}
                assert bool(told.samples) != too_long
            given.extend(jobs)

    monkeypatch.setattr(stage, "Crew", Here)
    return given


def go(experiment: ExperimentConfig, per_problem: int, **changes: Any) -> tuple[int, int]:
    options = {"responses_of": ["base", "rl"], "under": "base"} | changes
    run = RunDirectory(experiment.run_path)
    return score(run, experiment, per_problem=per_problem, **options)


def test_what_is_missing_goes_to_the_scoring_arms_engine(
    experiment: ExperimentConfig, jobs: list[Job]
) -> None:
    run = RunDirectory(experiment.run_path)
    problems = len(run.read_problems("procedural"))
    assert go(experiment, 3, limit=2) == (2 * 2 * 3, 0)
    assert go(experiment, 5) == (2 * (problems * 4 - 2 * 3), 2 * problems)  # the fifth never
    assert {(job.kind, job.engines) for job in jobs} == {(Score, ("base",))}
    rows = run.scores("base").read(RL).to_pylist()
    assert len(rows) == problems * 4
    assert all((row["tokens"], row["logprob_sum"]) == (2, -2.0) for row in rows)
    assert len(run.scores("base").parts(RL)) == 1
    failed = run.score_failures("base").read(RL)
    assert {(row["sample_index"], row["reason"]) for row in failed} == {(4, "too long")}
    done = [json.loads(path.read_text())["work"] for path in run.writers()]
    assert all(work["scored"] == ["base", "rl"] for work in done)
    assert not any("draw_seconds" in work for work in done)


def test_a_scoring_arm_that_changed_is_refused(
    experiment: ExperimentConfig, jobs: list[Job]
) -> None:
    run = RunDirectory(experiment.run_path)
    raw = run.read_manifest().experiment
    changed = build_experiment(raw, ("arms.base.model=tiny:untrained-3",), where="x")
    with pytest.raises(UserError, match="'base' already holds samples drawn with other weights"):
        go(changed, 1)
    assert jobs == []


def test_what_can_never_be_scored_starts_no_engine_again(
    experiment: ExperimentConfig, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(experiment.run_path)
    problems = len(run.read_problems("procedural"))
    assert go(experiment, 5) == (2 * problems * 4, 2 * problems)
    jobs.clear()
    assert go(experiment, 5) == (0, 2 * problems)  # and it is said, every time
    assert jobs == []
    rows = run.samples.read(RL)
    place = rows.column_names.index("text_hash")
    other = pa.array(["0" * 16] * len(rows))
    run.samples.replace(RL, rows.set_column(place, rows.schema.field(place), other))
    assert go(experiment, 5) == (0, 2 * problems)
    assert [job.units[0].partition.arm for job in jobs] == ["rl"]  # its texts are others now
    jobs.clear()
    monkeypatch.setattr("vlm_boundary.sampling.settled.__version__", "another")
    assert go(experiment, 5) == (0, 2 * problems)
    assert jobs  # with another version it may go

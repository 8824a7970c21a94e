"""One open engine and what it does for a run, wherever its process is."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import (
    EngineConfig,
    ExperimentConfig,
    JudgeConfig,
    PrmConfig,
    SamplingConfig,
)
from vlm_boundary.engines.base import Completion, Engine, ScoringEngine, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.planning.efficiency import Tally
from vlm_boundary.reasoning.judging import judge_chains, plan_judging, stored_judge
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.sampling.conditions import put
from vlm_boundary.sampling.identity import same_source
from vlm_boundary.sampling.jobs import Assignment, Job
from vlm_boundary.sampling.loop import draw
from vlm_boundary.sampling.plan import Span, Task, plan_task
from vlm_boundary.scoring.loop import plan_scores, score_responses
from vlm_boundary.store import Partition, RunDirectory

OpenEngine = Callable[[str, Checkpoint | None, EngineConfig | PrmConfig, Workload], Engine]


def anything_missing(run: RunDirectory, job: Job) -> bool:
    """Whether the run lacks something of a job, so that an engine is worth its start."""
    seed = ExperimentConfig.model_validate(run.read_manifest().experiment).seed
    return any(_task(run, assignment, seed).samples for assignment in job.assignments)


class EngineSession:
    """An engine, open until `close`, that draws, scores or judges for a run.

    Args:
        run: where results are stored.
        job: everything that the engine may be asked for, which decides how it is opened.
        opener: what opens it.

    Raises:
        UserError: the engine cannot be had as the experiment asks for it.
    """

    def __init__(self, run: RunDirectory, job: Job, opener: OpenEngine = open_engine) -> None:
        self._run = run
        self._job = job
        manifest = run.read_manifest()
        self._experiment = ExperimentConfig.model_validate(manifest.experiment)
        self._benchmarks = {
            name: BenchmarkConfig.model_validate(known.config)
            for name, known in manifest.benchmarks.items()
        }
        self._model = _model(run, self._experiment, job)
        started = time.monotonic()
        self._engine = opener(
            self._model.name, self._model.checkpoint, self._model.engine, self._workload()
        )
        self._ready = time.monotonic()
        self.start_seconds = self._ready - started
        self._begun = datetime.now(UTC).isoformat()
        self._said = self._engine.describe()
        self._tally = Tally()

    @property
    def sequences(self) -> int | None:
        """How many samples the engine draws at a time, where it says so."""
        return self._said.get("max_num_seqs")

    def work(
        self, assignment: Assignment, done: Callable[[int], None], alive: Callable[[], None]
    ) -> None:
        """Do what the run lacks of an assignment.

        Args:
            done: called with the tokens of each result, once it is stored.
            alive: called whenever the engine has done something.
        """
        run, model, seed = self._run, self._model, self._experiment.seed
        task = _task(run, assignment, seed)  # planned now: the wave before may have drawn some
        benchmark = self._benchmarks[assignment.benchmark]

        def counted(tokens: int) -> None:
            self._tally.count(tokens)
            done(tokens)

        if model.judge is not None:
            variant, problems = assignment.variant, run.read_problems(assignment.benchmark)
            judge_chains(
                run,
                model.judge,
                benchmark.images,
                task,
                variant,
                problems,
                self._engine,
                seed,
                counted,
                alive,
            )
        elif assignment.under is not None:
            assert isinstance(self._engine, ScoringEngine)  # the stage has seen to that
            under = assignment.under
            score_responses(
                run, self._experiment, benchmark, task, under, self._engine, counted, alive
            )
        else:
            self.draw(task.partition, task.spans, lambda _, tokens: done(tokens), alive)

    def draw(
        self,
        partition: Partition,
        spans: Iterable[Span],
        done: Callable[[str, int], None],
        alive: Callable[[], None],
    ) -> None:
        """Draw spans of one partition, taken from the iterable as the engine has room for them.

        Args:
            done: called with the problem and the tokens of each sample, once it is stored.
            alive: called whenever the engine has done something.
        """

        def drawn(problem_id: str, sample: Completion) -> None:
            self._tally.add(partition, problem_id, sample)
            done(problem_id, len(sample.token_ids))

        benchmark = self._benchmarks[partition.benchmark]
        draw(self._run, self._experiment, benchmark, partition, spans, self._engine, drawn, alive)

    def close(self) -> None:
        """Record what was done and with what, and end the engine."""
        seconds = round(time.monotonic() - self._ready, 3)
        tally, model, job = self._tally, self._model, self._job
        work = {
            "started": self._begun,
            "samples": tally.samples,
            "tokens": tally.tokens,
            "start_seconds": round(self.start_seconds, 3),
            "peak_memory_bytes": _peak_memory(),
            **self._engine.usage(),
        }
        read = list(dict.fromkeys(assignment.arm for assignment in job.assignments))
        if job.activity == "scoring":
            work |= {"scored": read, "score_seconds": seconds}
        elif job.activity == "judging":
            work |= {"judged": read, "judge_seconds": seconds}
        else:
            folder = model.checkpoint.folder if model.checkpoint else None
            bound = tally.lower_bound(folder, self._said)
            work |= {"draw_seconds": seconds, "lower_bound": bound}
        record = {"arms": job.arms, "engine": self._said, "work": work}
        # A file of its own: writers of one run, on whatever machine, never write the same one.
        name = f"{job.arms[0]}-{os.getpid()}-{int(time.time())}-{uuid4().hex[:8]}"
        try:
            self._run.add_writer(name, record)
        finally:
            self._engine.close()

    def _workload(self) -> Workload:
        if not self._model.sees:
            return Workload(samplings=self._model.samplings, max_images=0)
        assignments = self._job.assignments
        budget = _largest_budget([self._benchmarks[a.benchmark] for a in assignments])
        pictures = _most_pictures(self._run, assignments, self._experiment.seed)
        return Workload(samplings=self._model.samplings, max_images=pictures, **budget)


@dataclass(frozen=True)
class _Model:
    """What an engine is opened with: an arm, or the judge."""

    name: str
    checkpoint: Checkpoint | None
    engine: EngineConfig | PrmConfig
    samplings: tuple[SamplingConfig, ...]
    judge: JudgeConfig | None = None

    @property
    def sees(self) -> bool:
        """Whether it is shown pictures."""
        return self.judge is None or self.judge.pictures


def _model(run: RunDirectory, experiment: ExperimentConfig, job: Job) -> _Model:
    manifest, name = run.read_manifest(), job.arms[0]
    if job.activity == "judging":
        judge = stored_judge(run, name)
        engine = judge.engine or experiment.engine
        checkpoint = manifest.judges[name].checkpoint
        return _Model(judge.model, checkpoint, engine, (judge.sampling,), judge)
    known = manifest.arms[name]
    draws = job.activity == "sampling"
    samplings = tuple(map(experiment.arm_sampling, job.arms)) if draws else ()
    arm, engine = experiment.arms[name], experiment.arm_engine(name)
    checkpoint = known.checkpoint
    if checkpoint is not None and not checkpoint.folder.exists():
        checkpoint = same_source(arm, engine, known.identity)  # another machine than the manifest's
    return _Model(arm.model, checkpoint, engine, samplings)


def _task(run: RunDirectory, assignment: Assignment, seed: int) -> Task:
    shown = put(run.read_problems(assignment.benchmark), assignment.condition, seed)
    known = {problem.problem_id: problem for problem in shown}
    problems = [known[problem_id] for problem_id in assignment.problems]
    partition = Partition(assignment.arm, assignment.benchmark, assignment.condition)
    if assignment.judge is not None:
        judge = stored_judge(run, assignment.judge)
        whole = run.read_problems(assignment.benchmark)
        task = plan_judging(run, judge, assignment.variant, partition, assignment.n, seed, whole)
        mine = set(assignment.problems)
        return replace(task, spans=[s for s in task.spans if s.problem.problem_id in mine])
    if assignment.under is None:
        return plan_task(run, partition, assignment.n, problems)
    return plan_scores(run, partition, assignment.under, assignment.n, problems)


def _most_pictures(run: RunDirectory, assignments: Iterable[Assignment], seed: int) -> int:
    return max(
        len(span.problem.pictures)
        for assignment in assignments
        for span in _task(run, assignment, seed).spans
    )


def _peak_memory() -> int:
    """The most that this process and any one of its children held, in bytes."""
    scopes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    return sum(resource.getrusage(scope).ru_maxrss for scope in scopes) * unit


def _largest_budget(benchmarks: list[BenchmarkConfig]) -> dict[str, int | None]:
    budgets = [b.images for b in benchmarks]
    if any(images.max_pixels is None for images in budgets):
        return {"min_pixels": None, "max_pixels": None}
    smallest = [images.min_pixels for images in budgets]
    return {
        "min_pixels": None if None in smallest else min(filter(None, smallest), default=None),
        "max_pixels": max(images.max_pixels or 1 for images in budgets),
    }

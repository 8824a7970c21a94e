"""The sampling stage: what is missing, shared out over engine processes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vlm_boundary.config import FULL, Condition, ExperimentConfig
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import put
from vlm_boundary.sampling.jobs import Job, make_jobs, waves
from vlm_boundary.sampling.places import Place, engine_places
from vlm_boundary.sampling.plan import ALL, Scope, Task, TopUp, plan_task
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sampling.supervise import run_jobs
from vlm_boundary.store import Partition, RunDirectory, Shard, compact_run


def sample(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    limit: int | None = None,
    shard: Shard = ALL,
    top_ups: Sequence[TopUp] = (),
) -> int:
    """Draw every sample that the experiment asks for and the run lacks; returns how many.

    Args:
        limit: sample only each benchmark's first problems.
        shard: of those, sample only one share; other processes may sample the others meanwhile.
        top_ups: draw these in place of what the experiment asks for.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; running the stage again goes on from there.
    """
    scope = Scope(limit, shard, tuple(top_ups))
    with run.locks.writing(shard):
        with run.locks.turn():
            manifest = prepare(run, experiment)
        missing = _samples(tasks_of(run, experiment, scope))
        if missing and experiment.ray:
            from vlm_boundary.cluster.stage import draw_models

            steps = _steps(experiment, scope)
            draw_models(run, experiment, partial(_groups, run, experiment, manifest, scope, steps))
        elif missing:
            _draw(run, experiment, manifest, scope, engine_places(experiment))
        with run.locks.alone(shard) as alone:
            if alone:  # the last of several writers tidies up for all
                compact_run(run)
        # Counted from the tables: what could not be drawn is still missing.
        return missing - _samples(tasks_of(run, experiment, scope))


def _draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    manifest: Manifest,
    scope: Scope,
    places: list[Place],
) -> None:
    steps = _steps(experiment, scope)
    jobs = _jobs(run, experiment, manifest, scope, steps, places)
    if len(jobs) <= len(places):  # all at once, each taking the waves one after the other
        run_jobs(run, jobs, places, experiment.timeouts)
        return
    for step in steps:  # each a round of all arms, so that being stopped leaves a usable pair
        jobs = _jobs(run, experiment, manifest, scope, [step], places)
        run_jobs(run, jobs, places, experiment.timeouts)


def _jobs(
    run: RunDirectory,
    experiment: ExperimentConfig,
    manifest: Manifest,
    scope: Scope,
    steps: list[int],
    places: list[Place],
) -> list[Job]:
    """Jobs for what is missing, shared out over the places."""
    return make_jobs(_groups(run, experiment, manifest, scope, steps), len(places))


def _groups(
    run: RunDirectory,
    experiment: ExperimentConfig,
    manifest: Manifest,
    scope: Scope,
    steps: list[int],
) -> dict[str, list[tuple[int, Task]]]:
    """What is missing, arms of one source under one engine setting together."""
    groups: dict[str, list[tuple[int, Task]]] = {}
    for step in steps:
        for n, task in tasks_of(run, experiment, scope, step):
            if task.samples:
                arm = manifest.arms[task.partition.arm]
                source = repr((arm.identity.weights, arm.checkpoint, arm.engine))
                groups.setdefault(source, []).append((n, task))
    return groups


def _steps(experiment: ExperimentConfig, scope: Scope) -> list[int]:
    return waves(experiment, max(n for *_, n, _ in _targets(experiment, scope)))


def tasks_of(
    run: RunDirectory, experiment: ExperimentConfig, scope: Scope, step: int | None = None
) -> list[tuple[int, Task]]:
    """What every partition lacks of its n, or of a wave's where that is smaller, with that n."""
    shown: dict[tuple[str, Condition], list[Problem]] = {}
    tasks = []
    for arm, benchmark, condition, n, ids in _targets(experiment, scope):
        key = (benchmark, condition)
        if key not in shown:
            problems = put(run.read_problems(benchmark), condition, experiment.seed)
            shown[key] = scope.of(problems)
        where = Partition(arm, benchmark, condition)
        problems = [p for p in shown[key] if ids is None or p.problem_id in ids]
        least = n if step is None else min(n, step)
        tasks.append((least, plan_task(run, where, least, problems)))
    return tasks


def _targets(
    experiment: ExperimentConfig, scope: Scope
) -> list[tuple[str, str, Condition, int, frozenset[str] | None]]:
    """What is to be sampled: arm, benchmark, condition, samples a problem, and of which problems.

    None stands for all problems in scope.
    """
    if scope.top_ups:
        return [(t.arm, t.benchmark, FULL, t.n, t.problem_ids) for t in scope.top_ups]
    return [(*target, None) for target in experiment.targets()]


def _samples(tasks: list[tuple[int, Task]]) -> int:
    return sum(task.samples for _, task in tasks)

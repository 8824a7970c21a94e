"""The sampling stage: what is missing, shared out over engine processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vlm_boundary.config import FULL, Condition, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import make_jobs, run_jobs
from vlm_boundary.fleet.places import engine_places
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import shown_under
from vlm_boundary.sampling.plan import ALL, Scope, Task, TopUp, plan_task
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sampling.settled import without_settled
from vlm_boundary.sampling.work import Draw
from vlm_boundary.store import Partition, RunDirectory, Shard, compact_run

Wanted: TypeAlias = Sequence[Sequence[Draw]]
"""What is to be drawn, for each engine that is needed: a checkpoint under one setting."""
Scheduler: TypeAlias = Callable[[RunDirectory, ExperimentConfig, Wanted], None]
"""Has it drawn."""


@dataclass(frozen=True)
class Drawn:
    """How many samples were drawn, and for every partition what is still missing."""

    samples: int
    left: tuple[Task, ...]


def sample(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    limit: int | None = None,
    shard: Shard = ALL,
    top_ups: Sequence[TopUp] = (),
    scheduler: Scheduler | None = None,
) -> Drawn:
    """Draw every sample that the experiment asks for and the run lacks.

    Args:
        limit: sample only each benchmark's first problems.
        shard: of those, sample only one share; other processes may sample the others meanwhile.
        top_ups: draw these in place of what the experiment asks for.
        scheduler: who has it drawn, and where; by default this machine, by `on_this_machine`.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; running the stage again goes on from there.
    """
    if scheduler is None and experiment.ray:
        raise UserError(
            "ray: sample() draws here; give it scheduler=vlm_boundary.cluster.draw_models"
        )
    _refuse_looks(experiment)
    scope = Scope(limit, shard, tuple(top_ups))
    with run.locks.writing(shard):
        with run.locks.turn():
            manifest = prepare(run, experiment)
        tasks = _tasks(run, experiment, scope)
        drawable = without_settled(run, manifest, tasks)
        if _samples(drawable):
            (scheduler or on_this_machine)(run, experiment, _groups(manifest, experiment, drawable))
        with run.locks.alone(shard) as alone:
            if alone:  # the last of several writers tidies up for all
                compact_run(run)
        # Read from the tables: what could not be drawn is still missing.
        left = tuple(task.left(run) for task in tasks)
        return Drawn(_samples(tasks) - _samples(left), left)


def _refuse_looks(experiment: ExperimentConfig) -> None:
    """Refuse a stopping rule where samples cost something and would all be drawn nevertheless."""
    for arm in experiment.arms:
        kind = experiment.arm_engine(arm).kind
        if experiment.arm_sampling(arm).rule and kind != "replay":
            raise UserError(
                f"arms.{arm}.sampling.stop: engine kind {kind} cannot stop early yet, only stored "
                f"samples (kind replay) can be read by a rule; set stop: null"
            )


def on_this_machine(run: RunDirectory, experiment: ExperimentConfig, wanted: Wanted) -> None:
    """Draw in processes of this machine, one at each of its places."""
    places = engine_places(experiment)
    jobs = make_jobs(wanted, len(places))
    if len(jobs) <= len(places):  # all at once, each taking the waves one after the other
        run_jobs(run, jobs, places, experiment.timeouts)
        return
    # Each wave is a round of all arms, so that being stopped leaves a usable pair.
    for wave in sorted({unit.wave for units in wanted for unit in units}):
        part = [[unit for unit in units if unit.wave == wave] for units in wanted]
        run_jobs(run, make_jobs(part, len(places)), places, experiment.timeouts)


def waves(experiment: ExperimentConfig, n: int) -> list[int]:
    """The n that arms are brought to in turn, the last of them n itself."""
    return [*(wave for wave in experiment.waves if wave < n), n]


def _groups(
    manifest: Manifest, experiment: ExperimentConfig, tasks: Sequence[Task]
) -> list[list[Draw]]:
    """Tasks as units, wave by wave, arms of one source under one engine setting together."""
    groups: dict[str, list[Draw]] = {}
    start = 0
    for stop in waves(experiment, max(s.indices.stop for task in tasks for s in task.spans)):
        for task in tasks:
            unit = Draw(task.partition, task.spans_by_problem(), stop).within(start, stop)
            if unit.spans:
                arm = manifest.arms[task.partition.arm]
                source = repr((arm.identity.weights, arm.checkpoint, arm.engine))
                groups.setdefault(source, []).append(unit)
        start = stop
    return list(groups.values())


def _tasks(run: RunDirectory, experiment: ExperimentConfig, scope: Scope) -> list[Task]:
    """What every partition lacks of its n."""
    shown: dict[tuple[str, Condition], list[Problem]] = {}
    tasks = []
    for arm, benchmark, condition, n, ids in _targets(experiment, scope):
        key = (benchmark, condition)
        if key not in shown:
            problems = shown_under(run.read_problems(benchmark), condition, experiment.seed)
            shown[key] = scope.of(problems)
        problems = [p for p in shown[key] if ids is None or p.problem_id in ids]
        tasks.append(plan_task(run, Partition(arm, benchmark, condition), n, problems))
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


def _samples(tasks: Sequence[Task]) -> int:
    return sum(task.samples for task in tasks)

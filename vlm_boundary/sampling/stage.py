"""The sampling stage: what is missing, shared out over engine processes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TypeAlias

from vlm_boundary.config import FULL, Condition, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew, make_jobs
from vlm_boundary.fleet.places import engine_places
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.asked import Asked, Target
from vlm_boundary.sampling.conditions import rules_of, shown_under
from vlm_boundary.sampling.plan import ALL, Scope, Task, TopUp, plan_task
from vlm_boundary.sampling.prepare import Prepared, begin
from vlm_boundary.sampling.settled import drawn_under, without_refused
from vlm_boundary.sampling.work import Draw
from vlm_boundary.store import Partition, RunDirectory, Shard, compact_if_alone

Wanted: TypeAlias = Sequence[Sequence[Draw]]
"""What is to be drawn, for each engine that is needed: a checkpoint under one setting."""
Scheduler: TypeAlias = Callable[[RunDirectory, ExperimentConfig, Wanted], None]
"""Has it drawn."""


@dataclass(frozen=True)
class Drawn:
    """How many samples were drawn, and for every partition what is still missing.

    `looked_at` are each partition's problems; those that its condition cannot show have an error.
    """

    samples: int
    left: tuple[Task, ...]
    looked_at: Mapping[Partition, Sequence[Problem]]


def sample(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    limit: int | None = None,
    shard: Shard = ALL,
    top_ups: Sequence[TopUp] = (),
    scheduler: Scheduler | None = None,
    arms: Collection[str] | None = None,
    conditions: Collection[Condition] | None = None,
) -> Drawn:
    """Draw every sample that the experiment asks for and the run lacks.

    Args:
        limit: sample only each benchmark's first problems.
        shard: of those, sample only one share; other processes may sample the others meanwhile.
        top_ups: draw these in place of what the experiment asks for.
        scheduler: who has it drawn, and where; by default this machine.
        arms: draw for these alone; the checkpoints of others need not be there any more.
        conditions: draw under these alone.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; running the stage again goes on from there.
    """
    if scheduler is None and experiment.ray:
        raise UserError(
            "ray: sample() draws here; give it scheduler=vlm_boundary.cluster.draw_models"
        )
    under = None if conditions is None else frozenset(conditions)
    scope = Scope(limit, shard, tuple(top_ups), under)
    asked = Asked.of_arms(experiment, arms)
    with run.locks.writing(shard), ExitStack() as turn:
        turn.enter_context(run.locks.turn())
        prepared = begin(run, experiment, asked)

        def settle() -> None:
            prepared.settle()
            turn.close()

        waits = scheduler is None and prepared.can_wait
        if not waits:
            settle()
        tasks, drawable, looked_at = _tasks(prepared, scope)

        def before_drawing() -> None:
            if waits:
                settle()
            _record_unshown(run, looked_at)

        wanted = _groups(prepared.manifest, drawable)
        if scheduler is None and wanted:
            _on_this_machine(prepared, wanted, before_drawing, ahead=waits)
        else:
            before_drawing()
            if scheduler:
                scheduler(run, experiment, wanted)
        compact_if_alone(run, shard)
        return _drawn(run, tasks, looked_at)


def _on_this_machine(
    prepared: Prepared, wanted: Wanted, before_drawing: Callable[[], None], *, ahead: bool
) -> None:
    """Draw in processes of this machine, one at each of its places.

    Args:
        ahead: whether processes are started already while `before_drawing` is done.
    """
    experiment = prepared.experiment
    places = engine_places(experiment)
    waves = [waves_of(experiment, units) for units in wanted]
    if len(make_jobs(wanted, len(places))) <= len(places):
        # All at once, each engine taking the waves of its arms one after the other.
        rounds = [
            [
                list(units) if _goes_on(units) else [unit for wave in theirs for unit in wave]
                for units, theirs in zip(wanted, waves, strict=True)
            ]
        ]
    else:
        # Each wave is a round of all arms, so that being stopped leaves a usable pair.
        rounds = [list(part) for part in zip_longest(*waves, fillvalue=[])]
    jobs = [make_jobs(part, len(places)) for part in rounds]
    kinds = {arm: one.engine.kind for arm, one in prepared.asked.items()}
    with Crew(prepared.run, places, experiment.timeouts) as crew:
        if ahead:
            crew.start(jobs[0], kinds)
        before_drawing()
        for part in jobs:
            crew.work_off(part)


def waves_of(experiment: ExperimentConfig, units: Sequence[Draw]) -> list[list[Draw]]:
    """Units part by part: all are brought to the first n, then to the next, the last of them n.

    Under a stopping rule there are two: the first look, which makes a curve, and all the rest, in
    which no problem waits for another.
    """
    stops = {unit.rule.first for unit in units if unit.rule} or set(experiment.waves)
    stopping_at = (span.stop for unit in units for spans in unit.spans.values() for span in spans)
    last = max(stopping_at, default=0)
    bounds = [0, *sorted(stop for stop in stops if stop < last), last]
    parts = ([unit.within(*pair) for unit in units] for pair in pairwise(bounds))
    return [[unit for unit in part if unit.spans] for part in parts]


def _goes_on(units: Sequence[Draw]) -> bool:
    """Whether waves would only make problems wait: nothing else is to have its turn."""
    return len(units) == 1 and units[0].rule is not None


def _groups(manifest: Manifest, tasks: Sequence[Task]) -> list[list[Draw]]:
    """Tasks as units, those of arms of one source under one engine setting together."""
    groups: dict[str, list[Draw]] = {}
    for task in tasks:
        if task.spans:
            arm = manifest.arms[task.partition.arm]
            source = repr((arm.identity.weights, arm.checkpoint, arm.engine))
            # Samples that exist cost nothing: all that there are of them are taken.
            rule = None if arm.engine.get("kind") == "replay" else task.rule
            unit = Draw(task.partition, task.spans_by_problem(), rule)
            groups.setdefault(source, []).append(unit)
    return list(groups.values())


def _tasks(
    prepared: Prepared, scope: Scope
) -> tuple[list[Task], list[Task], dict[Partition, list[Problem]]]:
    """What every partition lacks of its n, of that what may be drawn, and its problems."""
    run = prepared.run
    cut: dict[Target, list[Problem]] = {}
    tasks, drawable, looked_at = [], [], {}
    for arm, target, ids, start in _targets(prepared.asked, scope):
        if target not in cut:
            problems = prepared.problems[target.benchmark]
            benchmark = prepared.benchmarks[target.benchmark]
            rules = rules_of(run, benchmark, target.condition, target.strength)
            shown = shown_under(problems, target.condition, prepared.experiment.seed, rules)
            cut[target] = scope.cut(problems, shown)
        partition = Partition(arm, target.benchmark, target.condition)
        chosen = [p for p in cut[target] if ids is None or p.problem_id in ids]
        usable = [problem for problem in chosen if problem.error is None]
        task = plan_task(run, partition, target.n, usable, target.rule, start)
        tasks.append(task)
        if task.spans and (kept := run.failures.settled(partition)):
            task = without_refused(run, task, kept, drawn_under(prepared.manifest, partition))
        drawable.append(task)
        looked_at[partition] = cut[target]
    return tasks, drawable, looked_at


def _drawn(
    run: RunDirectory, tasks: Sequence[Task], looked_at: Mapping[Partition, Sequence[Problem]]
) -> Drawn:
    # Read from the tables: what could not be drawn is still missing.
    left = tuple(task.left(run) for task in tasks)
    drawn = sum(task.held for task in left) - sum(task.held for task in tasks)
    return Drawn(drawn, left, looked_at)


def _record_unshown(run: RunDirectory, looked_at: Mapping[Partition, Sequence[Problem]]) -> None:
    """Keep why problems are not asked under a condition, each reason once."""
    for partition, problems in looked_at.items():
        found = [(p.problem_id, None, str(p.error)) for p in problems if p.error is not None]
        if found:
            kept = {(row["problem_id"], row["reason"]) for row in run.failures.read(partition)}
            run.failures.add(partition, [one for one in found if (one[0], one[2]) not in kept])


def _targets(
    asked: Mapping[str, Asked], scope: Scope
) -> list[tuple[str, Target, frozenset[str] | None, int]]:
    """What is to be sampled of which arm, of which problems, and from which sample on.

    None stands for all problems in scope.
    """
    if scope.top_ups:
        return [
            (t.arm, Target(t.benchmark, FULL, t.n), t.problem_ids, t.start) for t in scope.top_ups
        ]
    return [
        (arm, target, None, 0)
        for arm, one in asked.items()
        for target in one.targets
        if scope.conditions is None or target.condition in scope.conditions
    ]

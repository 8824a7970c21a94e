"""The scoring stage: what is missing, given to an engine of the scoring arm."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew, make_jobs
from vlm_boundary.fleet.places import engine_places
from vlm_boundary.sampling.conditions import shown_under
from vlm_boundary.sampling.plan import ALL, Scope, Task
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sampling.settled import without_refused
from vlm_boundary.scoring.work import Score, plan_scores, scored_under
from vlm_boundary.store import Partition, RunDirectory, compact_if_alone


def score(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    responses_of: Sequence[str],
    under: str,
    per_problem: int,
    limit: int | None = None,
) -> tuple[int, int]:
    """Score stored responses under one arm; returns how many were scored and how many are left.

    What is left could not be scored; the reasons are in `run.score_failures(under)`.

    Args:
        responses_of: the arms whose responses are scored.
        under: the arm that scores them, under its own prompt protocol and chat template.
        per_problem: the first responses of each problem that are scored.
        limit: only each benchmark's first problems.

    Raises:
        UserError: there is no such arm or nothing of it to score, or the scoring arm's checkpoint
            is not what it was.
        EngineDied: the engine failed; running the stage again goes on from there.
    """
    for arm in (*responses_of, under):
        if arm not in experiment.arms:
            raise UserError(f"no arm {arm!r}; there are {', '.join(experiment.arms)}")
    engine = experiment.arm_engine(under)
    if not engine.scores:
        raise UserError(
            f"arm {under!r}: engine kind {engine.kind} cannot score responses; use vllm"
        )
    for arm in responses_of:
        if not any(run.samples.parts(Partition(arm, name)) for name in experiment.benchmarks):
            raise UserError(f"{run.path}: there are no samples of {arm!r} to score; sample first")
    with run.locks.writing(ALL):
        with run.locks.turn():
            _refuse_other_changes(run, experiment, under)
            manifest = prepare(run, experiment, only=[under])
        tasks = _tasks(run, experiment, responses_of, under, per_problem, limit)
        missing = _samples(tasks)
        failures = run.score_failures(under)
        scorable = [
            without_refused(run, t, failures.settled(t.partition), decided_by) if t.spans else t
            for t in tasks
            for decided_by in [scored_under(manifest, t.partition, under)]
        ]
        if _samples(scorable):
            places = engine_places(experiment)
            units = [Score(t.partition, t.spans_by_problem(), under) for t in scorable if t.samples]
            with Crew(run, places, experiment.timeouts) as crew:
                crew.work_off(make_jobs([units], len(places)))
        compact_if_alone(run, ALL)
        left = _samples(_tasks(run, experiment, responses_of, under, per_problem, limit))
        return missing - left, left


def _refuse_other_changes(run: RunDirectory, experiment: ExperimentConfig, under: str) -> None:
    """The manifest goes on saying what was sampled: only the scoring arm is looked at anew."""
    sampled = run.read_manifest().experiment["arms"]
    for name, arm in experiment.arms.items():
        if name != under and sampled.get(name) not in (None, arm.model_dump(mode="json")):
            raise UserError(
                f"{run.path}: arm {name!r} is not as it was sampled; restore its settings, since "
                f"scoring under {under!r} does not look at it again"
            )


def _tasks(
    run: RunDirectory,
    experiment: ExperimentConfig,
    responses_of: Sequence[str],
    under: str,
    per_problem: int,
    limit: int | None,
) -> list[Task]:
    tasks = []
    for benchmark in experiment.benchmarks:
        shown = shown_under(run.read_problems(benchmark), FULL, experiment.seed)
        problems = Scope(limit).of(shown)
        for arm in responses_of:
            where = Partition(arm, benchmark)
            tasks.append(plan_scores(run, where, under, per_problem, problems))
    return tasks


def _samples(tasks: list[Task]) -> int:
    return sum(task.samples for task in tasks)

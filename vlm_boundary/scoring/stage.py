"""The scoring stage: what is missing, given to an engine of the scoring arm."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sampling.stage import places
from vlm_boundary.sampling.supervise import Job, run_jobs
from vlm_boundary.scoring.loop import plan_scores
from vlm_boundary.store import Partition, RunDirectory


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
    for arm in responses_of:
        if not any(run.samples.parts(p) for p in _partitions(experiment, arm)):
            raise UserError(f"{run.path}: there are no samples of {arm!r} to score; sample first")
    with run.writing():
        _refuse_other_changes(run, experiment, under)
        prepare(run, experiment, only=[under])
        missing = _missing(run, experiment, responses_of, under, per_problem, limit)
        if missing == 0:
            return 0, 0
        options = [f"--responses-of={arm}" for arm in responses_of]
        options.append(f"--per-problem={per_problem}")
        job = Job((under,), missing, tuple(options), activity="scoring")
        at_once, threads = places(experiment, 1)
        run_jobs(run, [job], at_once=at_once, threads=threads, limit=limit)
        left = _missing(run, experiment, responses_of, under, per_problem, limit)
        return missing - left, left


def _refuse_other_changes(run: RunDirectory, experiment: ExperimentConfig, under: str) -> None:
    """The manifest goes on saying what was sampled: only the scoring arm is looked at anew."""
    sampled = run.read_manifest()["experiment"]["arms"]
    for name, arm in experiment.arms.items():
        if name != under and sampled.get(name) not in (None, arm.model_dump(mode="json")):
            raise UserError(
                f"{run.path}: arm {name!r} is not as it was sampled; restore its settings, since "
                f"scoring under {under!r} does not look at it again"
            )


def _missing(
    run: RunDirectory,
    experiment: ExperimentConfig,
    responses_of: Sequence[str],
    under: str,
    per_problem: int,
    limit: int | None,
) -> int:
    return sum(
        plan_scores(run, partition, under, per_problem, limit=limit).samples
        for arm in responses_of
        for partition in _partitions(experiment, arm)
    )


def _partitions(experiment: ExperimentConfig, arm: str) -> list[Partition]:
    return [Partition(arm, benchmark) for benchmark in experiment.benchmarks]

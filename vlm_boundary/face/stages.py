"""What a command does besides reading its options and printing; `Run` and the commands share it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlm_boundary.config import Condition, ExperimentConfig
    from vlm_boundary.reasoning.judge.stage import Judged
    from vlm_boundary.sampling.plan import TopUp
    from vlm_boundary.sampling.stage import Scheduler
    from vlm_boundary.store import RunDirectory, Shard

_WAITS = ("wrong_prefix waits for all shards: run the same command without --shard then",)


@dataclass(frozen=True)
class Sampled:
    """What sampling did.

    Attributes:
        samples: how many were drawn.
        speed: how fast, a line an engine process.
        told: what could not be drawn, and what is not known of what was, in lines.
        empty: arms and benchmarks of which there is no sample at all, in words.
    """

    samples: int
    speed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """What was done with samples up to the report.

    Attributes:
        judged: what a judge read; None where the experiment has none.
        told: where grading failed, and what no number stands on, in lines.
        page: the report.
    """

    graded: int
    checked: int
    judged: Judged | None
    told: tuple[str, ...]
    page: Path


def draw(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    limit: int | None = None,
    shard: Shard | None = None,
    top_ups: Sequence[TopUp] = (),
    arms: Collection[str] | None = None,
) -> Sampled:
    """Draw the samples that a run lacks.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; the same call goes on from there.
    """
    from vlm_boundary.config import FULL
    from vlm_boundary.sampling import ALL, outcome, sample
    from vlm_boundary.sampling.stage import Drawn

    before = set(run.writers())

    def drawn_under(conditions: Collection[Condition] | None) -> Drawn:
        return sample(
            run,
            experiment,
            limit=limit,
            shard=shard or ALL,
            top_ups=top_ups,
            scheduler=scheduler_of(experiment),
            arms=arms,
            conditions=conditions,
        )

    late = [] if top_ups else [name for name in experiment.controls if name == "wrong_prefix"]
    early: list[Condition] = [FULL, *(c for c in experiment.controls if c not in late)]
    drawn = drawn_under(early if late else None)
    waits = bool(late) and shard is not None and shard.count > 1
    if late and not waits:
        choose_beginnings(run, experiment, limit=limit)
        after = drawn_under(late)
        drawn = Drawn(
            drawn.samples + after.samples,
            (*drawn.left, *after.left),
            {**drawn.looked_at, **after.looked_at},
        )
    lacks = outcome.find_lacks(run, drawn.left)
    unknown = outcome.unknown_lines(run, experiment) if drawn.samples or lacks else ()
    empty = (lack.partition for lack in lacks if lack.missing == lack.asked)
    return Sampled(
        drawn.samples,
        speed=tuple(outcome.speed_lines(set(run.writers()) - before)),
        told=(
            *(*unknown, *(_WAITS if waits else ()), *outcome.not_shown_lines(drawn.looked_at)),
            *(line for lack in lacks for line in lack.lines()),
        ),
        empty=tuple(f"{one.arm} on {one.benchmark}" for one in empty),
    )


def choose_beginnings(
    run: RunDirectory, experiment: ExperimentConfig, *, limit: int | None = None
) -> None:
    """Grade and check what there is, and choose what answers are begun with under wrong_prefix."""
    from vlm_boundary.reasoning.stage import check
    from vlm_boundary.sampling.prefixes import choose_prefixes
    from vlm_boundary.verifier import verify

    if run.samples.partitions():
        verify(run)
        check(run)
    choose_prefixes(run, experiment, limit=limit)


def finish(run: RunDirectory, experiment: ExperimentConfig, *, forks: int = 1) -> Finished:
    """Everything after sampling, as far as it is not up to date.

    Args:
        forks: processes that figures are drawn in.
    """
    from vlm_boundary.analysis.left_out import left_out_lines
    from vlm_boundary.reasoning.judge.stage import judge
    from vlm_boundary.reasoning.stage import check
    from vlm_boundary.records.analysis import read_analysis
    from vlm_boundary.report import up_to_date_report
    from vlm_boundary.verifier import verify

    graded = verify(run)
    checked = check(run).samples
    judged = judge(run, experiment) if experiment.judge else None
    page = up_to_date_report(run, experiment, forks=forks)
    told = (*failure_lines(run), *left_out_lines(read_analysis(run.analysis)))
    return Finished(graded, checked, judged, told, page)


def follow_up(
    run: RunDirectory, experiment: ExperimentConfig, wanted: Sequence[TopUp]
) -> tuple[Sampled, Finished]:
    """Draw further samples of some problems, and grade and report what there is then.

    Args:
        wanted: from `analysis.followup.top_ups`.
    """
    from vlm_boundary.analysis.left_out import left_out_lines
    from vlm_boundary.analysis.stage import analyze
    from vlm_boundary.report import report
    from vlm_boundary.verifier import verify

    drawn = draw(run, experiment, top_ups=wanted)
    graded = verify(run)
    told = (*failure_lines(run), *left_out_lines(analyze(run, experiment)))
    return drawn, Finished(graded, 0, None, told, report(run, experiment))


def failure_lines(run: RunDirectory) -> list[str]:
    """Where whoever grades failed on a sample of the run."""
    from vlm_boundary.verifier import failures_of, program_failures_of

    return [str(one) for one in (failures_of(run), program_failures_of(run)) if one]


def scheduler_of(experiment: ExperimentConfig) -> Scheduler | None:
    """Who draws on the experiment's Ray cluster; None where samples are drawn on this machine."""
    if experiment.ray is None:
        return None
    from vlm_boundary.cluster import draw_models

    return draw_models

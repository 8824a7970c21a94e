"""`vlm-boundary run`, every stage in order; `watch`, the same for each checkpoint of a training."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import (
    DERIVED,
    open_target,
    override_option,
    path_option,
    refuse_unasked_programs,
    sampling_options,
    target_argument,
    track_option,
)
from vlm_boundary.cli.reasoning import tell_judged
from vlm_boundary.cli.stages import draw_samples, refuse_empty, stoppable, tell_verdict
from vlm_boundary.counted import counted
from vlm_boundary.forks import usable_cores

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.tracking import TrackerName


@click.command(short_help="Sample, verify, check, analyze and report; only what is missing.")
@target_argument
@override_option
@sampling_options
@click.option(
    "--self-test",
    is_flag=True,
    help="Sample each base once more under other seeds, a quarter as often, and compare it with "
    "itself.",
)
@track_option
def run(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    gpus: str | None,
    ray: str | None,
    self_test: bool,
    track: TrackerName | None,
) -> None:
    """Run an experiment from its YAML to its report, doing only what is missing.

    Stop it at any time and run it again: finished samples are kept, and a larger --n adds to them.
    """
    directory, experiment = open_target(target, overrides, n, gpus, ray, mends=DERIVED)
    refuse_unasked_programs(directory, target)
    if track:
        from vlm_boundary.tracking import refuse_missing

        refuse_missing(track)
    if self_test:
        experiment = experiment.with_self_test()
    drawn = stoppable(directory, lambda: draw_samples(directory, experiment, limit))
    grade_and_report(directory, experiment, drawn.samples)
    if track:
        track_curves(directory, experiment, track)
    refuse_empty(directory, drawn)


def track_curves(run: RunDirectory, experiment: ExperimentConfig, name: TrackerName) -> None:
    """A point at each k."""
    from vlm_boundary.records.analysis import read_analysis
    from vlm_boundary.tracking import curve_points, tracked

    with tracked(name, experiment, "curves") as log:
        for k, metrics in curve_points(read_analysis(run.analysis)):
            log(metrics, k)
    click.echo(f"{name}: curves in the project {experiment.name}, by k as the step")


def grade_and_report(run: RunDirectory, experiment: ExperimentConfig, drawn: int) -> None:
    """Everything after sampling, as far as it is not up to date, and what was done."""
    from vlm_boundary.face.stages import finish

    done = stoppable(run, lambda: finish(run, experiment, forks=usable_cores()))
    if done.judged:
        tell_judged(run, done.judged)
    for line in done.told:
        click.echo(line, err=True)
    click.echo(
        f"{counted(drawn, 'sample')} drawn, {done.graded:,} graded, {done.checked:,} checked."
    )
    tell_verdict(run, experiment, done.page)


@click.command(short_help="Follow a training run: evaluate each checkpoint as it is finished.")
@click.argument("folder", type=click.Path(path_type=Path))
@path_option(
    "-e",
    "--experiment",
    "target",
    required=True,
    metavar="EXPERIMENT.yaml",
    help="The base and whatever else the checkpoints are compared with, and how all are sampled.",
)
@override_option
@sampling_options
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    metavar="K",
    help="Take only steps that are multiples of K.",
)
@click.option(
    "--like",
    metavar="ARM",
    help="Give checkpoints this arm's prompt, sampling, engine and chat template.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a checkpoint's files must stay as they are before it is read.",
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks at the folder.",
)
@click.option(
    "--until",
    type=click.IntRange(min=0),
    metavar="STEP",
    help="End once this step, or a later one, has been evaluated; by default go on for ever.",
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="End when nothing new has come for so long.",
)
@click.option(
    "--merge",
    metavar="COMMAND",
    help="The trainer's command that merges shards, with {shards} and {target} in it; it is run "
    "for each checkpoint that needs it, in a process of its own.",
)
@track_option
def watch(
    folder: Path,
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    gpus: str | None,
    ray: str | None,
    every: int,
    like: str | None,
    settle: float,
    poll: float,
    until: int | None,
    idle: float | None,
    merge: str | None,
    track: TrackerName | None,
) -> None:
    """Evaluate every checkpoint that a trainer writes into FOLDER, while it trains.

    FOLDER holds global_step_N (EasyR1, verl) or checkpoint-N (TRL, LLaMA-Factory, ms-swift). The
    experiment's own arms come first; then each finished checkpoint becomes the arm step-N, is
    sampled, graded and checked, and the report's training series grows. A checkpoint that is still
    being written is never read. Stop it at any time and start it again: it goes on.
    """
    directory, experiment = open_target(target, overrides, n, gpus, ray, mends=DERIVED)
    refuse_unasked_programs(directory, target)
    from vlm_boundary.interrupts import heeded
    from vlm_boundary.records.analysis import read_analysis
    from vlm_boundary.tracking import refuse_missing, track_checkpoints
    from vlm_boundary.watch import Watched, follow
    from vlm_boundary.watch.folders import merge_command

    watched = Watched(
        folder,
        every=every,
        like=like,
        settle=settle,
        poll=poll,
        until=until,
        idle=None if idle is None else 60 * idle,
        merge=None if merge is None else merge_command(merge),
    )
    if track:
        refuse_missing(track)
    drawn = 0

    def draw(grown: ExperimentConfig, arms: Collection[str]) -> None:
        nonlocal drawn
        drawn += draw_samples(directory, grown, limit, arms=arms).samples

    def finish(grown: ExperimentConfig) -> None:
        nonlocal drawn
        grade_and_report(directory, grown, drawn)
        drawn = 0
        if track:
            track_checkpoints(directory, grown, read_analysis(directory.analysis), track)

    told = partial(click.echo, err=True)
    with heeded():
        stoppable(directory, lambda: follow(directory, experiment, watched, draw, finish, told))

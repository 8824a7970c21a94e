"""`vlm-boundary run`: every stage in order, only what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.judge import tell_judged
from vlm_boundary.cli.options import (
    DERIVED,
    open_target,
    override_option,
    refuse_unasked_programs,
    sampling_options,
    target_argument,
    track_option,
)
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
            log(metrics, step=k)
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

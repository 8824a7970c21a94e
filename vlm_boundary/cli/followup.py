"""`vlm-boundary followup`: more samples where the two arms of a pair disagree."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import (
    gpus_option,
    open_target,
    override_option,
    refuse_unasked_programs,
    target_argument,
)
from vlm_boundary.cli.stages import refuse_empty, stoppable, tell_drawn, tell_verdict
from vlm_boundary.counted import counted


@click.command(short_help="Draw more samples of the problems that one arm alone solved.")
@target_argument
@override_option
@click.option(
    "--n",
    "n",
    type=click.IntRange(min=2),
    metavar="N",
    required=True,
    help="How many samples of each such problem both arms then have.",
)
@gpus_option
def followup(target: Path, overrides: tuple[str, ...], n: int, gpus: str | None) -> None:
    """Bring the problems that only the base solved, and those that only the other arm solved, to N.

    Both arms are sampled on both. Headline numbers keep to the original n; what the further samples
    say is reported beside them.
    """
    run, experiment = open_target(target, overrides, gpus=gpus)
    refuse_unasked_programs(run, target)
    from vlm_boundary.analysis.followup import top_ups
    from vlm_boundary.face.stages import follow_up

    wanted = top_ups(run, experiment, n)
    problems = {(top_up.benchmark, key) for top_up in wanted for key in top_up.problem_ids}
    click.echo(f"Solved by one arm of a pair alone: {counted(len(problems), 'problem')}.")
    if wanted:
        drawn, done = stoppable(run, lambda: follow_up(run, experiment, wanted))
        tell_drawn(drawn)
        click.echo(f"{counted(drawn.samples, 'sample')} drawn, {done.graded:,} graded.")
        for line in done.told:
            click.echo(line, err=True)
        tell_verdict(run, experiment, done.page)
        refuse_empty(run, drawn)

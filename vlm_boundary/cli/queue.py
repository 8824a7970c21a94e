"""`vlm-boundary queue`: what people are to read and label."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import existing_run, override_option, target_argument


@click.command(short_help="Draw the right answers that people are to read.")
@target_argument
@override_option
@click.option("--name", default="paper", show_default=True, help="The queue's name.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option(
    "--max-accuracy",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Only problems that an arm solves in less than this share of its samples; 1 takes all.",
)
@click.option(
    "--per-arm",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N samples of each arm on each benchmark, drawn uniformly; by default all.",
)
def queue(
    target: Path,
    overrides: tuple[str, ...],
    name: str,
    seed: int,
    max_accuracy: float,
    per_arm: int | None,
) -> None:
    """Draw right answers on problems that a model hardly ever solves, for people to read.

    The paper's protocol is the default: every right answer on problems with an accuracy above 0 and
    below 5 %. The order is mixed, and each sample's inclusion weight is kept. Read and label them
    with 'vlm-boundary demo'; 'vlm-boundary analyze' then uses the labels.
    """
    run, experiment = existing_run(target, overrides)
    from vlm_boundary.reasoning.queue import make_queue, queue_path
    from vlm_boundary.reasoning.selection import nothing_to_read

    drawn = make_queue(
        run, experiment, name=name, seed=seed, max_accuracy=max_accuracy, per_arm=per_arm
    )
    problems = {(i.sample.arm, i.sample.benchmark, i.sample.problem_id) for i in drawn.items}
    lacking = nothing_to_read(run, experiment)
    for arm in experiment.arms:
        if arm in lacking:
            click.echo(f"  {arm}: nothing to read, {lacking[arm]}")
            continue
        count = sum(item.sample.arm == arm for item in drawn.items)
        known = sum(problem[0] == arm for problem in problems)
        click.echo(f"  {arm}: {count:,} samples on {known:,} problems")
    click.echo(f"{len(drawn.items):,} samples to read: {queue_path(run, name)}")

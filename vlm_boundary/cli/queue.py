"""`vlm-boundary queue`: what people are to read and label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import existing_run, override_option, target_argument
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.reasoning.queue import LabelQueue
    from vlm_boundary.store import RunDirectory


@click.command(short_help="Draw the answers that people are to read.")
@target_argument
@override_option
@click.option(
    "--answers",
    is_flag=True,
    help="Draw any answers instead, as many that the verifier called right as others; what people "
    "say of them shows how often it errs.",
)
@click.option("--name", help="The queue's name; by default paper, or answers.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Decides which answers are drawn, and their order.",
)
@click.option(
    "--max-accuracy",
    type=click.FloatRange(min=0, max=1, min_open=True),
    metavar="SHARE",
    help="Only problems that an arm solves in less than this share of its samples, by default "
    "0.05; 1 takes all.",
)
@click.option(
    "--per-arm",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N samples of each arm on each benchmark, drawn uniformly; by default all, or "
    "100 with --answers.",
)
def queue(
    target: Path,
    overrides: tuple[str, ...],
    answers: bool,
    name: str | None,
    seed: int,
    max_accuracy: float | None,
    per_arm: int | None,
) -> None:
    """Draw right answers on problems that a model hardly ever solves, for people to read.

    The paper's protocol is the default: every right answer on problems with an accuracy above 0 and
    below 5 %. The order is mixed, and each sample's inclusion weight is kept. Read and label them
    with 'vlm-boundary demo'; 'vlm-boundary analyze' then uses the labels.
    """
    if answers and max_accuracy is not None:
        raise UserError("--max-accuracy is not for --answers, which takes all problems")
    run, experiment = existing_run(target, overrides)
    from vlm_boundary.reasoning.queue import (
        PAPER_ACCURACY,
        make_answer_queue,
        make_queue,
        queue_path,
    )

    if answers:
        drawn = make_answer_queue(
            run, experiment, name=name or "answers", seed=seed, per_arm=per_arm or 100
        )
    else:
        drawn = make_queue(
            run,
            experiment,
            name=name or "paper",
            seed=seed,
            max_accuracy=PAPER_ACCURACY if max_accuracy is None else max_accuracy,
            per_arm=per_arm,
        )
    _tell(run, experiment, drawn)
    click.echo(f"{counted(len(drawn.items), 'sample')} to read: {queue_path(run, drawn.name)}")


def _tell(run: RunDirectory, experiment: ExperimentConfig, drawn: LabelQueue) -> None:
    """How much each arm has in a queue, or why it has nothing."""
    from vlm_boundary.reasoning.selection import nothing_to_read

    problems = {(i.sample.arm, i.sample.benchmark, i.sample.problem_id) for i in drawn.items}
    lacking = nothing_to_read(run, experiment) if drawn.subject == "reasoning" else {}
    for arm in experiment.arms:
        if arm in lacking:
            click.echo(f"  {arm}: nothing to read, {lacking[arm]}")
            continue
        count = sum(item.sample.arm == arm for item in drawn.items)
        known = sum(problem[0] == arm for problem in problems)
        click.echo(f"  {arm}: {counted(count, 'sample')} on {counted(known, 'problem')}")

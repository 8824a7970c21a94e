"""`vlm-boundary check`, `judge` and `queue`: reasoning, by rules, by a model, and for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import (
    count_option,
    existing_run,
    gpus_option,
    override_option,
    path_option,
    ray_option,
    shares_on,
    target_argument,
)
from vlm_boundary.cli.stages import stoppable
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.reasoning.judge.stage import Judged
    from vlm_boundary.reasoning.people.queue import LabelQueue
    from vlm_boundary.store import RunDirectory


@click.command(short_help="Check whether right answers were reasoned to.")
@click.argument("target", metavar="RUN|EXPERIMENT.yaml|FILE.jsonl", type=click.Path(path_type=Path))
@override_option
@ray_option
@click.option("--force", is_flag=True, help="Check every sample of a run again.")
@path_option(
    "--output", metavar="OUT.jsonl", help="Where to write the checked lines of FILE.jsonl."
)
def check(
    target: Path, overrides: tuple[str, ...], ray: str | None, force: bool, output: Path | None
) -> None:
    """Check the reasoning of a run's samples, or of a file with one JSON object per line.

    Of a run, what the deterministic layers (structure, arithmetic; exact truth for generated
    problems) have not checked yet. It needs verdicts: 'verify' gives them.

    A line of a file has `output` and `answer` (or `gold`), and should have `question`; it may have
    `finish_reason` and what 'grade' reads. Every field is kept; `valid` (false: wrong, or a veto;
    true: right, without one; null: it cannot be told), `flags` and `evidence`, which holds the
    characters that raised each flag, are added.
    """
    if target.suffix == ".jsonl":
        if output is None:
            raise UserError(f"{target}: give --output OUT.jsonl for the checked lines")
        _check_file(target, output)
        return
    if output is not None:
        raise UserError(f"--output goes with a file of outputs; {target} is no .jsonl file")
    run, experiment = existing_run(target, overrides, mends=("opinions", "validity", "statements"))
    from vlm_boundary.reasoning.stage import check as compute
    from vlm_boundary.reasoning.stage import failures_of

    done = compute(run, force=force, elsewhere=shares_on(experiment, ray, "checking"))
    click.echo(f"{counted(done.samples, 'sample')} checked in {run.path}.")
    if done.unverified:
        click.echo(f"{done.unverified:,} have no verdict yet; 'vlm-boundary verify' gives them.")
    if failures := failures_of(run):
        click.echo(str(failures), err=True)


def _check_file(source: Path, target: Path) -> None:
    from vlm_boundary.reasoning.files import check_file

    summary = check_file(source, target)
    total = summary.total
    click.echo(f"{counted(total, 'output')} checked into {target}.")
    for failures in (summary.failures, summary.check_failures):
        if failures:
            click.echo(str(failures), err=True)
    names = {True: "valid", False: "not valid", None: "cannot be told"}
    for key, count in summary.valid.most_common():
        click.echo(f"  {names[key]:20} {count:8,}  {count / total:6.1%}")
    if summary.correct[True]:
        share = summary.valid[True] / summary.correct[True]
        click.echo(f"  {'valid if right':20} {summary.correct[True]:8,}  {share:6.1%}")
    for flag, count in summary.flags.most_common():
        click.echo(f"  {flag:20} {count:8,}  {count / total:6.1%}")


@click.command(short_help="Have a model judge the reasoning behind right answers.")
@target_argument
@override_option
@gpus_option
def judge(target: Path, overrides: tuple[str, ...], gpus: str | None) -> None:
    """Have the experiment's judge read the right answers' reasoning that it has not read yet.

    It sees picture, question and reasoning, not the gold answer nor which model wrote it. 'analyze'
    then adds CoT-pass@k with the judge's bands. Stop it at any time: judged chains are kept.
    """
    run, experiment = existing_run(target, overrides, gpus)
    from vlm_boundary.reasoning.judge.stage import judge as read

    tell_judged(run, stoppable(run, lambda: read(run, experiment)))


def tell_judged(run: RunDirectory, done: Judged) -> None:
    """What came of the judge's stage."""
    click.echo(f"{done.chains:,} chains of thought judged in {run.path}.")
    for word, count in sorted(done.votes.items()):
        click.echo(f"  votes {word:10} {count:8,}  {count / done.votes.total():6.1%}")
    for arm, reason in done.lacking.items():
        click.echo(f"  {arm}: nothing to judge, {reason}")
    if done.failed:
        click.echo(f"{done.failed:,} could not be judged; see {run.path}/judge_failures.")


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
@count_option(
    "--per-arm",
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
    from vlm_boundary.reasoning.people.queue import (
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

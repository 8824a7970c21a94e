"""The stages of `run`, each a command of its own; `followup`, more of what a pair disagrees on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vlm_boundary.cli.options import (
    DERIVED,
    count_option,
    existing_run,
    gpus_option,
    limit_option,
    open_target,
    override_option,
    ray_option,
    refuse_unasked_programs,
    sampling_options,
    shard_option,
    shares_on,
    target_argument,
)
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError
from vlm_boundary.forks import usable_cores

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.face.stages import Sampled
    from vlm_boundary.store import RunDirectory, Shard


Result = TypeVar("Result")


def draw_samples(
    run: RunDirectory,
    experiment: ExperimentConfig,
    limit: int | None,
    shard: Shard | None = None,
    arms: Collection[str] | None = None,
) -> Sampled:
    """The sampling stage, how fast it was, and what could not be drawn."""
    from vlm_boundary.face.stages import draw

    if not any(arm.role == "base" for arm in experiment.arms.values()):
        click.echo("No arm has the role base, so nothing will be compared.", err=True)
    drawn = draw(run, experiment, limit=limit, shard=shard, arms=arms)
    tell_drawn(drawn)
    return drawn


def tell_drawn(drawn: Sampled) -> None:
    """Say how fast samples were drawn, and, on standard error, what could not be."""
    for line in drawn.speed:
        click.echo(line)
    for line in drawn.told:
        click.echo(line, err=True)


def refuse_empty(run: RunDirectory, drawn: Sampled) -> None:
    """End the command with code 1 where something of the experiment has no sample."""
    if drawn.empty:
        raise click.ClickException(
            f"{counted(drawn.samples, 'sample')} drawn into {run.path}, but none of "
            f"{', '.join(drawn.empty)}; the reasons stand above"
        )


def stoppable(run: RunDirectory, stage: Callable[[], Result]) -> Result:
    """Run a stage that needs an engine, with what a terminal is told when it stops early."""
    from vlm_boundary.fleet import EngineDied

    try:
        return stage()
    except EngineDied as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped. What was finished is in {run.path}; run the same command to go on.",
            err=True,
        )
        raise SystemExit(130) from None


@click.command(short_help="Draw the samples that a run lacks.")
@target_argument
@override_option
@sampling_options
@shard_option
def sample(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    shard: Shard | None,
    gpus: str | None,
    ray: str | None,
) -> None:
    """Draw the samples that a run lacks; running it again goes on where it stopped."""
    run, experiment = open_target(target, overrides, n, gpus, ray, mends=DERIVED)
    refuse_unasked_programs(run, target)
    drawn = stoppable(run, lambda: draw_samples(run, experiment, limit, shard))
    refuse_empty(run, drawn)
    click.echo(f"{counted(drawn.samples, 'sample')} drawn into {run.path}.")


@click.command(short_help="Grade the samples that have no verdict yet.")
@target_argument
@override_option
@ray_option
@click.option("--force", is_flag=True, help="Grade every sample again.")
@click.option(
    "--opinions",
    is_flag=True,
    help="Store what MathVista's, MATH-V's and math-verify's rules say too, with a page of every "
    "disagreement.",
)
def verify(
    target: Path, overrides: tuple[str, ...], ray: str | None, force: bool, opinions: bool
) -> None:
    """Grade the samples that this version of the verifier has not graded yet.

    A benchmark that names a program of its own (grading.command) is graded by it; --force also
    asks again where that gave no verdict. Given the experiment's YAML, it grades by what that says
    now.
    """
    run, experiment = existing_run(target, overrides, mends=DERIVED)
    refuse_unasked_programs(run, target)
    if not target.is_dir():
        from vlm_boundary.sampling.prepare import regrade_by

        for name in regrade_by(run, experiment):
            click.echo(f"{name}: its grading has changed; every sample is graded by that.")
    from vlm_boundary.face.stages import failure_lines
    from vlm_boundary.verifier import store_opinions
    from vlm_boundary.verifier import verify as grade

    graded = grade(run, force=force, elsewhere=shares_on(experiment, ray, "verifying"))
    click.echo(f"{counted(graded, 'sample')} graded in {run.path}.")
    for line in failure_lines(run):
        click.echo(line, err=True)
    if opinions:
        disagreements = store_opinions(run)
        click.echo(
            f"{counted(disagreements, 'disagreement')} with other rules: {run.opinions.root}"
        )


@click.command(short_help="Score one arm's responses under another arm.")
@target_argument
@override_option
@click.option(
    "--responses-of",
    "responses_of",
    metavar="ARM",
    multiple=True,
    required=True,
    help="The arm whose responses are scored; repeatable.",
)
@click.option("--under", metavar="ARM", required=True, help="The arm that scores them.")
@count_option(
    "--per-problem",
    default=32,
    help="Score the first N responses of each problem; a larger N later adds what is missing.",
)
@limit_option
@gpus_option
def score(
    target: Path,
    overrides: tuple[str, ...],
    responses_of: tuple[str, ...],
    under: str,
    per_problem: int,
    limit: int | None,
    gpus: str | None,
) -> None:
    """Store how likely one arm finds the responses of another, pictures in context.

    The stored token ids are scored, token by token, under the scoring arm's own prompt. 'analyze'
    then adds perplexities, and 'report' shows them.
    """
    run, experiment = existing_run(target, overrides, gpus, mends=DERIVED)
    from vlm_boundary.scoring import score as compute

    def stage() -> tuple[int, int]:
        return compute(
            run,
            experiment,
            responses_of=responses_of,
            under=under,
            per_problem=per_problem,
            limit=limit,
        )

    scored, left = stoppable(run, stage)
    click.echo(f"{counted(scored, 'response')} scored under {under} in {run.path}.")
    if left:
        click.echo(f"{left:,} could not be scored; the reasons are in {run.path}/score_failures.")


@click.command(short_help="Compute the statistics from the verdicts.")
@target_argument
@override_option
def analyze(target: Path, overrides: tuple[str, ...]) -> None:
    """Compute the statistics of a run from its verdicts; write analysis.json and tables/."""
    run, experiment = existing_run(target, overrides)
    from vlm_boundary.analysis.left_out import left_out_lines
    from vlm_boundary.analysis.stage import analyze as compute

    for line in left_out_lines(compute(run, experiment)):
        click.echo(line, err=True)
    click.echo(f"Analysis: {run.analysis}; tables: {run.tables}")


@click.command(short_help="Write figures, tables and the HTML page.")
@target_argument
@override_option
@click.option(
    "--formats",
    default="png,svg,pdf",
    show_default=True,
    help="Which files of the figures to write; PNG is always among them.",
)
def report(target: Path, overrides: tuple[str, ...], formats: str) -> None:
    """Write a run's HTML page, its figures (PNG, SVG, PDF) and tables (Markdown, CSV, LaTeX).

    The page is one file that opens from disk; its first screen is the verdict in plain words.
    """
    run, experiment = existing_run(target, overrides)
    from vlm_boundary.report import FORMATS, outdated_lines
    from vlm_boundary.report import report as write

    asked = {"png", *(one.strip() for one in formats.split(","))}
    if unknown := sorted(asked - set(FORMATS)):
        raise UserError(f"--formats: {unknown[0]!r} is none of {', '.join(FORMATS)}")
    kept = [one for one in FORMATS if one in asked]

    for line in outdated_lines(run):
        click.echo(line, err=True)
    page = write(run, experiment, kept, forks=usable_cores())
    tell_verdict(run, experiment, page)


def tell_verdict(run: RunDirectory, experiment: ExperimentConfig, page: Path) -> None:
    """Say what the report's first screen says, for whoever has no browser at hand, and where it is.

    Args:
        page: of the report.
    """
    from vlm_boundary.analysis.findings import Findings, in_order
    from vlm_boundary.records.analysis import read_analysis
    from vlm_boundary.report.verdict import statements

    for said in statements(Findings(read_analysis(run.analysis), in_order(experiment))):
        click.echo(f"{said.benchmark}: {said.sentence}")
    click.echo(f"Report: {page}")


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

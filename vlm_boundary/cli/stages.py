"""The stages of `run`, each a command of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import open_target, override_option, sampling_options, target_argument
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.store import RunDirectory


def draw_samples(run: RunDirectory, experiment: ExperimentConfig, limit: int | None) -> int:
    """The sampling stage with what a terminal is told when it stops early."""
    from vlm_boundary.sampling import EngineDied
    from vlm_boundary.sampling import sample as draw

    try:
        return draw(run, experiment, limit=limit)
    except EngineDied as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped. Finished samples are in {run.path}; run the same command to go on.",
            err=True,
        )
        raise SystemExit(130) from None


@click.command(short_help="Draw the samples that a run lacks.")
@target_argument
@override_option
@sampling_options
def sample(target: Path, overrides: tuple[str, ...], n: int | None, limit: int | None) -> None:
    """Draw the samples that a run lacks; running it again goes on where it stopped."""
    run, experiment = open_target(target, overrides, n)
    drawn = draw_samples(run, experiment, limit)
    click.echo(f"{drawn:,} samples drawn into {run.path}.")


@click.command(short_help="Grade the samples that have no verdict yet.")
@target_argument
@override_option
@click.option("--force", is_flag=True, help="Grade every sample again.")
@click.option(
    "--opinions",
    is_flag=True,
    help="Store what MathVista's, MATH-V's and math-verify's rules say too, with a page of every "
    "disagreement.",
)
def verify(target: Path, overrides: tuple[str, ...], force: bool, opinions: bool) -> None:
    """Grade the samples that have no verdict by this version of the verifier yet."""
    run, _ = _existing(target, overrides)
    from vlm_boundary.verifier import store_opinions
    from vlm_boundary.verifier import verify as grade

    graded = grade(run, force=force)
    click.echo(f"{graded:,} samples graded in {run.path}.")
    if opinions:
        disagreements = store_opinions(run)
        click.echo(f"{disagreements:,} disagreements with other rules: {run.opinions.root}")


@click.command(short_help="Compute the statistics from the verdicts.")
@target_argument
@override_option
def analyze(target: Path, overrides: tuple[str, ...]) -> None:
    """Compute the statistics of a run from its verdicts and write analysis.json."""
    run, experiment = _existing(target, overrides)
    from vlm_boundary.analysis import analyze as compute

    compute(run, experiment)
    click.echo(f"Analysis: {run.analysis}")


@click.command(short_help="Write figures, tables and the HTML page.")
@target_argument
@override_option
def report(target: Path, overrides: tuple[str, ...]) -> None:
    """Write a run's figures (PNG, SVG), its tables (Markdown) and its HTML page."""
    run, experiment = _existing(target, overrides)
    from vlm_boundary.report import report as write

    click.echo(f"Report: {write(run, experiment)}")


def _existing(target: Path, overrides: tuple[str, ...]) -> tuple[RunDirectory, ExperimentConfig]:
    run, experiment = open_target(target, overrides)
    if not run.read_manifest():
        raise UserError(f"{run.path}: there is no such run yet; 'vlm-boundary sample' begins one")
    return run, experiment

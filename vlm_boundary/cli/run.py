"""`vlm-boundary run`: every stage in order, only what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.judge import judge_reasoning
from vlm_boundary.cli.options import (
    DERIVED,
    open_target,
    override_option,
    sampling_options,
    target_argument,
)
from vlm_boundary.cli.stages import draw_samples, tell_failures

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.store import RunDirectory


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
def run(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    gpus: str | None,
    ray: str | None,
    self_test: bool,
) -> None:
    """Run an experiment from its YAML to its report, doing only what is missing.

    Stop it at any time and run it again: finished samples are kept, and a larger --n adds to them.
    """
    directory, experiment = open_target(target, overrides, n, gpus, ray, mends=DERIVED)
    if self_test:
        experiment = experiment.with_self_test()
    from vlm_boundary.reasoning.stage import check
    from vlm_boundary.verifier import verify

    drawn = draw_samples(directory, experiment, limit)
    graded = verify(directory)
    tell_failures(directory)
    checked = check(directory).samples
    if experiment.judge:
        judge_reasoning(directory, experiment)
    page = _report(directory, experiment)
    click.echo(f"{drawn.samples:,} samples drawn, {graded:,} graded, {checked:,} checked.")
    click.echo(f"Report: {page}")
    drawn.refuse_empty(directory)


def _report(run: RunDirectory, experiment: ExperimentConfig) -> Path:
    """Analyse and report, unless that was done of the very same by this very package."""
    from vlm_boundary.analysis import analyze
    from vlm_boundary.analysis.left_out import left_out_lines
    from vlm_boundary.report import report
    from vlm_boundary.store import write_text

    made = (run.analysis, run.tables, run.report)
    done = run.path / ".reported"
    inputs = _inputs(run, experiment, without={*made, done})
    if done.is_file() and done.read_text(encoding="utf-8") == _outputs(made, inputs):
        return run.page
    for line in left_out_lines(analyze(run, experiment)):
        click.echo(line, err=True)
    page = report(run, experiment)
    # With the inputs as they were before: whoever adds samples meanwhile is analysed next time.
    write_text(done, _outputs(made, inputs))
    return page


def _inputs(run: RunDirectory, experiment: ExperimentConfig, without: set[Path]) -> str:
    from vlm_boundary.store import fingerprint

    package = Path(__file__).parents[1]
    apart = without | {run.path / ".locks", run.path / "logs", run.images}
    files = {path for path in run.path.iterdir() if path not in apart}
    files |= {Path(file) for file in experiment.analysis.guess_priors.values()}
    settings = json.dumps(experiment.model_dump(mode="json"), sort_keys=True)
    return fingerprint([package, *files], settings)


def _outputs(made: tuple[Path, ...], inputs: str) -> str:
    from vlm_boundary.store import fingerprint

    return fingerprint(made, inputs)

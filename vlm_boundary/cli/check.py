"""`vlm-boundary check`: reasoning, of a run's samples or of anyone's outputs."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import existing_run, override_option, ray_option, shares_on
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError


@click.command(short_help="Check whether right answers were reasoned to.")
@click.argument("target", metavar="RUN|EXPERIMENT.yaml|FILE.jsonl", type=click.Path(path_type=Path))
@override_option
@ray_option
@click.option("--force", is_flag=True, help="Check every sample of a run again.")
@click.option(
    "--output",
    metavar="OUT.jsonl",
    type=click.Path(path_type=Path),
    help="Where to write the checked lines of FILE.jsonl.",
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

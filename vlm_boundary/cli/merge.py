"""`vlm-boundary merge`: runs of one experiment joined into one."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Join runs of one experiment that were sampled apart.")
@click.argument(
    "runs",
    metavar="RUN…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option(
    "--into",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run directory to join them in; new, or one of them.",
)
def merge(runs: tuple[Path, ...], into: Path) -> None:
    """Join runs of one experiment, sampled on different machines, into one run directory.

    Samples that several of them hold count once. Runs that differ in weights, prompts, sampling
    parameters or problems are refused, and the difference is named.
    """
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.store.merge import merge as join

    samples = join([RunDirectory(run) for run in runs], RunDirectory(into))
    click.echo(f"{samples:,} samples in {into}; 'vlm-boundary run {into}' goes on from there.")

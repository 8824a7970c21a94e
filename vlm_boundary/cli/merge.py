"""`vlm-boundary merge`: runs of one experiment joined into one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import DERIVED, tell_state
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.store import RunDirectory


@click.command(short_help="Join runs of one experiment that were sampled apart.")
@click.argument(
    "runs",
    metavar="RUN|URI…",
    nargs=-1,
    required=True,
)
@click.option(
    "--into",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run directory to join them in; new, or one of them.",
)
def merge(runs: tuple[str, ...], into: Path) -> None:
    """Join runs of one experiment, sampled on different machines, into one run directory.

    A run is a directory, or the URI of a storage that a cluster wrote to (s3://BUCKET/RUN). Samples
    that several of them hold count once. Runs that differ in weights, prompts, sampling parameters
    or problems are refused, and the difference is named.
    """
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.store.merge import merge as join

    with ExitStack() as stack:
        sources = [_source(run, stack) for run in runs]
        for source in sources:  # verdicts and checks are not taken along
            tell_state(source, mends=DERIVED)
        samples = join(sources, RunDirectory(into))
    click.echo(
        f"{counted(samples, 'sample')} in {into}; 'vlm-boundary run {into}' goes on from there."
    )


def _source(run: str, stack: ExitStack) -> RunDirectory:
    """The run directory, or a copy of what a storage holds for as long as the stack lasts."""
    from vlm_boundary.store import RunDirectory

    if "://" not in run:
        if Path(run).is_file():
            raise UserError(f"{run}: not a run directory, but a file")
        return RunDirectory(Path(run))
    from vlm_boundary.cluster.storage import Storage

    copy = RunDirectory(Path(stack.enter_context(TemporaryDirectory(prefix="vlm-boundary-"))))
    Storage(run).pull_results(copy, inputs=True)
    if not copy.begun:
        raise UserError(f"{run}: no run is stored there")
    return copy

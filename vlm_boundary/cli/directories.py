"""`vlm-boundary merge` and `fsck`: run directories joined, examined and mended."""

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


@click.command(short_help="Say whether a run directory is whole, and mend it.")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--repair",
    is_flag=True,
    help="Set aside what is made again without an engine, and files that are not the run's own.",
)
@click.option(
    "--set-aside",
    "by_word",
    is_flag=True,
    help="Repair, and set aside damaged samples, scores and judgements too, which an engine has to "
    "draw again; rows that can be read are kept.",
)
def fsck(run: Path, repair: bool, by_word: bool) -> None:
    """Read every file of a run, and say what is damaged, missing, or not its own.

    Nothing is deleted: what is taken out is moved below RUN/set-aside. Exits with 1 when something
    is left that a repair would mend, or that no stage can go on with. Every stage begins with the
    part of this that reads footers alone.
    """
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.store.mending import mend
    from vlm_boundary.store.wholeness import look_closely

    directory = RunDirectory(run)
    found = look_closely(directory)
    for finding in found:
        click.echo(str(finding))
    if repair or by_word:
        for line in mend(directory, found, by_word=by_word):
            click.echo(f"mended  {line}")
        found = look_closely(directory)
    if not found:
        click.echo(f"{run} is whole.")
    if any(finding.repair != "none" or finding.stops for finding in found):
        raise SystemExit(1)

"""`vlm-boundary fsck`: whether a run directory is whole, and what mends it."""

from __future__ import annotations

from pathlib import Path

import click


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

"""`vlm-boundary import`: logs and dumps of other tools, as an experiment."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import path_option

_FORMATS = ("lm-eval", "lmms-eval", "verl", "trl", "ms-swift", "inspect", "vlmevalkit")


@click.command(name="import", short_help="Make an experiment from other tools' logs and dumps.")
@click.argument("sources", metavar="[ARM=]SOURCE...", nargs=-1, required=True)
@path_option(
    "--to",
    "folder",
    metavar="FOLDER",
    required=True,
    help="A new folder for experiment, benchmark and samples.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMATS),
    metavar="FORMAT",
    help=f"One of {', '.join(_FORMATS)}; found from the files where this is not given.",
)
@click.option("--base", metavar="ARM", help="The arm that others are compared with.")
@path_option(
    "--problems",
    metavar="FILE",
    help="What was asked, where the logs lack ids, golds or pictures: a benchmark YAML, or a data "
    "file with id, question, answer and perhaps images.",
)
def import_logs(
    sources: tuple[str, ...],
    folder: Path,
    form: str | None,
    base: str | None,
    problems: Path | None,
) -> None:
    """Write a folder with an experiment, from samples that other tools have logged.

    SOURCE is a file, or a folder of them. `ARM=SOURCE` says which model it is of; without that the
    log says it, or the folder's name. Several logs of one arm are further samples. Dumps of a
    training run become one arm per step; step 0, if it is there, is the base.

    It says what was recognised, what is missing, and where the tool's own verdicts differ from
    this verifier's. No row is lost: what cannot be used is listed with its reason. What each
    format holds is in docs/imports.md.
    """
    from vlm_boundary import imports

    found = imports.find_sources(sources, form)
    done = imports.import_logs(found, folder, base=base, problems=problems)
    for line in imports.told_lines(done):
        click.echo(line)

"""`vlm-boundary passk`: curves and crossover for anyone's table of verdicts."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.errors import UserError


@click.command(short_help="Compare two models on anyone's table of verdicts.")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--base", metavar="NAME", required=True, help="The base, in column model.")
@click.option("--rl", metavar="NAME", required=True, help="The model compared with it.")
@click.option(
    "--json",
    "target",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Write every k, and the problems behind the sets, to this file.",
)
def passk(source: Path, base: str, rl: str, target: Path | None) -> None:
    """Print pass@k of two models, their difference and their crossover.

    FILE is JSONL, CSV or Parquet with a row a sample and the columns `model`, `problem_id` and
    `correct` (true or false, 1 or 0; null is undecided and counts as not correct).
    """
    from vlm_boundary.analysis.passk import compare_models, describe
    from vlm_boundary.analysis.table_file import read_table_file
    from vlm_boundary.store import write_json

    found = compare_models(read_table_file(source), base, rl, str(source))
    if target is not None:
        try:
            write_json(target, found.content.as_json())
        except OSError as error:
            raise UserError(f"{target}: cannot be written ({error.strerror})") from None
    for line in describe(found):
        click.echo(line)

"""`vlm-boundary passk`: curves and crossover for anyone's table of verdicts."""

from __future__ import annotations

from pathlib import Path

import click


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
    r"""Print pass@k of two models, their difference and their crossover.

    FILE is JSONL, CSV or Parquet with the columns `model` and `problem_id` and, a row a sample,
    `correct` (true or false, 1 or 0; null is undecided and counts as not correct), or, a row a
    problem, `n` samples (also num_samples, n_samples) and `c` correct ones (also num_correct,
    n_correct, correct_count, correct). Other columns are ignored, but for two:

    \b
    sample_index  rows that repeat a sample count once; without it each row is one more sample
    cluster       what problems of one origin share, as variants of one: intervals go by clusters

    Where problems have unequal numbers of samples, crossover and band are of the k that all have.
    """
    from vlm_boundary.analysis.passk import compare_models, describe
    from vlm_boundary.analysis.table_file import read_table_file
    from vlm_boundary.store import write_json

    found = compare_models(read_table_file(source), base, rl, str(source))
    if target is not None:
        write_json(target, found.content.as_json())
    for line in describe(found):
        click.echo(line)

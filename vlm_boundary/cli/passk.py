"""`vlm-boundary passk`: curves and crossover for anyone's table of verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import path_option
from vlm_boundary.counted import counted

if TYPE_CHECKING:
    from vlm_boundary.analysis.table_file import VerdictTable
    from vlm_boundary.stopping import StoppingRule


_COLUMNS = {
    "model_column": "model",
    "problem_column": "problem_id",
    "correct_column": "correct",
    "samples_column": "n",
    "index_column": "sample_index",
    "cluster_column": "cluster",
}


@click.command(short_help="Compare two models on anyone's table of verdicts.")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True)
@click.option("--base", metavar="NAME", required=True, help="The base, in column model.")
@click.option("--rl", metavar="NAME", required=True, help="The model compared with it.")
@path_option(
    "--json",
    "target",
    metavar="OUT",
    help="Write every k, and the problems behind the sets, to this file.",
)
@click.option(
    "--looks",
    metavar="L,…,N",
    help="Numbers of samples after which problems were stopped early; the last is n.",
)
@click.option(
    "--right",
    type=click.IntRange(min=1),
    metavar="R",
    help="How many right samples stopped a problem at a look, with --looks.",
)
@click.option(
    "--equivalence-margin",
    "margin",
    type=click.FloatRange(0, 100, min_open=True, max_open=True),
    metavar="M",
    help="Also ask whether the models are less than M points apart, at k = 1 and the last k.",
)
@click.option("--model-column", metavar="NAME", help="The column that means model.")
@click.option("--problem-column", metavar="NAME", help="The one that means problem_id.")
@click.option("--correct-column", metavar="NAME", help="The one that means correct.")
@click.option("--samples-column", metavar="NAME", help="The one that means n.")
@click.option("--index-column", metavar="NAME", help="The one that means sample_index.")
@click.option("--cluster-column", metavar="NAME", help="The one that means cluster.")
def passk(
    sources: tuple[str, ...],
    base: str,
    rl: str,
    target: Path | None,
    looks: str | None,
    right: int | None,
    margin: float | None,
    **columns: str | None,
) -> None:
    """Print pass@k of two models, their difference and their crossover.

    FILE is JSONL, CSV, TSV or Parquet with the columns `model` and `problem_id` and, one row
    per sample, `correct` (true or false, yes or no, 1 or 0; null is undecided and counts as not
    correct), or, one row per problem, `n` samples (also num_samples, n_samples) and `c` correct
    ones (also num_correct, n_correct, correct_count, correct), or one column per sample (`s0`, `s1`
    …; an empty cell is none). A run's `tables/problems` is such a file. Other columns are ignored,
    except two:

    \b
    sample_index  rows that repeat a sample count once; without it each row is one more sample
    cluster       what problems of one origin share, as variants of one: intervals go by clusters

    A file that calls them otherwise is read with `--model-column checkpoint` and the like, columns
    that each hold one sample with `--correct-column 's*'`.

    FILE may also be logs that `vlm-boundary import` reads, one or more, as in `base=a.jsonl
    rl=b.jsonl`. They count by the verdict of the tool that wrote them, which `--correct-column`
    names where there are several.

    Where problems have unequal numbers of samples, crossover and band are of the k that all have,
    and McNemar's test of the solved sets is left out.

    With `--equivalence-margin 2` it is also tested whether the models differ by less than 2 points,
    by two one-sided tests at 5 % each (the 90 % interval within the margin), at k = 1 and at the
    last k, adjusted for being two. Finding no difference is no such evidence.

    Where problems were stopped early because enough of their samples were right, as in
    `--looks 32,64,128,256 --right 4`, pass@k is estimated without bias for every k up to the last
    look, by counting the sequences that end as each problem did (Girshick, Mosteller and Savage
    1946). Each problem must have ended by that rule: at the first look with so many right ones, or
    at the last. With a `sample_index`, which then counts from 0, samples after that are left out.
    """  # noqa: D301 - click reads the backspace itself
    from vlm_boundary.analysis.passk import compare_models, describe

    rule = _rule(looks, right)
    called = {_COLUMNS[option]: name for option, name in columns.items() if name is not None}
    table = _table(sources, rule, called)
    share = None if margin is None else margin / 100
    found = compare_models(table, base, rl, ", ".join(sources), share)
    if target is not None:
        from vlm_boundary.store import write_json

        write_json(target, found.content.as_json())
    for line in describe(found):
        click.echo(line)


def _table(
    sources: tuple[str, ...], rule: StoppingRule | None, called: dict[str, str]
) -> VerdictTable:
    """What a table of verdicts holds, or logs of other tools."""
    from vlm_boundary.analysis.table_file import read_table_file
    from vlm_boundary.errors import UserError
    from vlm_boundary.imports.sources import find_sources, is_log

    if len(sources) == 1 and not is_log(sources[0]):
        return read_table_file(Path(sources[0]), rule, called)
    if rule is not None or called.keys() - {"correct"}:
        raise UserError("of logs only --correct-column can be said; import them for anything else")
    from vlm_boundary.imports.verdicts import verdict_table

    return verdict_table(find_sources(sources), called.get("correct"))


def _rule(looks: str | None, right: int | None) -> StoppingRule | None:
    """The stopping rule of two options that belong together."""
    from vlm_boundary.errors import UserError
    from vlm_boundary.stopping import StoppingRule

    if (looks is None) != (right is None):
        raise UserError("--looks and --right belong together, as in --looks 32,64,256 --right 4")
    if looks is None or right is None:
        return None
    parts = [part.strip() for part in looks.split(",")]
    numbers = tuple(int(part) for part in parts if part.isdecimal())
    ascending = list(numbers) == sorted({*numbers} - {0})
    if len(numbers) < len(parts) or not ascending:
        raise UserError(f"--looks {looks}: write ascending numbers of samples, as in 32,64,256")
    if right > numbers[0]:
        raise UserError(
            f"--right {right}: not so many can be right after {counted(numbers[0], 'sample')}"
        )
    return StoppingRule(numbers, right)

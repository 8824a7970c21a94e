"""`vlm-boundary grade`, `passk` and `import`: anyone's outputs, verdicts and logs."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import path_option
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError
from vlm_boundary.stopping import StoppingRule

if TYPE_CHECKING:
    from vlm_boundary.analysis.table_file import VerdictTable
    from vlm_boundary.verifier.program import ProgramGrader

_COLUMNS = {
    "model_column": "model",
    "problem_column": "problem_id",
    "correct_column": "correct",
    "samples_column": "n",
    "index_column": "sample_index",
    "cluster_column": "cluster",
}
_FORMATS = ("lm-eval", "lmms-eval", "verl", "trl", "ms-swift", "inspect", "vlmevalkit")


@click.command(short_help="Grade a JSONL file of anyone's outputs.")
@click.argument("source", metavar="FILE.jsonl", type=click.Path(path_type=Path))
@path_option(
    "--output",
    "target",
    metavar="OUT.jsonl",
    required=True,
    help="Where to write the graded lines.",
)
@click.option(
    "--opinions",
    is_flag=True,
    help="Store what MathVista's, MATH-V's and math-verify's rules say beside each verdict.",
)
@path_option(
    "--disagreements",
    "page",
    metavar="PAGE.html",
    help="Write every output that one of those rules judges otherwise.",
)
@click.option(
    "--llm-url",
    metavar="URL",
    help="Also extract answers with a model behind this OpenAI-compatible endpoint, audited, as a "
    "field of its own.",
)
@click.option("--llm-model", metavar="NAME", help="The model's name at that endpoint.")
@click.option(
    "--by",
    "benchmark",
    metavar="BENCHMARK.yaml",
    help="Grade with this benchmark's own program (its grading.command) in place of the "
    "verifier; it is told each line's fields.",
)
def grade(
    source: Path,
    target: Path,
    opinions: bool,
    page: Path | None,
    llm_url: str | None,
    llm_model: str | None,
    benchmark: str | None,
) -> None:
    """Grade a file with one JSON object per line.

    Each line has `output` and `answer` (or `gold`), and may have `answer_type` (integer, float,
    list, expression, text), `unit`, `precision`, `choices`, `question`, `finish_reason` and
    `thinking_open` (true: the prompt ended inside a thought). Every field is kept; `extracted`,
    `correct` (true, false, or null where it cannot be told), `status`, `rule` and `flags` are
    added.
    """
    from vlm_boundary.verifier.files import SecondOpinions, grade_file

    if (llm_url is None) != (llm_model is None):
        raise UserError("--llm-url and --llm-model are given together or not at all")
    wanted = SecondOpinions(opinions, page, llm_url, llm_model or "")
    with _program(benchmark) as program:
        summary = grade_file(source, target, wanted, program)
    total = summary.total
    click.echo(f"{counted(total, 'output')} graded into {target}.")
    for name, counts in (("status", summary.statuses), ("answer from", summary.sources)):
        for key, count in counts.most_common():
            click.echo(f"  {name:12} {key:12} {count:8,}  {count / total:6.1%}")
    if summary.failures:
        click.echo(str(summary.failures), err=True)
    if summary.disagreements is not None:
        click.echo(f"{counted(summary.disagreements, 'disagreement')}: {page}")


def _program(benchmark: str | None) -> AbstractContextManager[ProgramGrader | None]:
    if benchmark is None:
        return nullcontext()
    from vlm_boundary.benchmarks import load_benchmark_file
    from vlm_boundary.records.verdict import GraderProgram
    from vlm_boundary.verifier.program import ProgramGrader

    program = GraderProgram.of(load_benchmark_file(benchmark).grading.model_dump())
    if program is None:
        raise UserError(f"{benchmark}: it names no grading.command; leave out --by")
    return closing(ProgramGrader(program, benchmark))


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
    from vlm_boundary.imports.sources import find_sources, is_log

    if len(sources) == 1 and not is_log(sources[0]):
        return read_table_file(Path(sources[0]), rule, called)
    if rule is not None or called.keys() - {"correct"}:
        raise UserError("of logs only --correct-column can be said; import them for anything else")
    from vlm_boundary.imports.verdicts import verdict_table

    return verdict_table(find_sources(sources), called.get("correct"))


def _rule(looks: str | None, right: int | None) -> StoppingRule | None:
    """The stopping rule of two options that belong together."""
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

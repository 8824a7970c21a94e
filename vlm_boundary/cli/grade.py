"""`vlm-boundary grade`: the verifier on anyone's outputs."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.verifier.program import ProgramGrader


@click.command(short_help="Grade a JSONL file of anyone's outputs.")
@click.argument("source", metavar="FILE.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "target",
    metavar="OUT.jsonl",
    type=click.Path(path_type=Path),
    required=True,
    help="Where to write the graded lines.",
)
@click.option(
    "--opinions",
    is_flag=True,
    help="Store what MathVista's, MATH-V's and math-verify's rules say beside each verdict.",
)
@click.option(
    "--disagreements",
    "page",
    metavar="PAGE.html",
    type=click.Path(path_type=Path),
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

"""`vlm-boundary benchmarks`: the image benchmarks there are, and what one of them holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlm_boundary.cli.options import count_option
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vlm_boundary.records.manifest import FilterStep


@click.group(short_help="List, show, validate and preview image benchmarks.")
def benchmarks() -> None:
    """List, show, validate and preview image benchmarks; begin one from another harness's task.

    A benchmark is one YAML file: a shipped one is given by NAME, your own by its path.
    """


@benchmarks.command(name="list")
def list_benchmarks() -> None:
    """List the benchmarks that come with the package."""
    from vlm_boundary.benchmarks import load_benchmark_file, shipped_names

    width = max(map(len, shipped_names()))
    for name in shipped_names():
        config = load_benchmark_file(name)
        mark = "*" if config.unverified else " "
        click.echo(f"{name:{width}} {mark} {config.description}")
    click.echo("\n* not checked against the real data set in every point; 'show NAME' says which")


@benchmarks.command(short_help="Show a benchmark's settings, with the prompt written out.")
@click.argument("name")
def show(name: str) -> None:
    """Show a benchmark's settings in full, as YAML, with the prompt written out."""
    from vlm_boundary.benchmarks import load_benchmark_file
    from vlm_boundary.settings import yaml_text

    config = load_benchmark_file(name)
    content = config.model_dump(mode="json", exclude_defaults=True)
    prompt = config.worded().model_dump(mode="json", exclude_none=True)
    if isinstance(config.prompt, str):
        click.echo(f"# prompt: {config.prompt}")
    content["prompt"] = {key: value for key, value in prompt.items() if value}
    click.echo(yaml_text(content), nl=False)


@benchmarks.command(short_help="Check a benchmark's YAML and its records.")
@click.argument("file")
def validate(file: str) -> None:
    """Check a benchmark's YAML, and its records, pictures and prompts.

    Of a hub data set that is not on this disk the first records are read, not all. Exits with 2
    when the YAML, the data set or none of its problems can be used, with 1 when some cannot.
    """
    from vlm_boundary.benchmarks import load_benchmark_file
    from vlm_boundary.benchmarks.sources import is_local, picture_roots
    from vlm_boundary.benchmarks.validation import checked, first_records_checked
    from vlm_boundary.progress import progress_bar
    from vlm_boundary.records.verdict import GraderProgram
    from vlm_boundary.verifier.program import refuse_missing

    config = load_benchmark_file(file)
    local = is_local(config)
    picture_roots(config)  # refused before a record is read
    click.echo(f"{file}: the YAML is valid.")
    if program := GraderProgram.of(config.grading.model_dump()):
        refuse_missing(program, file)
        click.echo(
            f"Graded by the program {program} ({program.version}), which was not started; "
            f"'vlm-boundary grade FILE.jsonl --by {file}' tries it."
        )
    with progress_bar(f"checking {config.name}", unit="problem") as bar:
        found = (checked if local else first_records_checked)(config, lambda: bar.update())
    if found.how:
        click.echo(found.how)
    else:
        _echo_counts(found.records, found.filter_log, found.problems)
    if found.problems:
        click.echo(f"Checked {counted(found.problems, 'problem')} in {found.seconds:.1f} s.")
    if found.problems and len(found.unusable) == found.problems:
        raise UserError(
            f"{file}: none of its {counted(found.problems, 'problem')} can be put to a "
            f"model; the first: "
            f"{found.unusable[0][1]}"
        )
    for notice in found.notices:
        click.echo(notice)
    for problem_id, reason in found.unusable[:20]:
        click.echo(f"cannot be used: {problem_id}: {reason}")
    if len(found.unusable) > 20:
        click.echo(f"… and {len(found.unusable) - 20} more")
    if found.unusable:
        click.echo(
            f"{len(found.unusable):,} of {counted(found.problems, 'problem')} cannot be "
            f"put to a model."
        )
        raise SystemExit(1)


def _echo_counts(records: int, log: Iterable[FilterStep], problems: int) -> None:
    click.echo(f"{counted(records, 'record')}")
    for step in log:
        click.echo(f"  {step.step}: {step.before:,} → {step.after:,}")
    click.echo(f"{counted(problems, 'problem')}")


def _assignments(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, Any], ...]:
    """NAME=VALUE as pairs, values read as in YAML."""
    from vlm_boundary.settings import parse_value

    for one in given:
        if not one.partition("=")[0] or "=" not in one:
            raise click.BadParameter(f"{one!r}: write NAME=VALUE, as in enable_thinking=false")
    pairs = (one.partition("=") for one in given)
    return tuple((name, parse_value(value)) for name, _, value in pairs)


@benchmarks.command(short_help="Write an HTML sheet of the first problems.")
@click.argument("name")
@count_option("--limit", default=8, help="How many problems the sheet shows.")
@click.option(
    "--model",
    default="tiny:untrained-1",
    show_default=True,
    metavar="MODEL",
    help="Whose chat template, tokenizer and picture sizes are shown: a hub id, a folder, tiny:….",
)
@click.option(
    "--trust-remote-code",
    is_flag=True,
    help="Run Python code that MODEL brings; read it first.",
)
@click.option(
    "--chat-template-arg",
    "told",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_assignments,
    help="What the chat template is told beside the turns, as in enable_thinking=false.",
)
@click.option(
    "--condition",
    type=click.Choice(
        [
            *("full", "no_image", "direct_answer", "described", "described_with_image"),
            *("misleading_caption", "blurred", "cropped", "noised", "rotated", "half_question"),
        ]
    ),
    default="full",
    show_default=True,
    help="How the problems are put; controls at seed 0 and their default strength.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The sheet; by default NAME-preview.html in this folder.",
)
@click.option(
    "--save-pictures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also write each picture as the model sees it, as PNG.",
)
def preview(
    name: str,
    limit: int,
    model: str,
    trust_remote_code: bool,
    told: tuple[tuple[str, Any], ...],
    condition: str,
    output: Path | None,
    save_pictures: Path | None,
) -> None:
    """Write an HTML sheet of the first problems: pictures, exact prompts, token counts, answers."""
    from vlm_boundary.benchmarks import load_benchmark_file
    from vlm_boundary.checkpoints import resolve_checkpoint
    from vlm_boundary.engines.chat import ChatRenderer
    from vlm_boundary.planning import preview as sheet
    from vlm_boundary.progress import progress_bar

    config = load_benchmark_file(name)
    chat = ChatRenderer.of(
        resolve_checkpoint(model, weights=False, trust_remote_code=trust_remote_code)
    )
    with progress_bar(f"reading {config.name}", unit="problem") as bar:
        found = sheet.make_preview(
            config,
            chat,
            limit=limit,
            condition=condition,  # type: ignore[arg-type]  # one of the choices
            template_args=dict(told),
            progress=lambda _: bar.update(),
        )
    _echo_counts(found.records, found.filter_log, found.problems)
    path = output or Path(f"{config.name}-preview.html")
    sheet.write_preview(found, config, path, model=model, condition=condition)  # type: ignore[arg-type]
    if save_pictures is not None:
        count = sheet.save_pictures(found, save_pictures)
        click.echo(f"Pictures: {count} in {save_pictures}")
    click.echo(f"Preview: {path}")


@benchmarks.command(name="from-task")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The benchmark YAML; by default TASK.yaml in this folder. It is never overwritten.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="What the task includes lies in this folder; by default in the task's own.",
)
def from_task(file: Path, output: Path | None, root: Path | None) -> None:
    """Begin a benchmark YAML from a task of lm-eval or lmms-eval.

    Data set, split, columns and Jinja templates are copied, includes are followed. A function
    (!function) is never run: its key is left as TODO, with the function's text as a comment. Exits
    with 1 where something is left to do.
    """
    from vlm_boundary.benchmarks import load_benchmark_file
    from vlm_boundary.benchmarks.from_task import scaffold
    from vlm_boundary.store import write_text

    found = scaffold(file, root)
    path = output or Path(f"{found.name}.yaml")
    if path.exists():
        raise UserError(f"{path} exists already; give another --output")
    write_text(path, found.text())
    load_benchmark_file(str(path.resolve()))  # what is written is valid
    for lines in found.todo.values():
        click.echo(lines[0])
    if found.todo:
        click.echo(f"{path}: {len(found.todo)} to do, with the functions' text in it.")
        raise SystemExit(1)
    click.echo(f"{path}: whole; 'vlm-boundary benchmarks validate {path}' checks it.")

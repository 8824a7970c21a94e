"""The command line: thin commands, nothing heavy imported before a command runs."""

from __future__ import annotations

import sys
from typing import Any

import click

from vlm_boundary import __version__
from vlm_boundary.cli.benchmarks import benchmarks
from vlm_boundary.cli.demo import demo
from vlm_boundary.cli.directories import fsck, merge
from vlm_boundary.cli.doctor import doctor
from vlm_boundary.cli.gate import gate
from vlm_boundary.cli.match_entropy import match_entropy
from vlm_boundary.cli.outputs import grade, import_logs, passk
from vlm_boundary.cli.plan import plan
from vlm_boundary.cli.publish import publish
from vlm_boundary.cli.reasoning import check, judge, queue
from vlm_boundary.cli.run import run, watch
from vlm_boundary.cli.stages import analyze, followup, report, sample, score, verify
from vlm_boundary.errors import UserError, one_line, place_error


class _Group(click.Group):
    """Commands in the order in which they are used, errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise _OneLine(str(error)) from None
        except OSError as error:
            found = place_error(error)
            if found is None:
                raise
            raise _OneLine(str(found)) from None


class _OneLine(click.ClickException):
    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"Error: {one_line(self.message)}", err=True)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: vlm-boundary run configs/quickstart.yaml",
)
@click.version_option(__version__, prog_name="vlm-boundary")
def cli() -> None:
    """What reinforcement learning did to a vision-language model.

    Samples a base model and its RL checkpoints many times on the same image problems, grades every
    output with one verifier, and reports pass@k with its uncertainty.
    """


for command in (
    run,
    watch,
    plan,
    sample,
    verify,
    check,
    score,
    analyze,
    report,
    gate,
    demo,
    publish,
    followup,
    judge,
    queue,
    grade,
    import_logs,
    passk,
    match_entropy,
    merge,
    fsck,
    benchmarks,
    doctor,
):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `vlm-boundary` command; its arguments are by default the process's."""
    try:
        cli.main(arguments, standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(130)

"""`vlm-boundary doctor`: what is installed, what is missing and what mends it."""

from __future__ import annotations

import click

from vlm_boundary.errors import UserError


@click.command(short_help="Say what is installed, what is missing and what mends it.")
@click.option("--fix", is_flag=True, help="Mend what can be mended inside this environment.")
@click.option("--undo", is_flag=True, help="Take away what --fix put into this environment.")
@click.option("--thorough", is_flag=True, help="Import transformers and vLLM, as an engine does.")
def doctor(fix: bool, undo: bool, thorough: bool) -> None:
    """Say what is installed, which engine will be used, what is missing and what mends it.

    Exits with 1 when no engine can run. --fix writes an import hook into this environment, and only
    where torchvision fails beside a torch without CUDA; it says where, and --undo removes it.
    """
    from vlm_boundary.environment import examine, repair
    from vlm_boundary.environment import undo as take_away

    if fix and undo:
        raise UserError("--fix and --undo: give one of them")
    if undo:
        for removed in take_away() or ["nothing: --fix has put nothing here"]:
            click.echo(f"removed {removed}")
        return
    if fix:
        for done in repair():
            click.echo(f"mended  {done}")
    findings = examine(thorough)
    for finding in findings:
        mark = {True: "ok", False: "MISSING", None: "–"}[finding.ok]
        click.echo(f"{mark:8}{finding.what}")
        if finding.mend:
            click.echo(f"        → {finding.mend}")
    if any(finding.ok is False for finding in findings):
        raise SystemExit(1)

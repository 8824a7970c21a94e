"""`vlm-boundary doctor`: what is installed, what is missing and what mends it."""

from __future__ import annotations

import click


@click.command(short_help="Say what is installed, what is missing and what mends it.")
@click.option("--fix", is_flag=True, help="Mend what can be mended inside this environment.")
def doctor(fix: bool) -> None:
    """Say what is installed, which engine will be used, what is missing and what mends it.

    Exits with 1 when no engine can run.
    """
    from vlm_boundary.environment import examine, repair

    if fix:
        for done in repair():
            click.echo(f"mended  {done}")
    findings = examine()
    for finding in findings:
        mark = {True: "ok", False: "MISSING", None: "–"}[finding.ok]
        click.echo(f"{mark:8}{finding.what}")
        if finding.mend:
            click.echo(f"        → {finding.mend}")
    if any(finding.ok is False for finding in findings):
        raise SystemExit(1)

"""`vlm-boundary gate`: whether a checkpoint may pass, as an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import existing_run, override_option, path_option
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.config.gate import GateRules
    from vlm_boundary.records.outputs import Gate

_TABLES = (".jsonl", ".csv", ".parquet")
_EXIT = {"GO": 0, "NO-GO": 1, "INCONCLUSIVE": 3}


@click.command(short_help="Say GO, NO-GO or INCONCLUSIVE by rules, as an exit code.")
@click.argument("target", metavar="RUN|EXPERIMENT.yaml|FILE", type=click.Path(path_type=Path))
@path_option("--rule", "rules", metavar="RULES.yaml", required=True, help="What must hold.")
@override_option
@path_option(
    "--json",
    "as_json",
    metavar="OUT",
    help="Write the decision, every rule's numbers and every flip to this file.",
)
@path_option("--junit", metavar="OUT.xml", help="Write one test case per rule to this file.")
def gate(
    target: Path,
    rules: Path,
    overrides: tuple[str, ...],
    as_json: Path | None,
    junit: Path | None,
) -> None:
    """Test a run's verdicts, or a table of verdicts that `passk` reads, against rules.

    \b
    exit code 0  GO: every rule is shown to hold
              1  NO-GO: one is shown to be violated
              3  INCONCLUSIVE: neither
              2  a mistake in what was asked

    The tests are those of the report's claims, asked at the rules' margins, with the same
    adjustment; docs/gate.md has the rules, and how often the decision is wrong.
    """  # noqa: D301 - click reads the backspace itself
    from vlm_boundary.config.gate import load_rules
    from vlm_boundary.report.gate import gate_lines, write_junit
    from vlm_boundary.store import write_json

    found = _judge(target, overrides, load_rules(rules))
    if as_json is not None:
        write_json(as_json, found.as_json())
    if junit is not None:
        write_junit(junit, found, str(target))
    for line in gate_lines(found):
        click.echo(line)
    raise SystemExit(_EXIT[found.decision])


def _judge(target: Path, overrides: tuple[str, ...], rules: GateRules) -> Gate:
    from vlm_boundary.analysis.gate import gate_run, gate_table
    from vlm_boundary.analysis.table_file import read_table_file

    if target.suffix in _TABLES:
        if overrides:
            raise UserError(f"-o sets keys of an experiment; {target} is a table of verdicts")
        return gate_table(read_table_file(target), rules, str(target))
    run, experiment = existing_run(target, overrides)
    return gate_run(run, experiment, rules)

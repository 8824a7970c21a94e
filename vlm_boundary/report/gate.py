"""A gate's decision for a terminal, and as JUnit for a build server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from vlm_boundary.counted import counted
from vlm_boundary.records.outputs import Flip, Gate, JudgedRule
from vlm_boundary.store import write_text

_SHOWN = 10
# What XML 1.0 cannot hold, however it is written.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def gate_lines(gate: Gate) -> Iterator[str]:
    """The decision, a line a rule, and the problems that flipped."""
    counts = {"holds": 0, "violated": 0, "open": 0}
    for rule in gate.rules:
        counts[rule.standing] += 1
    yield (
        f"{gate.decision}: {counted(len(gate.rules), 'rule')}, {counts['holds']} shown to hold, "
        f"{counts['violated']} violated, {counts['open']} not shown either way"
    )
    for rule in gate.rules:
        yield f"  {rule.standing:8}  {rule.benchmark}: {rule.rule} ({_why(rule)})"
    yield (
        f"Level of either error, GO though a rule is violated and NO-GO though all hold: "
        f"{100 * gate.level:g}% ({gate.tests} tested, Holm)"
    )
    for by in dict.fromkeys((flip.benchmark, flip.names, flip.solved_by) for flip in gate.flips):
        found = [one for one in gate.flips if (one.benchmark, one.names, one.solved_by) == by]
        yield from _flips(found)


def _why(rule: JudgedRule) -> str:
    if rule.standing == "violated" and rule.p_violated_holm is not None:
        return f"{rule.why}; p = {rule.p_violated_holm:.2g} with all rules allowed for"
    return rule.why


def _flips(found: list[Flip]) -> Iterator[str]:
    """Those of one pair, one benchmark and one direction."""
    first = found[0]
    base, other = first.names
    loser = other if first.solved_by == base else base
    yield ""
    yield f"{first.benchmark}: {len(found)} solved by {first.solved_by} and not by {loser}"
    rows = [("problem", base, other, "by luck")]
    for one in found[:_SHOWN]:
        right = (
            f"{one.base_right} of {one.base_samples}",
            f"{one.other_right} of {one.other_samples}",
        )
        rows.append((one.problem_id, *right, f"{one.p:.2g}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  " + "  ".join(cells)
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN} more, which --json has"


def write_junit(path: Path, gate: Gate, name: str) -> None:
    """Write a test case a rule: violated is a failure, not shown either way an error.

    Args:
        name: of the suite, as the run's path.
    """
    standings = [rule.standing for rule in gate.rules]
    suite = ElementTree.Element(
        "testsuite",
        name=_text(f"vlm-boundary gate {name}"),
        tests=str(len(standings)),
        failures=str(standings.count("violated")),
        errors=str(standings.count("open")),
    )
    for rule in gate.rules:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_text(f"{rule.benchmark}.{rule.base}.{rule.other}"),
            name=_text(rule.rule),
        )
        if rule.standing != "holds":
            kind = "failure" if rule.standing == "violated" else "error"
            ElementTree.SubElement(case, kind, message=_text(_why(rule)), type=rule.standing)
        ElementTree.SubElement(case, "system-out").text = _text(rule.why)
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
    write_text(path, text + "\n")


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("�", text)

"""The analysis as rows of text, for Markdown and HTML alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is a label, the others are right-aligned."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table in GitHub's Markdown."""
        lines = [
            f"### {self.title}",
            "",
            "| " + " | ".join(self.header) + " |",
            "|" + "---|" + "---:|" * (len(self.header) - 1),
        ]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def tables(analysis: dict[str, Any]) -> list[Table]:
    """Every table of the report, benchmarks in order of name."""
    found = []
    for name, content in sorted(analysis["benchmarks"].items()):
        found.append(_curves(name, content, analysis["confidence"]))
        if content["pairs"]:
            found.append(_solved(name, content))
        found += [_outcomes(name, content), _sources(name, content), _readings(name, content)]
        if "perplexity" in content:
            found.append(_perplexity(name, content, analysis["confidence"]))
    return found


def _curves(name: str, content: dict[str, Any], confidence: float) -> Table:
    arms = list(content["arms"])
    rows = []
    for k in content["ks"]:
        row = [str(k)]
        row += [_percent(content["arms"][arm]["pass_at_k"].get(str(k))) for arm in arms]
        row += [_points(pair["difference"].get(str(k))) for pair in content["pairs"]]
        rows.append(tuple(row))
    header = ["k", *arms, *(f"{pair['other']} − {pair['base']}" for pair in content["pairs"])]
    title = f"{name}: pass@k in %, {confidence:.0%} intervals (Student's t over problems)"
    return Table(title, tuple(header), tuple(rows))


def _solved(name: str, content: dict[str, Any]) -> Table:
    rows = []
    for pair in content["pairs"]:
        solved = pair["solved"]
        counts = [solved[key] for key in ("both", "base_only", "other_only", "neither")]
        rows.append((f"{pair['base']} / {pair['other']}", *map(str, counts)))
    header = ("pair", "both", "first only", "second only", "neither")
    return Table(f"{name}: problems solved at least once", header, tuple(rows))


def _outcomes(name: str, content: dict[str, Any]) -> Table:
    arms = content["arms"]
    statuses = list(next(iter(arms.values()))["statuses"])
    rows = [
        (
            arm,
            str(values["problems"]),
            str(values["samples"]),
            *(str(values["statuses"][status]) for status in statuses),
        )
        for arm, values in arms.items()
    ]
    header = ("arm", "problems", "samples", *(status.replace("_", " ") for status in statuses))
    return Table(f"{name}: what became of the samples", header, tuple(rows))


def _perplexity(name: str, content: dict[str, Any], confidence: float) -> Table:
    rows = [
        (
            f"{row['responses_of']} under {row['under']}",
            _interval(row["perplexity"], "{:.3f}", scale=1),
            str(row["perplexity"]["problems"]),
            str(row["responses"]),
            str(row["not_scored"]),
        )
        for row in content["perplexity"]
    ]
    header = ("responses", "perplexity", "problems", "scored", "not scored")
    title = (
        f"{name}: perplexity a token, end of turn counted: each problem's median response, mean "
        f"over problems, {confidence:.0%} intervals (Student's t over problems)"
    )
    return Table(title, header, tuple(rows))


def _sources(name: str, content: dict[str, Any]) -> Table:
    """Where each arm's answers stood: a verifier that favours one way favours an arm."""
    arms = content["arms"]
    sources = list(next(iter(arms.values()))["sources"])
    rows = [
        (arm, *(f"{values['sources'][s] / values['samples']:.1%}" for s in sources))
        for arm, values in arms.items()
    ]
    return Table(f"{name}: where the answers stood", ("arm", *sources), tuple(rows))


def _readings(name: str, content: dict[str, Any]) -> Table:
    """pass@k when only answers said outright count, as it is, and with the undecided as correct."""
    rows = []
    for arm, values in content["arms"].items():
        curves = [values[f"pass_at_k{reading}"] for reading in ("_strict", "", "_lenient")]
        for k in sorted({1, max(map(int, curves[0]))}):
            if str(k) in curves[0]:
                rows.append((f"{arm}, k = {k}", *(_percent(curve[str(k)]) for curve in curves)))
    header = ("arm", "strict", "as reported", "lenient")
    title = f"{name}: pass@k in % by reading (strict: the answer was marked or said alone; "
    return Table(title + "lenient: undecided counts as correct)", header, tuple(rows))


def _percent(value: dict[str, Any] | None) -> str:
    return _interval(value, "{:.1f}")


def _points(value: dict[str, Any] | None) -> str:
    return _interval(value, "{:+.1f}")


def _interval(value: dict[str, Any] | None, form: str, scale: float = 100) -> str:
    if value is None or value["estimate"] is None:
        return "–"
    estimate = form.format(scale * value["estimate"])
    if value["low"] is None:
        return estimate
    low, high = form.format(scale * value["low"]), form.format(scale * value["high"])
    return f"{estimate} [{low}, {high}]"

"""Tables of what guessing explains, and of what the verifier may have got wrong."""

from __future__ import annotations

from typing import Any

from vlm_boundary.report.tables.table import Table, interval, percent, points


def above_floor(name: str, content: dict[str, Any]) -> Table:
    """What each arm solves, and what of that its own answers to other problems do not explain."""
    luck = content["luck"]
    rows = []
    for arm, one in luck["arms"].items():
        n = str(content["arms"][arm]["n"])
        rows.append(
            (
                arm,
                str(one["solved"]),
                str(one["above_floor"]),
                str(one["tested"]),
                percent(one["floor_pass_at_k"].get("1")),
                percent(one["floor_pass_at_k"].get(n)),
            )
        )
    guesser = luck["guesser"]["pass_at_k"]
    last = guesser[max(guesser, key=int)]
    rows.append(("a blind guesser", "–", "–", "–", percent(guesser["1"]), percent(last)))
    header = ("arm", "solved", "above its floor", "tested", "floor at k = 1", "floor at k = n")
    title = (
        f"{name}: problems solved at least once, and above the arm's own guess floor (Fisher's "
        f"exact test, false discovery rate {luck['false_discovery_rate']:.0%})"
    )
    return Table(title, header, tuple(rows))


def above_floor_pairs(name: str, content: dict[str, Any]) -> Table:
    """The solved sets above each arm's own floor."""
    rows = []
    for pair in content["luck"]["pairs"]:
        p = pair["mcnemar_p_value"]
        cells = [str(pair[key]) for key in ("both", "base_only", "other_only", "neither")]
        rows.append((f"{pair['base']} / {pair['other']}", *cells, "–" if p is None else f"{p:.2g}"))
    header = ("pair", "both", "first only", "second only", "neither", "McNemar p")
    title = f"{name}: problems solved above each arm's own guess floor"
    return Table(title, header, tuple(rows))


def controls(name: str, content: dict[str, Any]) -> Table:
    """What is solved without the picture, with another, without reasoning."""
    rows = []
    for condition, by_arm in content["controls"].items():
        for arm, one in by_arm.items():
            for k in sorted({1, one["n"]}):
                rows.append(
                    (
                        f"{arm}, {condition.replace('_', ' ')}, k = {k}",
                        percent(one["pass_at_k"].get(str(k))),
                        points(one["full_minus_control"].get(str(k))),
                        str(one["problems"]),
                    )
                )
    header = ("control", "pass@k (%)", "as it is − control (points)", "problems")
    return Table(f"{name}: controls", header, tuple(rows))


def guess_filter(name: str, content: dict[str, Any]) -> Table:
    """Pairs on the problems that direct answers do not guess."""
    rows = []
    for one in content["guess_filter"]:
        label = f"{one['other']} − {one['base']}"
        if one["surviving"] is None:
            reason = f"needs {one['draws_needed']} direct answers a problem, there are"
            rows.append((label, "–", str(one["problems"]), f"{reason} {one['draws']}", "–"))
            continue
        last = max(map(int, one["difference"]))
        rows.append(
            (
                label,
                str(one["surviving"]),
                str(one["problems"]),
                points(one["difference"]["1"]),
                points(one["difference"][str(last)]),
            )
        )
    header = ("difference", "problems left", "of", "at k = 1 (points)", "at k = n (points)")
    title = f"{name}: without the problems that direct answers guess now and then"
    return Table(title, header, tuple(rows))


def verifier_error(name: str, content: dict[str, Any]) -> Table:
    """Numbers corrected for a measured error of the verifier, and what it leaves possible."""
    section = content["verifier_error"]
    rows = []
    for arm, one in section["arms"].items():
        last = max(map(int, one["pass_at_k_range"]))
        rows.append(
            (
                arm,
                percent(content["arms"][arm]["pass_at_k"]["1"]),
                percent(one["pass_at_1"]),
                _range(one["pass_at_k_range"][str(last)], "{:.1f}"),
            )
        )
    for pair in section["pairs"]:
        last = max(map(int, pair["difference_range"]))
        seen = next(
            one["difference"]["1"]
            for one in content["pairs"]
            if (one["base"], one["other"]) == (pair["base"], pair["other"])
        )
        rows.append(
            (
                f"{pair['other']} − {pair['base']}",
                points(seen),
                points(pair["difference_at_1"]),
                _range(pair["difference_range"][str(last)], "{:+.1f}"),
            )
        )
    rates = [interval(section[key], "{:.2f}") for key in ("false_positive", "false_negative")]
    title = (
        f"{name}: what the verifier's error does: wrong answers accepted {rates[0]} %, right ones "
        f"rejected {rates[1]} %"
    )
    header = ("", "k = 1 as it is", "k = 1 corrected", "possible range at k = n")
    return Table(title, header, tuple(rows))


def _range(one: dict[str, Any], form: str) -> str:
    if one["low"] is None or one["high"] is None:
        return "–"
    return f"{form.format(100 * one['low'])} to {form.format(100 * one['high'])}"

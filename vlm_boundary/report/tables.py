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
            found += [
                _differences(name, content, analysis["confidence"]),
                _crossovers(name, content),
                _solved(name, content),
                _needed(name, content),
            ]
        found.append(_alone(name, content, analysis["confidence"]))
        if "self_test" in content:
            found.append(_self_test(name, content))
        if "followup" in content:
            found.append(_followup(name, content))
        found += [_outcomes(name, content), _sources(name, content), _readings(name, content)]
        if "perplexity" in content:
            found.append(_perplexity(name, content, analysis["confidence"]))
    if analysis["multiplicity"]["tests"]:
        found.append(_family(analysis["multiplicity"]))
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


def _differences(name: str, content: dict[str, Any], confidence: float) -> Table:
    rows = [
        (
            f"{pair['other']} − {pair['base']}, k = {k}",
            _points(entry),
            _interval(entry, "{:+.1f}", side="bootstrap_"),
            _interval(entry, "{:+.1f}", side="band_"),
            _points(pair["this_benchmark"].get(k)),
            str(entry["problems"]),
        )
        for pair in content["pairs"]
        for k, entry in _at(pair["difference"], content["ks"])
    ]
    header = (
        "difference", "Student's t", "bootstrap-t", "band over all k", "this very benchmark",
        "problems",
    )  # fmt: skip
    title = (
        f"{name}: differences in points, {confidence:.0%}: problems like these (this very "
        f"benchmark: only the samples drawn again)"
    )
    return Table(title, header, tuple(rows))


def _crossovers(name: str, content: dict[str, Any]) -> Table:
    rows = []
    for pair in content["pairs"]:
        turn = pair["crossover"]
        ends = ["–" if turn[key] is None else str(turn[key]) for key in ("estimate", "low", "high")]
        status = turn["status"].replace("_", " ")
        if turn["status"] == "none":
            status += ", ruled out" if turn["excluded"] else ", not ruled out"
        rows.append((f"{pair['other']} − {pair['base']}", *ends, status))
    header = ("difference", "crossover k", "from", "to", "status")
    title = f"{name}: the k at which the difference turns from above zero to zero or below"
    return Table(title, header, tuple(rows))


def _solved(name: str, content: dict[str, Any]) -> Table:
    rows = []
    for pair in content["pairs"]:
        solved, support = pair["solved"], pair["support"]
        counts = [solved[key] for key in ("both", "base_only", "other_only", "neither")]
        shares = [_share(support[key]) for key in ("srr", "ndr", "sds", "nscr")]
        p = "–" if pair["mcnemar_p"] is None else f"{pair['mcnemar_p']:.2g}"
        rows.append((f"{pair['base']} / {pair['other']}", *map(str, counts), p, *shares))
    header = (
        "pair", "both", "first only", "second only", "neither", "McNemar p", "SRR", "NDR", "SDS",
        "NSCR",
    )  # fmt: skip
    bounds = [p["unsolved_below"] for p in content["pairs"] if p["unsolved_below"] is not None]
    note = ""
    if bounds:
        note = f"; unsolved means a success probability below {max(bounds):.1%}, one-sided, not 0"
    return Table(f"{name}: problems solved at least once{note}", header, tuple(rows))


def _needed(name: str, content: dict[str, Any]) -> Table:
    rows = [
        (
            f"{pair['other']} − {pair['base']}, k = {k}",
            _points_of(pair["difference"][str(k)]["estimate"]),
            _points_of(found["smallest_gap"]).lstrip("+"),
            "–" if found["problems"] is None else f"{found['problems']:,}",
            "–" if found["samples"] is None else f"{found['samples']:,}",
        )
        for pair in content["pairs"]
        for k in sorted({1, pair["n"]})
        if (found := pair["needed"].get(str(k)))
    ]
    header = ("difference", "seen", "smallest found", "problems needed", "or samples of each")
    title = f"{name}: what finds a gap of the size seen 80 % of the time (–: no number would)"
    return Table(title, header, tuple(rows))


def _alone(name: str, content: dict[str, Any], confidence: float) -> Table:
    rows = []
    for arm, values in content["arms"].items():
        single = values["single_pass"]
        kind = "greedy" if single["greedy"] else "first sample"
        if single["arm"] != arm:
            kind += f" of {single['arm']}"
        last = str(values["n"])
        rows.append(
            (
                arm,
                f"{_percent(single)} ({kind})",
                _percent(values["avg_at_n"]),
                _percent(values["maj_at_k"][last]),
                _percent(values["pass_hat_k"][last]),
                _percent(values["g_pass_at_k"]["0.5"][last])
                if last in values["g_pass_at_k"]["0.5"]
                else "–",
                _percent(values["cover_at_tau"]["0.5"]),
            )
        )
    header = ("arm", "single pass", "avg@n", "maj@n", "pass^n", "G-Pass@n, τ 0.5", "Cover@0.5")
    title = f"{name}: one answer, the average, the vote, and consistency, in %, {confidence:.0%}"
    return Table(title, header, tuple(rows))


def _self_test(name: str, content: dict[str, Any]) -> Table:
    rows = [
        (
            f"{row['arm']} against {row['against']}",
            str(row["n"]),
            f"{len(row['found_at'])} of {row['n']}",
            "yes" if row["found_by_band"] else "no",
            row["crossover"]["status"].replace("_", " "),
        )
        for row in content["self_test"]
    ]
    header = ("same checkpoint twice", "k up to", "k with a difference", "by the band", "crossover")
    title = (
        f"{name}: self-test: a true difference is zero here; one k in twenty errs, and "
        f"neighbours err together"
    )
    return Table(title, header, tuple(rows))


def _followup(name: str, content: dict[str, Any]) -> Table:
    rows = [
        (
            f"{row['base']} / {row['other']}: "
            + ("first only" if row["cell"] == "base_only" else "second only"),
            str(row["problems"]),
            f"{row['fresh_samples']['base']:,} / {row['fresh_samples']['other']:,}",
            str(row["solved_again"]["base"]),
            str(row["solved_again"]["other"]),
        )
        for row in content["followup"]
    ]
    header = ("cell", "problems", "fresh samples", "solved by the first", "by the second")
    title = f"{name}: problems that one alone had solved, in fresh samples of both"
    return Table(title, header, tuple(rows))


def _family(multiplicity: dict[str, Any]) -> Table:
    rows = [
        (
            f"{test['benchmark']}: {test['other']} − {test['base']}, k = {test['k']}",
            "–" if test["p"] is None else f"{test['p']:.2g}",
            "–" if test["p_holm"] is None else f"{test['p_holm']:.2g}",
        )
        for test in multiplicity["tests"]
    ]
    title = (
        f"All {len(rows)} headline tests as one family (t at k = 1, McNemar's exact test at k = n)"
    )
    return Table(title, ("difference", "p", "p, Holm's"), tuple(rows))


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


def _points_of(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _at(curve: dict[str, Any], ks: list[int]) -> list[tuple[str, Any]]:
    return [(str(k), curve[str(k)]) for k in ks if str(k) in curve]


def _interval(
    value: dict[str, Any] | None, form: str, scale: float = 100, *, side: str = ""
) -> str:
    """An estimate with its interval; of another `side` than the headline's the interval alone."""
    if value is None or value["estimate"] is None:
        return "–"
    estimate = "" if side else form.format(scale * value["estimate"])
    if value.get(f"{side}low") is None:
        return estimate or "–"
    low, high = (form.format(scale * value[f"{side}{end}"]) for end in ("low", "high"))
    return f"{estimate} [{low}, {high}]".strip()

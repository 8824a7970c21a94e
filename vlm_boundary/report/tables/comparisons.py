"""Tables of arms, of pairs, and of what became of the samples."""

from __future__ import annotations

from typing import Any

from vlm_boundary.report.tables.table import (
    Table,
    at,
    interval,
    percent,
    points,
    points_of,
    share,
)


def curves(name: str, content: dict[str, Any], confidence: float) -> Table:
    """pass@k at the k of tables, and its paired differences."""
    arms = list(content["arms"])
    rows = []
    for k in content["ks"]:
        row = [str(k)]
        row += [percent(content["arms"][arm]["pass_at_k"].get(str(k))) for arm in arms]
        row += [points(pair["difference"].get(str(k))) for pair in content["pairs"]]
        rows.append(tuple(row))
    header = ["k", *arms, *(f"{pair['other']} − {pair['base']}" for pair in content["pairs"])]
    title = f"{name}: pass@k in %, {confidence:.0%} intervals (Student's t over problems)"
    return Table(title, tuple(header), tuple(rows))


def differences(name: str, content: dict[str, Any], confidence: float) -> Table:
    """Each difference with every interval there is."""
    rows = [
        (
            f"{pair['other']} − {pair['base']}, k = {k}",
            points(entry),
            interval(entry, "{:+.1f}", side="bootstrap_"),
            interval(entry, "{:+.1f}", side="band_"),
            points(pair["this_benchmark"].get(k)),
            str(entry["problems"]),
        )
        for pair in content["pairs"]
        for k, entry in at(pair["difference"], content["ks"])
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


def crossovers(name: str, content: dict[str, Any]) -> Table:
    """Where pairs cross."""
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


def solved(name: str, content: dict[str, Any]) -> Table:
    """The solved sets at n, and what they say of support."""
    rows = []
    for pair in content["pairs"]:
        solved, support = pair["solved"], pair["support"]
        counts = [solved[key] for key in ("both", "base_only", "other_only", "neither")]
        shares = [share(support[key]) for key in ("srr", "ndr", "sds", "nscr")]
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


def needed(name: str, content: dict[str, Any]) -> Table:
    """How many problems or samples would resolve a gap of the size seen."""
    rows = [
        (
            f"{pair['other']} − {pair['base']}, k = {k}",
            points_of(pair["difference"][str(k)]["estimate"]),
            points_of(found["smallest_gap"]).lstrip("+"),
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


def alone(name: str, content: dict[str, Any], confidence: float) -> Table:
    """What one answer, the average and the vote do."""
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
                f"{percent(single)} ({kind})",
                percent(values["avg_at_n"]),
                percent(values["maj_at_k"][last]),
                percent(values["pass_hat_k"][last]),
                percent(values["g_pass_at_k"]["0.5"][last])
                if last in values["g_pass_at_k"]["0.5"]
                else "–",
                percent(values["cover_at_tau"]["0.5"]),
            )
        )
    header = ("arm", "single pass", "avg@n", "maj@n", "pass^n", "G-Pass@n, τ 0.5", "Cover@0.5")
    title = f"{name}: one answer, the average, the vote, and consistency, in %, {confidence:.0%}"
    return Table(title, header, tuple(rows))


def self_test(name: str, content: dict[str, Any]) -> Table:
    """What was found between a checkpoint and itself."""
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


def followup(name: str, content: dict[str, Any]) -> Table:
    """What fresh samples say of problems that one arm alone solved."""
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


def family(multiplicity: dict[str, Any]) -> Table:
    """Every headline test, adjusted for there being so many."""
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


def outcomes(name: str, content: dict[str, Any]) -> Table:
    """How many samples ended how."""
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


def perplexity(name: str, content: dict[str, Any], confidence: float) -> Table:
    """Perplexity of responses, by who wrote and who reads them."""
    rows = [
        (
            f"{row['responses_of']} under {row['under']}",
            interval(row["perplexity"], "{:.3f}", scale=1),
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


def sources(name: str, content: dict[str, Any]) -> Table:
    """Where each arm's answers stood: a verifier that favours one way favours an arm."""
    arms = content["arms"]
    sources = list(next(iter(arms.values()))["sources"])
    rows = [
        (arm, *(f"{values['sources'][s] / values['samples']:.1%}" for s in sources))
        for arm, values in arms.items()
    ]
    return Table(f"{name}: where the answers stood", ("arm", *sources), tuple(rows))


def readings(name: str, content: dict[str, Any]) -> Table:
    """pass@k when only answers said outright count, as it is, and with the undecided as correct."""
    rows = []
    for arm, values in content["arms"].items():
        curves = [values[f"pass_at_k{reading}"] for reading in ("_strict", "", "_lenient")]
        for k in sorted({1, max(map(int, curves[0]))}):
            if str(k) in curves[0]:
                rows.append((f"{arm}, k = {k}", *(percent(curve[str(k)]) for curve in curves)))
    header = ("arm", "strict", "as reported", "lenient")
    title = f"{name}: pass@k in % by reading (strict: the answer was marked or said alone; "
    return Table(title + "lenient: undecided counts as correct)", header, tuple(rows))

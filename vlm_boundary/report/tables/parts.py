"""Tables of parts of the problems, of series of arms, of what lies past n, and of cost."""

from __future__ import annotations

from typing import Any

from vlm_boundary.report.tables.table import Table, interval, percent, points


def slices(name: str, content: dict[str, Any]) -> Table:
    """Differences by metadata, with p-values that allow for how many there are."""
    rows = []
    for pair in content["distributions"]["slices"]:
        for one in pair["slices"]:
            if not one["problems"]:
                continue
            for k, entry in sorted(one["difference"].items(), key=lambda item: int(item[0])):
                p = one["adjusted_p_value"][k]
                rows.append(
                    (
                        f"{pair['other']} − {pair['base']}, {one['field']}: {one['value']}, "
                        f"k = {k}",
                        str(one["problems"]),
                        percent(one["base_pass_at_k"][k]),
                        percent(one["other_pass_at_k"][k]),
                        points(entry),
                        "–" if p is None else f"{p:.2g}",
                    )
                )
    header = (
        "slice", "problems", "base (%)", "other (%)", "difference (points)", "p, Holm's"
    )  # fmt: skip
    return Table(f"{name}: by metadata", header, tuple(rows))


def strata(name: str, content: dict[str, Any]) -> Table:
    """Differences by how hard problems are for the base, judged by samples that do not count."""
    rows = []
    judged = 0
    for pair in content["distributions"]["strata"]:
        judged = max(judged, pair["judged_on"])
        for one in pair["strata"]:
            for k in sorted(one.get("difference", {}), key=int):
                rows.append(
                    (
                        f"{pair['other']} − {pair['base']}, base right in {one['base_accuracy']}, "
                        f"k = {k}",
                        str(one["problems"]),
                        percent(one["base_pass_at_k"][k]),
                        percent(one["other_pass_at_k"][k]),
                        points(one["difference"][k]),
                    )
                )
    header = ("stratum", "problems", "base (%)", "other (%)", "difference (points)")
    title = (
        f"{name}: by the base's accuracy in {judged} samples a problem; its other samples are "
        "those that are compared"
    )
    return Table(title, header, tuple(rows))


def training(name: str, content: dict[str, Any]) -> Table:
    """Training steps, temperatures and seeds."""
    section = content["series"]
    rows = []
    for one in (section.get("training") or {"arms": []})["arms"]:
        step = "base" if one["step"] is None else f"step {one['step']}"
        rows.append((f"{one['arm']} ({step})", *_ends(one["pass_at_k"])))
    for group in section.get("temperature", []):
        rows += [
            (f"{one['arm']} (temperature {one['temperature']:g})", *_ends(one["pass_at_k"]))
            for one in group["arms"]
        ]
    for group in section.get("seeds", []):
        label = f"mean of seeds: {', '.join(group['arms'])}"
        rows.append((label, *_ends(group["pass_at_k"])))
        spread = {
            k: {"estimate": entry["standard_deviation"], "low": None}
            for k, entry in group["pass_at_k"].items()
        }
        rows.append(("their standard deviation", *_ends(spread)))
    header = ("checkpoint", "pass@1 (%)", "largest k", "pass@k (%)")
    return Table(f"{name}: training steps, temperatures, seeds", header, tuple(rows))


def _ends(curve: dict[str, Any]) -> tuple[str, str, str]:
    last = max(map(int, curve))
    return percent(curve["1"]), str(last), percent(curve[str(last)])


def beyond_n(name: str, content: dict[str, Any]) -> Table:
    """What the models say past n, and how far they were off where it is known."""
    rows = []
    models = {"beta_binomial": "beta-binomial", "zero_inflated": "with unsolvable problems"}
    for arm, one in content["beyond_n"]["arms"].items():
        test = one["back_test"]
        for model, label in models.items():
            curve = one[model]["pass_at_k"]
            far = max(map(int, curve))
            rows.append(
                (
                    f"{arm}, {label}",
                    percent(curve[str(one["n"])]),
                    f"{far:,}",
                    percent(curve[str(far)]),
                    percent(one[model]["never_solved"]),
                    points(test[model]["error"]) if test else "–",
                )
            )
    header = (
        "arm, model", "at n (%)", "k", "at that k (%)", "never solved (%)",
        "back-test error (points)",
    )  # fmt: skip
    return Table(f"{name}: models past n, and their back-test", header, tuple(rows))


def cost(name: str, content: dict[str, Any]) -> Table:
    """Tokens, and what they bought."""
    rows = []
    for arm, one in content["efficiency"]["arms"].items():
        total = one["tokens"]
        if total is None and one["tokens_per_sample"]["estimate"] is None:
            continue
        rows.append(
            (
                arm,
                "–" if total is None else f"{total:,}",
                interval(one["tokens_per_sample"], "{:.1f}", 1),
                _tokens(one["tokens_per_correct_sample"]),
                _tokens(one["tokens_per_solved_problem"]),
            )
        )
    header = ("arm", "tokens", "per sample", "per right sample", "per solved problem")
    return Table(f"{name}: tokens generated", header, tuple(rows))


def efficiency_gaps(name: str, content: dict[str, Any]) -> Table:
    """How far the other arm's single sample is from the base's many."""
    rows = [
        (
            f"{pair['base']} / {pair['other']}",
            str(pair["k"]),
            points(pair["sampling_efficiency_gap"]),
        )
        for pair in content["efficiency"]["pairs"]
    ]
    title = f"{name}: sampling-efficiency gap ΔSE: the base's pass@k − the other's pass@1"
    return Table(title, ("pair", "k", "gap (points)"), tuple(rows))


def _tokens(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def entropy(name: str, content: dict[str, Any]) -> Table:
    """How surprising each arm's own samples are to it."""
    rows = [
        (
            arm,
            f"{one['temperature']:g}",
            f"{one['top_p']:g}",
            interval(one["cross_entropy"], "{:.3f}", 1),
            "entropy" if one["is_entropy"] else "cross-entropy",
        )
        for arm, one in content["entropy"].items()
    ]
    header = ("arm", "temperature", "top-p", "nats a token", "which is its")
    return Table(f"{name}: how surprising each arm's own samples are to it", header, tuple(rows))

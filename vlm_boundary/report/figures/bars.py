"""Figures of counts and shares."""

from __future__ import annotations

from vlm_boundary.report.chart import Figure, Panel, Series, times
from vlm_boundary.report.findings import Findings

_CELLS = ("both", "base_only", "other_only", "neither")


def solved_sets(found: Findings) -> Figure | None:
    """Which problems both arms solve, one of them, or none; and the same above guess floors."""
    panels = []
    for name, content in found.benchmarks.items():
        above = {
            (pair["base"], pair["other"]): pair for pair in content.get("luck", {}).get("pairs", [])
        }
        for pair in found.pairs(content["pairs"]):
            base, other = pair["base"], pair["other"]
            rows = {f"at least once in {pair['n']}": pair["solved"]}
            floor = above.get((base, other))
            if floor and floor["tested"]:
                rows["above its own guess floor"] = floor
            labels = ("both", f"{base} only", f"{other} only", "neither")
            colours = (2, found.colour(base), found.colour(other), None)
            if 2 in colours[1:3]:
                colours = (3, *colours[1:])
            series = tuple(
                Series(
                    label,
                    tuple(rows),
                    tuple(cells[cell] for cells in rows.values()),
                    colour=colour,
                    style="bars",
                )
                for label, cell, colour in zip(labels, _CELLS, colours, strict=True)
            )
            panels.append(
                Panel(
                    f"{name}: {other} and {base}", "solved", "problems", series, "category",
                    stacked=True, horizontal=True,
                )
            )  # fmt: skip
    caption = (
        "Problems by which arm solves them: with at least one right sample, and more often than "
        "its own answers to other problems would."
    )
    return Figure("solved_sets", "Solved sets", caption, tuple(panels)) if panels else None


def accuracy_histogram(found: Findings) -> Figure | None:
    """How many problems have which accuracy."""
    panels = []
    for name, _, section in found.with_section("distributions"):
        bins = tuple(_bin_name(one) for one in section["accuracy_bins"])
        series = tuple(
            Series(
                arm,
                bins,
                tuple(section["arms"][arm]["accuracy_histogram"]),
                colour=found.colour(arm),
                style="bars",
            )
            for arm in found.arms(section["arms"])
        )
        panels.append(
            Panel(name, "accuracy of a problem (share of samples that are right, %)", "problems",
                  series, "category")
        )  # fmt: skip
    caption = (
        "Bins are closed on the right; problems that are never or always right have their own."
    )
    title = "Accuracy histogram"
    return Figure("accuracy_histogram", title, caption, tuple(panels)) if panels else None


def _bin_name(name: str) -> str:
    """`(0.1, 0.2]` as `10–20`."""
    ends = [f"{100 * float(end):g}" for end in name.strip("()[]").split(",")]
    return "–".join(ends)


def outcomes(found: Findings) -> Figure | None:
    """What became of the samples, over all problems and over those that an arm never solved."""
    panels = []
    titles = {"all_problems": "all problems", "unsolved_problems": "problems never solved"}
    for name, _, section in found.with_section("distributions"):
        arms = found.arms(section["arms"])
        for key, title in titles.items():
            here = [
                arm
                for arm in arms
                if section["arms"][arm]["outcomes"][key]["correct"]["estimate"] is not None
            ]
            if not here:
                continue
            first = section["arms"][here[0]]["outcomes"][key]
            order = ("correct", "incorrect", "no_answer", "truncated", "undecided")
            statuses = [status for status in order if status in first]
            shares = {
                status: times(
                    [section["arms"][arm]["outcomes"][key][status]["estimate"] for arm in here], 100
                )
                for status in statuses
            }
            colours = dict(zip(order, (2, 1, 4, 3, None), strict=True))
            series = tuple(
                Series(status.replace("_", " "), tuple(here), values, colour=colours[status],
                       style="bars")
                for status, values in shares.items()
                if any(values)
            )  # fmt: skip
            panels.append(
                Panel(f"{name}: {title}", "arm", "samples (%)", series, "category",
                      stacked=True, horizontal=True, top=100.0)
            )  # fmt: skip
    caption = (
        "Mean over problems. Truncated samples ran into the token limit; undecided ones count as "
        "not correct."
    )
    title = "What became of the samples"
    return Figure("outcomes", title, caption, tuple(panels)) if panels else None

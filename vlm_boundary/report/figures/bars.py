"""Figures of counts and shares."""

from __future__ import annotations

from collections.abc import Iterator

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.record import find_pair
from vlm_boundary.report.chart import Panel, Series, figure, times

_COLOURS = {"correct": 2, "incorrect": 1, "no_answer": 4, "truncated": 3, "undecided": None}


@figure(
    "solved_sets",
    "Which problems each model solves",
    "How many problems both models solve, only one of them, or neither. Upper bar: solved is "
    "at least one right answer among the samples. Lower bar, where there is one: right more "
    "often than the answers that the model gives to other problems would be, so that luck "
    "does not explain it.",
)
def solved_sets(found: Findings) -> Iterator[Panel]:
    """Which problems both arms solve, one of them, or none; and the same above guess floors."""
    # A colour of no arm, and the same in every panel, while the palette has one.
    arms = {found.colour(arm) for arm in found.roles}
    both = next((place for place in (2, 3, 4, 5) if place not in arms), 2)
    for name, content in found.benchmarks.items():
        for pair in found.pairs(content.pairs):
            base, other = pair.names
            rows = {f"at least once in {pair.n}": pair.solved.counts}
            floor = find_pair(content.luck.pairs, pair.names) if content.luck else None
            if floor and floor.tested:
                rows["above its own guess floor"] = floor.counts
            labels = ("both", f"{base} only", f"{other} only", "neither")
            colours = (both, found.colour(base), found.colour(other), None)
            parts = zip(labels, zip(*rows.values(), strict=True), colours, strict=True)
            series = tuple(
                Series(label, tuple(rows), cells, colour=colour, style="bars")
                for label, cells, colour in parts
            )
            yield Panel(
                f"{name}: {other} and {base}", "solved", "problems", series, "category",
                stacked=True, horizontal=True,
            )  # fmt: skip


@figure(
    "accuracy_histogram",
    "How reliably each problem is solved",
    "How many problems (height) a model answers correctly in which share of its samples. The "
    "leftmost bars are problems that it never solved, the rightmost those that it always "
    "solved; 10–20 stands for more than 10 % and up to 20 %.",
)
def accuracy_histogram(found: Findings) -> Iterator[Panel]:
    """How many problems have which accuracy."""
    label = "accuracy of a problem (share of samples that are right, %)"
    for name, _, section in found.with_section(lambda one: one.distributions):
        bins = tuple(_bin_name(one) for one in section.accuracy_bins)
        counts = {arm: section.arms[arm].accuracy_histogram for arm in found.arms(section.arms)}
        series = tuple(
            Series(arm, bins, tuple(heights), colour=found.colour(arm), style="bars")
            for arm, heights in counts.items()
        )
        yield Panel(name, label, "problems", series, "category")


def _bin_name(name: str) -> str:
    """`(0.1, 0.2]` as `10–20`."""
    return "–".join(f"{100 * float(end):g}" for end in name.strip("()[]").split(","))


@figure(
    "outcomes",
    "What became of the samples",
    "What share of the samples was right, wrong, without an answer, or cut off at the token "
    "limit (truncated), averaged over problems. Undecided are answers that the verifier could "
    "not judge; they count as not correct.",
)
def outcomes(found: Findings) -> Iterator[Panel]:
    """What became of the samples, over all problems and over those that an arm never solved."""
    for name, _, section in found.with_section(lambda one: one.distributions):
        arms = {arm: section.arms[arm].outcomes for arm in found.arms(section.arms)}
        shown = {
            "all problems": {arm: one.all_problems for arm, one in arms.items()},
            "problems never solved": {arm: one.unsolved_problems for arm, one in arms.items()},
        }
        for title, by_arm in shown.items():
            here = {arm: one for arm, one in by_arm.items() if one["correct"].estimate is not None}
            if not here:
                continue
            series = []
            for status, colour in _COLOURS.items():
                shares = times([one[status].estimate for one in here.values()], 100)
                if any(shares):
                    label = status.replace("_", " ")
                    series.append(Series(label, tuple(here), shares, colour=colour, style="bars"))
            yield Panel(
                f"{name}: {title}", "model", "samples (%)", tuple(series), "category",
                stacked=True, horizontal=True, top=100.0,
            )  # fmt: skip

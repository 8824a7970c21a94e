"""Figures of estimates with their intervals, one beside the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.record import Curve
from vlm_boundary.records.sections import ComparedPart
from vlm_boundary.records.series import Seeds
from vlm_boundary.report.chart import Panel, Series, figure, interval_series, times

_MOST_ROWS = 40


@figure(
    "slices",
    "Differences by kind of problem",
    "The difference between the two models on parts of the problems (how many, in brackets), "
    "with one sample and with the most that were drawn. Among many parts some differ by "
    "chance; the table's p-values allow for that.",
)
def slices(found: Findings) -> Iterator[Panel]:
    """Differences by metadata and by how hard a problem is for the base."""
    for name, _, section in found.with_section(lambda one: one.distributions):
        by_pair = {pair.names: pair.slices for pair in section.slices}
        for pair in found.pairs(section.strata):
            title = f"{name}: {pair.other} − {pair.base}"
            rows = {
                f"{row.field}: {row.value} ({row.problems})": row
                for row in by_pair.get(pair.names, [])
                if row.problems
            }
            hard = {
                f"base accuracy {row.base_accuracy} ({row.problems})": row
                for row in pair.strata
                if row.problems
            }
            if rows and len(rows) <= _MOST_ROWS:
                yield _forest(f"{title}, by metadata", rows)
            if hard:
                yield _forest(f"{title}, by difficulty", hard)


def _forest(title: str, rows: Mapping[str, ComparedPart]) -> Panel:
    ks = sorted({k for row in rows.values() for k in row.difference})
    series = tuple(
        interval_series(
            f"k = {k}",
            {label: row.difference[k] for label, row in rows.items()
             if k in row.difference},
            colour=(4, 5)[place % 2], style="points",
        )
        for place, k in enumerate(ks)
    )  # fmt: skip
    return Panel(
        title, "problems", "difference in pass@k (points)", series, "category",
        zero=True, horizontal=True, bottom=None,
    )  # fmt: skip


@figure(
    "perplexity",
    "How likely one model finds the other's answers",
    "Perplexity per token: low means that the model finds the text likely. Each problem's "
    "median response, averaged over problems. Where the base model finds the other's answers "
    "as likely as its own, it could have written them itself.",
)
def perplexity(found: Findings) -> Iterator[Panel]:
    """How likely one arm finds the other's responses."""
    for name, _, section in found.with_section(lambda one: one.perplexity):
        series = []
        for under in found.arms({row.under for row in section}):
            rows = {
                f"responses of {row.responses_of}": row.perplexity
                for row in section
                if row.under == under
            }
            colour = found.colour(under)
            named = f"under {under}"
            series.append(interval_series(named, rows, scale=1, colour=colour, style="points"))
        yield Panel(
            name, "whose responses", "perplexity per token", tuple(series), "category",
            horizontal=True, bottom=None,
        )  # fmt: skip


@figure(
    "series",
    "Along training steps, temperatures and seeds",
    "How the share of solved problems changes with training steps, with the sampling "
    "temperature, and between training runs that differ in their seed alone. Intervals are "
    "over problems; they do not include what another training run would have given.",
)
def training(found: Findings) -> Iterator[Panel]:
    """Along training steps and temperatures, at k = 1 and at the largest k."""
    for name, _, section in found.with_section(lambda one: one.series):
        if section.training:
            steps = [(row.step or 0, row.pass_at_k) for row in section.training.arms]
            yield _along(f"{name}: training", "training step (0: the base)", steps)
        for group in section.temperature:
            rows = [(row.temperature, row.pass_at_k) for row in group.arms]
            yield _along(f"{name}: {group.model}", "temperature", rows)
        for seeds in section.seeds:
            yield _seeds(found, name, seeds)


def _along(title: str, label: str, rows: Sequence[tuple[float, Curve]]) -> Panel:
    ks = sorted({k for _, curve in rows for k in curve})
    series = []
    for place, k in enumerate(ks):
        here = {x: curve[k] for x, curve in rows if k in curve}
        series.append(interval_series(f"pass@{k}", here, colour=(4, 5)[place % 2]))
    return Panel(title, label, "pass@k (%)", tuple(series))


def _seeds(found: Findings, name: str, group: Seeds) -> Panel:
    """Each seed's own estimate, and the mean over seeds with its interval."""
    arms = found.benchmarks[name].arms
    labels = {k: f"pass@{k}" for k in sorted(group.pass_at_k)}
    series = []
    for arm in group.arms:
        each = times([arms[arm].pass_at_k[k].estimate for k in labels], 100)
        names, colour = tuple(labels.values()), found.colour(arm)
        series.append(Series(arm, names, each, colour=colour, style="points"))
    mean = {label: group.pass_at_k[k] for k, label in labels.items()}
    series.append(interval_series("mean over seeds", mean, style="points"))
    return Panel(
        f"{name}: seeds", "problems solved", "pass@k (%)", tuple(series), "category",
        horizontal=True,
    )  # fmt: skip

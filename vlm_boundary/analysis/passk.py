"""Curves, paired difference and crossover for a table of verdicts, without a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.differences import compare, difference_at_k
from vlm_boundary.analysis.estimators import every_k
from vlm_boundary.analysis.intervals import cluster_codes, holm, known, t_intervals
from vlm_boundary.analysis.sets import solved
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.analysis.table_file import VerdictTable
from vlm_boundary.errors import UserError
from vlm_boundary.records.outputs import ComparedModels, CountsByModel, ModelCurve, ProblemsByModel
from vlm_boundary.records.record import (
    CellCounts,
    CellProblems,
    Crossover,
    Curve,
    Equivalence,
    Interval,
)

CONFIDENCE = 0.95
DRAWS = 10_000


@dataclass(frozen=True)
class Comparison:
    """What `passk` found: `content` as it is written to JSON, the rest for the terminal."""

    base: str
    rl: str
    content: ComparedModels
    table: VerdictTable
    mcnemar_p: float | None
    """None too where problems share a cluster, since the test takes them for independent, and where
    one model has more samples of a problem, and with them more chances to solve it."""
    shared: int
    unequal: int
    """Shared problems of which one model has more samples than the other."""


def compare_models(
    table: VerdictTable, base: str, rl: str, where: str, margin: float | None = None
) -> Comparison:
    """pass@k of every model, and of the RL model less the base on the problems that both have.

    Args:
        table: the counts by model, and the clusters of problems that intervals go by.
        where: what errors name.
        margin: as a share, what the differences at k = 1 and the last k are held against.

    Raises:
        UserError: there is no such model, both are the same, or they share no problem.
    """
    counts = table.counts
    for name in (base, rl):
        if name not in counts:
            raise UserError(f"{where}: no model {name!r}; there are {', '.join(sorted(counts))}")
    if base == rl:
        raise UserError(f"{where}: --base and --rl are both {base!r}; name two models")
    first, second = table.shared(base, rl, where)
    ids = first.problem_ids
    deepest = min(int(first.depths.max()), int(second.depths.max()))
    ks = np.arange(1, deepest + 1)
    groups = cluster_codes(ids, table.clusters)
    compared = compare(
        difference_at_k(first, second, ks),
        CONFIDENCE,
        groups,
        DRAWS,
        np.random.default_rng(0),
        margin,
    )
    sets = solved(first, second, CONFIDENCE)
    stated = compared.given()
    more = {name: stated[name] for name in ("clusters", "equivalence") if name in stated}
    content = ComparedModels(
        models={name: ModelCurve(pass_at_k=_curve(one, table)) for name, one in counts.items()},
        difference=compared.difference,
        crossover_k=compared.crossover,
        solved=CountsByModel(**_by_model(sets.solved)),
        solved_problems=ProblemsByModel(**_by_model(sets.solved_problems)),
        **more,
    )
    unequal = int(np.count_nonzero(first.depths != second.depths))
    p = sets.mcnemar_p if groups is None and not unequal else None
    return Comparison(base, rl, content, table, p, len(ids), unequal)


def _by_model(cells: CellCounts | CellProblems) -> dict[str, Any]:
    """The cells of two arms, as they are called of a base and an RL model."""
    return {name.replace("other", "rl"): value for name, value in cells.given().items()}


def _curve(counts: Counts, table: VerdictTable) -> Curve:
    ks = every_k(counts.depths)
    values = pass_at_k_of(counts, ks)
    groups = cluster_codes(counts.problem_ids, table.clusters)
    return t_intervals(values, CONFIDENCE, (0, 1), groups).curve(ks)


def describe(found: Comparison) -> Iterator[str]:
    """The comparison as lines for a terminal."""
    models, difference = found.content.models, found.content.difference
    counts, turn = found.table.counts, found.content.crossover_k
    if found.table.repeats:
        yield f"{found.table.repeats:,} rows left out that repeat a sample of another row"
    for name in (found.base, found.rl):
        yield _sizes(name, counts[name])
    left_out = {
        name: len(counts[name].problem_ids) - found.shared for name in (found.base, found.rl)
    }
    if any(left_out.values()):
        said = " and ".join(f"{count} of {name}" for name, count in left_out.items() if count)
        yield f"Compared on the {found.shared} problems that both have ({said} left out)"
    yield ""
    header = ("k", found.base, found.rl, "RL − base", "band over all k", "problems")
    rows: list[tuple[str, ...]] = [header]
    for k in _shown(len(difference)):
        row = difference[k]
        rows.append(
            (
                str(k),
                *(_at_k(models[name].pass_at_k, k) for name in (found.base, found.rl)),
                _interval(row, "{:+.1f}"),
                _interval(row.band, "{:+.1f}", estimate=False),
                str(row.problems),
            )
        )
    widths = [max(len(line[i]) for line in rows) for i in range(len(header))]
    for line in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
    kind = "problems taken as a sample of their kind"
    if found.content.clusters is not None:
        kind = f"the {found.content.clusters:,} clusters of problems taken as a sample of theirs"
    yield f"pass@k in %, {CONFIDENCE:.0%} intervals, {kind}"
    if turn.up_to < len(difference):
        yield (
            f"Not all of the {found.shared:,} problems have more than {turn.up_to} samples of "
            "both models: crossover and band are of k up to that, rows beyond are of other problems"
        )
    yield ""
    yield crossover_line(turn)
    yield from _equivalence(found.content.equivalence)
    sets = found.content.solved
    p = "" if found.mcnemar_p is None else f"; McNemar's exact p = {found.mcnemar_p:.2g}"
    yield (
        f"Solved at least once: both {sets.both}, base only {sets.base_only}, "
        f"RL only {sets.rl_only}, neither {sets.neither}{p}"
    )
    if found.unequal:
        yield (
            f"One model has more samples of {found.unequal} of these problems, and with them more "
            "chances to solve it: no test compares these counts"
        )


def _at_k(curve: Curve, k: int) -> str:
    """A model's pass@k, with the number of problems that it is of where some have fewer samples."""
    said, of = _interval(curve[k], "{:.1f}"), curve[k].problems
    return said if of == curve[1].problems else f"{said} of {of}"


def crossover_line(turn: Crossover) -> str:
    """A crossover in words."""
    if turn.status == "none":
        sure = "ruled out" if turn.excluded else "not ruled out"
        return f"Crossover: none up to k = {turn.up_to}, {sure} by the intervals"
    low = "below" if turn.low is None else str(turn.low)
    high = "beyond" if turn.high is None else str(turn.high)
    status = "resolved" if turn.status == "resolved" else "not resolved"
    return f"Crossover: k = {turn.estimate} [{low}, {high}], {status}"


def _equivalence(found: Equivalence | None) -> Iterator[str]:
    """Whether the first and the last difference are smaller than the margin, as one family."""
    if found is None:
        return
    p_values = [np.nan if one.p_value is None else one.p_value for one in found.at.values()]
    for (k, one), p in zip(found.at.items(), known(holm(np.array(p_values))), strict=True):
        shown = "unknown" if p is None else f"{p:.2g}"
        said = "yes" if p is not None and p <= 1 - CONFIDENCE else "not shown"
        both = " for both k" if len(found.at) > 1 else ""
        yield (
            f"Less than {100 * found.margin:g} points apart at k = {k}: {said} "
            f"({found.level:.0%} interval {_interval(one, '{:+.1f}', estimate=False)}, "
            f"two one-sided tests, p = {shown}{both})"
        )


def _sizes(name: str, counts: Counts) -> str:
    least, most = int(counts.samples.min()), int(counts.samples.max())
    depth = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    samples = "sample" if most == 1 else "samples"
    line = f"{name}: {len(counts.problem_ids):,} problems, {depth} {samples} each"
    undecided = int(counts.undecided.sum())
    if counts.rule is not None:
        n = counts.rule.n
        mean = counts.samples.mean()
        line = (
            f"{name}: {len(counts.problem_ids):,} problems, at most {n:,} samples each, by the "
            f"rule {mean:.1f} on average ({1 - mean / n:.0%} of a fixed n saved)"
        )
    elif least < most:
        line += (
            "; a problem with fewer than k is left out of that k (where samples were stopped by "
            "how many were right, give --looks and --right)"
        )
    return line + (f"; {undecided:,} undecided count as not correct" if undecided else "")


def _shown(n: int) -> list[int]:
    return sorted({*(1 << i for i in range(n.bit_length())), n})


def _interval(row: Interval, form: str, *, estimate: bool = True) -> str:
    if row.estimate is None:
        return "–"
    said = form.format(100 * row.estimate) if estimate else ""
    if row.low is None or row.high is None:
        return said or "–"
    return f"{said} [{form.format(100 * row.low)}, {form.format(100 * row.high)}]".strip()

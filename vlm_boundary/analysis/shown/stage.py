"""Which tables there are, and where they are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from vlm_boundary.analysis.findings import Findings, Part
from vlm_boundary.analysis.shown import comparisons, luck, parts, reasoning
from vlm_boundary.analysis.shown.table import TextTable
from vlm_boundary.records.analysis import BenchmarkAnalysis
from vlm_boundary.store import write_text


class _Shown(NamedTuple):
    """A table of a part (`of`) for each benchmark that has one; the name is that of its files."""

    name: str
    of: Callable[[BenchmarkAnalysis], Any]
    make: Callable[[Part[Any]], TextTable]


_SHOWN = (
    _Shown("pass_at_k", lambda one: one.arms, comparisons.curves),
    _Shown("single_answers", lambda one: one.arms, comparisons.alone),
    _Shown("consistency", lambda one: one.consistency, parts.consistency),
    _Shown("diversity", lambda one: one.diversity, parts.diversity),
    _Shown("differences", lambda one: one.pairs, comparisons.differences),
    _Shown("equivalence", lambda one: one.pairs, comparisons.equivalence),
    _Shown("crossovers", lambda one: one.pairs, comparisons.crossovers),
    _Shown("needed", lambda one: one.pairs, comparisons.needed),
    _Shown("solved_sets", lambda one: one.pairs, comparisons.solved),
    _Shown("solved_above_floor", lambda one: one.luck, luck.above_floor_pairs),
    _Shown("transitions", lambda one: one.pairs, comparisons.transitions),
    _Shown("followup", lambda one: one.followup, comparisons.followup),
    _Shown("above_floor", lambda one: one.luck, luck.above_floor),
    _Shown("controls", lambda one: one.controls, luck.controls),
    _Shown("guess_filter", lambda one: one.guess_filter, luck.guess_filter),
    _Shown("valid_reasoning", lambda one: one.cot, reasoning.valid),
    _Shown("valid_reasoning_pairs", lambda one: one.cot, reasoning.valid_pairs),
    _Shown("thoughts", lambda one: one.thoughts, reasoning.thoughts),
    _Shown("calibration", lambda one: one.calibration, reasoning.calibration),
    _Shown("people", lambda one: one.calibration, reasoning.people),
    _Shown("judge_probe", lambda one: one.judge_probe, reasoning.judge_probe),
    _Shown("seeing", lambda one: one.seeing, reasoning.summary),
    _Shown("seeing_costs", lambda one: one.seeing, reasoning.costs),
    _Shown("seeing_kinds", lambda one: one.seeing, reasoning.kinds),
    _Shown("leaning", lambda one: one.seeing, reasoning.leaning),
    _Shown("first_false", lambda one: one.seeing, reasoning.chains),
    _Shown("first_false_judged", lambda one: one.cot, reasoning.judged),
    _Shown("self_agreement", lambda one: one.seeing, reasoning.agreement),
    _Shown("seeing_training", lambda one: one.seeing, reasoning.along_training),
    _Shown("slices", lambda one: one.distributions, parts.slices),
    _Shown("strata", lambda one: one.distributions, parts.strata),
    _Shown("outcomes", lambda one: one.arms, comparisons.outcomes),
    _Shown("sources", lambda one: one.arms, comparisons.sources),
    _Shown("readings", lambda one: one.arms, comparisons.readings),
    _Shown("verifier_error", lambda one: one.verifier_error, luck.verifier_error),
    _Shown("verifier_labels", lambda one: one.verifier_error, luck.labelled_verdicts),
    _Shown("series", lambda one: one.series, parts.training),
    _Shown("perplexity", lambda one: one.perplexity, comparisons.perplexity),
    _Shown("entropy", lambda one: one.entropy, parts.entropy),
    _Shown("shrinkage", lambda one: one.shrinkage, parts.shrinkage),
    _Shown("beyond_n", lambda one: one.beyond_n, parts.beyond_n),
    _Shown("cost", lambda one: one.efficiency, parts.cost),
    _Shown("efficiency_gaps", lambda one: one.efficiency, parts.efficiency_gaps),
    _Shown("equal_tokens", lambda one: one.efficiency, parts.equal_tokens),
    _Shown("shorter_responses", lambda one: one.efficiency, parts.shorter_responses),
    _Shown("self_test", lambda one: one.self_test, comparisons.self_test),
)
FAMILY, SEEDS = "family", "seeds"


def shown_tables(found: Findings) -> dict[str, list[tuple[str, TextTable]]]:
    """The tables that have rows by name, with the names of their files; two are of no benchmark."""
    made: dict[str, list[tuple[str, TextTable]]] = {}
    for name, of, make in _SHOWN:
        for benchmark, content, section in found.with_section(of):
            table = make(Part(found, benchmark, content, section))
            if table.rows:
                made.setdefault(name, []).append((f"{benchmark}-{name}", table))
    if found.analysis.multiplicity.tests:
        made[FAMILY] = [(FAMILY, comparisons.family(found.analysis.multiplicity, found.confidence))]
    if found.analysis.seeds:
        made[SEEDS] = [(SEEDS, parts.seeds(found.analysis.seeds, found.level))]
    return made


def write_shown_tables(folder: Path, found: Findings) -> None:
    """Write every one of them as Markdown, CSV and LaTeX."""
    for tables in shown_tables(found).values():
        for name, table in tables:
            write_text(folder / f"{name}.md", table.markdown())
            write_text(folder / f"{name}.csv", table.csv())
            write_text(folder / f"{name}.tex", table.latex())

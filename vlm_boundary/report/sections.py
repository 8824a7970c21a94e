"""What the report has to say after its first screen, in order; what has no data is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from vlm_boundary.records import BenchmarkAnalysis
from vlm_boundary.report.chart import Figure
from vlm_boundary.report.figures import bars, curves, points
from vlm_boundary.report.findings import Findings, Part
from vlm_boundary.report.tables import comparisons, luck, parts, reasoning
from vlm_boundary.report.tables.table import Table


@dataclass(frozen=True)
class Section:
    """A heading with figures, tables, and what would add what is not there.

    Attributes:
        key: of its address on the page.
        text: what a reader learns here.
        tables: by the name of their files.
        missing: what is not known yet, and the command that would change that.
    """

    key: str
    title: str
    text: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


class _Of(NamedTuple):
    """A table for each benchmark that has a part of the analysis.

    Attributes:
        name: of its files, behind the benchmark's.
        of: the part; what has none, or an empty one, gets no table.
        make: the table of it.
    """

    name: str
    of: Callable[[BenchmarkAnalysis], Any]
    make: Callable[[Part[Any]], Table]


@dataclass(frozen=True)
class _Plan:
    """A section before it is known what there is to fill it with.

    Attributes:
        family: whether it ends with the table of all comparisons taken together.
        missing: what is not known yet, see `Section`.
    """

    key: str
    title: str
    text: str
    figure: Callable[[Findings], Figure | None]
    tables: tuple[_Of, ...] = ()
    family: bool = False
    missing: Callable[[Findings], tuple[tuple[str, str], ...]] = lambda found: ()

    def fill(self, found: Findings) -> Section:
        figure = self.figure(found)
        tables = []
        for name, of, make in self.tables:
            for benchmark, content, section in found.with_section(of):
                table = make(Part(found, benchmark, content, section))
                if table.rows:
                    tables.append((f"{benchmark}-{name}", table))
        family = found.analysis.multiplicity
        if self.family and family.tests:
            tables.append(("family", comparisons.family(family)))
        figures = () if figure is None else (figure,)
        missing = self.missing(found)
        return Section(self.key, self.title, self.text, figures, tuple(tables), missing)


def sections(found: Findings) -> list[Section]:
    """Every section that says something; RUN in its commands is the run's folder."""
    made = [plan.fill(found) for plan in _PLANS]
    return [one for one in made if one.figures or one.tables or one.missing]


def _no_controls(found: Findings) -> tuple[tuple[str, str], ...]:
    if any(found.with_section(lambda one: one.controls)):
        return ()
    command = "vlm-boundary run RUN -o controls.no_image.n=16"
    return (("what is solved without looking at the picture", command),)


def _no_reasoning(found: Findings) -> tuple[tuple[str, str], ...]:
    if not any(found.with_section(lambda one: one.cot)):
        command = "vlm-boundary check RUN && vlm-boundary analyze RUN"
        return (("whether right answers were reasoned to", command),)
    if not any(found.with_section(lambda one: one.calibration)):
        command = "vlm-boundary queue RUN && vlm-boundary demo RUN"
        return (("how far these checks agree with people", command),)
    return ()


def _no_perplexity(found: Findings) -> tuple[tuple[str, str], ...]:
    pairs = [pair for one in found.benchmarks.values() for pair in found.pairs(one.pairs)]
    if any(found.with_section(lambda one: one.perplexity)) or not pairs:
        return ()
    base, other = pairs[0].names
    command = f"vlm-boundary score RUN --responses-of {other} --under {base}"
    return ((f"how likely {base} finds what {other} writes", command),)


_PLANS = (
    _Plan(
        "numbers",
        "The curves in numbers",
        "pass@k at the usual k; what one answer, the average, and a vote of the samples do.",
        curves.consistency,
        (
            _Of("pass_at_k", lambda one: one.arms, comparisons.curves),
            _Of("single_answers", lambda one: one.arms, comparisons.alone),
        ),
    ),
    _Plan(
        "differences",
        "Paired differences",
        "Both arms on the same problems. Intervals are over problems like these; one that holds "
        "zero resolves nothing, and the last table says what would.",
        curves.differences,
        (
            _Of("differences", lambda one: one.pairs, comparisons.differences),
            _Of("crossovers", lambda one: one.pairs, comparisons.crossovers),
            _Of("needed", lambda one: one.pairs, comparisons.needed),
        ),
        family=True,
    ),
    _Plan(
        "solved",
        "Solved sets",
        "Which problems which arm solves. A single right sample may be luck, so the second row "
        "counts only what an arm's own answers to other problems do not explain.",
        bars.solved_sets,
        (
            _Of("solved_sets", lambda one: one.pairs, comparisons.solved),
            _Of("solved_above_floor", lambda one: one.luck, luck.above_floor_pairs),
            _Of("followup", lambda one: one.followup, comparisons.followup),
        ),
    ),
    _Plan(
        "accuracy",
        "Accuracy histogram",
        "How many problems an arm gets right how often.",
        bars.accuracy_histogram,
    ),
    _Plan(
        "luck",
        "Luck and controls",
        "What guessing alone would score at the same k, and what is solved without the picture or "
        "without reasoning.",
        curves.controls,
        (
            _Of("above_floor", lambda one: one.luck, luck.above_floor),
            _Of("controls", lambda one: one.controls, luck.controls),
            _Of("guess_filter", lambda one: one.guess_filter, luck.guess_filter),
        ),
        missing=_no_controls,
    ),
    _Plan(
        "reasoning",
        "Reasoning validity",
        "A right answer counts here only if its reasoning is valid too, by each of those who judge "
        "it: checks of the text alone (structure and arithmetic), exact checks where the problem "
        "was generated, judges; then how far they can be trusted.",
        curves.valid_reasoning,
        (
            _Of("valid_reasoning", lambda one: one.cot, reasoning.valid),
            _Of("valid_reasoning_pairs", lambda one: one.cot, reasoning.valid_pairs),
            _Of("calibration", lambda one: one.calibration, reasoning.calibration),
            _Of("people", lambda one: one.calibration, reasoning.people),
            _Of("judge_probe", lambda one: one.judge_probe, reasoning.judge_probe),
        ),
        missing=_no_reasoning,
    ),
    _Plan(
        "slices",
        "Slices",
        "The same comparison on parts of the problems.",
        points.slices,
        (
            _Of("slices", lambda one: one.distributions, parts.slices),
            _Of("strata", lambda one: one.distributions, parts.strata),
        ),
    ),
    _Plan(
        "failures",
        "Failures",
        "What became of the samples, where answers stood, and how much hangs on the verifier.",
        bars.outcomes,
        (
            _Of("outcomes", lambda one: one.arms, comparisons.outcomes),
            _Of("sources", lambda one: one.arms, comparisons.sources),
            _Of("readings", lambda one: one.arms, comparisons.readings),
            _Of("verifier_error", lambda one: one.verifier_error, luck.verifier_error),
        ),
    ),
    _Plan(
        "series",
        "Training series",
        "Checkpoints on the way, temperatures, and training seeds.",
        points.training,
        (_Of("series", lambda one: one.series, parts.training),),
    ),
    _Plan(
        "perplexity",
        "Perplexity",
        "How likely one arm finds the other's responses.",
        points.perplexity,
        (
            _Of("perplexity", lambda one: one.perplexity, comparisons.perplexity),
            _Of("entropy", lambda one: one.entropy, parts.entropy),
        ),
        missing=_no_perplexity,
    ),
    _Plan(
        "beyond",
        "Beyond n",
        "What more samples might do. A model, not a measurement.",
        curves.beyond_n,
        (_Of("beyond_n", lambda one: one.beyond_n, parts.beyond_n),),
    ),
    _Plan(
        "cost",
        "Cost",
        "What the samples cost in generated tokens, and what that bought.",
        curves.coverage_by_tokens,
        (
            _Of("cost", lambda one: one.efficiency, parts.cost),
            _Of("efficiency_gaps", lambda one: one.efficiency, parts.efficiency_gaps),
        ),
    ),
    _Plan(
        "self-test",
        "Self-test",
        "The same statistics where the truth is known: no difference.",
        curves.self_test,
        (_Of("self_test", lambda one: one.self_test, comparisons.self_test),),
    ),
)

"""What the report has to say after its first screen, in order; what has no data is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from vlm_boundary.report.chart import Figure
from vlm_boundary.report.figures import bars, curves, points
from vlm_boundary.report.findings import Findings
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
        part: key in a benchmark's analysis.
        make: from the benchmark's name and analysis and, if `level`, the intervals' level.
    """

    name: str
    part: str
    make: Callable[..., Table]
    level: bool = False


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
        for name, part, make, level in self.tables:
            for benchmark, content, _ in found.with_section(part):
                table = make(benchmark, content, *([found.confidence] if level else []))
                if table.rows:
                    tables.append((f"{benchmark}-{name}", table))
        family = found.analysis["multiplicity"]
        if self.family and family["tests"]:
            tables.append(("family", comparisons.family(dict(family))))
        figures = () if figure is None else (figure,)
        missing = self.missing(found)
        return Section(self.key, self.title, self.text, figures, tuple(tables), missing)


def sections(found: Findings) -> list[Section]:
    """Every section that says something; RUN in its commands is the run's folder."""
    made = [plan.fill(found) for plan in _PLANS]
    return [one for one in made if one.figures or one.tables or one.missing]


def _no_controls(found: Findings) -> tuple[tuple[str, str], ...]:
    if any(found.with_section("controls")):
        return ()
    command = "vlm-boundary run RUN -o controls.no_image.n=16"
    return (("what is solved without looking at the picture", command),)


def _no_reasoning(found: Findings) -> tuple[tuple[str, str], ...]:
    if not any(found.with_section("cot")):
        command = "vlm-boundary check RUN && vlm-boundary analyze RUN"
        return (("whether right answers were reasoned to", command),)
    if not any(found.with_section("calibration")):
        command = "vlm-boundary queue RUN && vlm-boundary demo RUN"
        return (("how far these checks agree with people", command),)
    return ()


def _no_perplexity(found: Findings) -> tuple[tuple[str, str], ...]:
    pairs = [pair for one in found.benchmarks.values() for pair in found.pairs(one["pairs"])]
    if any(found.with_section("perplexity")) or not pairs:
        return ()
    base, other = pairs[0]["base"], pairs[0]["other"]
    command = f"vlm-boundary score RUN --responses-of {other} --under {base}"
    return ((f"how likely {base} finds what {other} writes", command),)


_PLANS = (
    _Plan(
        "numbers",
        "The curves in numbers",
        "pass@k at the usual k; what one answer, the average, and a vote of the samples do.",
        curves.consistency,
        (
            _Of("pass_at_k", "arms", comparisons.curves, level=True),
            _Of("single_answers", "arms", comparisons.alone, level=True),
        ),
    ),
    _Plan(
        "differences",
        "Paired differences",
        "Both arms on the same problems. Intervals are over problems like these; one that holds "
        "zero resolves nothing, and the last table says what would.",
        curves.differences,
        (
            _Of("differences", "pairs", comparisons.differences, level=True),
            _Of("crossovers", "pairs", comparisons.crossovers),
            _Of("needed", "pairs", comparisons.needed),
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
            _Of("solved_sets", "pairs", comparisons.solved),
            _Of("solved_above_floor", "luck", luck.above_floor_pairs),
            _Of("followup", "followup", comparisons.followup),
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
            _Of("above_floor", "luck", luck.above_floor),
            _Of("controls", "controls", luck.controls),
            _Of("guess_filter", "guess_filter", luck.guess_filter),
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
            _Of("valid_reasoning", "cot", reasoning.valid),
            _Of("valid_reasoning_pairs", "cot", reasoning.valid_pairs),
            _Of("calibration", "calibration", reasoning.calibration),
            _Of("people", "calibration", reasoning.people),
            _Of("judge_probe", "judge_probe", reasoning.judge_probe),
        ),
        missing=_no_reasoning,
    ),
    _Plan(
        "slices",
        "Slices",
        "The same comparison on parts of the problems.",
        points.slices,
        (
            _Of("slices", "distributions", parts.slices),
            _Of("strata", "distributions", parts.strata),
        ),
    ),
    _Plan(
        "failures",
        "Failures",
        "What became of the samples, where answers stood, and how much hangs on the verifier.",
        bars.outcomes,
        (
            _Of("outcomes", "arms", comparisons.outcomes),
            _Of("sources", "arms", comparisons.sources),
            _Of("readings", "arms", comparisons.readings),
            _Of("verifier_error", "verifier_error", luck.verifier_error),
        ),
    ),
    _Plan(
        "series",
        "Training series",
        "Checkpoints on the way, temperatures, and training seeds.",
        points.training,
        (_Of("series", "series", parts.training),),
    ),
    _Plan(
        "perplexity",
        "Perplexity",
        "How likely one arm finds the other's responses.",
        points.perplexity,
        (
            _Of("perplexity", "perplexity", comparisons.perplexity, level=True),
            _Of("entropy", "entropy", parts.entropy),
        ),
        missing=_no_perplexity,
    ),
    _Plan(
        "beyond",
        "Beyond n",
        "What more samples might do. A model, not a measurement.",
        curves.beyond_n,
        (_Of("beyond_n", "beyond_n", parts.beyond_n),),
    ),
    _Plan(
        "cost",
        "Cost",
        "What the samples cost in generated tokens, and what that bought.",
        curves.coverage_by_tokens,
        (
            _Of("cost", "efficiency", parts.cost),
            _Of("efficiency_gaps", "efficiency", parts.efficiency_gaps),
        ),
    ),
    _Plan(
        "self-test",
        "Self-test",
        "The same statistics where the truth is known: no difference.",
        curves.self_test,
        (_Of("self_test", "self_test", comparisons.self_test),),
    ),
)

"""What the report has to say after its first screen, in order; what has no data is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from vlm_boundary.report.chart import Figure
from vlm_boundary.report.figures import bars, curves, points
from vlm_boundary.report.findings import Findings
from vlm_boundary.report.tables import comparisons, luck, parts, reasoning
from vlm_boundary.report.tables.table import Table

Maker = Callable[..., Table]


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


def sections(found: Findings) -> list[Section]:
    """Every section that says something; RUN in its commands is the run's folder."""
    made = [
        _curves(found),
        _differences(found),
        _solved(found),
        _histogram(found),
        _luck(found),
        _reasoning(found),
        _slices(found),
        _failures(found),
        _series(found),
        _perplexity(found),
        _beyond_n(found),
        _cost(found),
        _self_test(found),
    ]
    return [one for one in made if one.figures or one.tables or one.missing]


def _curves(found: Findings) -> Section:
    return Section(
        "numbers",
        "The curves in numbers",
        "pass@k at the usual k; what one answer, the average, and a vote of the samples do.",
        _known(curves.consistency(found)),
        _tables(
            found,
            ("pass_at_k", "arms", comparisons.curves, True),
            ("single_answers", "arms", comparisons.alone, True),
        ),
    )


def _differences(found: Findings) -> Section:
    tables = _tables(
        found,
        ("differences", "pairs", comparisons.differences, True),
        ("crossovers", "pairs", comparisons.crossovers, False),
        ("needed", "pairs", comparisons.needed, False),
    )
    family = found.analysis["multiplicity"]
    if family["tests"]:
        tables = (*tables, ("family", comparisons.family(dict(family))))
    return Section(
        "differences",
        "Paired differences",
        "Both arms on the same problems. Intervals are over problems like these; one that holds "
        "zero resolves nothing, and the last table says what would.",
        _known(curves.differences(found)),
        tables,
    )


def _solved(found: Findings) -> Section:
    return Section(
        "solved",
        "Solved sets",
        "Which problems which arm solves. A single right sample may be luck, so the second row "
        "counts only what an arm's own answers to other problems do not explain.",
        _known(bars.solved_sets(found)),
        _tables(
            found,
            ("solved_sets", "pairs", comparisons.solved, False),
            ("solved_above_floor", "luck", luck.above_floor_pairs, False),
            ("followup", "followup", comparisons.followup, False),
        ),
    )


def _histogram(found: Findings) -> Section:
    return Section(
        "accuracy", "Accuracy histogram", "How many problems an arm gets right how often.",
        _known(bars.accuracy_histogram(found)),
    )  # fmt: skip


def _luck(found: Findings) -> Section:
    missing = []
    if not list(found.with_section("controls")):
        command = "vlm-boundary run RUN -o controls.no_image.n=16"
        missing.append(("what is solved without looking at the picture", command))
    return Section(
        "luck",
        "Luck and controls",
        "What guessing alone would score at the same k, and what is solved without the picture or "
        "without reasoning.",
        _known(curves.controls(found)),
        _tables(
            found,
            ("above_floor", "luck", luck.above_floor, False),
            ("controls", "controls", luck.controls, False),
            ("guess_filter", "guess_filter", luck.guess_filter, False),
        ),
        tuple(missing),
    )


def _reasoning(found: Findings) -> Section:
    missing = []
    if not list(found.with_section("cot")):
        command = "vlm-boundary check RUN && vlm-boundary analyze RUN"
        missing.append(("whether right answers were reasoned to", command))
    elif not list(found.with_section("calibration")):
        command = "vlm-boundary queue RUN && vlm-boundary demo RUN"
        missing.append(("how far these checks agree with people", command))
    return Section(
        "reasoning",
        "Reasoning validity",
        "A right answer counts here only if its reasoning is valid too, by each of those who judge "
        "it: checks of the text alone (structure and arithmetic), exact checks where the problem "
        "was generated, judges; then how far they can be trusted.",
        _known(curves.valid_reasoning(found)),
        _tables(
            found,
            ("valid_reasoning", "cot", reasoning.valid, False),
            ("valid_reasoning_pairs", "cot", reasoning.valid_pairs, False),
            ("calibration", "calibration", reasoning.calibration, False),
            ("people", "calibration", reasoning.people, False),
            ("judge_probe", "judge_probe", reasoning.judge_probe, False),
        ),
        tuple(missing),
    )


def _slices(found: Findings) -> Section:
    return Section(
        "slices",
        "Slices",
        "The same comparison on parts of the problems.",
        _known(points.slices(found)),
        _tables(
            found,
            ("slices", "distributions", parts.slices, False),
            ("strata", "distributions", parts.strata, False),
        ),
    )


def _failures(found: Findings) -> Section:
    return Section(
        "failures",
        "Failures",
        "What became of the samples, where answers stood, and how much hangs on the verifier.",
        _known(bars.outcomes(found)),
        _tables(
            found,
            ("outcomes", "arms", comparisons.outcomes, False),
            ("sources", "arms", comparisons.sources, False),
            ("readings", "arms", comparisons.readings, False),
            ("verifier_error", "verifier_error", luck.verifier_error, False),
        ),
    )


def _series(found: Findings) -> Section:
    return Section(
        "series", "Training series", "Checkpoints on the way, temperatures, and training seeds.",
        _known(points.training(found)),
        _tables(found, ("series", "series", parts.training, False)),
    )  # fmt: skip


def _perplexity(found: Findings) -> Section:
    missing = []
    pairs = [
        pair for _, content in found.benchmarks.items() for pair in found.pairs(content["pairs"])
    ]
    if not list(found.with_section("perplexity")) and pairs:
        base, other = pairs[0]["base"], pairs[0]["other"]
        command = f"vlm-boundary score RUN --responses-of {other} --under {base}"
        missing.append((f"how likely {base} finds what {other} writes", command))
    return Section(
        "perplexity",
        "Perplexity",
        "How likely one arm finds the other's responses.",
        _known(points.perplexity(found)),
        _tables(
            found,
            ("perplexity", "perplexity", comparisons.perplexity, True),
            ("entropy", "entropy", parts.entropy, False),
        ),
        tuple(missing),
    )


def _beyond_n(found: Findings) -> Section:
    return Section(
        "beyond", "Beyond n", "What more samples might do. A model, not a measurement.",
        _known(curves.beyond_n(found)),
        _tables(found, ("beyond_n", "beyond_n", parts.beyond_n, False)),
    )  # fmt: skip


def _cost(found: Findings) -> Section:
    return Section(
        "cost",
        "Cost",
        "What the samples cost in generated tokens, and what that bought.",
        _known(curves.coverage_by_tokens(found)),
        _tables(
            found,
            ("cost", "efficiency", parts.cost, False),
            ("efficiency_gaps", "efficiency", parts.efficiency_gaps, False),
        ),
    )


def _self_test(found: Findings) -> Section:
    return Section(
        "self-test",
        "Self-test",
        "The same statistics where the truth is known: no difference.",
        _known(curves.self_test(found)),
        _tables(found, ("self_test", "self_test", comparisons.self_test, False)),
    )


def _known(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _tables(
    found: Findings, *wanted: tuple[str, str, Maker, bool]
) -> tuple[tuple[str, Table], ...]:
    """A table for each benchmark that has the section, without those that have no rows.

    Args:
        wanted: file name, key of the section, what makes the table, whether it takes the level.
    """
    made: list[tuple[str, Table]] = []
    for name, key, maker, with_level in wanted:
        for benchmark, content, _ in found.with_section(key):
            more: Iterable[Any] = (found.confidence,) if with_level else ()
            table = maker(benchmark, content, *more)
            if table.rows:
                made.append((f"{benchmark}-{name}", table))
    return tuple(made)

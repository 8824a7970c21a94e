"""What the report has to say after its first screen, in order; what has no data is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.analysis.shown import TextTable, shown_tables
from vlm_boundary.report.chart import Figure
from vlm_boundary.report.figures import bars, curves, points
from vlm_boundary.report.figures.seeing import seeing


@dataclass(frozen=True)
class Section:
    """A heading with figures, tables, and what would add what is not there.

    Attributes:
        key: of its address on the page.
        text: what a reader learns here.
        tables: by the name of their files.
        missing: what is not known yet, and the command that would change that.
        first: how many tables stand open beside a figure; the rest is folded.
    """

    key: str
    title: str
    text: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, TextTable], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    first: int = 0


@dataclass(frozen=True)
class _SectionPlan:
    """A section before it is known what there is to fill it with; see `Section`."""

    key: str
    title: str
    text: str
    figure: Callable[[Findings], Figure]
    tables: tuple[str, ...] = ()
    missing: Callable[[Findings], tuple[tuple[str, str], ...]] = lambda found: ()
    first: int = 0

    def fill(self, found: Findings, shown: Mapping[str, list[tuple[str, TextTable]]]) -> Section:
        figure = self.figure(found)
        figures = (figure,) if figure.panels else ()
        tables = tuple(table for name in self.tables for table in shown.get(name, ()))
        missing = self.missing(found)
        return Section(self.key, self.title, self.text, figures, tables, missing, self.first)


def sections(found: Findings) -> list[Section]:
    """Every section that says something; RUN in its commands is the run's folder."""
    shown = shown_tables(found)
    made = [plan.fill(found, shown) for plan in _PLANS]
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


def _no_seeing(found: Findings) -> tuple[tuple[str, str], ...]:
    known = [one for _, _, one in found.with_section(lambda content: content.seeing)]
    said = []
    if not any(one.costs for one in known):
        command = "vlm-boundary run RUN -o controls.described.n=16"
        said.append(("what of a difference is seeing, and what reasoning", command))
    checked = any(found.with_section(lambda content: content.cot))
    if checked and not any(one.self_agreement for one in known):  # by an older version
        command = "vlm-boundary check RUN && vlm-boundary analyze RUN"
        said.append(("what samples say they see, and where chains fail first", command))
    return tuple(said)


def _no_perplexity(found: Findings) -> tuple[tuple[str, str], ...]:
    pairs = [pair for one in found.benchmarks.values() for pair in found.pairs(one.pairs)]
    if any(found.with_section(lambda one: one.perplexity)) or not pairs:
        return ()
    base, other = pairs[0].names
    command = f"vlm-boundary score RUN --responses-of {other} --under {base}"
    return ((f"how likely {base} finds what {other} writes", command),)


_PLANS = (
    _SectionPlan(
        "numbers",
        "The curves in numbers",
        "How many problems are solved with k samples, how often a single answer and a majority "
        "vote are right, and how many different answers a model gives.",
        curves.consistency,
        ("pass_at_k", "single_answers", "consistency", "diversity"),
    ),
    _SectionPlan(
        "differences",
        "Differences on the same problems",
        "Both models answered the same problems, so they are compared problem by problem. An "
        "interval that includes zero leaves open which is better; the last table says how much "
        "data would settle it.",
        curves.differences,
        ("differences", "equivalence", "crossovers", "needed", "family"),
    ),
    _SectionPlan(
        "solved",
        "Which problems each model solves",
        "A single right sample may be luck, so problems are counted twice: solved at least once, "
        "and solved more often than luck explains.",
        bars.solved_sets,
        ("solved_sets", "solved_above_floor", "transitions", "followup"),
    ),
    _SectionPlan(
        "accuracy",
        "How reliably each problem is solved",
        "From problems that a model never answers correctly to those that it always does.",
        bars.accuracy_histogram,
    ),
    _SectionPlan(
        "luck",
        "Luck, and controls without picture or reasoning",
        "What guessing alone would score at the same k, and what is solved without the picture or "
        "without reasoning.",
        curves.controls,
        ("above_floor", "controls", "guess_filter"),
        missing=_no_controls,
    ),
    _SectionPlan(
        "reasoning",
        "Is the reasoning valid?",
        "A right answer counts here only if its reasoning is valid too, by each of those who judge "
        "it: checks of the text alone (structure and arithmetic), exact checks where the problem "
        "was generated, judges; then how far they can be trusted.",
        curves.valid_reasoning,
        (
            "valid_reasoning",
            "valid_reasoning_pairs",
            "thoughts",
            "calibration",
            "people",
            "judge_probe",
        ),
        missing=_no_reasoning,
    ),
    _SectionPlan(
        "seeing",
        "Seeing, reasoning, choosing",
        "What is left of a difference where the picture is given in words, where chains go wrong "
        "first, and what samples agree on. Splitting a difference so is a definition: a "
        "description may leave out what a model sees, or say what it cannot see.",
        seeing,
        (
            "seeing",
            "seeing_costs",
            "seeing_kinds",
            "leaning",
            "first_false",
            "first_false_judged",
            "self_agreement",
            "seeing_training",
        ),
        missing=_no_seeing,
        first=1,
    ),
    _SectionPlan(
        "slices",
        "By kind of problem",
        "The same comparison on parts of the problems: by what the benchmark says of them, and by "
        "how hard they are for the base model.",
        points.slices,
        ("slices", "strata"),
    ),
    _SectionPlan(
        "failures",
        "What became of the samples",
        "How many were right, wrong, cut off or without an answer; where in the text answers "
        "stood; and how much the results depend on the verifier.",
        bars.outcomes,
        ("outcomes", "sources", "readings", "verifier_error", "verifier_labels"),
    ),
    _SectionPlan(
        "series",
        "Along training, temperature and seeds",
        "Checkpoints on the way, sampling temperatures, and repeated training runs.",
        points.training,
        ("series", "seeds"),
    ),
    _SectionPlan(
        "perplexity",
        "How likely one model finds the other's answers",
        "Whether the trained model writes what the base model could have written.",
        points.perplexity,
        ("perplexity", "entropy"),
        missing=_no_perplexity,
    ),
    _SectionPlan(
        "beyond",
        "What more samples might solve",
        "An extrapolation beyond the samples that were drawn: a model, not a measurement.",
        curves.beyond_n,
        ("beyond_n", "shrinkage"),
    ),
    _SectionPlan(
        "cost",
        "Cost in tokens",
        "How many tokens the samples took, how many problems that solved, and the models compared "
        "at equal cost.",
        curves.coverage_by_tokens,
        ("cost", "efficiency_gaps", "equal_tokens", "shorter_responses"),
    ),
    _SectionPlan(
        "self-test",
        "Self-test: each model against itself",
        "The same statistics where the truth is known: there is no difference.",
        curves.self_test,
        ("self_test",),
    ),
)

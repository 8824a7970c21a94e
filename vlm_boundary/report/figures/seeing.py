"""The figure of seeing, reasoning and choosing."""

from __future__ import annotations

from collections.abc import Iterator

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.seeing import Chains, Decomposition, Leaning, SelfAgreement
from vlm_boundary.report.chart import Panel, Series, figure, interval_series, times

_TERMS = {"whole": "whole", "reasoning": "reasoning alone", "seeing": "seeing (the rest)"}
_KINDS = {
    "seeing": ("seeing", 1),
    "reasoning": ("reasoning", 4),
    "answer": ("the answer alone", 3),
    "none": ("nothing found", None),
}
_AGREE = {
    "facts": "facts",
    "steps": "steps",
    "steps_on_same_facts": "steps, on the same facts",
    "answers": "answer",
}


@figure(
    "seeing",
    "Seeing, reasoning, choosing",
    "Taken apart: the difference between two models, of that what is left where the picture's "
    "content is given in words (reasoning alone), and the rest (seeing). Where chains fail: "
    "the kind of each chain's first false statement, on problems whose truth is known. Two "
    "samples: how often two samples of a problem say the same. Leaning: how much more one "
    "model loses under a control than the other.",
)
def seeing(found: Findings) -> Iterator[Panel]:
    """Differences taken apart, where chains fail, what samples agree on, and leaning."""
    for name, _, section in found.with_section(lambda one: one.seeing):
        for pair in found.pairs(section.decomposition):
            yield _terms(name, pair)
        if section.chains:
            yield _chains(found, name, section.chains)
        if section.self_agreement:
            yield _agreement(found, name, section.self_agreement)
        yield from _leaning(found, name, section.leaning)


def _terms(name: str, pair: Decomposition) -> Panel:
    ends = sorted({min(pair.whole), max(pair.whole)})
    series = tuple(
        interval_series(
            f"k = {k}",
            {label: getattr(pair, term)[k] for term, label in _TERMS.items()},
            colour=(4, 5)[place % 2],
            style="points",
        )
        for place, k in enumerate(ends)
    )
    return Panel(
        f"{name}: {pair.other} − {pair.base}, taken apart", "of the difference",
        "difference in pass@k (points)", series, "category", zero=True, horizontal=True,
        bottom=None,
    )  # fmt: skip


def _chains(found: Findings, name: str, section: Chains) -> Panel:
    arms = found.arms(section.arms)
    series = tuple(
        Series(
            label,
            tuple(arms),
            times([getattr(section.arms[arm].all_chains, kind).estimate for arm in arms], 100),
            colour=colour,
            style="bars",
        )
        for kind, (label, colour) in _KINDS.items()
    )
    return Panel(
        f"{name}: where chains fail first", "model", "chains (%)", series, "category",
        stacked=True, horizontal=True, top=100.0,
    )  # fmt: skip


def _agreement(found: Findings, name: str, section: SelfAgreement) -> Panel:
    series = tuple(
        interval_series(
            arm,
            {label: getattr(section.arms[arm], key) for key, label in _AGREE.items()},
            colour=found.colour(arm),
            style="points",
        )
        for arm in found.arms(section.arms)
    )
    return Panel(
        f"{name}: two samples of a problem", "agree on", "pairs of samples (%)", series,
        "category", horizontal=True,
    )  # fmt: skip


def _leaning(found: Findings, name: str, section: list[Leaning]) -> Iterator[Panel]:
    pairs = found.pairs(section)
    if not pairs:
        return
    series = tuple(
        interval_series(
            f"{pair.other} − {pair.base}, k = 1",
            {key.replace("_", " "): curve[1] for key, curve in pair.by_condition.items()},
            colour=found.colour(pair.other),
            style="points",
        )
        for pair in pairs
    )
    yield Panel(
        f"{name}: leaning", "control", "difference of full − control (points)", series,
        "category", zero=True, horizontal=True, bottom=None,
    )  # fmt: skip

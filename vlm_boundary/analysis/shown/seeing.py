"""Tables of seeing, reasoning and choosing."""

from __future__ import annotations

from collections.abc import Mapping

from vlm_boundary.analysis.findings import Part, reading_name
from vlm_boundary.analysis.shown.table import (
    TextTable,
    minus,
    p_value,
    percent,
    points,
    points_of,
    table,
)
from vlm_boundary.records.reasoning import ValidReasoning
from vlm_boundary.records.record import ArmPair, Curve, Entry, find_pair
from vlm_boundary.records.sections import ControlArm
from vlm_boundary.records.seeing import Seeing

_Section = Part[Seeing]


def summary(part: _Section) -> TextTable:
    """What is known of every pair, a row a measure."""
    section = part.section
    known = [
        *section.decomposition,
        *(section.chains.pairs if section.chains else ()),
        *(section.self_agreement.pairs if section.self_agreement else ()),
    ]
    pairs = [
        pair
        for pair in part.found.pairs(part.content.pairs)
        if find_pair(known, pair.names) is not None
    ]
    columns = [_measures(section, pair) for pair in pairs]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, *(points(column.get(name)) for column in columns)) for name in names]
    title = (
        f"what changes from one model to the other, in points, {part.found.level} "
        "intervals; each row stands by itself, and none is a claim"
    )
    return table(part, title, ("measure", *map(minus, pairs)), rows)


def _measures(section: Seeing, pair: ArmPair) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    if apart := find_pair(section.decomposition, pair.names):
        for k in _ends(apart.whole):
            found[f"pass@{k}, whole"] = apart.whole[k]
            found[f"pass@{k}, reasoning alone (described)"] = apart.reasoning[k]
            found[f"pass@{k}, seeing (the rest)"] = apart.seeing[k]
        found["of pass@1 with words, kept with the picture"] = apart.kept
    chains = find_pair(section.chains.pairs, pair.names) if section.chains else None
    if chains:
        found["chains whose first false statement is of seeing"] = chains.all_chains["seeing"]
        found["… of reasoning"] = chains.all_chains["reasoning"]
        found["… of seeing, of those two"] = chains.all_chains["seeing_of_stated"]
        if chains.right_answers:
            misread = chains.right_answers["seeing"]
            found["right answers that rest on a misread picture"] = misread
    agree = section.self_agreement
    if agree and (alike := find_pair(agree.pairs, pair.names)):
        found["two samples agree on facts"] = alike.facts
        found["… on steps"] = alike.steps
        found["… on steps, given the same facts"] = alike.steps_on_same_facts
        found["… on the answer"] = alike.answers
    return found


def _ends(curve: Mapping[int, Entry]) -> list[int]:
    return sorted({min(curve), max(curve)})


def kinds(part: _Section) -> TextTable:
    """The terms on parts of the problems, with p-values for there being so many."""
    rows = [
        (
            f"{minus(pair)}, {one.field}: {one.value}, k = {k}",
            str(one.problems),
            points(one.whole[k]),
            points(one.reasoning[k]),
            p_value(one.reasoning_adjusted_p[k]),
            points(one.seeing[k]),
            p_value(one.seeing_adjusted_p[k]),
        )
        for pair in part.found.pairs(part.section.decomposition)
        for one in pair.kinds
        for k in _ends(one.whole)
    ]
    header = (
        "difference", "problems", "whole", "reasoning alone", "p, Holm's", "seeing", "p, Holm's",
    )  # fmt: skip
    title = (
        "the difference taken apart by kind of problem, in points (p for all tests "
        "of a pair together)"
    )
    return table(part, title, header, rows)


def costs(part: _Section) -> TextTable:
    """By arm: words in the picture's place, and the picture beside words."""
    rows = [
        (
            f"{arm}, k = {k}",
            str(one.problems),
            points(one.cost[k]),
            percent(one.kept) if k == 1 else "–",
            points(one.beside_words.get(k) if one.beside_words else None),
        )
        for arm, one in part.found.by_arm(part.section.costs).items()
        for k in _ends(one.cost)
    ]
    header = (
        "arm", "problems", "described − full", "kept of pass@1 (%)", "picture and words − words",
    )  # fmt: skip
    title = "what seeing costs, and what a picture adds beside words, in points"
    return table(part, title, header, rows)


def leaning(part: _Section) -> TextTable:
    """By condition: what each arm loses, and whether one loses more."""
    under = part.content.controls or {}
    rows = []
    for pair in part.found.pairs(part.section.leaning):
        for condition, curve in pair.by_condition.items():
            for k in _ends(curve):
                lost = [_lost(under, condition, arm).get(k) for arm in pair.names]
                name = f"{condition.replace('_', ' ')}: {minus(pair)}, k = {k}"
                rows.append((name, *map(points, lost), points(curve[k])))
    header = ("control", "full − control, first", "second", "second − first")
    title = "how much the full problem does better than under a control, in points"
    return table(part, title, header, rows)


def _lost(under: Mapping[str, Mapping[str, ControlArm]], condition: str, arm: str) -> Curve:
    found = under.get(condition, {}).get(arm)
    return found.full_minus_control if found else {}


def chains(part: _Section) -> TextTable:
    """Where each arm's chains fail first; where the truth is not known, what judges say."""
    section = part.section.chains
    rows = [
        (
            f"{arm}, {outcome.replace('_', ' ')}",
            f"{shares.samples:,}",
            percent(shares.seeing),
            percent(shares.reasoning),
            percent(shares.answer),
            percent(shares.none),
        )
        for arm, one in part.found.by_arm(section.arms if section else {}).items()
        for outcome in ("all_chains", "right_answers", "wrong_answers")
        if (shares := getattr(one, outcome)) is not None
    ]
    header = (
        "arm", "chains", "first false: seeing", "reasoning", "the answer alone", "nothing found",
    )  # fmt: skip
    title = f"the first false statement of each chain, in %, {part.found.level}"
    return table(part, title, header, rows)


def judged(part: Part[ValidReasoning]) -> TextTable:
    """Where the truth is not known: the right answers whose chains a judge does not accept."""
    rows = []
    known = part.content.seeing and part.content.seeing.chains
    for arm, by_reading in part.found.by_arm({} if known else part.section.arms).items():
        for reading, one in by_reading.items():
            share = one.p_valid_given_correct.estimate
            if "." in reading and share is not None:
                low, high = one.p_valid_given_correct.high, one.p_valid_given_correct.low
                ends = "" if low is None or high is None else f" [{_not(low)}, {_not(high)}]"
                rows.append(
                    (f"{arm}, {reading_name(reading)}", f"{one.judged:,}", _not(share) + ends)
                )
    header = ("arm, judge", "right answers read", "not accepted (%)")
    title = (
        "right answers whose chain a judge does not accept: of those that rest on a "
        "misread picture it bounds what the judge notices; how many that is, is not known here"
    )
    return table(part, title, header, rows)


def _not(share: float) -> str:
    return points_of(1 - share).lstrip("+")


def agreement(part: _Section) -> TextTable:
    """How often two samples of an arm say the same."""
    section = part.section.self_agreement
    rows = [
        (arm, *map(percent, (one.facts, one.steps, one.steps_on_same_facts, one.answers)))
        for arm, one in part.found.by_arm(section.arms if section else {}).items()
    ]
    header = ("arm", "facts", "steps", "steps, on the same facts", "answer")
    title = f"how often two samples of a problem say the same, in %, {part.found.level}"
    return table(part, title, header, rows)


def along_training(part: _Section) -> TextTable:
    """The same along training."""
    rows = []
    for one in part.section.training:
        costs = one.full_minus_control.get("described", {})
        false, alike = one.first_false or {}, one.agreement
        rows.append(
            (
                one.arm,
                "–" if one.step is None else str(one.step),
                points(costs.get(1)),
                percent(false.get("seeing")),
                percent(false.get("reasoning")),
                percent(alike.facts if alike else None),
                percent(alike.steps if alike else None),
                percent(alike.answers if alike else None),
            )
        )
    header = (
        "arm", "step", "full − described, k = 1", "first false: seeing (%)", "reasoning (%)",
        "agree on facts (%)", "steps (%)", "answer (%)",
    )  # fmt: skip
    return table(part, "the same along training", header, rows)

"""Tables of valid reasoning, of seeing and choosing, and of how far judges can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from vlm_boundary.analysis.findings import Part, reading_name
from vlm_boundary.analysis.shown.table import (
    TextTable,
    interval,
    minus,
    p_value,
    percent,
    points,
    points_of,
    table,
)
from vlm_boundary.records.reasoning import Calibration, ProbedChains, ThoughtsOfArm, ValidReasoning
from vlm_boundary.records.record import ArmPair, Curve, Entry, find_pair
from vlm_boundary.records.sections import ControlArm
from vlm_boundary.records.seeing import Seeing

_BANDS = ("any", "majority", "all")
_Section = Part[Seeing]


def valid(part: Part[ValidReasoning]) -> TextTable:
    """By reading and arm: how many right answers were reasoned to."""
    rows = [
        (
            f"{arm}, {reading_name(reading)}",
            f"{one.judged:,} of {one.correct:,}",
            percent(one.p_valid_given_correct),
            percent(one.cot_pass_at_k.get(1)),
            percent(one.cot_pass_at_k.get(part.content.arms[arm].n)),
            f"{one.solved_with_a_valid_chain} of {one.solved}",
        )
        for arm, by_reading in part.found.by_arm(part.section.arms).items()
        for reading, one in by_reading.items()
    ]
    header = (
        "arm, reading of valid", "right answers read", "P(valid | right) (%)", "CoT-pass@1 (%)",
        "CoT-pass@n (%)", "solved with a valid chain",
    )  # fmt: skip
    return table(part, "right for a valid reason", header, rows)


def valid_pairs(part: Part[ValidReasoning]) -> TextTable:
    """The paired difference of CoT-pass@k, by reading."""
    rows = [
        (
            f"{minus(pair)}, {reading_name(reading)}, k = {k}",
            points(one.difference[k]),
            points(one.difference_least.get(k)),
            points(one.difference_most.get(k)),
        )
        for pair in part.found.pairs(part.section.pairs)
        for reading, one in pair.readings.items()
        for k in sorted({1, max(one.difference)})
    ]
    header = ("difference", "as read (points)", "at least", "at most")
    title = (
        "difference in CoT-pass@k (at least, at most: whatever holds of right "
        "answers that nobody read)"
    )
    return table(part, title, header, rows)


def thoughts(part: Part[dict[str, ThoughtsOfArm]]) -> TextTable:
    """By arm, checkpoints of a training among them: answers that are not what the thought says."""
    rows = [
        (
            arm,
            f"{one.all_answers.differ:,} of {one.all_answers.samples:,}",
            percent(one.all_answers.share),
            f"{one.right_answers.differ:,} of {one.right_answers.samples:,}"
            if one.right_answers
            else "–",
            percent(one.right_answers.share) if one.right_answers else "–",
        )
        for arm, one in part.found.by_arm(part.section).items()
    ]
    header = (
        "arm", "differ, of thoughts that conclude", "share (%)", "of right answers", "share (%)",
    )  # fmt: skip
    title = "answers that are not what the separate thought before them concludes"
    return table(part, title, header, rows)


def calibration(part: Part[Calibration]) -> TextTable:
    """Each reading against people, arm by arm."""
    rows = [
        (
            f"{arm}, {reading_name(reading)} ({group})",
            str(labelled.valid + labelled.invalid),
            interval(against.kappa, "{:.2f}", 1),
            interval(against.sensitivity, "{:.2f}", 1),
            interval(against.specificity, "{:.2f}", 1),
            percent(shares.prediction_powered) if (shares := against.p_valid_given_right) else "–",
        )
        for group, one in part.section.groups.items()
        for arm, labelled in one.arms.items()
        for reading, against in labelled.readings.items()
    ]
    header = (
        "arm, reading (queue)", "labels", "Cohen's κ", "sensitivity", "specificity",
        "P(valid | right) corrected (%)",
    )  # fmt: skip
    known = part.section
    title = f"checkers against people ({known.labels} labels, {known.blind} of them given blind)"
    return table(part, title, header, rows)


def people(part: Part[Calibration]) -> TextTable:
    """People against each other: the ceiling of what a checker can reach."""
    rows = [
        (
            " and ".join(one.labellers),
            str(one.samples),
            interval(one.kappa, "{:.2f}", 1),
            interval(one.ac1, "{:.2f}", 1),
        )
        for one in part.section.people
    ]
    header = ("labellers", "samples", "Cohen's κ", "Gwet's AC1")
    return table(part, "people against each other", header, rows)


def judge_probe(part: Part[dict[str, dict[str, dict[str, ProbedChains]]]]) -> TextTable:
    """What judges let through of chains that were spoilt on purpose."""
    rows = [
        (
            f"{judge}, {arm}, {edit.replace('_', ' ')}",
            str(one.chains),
            *(f"{100 * one.accepted[band]:.0f}" for band in _BANDS),
            str(one.abstained),
            "–" if one.text_checks is None else f"{100 * one.text_checks:.0f}",
        )
        for judge, by_arm in part.section.items()
        for arm, by_edit in by_arm.items()
        for edit, one in by_edit.items()
    ]
    header = (
        "judge, arm, edit", "chains", *(f"accepted by {band} (%)" for band in _BANDS), "abstained",
        "pass text checks (%)",
    )  # fmt: skip
    title = "what judges let through of chains spoilt on purpose"
    return table(part, title, header, rows)


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

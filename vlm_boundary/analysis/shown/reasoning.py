"""Tables of valid reasoning, and of how far those who judge it can be trusted."""

from __future__ import annotations

from vlm_boundary.analysis.findings import Part, reading_name
from vlm_boundary.analysis.shown.table import TextTable, interval, minus, percent, points, table
from vlm_boundary.records.reasoning import Calibration, ProbedChains, ThoughtsOfArm, ValidReasoning


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


_BANDS = ("any", "majority", "all")

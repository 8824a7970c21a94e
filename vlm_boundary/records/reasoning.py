"""The parts of analysis.json that say whether right answers were reasoned to, and who says so."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import (
    ArmPair,
    ByK,
    Crossover,
    Curve,
    Entry,
    Estimate,
    Interval,
    PairedDifference,
    Record,
)


class ValidOfArm(Record):
    """What one reading of valid makes of an arm's right answers."""

    correct: int
    judged: int
    """Of the right answers, those that were looked at."""
    valid: int
    unknown: int
    """Nobody could tell; they count as not valid, and as valid in upper bounds."""
    p_valid_given_correct: Entry
    cot_pass_at_k: Curve
    cot_pass_at_k_upper: Curve | None = None
    """What it may be up to, where not every right answer was judged, or one could not be."""
    solved: int
    solved_with_a_valid_chain: int
    solved_only_by_invalid_chains: list[str]
    no_valid_chain_among_those_judged: int


class ValidDifference(PairedDifference):
    """The paired difference of CoT-pass@k under one reading of valid."""

    difference_least: Curve = Field(default_factory=dict)
    """Whatever holds of right answers that nobody read, it is at least this."""
    difference_most: Curve = Field(default_factory=dict)


class ValidOfPair(ArmPair):
    """A pair under every reading that both arms have."""

    pass_at_k_crossover: Crossover
    readings: dict[str, ValidDifference]


class ValidReasoning(Record):
    """Right for a valid reason, under every reading of valid there is."""

    layers: list[str]
    arms: dict[str, dict[str, ValidOfArm]]
    """By arm and reading."""
    pairs: list[ValidOfPair]


class ThoughtDiffers(Record):
    """Of samples whose separate thought concludes something, those that answer otherwise."""

    samples: int
    differ: int
    share: Entry


class ThoughtsOfArm(Record):
    """How an arm's answers compare with what its thoughts conclude."""

    all_answers: ThoughtDiffers
    right_answers: ThoughtDiffers | None = None
    """Of right answers alone: the thought of one that differs concludes something wrong."""


class ProbedChains(Record):
    """What a judge lets through of chains that were spoilt in one way."""

    chains: int
    accepted: dict[str, float]
    """The share that each band accepts."""
    abstained: int
    text_checks: float | None = None
    """The share that the verifier and the checks of the text let through by themselves."""


class Confusion(Record):
    """A checker against people."""

    both_valid: int
    people_only: int
    checker_only: int
    both_invalid: int


class CorrectedShare(Record):
    """P(valid | right) on a queue's problems: a checker's, and with people's word."""

    checker: float | None
    prediction_powered: Interval
    rogan_gladen: float | None
    problems: int
    cot_pass_at_k: ByK[Interval] = Field(default_factory=dict)


class AgainstPeople(Record):
    """A reading of valid against people."""

    confusion: Confusion
    not_told: int
    kappa: Estimate
    ac1: Estimate
    sensitivity: Estimate
    specificity: Estimate
    p_valid_given_right: CorrectedShare | None = None


class LabelledArm(Record):
    """What people say of an arm's samples, and how each reading compares."""

    samples: int
    valid: int
    invalid: int
    unsure: int
    disputed: int
    readings: dict[str, AgainstPeople]


class QueueSize(Record):
    """The queue that led to labels."""

    max_accuracy: float
    samples: int


class LabelGroup(Record):
    """The labels of one queue, or those picked by hand."""

    queue: QueueSize | None
    arms: dict[str, LabelledArm]


class TwoPeople(Record):
    """Two labellers on what both decided."""

    labellers: list[str]
    samples: int
    kappa: Estimate
    ac1: Estimate


class Calibration(Record):
    """The checkers against people, and people against each other."""

    labels: int
    blind: int
    stale: int
    """Labels whose text is no longer the one that is graded as right."""
    unreadable_lines: int
    people: list[TwoPeople]
    groups: dict[str, LabelGroup]

"""The parts of analysis.json that take seeing, reasoning and choosing apart."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import ArmPair, ByK, Curve, Entry, Record


class Terms(Record):
    """A pair's difference in pass@k and what it is made of, on the same problems."""

    problems: int
    whole: Curve
    """Of the full problem, with its picture."""
    reasoning: Curve
    """With the picture's content in words in its place: nothing has to be seen."""
    seeing: Curve
    """The rest, whole less reasoning, problem by problem."""


class TermsOfKind(Terms):
    """The same on the problems with one value of a metadata field, at k = 1 and the last k."""

    field: str
    value: str
    reasoning_adjusted_p: ByK[float | None]
    """That the term is zero, for all of a pair's tests together (Holm)."""
    seeing_adjusted_p: ByK[float | None]


class Decomposition(ArmPair, Terms):
    """A pair under `full` and `described`."""

    n: int
    """The last k: the samples that both arms have under both."""
    kept: Entry
    """Other − base in `SeeingCost.kept`: zero where what helps reasoning alone was learned, if
    pictures are as often misread on problems that are hard to reason about as on others."""
    beside_words: Curve | None = None
    """Other − base in what the picture adds where its content stands beside it in words."""
    tests: int
    kinds: list[TermsOfKind]


class SeeingCost(Record):
    """An arm with the picture, and with its content in words."""

    n: int
    problems: int
    cost: Curve
    """`described` less `full`: above zero, words do better than the picture."""
    kept: Entry
    """pass@1 with the picture as a share of pass@1 with words: sums over problems."""
    beside_words: Curve | None = None
    """`described_with_image` less `described`."""


class Leaning(ArmPair):
    """Other − base in how much the full problem does better than under a control."""

    by_condition: dict[str, Curve]


class FirstFalseShares(Record):
    """Of some chains: what kind of statement is the first false one, as shares of all of them."""

    samples: int
    seeing: Entry
    reasoning: Entry
    answer: Entry
    """All that was read before the answer is true, and the answer is wrong."""
    none: Entry
    """No false statement was found."""
    seeing_of_stated: Entry
    """Seeing as a share of seeing and reasoning: of the chains that state what is false."""


class ChainsOfArm(Record):
    """Where an arm's chains fail first, where the truth is known."""

    all_chains: FirstFalseShares
    right_answers: FirstFalseShares | None = None
    wrong_answers: FirstFalseShares | None = None


class ChainsOfPair(ArmPair):
    """Other − base in the shares of all chains and of those of one outcome."""

    all_chains: dict[str, Entry]
    right_answers: dict[str, Entry] | None = None
    wrong_answers: dict[str, Entry] | None = None


class Chains(Record):
    """Where chains fail first."""

    arms: dict[str, ChainsOfArm]
    pairs: list[ChainsOfPair]


class Agreement(Record):
    """How often two samples of a problem say the same; a mean over problems."""

    facts: Entry
    """One value for what both say they see, of the facts that both state."""
    steps: Entry
    """The same equations, of samples that have some."""
    steps_on_same_facts: Entry
    """The same, of pairs that state the same facts."""
    answers: Entry
    """The same answer, of samples that have one; right ones are one answer."""


class AgreementOfPair(ArmPair, Agreement):
    """Other − base on the problems that both have a value of; above zero: narrower."""


class SelfAgreement(Record):
    """Whether an arm's samples agree on what they see, on how they go on, and on the answer."""

    arms: dict[str, Agreement]
    pairs: list[AgreementOfPair]


class SeeingStep(Record):
    """An arm on the way, after the bases: the entries of the sections, in the order of training."""

    arm: str
    role: str
    step: int | None
    full_minus_control: dict[str, Curve]
    """By condition, at k = 1 and the last k."""
    first_false: dict[str, Entry] | None = None
    agreement: Agreement | None = None


class Seeing(Record):
    """What the picture, the thought and the training each do; nothing here is a claim."""

    costs: dict[str, SeeingCost] = Field(default_factory=dict)
    """By arm."""
    decomposition: list[Decomposition] = Field(default_factory=list)
    leaning: list[Leaning] = Field(default_factory=list)
    chains: Chains | None = None
    self_agreement: SelfAgreement | None = None
    training: list[SeeingStep] = Field(default_factory=list)

"""The parts of analysis.json beside the curves and pairs: luck, parts of the problems, cost."""

from __future__ import annotations

from pydantic import Field

from vlm_boundary.records.record import (
    ArmPair,
    ByK,
    CellCounts,
    Crossover,
    Curve,
    Difference,
    Entry,
    Interval,
    Range,
    Record,
)


class LeftOut(Record):
    """Rows of a run that no number stands on, for they do not fit what else it holds."""

    arm: str
    condition: str
    reason: str
    rows: int


class SelfTest(Record):
    """A checkpoint against itself, where nothing should be found."""

    arm: str
    against: str
    n: int
    problems: int
    difference: ByK[Difference]
    found_at: list[str]
    """The k whose interval leaves out zero."""
    found_by_band: bool
    crossover: Crossover


class FreshSamples(Record):
    """How many samples per problem there are beyond n, at least."""

    base: int
    other: int


class SolvedAgain(Record):
    """How many problems the fresh samples of one arm, or of both, solve."""

    base: int
    other: int
    both: int


class StillUnsolved(Record):
    """Which problems the fresh samples of an arm do not solve."""

    base: list[str]
    other: list[str]


class FollowUp(ArmPair):
    """Problems that one arm alone had solved, in fresh samples of both."""

    cell: str
    problems: int
    fresh_samples: FreshSamples
    solved_again: SolvedAgain
    still_unsolved_by: StillUnsolved


class Quartiles(Record):
    """Of the perplexities of one problem's responses."""

    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class Perplexity(Record):
    """One arm's responses under another arm, or under itself."""

    responses_of: str
    under: str
    responses: int
    not_scored: int
    perplexity: Entry
    by_problem: dict[str, Quartiles]


class Guesser(Record):
    """A guesser that knows how often each answer is right, and not the question."""

    prior: str
    answers: int
    sha256: str | None = None
    smoothing: float
    declared_chances: int
    pass_at_k: Curve


class ProblemLuck(Record):
    """What guessing explains of one problem; null where there was nothing to test.

    `lists` is how many other problems' lists of answers may stand for its own.
    """

    chance: float | None
    lists: int
    p_value: float | None
    above_floor: bool | None


class ByLuck(Record):
    """Problems solved at least once, and how many are when lists of answers are exchanged.

    `expected`, `low` and `high` are the mean and the range of the latter.
    """

    problems: int
    solved: int
    expected: float
    low: int
    high: int
    p_value: float


class LuckOfArm(Record):
    """What an arm's answers score on problems that they were not given for."""

    floor_pass_at_k: Curve
    independent_guesses_pass_at_k: Curve
    list_length: int
    by_luck: ByLuck | None
    solved: int
    solved_and_tested: int
    above_floor: int
    tested: int
    problems: dict[str, ProblemLuck]


class LuckOfPair(ArmPair, CellCounts):
    """Problems above their floors in both arms, in one, in none, of those tested in both."""

    tested: int
    base_only_ids: list[str]
    other_only_ids: list[str]
    mcnemar_p_value: float | None


class Luck(Record):
    """What guessing would score, and which problems are solved above that."""

    guesser: Guesser
    false_discovery_rate: float
    fewest_lists: int
    arms: dict[str, LuckOfArm]
    pairs: list[LuckOfPair]


class ControlArm(Record):
    """An arm under a control condition."""

    n: int
    problems: int
    pass_at_k: Curve
    full_minus_control: Curve


class GuessFilter(ArmPair):
    """A pair without the problems that direct answers guess now and then."""

    judged_by: list[str]
    draws: int
    draws_needed: int
    threshold: float
    problems: int
    surviving: int | None
    """Null where there are too few draws to tell; what follows is then not there."""
    guessable: dict[str, list[str]] = Field(default_factory=dict)
    unknown: int = 0
    base_pass_at_k: Curve = Field(default_factory=dict)
    other_pass_at_k: Curve = Field(default_factory=dict)
    difference: Curve = Field(default_factory=dict)


class CheckedAnswers(Record):
    """An arm's answers with one verdict, and what people say of those that they read."""

    answers: int
    read: int
    right: int


class LabelledErrors(Record):
    """How often the verifier errs on an arm's answers, by people's labels."""

    accepted: CheckedAnswers
    """Those that it called right."""
    rejected: CheckedAnswers
    """All others."""
    false_positive: Interval
    """Of wrong answers those accepted; null where it takes answers that nobody read."""
    false_negative: Interval
    """Of right answers those rejected."""


class LabelledVerdicts(LabelledErrors):
    """The same with what was left out, and by how hard problems are."""

    unsure: int
    disputed: int
    stale: int
    """Labels of answers that the run no longer has."""
    by_difficulty: dict[str, LabelledErrors]
    """By the share of the base's other answers to the problem that are right."""


class ErrorOfArm(Record):
    """What the verifier's error does to an arm."""

    false_positive: Interval | None = None
    """Where the arm's own verdicts were checked, as stated or by labels."""
    false_negative: Interval | None = None
    pass_at_1: Entry
    pass_at_k_range: ByK[Range]


class ErrorOfPair(ArmPair):
    """What the verifier's error does to a difference."""

    difference_at_1: Entry
    difference_range: ByK[Range]


class VerifierErrors(Record):
    """Numbers corrected for a measured error of the verifier."""

    false_positive: Interval | None = None
    """Of all arms, where it is stated; those by labels are each arm's own."""
    false_negative: Interval | None = None
    labelled: dict[str, LabelledVerdicts] = Field(default_factory=dict)
    """By arm, where people labelled answers."""
    arms: dict[str, ErrorOfArm]
    pairs: list[ErrorOfPair]


class Outcomes(Record):
    """What share of a problem's samples ended how, by status."""

    all_problems: dict[str, Entry]
    unsolved_problems: dict[str, Entry]


class ArmDistribution(Record):
    """How an arm's accuracies and outcomes are spread."""

    accuracy_histogram: list[int]
    outcomes: Outcomes


class ComparedPart(Record):
    """Both arms on some of the problems; without any there are no curves."""

    problems: int
    base_pass_at_k: Curve = Field(default_factory=dict)
    other_pass_at_k: Curve = Field(default_factory=dict)
    difference: Curve = Field(default_factory=dict)


class Stratum(ComparedPart):
    """Problems on which the base is so accurate."""

    base_accuracy: str
    gained: Curve = Field(default_factory=dict)
    """The share of these that the other solves in k samples and the base does not."""
    lost: Curve = Field(default_factory=dict)
    """The reverse."""


class Strata(ArmPair):
    """A pair by how hard problems are for the base."""

    judged_on: int
    """Samples a problem that judge, and are not compared."""
    strata: list[Stratum]


class Slice(ComparedPart):
    """Problems with one value of a metadata field."""

    field: str
    value: str
    p_value: ByK[float | None]
    adjusted_p_value: ByK[float | None]


class SampledField(Record):
    """A pair's difference were the values of a field themselves drawn, as a sample of their kind.

    Beside it, every other interval takes the values as fixed: problems like these, of the same
    values. This one goes by the values as clusters, and is of other values as well.
    """

    field: str
    values: int
    difference: Curve


class Slices(ArmPair):
    """A pair by metadata."""

    tests: int
    slices: list[Slice]
    sampled: list[SampledField]
    """By field."""


class Distributions(Record):
    """How a benchmark's problems are distributed."""

    accuracy_bins: list[str]
    arms: dict[str, ArmDistribution]
    strata: list[Strata]
    slices: list[Slices]


class ConsistencyOfPair(ArmPair):
    """Differences of votes and of shares of right answers, on the first n samples of both."""

    n: int
    maj_at_k: Curve
    pass_hat_k: Curve
    """At the k of tables."""
    g_pass_at_k: dict[str, Curve]
    """By τ, at the k of tables."""
    cover_at_tau: dict[str, Entry]


class DiversityOfArm(Record):
    """How many answers an arm gives, and how spread they are."""

    n: int
    distinct_at_k: Curve
    """How many different answers k samples give; right ones are one, no answer is none."""
    entropy: Entry
    """Of a problem's answers, in nats; no answer is one of them."""


class DiversityOfPair(ArmPair):
    """Differences of the same, on the first n samples of both."""

    n: int
    distinct_at_k: Curve
    entropy: Entry


class Diversity(Record):
    """How many answers arms give."""

    arms: dict[str, DiversityOfArm]
    pairs: list[DiversityOfPair]


class ShrinkageTest(Record):
    """Accuracies from half of the samples held against the other half: mean squared errors."""

    fitted_on: int
    unbiased: float
    shrunk: float
    gain: Entry
    """Unbiased less shrunk, problem by problem: above zero where shrinking helps."""


class ShrunkArm(Record):
    """Estimates drawn towards what the arm's other problems are like; no headline stands on them.

    Beta(a, b) with a share never solved is fitted to all problems; without intervals, for these
    are the unbiased estimates'.
    """

    n: int
    a: float
    b: float
    never_solved: float
    pass_at_k: ByK[float | None]
    """Mean over problems, at k = 1 and the k of tables."""
    accuracies: dict[str, float]
    """By problem."""
    back_test: ShrinkageTest | None


class EntropyOfArm(Record):
    """How surprising an arm's own samples are to it, in nats a token."""

    temperature: float
    top_p: float
    cross_entropy: Entry
    is_entropy: bool
    """Samples were drawn from the model's own distribution."""

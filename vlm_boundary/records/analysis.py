"""analysis.json: everything that a run's verdicts say, one record for the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from vlm_boundary.errors import UserError
from vlm_boundary.mistakes import explain
from vlm_boundary.records.effort import BeyondN, Efficiency
from vlm_boundary.records.reasoning import Calibration, ProbedChains, ThoughtsOfArm, ValidReasoning
from vlm_boundary.records.record import (
    ArmPair,
    ByK,
    Curve,
    Entry,
    Estimate,
    Needed,
    PairedDifference,
    Record,
    SolvedSets,
    find_pair,
)
from vlm_boundary.records.sections import (
    ConsistencyOfPair,
    ControlArm,
    Distributions,
    Diversity,
    EntropyOfArm,
    FollowUp,
    GuessFilter,
    LeftOut,
    Luck,
    Perplexity,
    SelfTest,
    ShrunkArm,
    VerifierErrors,
)
from vlm_boundary.records.seeing import Seeing
from vlm_boundary.records.series import ArmSeries, RecipeEffect

SCHEMA_VERSION: Final = 5
"""Raised when a key goes, is renamed, or comes to mean something else. A key that is added does not
raise it: readers leave alone what they do not know. A reader takes its own version only, since an
analysis is made again from verdicts in seconds."""


class SinglePass(Entry):
    """Accuracy of one answer a problem."""

    arm: str
    """Whose answers: the checkpoint's one-sample arm where there is one."""
    greedy: bool


class Stopping(Record):
    """How far problems went under a stopping rule, by the verdicts that there are now.

    pass@k is estimated without bias although easy problems have fewer samples. What is no function
    of it (votes, consistency, histograms, the guess floor, lengths, entropy) is of the samples up
    to the first look, which all problems have.
    """

    after: list[int]
    """The looks before n."""
    right: int
    """Right samples that end a problem at a look."""
    n: int
    """The most samples per problem."""
    ended_at: dict[int, int]
    """How many problems are read to each look."""
    mean_n: float | None
    """Samples a problem, on average."""
    saved: float | None
    """The share of the samples of a fixed n that were not needed."""
    unread: int
    """Samples below n behind the look at which their problem ended; no number stands on them."""
    unfinished: list[str]
    """Problems that have not come to their end. Where there are any, all problems are read up to
    the look that each of them has come to, and the arm's `n` is that look."""
    left_out: list[str]
    """Problems of which a sample that a look needs could not be drawn."""


class ArmAnalysis(Record):
    """What an arm does alone; every curve with `pass_at_k` in its name has every k up to n."""

    role: str
    n: int
    """Samples a problem, with a stopping rule at most."""
    problems: int
    problems_with_fewer_than_n: int
    samples: int
    correct: int
    statuses: dict[str, int]
    """How many samples ended how."""
    sources: dict[str, int]
    """How many answers stood where."""
    pass_at_k: Curve
    pass_at_k_strict: Curve
    """Only answers said outright count; with a stopping rule on right ones the least that it can
    be beyond the first look."""
    pass_at_k_strict_upper: Curve | None = None
    """The most that it can be, where that is more."""
    pass_at_k_lenient: Curve
    """The undecided count as correct."""
    avg_at_n: Entry
    single_pass: SinglePass
    pass_hat_k: Curve
    """All k are right."""
    maj_at_k: Curve
    """The most frequent of k answers is right."""
    g_pass_at_k: dict[str, Curve]
    """By τ: at least a share τ of k samples is right."""
    mg_pass_at_k: Curve
    """The mean of `g_pass_at_k` over τ from one half to one."""
    cover_at_tau: dict[str, Entry]
    """By τ: the share of problems of which at least a share τ of samples is right."""
    stopping: Stopping | None = None
    """Where the arm has a stopping rule."""

    @property
    def alike(self) -> int:
        """How many samples all problems have: n, with a stopping rule up to the first look."""
        return self.stopping.after[0] if self.stopping else self.n


class PairAnalysis(ArmPair, PairedDifference, SolvedSets):
    """Two arms on the problems that both have."""

    n: int
    problems: int
    this_benchmark: ByK[Estimate]
    """On these very problems, were only the samples drawn again."""
    needed: ByK[Needed]
    gained: Curve = Field(default_factory=dict)
    """The share of problems that the other solves in k samples and the base does not, at the k of
    tables."""
    lost: Curve = Field(default_factory=dict)
    """The reverse; gained less lost is the difference."""


class BenchmarkAnalysis(Record):
    """What is known of one benchmark; a section that has nothing to say is not there."""

    problems: int
    unusable: int
    """Of those, the ones that cannot be put to a model."""
    ks: list[int]
    """Those of tables; curves have every k."""
    arms: dict[str, ArmAnalysis]
    pairs: list[PairAnalysis]
    self_test: list[SelfTest] | None = None
    followup: list[FollowUp] | None = None
    perplexity: list[Perplexity] | None = None
    luck: Luck | None = None
    controls: dict[str, dict[str, ControlArm]] | None = None
    """By condition and arm."""
    guess_filter: list[GuessFilter] | None = None
    verifier_error: VerifierErrors | None = None
    distributions: Distributions | None = None
    consistency: list[ConsistencyOfPair] | None = None
    diversity: Diversity | None = None
    efficiency: Efficiency | None = None
    entropy: dict[str, EntropyOfArm] | None = None
    series: ArmSeries | None = None
    shrinkage: dict[str, ShrunkArm] | None = None
    """By arm."""
    beyond_n: BeyondN | None = None
    cot: ValidReasoning | None = None
    thoughts: dict[str, ThoughtsOfArm] | None = None
    """By arm, where samples have a separate thought."""
    seeing: Seeing | None = None
    """What the picture, the thought and the training each do."""
    judge_probe: dict[str, dict[str, dict[str, ProbedChains]]] | None = None
    """By judge, arm and edit."""
    calibration: Calibration | None = None
    left_out: list[LeftOut] | None = None
    """What the numbers do not stand on, though it is stored."""

    def pair(self, names: tuple[str, str]) -> PairAnalysis | None:
        """The pair of a base and another arm; None where they were not compared."""
        return find_pair(self.pairs, names)


class HeadlineTest(ArmPair):
    """One of the claims of a report, with its test."""

    benchmark: str
    claim: str
    """first (a difference at k = 1), last (one at k = n), no_crossover (none up to k); with a
    margin within_first and within_last too (a difference smaller than that)."""
    k: int
    p: float | None
    p_holm: float | None
    """Adjusted for there being so many."""


class Multiplicity(Record):
    """All claims of a report, and what is left of each for their being so many."""

    method: str
    family: str
    margin: float | None = None
    """What differences are held against, as a share, where one is stated."""
    tests: list[HeadlineTest]


class Analysis(Record):
    """The file analysis.json."""

    schema_version: Literal[5]
    grader: str
    """The verifier whose verdicts these are of."""
    confidence: float
    """Level of the intervals."""
    benchmarks: dict[str, BenchmarkAnalysis]
    multiplicity: Multiplicity
    seeds: list[RecipeEffect] | None = None
    """RL as a recipe, where there are several training seeds of one."""


def read_analysis(path: Path) -> Analysis:
    """Read an analysis.json.

    Raises:
        UserError: there is none, or it is of another version.
    """
    again = "run 'vlm-boundary analyze' first"
    if not path.is_file():
        raise UserError(f"{path.parent}: there is no {path.name}; {again}")
    text = path.read_text(encoding="utf-8")
    try:
        return Analysis.model_validate_json(text)
    except ValidationError as error:
        raise UserError(
            f"{path}: it is not an analysis of version {SCHEMA_VERSION}, which this "
            f"vlm_boundary reads ({explain(Analysis, error)}); {again}"
        ) from None

"""Which statistics are computed."""

from __future__ import annotations

from pydantic import Field, model_validator

from vlm_boundary.config.base import Name, Settings


class GuessFilterConfig(Settings):
    """Which problems are guessed now and then, by answers given without reasoning."""

    draws: int = Field(default=64, ge=1)
    """Samples of the control `direct_answer` that are looked at, the same number a problem."""
    threshold: float = Field(default=0.05, gt=0.0, lt=1.0)
    """A problem that they get right more rarely than this, but get right, is guessable."""
    arm: Name | None = None
    """The arm that is asked, such as a third model; by default both arms of a pair are, and what
    either of them guesses is left out."""


class CheckedVerdicts(Settings):
    """What a check of verdicts by hand found."""

    wrong: int = Field(ge=1)
    """Wrong answers that were checked."""
    wrong_accepted: int = Field(ge=0)
    """Those of them that the verifier called right."""
    right: int = Field(ge=1)
    """Right answers that were checked."""
    right_rejected: int = Field(ge=0)
    """Those of them that the verifier did not call right."""

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> CheckedVerdicts:
        if self.wrong_accepted > self.wrong or self.right_rejected > self.right:
            raise ValueError("of the answers that were checked, not more can be judged wrongly")
        if self.wrong_accepted / self.wrong + self.right_rejected / self.right >= 1:
            raise ValueError("a verifier that errs this often says nothing about the answers")
        return self


class VerifierErrorConfig(CheckedVerdicts):
    """What a check of verdicts by hand found, of all arms and of some by themselves."""

    arms: dict[Name, CheckedVerdicts] = Field(default_factory=dict)
    """Of an arm's own verdicts, in place of the above: a verifier can be kinder to one style."""


class AnalysisConfig(Settings):
    """Which statistics are computed."""

    ks: tuple[int, ...] | None = None
    """The k of tables; by default 1, 2, 4 … and n. analysis.json has every k up to n."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Level of the intervals."""
    equivalence_margin: float | None = Field(default=None, gt=0.0, lt=100.0)
    """In points: that arms differ by less than this is then claimed too, where the data show it."""
    bootstrap_draws: int = Field(default=10_000, ge=100)
    """Resamples behind bootstrap intervals and simultaneous bands."""
    guess_priors: dict[Name, str] = Field(default_factory=dict)
    """By benchmark, a file with a column `answer` of held-out answers (JSONL, JSON, CSV, TSV,
    Parquet) that a blind guesser draws from; by default it draws from the other problems'."""
    guess_smoothing: float = Field(default=1.0, ge=0.0)
    """How many further answers the guesser's prior has, spread evenly over 0 to 100."""
    false_discovery_rate: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Of the problems called solved above an arm's floor, the share that may not be."""
    guess_filter: GuessFilterConfig = GuessFilterConfig()
    """Problems that are left out where only those that cannot be guessed count."""
    verifier_error: VerifierErrorConfig | None = None
    """How often the verifier was found to err."""
    slices: tuple[str, ...] | None = None
    """Metadata fields, or answer_type, by whose values results are split; by default every field
    that has between 2 and 24 values."""

    @model_validator(mode="after")
    def _one_sided_tests_have_a_level(self) -> AnalysisConfig:
        if self.equivalence_margin is not None and self.confidence <= 0.5:
            raise ValueError("equivalence_margin takes a confidence above 0.5")
        return self

"""What models answered, and what others made of it; the tables' columns are in store/schemas.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One response, exactly as it was generated.

    `token_ids` include the end of turn; `text` does not. `logprob_sum` is the natural logarithm of
    the response's probability under the model itself (temperature 1, nothing cut off), end of turn
    counted; `token_logprobs` are its parts, kept for the first samples of a problem if so asked.
    `seed` is None where the engine cannot seed a sample.
    """

    problem_id: str
    sample_index: int
    seed: int | None
    token_ids: list[int]
    text: str
    finish_reason: str
    logprob_sum: float | None
    token_logprobs: list[float] | None = None


@dataclass(frozen=True)
class SampleScore:
    """How likely one arm finds a sample, its own or another arm's.

    `logprob_sum` and `token_logprobs` are as in `Sample`, under the scoring arm's prompt.
    """

    problem_id: str
    sample_index: int
    logprob_sum: float
    tokens: int
    token_logprobs: list[float] | None


@dataclass(frozen=True)
class Vote:
    """One verdict of a judge: `valid` is None where it gave none, or was cut off."""

    valid: bool | None
    finish_reason: str
    text: str


@dataclass(frozen=True)
class Judgement:
    """A judge's votes on one sample's reasoning; `edit` says how it was spoilt before, if it was.

    `text_hash` is that of the sample's verdict.
    """

    problem_id: str
    sample_index: int
    votes: list[Vote]
    text_hash: str
    edit: str | None

"""How answers are drawn, and when a problem is sampled no further."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from vlm_boundary.config.base import MAX_SAMPLES, PlainMapping, Settings
from vlm_boundary.stopping import StoppingRule


class StopConfig(Settings):
    """Problems that are settled early get no more samples; see docs/stopping.md."""

    after: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    """Numbers of samples, below n and ascending, after each of which a problem may end."""
    right: int = Field(default=4, ge=1)
    """How many right samples end it; a problem that never has as many gets all n."""

    @model_validator(mode="after")
    def _can_be_met(self) -> StopConfig:
        if list(self.after) != sorted(set(self.after)):
            raise ValueError(f"after must ascend, not {list(self.after)}")
        if self.right > self.after[0]:
            raise ValueError(
                f"right: {self.right} samples cannot be right after {self.after[0]}; lower it, or "
                f"begin `after` later"
            )
        return self


class SamplingConfig(Settings):
    """How answers are drawn; every value is sent to the engine explicitly."""

    n: int = Field(default=128, ge=1, le=MAX_SAMPLES)
    """Samples per problem; with `stop`, the most that one gets."""
    stop: StopConfig | None = None
    """After how many samples a problem with enough right ones gets no more; by default never."""
    temperature: float = Field(default=0.6, ge=0.0, le=2.0)
    """Softmax temperature; 0 is greedy and allows one sample."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """Nucleus mass."""
    top_k: int = Field(default=0, ge=0)
    """Candidates kept per token; 0 keeps all."""
    min_p: float = Field(default=0.0, ge=0.0, le=1.0)
    """Smallest probability kept, relative to the likeliest token's."""
    repetition_penalty: float = Field(default=1.0, gt=0.0)
    """1 is none."""
    max_tokens: int = Field(default=16384, ge=1)
    """Longest response, in tokens."""
    logprob_sum: bool = True
    """Keep the log-probability of every response."""
    token_logprobs: int = Field(default=0, ge=0)
    """Samples of each problem, from the first, that keep every token's log-probability too."""
    args: PlainMapping = Field(default_factory=dict)
    """Further sampling parameters under the engine's own names (vLLM: stop, min_tokens …)."""

    @field_validator("temperature")
    @classmethod
    def _not_nearly_greedy(cls, temperature: float) -> float:
        if 0.0 < temperature < 0.01:
            raise ValueError(
                f"{temperature} is below what engines draw at exactly; use 0 (greedy) or at "
                f"least 0.01"
            )
        return temperature

    @model_validator(mode="after")
    def _fits_together(self) -> SamplingConfig:
        if self.temperature == 0.0 and self.n > 1:
            raise ValueError("temperature 0 gives the same answer every time: set n to 1")
        if self.token_logprobs and not self.logprob_sum:
            raise ValueError("token_logprobs needs logprob_sum: leave it true, or keep none")
        if self.stop and self.stop.after[-1] >= self.n:
            raise ValueError(
                f"stop.after: every problem ends at n = {self.n}, so that {self.stop.after[-1]} is "
                f"too late; write numbers below n"
            )
        return self

    @property
    def rule(self) -> StoppingRule | None:
        """When a problem is sampled no further; None where each gets all n."""
        if self.stop is None:
            return None
        return StoppingRule((*self.stop.after, self.n), self.stop.right)

    @property
    def stopping_rule(self) -> StoppingRule:
        """The rule, where there is none the one that looks at the end alone."""
        return self.rule or StoppingRule((self.n,), 1)

    def stopping_within(self, n: int) -> StopConfig | None:
        """The same rule for so many samples: its looks below n, if there are any."""
        after = tuple(look for look in self.stop.after if look < n) if self.stop else ()
        return self.stop.model_copy(update={"after": after}) if self.stop and after else None

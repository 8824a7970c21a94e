"""How answers are drawn."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from vlm_boundary.config.base import MAX_SAMPLES, PlainMapping, Settings


class SamplingConfig(Settings):
    """How answers are drawn; every value is sent to the engine explicitly."""

    n: int = Field(default=128, ge=1, le=MAX_SAMPLES)
    """Samples per problem."""
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
    def _greedy_draws_once(self) -> SamplingConfig:
        if self.temperature == 0.0 and self.n > 1:
            raise ValueError("temperature 0 gives the same answer every time: set n to 1")
        return self

    @model_validator(mode="after")
    def _parts_come_with_their_sum(self) -> SamplingConfig:
        if self.token_logprobs and not self.logprob_sum:
            raise ValueError("token_logprobs needs logprob_sum: leave it true, or keep none")
        return self

"""When a problem is sampled no further."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from vlm_boundary.config.base import Settings


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

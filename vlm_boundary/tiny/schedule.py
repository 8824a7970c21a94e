"""The learning rate over a training run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LambdaLR

_LAST = 0.02  # of the highest rate


def warm_cosine(optimiser: Optimizer, warmup: int, steps: int) -> LambdaLR:
    """Up along a line to the optimiser's own rate, then down along a cosine."""
    from torch.optim.lr_scheduler import LambdaLR

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * min(1.0, done))) / 2

    return LambdaLR(optimiser, share)

"""Drawing tokens so that each sample depends on its own seed alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import (
    LogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines.base import unheard


@dataclass
class Row:
    """One sample as it grows; `logprobs` are of the raw distribution, end of text included."""

    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def logprob_sum(self) -> float:
        """The whole sample's."""
        return sum(self.logprobs)


class SeededSampler(LogitsProcessor):  # type: ignore[misc]
    """Chooses each row's next token itself and leaves no other possible.

    Adding Gumbel noise to log-probabilities and taking the largest draws from the distribution
    (Gumbel 1954; Maddison et al. 2014, arXiv 1411.0030). The noise of row i comes from a generator
    seeded with seeds[i], one vector a token, so a row's tokens do not depend on the other rows.

    Args:
        sampling: the distribution: penalty, temperature, min_p, top_k and top_p, in vLLM's order.
        seeds: one a row.
        ends: the tokens that end a text.
        alive: called once a token.
        masked: tokens that are never drawn.
    """

    def __init__(
        self,
        sampling: SamplingConfig,
        seeds: list[int],
        ends: set[int],
        alive: Callable[[], None] = unheard,
        *,
        masked: Sequence[int] = (),
    ) -> None:
        self.rows = [Row() for _ in seeds]
        self._ends = ends
        self._masked = list(masked)
        self._alive = alive
        self._greedy = sampling.temperature == 0.0
        self._noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._warpers = []
        if sampling.repetition_penalty != 1.0:
            self._warpers.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        if self._greedy:
            return
        self._warpers.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.min_p > 0.0:
            self._warpers.append(MinPLogitsWarper(sampling.min_p))
        if sampling.top_k > 0:
            self._warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1.0:
            self._warpers.append(TopPLogitsWarper(sampling.top_p))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of shape (rows, vocabulary): zero at the chosen tokens, else minus infinity."""
        self._alive()
        logprobs = scores.float().log_softmax(-1)
        warped = scores.float()
        if self._masked:
            warped = warped.index_fill(
                -1, torch.tensor(self._masked, device=warped.device), -torch.inf
            )
        for warper in self._warpers:
            warped = warper(input_ids, warped)
        if not self._greedy:
            warped = warped.log_softmax(-1) + self._gumbel(warped.shape[-1]).to(warped.device)
        chosen = warped.argmax(-1, keepdim=True)
        theirs = logprobs.gather(-1, chosen).squeeze(-1).tolist()
        for row, token, logprob in zip(self.rows, chosen.squeeze(-1).tolist(), theirs, strict=True):
            if not row.ended:
                row.token_ids.append(token)
                row.logprobs.append(logprob)
                row.ended = token in self._ends
        return torch.full_like(scores, -torch.inf).scatter(-1, chosen, 0.0)

    def _gumbel(self, vocabulary: int) -> torch.Tensor:
        """Noise drawn on the CPU, whatever the device, so that a seed means the same everywhere."""
        draws = [
            torch.rand(vocabulary, generator=noise, dtype=torch.float64) for noise in self._noise
        ]
        uniform = torch.stack(draws).clamp_min(torch.finfo(torch.float64).tiny)
        return -(-uniform.log()).log()

"""GRPO: responses that did better than the others to their problem become likelier.

On policy: each batch of responses serves one update, so no ratio is clipped; there is no penalty
for leaving the base and no reward but the verifier's verdict on the final answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from vlm_boundary.config import FULL
from vlm_boundary.tiny.data import DrawnProblems, training, validation
from vlm_boundary.tiny.recipes import Reinforcement
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.rollout import Rewarder, Rollout, sample
from vlm_boundary.tiny.sequences import group_scores

_CHUNK = 8  # problems whose gradients are taken at once
_EVEN = 1e-6


@dataclass(frozen=True)
class _Update:
    """What one step did, for the log."""

    entropy: float
    """Nats a token, over the responses that taught something."""
    taught: float
    """Share of problems whose responses were not all right or all wrong."""


def train_rl(
    model: Any, recipe: Reinforcement, *, seed: int, log: Log, keep: Callable[[int], None]
) -> None:
    """Train the model in place, calling `keep` at the recipe's checkpoints and at the end."""
    stream = training(recipe.data_seed + seed, recipe.families)
    watched = DrawnProblems.of(validation(recipe.families))

    def watch(step: int) -> None:
        for condition in dict.fromkeys((recipe.shown, FULL)):
            found = rewarder.accuracy(model, watched.under(condition), seed=seed)
            log.write(step=step, condition=condition, **found)

    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.0
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / recipe.warmup)
    )
    generator = torch.Generator().manual_seed(seed)
    model.eval()  # nothing in it is random; sampling and scoring see the same model
    with Rewarder() as rewarder:
        watch(0)
        for step in range(1, recipe.steps + 1):
            problems = DrawnProblems.of(list(islice(stream, recipe.problems))).under(recipe.shown)
            samples = sample(
                model,
                problems,
                recipe.group,
                max_tokens=recipe.max_tokens,
                generator=generator,
            )
            rewards = torch.tensor(rewarder.rewards(problems, samples))
            update = _gradients(model, problems, samples, _advantages(rewards))
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            lengths = [len(s.ids) for group in samples for s in group]
            log.write(
                step=step,
                reward=rewards.mean().item(),
                length=sum(lengths) / len(lengths),
                entropy=update.entropy,
                taught=update.taught,
                gradient=norm.item(),
            )
            if step % recipe.watch_every == 0 or step == recipe.steps:
                watch(step)
            if step in recipe.checkpoints or step == recipe.steps:
                keep(step)


def _advantages(rewards: Tensor) -> Tensor:
    """Each reward's distance from its group's mean, in standard deviations; 0 in an even group."""
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    spread = centred.pow(2).mean(dim=1, keepdim=True).sqrt()
    return centred / spread.clamp(min=_EVEN)


def _gradients(
    model: Any, problems: DrawnProblems, samples: list[list[Rollout]], advantages: Tensor
) -> _Update:
    """Accumulate the gradients of the advantage-weighted log-probability of every token."""
    uneven = [i for i, group in enumerate(advantages) if group.abs().max() > _EVEN]
    tokens = sum(len(s.ids) for i in uneven for s in samples[i])
    entropy = 0.0
    for start in range(0, len(uneven), _CHUNK):
        places = uneven[start : start + _CHUNK]
        responses = [s.ids for i in places for s in samples[i]]
        owners = [owner for owner, i in enumerate(places) for _ in samples[i]]
        scores, rows = group_scores(model, problems.take(places), responses, owners)
        taken = torch.tensor([token for ids in responses for token in ids])
        weights = advantages[places].reshape(-1)[rows]
        loss = -(weights * scores.gather(1, taken[:, None])[:, 0]).sum() / tokens
        loss.backward()
        with torch.no_grad():
            entropy -= (scores.exp() * scores).sum().item()
    return _Update(entropy / max(1, tokens), len(uneven) / len(samples))

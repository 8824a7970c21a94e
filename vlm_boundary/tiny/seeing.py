"""The vision tower's own first lessons: name every fact of a picture, without a language model.

One linear head per family reads the facts off the tower's output, word by word in the caption's
order; the head is thrown away. The tower sees several times as many pictures per second this way.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import torch
from torch import Tensor

from vlm_boundary.benchmarks.procedural import caption
from vlm_boundary.tiny.data import DrawnProblems
from vlm_boundary.tiny.recipes import SeeingLessons
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.schedule import warm_cosine
from vlm_boundary.tiny.sequences import encode

_WORDS = 16  # a 4 x 4 grid
_WIDTH = 32
_ABSENT = -100  # cross_entropy's own mark for what is not counted


class _Head(torch.nn.Module):  # type: ignore[misc]
    """What stands at each place of a caption, from all of a picture's tokens."""

    def __init__(self, families: int, features: int, vocabulary: int) -> None:
        super().__init__()
        start = torch.randn(families, features, _WORDS * _WIDTH) * features**-0.5
        self.by_family = torch.nn.Parameter(start)
        self.word = torch.nn.Linear(_WIDTH, vocabulary)

    def forward(self, features: Tensor) -> Tensor:
        """Scores, shape (families, pictures, words, vocabulary), of (families, pictures, n)."""
        read = torch.bmm(features, self.by_family)
        scores: Tensor = self.word(read.unflatten(-1, (_WORDS, _WIDTH)))
        return scores


def train_seeing(
    model: Any, drawn: DrawnProblems, recipe: SeeingLessons, *, seed: int, log: Log
) -> None:
    """Train the vision tower in place; the log gets the share of facts it names."""
    places, answers, vocabulary = _facts(drawn)
    with torch.no_grad():
        width = encode(model, drawn.pictures[:1]).numel()
    torch.manual_seed(seed)
    head = _Head(len(places), width, vocabulary)
    parameters = [*model.model.visual.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )
    schedule = warm_cosine(optimiser, recipe.warmup, recipe.steps)
    rng = Random(f"pictures-{seed}")
    model.train()
    losses, named = [], []
    for step in range(1, recipe.steps + 1):
        batch = [place for family in places for place in rng.sample(family, recipe.each)]
        features = encode(model, drawn.pictures[batch]).reshape(len(places), recipe.each, -1)
        scores = head(features).reshape(-1, vocabulary)
        wanted = answers[batch].reshape(-1)
        loss = torch.nn.functional.cross_entropy(scores, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        right = (scores.argmax(-1) == wanted).float().sum() / (wanted != _ABSENT).sum()
        named.append(right.item())
        if step % recipe.log_every == 0:
            log.write(seeing=step, loss=sum(losses) / len(losses), named=sum(named) / len(named))
            losses, named = [], []


def _facts(drawn: DrawnProblems) -> tuple[list[list[int]], Tensor, int]:
    """Each family's places, the captions' words as numbers, and how many words there are."""
    families: dict[str, list[int]] = {}
    numbers: dict[str, int] = {}
    answers = torch.full((len(drawn), _WORDS), _ABSENT)
    for place, problem in enumerate(drawn.problems):
        families.setdefault(problem.family, []).append(place)
        words = re.findall(r"[^\s\[\]]+", caption(problem))[:_WORDS]
        ids = [numbers.setdefault(word, len(numbers)) for word in words]
        answers[place, : len(ids)] = torch.tensor(ids)
    return list(families.values()), answers, len(numbers)

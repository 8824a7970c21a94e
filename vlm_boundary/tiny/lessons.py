"""The two halves' own first lessons: the vision tower names facts, the language model reckons.

Seeing: one linear head per family reads every fact of a picture off the tower's output, word by
word in the caption's order, without a language model; the head is thrown away. The tower sees
several times as many pictures per second this way. Reckoning: a line of text holds many equations
of worked chains and is taught only what they come to, so that the model meets far more sums per
second than in whole solutions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from random import Random
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from vlm_boundary.benchmarks.procedural import caption
from vlm_boundary.tiny.data import DrawnProblems
from vlm_boundary.tiny.recipes import Reckoning, SeeingLessons
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.sequences import encode, encode_text

_LAST = 0.02  # of the highest rate
_WORDS = 16  # a 4 x 4 grid
_WIDTH = 32
_ABSENT = -100  # cross_entropy's own mark for what is not counted


def warm_cosine(optimiser: Optimizer, warmup: int, steps: int) -> LambdaLR:
    """Up along a line to the optimiser's own rate, then down along a cosine."""

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * min(1.0, done))) / 2

    return LambdaLR(optimiser, share)


def _train(
    recipe: SeeingLessons | Reckoning,
    lesson: Callable[[], tuple[Tensor, Tensor]],
    parameters: list[Any],
    optimisers: Sequence[Any],
    told: Callable[[int, float, float], None],
) -> None:
    """Train parameters in place.

    Args:
        lesson: gives scores over what may be said, shape (places, sayings), and what is right.
        told: gets a step, the loss and the share of places that were right since it was last told.
    """
    schedules = [warm_cosine(o, recipe.warmup, recipe.steps) for o in optimisers]
    losses, rights = [], []
    for step in range(1, recipe.steps + 1):
        scores, wanted = lesson()
        loss = torch.nn.functional.cross_entropy(scores, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        for part in (*optimisers, *schedules):
            part.step()
        for optimiser in optimisers:
            optimiser.zero_grad()
        losses.append(loss.item())
        right = (scores.argmax(-1) == wanted).float().sum() / (wanted != _ABSENT).sum()
        rights.append(right.item())
        if step % recipe.log_every == 0:
            told(step, fmean(losses), fmean(rights))
            losses, rights = [], []


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
    rng = Random(f"pictures-{seed}")
    model.train()

    def lesson() -> tuple[Tensor, Tensor]:
        batch = [place for family in places for place in rng.sample(family, recipe.each)]
        features = encode(model, drawn.pictures[batch]).reshape(len(places), recipe.each, -1)
        return head(features).reshape(-1, vocabulary), answers[batch].reshape(-1)

    def told(step: int, loss: float, right: float) -> None:
        log.write(seeing=step, loss=loss, named=right)

    _train(recipe, lesson, parameters, [optimiser], told)


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


class Equations:
    """Lines of equations from the worked chains of problems, drawn without end."""

    def __init__(self, drawn: DrawnProblems, length: int, rng: Random) -> None:
        self._equations = [
            (step.text.rstrip(",."), step.value)
            for problem in drawn.problems
            for chain in problem.chains
            for step in chain
            if step.kind == "compute"
        ]
        self._length = length
        self._rng = rng

    def scores(self, model: Any, lines: int) -> tuple[Tensor, Tensor]:
        """Scores over the vocabulary where results are predicted, and the tokens wanted there."""
        drawn = [
            [self._rng.choice(self._equations) for _ in range(self._length // 5)]
            for _ in range(lines)
        ]
        ids, taught = _tensors(drawn, self._length)
        return _scores(model, ids[:, :-1])[taught[:, 1:]], ids[:, 1:][taught[:, 1:]]


def train_reckoning(
    model: Any,
    drawn: DrawnProblems,
    recipe: Reckoning,
    optimisers: tuple[Any, ...],
    *,
    seed: int,
    log: Log,
) -> None:
    """Train the language model in place; the log gets the share of right result tokens."""
    equations = Equations(drawn, recipe.length, Random(f"equations-{seed}"))
    model.train()

    def told(step: int, loss: float, right: float) -> None:
        log.write(reckoning=step, loss=loss, right=right)

    def lesson() -> tuple[Tensor, Tensor]:
        return equations.scores(model, recipe.batch)

    _train(recipe, lesson, list(model.parameters()), optimisers, told)


def _tensors(lines: list[list[tuple[str, str]]], length: int) -> tuple[Tensor, Tensor]:
    """The lines as tokens, cut to one length, and where the tokens of results stand."""
    ids, taught = [], []
    for line in lines:
        tokens: list[int] = []
        marks: list[bool] = []
        for equation, value in line:
            text = encode_text(equation + ", ")
            results = len(encode_text(value)) + 1  # and the comma that ends it
            tokens += text
            marks += [len(text) - results - 1 <= i < len(text) - 1 for i in range(len(text))]
        ids.append(tokens[:length])
        taught.append(marks[:length])
    shortest = min(map(len, ids))
    return (
        torch.tensor([row[:shortest] for row in ids]),
        torch.tensor([row[:shortest] for row in taught]),
    )


def _scores(model: Any, ids: Tensor) -> Tensor:
    hidden = model.model.language_model(
        inputs_embeds=model.get_input_embeddings()(ids),
        position_ids=torch.arange(ids.shape[1]).expand(3, 1, -1),
        use_cache=False,
    ).last_hidden_state
    scores: Tensor = model.lm_head(hidden).float()
    return scores

"""Supervised training on written responses, from nothing or from a checkpoint.

From nothing, the two halves have lessons of their own first. The vision tower names every fact of
a picture, word by word in the caption's order, by one linear head per family that is thrown away:
it sees several times as many pictures per second without a language model. The language model
reckons: a line of text holds many equations of worked chains and is taught only what they come to,
so that it meets far more sums per second than in whole solutions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from vlm_boundary.benchmarks.procedural import ProceduralProblem, caption
from vlm_boundary.config import FULL, Condition
from vlm_boundary.tiny.data import DrawnProblems, validation
from vlm_boundary.tiny.mixture import CAPTION_QUESTION, Guesses, guesses, response
from vlm_boundary.tiny.recipes import EQUATION_TOKENS, Reckoning, SeeingLessons, Supervised
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.rollout import Rewarder
from vlm_boundary.tiny.sequences import (
    IMAGE,
    encode,
    encode_text,
    problem_prompt,
    prompt_ids,
    response_ids,
    response_scores,
)

_LAST = 0.02  # of the highest rate
_WORDS = 16  # a 4 x 4 grid
_WIDTH = 32
_ABSENT = -100  # cross_entropy's own mark for what is not counted
_SORTED_BATCHES = 8  # batches drawn at once and cut by length, so that little is padding


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


def train_supervised(model: Any, recipe: Supervised, *, seed: int, log: Log) -> None:
    """Train the model in place; the log gets the loss in nats per token, and watched accuracy."""
    drawn = DrawnProblems.draw(recipe.data_seed, recipe.problems, recipe.families)
    watched = DrawnProblems.of(validation(recipe.families))
    if recipe.seeing is not None:
        train_seeing(model, drawn, recipe.seeing, seed=seed, log=log)
    if recipe.reckoning is not None:
        first = _optimisers(model, recipe)
        train_reckoning(model, drawn, recipe.reckoning, first, seed=seed, log=log)
    optimisers = _optimisers(model, recipe)
    schedules = [warm_cosine(o, recipe.warmup, recipe.steps) for o in optimisers]
    lessons = _lessons(drawn, recipe, Random(f"responses-{seed}"))
    equations = Equations(drawn, EQUATION_TOKENS, Random(f"lines-{seed}"))
    losses: list[float] = []
    with Rewarder() as rewarder:
        for step in range(1, recipe.steps + 1):
            model.train()
            loss = _loss(model, drawn, next(lessons))
            loss.backward()
            if recipe.equations:
                scores, wanted = equations.scores(model, recipe.equations)
                torch.nn.functional.cross_entropy(scores, wanted).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            for part in (*optimisers, *schedules):
                part.step()
            model.zero_grad()
            losses.append(loss.item())
            if step % recipe.log_every == 0:
                log.write(step=step, loss=fmean(losses))
                losses.clear()
            if step % recipe.watch_every == 0 or step == recipe.steps:
                for condition in (FULL, "described") if recipe.described else (FULL,):
                    found = rewarder.accuracy(model, watched.under(condition), seed=seed)
                    log.write(step=step, condition=condition, **found)


def _optimisers(model: Any, recipe: Supervised) -> tuple[Any, Any]:
    """Muon for the language model's matrices, AdamW for everything else."""
    matrices: list[Any] = []
    others: list[Any] = []
    for name, parameter in model.model.language_model.named_parameters():
        inner = parameter.dim() == 2 and not name.startswith("embed_tokens")
        (matrices if inner else others).append(parameter)
    muon = torch.optim.Muon(
        matrices, lr=recipe.matrix_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    groups = [
        {"params": others, "lr": recipe.learning_rate},
        {"params": list(model.model.visual.parameters()), "lr": recipe.vision_rate},
    ]
    return muon, torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)


@dataclass(frozen=True)
class _Lesson:
    """One thing to learn: what to write when asked a question about a picture."""

    place: int
    """The problem's, among those drawn."""
    prompt: tuple[int, ...]
    response: list[int]


def _lessons(drawn: DrawnProblems, recipe: Supervised, rng: Random) -> Iterator[list[_Lesson]]:
    """Batches of newly written responses, without end; each pass meets every problem once."""
    likely = guesses(drawn.problems)
    pending: list[int] = []
    size = recipe.batch
    for done in count(step=_SORTED_BATCHES):
        captions = recipe.captions if done >= recipe.describing else 1.0
        while len(pending) < _SORTED_BATCHES * size:
            pending += rng.sample(range(len(drawn)), len(drawn))
        places = [pending.pop() for _ in range(_SORTED_BATCHES * size)]
        asked = [_asked(rng, drawn.problems[i], captions, recipe, likely) for i in places]
        ids = response_ids([text for _, text in asked])
        lessons = [
            _Lesson(place, prompt, written)
            for place, (prompt, _), written in zip(places, asked, ids, strict=True)
        ]
        lessons.sort(key=lambda lesson: len(lesson.prompt) + len(lesson.response))
        cut = [lessons[i : i + size] for i in range(0, len(lessons), size)]
        rng.shuffle(cut)
        yield from cut


def _asked(
    rng: Random, problem: ProceduralProblem, captions: float, recipe: Supervised, likely: Guesses
) -> tuple[tuple[int, ...], str]:
    if rng.random() < captions:
        return prompt_ids(CAPTION_QUESTION), caption(problem)
    condition: Condition = FULL
    if recipe.described and rng.random() < recipe.described:
        condition = "described"
    return problem_prompt(problem, condition), response(rng, problem, recipe.mixture, likely)


def _loss(model: Any, drawn: DrawnProblems, lessons: list[_Lesson]) -> Any:
    seen = [lesson.place for lesson in lessons if IMAGE in lesson.prompt]
    features = encode(model, drawn.pictures[seen]) if seen else None
    prompts = [lesson.prompt for lesson in lessons]
    scores, _ = response_scores(model, features, prompts, [lesson.response for lesson in lessons])
    targets = torch.tensor([token for lesson in lessons for token in lesson.response])
    return -scores.gather(1, targets[:, None]).mean()

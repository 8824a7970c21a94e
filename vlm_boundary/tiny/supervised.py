"""Supervised training on written responses, from nothing or from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from statistics import fmean
from typing import Any

import torch

from vlm_boundary.benchmarks.procedural import ProceduralProblem, caption
from vlm_boundary.config import FULL, Condition
from vlm_boundary.tiny.data import DrawnProblems, validation
from vlm_boundary.tiny.lessons import Equations, train_reckoning, train_seeing, warm_cosine
from vlm_boundary.tiny.mixture import CAPTION_QUESTION, Guesses, guesses, response
from vlm_boundary.tiny.recipes import EQUATION_TOKENS, Supervised
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.rollout import Rewarder
from vlm_boundary.tiny.sequences import (
    IMAGE,
    encode,
    problem_prompt,
    prompt_ids,
    response_ids,
    response_scores,
)

_SORTED_BATCHES = 8  # batches drawn at once and cut by length, so that little is padding


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

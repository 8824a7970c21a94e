"""The language model's own lessons: the equations of worked chains, without pictures.

A line of text holds many equations and is taught only what they come to, so that the model meets
far more sums per second than in whole solutions.
"""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from torch import Tensor

from vlm_boundary.tiny.data import DrawnProblems
from vlm_boundary.tiny.recipes import Reckoning
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.schedule import warm_cosine
from vlm_boundary.tiny.sequences import encode_text


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
    schedules = [warm_cosine(o, recipe.warmup, recipe.steps) for o in optimisers]
    equations = Equations(drawn, recipe.length, Random(f"equations-{seed}"))
    model.train()
    losses, rights = [], []
    for step in range(1, recipe.steps + 1):
        scores, wanted = equations.scores(model, recipe.batch)
        loss = torch.nn.functional.cross_entropy(scores, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        for part in (*optimisers, *schedules):
            part.step()
        model.zero_grad()
        losses.append(loss.item())
        rights.append((scores.argmax(-1) == wanted).float().mean().item())
        if step % recipe.log_every == 0:
            log.write(
                reckoning=step, loss=sum(losses) / len(losses), right=sum(rights) / len(rights)
            )
            losses, rights = [], []


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

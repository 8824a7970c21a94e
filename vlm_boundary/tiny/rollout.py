"""Drawing responses from a model, and the verifier on them: what RL is rewarded by.

Transformers' layers, with the copying left out: models this small spend their time moving keys and
values, not computing; the cache here has room for tokens to come, and attention from one new token
shares keys between heads where they lie.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import Cache, DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from vlm_boundary.tiny.data import DrawnProblems
from vlm_boundary.tiny.sequences import END, decode, read_prompts
from vlm_boundary.verifier import Grader, Output

_ATTENTION = "vlm_boundary_grouped"
_FULL_ENOUGH = 0.8  # share of unfinished responses below which a batch is rebuilt
_ROOM = 48  # tokens
_CHUNK = 48  # problems sampled at once
_MAX_TOKENS = 96  # of an answer that is watched


@dataclass(frozen=True)
class Rollout:
    """A drawn response; `ended` tells whether it ended its turn within the limit."""

    ids: tuple[int, ...]
    text: str
    ended: bool


def sample(
    model: Any, problems: DrawnProblems, count: int, *, max_tokens: int, generator: Generator
) -> list[list[Rollout]]:
    """Draw `count` responses to each problem at temperature 1."""
    drawn: list[list[int]] = [[] for _ in range(len(problems) * count)]
    with torch.inference_mode(), _grouped_attention(model):
        cache = Cache(layer_class_to_replicate=_RoomyLayer)
        hidden, mask, place = read_prompts(model, problems, cache)
        cache.batch_repeat_interleave(count)
        hidden, mask, place = (t.repeat_interleave(count, 0) for t in (hidden, mask, place))
        rows = torch.arange(len(drawn))
        going = torch.ones(len(drawn), dtype=torch.bool)
        for _ in range(max_tokens):
            chances = model.lm_head(hidden).float().softmax(-1)
            tokens = torch.multinomial(chances, 1, generator=generator)
            live = zip(rows[going].tolist(), tokens[going, 0].tolist(), strict=True)
            for row, token in live:
                drawn[row].append(token)
            going &= tokens[:, 0] != END
            if not going.any():
                break
            if going.float().mean() < _FULL_ENOUGH:  # the finished leave the batch
                cache.batch_select_indices(going.nonzero()[:, 0])
                rows, tokens, mask, place = (t[going] for t in (rows, tokens, mask, place))
                going = going[going]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            hidden = model.model.language_model(
                inputs_embeds=model.get_input_embeddings()(tokens),
                attention_mask=mask,
                position_ids=place.view(1, -1, 1).expand(3, -1, -1),
                past_key_values=cache,
            ).last_hidden_state[:, -1]
            place = place + 1
    samples = _samples(drawn)
    return [samples[i : i + count] for i in range(0, len(samples), count)]


class _Room:
    """A buffer that a growing tensor of keys or values lies in."""

    def __init__(self) -> None:
        self._buffer = torch.empty(0)
        self._filled: Tensor | None = None

    def append(self, kept: Tensor, new: Tensor) -> Tensor:
        """Write new tokens after the kept ones, which are copied only if they lie elsewhere."""
        length = kept.shape[-2] if kept.numel() else 0
        total = length + new.shape[-2]
        if kept is not self._filled or total > self._buffer.shape[-2]:
            batch, heads, _, width = new.shape
            self._buffer = new.new_empty(batch, heads, total + _ROOM, width)
            if length:
                self._buffer[:, :, :length] = kept
        self._buffer[:, :, length:total] = new
        self._filled = self._buffer[:, :, :total]
        return self._filled


class _RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's cache that is not copied for every token."""

    keys: Any
    values: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rooms = _Room(), _Room()

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        """Append the new tokens' keys and values, and return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = self._rooms[0].append(self.keys, key_states)
        self.values = self._rooms[1].append(self.values, value_states)
        return self.keys, self.values


@contextmanager
def _grouped_attention(model: Any) -> Iterator[None]:
    """Attend from one new token without first copying each key for every head that shares it."""
    AttentionInterface.register(_ATTENTION, _attend)
    AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
    text = model.model.language_model
    before = text.config._attn_implementation
    text.set_attn_implementation(_ATTENTION)
    try:
        yield
    finally:
        text.set_attn_implementation(before)


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    if query.shape[2] > 1:
        attended, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return attended, None
    # The heads that share a key stand where the tokens of a longer query would.
    shared = query.reshape(len(query), key.shape[1], -1, query.shape[3])
    attended = scaled_dot_product_attention(
        shared, key, value, attn_mask=attention_mask, scale=options.get("scaling")
    )
    return attended.reshape(len(query), 1, query.shape[1], query.shape[3]), None


def _samples(rows: list[list[int]]) -> list[Rollout]:
    ended = [row[-1] == END for row in rows]
    kept = [row[:-1] if end else row for row, end in zip(rows, ended, strict=True)]
    texts = decode(kept)
    return [
        Rollout(tuple(row), text, end) for row, text, end in zip(rows, texts, ended, strict=True)
    ]


class Rewarder:
    """The project's verifier on samples; use it as a context manager."""

    def __init__(self) -> None:
        self._grader = Grader(workers=1)

    def __enter__(self) -> Rewarder:
        return self

    def __exit__(self, *error: object) -> None:
        self._grader.close()

    def rewards(self, problems: DrawnProblems, samples: list[list[Rollout]]) -> list[list[float]]:
        """1 for each sample whose final answer the verifier finds right, else 0."""
        outputs = [
            Output(s.text, problem.answer, "stop" if s.ended else "length", problem.answer_type)
            for problem, group in zip(problems.problems, samples, strict=True)
            for s in group
        ]
        right = [1.0 if v.correct else 0.0 for v in self._grader.grade(outputs)]
        size = len(samples[0])
        return [right[i : i + size] for i in range(0, len(right), size)]

    def accuracy(self, model: Any, problems: DrawnProblems, *, seed: int) -> dict[str, Any]:
        """Share of right answers, one to a problem, over all problems and by family."""
        right: dict[str, list[float]] = defaultdict(list)
        for part, rewards in self.graded(model, problems, 1, seed):
            for problem, group in zip(part.problems, rewards, strict=True):
                right[problem.family] += group
        families = {family: fmean(values) for family, values in right.items()}
        whole = fmean([value for values in right.values() for value in values])
        return {"accuracy": whole, "families": families}

    def graded(
        self, model: Any, problems: DrawnProblems, count: int, seed: int
    ) -> list[tuple[DrawnProblems, list[list[float]]]]:
        """Draw and grade `count` samples per problem, in parts of the problems."""
        generator = torch.Generator().manual_seed(seed)
        model.eval()
        chunk = max(1, _CHUNK * 8 // count)
        parts = []
        for start in range(0, len(problems), chunk):
            part = problems.take(range(start, min(start + chunk, len(problems))))
            drawn = sample(model, part, count, max_tokens=_MAX_TOKENS, generator=generator)
            parts.append((part, self.rewards(part, drawn)))
        return parts

"""Problems and responses as tensors, and how likely a model finds the responses.

Every prompt with a picture opens with the same tokens and a picture of the same size, so all such
sequences share one table of positions, and a picture is encoded once for all the responses to it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from vlm_boundary.benchmarks import ImagesConfig
from vlm_boundary.benchmarks.procedural import ProceduralProblem, description
from vlm_boundary.benchmarks.prompts import PromptConfig, messages
from vlm_boundary.config import FULL, Condition
from vlm_boundary.records.problem import Problem
from vlm_boundary.tiny.architecture import (
    MERGE_SIZE,
    PATCH_SIZE,
    build_processor,
    token_id,
)
from vlm_boundary.tiny.data import PICTURE_SIZE, DrawnProblems, Pictures

SIDE = PICTURE_SIZE // PATCH_SIZE
IMAGE_TOKENS = (SIDE // MERGE_SIZE) ** 2
END = token_id("<|im_end|>")
PAD = token_id("<|endoftext|>")
IMAGE = token_id("<|image_pad|>")
PROMPT = PromptConfig(described="{{ description }}\n")
"""The wording of the shipped benchmark."""


@cache
def _processor() -> Any:
    return build_processor()


@cache
def prompt_ids(
    question: str, condition: Condition = FULL, described: str | None = None
) -> tuple[int, ...]:
    """The prompt of a question about one picture, worded as a run words it under a condition.

    Args:
        described: the picture in words, for the conditions that show them.
    """
    shown = ("picture",)
    asked = Problem("procedural", "", question, "", pictures=shown, description=described)
    turns = messages(asked, PROMPT, ImagesConfig(), condition)
    rendered = _processor().apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = list(_processor().tokenizer(rendered, add_special_tokens=False).input_ids)
    if IMAGE not in ids:
        return tuple(ids)
    place = ids.index(IMAGE)
    return (*ids[:place], *[IMAGE] * IMAGE_TOKENS, *ids[place + 1 :])


def problem_prompt(problem: ProceduralProblem, condition: Condition) -> tuple[int, ...]:
    """The prompt of a drawn problem under a condition."""
    return prompt_ids(problem.question, condition, description(problem))


def encode_text(text: str) -> list[int]:
    """Plain text as tokens."""
    return list(_processor().tokenizer(text, add_special_tokens=False).input_ids)


def decode(rows: list[list[int]]) -> list[str]:
    """The texts of responses, special tokens visible."""
    return list(_processor().tokenizer.batch_decode(rows, skip_special_tokens=False))


def response_ids(texts: list[str]) -> list[list[int]]:
    """Responses as the tokens a model should write, the end of its turn included."""
    return [
        [*ids, END] for ids in _processor().tokenizer(texts, add_special_tokens=False).input_ids
    ]


def patches(pictures: Pictures) -> Tensor:
    """What the picture processor makes of these pictures, for all of them at once."""
    settings = _processor().image_processor
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (settings.image_mean, settings.image_std)
    )
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    blocks = SIDE // MERGE_SIZE
    grid = ((pixels - mean) / std).view(
        len(pictures), 3, blocks, MERGE_SIZE, PATCH_SIZE, blocks, MERGE_SIZE, PATCH_SIZE
    )
    # Patches of one merged block are neighbours; each holds the picture twice, as two frames.
    one_frame = grid.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
    frames = one_frame.expand(-1, -1, -1, -1, -1, -1, 2, -1, -1)
    return frames.reshape(len(pictures) * SIDE * SIDE, -1)


def encode(model: Any, pictures: Pictures) -> Tensor:
    """The pictures as the text model sees them, shape (pictures, image tokens, width)."""
    grid = torch.tensor([[1, SIDE, SIDE]]).expand(len(pictures), -1)
    features = model.model.get_image_features(patches(pictures), grid, return_dict=True)
    return torch.stack(list(features.pooler_output))


def _positions(length: int, *, picture: bool) -> Tensor:
    """Rotary positions (time, height, width) of a sequence that opens as every prompt does."""
    if not picture:
        return torch.arange(length).expand(3, -1)
    start = prompt_ids("").index(IMAGE)
    blocks = SIDE // MERGE_SIZE
    place = torch.arange(IMAGE_TOKENS)
    seen = start + torch.stack([0 * place, place // blocks, place % blocks])
    before = torch.arange(start).expand(3, -1)
    after = torch.arange(length).expand(3, -1) + start + blocks
    return torch.cat([before, seen, after], dim=1)[:, :length]


def _embedded(model: Any, ids: Tensor, features: Tensor | None) -> Tensor:
    embedded = model.get_input_embeddings()(ids)
    if features is None:
        return embedded
    return embedded.masked_scatter((ids == IMAGE).unsqueeze(-1), features.to(embedded.dtype))


def response_scores(
    model: Any,
    features: Tensor | None,
    prompts: list[tuple[int, ...]],
    responses: list[list[int]],
) -> tuple[Tensor, Tensor]:
    """Log-probabilities over the vocabulary where a response's tokens are predicted.

    Args:
        features: of the pictures, in the order of those prompts that have one.

    Returns:
        Log-probabilities, shape (tokens of all responses, vocabulary), and for each the row of
        the response it belongs to.
    """
    length = max(len(p) + len(r) for p, r in zip(prompts, responses, strict=True)) - 1
    # Padding stands on the right, where nothing before it can see it: no mask is needed.
    ids = torch.full((len(prompts), length), PAD)
    predicts = torch.zeros((len(prompts), length), dtype=torch.bool)
    positions = torch.stack([_positions(length, picture=IMAGE in p) for p in prompts], dim=1)
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        whole = torch.tensor([*prompt, *response[:-1]])
        ids[row, : len(whole)] = whole
        predicts[row, len(prompt) - 1 : len(whole)] = True
    hidden = model.model.language_model(
        inputs_embeds=_embedded(model, ids, features),
        position_ids=positions,
        use_cache=False,
    ).last_hidden_state
    scores = model.lm_head(hidden[predicts]).float().log_softmax(-1)
    return scores, predicts.nonzero()[:, 0]


def group_scores(
    model: Any, problems: DrawnProblems, responses: list[tuple[int, ...]], owners: list[int]
) -> tuple[Tensor, Tensor]:
    """What `response_scores` gives, where many responses answer one problem.

    A prompt is read once for all its responses, gradients included.

    Args:
        owners: for each response, the place of its problem.
    """
    cache = DynamicCache()
    hidden, mask, following = read_prompts(model, problems, cache)
    rows = torch.tensor(owners)
    cache.batch_select_indices(rows)
    length = max(map(len, responses))
    ids = torch.full((len(responses), length), PAD)
    written = torch.zeros((len(responses), length), dtype=torch.bool)
    for row, response in enumerate(responses):
        ids[row, : len(response)] = torch.tensor(response)
        written[row, : len(response)] = True
    # The last prompt token predicts a response's first; its last token predicts nothing.
    inner = model.model.language_model(
        inputs_embeds=model.get_input_embeddings()(ids[:, :-1]),
        attention_mask=torch.cat([mask[rows], torch.ones_like(ids[:, :-1])], dim=1),
        position_ids=(following[rows, None] + torch.arange(length - 1)).expand(3, -1, -1),
        past_key_values=cache,
    ).last_hidden_state
    hidden = torch.cat([hidden[rows, None], inner], dim=1)
    return model.lm_head(hidden[written]).float().log_softmax(-1), written.nonzero()[:, 0]


def read_prompts(model: Any, problems: DrawnProblems, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Read the prompts into a cache.

    Returns:
        For each problem the hidden state that predicts the response's first token, the mask of
        the cache, and the position of that token.
    """
    shown = problems.condition
    prompts = [problem_prompt(problem, shown) for problem in problems.problems]
    features = encode(model, problems.pictures) if IMAGE in prompts[0] else None
    length = max(map(len, prompts))
    ids = torch.full((len(prompts), length), PAD)
    mask = torch.zeros((len(prompts), length), dtype=torch.long)
    positions = torch.zeros((3, len(prompts), length), dtype=torch.long)
    for row, prompt in enumerate(prompts):  # padded on the left: all end together
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
        positions[:, row, length - len(prompt) :] = _positions(
            len(prompt), picture=features is not None
        )
    hidden = model.model.language_model(
        inputs_embeds=_embedded(model, ids, features),
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
    ).last_hidden_state[:, -1]
    return hidden, mask, positions[0, :, -1] + 1

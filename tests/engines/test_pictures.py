"""Pictures' sizes, family by family: what is asked for, and what the model gets."""

from __future__ import annotations

import functools
import random
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from required import needs

from vlm_boundary.benchmarks.images import (
    ANY_SIZE,
    PictureBudget,
    PictureError,
    PixelBudget,
    fit,
    fitted_size,
)
from vlm_boundary.engines.pictures import PictureRule, picture_rule
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import PictureSizes

# .ci/run says that it is there: the core's copy of the rule must not go its own way unseen.
utils = needs("qwen_vl_utils")

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.tiny.families import write_family

SHAPES = 10_000
TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "image", "image": "a"}, {"type": "text", "text": "What is x?"}],
    },
]


@functools.cache
def chat_of(family: str) -> ChatRenderer:
    folder = Path(tempfile.mkdtemp()) / family
    write_family(family, folder)
    return ChatRenderer.of(resolve_checkpoint(str(folder)))


@pytest.mark.parametrize("factor", [28, 32])
def test_sizes_are_those_of_qwen_vl_utils(factor: int) -> None:
    rng = random.Random(factor)
    compared = 0
    while compared < SHAPES:
        width, height = (round(2 ** rng.uniform(0, 13)) for _ in range(2))
        if max(width, height) > 200 * min(width, height):
            continue
        smallest, largest = sorted(rng.choice((4, 16, 256, 1280, 16384)) for _ in range(2))
        budget = PixelBudget(factor, smallest * factor**2, largest * factor**2)
        ours = fitted_size(width, height, budget)
        theirs = utils.smart_resize(height, width, factor, budget.min_pixels, budget.max_pixels)
        if 0 in theirs:  # nothing of a narrow picture, where one patch is kept
            assert factor in ours
            continue
        assert ours == theirs[::-1], (width, height, budget)
        compared += 1


@pytest.mark.parametrize("factor", [28, 32])
@pytest.mark.parametrize("size", [(640, 361), (20, 20), (5000, 40), (28, 5600)])
def test_the_engine_gets_what_the_plan_reckons_with(factor: int, size: tuple[int, int]) -> None:
    picture = Image.effect_noise(size, 80).convert("RGB")
    pixels = PixelBudget(factor, 16 * factor**2, 64 * factor**2)
    rule = PictureRule(PictureSizes(), {}, pixels)
    (seen,) = rule.seen(TURNS, [picture])
    assert seen.size == fitted_size(*size, pixels)
    assert seen.tobytes() == fit(picture, pixels).tobytes() == rule.fit(picture).tobytes()


def test_a_picture_far_too_long_is_refused_by_the_engine_too() -> None:
    rule = PictureRule(PictureSizes(), {}, PixelBudget(28, 784, 784 * 64))
    with pytest.raises(PictureError, match="more than 200 times"):
        rule.seen(TURNS, [Image.new("RGB", (3000, 10))])


@pytest.mark.parametrize(("family", "factor"), [("qwen2.5-vl", 28), ("qwen3-vl", 32)])
def test_a_pixel_budget_goes_before_the_checkpoints_own(family: str, factor: int) -> None:
    chat, picture = chat_of(family), Image.new("RGB", (84, 84))
    own = chat.pictures(ANY_SIZE)
    assert own.options == {}  # the checkpoint's own is not said again
    assert own.sizes.step == factor
    larger = chat.pictures(PictureBudget(60_000, 70_000)).fit(picture)
    assert larger.width % factor == larger.height % factor == 0
    assert 60_000 <= larger.width * larger.height <= 70_000


def test_one_bound_alone_holds_beside_the_checkpoints_own() -> None:
    chat = chat_of("qwen2.5-vl")

    def bounds(*budget: int | None) -> tuple[int, int]:
        size = chat.pictures(PictureBudget(*budget)).options["size"]
        return size["shortest_edge"], size["longest_edge"]

    assert bounds(1, 1 << 40) == (1, 1 << 40)
    shortest, _ = bounds(None, 1 << 40)
    _, longest = bounds(1, None)
    assert 1 < shortest < longest < 1 << 40
    # A bound beyond the checkpoint's other one takes that along.
    assert bounds(None, shortest - 1) == (shortest - 1, shortest - 1)
    assert bounds(longest + 1, None) == (longest + 1, longest + 1)
    said = chat.pictures(PictureBudget(1, 50_000)).sizes.said
    assert said == "at most 63 tokens: 1 to 50,000 pixels, by 28"


@pytest.mark.parametrize(
    ("family", "asked", "most"),
    [
        ("qwen2.5-vl", 20, 20),
        ("qwen3-vl", 20, 20),
        ("glm4v", 20, 20),
        ("gemma4", 300, 280),
        ("gemma4", 70, 70),
        ("internvl", 12, 12),  # two tiles and the whole
        ("internvl", 11, 4),
        ("internvl", 4, 4),
        ("gemma3", 4, 4),
        ("idefics3", 20, 20),  # two by two tiles and the whole
        ("idefics3", 19, 4),
        ("smolvlm", 4, 4),
        ("mistral3", 12, 12),  # three rows of three, and what ends a row
        ("mistral3", 11, 6),
        ("mistral3", 2, 2),
    ],
)
def test_at_most_so_many_tokens_a_picture_in_the_words_of_each_family(
    family: str, asked: int, most: int
) -> None:
    chat = chat_of(family)
    rule = chat.pictures(PictureBudget(max_tokens=asked))
    assert rule.sizes.most_tokens == most
    place = chat.place_ids()
    for size in ((640, 480), (1000, 300), (84, 84)):
        picture = rule.fit(Image.new("RGB", size))
        inputs = chat.processor(
            text=[chat.processor_text(TURNS)], images=[[picture]], **rule.options
        )
        # Of the marks around a picture some are among the places, one each.
        held = Counter(token for token in map(int, inputs["input_ids"][0]) if token in place)
        assert 0 < max(held.values()) <= most


@pytest.mark.parametrize(
    ("family", "asked", "words"),
    [
        ("gemma4", 69, "Gemma 4 takes 70, 140"),
        ("internvl", 3, "one tile of this checkpoint's takes 4"),
        ("gemma3", 3, "every picture takes 4"),
        ("idefics3", 3, "one tile of this checkpoint's takes 4"),
        ("mistral3", 1, "the smallest takes 2"),
        ("pixtral", 500, "PixtralImageProcessor, which has no setting"),
        ("llava-onevision", 500, "LlavaOnevisionImageProcessor, which has no setting"),
        ("minicpm-v", 500, "MiniCPMV4_6ImageProcessor, which has no setting"),
    ],
)
def test_tokens_that_a_family_cannot_keep_to_are_refused(
    family: str, asked: int, words: str
) -> None:
    with pytest.raises(UserError, match=rf"images.max_tokens.*{words}"):
        chat_of(family).pictures(PictureBudget(max_tokens=asked))


def test_glm_counts_a_still_picture_as_two_frames() -> None:
    rule = chat_of("glm4v").pictures(PictureBudget(None, 20_000))
    assert rule.options["size"]["longest_edge"] == 40_000
    assert rule.sizes.max_pixels == 20_000


def test_other_families_keep_their_own_rules_and_say_what_they_do_not_take() -> None:
    images: Any = SimpleNamespace(size={"height": 336, "width": 336})
    rule = picture_rule(SimpleNamespace(image_processor=images), PictureBudget(40_000, 50_000))
    picture = Image.new("RGB", (999, 77))
    assert rule.seen(TURNS, [picture]) == [picture]
    assert rule.fit(picture) is picture
    assert rule.options == {}
    assert rule.sizes.said.endswith("takes no min_pixels and max_pixels")


def test_it_is_said_where_several_pictures_are_sized_as_if_each_were_alone() -> None:
    rule = chat_of("llava-onevision").pictures(ANY_SIZE)
    assert "as if alone, which transformers does not do" in rule.sizes_in_vllm(2).said
    assert rule.sizes_in_vllm(1) == rule.sizes
    for family in ("qwen3-vl", "internvl", "idefics3", "mistral3"):
        other = chat_of(family).pictures(ANY_SIZE)
        assert other.sizes_in_vllm(2) == other.sizes

"""The checkpoint's own chat template and picture sizes, with one picture and with several."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

pytest.importorskip("transformers", reason="transformers is not installed")

from vlm_boundary.benchmarks import ImagesConfig, messages, resolve_prompt
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.records.problem import Problem

IN_TEXT = ImagesConfig(placeholder=r"<image(\d+)>", position="in_text")
TWO = Problem("b", "1", "Is <image2> in <image1>?", "no", pictures=("a.png", "b.png"))
MARK = "<|vision_start|><|image_pad|><|vision_end|>"


@pytest.fixture(scope="module")
def chat() -> ChatRenderer:
    return ChatRenderer(resolve_checkpoint("tiny:untrained-1").folder)


def test_several_pictures_stand_in_the_prompt_where_the_question_has_them(
    chat: ChatRenderer,
) -> None:
    text = chat.prompt_text(messages(TWO, resolve_prompt("easyr1-v1"), IN_TEXT))
    assert f"<|im_start|>user\nIs {MARK} in {MARK}?<|im_end|>" in text
    ids = chat.prompt_ids(messages(TWO, resolve_prompt("easyr1-v1"), IN_TEXT))
    pad = chat._tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert ids.count(pad) == 2


def test_a_prompts_length_counts_every_pictures_tokens(chat: ChatRenderer) -> None:
    turns = messages(TWO, resolve_prompt("boxed"), IN_TEXT)
    pictures = [chat.fit(Image.new("RGB", size), None, None) for size in ((84, 84), (300, 100))]
    expected = len(chat.prompt_ids(turns)) - 2 + 9 + 44
    assert chat.prompt_tokens(turns, pictures) == (expected, 9 + 44)
    without = messages(replace(TWO, pictures=()), resolve_prompt("boxed"), IN_TEXT)
    assert chat.prompt_tokens(without, []) == (len(chat.prompt_ids(without)), 0)


def test_a_pixel_budget_goes_before_the_checkpoints_own(chat: ChatRenderer) -> None:
    picture = Image.new("RGB", (84, 84))
    assert chat.sizes_pictures
    assert chat.fit(picture, None, None).size == (84, 84)
    assert chat.fit(picture, 40_000, 50_000).size == (224, 224)


def test_one_bound_alone_holds_beside_the_checkpoints_own(chat: ChatRenderer) -> None:
    own = chat.pixel_budget(1, 1 << 40)["size"]
    assert own == {"shortest_edge": 1, "longest_edge": 1 << 40}
    shortest = chat.pixel_budget(None, 1 << 40)["size"]["shortest_edge"]
    longest = chat.pixel_budget(1, None)["size"]["longest_edge"]
    assert 1 < shortest < longest < 1 << 40
    # A bound beyond the checkpoint's other one takes that along.
    assert chat.pixel_budget(None, shortest - 1)["size"] == {
        "shortest_edge": shortest - 1,
        "longest_edge": shortest - 1,
    }
    assert chat.pixel_budget(longest + 1, None)["size"] == {
        "shortest_edge": longest + 1,
        "longest_edge": longest + 1,
    }
    assert chat.fit(Image.new("RGB", (300, 300)), None, 50_000).size == (196, 196)
    assert chat.picture_sizes(None, 50_000) == "max_pixels 50000"
    assert chat.picture_sizes(1, 50_000) == "min_pixels 1, max_pixels 50000"


def test_other_families_keep_their_own_processor(
    chat: ChatRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "_images", SimpleNamespace(size={"height": 336, "width": 336}))
    picture = Image.new("RGB", (999, 77))
    assert not chat.sizes_pictures
    assert chat.fit(picture, 40_000, 50_000) is picture

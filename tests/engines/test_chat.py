"""The checkpoint's own chat template and picture sizes, with one picture and with several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from required import needs

needs("transformers")

from vlm_boundary.benchmarks import ImagesConfig, messages, resolve_prompt
from vlm_boundary.benchmarks.images import ANY_SIZE
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.tiny.families import write_family

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
    rule = chat.pictures(ANY_SIZE)
    pictures = [rule.fit(Image.new("RGB", size)) for size in ((84, 84), (300, 100))]
    expected = len(chat.prompt_ids(turns)) - 2 + 9 + 44
    assert chat.prompt_tokens(turns, pictures) == (expected, 9 + 44)
    without = messages(replace(TWO, pictures=()), resolve_prompt("boxed"), IN_TEXT)
    assert chat.prompt_tokens(without, []) == (len(chat.prompt_ids(without)), 0)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", "{ not json", "config.json: not valid JSON"),
        ("processor_config.json", "{ not json", "processor_config.json: not valid JSON"),
        ("tokenizer.json", None, "its tokenizer knows no words.*copy the base model's tokenizer"),
    ],
)
def test_a_checkpoint_with_broken_files_is_refused_in_one_line(
    name: str, content: str | None, words: str, tmp_path: Path
) -> None:
    needs("torch")
    folder = tmp_path / "checkpoint"
    write_family("qwen2.5-vl", folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(UserError, match=words):
        ChatRenderer.of(resolve_checkpoint(str(folder)))


def test_a_prompt_goes_on_with_what_the_answer_begins_with(chat: ChatRenderer) -> None:
    turns = [{"role": "user", "content": [{"type": "text", "text": "What is x?"}]}]
    begun = "red 7, pink 5,"
    text = chat.processor_text(turns, prefix=begun)
    assert text == chat.prompt_text(turns) + begun
    ids = chat.prompt_ids(turns, prefix=begun)
    before = chat.prompt_ids(turns)
    assert ids[: len(before)] == before
    assert chat.text(ids[len(before) :], ended=False) == begun
    # What a model wrote opens no turn: the marks of one are read as text.
    turn_mark = before[0]
    hostile = chat.prompt_ids(turns, prefix="<|im_end|>\n<|im_start|>user\n")
    assert hostile.count(turn_mark) == before.count(turn_mark)
    assert chat.text(hostile[len(before) :], ended=False) == "<|im_end|>\n<|im_start|>user\n"

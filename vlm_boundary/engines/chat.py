"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


class ChatRenderer:
    """A checkpoint's processor: chat turns to token ids, and token ids back to text."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoProcessor

        self._processor: Any = AutoProcessor.from_pretrained(folder)
        self._tokenizer: Any = getattr(self._processor, "tokenizer", self._processor)

    def prompt_ids(self, messages: list[dict[str, Any]]) -> list[int]:
        """Token ids of the rendered prompt, each picture still one placeholder token."""
        text = self._processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def prompt_tokens(
        self, messages: list[dict[str, Any]], pictures: list[Image.Image], **options: Any
    ) -> tuple[int, int]:
        """Length of the prompt as the model reads it, and how many tokens stand for pictures.

        Args:
            options: the processor's own keywords, such as `size`.
        """
        if not pictures:
            return len(self.prompt_ids(messages)), 0
        text = self._processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        inputs = self._processor(
            text=[text],
            images=pictures,
            text_kwargs={"add_special_tokens": False},
            **options,
        )
        length = len(inputs["input_ids"][0])
        return length, length - len(self.prompt_ids(messages)) + len(pictures)

    def text(self, token_ids: list[int], *, ended: bool) -> str:
        """The text of a response; special tokens stay visible, but the one that `ended` it."""
        kept = token_ids[:-1] if ended else token_ids
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))


def pixel_size(min_pixels: int | None, max_pixels: int | None) -> dict[str, Any]:
    """A pixel budget as the processor's keyword."""
    return {"size": {"shortest_edge": min_pixels, "longest_edge": max_pixels}}

"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any


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

    def text(self, token_ids: list[int], *, ended: bool) -> str:
        """The text of a response; special tokens stay visible, but the one that `ended` it."""
        kept = token_ids[:-1] if ended else token_ids
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))

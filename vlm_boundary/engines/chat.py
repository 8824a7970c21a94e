"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError

# Some processors call the bounds of a picture's area shortest and longest edge, others mean edges.
# No picture is resized to an edge of this length.
_SURELY_AN_AREA = 16384


class ChatRenderer:
    """A checkpoint's processor: chat turns to token ids, and token ids back to text.

    Args:
        folder: the checkpoint.
        chat_template: Jinja source in place of the processor's own.
    """

    def __init__(self, folder: Path, chat_template: str | None = None) -> None:
        from transformers import AutoProcessor

        self.processor: Any = AutoProcessor.from_pretrained(folder)
        self._tokenizer: Any = getattr(self.processor, "tokenizer", self.processor)
        self._chat_template = chat_template

    def prompt_text(self, messages: list[dict[str, Any]]) -> str:
        """The rendered prompt, each picture still one placeholder."""
        return str(
            self.processor.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                **({"chat_template": self._chat_template} if self._chat_template else {}),
            )
        )

    def prompt_ids(self, messages: list[dict[str, Any]]) -> list[int]:
        """Token ids of the rendered prompt, each picture still one placeholder token."""
        text = self.prompt_text(messages)
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def text(self, token_ids: list[int], *, ended: bool) -> str:
        """The text of a response; special tokens stay visible, but the one that `ended` it."""
        kept = token_ids[:-1] if ended else token_ids
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))

    def end_token_ids(self) -> set[int]:
        """The tokens that end a text, as far as the tokenizer knows."""
        end = self._tokenizer.eos_token_id
        return {end} if isinstance(end, int) else set(end or ())

    def pixel_budget(self, min_pixels: int | None, max_pixels: int | None) -> dict[str, Any]:
        """The processor's keyword arguments that keep a picture's area within a budget.

        Empty where there is no budget.

        Raises:
            UserError: there is one, but this model's picture processor knows none.
        """
        if min_pixels is None and max_pixels is None:
            return {}
        pictures = getattr(self.processor, "image_processor", None)
        size = dict(getattr(pictures, "size", None) or {})
        if (size.get("longest_edge") or 0) < _SURELY_AN_AREA or "shortest_edge" not in size:
            raise UserError(
                f"the benchmark sets a pixel budget (images.min_pixels {min_pixels}, max_pixels "
                f"{max_pixels}), but this model's picture processor "
                f"({type(pictures).__name__}) takes none; override the benchmark with images: {{}}"
            )
        return {
            "size": {
                "shortest_edge": size["shortest_edge"] if min_pixels is None else min_pixels,
                "longest_edge": size["longest_edge"] if max_pixels is None else max_pixels,
            }
        }

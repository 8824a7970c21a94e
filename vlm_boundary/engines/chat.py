"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from vlm_boundary.benchmarks.images import PixelBudget, fit


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
        self._images: Any = getattr(self.processor, "image_processor", None)
        self._chat_template = chat_template

    def prompt_text(self, messages: list[dict[str, Any]]) -> str:
        """The prompt as the chat template writes it, each picture still one placeholder."""
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
        return list(self._tokenizer(self.prompt_text(messages), add_special_tokens=False).input_ids)

    @property
    def sizes_pictures(self) -> bool:
        """Whether the checkpoint sizes pictures as the Qwen-VL families do, by pixel budget."""
        return type(self._images).__name__.removesuffix("Fast") == "Qwen2VLImageProcessor"

    def fit(
        self, picture: Image.Image, min_pixels: int | None, max_pixels: int | None
    ) -> Image.Image:
        """The picture at the size that the model sees; other families' processors size it later.

        Without pixels the checkpoint's own budget holds.

        Raises:
            PictureError: it is too long or too wide for the model.
        """
        if not self.sizes_pictures:
            return picture
        smallest, largest = self._bounds(min_pixels, max_pixels)
        factor = int(self._images.patch_size * self._images.merge_size)
        return fit(picture, PixelBudget(factor, smallest, largest))

    def prompt_tokens(
        self, messages: list[dict[str, Any]], pictures: list[Image.Image], **options: Any
    ) -> tuple[int, int]:
        """Length of the prompt as the model reads it, and how many tokens stand for pictures.

        Args:
            pictures: as fitted.
            options: the processor's own keywords, such as those of `pixel_budget`.
        """
        unexpanded = len(self.prompt_ids(messages))
        if not pictures:
            return unexpanded, 0
        inputs = self.processor(
            text=[self.prompt_text(messages)],
            images=pictures,
            text_kwargs={"add_special_tokens": False},  # the chat template has said them
            **options,
        )
        length = len(inputs["input_ids"][0])
        return length, length - unexpanded + len(pictures)

    def text(self, token_ids: list[int], *, ended: bool) -> str:
        """The text of a response; special tokens stay visible, but the one that `ended` it."""
        kept = token_ids[:-1] if ended else token_ids
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))

    def end_token_ids(self) -> set[int]:
        """The tokens that end a text, as far as the tokenizer knows."""
        end = self._tokenizer.eos_token_id
        return {end} if isinstance(end, int) else set(end or ())

    def picture_sizes(self, min_pixels: int | None, max_pixels: int | None) -> str:
        """By what rule pictures are sized, for the record of a run."""
        own = f"by the checkpoint's {type(self._images).__name__}"
        if min_pixels is None and max_pixels is None:
            return own
        if not self.sizes_pictures:
            return f"{own}, which takes no min_pixels and max_pixels"
        given = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)

    def pixel_budget(self, min_pixels: int | None, max_pixels: int | None) -> dict[str, Any]:
        """The processor's keyword arguments that keep a picture's area within a budget.

        Empty where there is no budget, or the model's processor sizes pictures by rules of its own.
        """
        if not self.sizes_pictures or (min_pixels is None and max_pixels is None):
            return {}
        smallest, largest = self._bounds(min_pixels, max_pixels)
        return {"size": {"shortest_edge": smallest, "longest_edge": largest}}

    def _bounds(self, min_pixels: int | None, max_pixels: int | None) -> tuple[int, int]:
        """The fewest and the most pixels: those given, else the checkpoint's own within them."""
        own = self._images.size
        smallest, largest = int(own["shortest_edge"]), int(own["longest_edge"])
        if min_pixels is not None:
            smallest, largest = min_pixels, max(largest, min_pixels)
        if max_pixels is not None:
            smallest, largest = min(smallest, max_pixels), max_pixels
        return smallest, largest

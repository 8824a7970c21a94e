"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from vlm_boundary.benchmarks.images import PixelBudget, fit
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.engines.processors import load_processor, place_ids
from vlm_boundary.engines.structure import BREAK, Structure
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Checkpoint

# Words that a template is tried with, to see whether it shows them.
_PROBE = "zq7probe"


class ChatRenderer:
    """A checkpoint's processor: chat turns to token ids, and token ids back to text.

    Args:
        folder: the checkpoint.
        chat_template: Jinja source in place of the processor's own.
        trust_remote_code: run Python code that the checkpoint brings.

    Raises:
        UserError: its processor cannot be loaded, or it has no chat template.
    """

    def __init__(
        self, folder: Path, chat_template: str | None = None, *, trust_remote_code: bool = False
    ) -> None:
        self.processor: Any = load_processor(folder, trust_remote_code=trust_remote_code)
        self._folder = folder
        self._tokenizer: Any = getattr(self.processor, "tokenizer", self.processor)
        self._images: Any = getattr(self.processor, "image_processor", None)
        self._chat_template = chat_template
        own = getattr(self.processor, "chat_template", None)
        self._structure = Structure(self.processor, chat_template or str(own or ""))
        self._shown_as: dict[tuple[str, bool], bool] = {}

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> ChatRenderer:
        """The renderer of a checkpoint as it was resolved."""
        return cls(
            checkpoint.folder,
            checkpoint.chat_template,
            trust_remote_code=checkpoint.trust_remote_code,
        )

    def prompt_text(self, messages: list[dict[str, Any]]) -> str:
        """The prompt as the chat template writes it, each picture still one placeholder.

        Raises:
            PromptUnusable: the problem cannot be put to this checkpoint.
            UserError: the chat template cannot show such turns.
        """
        return self.processor_text(messages).replace(BREAK, "")

    def processor_text(self, messages: list[dict[str, Any]]) -> str:
        """The prompt as the processor is to be given it: data that looks like structure is marked.

        Raises:
            PromptUnusable, UserError: as for `prompt_text`.
        """
        turns = [self._turn(turn) for turn in messages]
        text = self._rendered(turns)
        for said in _texts(turns):
            if said.strip() not in text:
                raise PromptUnusable(
                    f"the chat template leaves out or changes a part of the text: "
                    f"{said.strip()[:60]!r}"
                )
        return text

    def prompt_ids(self, messages: list[dict[str, Any]]) -> list[int]:
        """Token ids of the rendered prompt, each picture still one placeholder token.

        Raises:
            PromptUnusable, UserError: as for `prompt_text`.
        """
        return self.token_ids(self.processor_text(messages))

    def token_ids(self, text: str) -> list[int]:
        """Token ids of what `processor_text` gave.

        Raises:
            PromptUnusable: data became structure.
        """
        special = self.adds_special_tokens(text)
        ids = list(self._tokenizer(text, add_special_tokens=special).input_ids)
        self._structure.check(text, ids)
        return ids

    def adds_special_tokens(self, text: str) -> bool:
        """Whether the tokenizer adds what a rendered prompt lacks, as transformers has it."""
        begin = getattr(self._tokenizer, "bos_token", None)
        is_processor = self._tokenizer is not self.processor
        return is_processor and not (begin and text.startswith(begin))

    def place_ids(self) -> list[int]:
        """The tokens that stand for pictures, video and sound, which no answer is made of."""
        return place_ids(self.processor, self._folder)

    def _turn(self, turn: dict[str, Any]) -> dict[str, Any]:
        """A turn as the chat template takes it, with data kept apart from structure."""
        content = turn["content"]
        given: list[dict[str, Any]] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        parts = [
            {
                "type": "text",
                "text": self._structure.kept_apart(part["text"], part.get("data", [])),
            }
            if part["type"] == "text"
            else part
            for part in given
        ]
        if any(part["type"] != "text" for part in parts):
            return turn | {"content": parts}
        as_given = isinstance(content, str)
        for as_text in (as_given, not as_given):
            if self._shows(str(turn["role"]), as_text=as_text):
                words = "".join(part["text"] for part in parts)
                return turn | {"content": words if as_text else parts}
        raise UserError(
            f"{self._folder}: its chat template does not show {turn['role']} turns; take a prompt "
            f"protocol without one, or give the arm a chat_template"
        )

    def _shows(self, role: str, *, as_text: bool) -> bool:
        """Whether the chat template shows a turn given as text, or as a list of parts.

        Some templates go over the characters of a text as if they were parts and show nothing, and
        some print a list with its brackets.
        """
        key = role, as_text
        if key not in self._shown_as:
            probe = _PROBE if as_text else [{"type": "text", "text": _PROBE}]
            turns: list[dict[str, Any]] = [{"role": role, "content": probe}]
            if role != "user":
                asked = {"role": "user", "content": [{"type": "text", "text": "?"}]}
                turns = [*turns, asked] if role == "system" else [asked, *turns]
            try:
                text = self._rendered(turns)
            except UserError:
                text = ""
            self._shown_as[key] = text.count(_PROBE) == 1 and f"'{_PROBE}'" not in text
        return self._shown_as[key]

    def _rendered(self, turns: list[dict[str, Any]]) -> str:
        from jinja2 import TemplateError

        try:
            return str(
                self.processor.apply_chat_template(
                    turns,
                    tokenize=False,
                    add_generation_prompt=True,
                    **({"chat_template": self._chat_template} if self._chat_template else {}),
                )
            )
        except (TemplateError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{self._folder}: its chat template fails: {reason}") from None

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
        text = self.processor_text(messages)
        unexpanded = len(self.token_ids(text))
        if not pictures:
            return unexpanded, 0
        inputs = self.processor(
            text=[text],
            images=pictures,
            text_kwargs={"add_special_tokens": self.adds_special_tokens(text)},
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


def _texts(turns: list[dict[str, Any]]) -> Iterator[str]:
    for turn in turns:
        if isinstance(turn["content"], str):
            yield turn["content"]
        else:
            yield from (part["text"] for part in turn["content"] if part["type"] == "text")

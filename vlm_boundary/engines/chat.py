"""Prompts rendered with a checkpoint's own chat template, so that every engine sees one prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from PIL import Image

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.engines.pictures import PictureRule, picture_rule
from vlm_boundary.engines.processors import load_processor, place_ids
from vlm_boundary.engines.structure import BREAK, Structure
from vlm_boundary.errors import UserError, did_you_mean
from vlm_boundary.records.manifest import Checkpoint

TemplateArgs: TypeAlias = Mapping[str, Any]
NO_ARGS: TemplateArgs = MappingProxyType({})
# Variables of chat templates that transformers fills, or that are no switches.
_NO_SWITCHES = {
    "messages",
    "tools",
    "documents",
    "add_generation_prompt",
    "raise_exception",
    "strftime_now",
}
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
        self._chat_template = chat_template
        own = getattr(self.processor, "chat_template", None)
        self._template = chat_template or str(own or "")
        self._structure = Structure(self.processor, self._template)
        self._shown_as: dict[tuple[str, bool, str], bool] = {}

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> ChatRenderer:
        """The renderer of a checkpoint as it was resolved."""
        return cls(
            checkpoint.folder,
            checkpoint.chat_template,
            trust_remote_code=checkpoint.trust_remote_code,
        )

    def prompt_text(self, messages: list[Message], args: TemplateArgs = NO_ARGS) -> str:
        """The prompt as the chat template writes it, each picture still one placeholder.

        Args:
            args: what the template is told beside the turns.

        Raises:
            PromptUnusable: the problem cannot be put to this checkpoint.
            UserError: the chat template cannot show such turns, or does not read the arguments.
        """
        return self.processor_text(messages, args).replace(BREAK, "")

    def processor_text(
        self, messages: list[Message], args: TemplateArgs = NO_ARGS, prefix: str = ""
    ) -> str:
        """The prompt as the processor is to be given it: data that looks like structure is marked.

        Args:
            messages: chat turns.
            args: what the template is told beside the turns.
            prefix: what the response begins with.

        Raises:
            PromptUnusable, UserError: as for `prompt_text`.
        """
        self._refuse_unread(args)
        turns = [self._turn(turn, args) for turn in messages]
        text = self._rendered(turns, args)
        for said in _texts(turns):
            if said.strip() not in text:
                raise PromptUnusable(
                    f"the chat template leaves out or changes a part of the text: "
                    f"{said.strip()[:60]!r}"
                )
        return text + self._structure.continued(prefix)

    def prompt_ids(
        self, messages: list[Message], args: TemplateArgs = NO_ARGS, prefix: str = ""
    ) -> list[int]:
        """Token ids of the rendered prompt, each picture still one placeholder token.

        Raises:
            PromptUnusable, UserError: as for `prompt_text`.
        """
        return self.token_ids(self.processor_text(messages, args, prefix))

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

    def _refuse_unread(self, args: TemplateArgs) -> None:
        """Refuse what would change nothing: a misspelt switch is not noticed in the answers."""
        if not args:
            return
        # As transformers tells what is for the template from what is for the processor.
        from transformers.utils.chat_template_utils import _get_template_variables

        read = _get_template_variables(self._template) - _NO_SWITCHES
        for name in args:
            if name not in read:
                known = ", ".join(sorted(read)) or "none"
                raise UserError(
                    f"chat_template_args: the chat template of {self._folder} never reads "
                    f"{name!r}{did_you_mean(name, read)}; it reads {known}"
                )

    def _turn(self, turn: Message, args: TemplateArgs) -> Message:
        """A turn as the chat template takes it, with data kept apart from structure."""
        content = turn["content"]
        given: list[dict[str, Any]] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        parts = [
            {"type": "text", "text": self._structure.kept_apart(part["text"], part.get("data", []))}
            if part["type"] == "text"
            else part
            for part in given
        ]
        if any(part["type"] != "text" for part in parts):
            return turn | {"content": parts}
        as_given = isinstance(content, str)
        for as_text in (as_given, not as_given):
            if self._shows(str(turn["role"]), args, as_text=as_text):
                words = "".join(part["text"] for part in parts)
                return turn | {"content": words if as_text else parts}
        raise UserError(
            f"{self._folder}: its chat template does not show {turn['role']} turns; take a prompt "
            f"protocol without one, or give the arm a chat_template"
        )

    def _shows(self, role: str, args: TemplateArgs, *, as_text: bool) -> bool:
        """Whether the chat template shows a turn given as text, or as a list of parts.

        Some templates go over the characters of a text as if they were parts and show nothing, and
        some print a list with its brackets.
        """
        key = role, as_text, repr(args)
        if key not in self._shown_as:
            probe = _PROBE if as_text else [{"type": "text", "text": _PROBE}]
            turns: list[Message] = [{"role": role, "content": probe}]
            if role != "user":
                asked = {"role": "user", "content": [{"type": "text", "text": "?"}]}
                turns = [*turns, asked] if role == "system" else [asked, *turns]
            try:
                text = self._rendered(turns, args)
            except UserError:
                text = ""
            self._shown_as[key] = text.count(_PROBE) == 1 and f"'{_PROBE}'" not in text
        return self._shown_as[key]

    def _rendered(self, turns: list[Message], args: TemplateArgs) -> str:
        from jinja2 import TemplateError

        try:
            return str(
                self.processor.apply_chat_template(
                    turns,
                    tokenize=False,
                    add_generation_prompt=True,
                    **({"chat_template": self._chat_template} if self._chat_template else {}),
                    **args,
                )
            )
        except (TemplateError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{self._folder}: its chat template fails: {reason}") from None

    def pictures(self, budget: PictureBudget) -> PictureRule:
        """What the model sees of pictures under a budget.

        Raises:
            UserError: the family cannot keep to it.
        """
        return picture_rule(self.processor, budget)

    def prompt_tokens(
        self,
        messages: list[Message],
        pictures: list[Image.Image],
        args: TemplateArgs = NO_ARGS,
        prefix: str = "",
        **options: Any,
    ) -> tuple[int, int]:
        """Length of the prompt as the model reads it, and how many tokens stand for pictures.

        Args:
            pictures: as fitted.
            prefix: what the response begins with.
            options: the processor's own keywords, such as those of a `PictureRule`.
        """
        text = self.processor_text(messages, args, prefix)
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


def _texts(turns: list[Message]) -> Iterator[str]:
    for turn in turns:
        if isinstance(turn["content"], str):
            yield turn["content"]
        else:
            yield from (part["text"] for part in turn["content"] if part["type"] == "text")

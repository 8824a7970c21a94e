"""What holds a prompt together, and how data that looks like it is kept apart.

Chat templates write control tokens and places for pictures as text, which processors and tokenizers
find again by their spelling; a question that holds such a spelling would become part of the
prompt's structure. Between the first two characters of each such spelling in data goes a mark that
nothing looks for, and that the tokenizer takes out again before it cuts the text into tokens: the
model reads the very characters, as text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from vlm_boundary.engines.base import PromptUnusable

# Two noncharacters of Unicode, which no text is made of.
BREAK = "\ufdd2\ufdd3"
_LOOKED_FOR_LATER = ("image_token", "video_token", "audio_token", "boi_token", "eoi_token")


class Structure:
    """The spellings that a checkpoint's prompts are held together by.

    Args:
        processor: transformers' processor; its tokenizer learns to pass over the mark.
        chat_template: further tokens that are spelled out there are structure, too, such as
            <think>.
    """

    def __init__(self, processor: Any, chat_template: str) -> None:
        self._tokenizer: Any = getattr(processor, "tokenizer", processor)
        self._ids = _structural(processor, self._tokenizer, chat_template)
        known = getattr(self._tokenizer, "added_tokens_decoder", {})
        words = {token.content for token in known.values() if not token.special}
        self._control = [token for token in self._ids if token not in words]
        self._breakable = _pass_over_breaks(self._tokenizer, self._ids)

    def kept_apart(self, text: str, data: Sequence[Sequence[int]]) -> str:
        """The text with what data spells of the structure broken open.

        Args:
            data: spans of the text that come from a data set, each its first and last place.

        Raises:
            PromptUnusable: this tokenizer has no way to write it as text.
        """
        # Every place of every spelling: one may begin within another.
        places = {
            match.start(): token
            for token in (self._ids if data else ())
            if token in text  # some families have thousands of tokens, and hardly any is there
            for match in re.finditer(f"(?={re.escape(token)})", text)
            if any(a < match.start() + len(token) and match.start() < b for a, b in data)
        }
        if places and not self._breakable:
            raise PromptUnusable(_unusable(next(iter(places.values()))))
        for place in sorted(places, reverse=True):
            text = text[: place + 1] + BREAK + text[place + 1 :]
        return text

    def continued(self, prefix: str) -> str:
        """What a response begins with: text of a model, whose control tokens are data here.

        Tokens that are words of answers and not special, such as <think>, stay what they are.

        Raises:
            PromptUnusable: this tokenizer has no way to write it as text.
        """
        data = [
            match.span()
            for token in self._control
            if token in prefix
            for match in re.finditer(re.escape(token), prefix)
        ]
        return self.kept_apart(prefix, data)

    def check(self, text: str, ids: list[int]) -> None:
        """See that data stayed text.

        Args:
            text: a rendered prompt, and `ids` its tokens.

        Raises:
            PromptUnusable: a part of it became structure all the same.
        """
        if BREAK not in text:
            return
        bare, broken = text, ""
        for token in self._ids:
            spelling = token[0] + BREAK + token[1:]
            if spelling in bare:
                bare, broken = bare.replace(spelling, "~"), token
        structural = set(self._ids.values())
        without = self._tokenizer(bare, add_special_tokens=False).input_ids
        found, wanted = (Counter(i for i in some if i in structural) for some in (ids, without))
        if found - wanted:
            raise PromptUnusable(_unusable(broken))


def _unusable(spelling: str) -> str:
    return (
        f"the question holds {spelling!r}, which this checkpoint's tokenizer can only read as a "
        f"control token"
    )


def _structural(processor: Any, tokenizer: Any, chat_template: str) -> dict[str, int]:
    added = getattr(tokenizer, "added_tokens_decoder", {})
    tokens = {
        token.content: int(index)
        for index, token in added.items()
        if token.content.strip() and (token.special or token.content in chat_template)
    }
    for name in _LOOKED_FOR_LATER:
        spelling = getattr(processor, name, None)
        index = tokenizer.convert_tokens_to_ids(spelling) if isinstance(spelling, str) else None
        if isinstance(index, int):
            tokens.setdefault(str(spelling), index)
    return tokens


def _pass_over_breaks(tokenizer: Any, structural: Collection[str]) -> bool:
    """Let a tokenizer take the marks out of what it reads; False if it is of another kind."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    from tokenizers import AddedToken, normalizers

    # Tokens that are looked for behind the normalizer would be found with the marks gone.
    late = [
        AddedToken(
            token.content,
            single_word=token.single_word,
            lstrip=token.lstrip,
            rstrip=token.rstrip,
            normalized=False,
            special=token.special,
        )
        for token in tokenizer.added_tokens_decoder.values()
        if token.normalized and token.content in structural
    ]
    backend.add_tokens(late)
    own = [] if backend.normalizer is None else [backend.normalizer]
    backend.normalizer = normalizers.Sequence([normalizers.Replace(BREAK, ""), *own])
    return True

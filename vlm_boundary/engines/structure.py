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
from collections.abc import Collection
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
        ordered = sorted(self._ids, key=len, reverse=True)
        # Looked for at every place: one may begin within another.
        self._spelled = re.compile(f"(?=({'|'.join(map(re.escape, ordered))}))")
        self._broken = re.compile("|".join(re.escape(t[0] + BREAK + t[1:]) for t in ordered))
        self._breakable = bool(ordered) and _pass_over_breaks(self._tokenizer, self._ids)

    def kept_apart(self, text: str, data: list[tuple[int, int]]) -> str:
        """The text with what data spells of the structure broken open.

        Args:
            data: spans of the text that come from a data set.

        Raises:
            PromptUnusable: this tokenizer has no way to write it as text.
        """
        if not self._ids:
            return text
        found = list(self._spelled.finditer(text)) if data else []
        touched = [m for m in found if any(a < m.end(1) and m.start(1) < b for a, b in data)]
        if touched and not self._breakable:
            raise PromptUnusable(_unusable(touched[0][1]))
        for match in reversed(touched):
            place = match.start(1) + 1
            text = text[:place] + BREAK + text[place:]
        return text

    def check(self, text: str, ids: list[int]) -> None:
        """See that data stayed text.

        Args:
            text: a rendered prompt, and `ids` its tokens.

        Raises:
            PromptUnusable: a part of it became structure all the same.
        """
        broken = self._broken.search(text)
        if broken is None:
            return
        bare = self._tokenizer(self._broken.sub("", text), add_special_tokens=False).input_ids
        structural = set(self._ids.values())
        found, wanted = (Counter(i for i in some if i in structural) for some in (ids, bare))
        if found - wanted:
            raise PromptUnusable(_unusable(broken[0].replace(BREAK, "")))


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

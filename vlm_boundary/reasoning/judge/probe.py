"""Chains of thought spoilt on purpose: what a judge lets through of them it lets through elsewhere.

The edits are those of the error-injection literature: an intermediate number, the answer, both, and
a quarter of the text left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

ChainEdit: TypeAlias = Literal["intermediate_number", "answer", "both", "dropped_quarter"]
PictureEdit: TypeAlias = Literal["blank_picture", "shuffled_picture"]
CHAIN_EDITS: tuple[ChainEdit, ...] = get_args(ChainEdit)
PICTURE_EDITS: tuple[PictureEdit, ...] = get_args(PictureEdit)
ORIGINAL: Final = "original"

_NUMBER = re.compile(r"(?<![\w.,])\d{1,9}(?:\.\d{1,6})?(?![\w]|[.,]\d)")
_SHORTEST = 40  # characters below which a quarter is not worth leaving out


@dataclass(frozen=True)
class Edited:
    """A spoilt text and what was done to it."""

    text: str
    edit: str


def spoil(text: str, answer: tuple[int, int] | None, edit: ChainEdit) -> Edited | None:
    """A copy of a chain of thought with one thing wrong; None where the edit cannot be made.

    Which number, and what it becomes, follows from the text alone.

    Args:
        answer: start and end of the final answer in the text.
    """
    return _EDITS[edit](text, answer) if answer is not None else None


def _intermediate_number(text: str, answer: tuple[int, int]) -> Edited | None:
    return _change(text, _numbers(text, 0, answer[0]))


def _answer(text: str, answer: tuple[int, int]) -> Edited | None:
    return _change(text, _numbers(text, *answer)[-1:])


def _both(text: str, answer: tuple[int, int]) -> Edited | None:
    last = _answer(text, answer)  # first, since it leaves the places before it as they are
    both = _intermediate_number(last.text, answer) if last else None
    return Edited(both.text, f"{both.edit}; {last.edit}") if last and both else None


def _dropped_quarter(text: str, answer: tuple[int, int]) -> Edited | None:
    room = answer[0]
    if room < _SHORTEST:
        return None
    length = len(text) // 4
    if length >= room:
        return None
    start = _draw(text, "quarter") % (room - length + 1)
    return Edited(text[:start] + text[start + length :], f"characters {start} to {start + length}")


_EDITS: dict[ChainEdit, Callable[[str, tuple[int, int]], Edited | None]] = {
    "intermediate_number": _intermediate_number,
    "answer": _answer,
    "both": _both,
    "dropped_quarter": _dropped_quarter,
}


def _numbers(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [match.span() for match in _NUMBER.finditer(text) if start <= match.start() < end]


def _change(text: str, places: list[tuple[int, int]]) -> Edited | None:
    """One of the numbers made larger by 1 to 9 in its last place."""
    if not places:
        return None
    start, end = places[_draw(text[: places[-1][1]], "place") % len(places)]
    old = text[start:end]
    digits, decimals = old.replace(".", ""), len(old.partition(".")[2])
    new = str(int(digits) + 1 + _draw(old, "value") % 9).zfill(len(digits))
    if decimals:
        new = f"{new[:-decimals]}.{new[-decimals:]}"
    return Edited(text[:start] + new + text[end:], f"{old} became {new} at {start}")


def _draw(text: str, purpose: str) -> int:
    digest = hashlib.blake2b(f"{purpose}\0{text}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")

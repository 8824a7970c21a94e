"""A value that is said once, and never used, of what has another value in the rest of a chain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlm_boundary.reasoning.described import differs, excused
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import takes_back
from vlm_boundary.reasoning.told import SOFT, Said, plain, sayings

_IS = frozenset(["is", "are", "was", "were", "=", "equal"])
_PLAIN = SOFT | frozenset(
    "with since so as because thus given using we have therefore hence now this that for".split()
)
_ANYTHING = frozenset(
    "it value result answer number there he she they which one x y step case amount count".split()
)
_ANOTHER = re.compile(
    r"\b(?:second|third|other|another|smaller|larger|bigger|new|inner|outer|small|large|big|each"
    r"|similar|next|then|when|for|case|option|if|step|after|before|remaining|left)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?](?=\s)|\n")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST = 60


def strays(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """Both places of a thing with two values, the second of which is nowhere else."""
    text = plain(chain.text)
    known: dict[tuple[str, ...], Said] = {}
    for count, said in enumerate(sayings(text, start, end)):
        key = _key(said)
        if count > _MOST or not key:
            continue
        before = known.setdefault(key, said)
        if before is said or not differs(before, said):
            continue
        if _digits_before(text, said, start) or _digits_before(text, before, start):
            continue
        written = text[before.start : before.end], text[said.start : said.end]
        used, stray = (_NUMBER.findall(text).count(one.strip("$€£-")) for one in written)
        if used < 2 or stray > 1 or written[1].strip("$€£-") in _NUMBER.findall(chain.question):
            continue
        if excused(chain, text, said, start, end) or takes_back(text, before.end, said.end):
            continue
        if _ANOTHER.search(text, before.end, said.start):
            continue
        one, two = text[before.first : before.end].strip(), text[said.first : said.end].strip()
        note = f"“{one}”, then “{two}”, with no word of a change between"
        yield Evidence("contradiction", before.first, before.end, note)
        yield Evidence("contradiction", said.first, said.end, note)


def _key(said: Said) -> tuple[str, ...]:
    """The words for what a value is of; none where they may be of anything."""
    if said.before[-1:] == () or said.before[-1] not in _IS:
        return ()
    words = tuple(word for word in said.before if word not in _PLAIN)
    if not words or _ANYTHING & {*words} or len(words) > 7 or len(words[-1]) == 1:
        return ()
    return words


def _digits_before(text: str, said: Said, start: int) -> bool:
    """Whether another number stands before a value in its sentence, as of a case."""
    first = max(start, said.start - 160)
    opened = max((cut.end() for cut in _SENTENCE.finditer(text, first, said.start)), default=first)
    return _NUMBER.search(text, opened, said.first) is not None

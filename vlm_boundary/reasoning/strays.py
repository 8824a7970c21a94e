"""A value that is said once, and never used, of what has another value in the rest of a chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.reasoning.described import differs, excused
from vlm_boundary.reasoning.equations import equations
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import takes_back
from vlm_boundary.reasoning.steps import shown
from vlm_boundary.reasoning.told import CUT, SOFT, Said, plain, sayings, words_of

_IS = frozenset(["is", "are", "was", "were", "=", "equal"])
_PLAIN = SOFT | frozenset(
    "with since so as because thus given using we have therefore hence now this that for".split()
)
_ANYTHING = frozenset(
    "it value result answer number there he she they which one x y step case amount count".split()
)
_MADE = frozenset(
    "sum total slope ratio radius difference mean average area perimeter product intercept".split()
)
_AGAIN = (("with",), ("the",), ("these",), ("from",), ("all",))
_OF_SOME = frozenset("in on of that which with at to from left remain is whose between".split())
_REACH = 60
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
    known = _results(chain, text, start, end)
    for count, said in enumerate(sayings(text, start, end)):
        key = _key(said)
        if count > _MOST or not key or text[said.start].isalpha():
            continue
        before = _same(known, key) or known.setdefault(key, said)
        if before.end >= said.start or not differs(before, said):
            continue
        if _digits_before(text, said, start) or _digits_before(text, before, start):
            continue
        numbers, asked = _NUMBER.findall(text), _NUMBER.findall(chain.question)
        used, stray = (shown(one.value) for one in (before, said))
        derived = before.last == "="
        if numbers.count(stray) > 1 or not (derived or numbers.count(used) > 1):
            continue
        if stray in asked and not derived:
            continue
        if excused(chain, text, said, start, end) or takes_back(text, before.end, said.end):
            continue
        if _ANOTHER.search(text, before.end, said.start):
            continue
        one, two = text[before.first : before.end].strip(), text[said.first : said.end].strip()
        note = f"“{one}”, then “{two}”, with no word of a change between"
        yield Evidence("contradiction", before.first, before.end, note)
        yield Evidence("contradiction", said.first, said.end, note)
    yield from _counts(chain, text, start, end)


def _key(said: Said) -> tuple[str, ...]:
    """The words for what a value is of; none where they may be of anything."""
    words = tuple(word for word in said.before if word not in _PLAIN)
    if said.before[-1:] == () or not (said.before[-1] in _IS or {*words[-1:]} & _MADE):
        return ()
    return _known_by(words)


def _counts(chain: Chain, text: str, start: int, end: int) -> Iterator[Evidence]:
    """A count that is spoken of again as another: 3 triangles, and then "with 4 triangles"."""
    known: dict[str, Said] = {}
    for said in sayings(text, start, end):
        thing = said.behind[0] if said.behind else ""
        if len(thing) < 3 or said.unit or not text[said.end + 1 :].startswith(f"{thing}s"):
            continue
        before = known.setdefault(thing, said)
        if before is said or before.value == said.value or said.before[-1:] not in _AGAIN:
            continue
        if {*said.before} - _PLAIN - {"all", "dividing", "adding", "choosing", "two", "three"}:
            continue
        if {*said.behind[1:2]} & _OF_SOME or not _once(chain, text, before, said):
            continue
        if excused(chain, text, said, start, end) or takes_back(text, before.end, said.end):
            continue
        if _ANOTHER.search(text, before.end, said.start):
            continue
        note = f"{shown(before.value)} {thing}s at first, and then {shown(said.value)}"
        yield Evidence("contradiction", before.start, before.end, note)
        yield Evidence("contradiction", said.first, said.end, note)


def _once(chain: Chain, text: str, before: Said, said: Said) -> bool:
    """Whether a value stands nowhere else, and the one that it replaces does."""
    written, numbers = text[said.start : said.end].lower(), _NUMBER.findall(text)
    in_words = text.lower().count(f" {written} ") if written.isalpha() else 0
    stray = numbers.count(shown(said.value)) + in_words
    asked = shown(said.value) in _NUMBER.findall(chain.question)
    return stray < 2 and not asked and numbers.count(shown(before.value)) > 1


def _same(known: dict[tuple[str, ...], Said], key: tuple[str, ...]) -> Said | None:
    """What is known by a name, or by its first word where that is all that is said again."""
    like = [one for one in known if one[:1] == key] if key in (("ratio",), ("slope",)) else []
    return known.get(key) or (known[like[0]] if len(like) == 1 else None)


def _known_by(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or _ANYTHING & {*words} or len(words) > 7:
        return ()
    return () if len(words[-1]) == 1 and words[-2:-1] != ("angle",) else words


def _results(chain: Chain, text: str, start: int, end: int) -> dict[tuple[str, ...], Said]:
    """What is worked out in an equation behind its name: the sum is 20 + 35 = 55."""
    found: dict[tuple[str, ...], Said] = {}
    steps = {equation.left.start: equation for equation in equations(chain.text, start, end)}
    for equation in steps.values():
        first = max(start, equation.left.start - _REACH)
        before = CUT.split(text[first : equation.left.start])[-1]
        words = words_of(before)
        last = equation
        while last.right.start in steps:
            last = steps[last.right.start]
        value = last.values[1]
        if words[-1:] and words[-1] in _IS and isinstance(value, (int, Fraction)):
            key = _known_by(tuple(word for word in words if word not in _PLAIN))
            place = equation.left.start - len(before), last.right.start, last.right.end
            if key:
                found.setdefault(key, Said(words, Fraction(value), "", (), False, "=", *place))
    return found


def _digits_before(text: str, said: Said, start: int) -> bool:
    """Whether another number stands before a value in its sentence, as of a case."""
    first = max(start, said.start - 160)
    opened = max((cut.end() for cut in _SENTENCE.finditer(text, first, said.start)), default=first)
    return _NUMBER.search(text, opened, said.first) is not None

"""A radius, a height or another attribute to which a chain itself gives two values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.picture.described import differs, excused, figures_of, said_of
from vlm_boundary.reasoning.picture.sayings import Said, sayings, untypeset, words_of
from vlm_boundary.reasoning.picture.told import ATTRIBUTES, LETTERS, SOFT, Told, told
from vlm_boundary.reasoning.text.passages import takes_back, words_in
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_KEPT = ("radius", "diameter")
_ROUNDS = ("adius", "iameter")
_NAMED = ("side", "length", "width", "base", "height", *_KEPT)  # with a letter that stands for it
_STANDS = SOFT | {"marked", "labelled", "labeled", "given", "as"}
_SIGNS = frozenset((*_NAMED, *(f"{name}s" for name in _NAMED)))
_ANOTHER = re.compile(
    r"\b(?:second|other|another|smaller|larger|bigger|new|inner|outer|small|large|big|each|similar)\b",
    re.IGNORECASE,
)
_SIGN = r"[+*/×÷·^]"
_ALONE = r"(?!\d|\.\d| ?[-+*/×÷·^≈≤≥√<>−=(])"  # no term of an expression
_LETTERED = re.compile(  # begins with its sign
    rf"=(?:(?<=([a-z])=)(?<!\w.=)(?<!{_SIGN}.=)(?<!{_SIGN} .=)"
    rf"|(?<=([a-z]) =)(?<!\w. =)(?<!{_SIGN}. =)(?<!{_SIGN} . =)) ?(\d+(?:\.\d+)?){_ALONE}"
)
_ROUND = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"([RrDd](?:(?<=[Rr])adius|(?<=[Dd])iameter))\b[^\d.\n]{0,30}(\d+(?:\.\d+)?)"
    rf"{_ALONE}"
)
_LETTER = re.compile(r"(?<![A-Za-z])[a-z](?![A-Za-z\d])")
_NAME = re.compile(  # begins with a set of characters as well
    r"[slwbhSLWBH](?:(?<=[sS])ide|(?<=[lL])ength|(?<=[wW])idth|(?<=[bB])ase|(?<=[hH])eight)"
)
_NEAR = 90
_GIVES = (("=",), ("is",), ("of",))
_PLAIN = SOFT | {"with", "since", "so", "as", "because", "thus", "given", "using", "for", "we"}


def changed_attributes(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """Both places of an attribute that is said twice, differently, of the same figure."""
    if _SIGNS.isdisjoint(words_in(chain.text)):
        return
    lettered = _LETTERED.findall(chain.text, start, end) if "=" in chain.text else []
    values = {(near or far, value) for near, far, value in lettered}
    rounds = _ROUND.findall(chain.text, start, end) if occurs(_ROUNDS, chain.text) else []
    values |= {(name[:1].lower(), value) for name, value in rounds}
    if len({letter for letter, _ in values}) == len(values):
        return
    if not (rounds or _lettered(chain.text, values, start, end)):
        return
    asked = told(chain.question)
    text = untypeset(chain.text)
    known: dict[tuple[str, ...], Said] = {}
    words = frozenset(words_of(chain.question)) | ATTRIBUTES
    for said in sayings(text, start, end):
        found = said_of(said, Told(known, {}, words))
        if found is None:
            for key in _keys(said):
                if key not in asked.named:
                    known.setdefault(key, said)
            continue
        (key, before) = found
        if not differs(before, said) or excused(chain, text, said, start, end):
            continue
        if len(key[0]) > 1 and not _same(text, key, before, said, start):
            continue
        if (
            said.before[-1:] not in _GIVES
            or _ANOTHER.search(text, before.end, said.start)
            or takes_back(text, before.end, said.end)
        ):
            continue
        one, two = text[before.first : before.end].strip(), text[said.first : said.end].strip()
        note = f"“{one}”, then “{two}”: the {key[0]} is {shown(before.value)} at first"
        yield Evidence("contradiction", before.first, before.end, note)
        yield Evidence("contradiction", said.first, said.end, note)


def _lettered(text: str, values: set[tuple[str, str]], start: int, end: int) -> bool:
    """Whether a letter with two values may stand for an attribute that is named before it."""
    letters = [letter for letter, _ in values]
    several = {letter for letter in letters if letters.count(letter) > 1}
    return any(
        not several.isdisjoint(_LETTER.findall(text, named.end(), min(end, named.end() + _NEAR)))
        for named in _NAME.finditer(text, start, end)
    )


def _same(text: str, key: tuple[str, ...], one: Said, two: Said, start: int) -> bool:
    """Whether both speak of one figure, and neither is told from others by the value itself."""
    ahead = [
        set(said.before[: said.before.index(key[-1])])
        for said in (one, two)
        if key[-1] in said.before
    ]
    if any("with" in words and words - _PLAIN for words in ahead):
        return False
    if ahead[-1] - _PLAIN and ahead[-1] - _PLAIN != ahead[0] - _PLAIN:
        return False
    return figures_of(text, two, start) <= figures_of(text, one, start)


def _keys(said: Said) -> list[tuple[str, ...]]:
    """The attribute of which a value is said, and the letter that stands for it."""
    if said.before[-1:] not in _GIVES:
        return []
    words = said.before[:-1]
    letter = words[-1:] if len(words) > 1 and len(words[-1]) == 1 and words[-1].islower() else ()
    words = words[:-1] if letter else words
    while letter and words and words[-1] in _STANDS:
        words = words[:-1]
    letters = [letter] if letter and words and words[-1] in _NAMED else []
    if words and words[-1] in _KEPT:
        return [words[-1:], *(letters or [(LETTERS[words[-1]],)] if words[-1] in LETTERS else [])]
    return letters

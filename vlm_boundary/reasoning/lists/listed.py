"""The data that a question or a chain lists, and what a chain's words say of its members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.reasoning.lists.number_lists import VALUE, NumberList, value_of
from vlm_boundary.reasoning.text.passages import SENTENCE

_SPLIT = re.compile(r"[,;](?!\d{3}(?!\d))|[<>→&≤≥]|(?<!-)\band\b")
_VALUE_AT = rf"[$€£]?(?P<value>{VALUE})(?![\d/^:]|[.,]\d)"
_OF = r"in|on|for|at|of|by|from|with"
_UNIT = rf"(?:\s?(?:°[CF]?|\\?%|(?!(?:{_OF}|is|are)\b)[A-Za-z][a-z]{{0,11}}[²³]?)){{0,2}}"
_VALUE_FIRST = re.compile(
    rf"{_VALUE_AT}{_UNIT}(?:\s?\((?P<name>[^()]{{1,24}})\)|\s(?:{_OF}) (?P<place>[^()]{{1,24}}))?"
)
_NAME_FIRST = re.compile(
    r"(?P<name>[A-Za-zÀ-ÿ\d][\w '’-]{0,24}?)"
    r"(?:\s?[(:=,–]\s?|\s(?:(?:with|at|has|had|is|was|scored|uses|needs)\s)?)"
    rf"{_VALUE_AT}{_UNIT}\)?"
)
_LEAD = re.compile(
    r"(?:(?:the|both|only|just|so|then|thus|hence|here|of (?:these|them)|bars?|teams?|months?|days?"
    r"|years?|point|namely|also|therefore|again|colou?rs?|cards?)\b,? ?|\\?[\s$*_•|({\[]+)+",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_ALONE = re.compile(r"[-−$€£]?\d[\d.,]*(?![\d:])(?!-\d)(?! ?[:=])")
_CAPTION = re.compile(r"[.:](?=\s)")
_BESIDE = re.compile(r"\. [A-Z\d][^.,;]{3,60}\Z")  # a last sentence that lists nothing
# Numbers under which others stand are counts of something, not the data themselves.
_GROUPED = re.compile(r"\b(?:frequenc\w*|histogram|grouped|stacked|cumulative|box)", re.I)
_SHORT, _LONG = 2, 60


# After it what is said may be said of some of the list.
PICKS = re.compile(
    r"\b(?:another|remain\w*|aside|among (?!(?:them|these|those|all)\b)|counted|insert\w*|add\w*"
    r"|includ\w*|replac\w*|tak(?:e|en|ing) (?:away|out)|grow\w*"
    r"|doubl\w*|tripl\w*|halv\w*|people|frequenc\w*"
    r"|drop\w*|discard\w*|omit\w*|leav\w+|left|without|remov\w*|exclud\w*|ignor\w*"
    r"|disregard\w*|cross\w*|skip\w*|only|not|never|no longer|which of|divid\w*|divisible"
    r"|multiples?|even|odd|prime|disqualif\w*|weigh\w*|first|last|half|boys?|girls?|m[ae]n|wom[ae]n|males?"
    r"|females?|legs?)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A member of a list as a piece of text names it."""

    name: str
    """Its name in the list; "" where only a value is said."""
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Listed:
    """The one list of the data: its values in their order, and whose they are."""

    values: tuple[Fraction, ...]
    names: tuple[str, ...]
    """In small letters; all are "" where no two differ."""
    start: int
    """From where a chain may speak of it."""
    asked: bool
    """Whether the question gives it."""

    def named(self, word: str) -> str:
        """The member that a word names, in full or shortened ("Tue" for Tuesday); else ""."""
        low = word.strip().lower().removesuffix("'s").removesuffix("’s")
        if not low or not any(self.names):
            return ""
        if low in self.names:
            return low if len(low) > 1 or word.strip()[0].isupper() or low.isdigit() else ""
        if len(low) <= _SHORT or not low.isalpha() or not word.strip()[0].isupper():
            return ""
        near = [
            name
            for name in self.names
            if len(name) > _SHORT and (low.startswith(name) or name.startswith(low))
        ]
        return near[0] if len(near) == 1 else ""

    def value(self, name: str) -> Fraction:
        """The value of a name that it has."""
        return self.values[self.names.index(name)]

    def of(self, mention: Mention) -> Fraction:
        """The value of a member, by the list where it has its name."""
        if mention.name:
            return self.value(mention.name)
        assert mention.value is not None
        return mention.value


NOTHING = Listed((), (), 0, False)


@lru_cache(maxsize=64)
def described(question: str) -> Listed | None:
    """The one list that a question gives in brackets; None where it gives anything else there."""
    found = [_of_description(match[1]) for match in _BRACKETS.finditer(question[:2000])]
    return found[0] if len(found) == 1 else None


def _of_description(text: str) -> Listed | None:
    if _GROUPED.search(text):
        return None
    text, ends = text.rstrip(" .…"), text.rstrip()
    pieces = [piece.strip() for piece in _SPLIT.split(_BESIDE.sub("", text))]
    if len(pieces) > 2:
        pieces[0] = _without_caption(pieces[0], named=not _ALONE.match(pieces[1]))
    mentions = [_read(piece) for piece in pieces if piece]
    if len(mentions) < 3 or None in mentions or ends.endswith(("...", "…")):
        return None
    names = tuple(mention.name for mention in mentions if mention)
    values = tuple(m.value for m in mentions if m and m.value is not None)
    if len(values) != len(mentions):
        return None
    if not names[1]:
        if any(names[1:]):
            return None
        names = ("",) * len(names)
    if any(names) and (len({*names}) != len(names) or "" in names):
        return None
    is_tally = "tally" in text.lower() and "tally list" not in text.lower()
    if is_tally and (any(names) or len({*values}) == len(values)):
        return None  # how often each is found
    if any(name.isdigit() and len(name) != 4 for name in names):
        return None
    return Listed(values, names, 0, True)


def _without_caption(piece: str, *, named: bool) -> str:
    """The first member of a list behind its caption: "Line chart: 2010: 40" is of 2010."""
    if not named:
        *_, piece = ["", *re.findall(rf"(?<!\S)[-−$€£]?{VALUE}.*", piece)]
        return re.sub(r".*\s(?=[-−$€£]?\d)", "", piece) if piece.count(" ") > 1 else piece
    *_, last = [0, *(cut.end() for cut in _CAPTION.finditer(piece[:-1]))]
    own = piece[last:].strip()
    if own[:1].isdigit() and piece[:last].rstrip().endswith(":"):  # the name is before it
        own = f"{re.split(r'[.:]', piece[:last].rstrip(' :'))[-1].strip()}: {own}"
    return own


def _read(piece: str) -> Mention | None:
    """A value with or without a name before it."""
    piece = piece.replace("−", "-")
    if len(piece) > _LONG:
        return None
    if match := _NAME_FIRST.fullmatch(piece):
        return Mention(match["name"].strip().lower(), value_of(match["value"]))
    match = _VALUE_FIRST.fullmatch(piece)
    if match and not match["name"] and not match["place"]:
        return Mention("", value_of(match["value"]))
    return None


def listed_in(lists: Sequence[NumberList]) -> Listed | None:
    """The one list of a chain; None where it has two of different numbers."""
    if not lists:
        return None
    whole = max(lists, key=lambda one: len(one.values))
    names = whole.names
    if "" in names or len({*names}) != len(names):
        names = ("",) * len(names)
    return Listed(whole.values, names, whole.end, False)


def mention_of(piece: str, data: Listed) -> Mention | None:
    """The member that a piece names: its value, its name, or both; None for anything else."""
    piece = piece.replace("−", "-").replace("*", "").strip()
    lead = _LEAD.match(piece)
    if lead and not data.named(piece):
        piece = piece[lead.end() :]
    piece = piece.rstrip(" \n*_$.:|!\\}")
    if not piece or len(piece) > _LONG:
        return None
    if name := data.named(piece):
        return Mention(name, None)
    if match := _NAME_FIRST.fullmatch(piece):
        name = data.named(match["name"])
        if name:
            return Mention(name, value_of(match["value"]))
    if match := _VALUE_FIRST.fullmatch(piece):
        said = match["name"] or match["place"] or ""
        name = data.named(said)
        if said and not name:
            return None
        return Mention(name, value_of(match["value"]))
    return None


def mentions_in(text: str, data: Listed) -> list[Mention] | None:
    """The members that a row of pieces names; None where one of them is anything else."""
    found = []
    for piece in _SPLIT.split(text):
        if not piece.strip(" *_$.:\n"):
            continue
        mention = mention_of(piece, data)
        if mention is None:
            return None
        found.append(mention)
    return found


_LINE = re.compile(r"[^\S\n]*(?:[-*•]|\d{1,2}[.)])[^\S\n]+(?=\S)")
_STOP = re.compile(
    r"[.!?](?=\s|$)|\n|;|\s[→—–]\s"
    r"|,? (?:so|which|that|because|since|giving|makes?|making|hence|thus|therefore|while|but"
    r"|whereas|where|i\.e|the|there|with(?! [$€£]?\d)|we|it|this|is|are)\b"
)


def row_after(text: str, at: int, end: int) -> tuple[str, int]:
    """What is listed behind a place, and where it ends: on the line, or as points under it."""
    line = text.find("\n", at, end)
    line = end if line < 0 else line
    if text[at:line].strip(" *_:$\\[("):
        stop = _STOP.search(text, at, end)
        last = stop.start() if stop else end
        return text[at:last], last
    place = line
    while place < end and text[place].isspace():
        place += 1
    rows: list[str] = []
    start = text.rfind("\n", at, place) + 1
    while (mark := _LINE.match(text, start, end)) is not None:
        last = text.find("\n", mark.end(), end)
        last = end if last < 0 else last
        rows.append(text[mark.end() : last].strip().replace(",", ""))
        if last == end:
            return ", ".join(rows), end
        start = last + 1
    if rows:
        return ", ".join(rows), start
    stop = _STOP.search(text, place, end)
    last = stop.start() if stop else end
    return text[place:last], last


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where sentences stand that are no questions."""
    for match in SENTENCE.finditer(text, start, end):
        if text[match.end() : match.end() + 1] != "?" and match[0].strip():
            yield match.span()


def sentence_start(text: str, start: int, place: int) -> int:
    """Where the sentence or the line before a place begins."""
    return max(start, text.rfind(". ", start, place) + 1, text.rfind("\n", start, place) + 1)


def sentence_at(text: str, place: int, start: int, end: int) -> tuple[int, int]:
    """Where the sentence with a place stands, of those that begin at `start` or later."""
    first = max(start, text.rfind("\n", start, place) + 1)
    for match in SENTENCE.finditer(text, first, end):
        if match.end() > place:
            return match.span()
    return place, end

"""How often a value or a word stands in a list, as a chain says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from vlm_boundary.reasoning.lists.listed import PICKS, Listed, sentence_start, sentences
from vlm_boundary.reasoning.lists.number_lists import VALUE, count_of, value_of
from vlm_boundary.reasoning.lists.properties import Found, Speech
from vlm_boundary.reasoning.text.passages import words_in

_COUNTED = frozenset(("twice", "times", "once", "thrice"))
_PLURAL_DIGIT = re.compile(r"[0-9]'?s\b")
_TIMES = r"(?P<times>once|twice|thrice|(?:\d{1,2}|one|two|three|four|five|six|seven|eight) times)"
_OCCURS = re.compile(
    rf"(?<![\w.,/$-])(?P<value>{VALUE})\*{{0,2}}"
    r"(?P<verb>:| →|(?: is the (?:mode|value|number|one))?"
    r"(?:,? (?:because|since|as) it|,? which|,? that)? (?:occurs?|appears?|comes up|turns up"
    r"|shows up|crops up|stands|is (?:there|listed|repeated|found|present|seen)|was (?:scored"
    r"|rolled)))?"
    rf"(?: exactly| only| just)? {_TIMES}\b(?! (?:more|as|the|larger|smaller|greater|that)\b)",
    re.IGNORECASE,
)
_PLURAL = re.compile(
    rf"\b(?P<times>\d{{1,2}}|one|two|three|four|five|six|seven"
    rf"|eight) (?P<value>{VALUE})'?s\b",
    re.I,
)
_TALLY = re.compile(
    rf"^[^\S\n]*(?:[-*•|][^\S\n]*)?\*{{0,2}}(?P<value>{VALUE})\*{{0,2}}[^\S\n]*(?::|→|->|\||=)"
    r"[^\S\n]*(?P<times>\d{1,2}|once|twice|thrice|(?:three|four|five|six) times)"
    r"[^\S\n]*\|?[^\S\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
_INLINE = re.compile(
    rf"(?<=[:,;] )(?P<value>{VALUE})(?: ?[:→=] ?| \()(?P<times>\d{{1,2}})(?=[,;.)\s])(?! ?[-+*/=])"
)
_COUNTING = re.compile(r"frequen|how often|tally|count|occur|times|appear|dots", re.IGNORECASE)


def wrong_frequencies(speech: Speech) -> Iterator[Found]:
    """5 appears four times; there are four 40s."""
    text, data = speech.text, speech.data
    if len(data.values) < 3 or "digit" in speech.asked:
        return
    times = not _COUNTED.isdisjoint(words_in(text))
    plural = _PLURAL_DIGIT.search(text, speech.start, speech.end)
    if not times and plural is None:
        return
    for first, last in sentences(text, speech.start, speech.end):
        said = [*_OCCURS.finditer(text, first, last)] if times else []
        if len(said) == 1 and not said[0]["verb"]:
            continue
        for one in (*said, *_PLURAL.finditer(text, first, last)) if plural else said:
            if one.start() >= data.start:
                yield from _wrong_frequency(one, data)


def wrong_tallies(speech: Speech) -> Iterator[Found]:
    """A row under another that gives a value's count: "40: 4"."""
    text, data = speech.text, speech.data
    if len({*data.values}) == len(data.values):
        return
    rows = [*_TALLY.finditer(text, speech.start, speech.end)]
    if len(rows) < 3:
        rows = [*_INLINE.finditer(text, speech.start, speech.end)]
    values = [value_of(row["value"]) for row in rows]
    if len(rows) < 3 or len({*values}) != len(rows) or not {*values} <= {*data.values}:
        return
    if _COUNTING.search(text, max(speech.start, rows[0].start() - 200), rows[0].start()):
        for row in rows:
            yield from _wrong_frequency(row, data)


def _wrong_frequency(said: re.Match[str], data: Listed) -> Iterator[Found]:
    value = value_of(said["value"])
    times = count_of(said["times"])
    right = data.values.count(value)
    if right and times != right:
        yield *said.span(), f"{said['value']} stands {_times(right)} in the list, not {times}"


_BRACKETS = re.compile(r"\[([^\[\]]{10,400})\]")
_ROW = re.compile(
    r"(?:[A-Z][a-z]{1,11} )?[a-z]{3,12}(?:(?:,| and|, and"
    r"|;) (?:[A-Z][a-z]{1,11} )?[a-z]{3,12}){3,}"
)
_SIGNS = re.compile(r"(?<=[ :])[A-Z](?:(?:,| and|, and|;) [A-Z]){3,}(?=[.;\]]|$)")
_SAID = re.compile(
    r"\b(?P<word>[a-z]{3,12}|(?-i:[A-Z]))(?: (?:occurs?|appears?|comes up|shows up|turns up"
    r"|stands|is (?:there|chosen|named)))?(?: only| just| exactly)?"
    r"(?::| →)? (?P<times>once|twice|(?:\d{1,2}|two|three|four|five|six|seven) times)\b"
    r"(?! (?:as|more|larger|greater|the|that)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?P<name>[A-Z][a-z]{1,11}) (?P<word>[a-z]{3,12})")
_DRAWN = re.compile(
    r"\b(?:after|then|now|drawn|taken|replaced|once (?:an?|the|one))\b", re.IGNORECASE
)


@lru_cache(maxsize=64)
def _described(question: str) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """How often each word is in the row that a question gives, and whose it is."""
    parts = _BRACKETS.findall(question[:2000])
    found = [row[0] for part in parts for row in _ROW.finditer(part)]
    found = found or [row[0] for part in parts for row in _SIGNS.finditer(f"{part}]")]
    if len(found) != 1:
        return Counter(), {}
    pieces = re.split(r"(?:, and|,| and|;) ", found[0])
    words = Counter(piece.split()[-1] for piece in pieces)
    if len(words) == len(pieces):
        return Counter(), {}  # each word once: no list of kinds
    named = {m["name"]: m["word"] for piece in pieces if (m := _NAMED.fullmatch(piece))}
    return words, named if len(named) == len(pieces) else {}


def wrong_kinds(text: str, question: str, start: int, end: int) -> Iterator[Found]:
    """Red occurs twice, where it stands three times; blue: Anna and Fay, where Fay has red."""
    words, named = _described(question)
    if not words:
        return
    for said in _SAID.finditer(text, start, end):
        word = said["word"] if len(said["word"]) == 1 else said["word"].lower()
        count = count_of(said["times"])
        before = sentence_start(text, start, said.start()), said.start()
        if PICKS.search(text, *before) or _DRAWN.search(text, *before):
            continue
        if word in words and count != words[word]:
            yield *said.span(), f"{word} stands {_times(words[word])} in the list, not {count}"
    if named:
        yield from _whose(text, named, start, end)


def _whose(text: str, named: Mapping[str, str], start: int, end: int) -> Iterator[Found]:
    """The names in a row behind the one kind that a sentence names."""
    kinds = "|".join(map(re.escape, sorted({*named.values()})))
    row = re.compile(
        rf"\b(?:(?:picking out|chose|choosing|like|have|has|for|with|in) )?(?P<kind>{kinds})"
        r"(?:(?: are| were| is)?:?| (?:I|we) (?:get|find|have|count)) "
        r"(?P<names>[A-Z][a-z]{1,11}(?:(?:,| and|, and) [A-Z][a-z]{1,11})+)"
        r"(?![a-z]| [a-z]{3,12}[,.])"
    )
    for said in row.finditer(text, start, end):
        for name in re.findall(r"[A-Z][a-z]+", said["names"]):
            if name in named and named[name] != said["kind"]:
                yield *said.span(), f"{name} has {named[name]}, not {said['kind']}"
                break


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

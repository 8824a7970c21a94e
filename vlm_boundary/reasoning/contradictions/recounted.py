"""Counts, totals and letters with a value that is said once, and is another where it is used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from vlm_boundary.reasoning.contradictions.named_again import (
    CHANGE,
    added,
    named_again,
    near,
    phrases,
    sentence_around,
    stands,
)
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.picture.told import told
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.numerals import (
    DIGITS,
    NUMBER_WORDS,
    WORDED,
    WORDS,
    Number,
    number_of,
)
from vlm_boundary.reasoning.text.passages import asked_of, takes_back, words_in
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_WORD = (  # begins with a set of characters, so that all others are passed fast
    r"[TFSENtfsen](?<!\w.)(?:(?<=[Tt])(?:wo|hree|en|welve)|(?<=[Ff])(?:our|ive)"
    r"|(?<=[Ss])(?:ix|even)|(?<=[Ee])(?:ight|leven)|(?<=[Nn])ine)"
)
_FEW = r"\d(?<![\d.,/^+*×·=–-]\d)(?<![/^+*×·=-] \d)\d{0,3}"
_THINGS = (
    r" (?P<kind>(?:(?!of\b|more\b|by\b|times\b)[a-z]{3,12} ){0,2}?)"
    r"(?P<thing>[a-z]{3,14}s|children|people|men|women)\b(?!\s?[-+*/×=])"
)
_COUNT = re.compile(rf"(?P<value>{_FEW}|{_WORD}){_THINGS}")
_COUNT_IN_DIGITS = re.compile(rf"(?P<value>{_FEW}){_THINGS}")  # many times faster
_COUNTED = re.compile(r"\d(?<=[ELSGNHFelsgnhf]\s\d)\d{0,3}(?= [a-z]{3})")  # the 8 triangles
_DEFINITE = re.compile(
    r"\b(?:the|these|those|all|each of the|of the|its|has|have|having|contains?|with|there are"
    r"|of)\s\Z",
    re.IGNORECASE,
)
_KNOWN = re.compile(r"\b(?:the|these|those|all)\s\Z", re.IGNORECASE)
_TWICE = re.compile(r"\b(?:both|twice|doubl\w+)\b", re.IGNORECASE)
_MORE = re.compile(r"\d|\b(?:each|every|per|add\w*|doubl\w+|twice|more)\b", re.IGNORECASE)
_NO_THING = frozenset(
    "degrees times ways percent units parts cases steps numbers terms values angles equals is"
    " has was points dollars cents euros meters metres minutes hours seconds inches years less"
    " digits places this plus gives means things groups pieces results options choices halves"
    " thirds fifths sixths tenths quarters".split()
)
_LETTER = re.compile(
    r"(?<![\w^*/+·-])(?<![\d*/+·-] )"
    r"(?P<name>[rdhabcpqm]|[A-Z]{2}|(?:∠|\\angle |angle )[A-Z]{1,3}) ?= ?"
    r"(?P<value>\d{1,5}(?:\.\d{1,3})?)(?![\d/^²]|\.\d|,\d| ?[-+*/×·√π\\])"
)
_EQUALS = re.compile(
    r"=(?:(?<=[A-Zrdhabcpqm]=)|(?<=[A-Zrdhabcpqm] =)) ?"
    r"(?P<value>\d{1,5}(?:\.\d{1,3})?)(?![\d/^²]|\.\d|,\d| ?[-+*/×·√π\\])"
)
_LAST = re.compile(
    r"(?<![\w^*/+·-])(?P<name>[rdhabcpqm]"
    r"|[A-Z]{2}) ?= ?[^=\n.,;]{1,40}= ?(?P<value>\d{1,5}(?:\.\d{1,3})?)(?![\d/^²]|\.\d"
    r"| ?[-+*/×·√π\\=])"
)
_TOTAL = re.compile(
    r"[tTsS](?<!\w.)(?:(?<=[tT])otal|(?<=[sS])um)(?: of| is|:| =| was| comes to| amounts to)?"
    r" (?:of )?[$€£]?(?P<value>\d{1,6}(?:\.\d{1,2})?)(?![\d/%]|[.,]\d| ?[-+*/×·=])"
)
_TOGETHER = re.compile(
    r"\d(?<![\d.,/+*×·=-]\d)(?<![/+*×·=-] \d)(?<!\w.)\d{0,5}(?: [a-z]{3,14}){0,2}"
    r" (?:in (?:the (?:bag|box|jar|urn|basket|drawer|picture|scene)|all|total)|altogether)\b"
)
_TOTALS = frozenset(["total", "sum"])
_ALL = "all total altogether bag box jar urn basket drawer picture scene".split()
_TOGETHER_WORDS = frozenset(_ALL)
_NOW = re.compile(r"\b(?:now|again|new)\b", re.IGNORECASE)
_RESULT = r"(?P<name>sum|total|mean|average|difference|[Aa]ngle [A-Z]{1,3}|∠ ?[A-Z]{1,3})"
_PREMISES = frozenset("since as because given".split())
_PREMISE = re.compile(
    rf"\b(?:[Ss]ince|[Aa]s|[Bb]ecause|[Gg]iven that) (?:the )?{_RESULT} (?:is|=) \$?\Z"
)
_WORKED = re.compile(
    rf"\b{_RESULT} (?:is|=) [^=.\n;]{{1,60}}= ?\$?(?P<value>[0-9]{{1,7}}(?:\.[0-9]{{1,3}})?)"
    r"(?![0-9/^²]|\.[0-9]|,[0-9]| ?[-+*/×·=])"
)
_GOES_ON = re.compile(r"[-+*/×·=−]")
_NAMELY = re.compile(
    rf"\b(?P<value>\d{{1,2}}|{WORDED}) (?:[a-z]{{2,14}} ){{0,8}}?[a-z]{{2,14}}(?:"
    rf" [\dA-Z]{{1,2}})?[:,] ?(?:namely:? )?"
    r"(?P<list>\(\d{1,2}, ?\d{1,2}\)(?:(?:,? and "
    r"|, ?)\(\d{1,2}, ?\d{1,2}\)){1,40})(?!, ?(?:\.\.\.|…))",
    re.IGNORECASE,
)
_PAIRS = re.compile(r"\(\d{1,2}, ?\d{1,2}\)(?:,? and |, ?)\(")
_SET = re.compile(r"\b(?:at|when|for|if|set|let|put|try|take|with|where|say)\s\Z", re.IGNORECASE)
_SAID = re.compile(r"(?<![\d.,(*/×·+=-])(?<![(*/×·+=-] )\d{1,6}(?![\d)]|\.\d| ?[*/×·+=)-])")
_MOST = 60


@dataclass(frozen=True, slots=True)
class _Count:
    value: int
    kind: str
    thing: str
    start: int
    end: int


def recountings(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """A value that is said once and used nowhere, of what has another value that is used."""
    text = chain.text
    written = DIGITS.findall(text, start, end)
    for word in NUMBER_WORDS & words_in(text):
        written += [word] * _times(word, text, start, end)
    if not written:
        return
    if "(" in text and _PAIRS.search(text, start, end):
        yield from _namely(text, start, end)
    strange = _said_once(written) - _written(chain.question)
    if not strange:
        return
    asked = _asked(chain.question)
    lone = {*map(number_of, strange)} - asked
    lone.discard(number_of((chain.answer or "").strip("$°% ")))
    if not lone:
        return
    numbers = Counter(map(number_of, written))
    lone = {value for value in lone if numbers[value] == 1}
    if lone:
        found = (one for one in DIGITS.finditer(text, start, end) if one[0] in strange)
        sites = [one for one in found if number_of(one[0]) in lone]
        if _may_count(text, lone, sites):
            yield from _counts(chain, lone, asked, numbers, start, end)
        if "[" in chain.question:  # else it may be another case's
            yield from _letters(chain, lone, start, end)
        yield from _totals(chain, lone, sites, start, end)
        if not _PREMISES.isdisjoint(words_in(text)):
            yield from _recalled(text, sites, start, end)
        if named_again(text, sites, start):
            yield from phrases(text, lone, asked, numbers, start, end)
        if "+" in text and "\n" in text:
            yield from added(text, lone, sites, start, end)


def _times(word: str, text: str, start: int, end: int) -> int:
    """How often a word stands in a text."""
    times, low = 0, text[start:end].lower()
    place = low.find(word)
    while place >= 0:
        last = place + len(word)
        times += not (low[max(0, place - 1) : place].isalnum() or low[last : last + 1].isalnum())
        place = low.find(word, last)
    return times


def _said_once(written: list[str]) -> set[str]:
    """The numbers that stand once, as they are written; many times faster than by value."""
    once: set[str] = set()
    again: set[str] = set()
    for number in written:
        (again if number in once else once).add(number)
    return once - again


@lru_cache(maxsize=4096)  # many outputs answer one question
def _written(question: str) -> frozenset[str]:
    """The numbers of a question as they are written, in digits and in words."""
    return frozenset(DIGITS.findall(question) + WORDS.findall(question))


@lru_cache(maxsize=4096)
def _asked(question: str) -> frozenset[Number]:
    """The numbers of a question."""
    return frozenset(map(number_of, _written(question)))


@lru_cache(maxsize=4096)
def _given(question: str) -> tuple[_Count, ...]:
    """What a question counts."""
    return tuple(_counted(question, 0, len(question)))


def _counted(text: str, start: int, end: int) -> Iterator[_Count]:
    pattern = _COUNT_IN_DIGITS if NUMBER_WORDS.isdisjoint(words_in(text)) else _COUNT
    for match in islice(pattern.finditer(text, start, end), _MOST):
        thing = match["thing"].lower()
        if thing not in _NO_THING:
            value = int(number_of(match["value"]))
            yield _Count(value, match["kind"].strip().lower(), thing, match.start(), match.end())


def _may_count(text: str, lone: set[Number], sites: list[re.Match[str]]) -> bool:
    """Whether a number that stands once may be one of things."""
    if any(_COUNTED.match(text, site.start()) for site in sites):
        return True
    return not lone.isdisjoint(map(number_of, NUMBER_WORDS & words_in(text)))


def _counts(
    chain: Chain,
    lone: set[Number],
    asked: frozenset[Number],
    numbers: Counter[Number],
    start: int,
    end: int,
) -> Iterator[Evidence]:
    """A count of things of which another number is used: 6 triangles, and "the 8 triangles"."""
    text = chain.text
    said = list(_counted(text, start, end))
    low, things = chain.question.lower(), [one.thing for one in said]
    if not any(
        one.value in lone and (things.count(one.thing) > 1 or one.thing in low) for one in said
    ):
        return
    given = _given(chain.question)
    used = {value for value, times in numbers.items() if times > 1} | asked
    for place, one in enumerate(said):
        if one.value not in lone or one.value < 2:
            continue
        others = [*given, *said[:place], *said[place + 1 :]]
        like = [o for o in others if o.thing == one.thing and o.value != one.value]
        like = [o for o in like if o.kind == one.kind or not (o.kind and one.kind)]
        if not any(other.value in used for other in like):
            continue
        if not _DEFINITE.search(text[max(start, one.start - 16) : one.start]):
            continue
        only = len(given) > 1 and [o.thing for o in given].count(one.thing) == 1
        only = only and not _MORE.search(asked_of(chain.question))
        first, last = sentence_around(text, one.start, one.end, start, end)
        near = 12 if only else 40
        if CHANGE.search(text, max(first, one.start - near), min(last, one.end + 30)):
            continue
        if len({other.value for other in like}) > 1:
            continue
        counts = {*asked, *(o.value for o in others)}
        known = _KNOWN.search(text[max(start, one.start - 10) : one.start]) is not None
        if not known or _TWICE.search(text):
            counts.add(2)
        if not only and _made(one.value, counts):
            continue
        if stands(text, (one.start, one.end), start, end):
            note = (
                f"{one.value} {one.thing} are spoken of only here, and elsewhere it"
                f" is {like[0].value}"
            )
            yield Evidence("contradiction", one.start, one.end, note)


def _made(value: Number, counts: set[Number]) -> bool:
    """Whether a number is the sum, difference or product of others, or the square of one."""
    if len(counts) > _MOST:
        return True  # of so many, any number is
    return any(
        value in (a + b, a - b, b - a, a * b) for a in counts for b in counts if a != b
    ) or any(value == a * a for a in counts)


def _letters(chain: Chain, lone: set[Number], start: int, end: int) -> Iterator[Evidence]:
    """A letter with a value that nothing uses, and another one that is worked out: r = 7."""
    text = chain.text
    if not any(number_of(value) in lone for value in _EQUALS.findall(text, start, end)):
        return
    found = list(islice(_LETTER.finditer(text, start, end), _MOST))
    if not found:
        return
    results = [*found, *islice(_LAST.finditer(text, start, end), _MOST)]
    for match in found:
        value = number_of(match["value"])
        if value not in lone:
            continue
        others = [one for one in results if one["name"] == match["name"] and one is not match]
        others = [one for one in others if number_of(one["value"]) != value]
        if len({one["value"] for one in others}) != 1:
            continue
        one = others[0]
        if near(value, number_of(one["value"])) or any(
            _SET.search(text, max(start, item.start() - 12), item.start()) for item in (match, one)
        ):
            continue
        first, last = sorted((match, one), key=lambda item: item.start())
        if takes_back(text, first.end(), last.start()) or CHANGE.search(
            text, max(start, last.start() - 40), last.start()
        ):
            continue
        if stands(text, match.span(), start, end) and stands(text, one.span(), start, end):
            note = f"{match['name']} is {match['value']} here, and {one['value']} elsewhere"
            yield Evidence("contradiction", *match.span(), note)


def _totals(
    chain: Chain, lone: set[Number], sites: list[re.Match[str]], start: int, end: int
) -> Iterator[Evidence]:
    """A total that is none of the sums worked out, and is used nowhere."""
    text, words = chain.text, words_in(chain.text)
    found: list[re.Match[str]] = []
    if not _TOTALS.isdisjoint(words) and any(
        occurs(("otal", "um"), text[max(start, one.start() - 20) : one.start()]) for one in sites
    ):
        found += islice(_TOTAL.finditer(text, start, end), 20)
    if not _TOGETHER_WORDS.isdisjoint(words) and any(
        occurs((" in ", " altog"), text[one.end() : one.end() + 36]) for one in sites
    ):
        found += islice(_TOGETHER.finditer(text, start, end), 20)
    for match in found:
        value = number_of(match["value"] if match.re is _TOTAL else match[0].partition(" ")[0])
        if value not in lone:
            continue
        told_counts = [one.value for one in told(chain.question).counted.values()]
        made, results = set[Number](), set[Number]()
        for one in equations(text, start, end):
            if isinstance(result := one.values[1], (int, Fraction)):
                results.add(result)
                made |= {result} if "+" in text[one.left.start : one.left.end] else set()
        if _GOES_ON.search(text, match.end(), min(end, match.end() + 30)):
            continue
        if _NOW.search(text, *sentence_around(text, match.start(), match.start(), start, end)):
            continue
        if len(told_counts) > 1:
            made.add(sum(told_counts))
        if not made or value in made or value == sum(made) or _made(value, results):
            continue
        around = _SAID.findall(text, max(start, match.start() - 60), min(end, match.end() + 60))
        terms = [one for one in map(number_of, around) if one not in (value, sum(told_counts))]
        if value == sum(terms) or _made(value, {*terms}) or value in [2 * term for term in terms]:
            continue
        if any(value == whole - one for whole in made for one in told_counts):
            continue
        if stands(text, match.span(), start, end):
            note = f"{shown(Fraction(value))} is none of the sums that are worked out"
            yield Evidence("contradiction", *match.span(), note)


def _recalled(text: str, sites: list[re.Match[str]], start: int, end: int) -> Iterator[Evidence]:
    """A result that is recalled as another: the sum is 20 + 35 = 55, and since the sum is 65."""
    for site in sites[:_MOST]:
        said = _PREMISE.search(text, max(start, site.start() - 40), site.start())
        if said is None or _GOES_ON.match(text[site.end() : site.end() + 3].lstrip("°% ")):
            continue
        worked = [
            match
            for match in islice(_WORKED.finditer(text, start, said.start()), _MOST)
            if match["name"].lower() == said["name"].lower()
        ]
        if len({match["value"] for match in worked}) != 1:
            continue
        before = worked[-1]
        if near(number_of(site[0]), number_of(before["value"])):
            continue
        if takes_back(text, before.end(), said.start()) or _NOW.search(
            text, before.end(), site.end()
        ):
            continue
        if stands(text, before.span(), start, end) and stands(text, site.span(), start, end):
            name = said["name"] if said["name"][-1].isupper() else f"the {said['name']}"
            note = f"{name} comes to {before['value']}, and is said to be {site[0]} later"
            yield Evidence("contradiction", *before.span(), note)
            yield Evidence("contradiction", said.start(), site.end(), note)


def _namely(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Another number of pairs than are listed behind it: five of them, namely six."""
    for match in islice(_NAMELY.finditer(text, start, end), 20):
        count = match["list"].count("(")
        front = match[0][: match.start("list") - match.start()]
        said = [*map(number_of, DIGITS.findall(front) + WORDS.findall(front))]
        if count not in said and stands(text, match.span(), start, end):
            note = f"{match['value']} are said to be listed, and there are {count}"
            yield Evidence("contradiction", *match.span(), note)

"""Counts, totals and letters with a value that is said once, and is another where it is used."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice, pairwise

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.equations import equations
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import (
    asked_of,
    hypothetical,
    retracted,
    takes_back,
    words_in,
)
from vlm_boundary.reasoning.steps import shown
from vlm_boundary.reasoning.told import told

_WORDED = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_WORDS = frozenset(_WORDED.split("|"))
_WORD = (  # begins with a set of characters, so that all others are passed fast
    r"[TFSENtfsen](?<!\w.)(?:(?<=[Tt])(?:wo|hree|en|welve)|(?<=[Ff])(?:our|ive)"
    r"|(?<=[Ss])(?:ix|even)|(?<=[Ee])(?:ight|leven)|(?<=[Nn])ine)"
)
_DIGITS = r"\d(?<![\d.,]\d)\d{0,8}(?:,\d{3})*(?:\.\d{1,6})?"
_FEW = r"\d(?<![\d.,/^+*×·=–-]\d)(?<![/^+*×·=-] \d)\d{0,3}"
_THINGS = (
    r" (?P<kind>(?:(?!of\b|more\b|by\b|times\b)[a-z]{3,12} ){0,2}?)"
    r"(?P<thing>[a-z]{3,14}s|children|people|men|women)\b(?!\s?[-+*/×=])"
)
# Numbers and counts, of a text with words for numbers or with digits alone.
_ANY = {True: re.compile(rf"{_DIGITS}|{_WORD}\b"), False: re.compile(_DIGITS)}
_COUNT = {
    True: re.compile(rf"(?P<value>{_FEW}|{_WORD}){_THINGS}"),
    False: re.compile(rf"(?P<value>{_FEW}){_THINGS}"),
}
_FOLLOWED = re.compile(r"\d(?<!\d\d)\d{0,3}(?= [a-z]{3})")
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
_CHANGE = re.compile(
    r"\b(?:if|would|could|might|another|other|others|left|remain\w*|new|now|more|less|fewer|extra"
    r"|add\w*|remov\w*|tak\w+|gives? (?:away|her|him|to)|gave|sold|bought|eaten|lost|instead|then"
    r"|next|before|first"
    r"|second|third|last|only|both|non\w*|not|between|among|outer|inner|corner|edge|middle|same"
    r"|equal|different|at least|most|together|pairs?|half|double|twice|out of|per|altogether|in all"
    r"|in total|total)\b",
    re.IGNORECASE,
)
_LETTER = re.compile(  # begins with a set of characters as well
    r"(?=[A-Zrdhabcpqm∠\\])(?<![\w^*/+·-])(?<![\d*/+·-] )(?P<name>[rdhabcpqm]|[A-Z]{2}|(?:∠|\\angle |angle"
    r" )[A-Z]{1,3}) ?= ?"
    r"(?P<value>\d{1,5}(?:\.\d{1,3})?)(?![\d/^²]|\.\d|,\d| ?[-+*/×·√π\\])"
)
_EQUALS = re.compile(
    r"=(?:(?<=[A-Zrdhabcpqm]=)|(?<=[A-Zrdhabcpqm] =)) ?"
    r"(?P<value>\d{1,5}(?:\.\d{1,3})?)(?![\d/^²]|\.\d|,\d| ?[-+*/×·√π\\])"
)
_LAST = re.compile(
    r"(?=[A-Zrdhabcpqm])(?<![\w^*/+·-])(?P<name>[rdhabcpqm]"
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
_GOES_ON = re.compile(r"[-+*/×·=−]")
_NAMELY = re.compile(
    rf"\b(?P<value>\d{{1,2}}|{_WORDED}) (?:[a-z]{{2,14}} ){{0,8}}?[a-z]{{2,14}}(?:"
    rf" [\dA-Z]{{1,2}})?[:,] ?(?:namely:? )?"
    r"(?P<list>\(\d{1,2}, ?\d{1,2}\)(?:(?:,? and "
    r"|, ?)\(\d{1,2}, ?\d{1,2}\)){1,40})(?!, ?(?:\.\.\.|…))",
    re.IGNORECASE,
)
_PAIRS = re.compile(r"\(\d{1,2}, ?\d{1,2}\)(?:,? and |, ?)\(")
_PHRASE = re.compile(
    r"\b(?P<key>[a-z]{1,12}-[a-z]{3,14}|[a-z]{3,12} [a-z]{3,14}(?=:| (?:is|was|are|equals|of|at"
    r"|to|on|points|stands|reads)\b))"
    r"(?: (?:is at|is on|is|was|are|equals|of|at|to|on|points to|points at|stands at|reads)|:)?"
    r" [$€£]?(?P<value>-?\d{1,6}(?:\.\d{1,3})?)(?![\d/%^]|[.,:]\d|,? (?:and |or )?\d"
    r"| ?[-+*/×·=√π]| x |\w)"
)
_VALUED = re.compile(r" (?=[-$€£\d])(?<=[a-z:] )[$€£]?-?(?P<value>\d{1,6}(?:\.\d{1,3})?)(?![\d/%^])")
_LINKS = frozenset("is was are equals of at to on reads".split())
_SIZES = frozenset("wide long high tall deep thick".split())
_SIZE = re.compile(
    r"(?<![\d.,/])(?P<value>\d{1,5}(?:\.\d{1,3})?)(?: ?[ckm]?m| met(?:er|re)s| feet| inches|"
    r" years?| units)?[ -](?P<key>wide|long|high|tall|deep|thick)\b"
)
_PLAIN = frozenset(
    "a s x because can the this that and for with from than into are was has have had its his her"
    " one two not but by step"
    " case option there only about then when where these those each every all more less total value"
    " number equals get gets gives give makes make answer result which take day chart year page"
    " line row column adding add plus"
    " now sum over between until least most exactly just also still already another other about"
    " read reads see now times subtract subtracting divide dividing multiply have using put"
    " need".split()
)
_SET = re.compile(r"\b(?:at|when|for|if|set|let|put|try|take|with|where|say)\s\Z", re.IGNORECASE)
_SAID = re.compile(r"(?<![\d.,(*/×·+=-])(?<![(*/×·+=-] )\d{1,6}(?![\d)]|\.\d| ?[*/×·+=)-])")
_SCALES = frozenset(Fraction(10) ** power for power in (1, 2, 3))
_MOVES = re.compile(
    r"\b(?:mov\w+|turn\w*|go(?:es|ing)?|later|until|becom\w+|ris\w+|rose|fall\w*|fell|drop\w*"
    r"|grow\w*|chang\w+|increas\w+|decreas\w+|start\w*|end\w*|inner|outer|small\w*|large\w*"
    r"|big\w*|when|while|or)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"^[^\S\n]*(?:[-*•]|\d{1,2}[.)])?[^\S\n]*\**(?P<label>[A-Za-z][^:\n=+]{0,30}?)\**(?::\**| -|"
    r" –)[^\S\n]*[$€£]?(?P<value>\d{1,6}(?:\.\d{1,3})?)(?![\d/%]"
    r"|[.,:]\d)(?:[^\S\n]*°?[a-zA-Z]{0,12}){0,2}[.,;]?$",
    re.MULTILINE,
)
_ADDED = re.compile(
    r"(?<![\d.*/×·+-])(?<![*/×·+-]"
    r" )\d{1,6}(?:\.\d{1,3})?(?: ?\+ ?\d{1,6}(?:\.\d{1,3})?)+(?![\d*/×·^]|\.\d| ?[*/×·^+-])"
)
_LETTERS = re.compile(r"[a-z]+")
_MOST = 60
_Number = int | Fraction  # an integer where it is whole, which is many times faster in sets


@dataclass(frozen=True, slots=True)
class _Count:
    value: int
    kind: str
    thing: str
    start: int
    end: int


def recountings(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """A value that is said once and used nowhere, of what has another value that is used."""
    text, words = chain.text, words_in(chain.text)
    written = Counter(_ANY[not _WORDS.isdisjoint(words)].findall(text, start, end))
    if 1 not in written.values():
        return
    numbers: Counter[_Number] = Counter()
    for number, times in written.items():
        numbers[_number(number)] += times
    if "(" in text and _PAIRS.search(text, start, end):
        yield from _namely(text, start, end)
    lone = {value for value, times in numbers.items() if times == 1}
    lone.difference_update(map(_number, _ANY[False].findall(chain.question)))
    lone.discard(_number((chain.answer or "").strip("$°% ")))
    if lone:  # the words for numbers of a question are read only now
        asked = _asked(chain.question)
        lone -= asked
    if lone:
        yield from _counts(chain, lone, asked, numbers, start, end)
        yield from _letters(chain, lone, start, end)
        yield from _totals(chain, lone, start, end)
        if _named_again(text, lone, start, end):
            yield from _phrases(text, lone, asked, numbers, start, end)
        if "+" in text and "\n" in text:
            yield from _added(text, lone, start, end)


@lru_cache(maxsize=4096)
def _number(written: str) -> _Number:
    if written.isalpha():
        return english_number(written) or -1
    try:
        return int(written) if written.isdecimal() else _whole(Fraction(written.replace(",", "")))
    except ValueError:
        return -1


def _whole(value: Fraction) -> _Number:
    return value.numerator if value.denominator == 1 else value


@lru_cache(maxsize=1024)  # many outputs answer one question
def _asked(question: str) -> frozenset[_Number]:
    """The numbers of a question."""
    return frozenset(_number(one) for one in _ANY[True].findall(question))


@lru_cache(maxsize=1024)
def _given(question: str) -> tuple[_Count, ...]:
    """What a question counts."""
    return tuple(_counted(question, 0, len(question)))


def _stands(text: str, span: tuple[int, int], start: int, end: int) -> bool:
    return not hypothetical(text, span[0], start) and not retracted(text, span[1], end)


def _counted(text: str, start: int, end: int) -> Iterator[_Count]:
    pattern = _COUNT[not _WORDS.isdisjoint(words_in(text))]
    for match in islice(pattern.finditer(text, start, end), _MOST):
        thing = match["thing"].lower()
        if thing not in _NO_THING:
            value = int(_number(match["value"]))
            yield _Count(value, match["kind"].strip().lower(), thing, match.start(), match.end())


def _counts(
    chain: Chain,
    lone: set[_Number],
    asked: frozenset[_Number],
    numbers: Counter[_Number],
    start: int,
    end: int,
) -> Iterator[Evidence]:
    """A count of things of which another number is used: 6 triangles, and "the 8 triangles"."""
    text = chain.text
    if _WORDS.isdisjoint(words_in(text)) and not any(
        _number(value) in lone for value in _FOLLOWED.findall(text, start, end)
    ):
        return
    said = list(_counted(text, start, end))
    if not any(one.value in lone for one in said):
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
        first, last = _sentence(text, one.start, one.end, start, end)
        near = 12 if only else 40
        if _CHANGE.search(text, max(first, one.start - near), min(last, one.end + 30)):
            continue
        if len({other.value for other in like}) > 1:
            continue
        counts = {*asked, *(o.value for o in others)}
        known = _KNOWN.search(text[max(start, one.start - 10) : one.start]) is not None
        if not known or _TWICE.search(text):
            counts.add(2)
        if not only and _made(one.value, counts):
            continue
        if _stands(text, (one.start, one.end), start, end):
            note = (
                f"{one.value} {one.thing} are spoken of only here, and elsewhere it"
                f" is {like[0].value}"
            )
            yield Evidence("contradiction", one.start, one.end, note)


def _made(value: _Number, counts: set[_Number]) -> bool:
    """Whether a number is the sum, difference or product of others, or the square of one."""
    if len(counts) > _MOST:
        return True  # of so many, any number is
    return any(
        value in (a + b, a - b, b - a, a * b) for a in counts for b in counts if a != b
    ) or any(value == a * a for a in counts)


def _sentence(text: str, first: int, last: int, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends, at most 60 characters away."""
    ahead = max(text.rfind(sign, max(start, first - 60), first) for sign in (". ", "\n"))
    behind = [at for sign in (". ", "\n") if (at := text.find(sign, last, last + 60)) >= 0]
    return max(ahead, start, first - 60), min([*behind, end, last + 60])


def _letters(chain: Chain, lone: set[_Number], start: int, end: int) -> Iterator[Evidence]:
    """A letter with a value that nothing uses, and another one that is worked out: r = 7."""
    text = chain.text
    if not any(_number(value) in lone for value in _EQUALS.findall(text, start, end)):
        return
    found = list(islice(_LETTER.finditer(text, start, end), _MOST))
    if not found:
        return
    results = [*found, *islice(_LAST.finditer(text, start, end), _MOST)]
    for match in found:
        value = _number(match["value"])
        if value not in lone:
            continue
        others = [one for one in results if one["name"] == match["name"] and one is not match]
        others = [one for one in others if _number(one["value"]) != value]
        if len({one["value"] for one in others}) != 1:
            continue
        one = others[0]
        if _near(value, _number(one["value"])) or any(
            _SET.search(text, max(start, item.start() - 12), item.start()) for item in (match, one)
        ):
            continue
        first, last = sorted((match, one), key=lambda item: item.start())
        if takes_back(text, first.end(), last.start()) or _CHANGE.search(
            text, max(start, last.start() - 40), last.start()
        ):
            continue
        if _stands(text, match.span(), start, end) and _stands(text, one.span(), start, end):
            note = f"{match['name']} is {match['value']} here, and {one['value']} elsewhere"
            yield Evidence("contradiction", *match.span(), note)


def _near(one: _Number, two: _Number) -> bool:
    """Whether one value is the other rounded, or in a larger unit."""
    small, large = sorted((Fraction(one), Fraction(two)))
    return large - small <= large / 50 or (small > 0 and large / small in _SCALES)


def _totals(chain: Chain, lone: set[_Number], start: int, end: int) -> Iterator[Evidence]:
    """A total that is none of the sums worked out, and is used nowhere."""
    text, words = chain.text, words_in(chain.text)
    found: list[re.Match[str]] = []
    if not _TOTALS.isdisjoint(words):
        found += islice(_TOTAL.finditer(text, start, end), 20)
    if not _TOGETHER_WORDS.isdisjoint(words):
        found += islice(_TOGETHER.finditer(text, start, end), 20)
    for match in found:
        value = _number(match["value"] if match.re is _TOTAL else match[0].partition(" ")[0])
        if value not in lone:
            continue
        told_counts = [one.value for one in told(chain.question).counted.values()]
        made: set[_Number] = {
            one.values[1]
            for one in equations(text, start, end)
            if "+" in text[one.left.start : one.left.end]
            and isinstance(one.values[1], (int, Fraction))
        }
        if _GOES_ON.search(text, match.end(), min(end, match.end() + 30)):
            continue
        if len(told_counts) > 1:
            made.add(sum(told_counts))
        if not made or value in made or value == sum(made) or _made(value, made):
            continue
        near = _SAID.findall(text, max(start, match.start() - 60), min(end, match.end() + 60))
        terms = [one for one in map(_number, near) if one not in (value, sum(told_counts))]
        if value == sum(terms) or _made(value, {*terms}) or value in [2 * term for term in terms]:
            continue
        if any(value == whole - one for whole in made for one in told_counts):
            continue
        if _stands(text, match.span(), start, end):
            note = f"{shown(Fraction(value))} is none of the sums that are worked out"
            yield Evidence("contradiction", *match.span(), note)


def _namely(text: str, start: int, end: int) -> Iterator[Evidence]:
    """Another number of pairs than are listed behind it: five of them, namely six."""
    for match in islice(_NAMELY.finditer(text, start, end), 20):
        count = match["list"].count("(")
        said = [
            int(_number(one))
            for one in _ANY[True].findall(match[0][: match.start("list") - match.start()])
        ]
        if count not in said and _stands(text, match.span(), start, end):
            note = f"{match['value']} are said to be listed, and there are {count}"
            yield Evidence("contradiction", *match.span(), note)


def _named_again(text: str, lone: set[_Number], start: int, end: int) -> bool:
    """Whether a width, or two words before a value that nothing uses, may be named twice."""
    if any(text.count(size, start, end) > 1 for size in _SIZES & words_in(text)):
        return True
    sites = (one for one in _VALUED.finditer(text, start, end) if _number(one["value"]) in lone)
    low = ""
    for site in islice(sites, _MOST):
        link = text[text.rfind(" ", start, site.start()) + 1 : site.start()]
        if link not in _LINKS and link[-1] != ":" and "-" not in link:
            continue
        low = low or text.lower()
        words = _LETTERS.findall(low, max(start, site.start() - 50), site.start())[-4:]
        if any(
            _PLAIN.isdisjoint(pair)
            and (low.count(" ".join(pair)) > 1 or low.count("-".join(pair)) > 1)
            for pair in pairwise(words)
        ):
            return True
    return False


def _phrases(
    text: str,
    lone: set[_Number],
    asked: frozenset[_Number],
    numbers: Counter[_Number],
    start: int,
    end: int,
) -> Iterator[Evidence]:
    """What is named by two words, or a width, with a value that nothing uses: 10 m wide."""
    groups: dict[str, list[re.Match[str]]] = defaultdict(list)
    for pattern in (_PHRASE, _SIZE):
        for match in islice(pattern.finditer(text, start, end), _MOST):
            groups[match["key"].lower()].append(match)
    for key, said in groups.items():
        values = {match["value"] for match in said}
        if len(values) != 2 or not _PLAIN.isdisjoint(re.split("[- ]", key)):
            continue
        for match in said:
            others = [one for one in said if one["value"] != match["value"]]
            used = _number(others[0]["value"].lstrip("-"))
            if _number(match["value"].lstrip("-")) not in lone or not (
                numbers[used] > 1 or used in asked
            ):
                continue
            first, last = _sentence(text, match.start(), match.end(), start, end)
            around = (
                f"{text[max(first, match.start() - 30) : match.start()]}|{text[match.end() : last]}"
            )
            if _CHANGE.search(around) or _MOVES.search(around):
                continue
            one, two = sorted((match, others[0]), key=lambda item: item.start())
            if _near(*(_number(item["value"].lstrip("-")) for item in (one, two))):
                continue
            if (
                takes_back(text, one.end(), two.start())
                or text[first : match.start()].rstrip()[-1:] == "="
            ):
                continue
            if _stands(text, match.span(), start, end):
                note = f"“{match[0]}” here, and “{others[0][0]}” elsewhere"
                yield Evidence("contradiction", *match.span(), note)


def _added(text: str, lone: set[_Number], start: int, end: int) -> Iterator[Evidence]:
    """A list of values, and a sum that has another one for one of them."""
    lines = list(islice(_LISTED.finditer(text, start, end), _MOST))
    if len(lines) < 2:
        return
    values = [Fraction(line["value"]) for line in lines]
    for match in islice(_ADDED.finditer(text, lines[0].start(), end), 20):
        before = [
            value for value, line in zip(values, lines, strict=True) if line.end() < match.start()
        ]
        terms = [Fraction(term) for term in re.findall(r"\d+(?:\.\d+)?", match[0])]
        if len(terms) != len(before):
            continue
        wrong = [(one, two) for one, two in zip(before, terms, strict=True) if one != two]
        if len(wrong) == 1 and wrong[0][0] in lone and _stands(text, match.span(), start, end):
            listed, term = map(shown, wrong[0])
            note = f"the list has {listed}, and the sum has {term} in its place"
            yield Evidence("contradiction", *match.span(), note)

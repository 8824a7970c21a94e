"""What is named by two words, a width or the line of a list, and has two values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.numerals import Number, number_of
from vlm_boundary.reasoning.text.passages import hypothetical, retracted, takes_back, words_in
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

CHANGE = re.compile(
    r"\b(?:if|would|could|might|another|other|others|left|remain\w*|new|now|more|less|fewer|extra"
    r"|add\w*|remov\w*|tak\w+|gives? (?:away|her|him|to)|gave|sold|bought|eaten|lost|instead|then"
    r"|next|before|first"
    r"|second|third|last|only|both|non\w*|not|between|among|outer|inner|corner|edge|middle|same"
    r"|equal|different|at least|most|together|pairs?|half|double|twice|out of|per|altogether|in all"
    r"|in total|total)\b",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    r"\b(?P<key>[a-z]{1,12}-[a-z]{3,14}|[a-z]{3,12} [a-z]{3,14}(?=:| (?:is|was|are|equals|of|at"
    r"|to|on|points|stands|reads)\b))"
    r"(?: (?:is at|is on|is|was|are|equals|of|at|to|on|points to|points at|stands at|reads)|:)?"
    r" [$€£]?(?P<value>-?\d{1,6}(?:\.\d{1,3})?)(?![\d/%^]|[.,:]\d|,? (?:and |or )?\d"
    r"| ?[-+*/×·=√π]| x |\w)"
)
_VALUED = re.compile(
    r" (?=[-$€£\d])(?<=[a-z:] )[$€£]?-?(?P<value>\d{1,6}(?:\.\d{1,3})?)(?![\d/%^])"
)
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
_WHOM = re.compile(r"\b([A-Z]{1,3})(?: [a-z]{2,3})? \Z")
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
    r"\d(?<![\d.*/×·+-]\d)(?<![*/×·+-] \d)\d{0,5}(?:\.\d{1,3})?"
    r"(?: ?\+ ?\d{1,6}(?:\.\d{1,3})?)+(?![\d*/×·^]|\.\d| ?[*/×·^+-])"
)
_LETTERS = re.compile(r"[a-z]+")
_MOST = 60


def named_again(text: str, sites: list[re.Match[str]], start: int) -> bool:
    """Whether a width, or two words before one of the values at `sites`, may be named twice."""
    if any(text.count(size) > 1 for size in _SIZES & words_in(text)):
        return True
    low = ""
    for site in sites[:_MOST]:
        space = text.rfind(" ", start, site.start())
        if space < 0 or _VALUED.match(text, space) is None:
            continue
        link = text[text.rfind(" ", start, space) + 1 : space]
        if link not in _LINKS and link[-1] != ":" and "-" not in link:
            continue
        low = low or text.lower()
        words = _LETTERS.findall(low, max(start, space - 50), space)[-4:]
        if any(
            _PLAIN.isdisjoint(pair)
            and (low.count(" ".join(pair)) > 1 or low.count("-".join(pair)) > 1)
            for pair in pairwise(words)
        ):
            return True
    return False


def phrases(
    text: str,
    lone: set[Number],
    asked: frozenset[Number],
    numbers: Counter[Number],
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
            used = number_of(others[0]["value"].lstrip("-"))
            if number_of(match["value"].lstrip("-")) not in lone or not (
                numbers[used] > 1 or used in asked
            ):
                continue
            first, last = sentence_around(text, match.start(), match.end(), start, end)
            around = (
                f"{text[max(first, match.start() - 30) : match.start()]}|{text[match.end() : last]}"
            )
            if CHANGE.search(around) or _MOVES.search(around):
                continue
            one, two = sorted((match, others[0]), key=lambda item: item.start())
            if _of_whom(text, one, start) != _of_whom(text, two, start):
                continue
            if near(*(number_of(item["value"].lstrip("-")) for item in (one, two))):
                continue
            if (
                takes_back(text, one.end(), two.start())
                or text[first : match.start()].rstrip()[-1:] == "="
            ):
                continue
            if stands(text, match.span(), start, end):
                note = f"“{match[0]}” here, and “{others[0][0]}” elsewhere"
                yield Evidence("contradiction", *match.span(), note)


def _of_whom(text: str, match: re.Match[str], start: int) -> str:
    """The capitals of which a value is said, where they stand before it: AB is 8 units long."""
    whom = _WHOM.search(text, max(start, match.start() - 12), match.start())
    return whom[1] if whom else ""


def added(
    text: str, lone: set[Number], sites: list[re.Match[str]], start: int, end: int
) -> Iterator[Evidence]:
    """A list of values, and a sum that has another one for one of them."""
    if not any(
        occurs((":", "-", "–"), text[max(start, one.start() - 6) : one.start()]) for one in sites
    ):
        return
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
        if len(wrong) == 1 and wrong[0][0] in lone and stands(text, match.span(), start, end):
            listed, term = map(shown, wrong[0])
            note = f"the list has {listed}, and the sum has {term} in its place"
            yield Evidence("contradiction", *match.span(), note)


def sentence_around(text: str, first: int, last: int, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends, at most 60 characters away."""
    ahead = max(text.rfind(sign, max(start, first - 60), first) for sign in (". ", "\n"))
    behind = [at for sign in (". ", "\n") if (at := text.find(sign, last, last + 60)) >= 0]
    return max(ahead, start, first - 60), min([*behind, end, last + 60])


def near(one: Number, two: Number) -> bool:
    """Whether one value is the other rounded, or in a larger unit."""
    small, large = sorted((Fraction(one), Fraction(two)))
    return large - small <= large / 50 or (small > 0 and large / small in _SCALES)


def stands(text: str, span: tuple[int, int], start: int, end: int) -> bool:
    """Whether a place is neither only supposed nor taken back."""
    return not hypothetical(text, span[0], start) and not retracted(text, span[1], end)

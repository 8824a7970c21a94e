"""Percentages, and the shares, factors and changes that a chain takes them for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.rules.theorems import FACTOR, FACTORS
from vlm_boundary.reasoning.text.passages import SENTENCE, unless_excused
from vlm_boundary.verifier.phrases import occurs

_PERCENT = re.compile(r"(\d(?<![\d.].)\d{0,2}(?:\.\d{1,2})?)\s?(?:\\?%|percent\b)")
_PARTS = {
    "half": Fraction(1, 2), "quarter": Fraction(1, 4), "fifth": Fraction(1, 5),
    "tenth": Fraction(1, 10),
}  # fmt: skip
_PART = re.compile(rf"\b(?:an? |one )?({'|'.join(_PARTS)}) of\b", re.IGNORECASE)
PERCENT_WORDS = frozenset(("percent", "factor", "decimal", *_PARTS))
"""A text without any of these words or a sign of percent says no percentage."""
_SHARE_WORDS = frozenset(word for name in FACTORS for word in name.split()[-1:])
_PAID = frozenset(
    "pay pays paying paid cost costs remain remains leave leaves leaving left charged".split()
)
_SHARES = ("%", "ercent", "uarter of", "alf of", "fifth of", "tenth of")
_FACTOR = re.compile(
    r"(?<![\d.$])(?P<factor>[01]\.\d{1,3})(?![\d%])\s?(?:[*×·]|\\times|\\cdot|of the)\s?\$?"
    r"|(?:[*×·]|\\times|\\cdot|\btimes|\bmultipl(?:y|ied|ying)(?: it| this| that)? by)\s?\$?"
    r"(?P<behind>[01]\.\d{1,3})(?![\d%])"
)
_PER = r"\s?(?:\\?%|percent\b)"
_AS_FACTOR = re.compile(
    rf"(?<![\d.])(?P<percent>\d{{1,3}}(?:\.\d)?){_PER} (?:is|equals|means|corresponds to|as)"
    r" (?:an? |the )?(?:[a-z]+ )?(?:factor|decimal)(?: of| is)? (?P<factor>[0-2]\.\d{1,4})(?![\d%])"
    r"(?!\s?[-+*/×÷=])"
)
# What stands between a percentage and its own factor.
_LEADS_TO = re.compile(
    r"(?:[\s,.;:]+(?:of|the|total|whole|price|amount|discount|increase|decrease|reduction|rise|off"
    r"|so|thus|hence|therefore|we|you|must|multipl(?:y|ied|ying)|it|by|means?|paying"
    r"|pay))*[\s,.;:]*",
    re.IGNORECASE,
)

_NUMBER = r"(?<![\d.,])(?P<{}>\d{{1,3}}(?:\.\d{{1,2}})?)"
# A percentage that is said to be a share, or the reverse: 25% of the total, which is a quarter.
_WHOLE = (
    r"(?=[.,;:)\n]|\s?\Z| of (?:it|them|all|that|this|the (?:total|whole|budget|bill|price|amount"
    r"|money|income|sum|circle|pie|chart|data|full|original|(?P<same>[a-z]{3,12}))\b)| so\b)"
)
_THAT_IS = r"(?:which is|that is|i\.e\.,?|in other words,?|is|are|or|means|equals|corresponds to|=)"
_SHARE_OF = re.compile(
    rf"{_NUMBER.format('percent')}{_PER}(?P<gap>[^.;:\d\n]{{0,50}}?)(?:[ ,(]{_THAT_IS}|[.,]"
    rf" (?:[Tt]hat|[Tt]his|[Ww]hich|[Ii]t)"
    rf" (?P<means>means|is|corresponds to)(?: that)?) (?:just |exactly |equal to |only"
    rf" )*(?P<share>{FACTOR})(?:{_WHOLE}"
    r"|(?(means) of the (?:whole |entire |total |full )?[a-z]+|(?!)))",
    re.IGNORECASE,
)
_IN_PERCENT = re.compile(
    rf"\b(?P<share>{FACTOR})\b(?P<gap>[^.;:\d\n]{{0,50}}?)[ ,(](?:which is|that is|i\.e\.,?|in"
    rf" other words,?|or|equals)"
    rf" {_NUMBER.format('percent')}{_PER}{_WHOLE}",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:about|almost|nearly|roughly|approximately|around|less|more|over|under|than|not|every|off"
    r"|each|and|plus|minus|without|other|remaining|rest|left|half|between)\b|n't",
    re.IGNORECASE,
)
# What is taken off, and what is then left to pay; what is put on, and what there is then.
_CUT = re.compile(
    rf"{_NUMBER.format('by')}{_PER}[ -](?:(?:is |are |was )?(?:taken |knocked )?off|discount"
    rf"|reduction|rebate|cheaper|less|decrease|price cut)\b"
    rf"|\b(?:discount|reduction|rebate|decrease|reduced|lowered|cut|drop\w*|falls?|fell"
    rf"|decreas\w+|-) ?(?:of |by )?"
    rf"{_NUMBER.format('by2')}{_PER}",
    re.IGNORECASE,
)
_LEFT = re.compile(
    rf"\b(?:pays?|paying|paid|costs?|remains?|leaves?|leaving|left)(?: (?:only|just|still|us|with"
    rf"|is|are|us with|now))*"
    rf" {_NUMBER.format('left')}{_PER}(?! (?:less|more|off|cheaper))(?:[^.;\n%\d]*)"
    rf"|{_NUMBER.format('left2')}{_PER} of (?:the|its|this|that) [^.;\n%\d]{{0,30}}?(?:remains?"
    rf"|(?:is|are) left|(?:has|have|needs?) to be paid"
    rf"|must be paid|(?:is|are) (?:still )?(?:paid|to be paid|to pay|charged))\b",
    re.IGNORECASE,
)
_PRICE = re.compile(r"\b(?:price|cost|pay|paid|sale|dollars?|euros?)|[$€£]", re.IGNORECASE)
_ONCE_MORE = re.compile(
    r"\b(?:another|further|additional\w*|again|second|then|twice|already|extra|deposit|rest|later|instal\w*|both|instead|not"
    r"|never"
    r"|tax|tip|save[sd]?|saving|coupon|first|after|each|year|years)\b|n't",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    rf"(?<![\d.,])(?P<one>\d{{1,6}}(?:\.\d{{1,2}})?) ?(?:/|÷"
    rf"|:) ?(?P<two>\d{{1,6}}(?:\.\d{{1,2}})?) ?(?:=|≈) ?"
    r"(?P<ratio>\d{1,3}(?:\.\d{1,4})?)(?![\d%])[^\d;\n]{0,60}?\b(?P<way>increased|grew|rose|gone"
    r" up|risen|grown|increases|grows"
    r"|rises|fell|decreased|dropped|gone down|fallen|declined)(?: by| about| exactly| roughly)+ "
    rf"{_NUMBER.format('by')}{_PER}",
    re.IGNORECASE,
)
_BY_FACTOR = re.compile(
    r"\bfactor (?:of"
    r" )?(?P<factor>\d{1,3}(?:\.\d{1,4})?)(?![\d%])[^.;\n\d]{0,40}?\b(?:(?P<up>increased|grew"
    r"|rose|risen|grown"
    r"|increase|growth|rise)|(?P<down>fell|decreased|dropped|fallen|declined|shrank|decrease"
    r"|decline|drop|fall))\b",
    re.IGNORECASE,
)


def wrong_percents(
    text: str, words: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A percentage and its factor, its share in words, what it leaves, or the change it is of."""
    if "factor" in words or "decimal" in words:
        yield from _percents_as_factors(text, start, end)
    if ("0." in text or "1." in text) and occurs(_SHARES, text):
        yield from _factors(text, words, start, end, question)
    if "%" in text or "percent" in text:
        paid = not _PAID.isdisjoint(words)
        for sentence in SENTENCE.finditer(text, start, end) if paid else ():
            if "%" in sentence[0] or "percent" in sentence[0]:
                found = _rest(sentence, question)
                if found:
                    first, last, note = found
                    yield from unless_excused(text, first, last, start, end, note)
        if not _SHARE_WORDS.isdisjoint(words):
            yield from _shares(text, start, end)
        if "by" in words:
            yield from _changes(text, start, end, question)
    if "factor" in words:
        for match in _BY_FACTOR.finditer(text, start, end):
            grows = Fraction(match["factor"]) > 1
            if (
                match["factor"] != "1"
                and grows != (match["up"] is not None)
                and not _VAGUE.search(match[0])
            ):
                note = f"a factor of {match['factor']} is {'a rise' if grows else 'a fall'}"
                yield from unless_excused(text, *match.span(), start, end, note)


def _shares(text: str, start: int, end: int) -> Iterator[Evidence]:
    """A percentage and a share in words that are said to be one."""
    found = [
        match
        for pattern in (_SHARE_OF, _IN_PERCENT)
        for match in pattern.finditer(text, start, end)
    ]
    for match in found:
        first = max(
            text.rfind(". ", start, match.start()), text.rfind("\n", start, match.start()), start
        )
        behind = text[match.end() : match.end() + 40].partition(".")[0]
        others = _PERCENT.findall(text[first : match.end()] + behind)
        if len(others) != 1 or _VAGUE.search(match["gap"]):
            continue
        same = match.groupdict().get("same")
        if (
            same
            and same.lower() not in text[first : match.start("share")].lower()
            and not match.groupdict().get("means")
        ):
            continue
        share = FACTORS[match["share"].lower().replace("-", " ")]
        if abs(Fraction(match["percent"]) - 100 * share) >= 1:
            note = f"{match['share']} is {float(100 * share):.4g}%, not {match['percent']}%"
            yield from unless_excused(text, *match.span(), start, end, note)


def _rest(sentence: re.Match[str], question: str) -> tuple[int, int, str] | None:
    """What is left of a price behind a cut by a percentage."""
    text = sentence[0]
    left = _LEFT.search(text)
    if left is None or _ONCE_MORE.search(text) or not _PRICE.search(f"{question} {text}"):
        return None
    cuts = [match["by"] or match["by2"] for match in _CUT.finditer(text)]
    said = left["left"] or left["left2"]
    others = [match[1] for match in _PERCENT.finditer(text)]
    if not cuts:
        cuts = [match["by"] or match["by2"] for match in _CUT.finditer(question)]
        others += [match[1] for match in _PERCENT.finditer(question)]
    if len(cuts) != 1 or len(others) != 2:
        return None
    cut = Fraction(cuts[0])
    if not 0 < cut < 100 or Fraction(said) == 100 - cut:
        return None
    place = "left" if left["left"] else "left2"
    note = f"{cuts[0]}% off leaves {float(100 - cut):g}%, not {said}%"
    return sentence.start() + left.start(place), sentence.start() + left.end(place), note


def _changes(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A ratio of two values of the question, and the change in percent that is drawn from it."""
    given = set(re.findall(r"(?<![\d.,])\d+(?:\.\d+)?", question))
    for match in _CHANGE.finditer(text, start, end):
        if match["one"] not in given or match["two"] not in given or not Fraction(match["two"]):
            continue
        ratio = Fraction(match["one"]) / Fraction(match["two"])
        said, change = Fraction(match["by"]), 100 * abs(ratio - 1)
        if abs(said - 100 * ratio) < 1 <= abs(said - change):
            by = f"a change by {float(change):.4g}%, not by {match['by']}%"
            note = f"{match['ratio']} times as much is {by}"
            yield from unless_excused(text, match.start("by"), match.end(), start, end, note)


def _percents_as_factors(text: str, start: int, end: int) -> Iterator[Evidence]:
    for match in _AS_FACTOR.finditer(text, start, end):
        if not _is_factor(Fraction(match["factor"]), Fraction(match["percent"]) / 100):
            share = float(Fraction(match["percent"]) / 100)
            note = f"{match['percent']}% is a factor of {share:g}, not {match['factor']}"
            yield from unless_excused(text, *match.span(), start, end, note)


def _is_factor(factor: Fraction, share: Fraction) -> bool:
    """Whether a factor gives the share, what is more or less by it, or that several times over."""
    return any(
        abs(base**times - factor) < Fraction(1, 1000) if times > 1 else base == factor
        for base in (share, 1 + share, 1 - share)
        for times in range(1, 13)
    )


def _factors(text: str, words: Set[str], start: int, end: int, question: str) -> Iterator[Evidence]:
    percents = list(_PERCENT.finditer(text, start, end))
    parts = [] if words.isdisjoint(_PARTS) else list(_PART.finditer(text, start, end))
    if len({match[1].lower() for match in (*percents, *parts)}) != 1:
        return
    share = Fraction(percents[0][1]) / 100 if percents else _PARTS[parts[0][1].lower()]
    named = (percents or parts)[0]
    match = _FACTOR.search(text, named.end(), min(end, named.end() + 160))
    if match is None or not _LEADS_TO.fullmatch(text, named.end(), match.start()):
        return
    written = match["factor"] or match["behind"]
    factor = Fraction(written)
    if _is_factor(factor, share) or _explained(
        factor, written, f"{question} {text[start : named.start()]}"
    ):
        return
    note = f"{named[0]} is a factor of {float(share):g}, not {written}"
    yield from unless_excused(text, named.start(), match.end(), start, end, note)


def _explained(factor: Fraction, written: str, before: str) -> bool:
    """Whether the factor, as a number or a percentage, comes from what was said before."""
    percent = f"{float(100 * factor):g}"
    rest = {f"{float(100 * abs(1 - factor)):g}", percent, written}
    return bool(rest & set(re.findall(r"\d+(?:\.\d+)?", before)))

"""Members of a list that are said to have what they have not: to lie above 50, to be even, to occur
four times, to be more than another."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.listed import (
    NOTHING,
    Listed,
    Mention,
    mention_of,
    mentions_in,
    row_after,
    sentences,
)
from vlm_boundary.reasoning.number_lists import VALUE, value_of
from vlm_boundary.reasoning.steps import shown
from vlm_boundary.verifier.phrases import occurs

Found = tuple[int, int, str]
"""What a flag has: where it begins and ends, and its note."""
COMPARED: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "below": operator.lt, "under": operator.lt, "less than": operator.lt,
    "smaller than": operator.lt, "lower than": operator.lt, "fewer than": operator.lt,
    "shorter than": operator.lt, "above": operator.gt, "over": operator.gt,
    "greater than": operator.gt, "larger than": operator.gt, "more than": operator.gt,
    "higher than": operator.gt, "bigger than": operator.gt, "exceed": operator.gt,
    "exceeding": operator.gt, "taller than": operator.gt, "longer than": operator.gt,
    "warmer than": operator.gt, "colder than": operator.lt,
    "at least": operator.ge, "at most": operator.le,
}  # fmt: skip
THRESHOLDS = tuple(f"{how} " for how in COMPARED)
THRESHOLD = re.compile(
    rf"\b(?P<how>{'|'.join(sorted(COMPARED, key=len, reverse=True))})s? (?:a |the )?(?:value of )?"
    rf"[$€£]?(?P<bound>{VALUE})(?![\w/^]|[.,]\d)",
    re.IGNORECASE,
)
_PROPERTY = re.compile(
    rf"{THRESHOLD.pattern}|\b(?P<kind>even|odd|primes?|acute|obtuse)\b"
    r"|\b(?P<of>multiples? of|divisible by|factors? of|divisors? of) (?P<base>\d{1,4})(?![\w/^]|[.,]\d)",
    re.IGNORECASE,
)
_KEYS = (*THRESHOLDS, "even", "odd", "prime", "acute", "obtuse", " of ", "divisible")
_TAIL = re.compile(
    r"(?P<tail>(?:[ /]?(?!(?:are|is|were|was|include)\b)[A-Za-z°%²³]{1,14}){0,5})[ *]{0,3}"
    r"(?:[:→–—]|\b(?P<verb>are|is|were|was|include|(?:came|occurred|fell|were|are) (?:on|in))\b:?(?: (?:only|just|therefore|thus|then|hence))?)"
    r"[ *]{0,3}"
)
_THESE = re.compile(  # less than 90°. Of the list 35°, 90° and 48° these are …
    r"°?\.(?P<tail>) (?:(?:in|of|from) (?:the|this) (?:list|data|values?)[^.]{0,60} )?"
    r"(?:these|those|they)(?P<verb> are):? ",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:not|no|none|neither|nor|never|except\w*|others?|without|if|would|could|might|or|almost"
    r"|nearly|about|between|differ\w*|sum|product|mean|average|times|change\w*|rises?|drops?"
    r"|increas\w*|decreas\w*|common|double|twice|half|percent\w*|probab\w*|than|how many|number of)\b"
    r"|n't\b|\?",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:at first|thought|think|seems?|expect\w*|suppose|assume|suggest\w*|mistak\w*)\b", re.I
)
_SOME = re.compile(
    r"\b(?:examples?|such|including|like|some|first|last|also|another|one|any|next|e\.g|other\w*"
    r"|largest|smallest|until|up to|in both|here|of (?:these|those|them)|among (?:these|those|them))\b",
    re.IGNORECASE,
)
_OF_NUMBERS = re.compile(r"\b(?:numbers|values|integers|scores|entries|evens|odds|primes)\b", re.I)
_COPULA = re.compile(
    r"(?<=[\w°%)])(?: (?:values?|heights?|temperatures?|scores?|sales))?"
    r"(?: (?:is|are|was|were|lies?|have|has|had|got|scored|shows?|being|costs?|sold|weighs?)\b"
    r"(?P<not>n't| not)?(?: (?:both|all|each|strictly|clearly|also|only|a|an|values?|scores?|still"
    r"|just))*)"
    r"\s*\Z",
    re.IGNORECASE,
)
_OPENED = re.compile(r"[,;:(]\s|\b(?:and|but|while|whereas|since|because|so|as|that)\b", re.I)
_SCOPED = re.compile(
    r"\b(?:after|before|since|until|first|last|except\w*|exclud\w*|without|ignor\w*|remov\w*|even"
    r"|odd|prime|divisible|multiples?|among|others?|rest|remain\w*|if|boys?|girls?|wom[ae]n|m[ae]n"
    r"|only|not|between|weekend|weekdays?|from|each|per|both|either|new|left|half|months? of)\b",
    re.IGNORECASE,
)
_MAKES = re.compile(
    r"[\s.,;)]{0,4}(?:so|thus|hence|and|therefore)?,?\s?(?:(?:that|this|which|it|these|they)(?:'s| is"
    r"| makes?| gives?| are)(?: a total of| up| altogether| only)?|there (?:are|is)(?: only)?|making"
    r"|giving|count(?: is|:| =)|(?:the )?(?:count|number)(?: of \w+)? is)\s"
    r"(?P<count>\d{1,2}|[a-z]{3,6})\b(?![.,]\d|\s?[%/°^*×·+-])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Speech:
    """Where a chain speaks of the one list that it, or its question, gives."""

    text: str
    question: str
    asked: str
    """The question without what it says in brackets, in small letters."""
    data: Listed
    start: int
    end: int


def wrong_members(speech: Speech, low: str) -> Iterator[Found]:
    """Each member that is said to be what it is not, or that is left out."""
    if occurs(_KEYS, low):
        yield from _of_properties(speech)
    if "?" in low or "yes" in low or ">" in low or "<" in low:
        yield from _told_one_by_one(speech)
    if occurs(
        (
            "twice",
            "times",
            "once",
            "thrice",
            "0s",
            "1s",
            "2s",
            "3s",
            "4s",
            "5s",
            "6s",
            "7s",
            "8s",
            "9s",
        ),
        low,
    ):
        yield from _frequencies(speech)
    if " than " in low and any(speech.data.names):
        yield from _comparisons(speech)


def _holds(said: re.Match[str], data: Listed) -> Callable[[Fraction], bool]:
    """The property that words name."""
    if said["how"]:
        name = data.named(said["bound"])
        bound = data.value(name) if name else value_of(said["bound"])
        compare = COMPARED[said["how"].lower()]
        return lambda value: compare(value, bound)
    if said["of"]:
        base = int(said["base"])
        if said["of"].lower().startswith(("factor", "divisor")):
            return lambda value: value != 0 and (base / value).denominator == 1
        return lambda value: base != 0 and (value / base).denominator == 1
    kind = said["kind"].lower()
    if kind == "acute":
        return lambda value: 0 < value < 90
    if kind == "obtuse":
        return lambda value: 90 < value < 180
    if kind.startswith("prime"):
        return _is_prime
    return lambda value: value % 2 == (kind == "odd")


def _is_prime(value: Fraction) -> bool:
    if value.denominator != 1 or value < 2:
        return False
    return all(value % factor for factor in range(2, min(int(value), 1000)) if factor**2 <= value)


def _of_properties(speech: Speech) -> Iterator[Found]:
    """The values below 9 are 7 and 9; A and B are below 9; the even numbers: 4, 6 and 9."""
    text = speech.text
    for first, last in sentences(text, speech.start, speech.end):
        opened = first
        for said in _PROPERTY.finditer(text, first, last):
            before = text[opened : said.start()]
            opened = said.end()
            if _DOUBT.search(text, first, said.start()):
                continue
            if text[said.end() : said.end() + 3] == " or":
                continue
            tail = _TAIL.match(text, said.end(), speech.end)
            these = None if tail else _THESE.match(text, said.end(), speech.end)
            tail = tail or these
            if tail and (these or not _UNSURE.search(before)) and not _UNSURE.search(tail["tail"]):
                row, stop = row_after(text, tail.end(), speech.end)
                if found := _listed(
                    speech,
                    said,
                    before + tail["tail"],
                    row,
                    stop,
                    single=tail["verb"] in ("is", "was"),
                ):
                    yield first, stop, found
                    continue
            if found := _named(speech, said, before):
                yield first, said.end(), found


def _known(speech: Speech, said: re.Match[str]) -> Listed:
    """The list that is known where words stand."""
    return speech.data if speech.data.start <= said.start() else NOTHING


def _may_be(mentions: Sequence[Mention], before: str, data: Listed, said: re.Match[str]) -> bool:
    """Whether the numbers are values of the list, and not what stands under them."""
    if said["kind"] or said["of"] or _OF_NUMBERS.search(before):
        return True
    holds = _holds(said, data)
    if not all(one.name or one.value in data.values for one in mentions):
        return False
    return data.asked or any(one.name or holds(data.of(one)) for one in mentions)


def _listed(
    speech: Speech, said: re.Match[str], before: str, row: str, stop: int, *, single: bool
) -> str | None:
    """What is wrong with a row of members behind what they are said to be."""
    data = _known(speech, said)
    mentions = mentions_in(row, data)
    if not mentions or not _may_be(mentions, before, data, said):
        return None
    if note := _unlike(mentions, said, data):
        return note
    asked = speech.asked.replace(said[0].lower(), "")
    if single or _SCOPED.search(asked) or not _alone(said, speech.asked) or _SOME.search(before):
        return None
    if said["of"] or not data.values or (said["how"] and data.named(said["bound"])):
        return None
    if any(one.value is not None and one.value not in data.values for one in mentions):
        return None
    names = {one.name for one in mentions if one.name}
    values = {one.value for one in mentions if not one.name}
    holds = _holds(said, data)
    for name, value in zip(data.names, data.values, strict=True):
        if holds(value) and value not in values and (not name or name not in names):
            whose = f" ({name})" if name else ""
            return f"{shown(value)}{whose} is {said[0].lower()} too, and is left out"
    return _wrong_count(speech, stop, mentions)


def _alone(said: re.Match[str], asked: str) -> bool:
    """Whether the question names no other property: 15 is odd, and not above 20."""
    return all(_meant(other) == _meant(said) for other in _PROPERTY.finditer(asked))


def _meant(said: re.Match[str]) -> tuple[object, ...]:
    if said["how"]:
        return COMPARED[said["how"].lower()], value_of(said["bound"])
    return ((said["kind"] or said["of"]).lower().rstrip("s"), said["base"])


def _wrong_count(speech: Speech, stop: int, mentions: Sequence[Mention]) -> str | None:
    """A count behind a row that has more or fewer members."""
    makes = _MAKES.match(speech.text, stop, speech.end)
    if makes is None or "how many" not in speech.asked:
        return None
    word = makes["count"].lower()
    count = int(word) if word.isdigit() else english_number(word) or 0
    values = speech.data.values
    of_values = sum(1 for value in values if any(m.value == value for m in mentions))
    if 0 < count < len(values) and count not in (len(mentions), of_values):
        return f"{len(mentions)} are listed, not {count}"
    return None


def _unlike(
    mentions: Sequence[Mention], said: re.Match[str], data: Listed, *, negated: bool = False
) -> str | None:
    holds = _holds(said, data)
    for one in mentions:
        value = data.of(one)
        if holds(value) == negated:
            whose = f"{one.name} has {shown(value)}, which" if one.name else shown(value)
            return f"{whose} is {'' if negated else 'not '}{said[0].lower()}"
    return None


def _named(speech: Speech, said: re.Match[str], before: str) -> str | None:
    """What is wrong with members before what they are said to be: 49 and 55 are above 50."""
    copula = _COPULA.search(before)
    data = _known(speech, said)
    if said["kind"] and copula and not re.search(r"\b(?:is|are|was|were)\b", copula[0]):
        return None
    how = (said["how"] or "").lower()
    if copula is None and not how.startswith("exceed"):
        return None
    items = (
        before[: copula.start()]
        if copula
        else re.sub(r"(?: (?:also|both|all|clearly))+ \Z", "", before)
    )
    items = items[items.rfind(";") + 1 :]
    if said["of"] and not said["of"].lower().startswith(("multiple", "divisible")):
        return None
    behind = speech.text[said.end() : said.end() + 12].lower()
    if re.match(r" (?:times|more|less|of|percent|of them)|[%+*/-]", behind):
        return None
    for part in (items, *_last_parts(items)):
        mentions = mentions_in(part, data)
        if mentions and _may_be(mentions, "", data, said):
            return _unlike(mentions, said, data, negated=bool(copula and copula["not"]))
    return None


def _last_parts(items: str) -> Iterator[str]:
    """What stands behind the last sign or word that may open a list of members."""
    cuts = [match.end() for match in _OPENED.finditer(items)]
    for cut in cuts[:3]:
        before = items[:cut].rstrip(" ,:(")
        if before[-1:] not in ")%°" and not before[-1:].isdigit():
            yield items[cut:]


_TOLD = re.compile(r"(?:\b(?:yes|no)\b|[✓✗✔✘✅❌])", re.IGNORECASE)
_ASKS = re.compile(
    rf"(?P<one>{VALUE})\s?(?P<sign>[<>≤≥]|\\leq?|\\geq?|is (?:less|greater|more|smaller|larger) than)"
    rf"\s?(?P<two>{VALUE})\s?\$?\s?\?\W{{0,6}}\Z"
)
_SIGNS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt, ">": operator.gt, "≤": operator.le, "≥": operator.ge,
}  # fmt: skip


def _told_one_by_one(speech: Speech) -> Iterator[Found]:
    """9 < 9? Yes. Aug 49: yes, where it is asked how many lie above 50."""
    text, data = speech.text, speech.data
    yield from _untrue(speech)
    limits = [said for said in _PROPERTY.finditer(speech.asked) if not said["of"]]
    right: list[int] = []
    wrong: list[Found] = []
    last = speech.start
    for told in _TOLD.finditer(text, speech.start, speech.end):
        yes = told[0].lower() in ("yes", "✓", "✔", "✅")
        first = max(speech.start, told.start() - 50)
        before = text[first : told.start()]
        if asks := _ASKS.search(before):
            sign = asks["sign"]
            word = ">" if sign.endswith(("greater than", "more than", "larger than")) else "<"
            compare = _SIGNS.get(sign.replace("\\leq", "≤").replace("\\geq", "≥"), _SIGNS[word])
            if compare(value_of(asks["one"]), value_of(asks["two"])) != yes:
                note = f"{asks['one']} {sign} {asks['two']} is {'false' if yes else 'true'}"
                yield first + asks.start(), told.end(), note
            continue
        mention = _told_of(before, data)
        if mention is None or len(limits) != 1:
            continue
        if _holds(limits[0], data)(data.of(mention)) == yes:
            right.append(told.start())
        else:
            note = f"{shown(data.of(mention))} is {'not ' if yes else ''}{limits[0][0].lower()}"
            wrong.append((max(first, told.start() - 20), told.end(), note))
        last = told.end()
    if len(right) > len(wrong) > 0:
        yield wrong[0][0], last, wrong[0][2]


_BARE = re.compile(
    rf"(?<![\w.,+*/^=(-] )(?<![\w.,+*/^=(-])(?P<one>{VALUE}) ?(?P<sign>[<>]) ?(?P<two>{VALUE})"
    r"(?=[,.;]?(?:\s|$))(?! ?[-+*/×÷·^=(?<>√])",
)


def _untrue(speech: Speech) -> Iterator[Found]:
    """9 > 10, of a value of the list and the number that it is to be compared with."""
    limits = {value_of(said["bound"]) for said in THRESHOLD.finditer(speech.asked)}
    for said in _BARE.finditer(speech.text, speech.start, speech.end) if limits else ():
        one, two = value_of(said["one"]), value_of(said["two"])
        of_list = (one in speech.data.values and two in limits) or (
            two in speech.data.values and one in limits
        )
        if of_list and not _SIGNS[said["sign"]](one, two):
            yield *said.span(), f"{said[0]} is false"


def _told_of(before: str, data: Listed) -> Mention | None:
    """The member of which it is told; a row of a table, or a few words."""
    line = before[before.rfind("\n") + 1 :]
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in line.strip(" |").split("|")]
        if len(cells) == 2 and (name := data.named(cells[0])):
            return Mention(name, None)
        return mention_of(cells[-1], data) if cells else None
    piece = re.split(r"[,;.!?\n](?=\s|$)", before)[-1].strip(" :→–—-=(*")
    mention = mention_of(piece, data)
    known = mention and (mention.name or mention.value in data.values)
    return mention if known else None


_TIMES = r"(?P<times>once|twice|thrice|(?:\d{1,2}|one|two|three|four|five|six|seven|eight) times)"
_OCCURS = re.compile(
    rf"(?<![\w.,/$-])(?P<value>{VALUE})\*{{0,2}}(?P<verb>:| →| (?:occurs?|appears?|comes up|shows up"
    r"|is (?:there|listed|repeated|found|present)|was (?:scored|rolled)))?(?: exactly| only| just)?"
    rf" {_TIMES}\b(?! (?:more|as|the|larger|smaller|greater|that)\b)",
    re.IGNORECASE,
)
_PLURAL = re.compile(
    rf"\b(?P<times>\d{{1,2}}|one|two|three|four|five|six|seven|eight) (?P<value>{VALUE})'?s\b", re.I
)
_TALLY = re.compile(
    rf"^[^\S\n]*(?:[-*•|][^\S\n]*)?\*{{0,2}}(?P<value>{VALUE})\*{{0,2}}[^\S\n]*(?::|→|->|\||=)"
    r"[^\S\n]*(?P<times>\d{1,2}|once|twice|thrice|(?:three|four|five|six) times)[^\S\n]*\|?[^\S\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
_INLINE = re.compile(
    rf"(?<=[:,;] )(?P<value>{VALUE})(?: ?[:→=] ?| \()(?P<times>\d{{1,2}})(?=[,;.)\s])(?! ?[-+*/=])"
)
_COUNTING = re.compile(r"frequen|how often|tally|count|occur|times|appear|dots", re.IGNORECASE)


def _frequencies(speech: Speech) -> Iterator[Found]:
    """5 appears four times; there are four 40s."""
    text, data = speech.text, speech.data
    if len(data.values) < 3 or "digit" in speech.asked:
        return
    for first, last in sentences(text, speech.start, speech.end):
        said = [*_OCCURS.finditer(text, first, last)]
        if len(said) == 1 and not said[0]["verb"]:
            continue
        for one in (*said, *_PLURAL.finditer(text, first, last)):
            yield from _wrong_frequency(one, data)


def wrong_tallies(speech: Speech) -> Iterator[Found]:
    """A row under another that gives a value's count: "40: 4"."""
    text, data = speech.text, speech.data
    rows = [*_TALLY.finditer(text, speech.start, speech.end)]
    if len(rows) < 3:
        rows = [*_INLINE.finditer(text, speech.start, speech.end)]
    values = [value_of(row["value"]) for row in rows]
    if len(rows) < 3 or len({*values}) != len(rows) or not {*values} <= {*data.values}:
        return
    if len({*data.values}) == len(data.values):
        return
    if _COUNTING.search(text, max(speech.start, rows[0].start() - 200), rows[0].start()):
        for row in rows:
            yield from _wrong_frequency(row, data)


def _wrong_frequency(said: re.Match[str], data: Listed) -> Iterator[Found]:
    value = value_of(said["value"])
    word = said["times"].lower().removesuffix(" times")
    named = {"once": 1, "twice": 2, "thrice": 3}
    times = named.get(word) or (int(word) if word.isdigit() else english_number(word))
    right = data.values.count(value)
    if right and times != right:
        yield *said.span(), f"{said['value']} stands {right} times in the list, not {times}"


_MORE = (
    r"higher|larger|greater|more|taller|bigger|longer|warmer|hotter|heavier|lower|smaller|less|fewer"
    r"|shorter|colder|cooler|lighter|cheaper"
)
_LESS = frozenset("lower smaller less fewer shorter colder cooler lighter cheaper".split())
_THAN = re.compile(
    r"(?P<one>[\w'’]+(?: \w{1,3})?)(?: \([^()]{1,12}\))? (?:is|has|had|was|scored|got|sold|shows)"
    rf"(?: a| much| slightly| even| clearly)?(?: (?P<by>{VALUE}))? (?P<how>{_MORE})(?: [a-z]{{3,12}})?"
    r" than (?:the |bar |in |on |that of )?(?P<two>[\w'’]+(?: \w{1,3})?)(?=[\s,.;:()!]|$)"
)


def _comparisons(speech: Speech) -> Iterator[Found]:
    """Tuesday is warmer than Thursday; Feb is 15 higher than Jan."""
    text, data = speech.text, speech.data
    for first, last in sentences(text, speech.start, speech.end):
        for said in _THAN.finditer(text, first, last):
            one, two = (_named_by(said[name], data) for name in ("one", "two"))
            if not one or not two or one == two or _UNSURE.search(text, first, said.start()):
                continue
            more = data.value(one) - data.value(two)
            more = -more if said["how"] in _LESS else more
            if more <= 0:
                note = f"{one} has {shown(data.value(one))} and {two} {shown(data.value(two))}"
                yield *said.span(), note
            elif said["by"] and value_of(said["by"]) != more:
                yield *said.span(), f"it is {shown(more)} {said['how']}, not {said['by']}"


def _named_by(words: str, data: Listed) -> str:
    """The member that one or two words name."""
    return data.named(words) or data.named(words.split()[0]) or data.named(words.split()[-1])

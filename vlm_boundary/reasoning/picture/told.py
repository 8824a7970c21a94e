"""What a question tells of its picture, as names and values: Jan 20, AC = 5, 3 red cubes."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.mathtext.words import english_number
from vlm_boundary.reasoning.lists.number_lists import value_of

_NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[$€£](?<!\w.)-?(?:(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?)(?![\w^]|[.,:/]\d)"
    r"|(?:[-−](?<![\w.^/:)-].)\d|\d(?<![\w.^/:$€£-]\d)(?<!\d,\d))"
    r"(?:\d{0,2}(?:,\d{3})+|\d{0,8})(?:\.\d{1,6})?(?![\d^²³/:]|[.,]\d| and a half"
    r"|(?![cmk]?m\b|k?g\b|[hs]\b)[A-Za-z]|[a-z]{1,4}\^)"
)
_WORDED = re.compile(  # begins with a set of characters as well
    r"[TFSENtfsen](?<!\w.)(?:(?<=[Tt])(?:wo|hree|en|welve)|(?<=[Ff])(?:our|ive)|(?<=[Ss])(?:ix"
    r"|even)"
    r"|(?<=[Ee])(?:ight|leven)|(?<=[Nn])ine)(?![\w-]| and an? )"
)
_UNIT = re.compile(
    r"[^\S\n]?(?:(?P<unit>°C?|\\?%|€|\$(?=[\s.,;)\]]|\Z)|[cmkd]?m[²³]?|k?g|ml|l|h|s|min|km/h|m/s"
    r"|degrees?|percent|dollars?|euros?|cents?|cent(?:imet\w+)|met(?:er|re)s?|kilomet\w+"
    r"|inch(?:es)?"
    r"|feet|units?|minutes?|hours?|seconds?)(?![\w/]))?"
)
_UNITS = {
    "degrees": "°", "degree": "°", "°C": "", "percent": "%", "\\%": "%", "unit": "", "units": "",
    "dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "£": "£",
}  # fmt: skip
# Where a statement of one value begins or ends.
CUT = re.compile(  # begins with a set of characters as well
    r"[;!?\n()\[\]|<>.:,\sasbwthgA](?:(?<=[;!?\n()\[\]|<>])|(?<=[.:])(?=\s|$)"
    r"|(?<=,)(?!\d|\s(?:at|which (?:is|has|was)|costing|with)\s)|(?<=\s)[–—]\s|(?<!\w.)"
    r"(?:(?<=a)nd|(?<=s)(?:o|ince)|(?<=b)ecause|(?<=b)(?<!thing b)ut"
    r"|(?<=w)(?:hile|here|hereas|hen|e)"
    r"|(?<=t)(?:hen|hat|hus|herefore)|(?<=h)(?:ence|ere)|(?<=g)iven"
    r"|(?<=[Aa])s(?= (?:the|angle|∠)))\b)",
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:[-–]\d+(?:\.\d+)?)?|[A-Za-z]+\d{0,2}²?|∠|=")
_OPERATORS = re.compile(r"[+*/×÷·^≈<>≤≥√]|\s[-−–]\s|\\(?:times|cdot|frac|sqrt|div)")
_SIGNS_BEFORE = frozenset("+*/×÷·^≈≤≥√")
_OPERATIONS_BEFORE = ("\\frac{", "\\sqrt{", "\\cdot ", "\\times ")
_SIGNS_BEHIND = _SIGNS_BEFORE | frozenset("<>-−=(")
_PLURAL = frozenset(
    "sides diagonals angles legs values points vertices numbers lengths scores lines heights"
    " sizes cards segments temperatures weights".split()
)
ATTRIBUTES = frozenset(
    "length width height radius diameter base side depth thickness weight mass price cost age"
    " speed slope area perimeter volume capacity distance hypotenuse diagonal edge chord".split()
)
SOFT = frozenset(
    "the a an is are was were has have = of at about exactly only just its their equal".split()
)
_SMALL = frozenset("one with".split())
_NO_THING = SOFT | {"with", "in", "on", "of", "to", "by"}
_NOT_A_NAME = frozenset(
    "hand start begin get off on co ratio step stage figure what which how who whose find why"
    " when if by than per times each more less half twice as to from through between scale only"
    " every and or showing shows any nearest".split()
)
_CALENDAR = {
    name[:3]: name
    for name in "january february march april june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday".split()
}
_CALENDAR |= {"sept": "september", "tues": "tuesday", "thur": "thursday", "thurs": "thursday"}
_TYPESET = re.compile(r"\\angle(?![a-zA-Z])|\^\{?\\circ\}?")
_BLANK = ("\\(", "\\)", "\\[", "\\]", "\\,", "**")
_DOLLAR = re.compile(r"\$(?!\d)")
_PLAIN = {"\\angle": "∠     ", "^\\circ": "°     ", "^{\\circ}": "°       "}
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_COLUMNS = re.compile(r"\|[^|;\n]*\|")
_HEADING = re.compile(r"[^:.;\d]{3,60}:\s")
_GEOMETRIC = re.compile(  # begins with a set of characters as well
    r"(?P<name>[∠aA-Z](?:(?:(?<=∠)\s{0,6}|(?<=[aA])(?<!\w.)ngle )[A-Z]{1,3}"
    r"|(?<=[A-Z])(?<![A-Za-z∠+*/×·-].)[A-Z]))"
    r"\s?(?:=|is|measures)\s?(?P<value>\d+(?:\.\d+)?)"
    r"(?![\d^/]|[.,]\d|\s?[-+*/×·=])"
)
_LENGTH_IN_LETTERS = re.compile(r"[A-Z][\s$]?(?:=|is|measures)[\s$]?\d")
_TOTAL = re.compile(
    r"\btotal(?: [a-z]{3,12})? (?:is|was|of) (?P<value>[$€£]?\d{1,9}(?:\.\d{1,2})?)(?![\d/,])"
)
_BOUGHT = re.compile(
    r"\b(?P<count>\d{1,3}|an?|one|two|three|four|five|six) (?P<thing>[a-z]{3,12})\b"
)
_COUNT_WORDS = {"a": 1, "an": 1, "one": 1}
_NEXT = re.compile(r"(?:[°%]|\s?[a-z]{1,2})?,?\s(?:and\s)?[$€]?")
_AND_X = re.compile(r"\d°? and [a-z]\.?\Z")
_SEVERAL = re.compile(r", \d")  # a, b, h = 6, 10, 4
_WHOLE = re.compile(
    r"\d|=|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|is|are|was|has|have|be"
    r"|equal)\b|\A\s*\Z"
)
_FRONTED = re.compile(
    r"\b(?:In|On|For|At) (?:the )?(?P<name>[A-Za-z0-9-]{2,12}(?: [A-Z0-9][\w-]{0,9})?), ?\Z"
)
_ANGLE_AT_LETTER = re.compile(r"[Aa]ngle (?:at|of) (?:the )?(?:vertex |point )?(?=[A-Z]\b)")
_ANGLE_AT = re.compile(r"[Aa]ngle (?:at|of) (?:the )?(?P<name>apex|centre|center|top)\b")
_TIMES = re.compile(r"\s*(?:[-−=(]|x\s?[$\d]|:\s?\d)")
_NAMES = re.compile(r"[a-z]{0,3}\s?:\s?[-$€]?\d")
_COUNTS = re.compile(r"\d [a-z]")
LETTERS = {"radius": "r", "height": "h"}  # as in every formula
_BY_THE_OTHER = (("radius", "diameter", 2), ("diameter", "radius", Fraction(1, 2)))
_OF_ADJECTIVE = {
    "wide": "width", "long": "length", "tall": "height", "high": "height", "deep": "depth",
    "thick": "thickness",
}  # fmt: skip
_OF_SOME = frozenset("slant small large shortest longest inner outer".split())
_REACH = 90


@dataclass(frozen=True, slots=True)
class Said:
    """One value, and the words before and behind it as far as its statement goes."""

    before: tuple[str, ...]
    value: Fraction
    unit: str
    behind: tuple[str, ...]
    plural: bool
    """Whether it is one of several: sides 6 and 10."""
    last: str
    """The last word before the value, as it stands."""
    first: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a question tells: a value per name, a count per thing, and its words."""

    named: Mapping[tuple[str, ...], Said] = field(default_factory=dict)
    counted: Mapping[tuple[str, ...], Said] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    counts: frozenset[tuple[str, ...]] = frozenset()
    """Names of things that are counted: spheres: 2."""
    values: tuple[Fraction, ...] = ()
    """All values in a row, where the picture shows one list of them."""
    unknown: bool = False
    """Whether the list ends with a letter for what is asked for."""
    in_letters: bool = False
    """Whether all that it tells are lengths and angles with letters: AB, angle A."""

    def __bool__(self) -> bool:
        return bool(self.named or self.counted)


_NOTHING = Told()


@lru_cache(maxsize=4)  # several checks read one text
def untypeset(text: str) -> str:
    """A text without the signs of typesetting, each place where it was."""
    if "\\" in text:
        text = _TYPESET.sub(lambda match: _PLAIN.get(match[0], " " * len(match[0])), text)
    if "\\" in text or "**" in text:
        for sign in _BLANK:
            text = text.replace(sign, "  ")
    return _DOLLAR.sub(" ", text) if "$" in text else text


def words_of(written: str) -> tuple[str, ...]:
    """The words that tell one name from another: no plural, months and days in full."""
    if "ngle " in written:
        written = _ANGLE_AT.sub(r"\g<name> angle", _ANGLE_AT_LETTER.sub("angle ", written))
    if "s" in written:
        written = written.replace("'s", "").replace("’s", "")
    return tuple(map(_kept, _TOKEN.findall(written)))


@lru_cache(maxsize=4096)
def _kept(word: str) -> str:
    """A word without its plural, and a month or a day in full."""
    if word == "∠":
        return "angle"
    if word.isupper() and len(word) <= 4:
        return word
    low = _CALENDAR.get(word.lower(), word.lower())
    plural = len(low) > 3 and low[-1] == "s" and low[-2] not in "su"
    return low[:-1] if plural else low


@lru_cache(maxsize=4)  # several checks read one text
def sayings(text: str, start: int, end: int) -> tuple[Said, ...]:
    """Each number that no sign of an operation stands by, with the words around it."""
    return tuple(_sayings(text, start, end))


def _sayings(text: str, start: int, end: int) -> Iterator[Said]:
    found = [one for one in _NUMBER.finditer(text, start, end) if _alone(text, one, start, end)]
    found += _WORDED.finditer(text, start, end)
    if not found:
        return
    cuts = list(_cuts(text, start, end))
    ends, starts = [cut[1] for cut in cuts], [cut[0] for cut in cuts]
    for match in sorted(found, key=lambda match: match.start()):
        place = bisect_right(ends, match.start()) - 1
        if place >= 0 and cuts[place][2] and match.start() - ends[place] < 3:
            place -= 1  # "Jan: 20" is one statement
        first = max(start, match.start() - _REACH, ends[place] if place >= 0 else start)
        before = text[first : match.start()]
        if first > start and text[first - 1] in ")]}" and before[:1].strip():
            continue  # the end of an expression
        before = before.removeprefix(" ").removeprefix("and ")
        if _OPERATORS.search(before) or ("=" in before and _SEVERAL.match(text, match.end())):
            continue
        unit = _UNIT.match(text, match.end(), end)
        last = unit.end() if unit else match.end()
        rest = text[last : min(end, last + _REACH)]
        if _OPERATORS.match(rest.lstrip()[:7]) or _TIMES.match(rest):
            continue
        stop = bisect_left(starts, last)
        behind = rest[: max(0, starts[stop] - last)] if stop < len(starts) else rest
        name = (unit["unit"] if unit else "") or ""
        name = _UNITS.get(name, name) or ("$" if match[0][0] in "$€£" else "")
        value = _value(match[0])
        words, rest_words = words_of(_front(text, first, start) + before), words_of(behind)
        if name == "°" and words[-1:] == ("=",) and len(words) > 1 and words[-3:-2] != ("angle",):
            words = (*words[:-2], "angle", *words[-2:])
        if rest_words and rest_words[0] in _OF_ADJECTIVE:  # 4 m wide
            words, rest_words = (*words, _OF_ADJECTIVE[rest_words[0]]), rest_words[1:]
        last_word = (before.split() or [""])[-1].strip("=: ").lower()
        plural = last_word in _PLURAL
        where = first, match.start(), match.end()
        yield Said(words, value, name, rest_words, plural, last_word, *where)


def _alone(text: str, number: re.Match[str], start: int, end: int) -> bool:
    """Whether no sign of an operation stands right before a number or right behind it."""
    first, last = number.span()
    if text[max(start, first - 2) : first].rstrip(" ")[-1:] in _SIGNS_BEFORE or text.endswith(
        _OPERATIONS_BEFORE, start, first
    ):
        return False
    return text[last : min(end, last + 2)].lstrip(" ")[:1] not in _SIGNS_BEHIND


def _cuts(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Where statements begin or end, and whether a value may still be joined behind it."""
    first = start
    for cut in CUT.finditer(text, start, end):
        if cut[0] == "and" and not _WHOLE.search(text, first, cut.start()):
            continue  # two names joined
        joins = cut[0] in ":|" and not _COUNTS.search(text, first, cut.start())
        first = cut.end()
        yield cut.start(), first, joins


def _front(text: str, first: int, start: int) -> str:
    """The name in front of a comma: In March, 25 units were sold."""
    if "," not in text[max(start, first - 2) : first]:
        return ""
    match = _FRONTED.search(text, max(start, first - 40), first)
    return f"{match['name']} " if match else ""


@lru_cache(maxsize=4096)  # many samples answer one question
def told(question: str) -> Told:
    """The names and values of a question that describes its picture or gives data."""
    described = _BRACKETS.search(question) if "[" in question else None
    if described is None and (
        not ("=" in question or "°" in question or "circ" in question)
        or _LENGTH_IN_LETTERS.search(question) is None
    ):
        return _NOTHING
    if described and _COLUMNS.search(described[1]):
        return _NOTHING  # of which column a value is, names alone do not tell
    text = untypeset(question)
    if described is None:
        found_names = _geometric(text)
        words = frozenset(words_of(text)) if found_names else frozenset[str]()
        return Told(found_names, {}, words, in_letters=True) if found_names else _NOTHING
    first, last = described.span(1)
    heading = _HEADING.match(text, first, last)
    first = heading.end() if heading else first
    named: dict[tuple[str, ...], list[Said]] = {}
    counted: dict[tuple[str, ...], list[Said]] = {}
    found = list(sayings(text, first, last))
    for place, said in enumerate(found):
        if _NAMES.match(text, said.end):
            continue  # at 6h: 8 °C
        listed = place + 1 < len(found) and _goes_on(text, said, found[place + 1])
        several = said.behind and place + 1 < len(found) and _of_one_name(said, found[place + 1])
        for key in () if listed or several else _keys(said):
            named.setdefault(key, []).append(said)
        in_row = listed or (place > 0 and _goes_on(text, found[place - 1], said))
        if not in_row and (thing := _thing(said)):
            counted.setdefault(thing, []).append(said)
    if total := _total(text, last):
        named.setdefault(("total",), []).append(total)
    bare = [two for one, two in pairwise(found) if _goes_on(text, one, two)]
    listed = not counted and "(" not in text[first:last] and len(bare) in (0, len(found) - 1)
    listed = listed and not ATTRIBUTES & {word for key in named for word in key}
    listed = listed and (bool(bare) or len(named) == len(found))
    values = tuple(said.value for said in found)
    things, counts = _once(counted), set[tuple[str, ...]]()
    for thing, said in things.items():
        alone = [thing[1:]] if all(len(other) == 2 for other in things) else []
        kinds = [other[0] for other in things]
        kind = [thing[:1]] if len(thing) == 2 and kinds.count(thing[0]) == 1 else []
        for name in (thing, *alone, *kind):
            named.setdefault(name, []).append(said)
            counts.add(name)
    for one, other, factor in _BY_THE_OTHER:
        if (one,) in named and (other,) not in named:
            named[other,] = [replace(said, value=factor * said.value) for said in named[one,]]
    for match in _BOUGHT.finditer(text, last):
        thing = words_of(match["thing"])
        if thing in named and thing not in things:
            count = Fraction(_COUNT_WORDS.get(match["count"]) or _value(match["count"]))
            things[thing] = Said(
                (), count, "", thing, False, "", match.start(), *match.span("count")
            )
    return Told(
        _once(named),
        things,
        frozenset(words_of(text)),
        frozenset(counts),
        values if listed else (),
        _AND_X.search(text[first:last]) is not None,
    )


def _total(text: str, last: int) -> Said | None:
    """The total that a question gives behind its description: if the total is 1200 dollars."""
    total = _TOTAL.search(text, last)
    if total is None:
        return None
    unit = _UNIT.match(text, total.end())
    name = (unit["unit"] if unit else "") or ("$" if "$" in total[0] else "")
    where = total.start(), *total.span("value")
    return Said(("total",), _value(total["value"]), _UNITS.get(name, name), (), False, "", *where)


def _goes_on(text: str, one: Said, two: Said) -> bool:
    """Whether two values stand in one list: sides 6 and 10."""
    alike = one.unit in ("", two.unit)
    return alike and _NEXT.fullmatch(text, one.end, two.start) is not None


def _of_one_name(one: Said, two: Said) -> bool:
    """Whether a value of another kind follows with no name of its own: Norway 16 gold, 8 silver."""
    return bool(one.before and two.behind) and not two.before


def _once(found: dict[tuple[str, ...], list[Said]]) -> dict[tuple[str, ...], Said]:
    """Only what is told once: the Q1 of two shops may be either's."""
    return {key: said[0] for key, said in found.items() if len(said) == 1}


def _geometric(text: str) -> dict[tuple[str, ...], Said]:
    """Lengths and angles with letters, which a question in prose gives as well."""
    found: dict[tuple[str, ...], list[Said]] = {}
    for match in _GEOMETRIC.finditer(text):
        unit = _UNIT.match(text, match.end())
        name = (unit["unit"] if unit else "") or ""
        value, where = Fraction(match["value"]), (match.start(), *match.span())
        said = Said((), value, _UNITS.get(name, name), (), False, "", *where)
        found.setdefault(words_of(match["name"]), []).append(said)
    return _once(found)


def _keys(said: Said) -> list[tuple[str, ...]]:
    """The names by which a chain may speak of a value."""
    before = said.before
    if "and" in before:
        before = before[len(before) - before[::-1].index("and") :]
    attribute = ATTRIBUTES & {*before[-1:]}
    if said.plural or _NOT_A_NAME & {*before, *(() if attribute else said.behind[:2])}:
        return []
    words = tuple(word for word in before if word not in SOFT and word not in _SMALL)
    if not words or not any(word[0].isalpha() or len(word) > 2 for word in words):
        return []
    last = words[-1]
    if (len(last) == 1 and last.islower()) or words == ("in",):
        return []
    if last in ATTRIBUTES and _OF_SOME & {*words}:
        return []
    if last.isupper() and words[-2:-1] == ("angle",):
        kind = words[-3:-1] if words[-3:-2] and not words[-3].isupper() else ()
        return [words[-2:], *([kind] if kind else [])]
    if last.isupper() and len(last) > 1:
        return [(last,)]
    if last == "angle":
        return [words[-2:]] if len(words) > 1 else []
    if last in ATTRIBUTES:
        if words[-2:] == ("side", "length"):
            return [words[-2:], ("side",)]
        return [(last,), *([(LETTERS[last],)] if last in LETTERS else [])]
    if said.last == "of" and said.behind:
        return []  # sizes of seven players
    plain_words = not said.behind and all(word.isalpha() and word.islower() for word in words)
    last_alone = [words[-1:]] if plain_words and len(words) > 1 and len(last) > 3 else []
    return [words, *last_alone] if len(words) <= 3 else []


def _thing(said: Said) -> tuple[str, ...]:
    """What a number in front counts: 3 red cubes."""
    if {*said.before} - SOFT - {"with", "bag", "jar", "box"} or said.unit or not said.behind:
        return ()
    if said.value.denominator != 1 or len(said.behind) > 2 or _NOT_A_NAME & {*said.behind}:
        return ()
    if not all(word.isalpha() and word not in _NO_THING for word in said.behind) or (
        len(said.behind[-1]) < 3
    ):
        return ()
    return said.behind


def _value(written: str) -> Fraction:
    if written.isalpha():
        return Fraction(english_number(written) or 0)
    return value_of(written.lstrip("$€£").replace("−", "-"))

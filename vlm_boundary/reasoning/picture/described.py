"""What a chain says differently from what its question tells of the picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction

from vlm_boundary.mathtext.words import FIRST_WORDS
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.lists.number_lists import number_lists
from vlm_boundary.reasoning.picture.sayings import Said, sayings, untypeset, words_of
from vlm_boundary.reasoning.picture.told import ATTRIBUTES, LETTERS, SOFT, Told, told
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.numerals import DIGITS, NUMBER_WORDS, WORDS, number_of
from vlm_boundary.reasoning.text.passages import (
    asked_of,
    asks_of_another,
    hypothetical,
    retracted,
    words_in,
)
from vlm_boundary.reasoning.text.steps import shown

# What may stand between a name and its value, or beside the name.
_LINKS = (
    frozenset(
        "he she they show showing read reading reach reached cost costing contribute measure"
        " measuring weigh stand equal lie got get scored score sold sell made earned had hold"
        " contain count give add take up account for make with which another it be being also"
        " therefore marked labelled labeled given bar line row column month day year team"
        " sector slice section category segment side value amount number price height share"
        " percentage entry point size level in on from at to picture chart graph table figure"
        " diagram image ticket this thus so as since because now we see know have whole"
        " highest largest best tallest lowest smallest worst longest shortest biggest starting"
        " entire first step budget".split()
    )
    | SOFT
)
_OTHER = frozenset(
    "sum total difference average mean median mode range ratio half third quarter twice"
    " double times percent more less fewer than plus minus without except remaining remain"
    " left but after before until between other rank place position product rest area perimeter"
    " volume and or not no each every both all together change increase decrease rise rose"
    " fell fall drop grew growth gain loss cumulative running probability chance frequency"
    " degree angle deviation down smaller larger small large big inner outer new old".split()
)
_DOING = frozenset("find give get lose win buy sell take eat add spend pay gain save".split())
_EACH = frozenset(["each", "every"])
_FIGURES = frozenset(
    "triangle square rectangle circle cube box trapezoid trapezium parallelogram rhombus"
    " prism cylinder cone sphere pyramid hexagon pentagon octagon sector piece part".split()
)
_OF = frozenset("of for from to than until between among".split())
_ADDING = frozenset(["add", "adding"])
_SEVERAL = FIRST_WORDS - {"one"}
_SEEN = frozenset(
    "there i see remove removing subtract subtracting take taking away scene contain include"
    " these those all then total it includes them".split()
)
_LESS = frozenset(
    "left remain remaining more less fewer other another each per every on behind in front of"
    " plus minus than or among at".split()
)
_BEHIND = frozenset(
    "more less fewer times time higher lower larger smaller older younger longer taller shorter"
    " cheaper greater bigger heavier lighter out to or by x off away up down above below left"
    " per each every over under ahead behind too of and percent".split()
)
_CHANGED = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|would|could|might|may be|instead|new|after|before|increas\w+"
    r"|decreas\w+|reduc\w+|discount\w*|remain\w*|left over|becomes?|doubl\w+|halv\w+|tripl\w+"
    r"|scal\w+|guess\w*|estimat\w*|try|trial|option|choice|add(?:s|ed|ing)? (?:up|to))\b",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(  # right beside the value
    r"\b(?:(?:is|are|ha[sd]|have) now|now (?:is|are|has|have)|other|another (?!\$)|similar|not|n't"
    r"|different|small(?:er)?|large[rd]?|inner|outer)\b",
    re.IGNORECASE,
)
INSTEAD = re.compile(r"[^.;\n]{0,20}\b(?:instead of|rather than)\b")
_ASIDE = re.compile(rf"{INSTEAD.pattern}|, -?\d")  # or the first of several
_SUM = re.compile(
    r"(?<![\d.*/×·÷^-])(?<![*/×·÷^-] )\d{1,6}(?:\.\d{1,3})?[°%]?"
    r"(?:\s?\+\s?\d{1,6}(?:\.\d{1,3})?[°%]?){2,12}"
    r"(?!\d|\.\d|\s?[-+*/×·÷^]|\s?\\)"
)
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOVED = re.compile(
    r"\b(?:mov|shift|gives?\b|tak|replac|chang|balanc|level|instead|swap|transfer|if|round|about"
    r"|approx|estimat|differ|deviat|new)",
    re.IGNORECASE,
)
_COINS = {"penny": 1, "pennie": 1, "nickel": 5, "dime": 10, "quarter": 25}
_SCALED = re.compile(r"\b(?:doubl|tripl|halv|increas|decreas|enlarg|reduc|scal|new\b|if\b|becom)")
_MULTIPLIED = re.compile(r" [a-z]{2,14}s? ?[×*]|\s?\\times")
_PRICE = re.compile(r"\d+(?:\.\d+)?(?=€| (?:cents|dollars|euros|points))|(?<=[$€£])\d+(?:\.\d+)?")
_PRICED = re.compile(r"\b(?:prices?|costs?|each|per|worth)\b")
_SOME = re.compile(r"\b(?:\d{1,3}|two|three|four|five|six) ([a-z]{3,14})\b")
_LETTERED = re.compile(  # letters, and the first number behind them
    r"[A-Z]{1,3}(?![A-Za-z])(?=[^\d\n;!?+*/×÷·^≈<>≤≥√]{0,90}?(\d+(?:[.,]\d+)*))"
)
_SCALES = frozenset(Fraction(10) ** power for power in (-3, -2, -1, 1, 2, 3))
_LARGE = frozenset(map(Fraction, (1000, 10**6)))
_START = re.compile(r"[.!?](?=\s)|\n")


_Fact = tuple[tuple[str, ...], Said]


def misreadings(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """What a chain says of names of its question that the question tells otherwise."""
    known = told(chain.question)
    if len(known.values) < 3 and not may_name(chain.text, known):
        return
    if asks_of_another(chain.question):
        return
    text = untypeset(chain.text)
    if known.in_letters and not _may_misread(text, known, start, end):
        return
    if len(known.values) > 2:
        yield from _misread_lists(text, known, asked_of(chain.question), start, end)
    changed = _SCALED.search(asked_of(chain.question)) is not None
    found: list[tuple[_Fact, Said]] = []
    for said in sayings(text, start, end):
        match = said_of(said, known) or _counted(said, known)
        if (
            match is None
            or not differs(match[1], said)
            or _worth(match, said, known, chain.question)
        ):
            continue
        if _MULTIPLIED.match(text, said.end) or (said.last == "for" and match[1].unit != said.unit):
            continue
        attribute = bool((ATTRIBUTES | {*LETTERS.values()}) & {*match[0]})
        if attribute and (changed or _of_another(text, said, known, start)):
            continue
        if not excused(chain, text, said, start, end):
            found.append((match, said))
    names = {fact[0] for fact, _ in found}
    swapped = {said.value for _, said in found} <= {fact.value for fact in known.named.values()}
    for (name, fact), said in found if len(names) == 1 or swapped else ():
        if not said_too(text, fact, start, end):
            continue
        values = f"the question has {written(fact)}, and here it is {written(said)}"
        note = f"for “{' '.join(name)}” {values}"
        yield Evidence("contradiction", said.first, said.end, note)


def written(said: Said) -> str:
    """A value with its unit: $1.20, 40°, 3 km."""
    value = shown(said.value)
    if said.unit in ("$", "€", "£"):
        return f"{said.unit}{value}"
    return f"{value} {said.unit}" if said.unit[:1].isalpha() else f"{value}{said.unit}"


def _worth(fact: _Fact, said: Said, known: Told, question: str) -> bool:
    """Whether a value is what all of a thing are worth, or none are left: 2 dimes, dimes: 20."""
    name, count = fact
    each = said.value / count.value if count.value else said.value
    if name not in known.counts:
        return _PRICED.search(question) is not None and shown(each) in DIGITS.findall(question)
    return each in (0, _COINS.get(name[-1])) or shown(each) in _PRICE.findall(question)


def may_name(text: str, known: Told) -> bool:
    """Whether a text may speak of what a question tells: of its letters, if it has nothing else."""
    if not known:
        return False
    if known.counted or not all(key[-1].isupper() for key in known.named):
        return True
    angle = "ngle" in text or "∠" in text
    return any(key[-1] in text and (angle or key[0] != "angle") for key in known.named)


def _may_misread(text: str, known: Told, start: int, end: int) -> bool:
    """Whether the first number behind one of the letters is another than the question's."""
    if not NUMBER_WORDS.isdisjoint(words_in(text)):
        return True
    for match in _LETTERED.finditer(text, start, end):
        facts = (known.named.get((match[0],)), known.named.get(("angle", match[0])))
        if any(fact is not None and shown(fact.value) != match[1] for fact in facts):
            return True
    return False


def said_of(said: Said, known: Told) -> _Fact | None:
    """The name and what the question tells of it, where a statement is of that and nothing else."""
    words = said.before
    found = {
        key: at for key in known.named if key[0] in words and (at := _place(key, words)) is not None
    }
    found = {key: at for key, at in found.items() if not _within(key, found)}
    if len(found) != 1:
        return None
    ((key, at),) = found.items()
    ahead, between = words[:at], words[at + len(key) :]
    if (_OTHER - _EACH - {*known.named[key].before}) & {*ahead, *between} or _BEHIND & {
        *said.behind[said.unit == "%" :][:3]
    }:
        return None
    attribute = bool(ATTRIBUTES & {*key})
    if not attribute and _EACH & {*ahead}:
        return None
    fact = known.named[key]
    own_words, allowed = {*fact.before, *fact.behind}, (known.words - _DOING) | _LINKS
    capitals = {word for word in ahead + between if word.isupper() and len(word) < 5}
    if ahead[:1] == ("A",):  # an article at the beginning of a sentence
        capitals -= {"A"}
    if not capitals <= own_words:
        return None
    if any(word[0].isdigit() or not _known(word, allowed) for word in between):
        return None
    if key in known.counts and (said.unit or not {*ahead, *between} <= SOFT | {"number"}):
        return None
    if not attribute and any(word.isdigit() for word in ahead):
        return None
    of = allowed | _OF | (_FIGURES | _EACH | {"these", "those"} if attribute else set())
    if _OF & {*ahead} and not {*ahead} <= of:
        return None
    if said.last == f"{fact.last}s" or (str(said.value),) in known.named:
        return None
    if said.before[-1:] == ("by",) or (between and _ADDING & {*ahead}):
        return None  # adding the cheese gives 8.50
    if ahead and (ahead[-1] == "from" or ahead[-1][0].isdigit() or _SEVERAL & {*ahead}):
        return None  # two single pencils
    own = ATTRIBUTES if attribute else ATTRIBUTES - {"price", "cost", "height", "length"}
    if any(word in own and word not in own_words for word in ahead + between):
        return None
    return key, fact


def _counted(said: Said, known: Told) -> _Fact | None:
    """The thing of which a number is said, and its count in the question: 3 red cubes."""
    if (
        said.unit
        or not said.behind
        or not said.value
        or not {*said.before} <= known.words | _LINKS | _SEEN
    ):
        return None
    if "remaining" in said.behind or "to" in said.before:
        return None
    for thing, counted in known.counted.items():
        alone = said.behind[0] == "are" and said.last != "of"
        behind = said.behind[1:] if alone else said.behind
        if behind[:2] == ("of", "them"):
            behind = behind[3:] if behind[2:3] == ("are",) else behind[2:]
        elif behind[0] == "of" and "are" in behind[2:4]:
            behind = behind[behind.index("are") + 1 :]
        elif behind[0] == "of" and len(behind) < 5 and behind[-len(thing) :] == thing:
            behind = thing
        rest = behind[len(thing) :]
        if {*rest[:1]} <= known.words - _LESS - _OTHER:
            rest = rest[1:]  # the noun that several share
        if rest[:1] in (("in",), ("on",)) and {*rest} <= known.words | SOFT | {"in", "on"}:
            rest = ()  # in the bag
        if behind[: len(thing)] == thing and not _LESS & {*rest[:3]}:
            return thing, counted
    kind, noun = said.behind[:1], said.behind[1:2]
    fact = None if ATTRIBUTES & {*kind} or kind in known.counts else known.named.get(kind)
    if (
        fact
        and noun
        and fact.unit == ""
        and {*noun} <= known.words - SOFT - _LESS - _OTHER - _DOING
    ):
        return None if _LESS & {*said.behind[2:]} else (kind, fact)  # 28 blue cars
    return None


def _known(word: str, allowed: Collection[str]) -> bool:
    """Whether a word, or one of its forms, is among others."""
    if word in allowed:
        return True
    return len(word) > 3 and any(other.startswith(word) for other in allowed)


def _within(key: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> bool:
    """Whether a name is part of another one."""
    return any(key != one and _place(key, one) is not None for one in others)


def _place(key: tuple[str, ...], words: tuple[str, ...]) -> int | None:
    """Where a name stands among words."""
    for at in range(len(words) - len(key) + 1):
        if words[at : at + len(key)] == key:
            return at
    return None


def _of_another(text: str, said: Said, known: Told, start: int) -> bool:
    """Whether the sentence speaks of a figure that the question does not have."""
    of_hexagon = {"triangle"} if "hexagon" in known.words else set()
    return not figures_of(text, said, start) <= known.words | of_hexagon


def figures_of(text: str, said: Said, start: int) -> frozenset[str]:
    """The figures that a sentence names before a value."""
    return _FIGURES & {*words_of(text[_sentence(text, said.start, start) : said.start])}


def _sentence(text: str, place: int, start: int) -> int:
    """Where the sentence before a place begins."""
    first = max(start, place - 160)
    return max((cut.end() for cut in _START.finditer(text, first, place)), default=first)


def differs(fact: Said, said: Said) -> bool:
    """Whether two values of one thing, in like units, are not the same even when rounded."""
    if fact.value == said.value or (said.value < 0 and fact.value != -said.value):
        return False
    if {fact.unit, said.unit} == {"$", "cents"}:
        return fact.value not in (said.value / 100, said.value * 100)
    if fact.unit != said.unit and ((fact.unit and said.unit) or "%" in (fact.unit, said.unit)):
        return False
    if fact.behind and said.behind and said.behind[0] not in (*fact.behind, "of", "are"):
        return False
    if fact.value and said.value / fact.value in (_SCALES if fact.unit != said.unit else _LARGE):
        return False  # in cents, or in thousands
    whole = fact.value.denominator == 1 and said.value.denominator == 1
    return whole or abs(fact.value - said.value) > abs(fact.value) / 50


def said_too(text: str, fact: Said, start: int, end: int) -> bool:
    """Whether a chain has the question's value as well, as one that only misread it does."""
    written = (*DIGITS.findall(text, start, end), *WORDS.findall(text, start, end))
    return not {fact.value, fact.value / 100}.isdisjoint(map(number_of, written))


def excused(chain: Chain, text: str, said: Said, start: int, end: int) -> bool:
    """Whether the value comes from a step, is only supposed, or is taken back."""
    if hypothetical(text, said.start, start) or retracted(text, said.end, end):
        return True
    if _ASIDE.match(text, said.end) or _of_a_column(text, said, start):
        return True
    if _CHANGED.search(text, _sentence(text, said.start, start), said.end):
        return True
    if _OTHERWISE.search(text, said.first, said.end):
        return True
    if (chain.answer or "").strip("$°% ") == shown(said.value):
        return True
    return any(
        said.value in equation.values and equation.left.start < said.end
        for equation in equations(chain.text, start, end)
    )


def _of_a_column(text: str, said: Said, start: int) -> bool:
    """Whether a value stands in a table, in a column that is worked out: Increase, Total."""
    opened = text.rfind("\n", start, said.start) + 1
    if text.find("|", opened, said.start) < 0:
        return False
    column, head = text.count("|", opened, said.start), opened
    while (above := text.rfind("\n", start, max(start, head - 1)) + 1) < head and (
        "|" in text[above:head]
    ):
        head = above
    names = text[head : text.find("\n", head)].split("|")
    return len(names) > column and bool(_OTHER & {*words_of(names[column])})


def _misread_lists(text: str, known: Told, asked: str, start: int, end: int) -> Iterator[Evidence]:
    """Lists and sums of all values of the picture that have one or two of them wrong."""
    told_values, size = known.values, len(known.values)
    sums = [(_numbers(match[0]), match.span()) for match in _SUM.finditer(text, start, end)]
    lists = [(one.values, (one.start, one.end)) for one in number_lists(text, start, end)]
    for values, (first, last) in (*lists, *sums):
        if len(values) == size + 1 and known.unknown:
            values = values[:size]  # with the one that was asked for
        wrong = [
            place for place in range(min(size, len(values))) if values[place] != told_values[place]
        ]
        others = Counter(told_values) - Counter(values)
        if len(values) != size or not others or retracted(text, last, end):
            continue
        most = 1 if size < 4 else size // 2
        if not (0 < len(wrong) <= most or (size > 3 and others.total() == 1)):
            continue
        if _MOVED.search(text, max(start, first - 120), min(end, last + 60)) or hypothetical(
            text, first, start
        ):
            continue
        (missing, *_), (extra, *_) = others, Counter(values) - Counter(told_values)
        if extra == sum(values) - extra:
            continue  # with the total behind it
        if extra in told_values and any(
            words_of(one) in known.named for one in _SOME.findall(asked)
        ):
            continue  # 2 pencils are bought
        note = f"{shown(extra)} stands among the values, and the question has {shown(missing)}"
        yield Evidence("contradiction", first, last, note)


def _numbers(written: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(number) for number in _PLAIN_NUMBER.findall(written))

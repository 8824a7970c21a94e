"""Whether a value answers what the question asks: its thing, its measure, its person.

A value that is said of something else is no answer where a sentence merely says it; the verdict is
then undecided. Nothing here looks at answers that are marked, except for pairs and shares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vlm_boundary.mathtext.units import SCALES, UNITS, Measure
from vlm_boundary.verifier.questions import asking_sentence, content
from vlm_boundary.verifier.values import Number, Value, unnamed

_HOW_MANY = re.compile(
    r"\b(?:how\s+many(?:\s+more|\s+fewer|\s+other|\s+different)?|(?:the\s+)?(?:total\s+)?number\s+of)\s+"
    r"((?:[\w'-]+\s+){0,4}?[\w'-]+)"
    r"(?=\s+(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|in|on|of|at|to"
    r"|from|with|that|which|who|there|you|we|he|she|it|they|the|must|may|left|fewer|less|more"
    r"|than|for|by|per|between|below|above)\b|[?.,;:]|\s*$)",
    re.IGNORECASE,
)
_ANYTHING = frozenset(  # of which any other thing may be one
    "object thing item shape figure piece element part unit one total time way people person kid "
    "child animal creature vehicle fruit food number different solution".split()
)
_NO_THING = frozenset(  # words that end the name of what is counted
    "in on of at to from with that which who there for by per as and or but is are was were has "
    "have had more less fewer left remaining if than then so because since when where while each "
    "total not the a an its their this these would will can could out away units unit "
    "times".split()
)
_MEASURES = (
    "area",
    "perimeter circumference",
    "radius",
    "diameter",
    "volume",
    "angle",
    "slope gradient",
    "mean average",
    "median",
    "mode",
    "range",
)
_MEASURE = {word: kind for kind, words in enumerate(_MEASURES) for word in words.split()}
_IN_DEGREES = frozenset(_MEASURE[name] for name in ("angle", "slope", "range", "mean"))
# What is asked for beside a measure; a sentence may name these on the way to a measure.
_PLAIN = frozenset(
    "sum product difference quotient remainder side length width height diagonal hypotenuse".split()
)
_RESULT = re.compile(
    r"\b(?:the|its|their)\s+(sum|product|difference|quotient|remainder)\s+(?:is|equals|=)\W*$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;:]|\bso\b")
_OTHER_TIME = re.compile(r"\b(?:ago|later|(?:last|next)\s+year)\b", re.IGNORECASE)
_SIZE = re.compile(
    r"\b(?:area|perimeter|circumference|radius|diameter|volume|slope|length|width|height|distance"
    r"|depth|speed|mass|weight|probability)\b",
    re.IGNORECASE,
)
_HAS_PARTS = re.compile(
    r"\b(?:has|have|there\s+(?:is|are))\s+(?:exactly\s+|only\s+)?[$*]*$", re.IGNORECASE
)
_THING = re.compile(r"[\s$*]{0,4}([a-z]{2,20})", re.IGNORECASE)
_PERSON = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{1,14}(?!\w)")
_CONCLUDING = r"^\W*(?:(?:so|thus|hence|therefore|then|overall)\W+)?(?:that\s+)?"
_OF_PERSON = re.compile(
    rf"{_CONCLUDING}((?-i:[A-Z])[a-z]{{1,14}})(?:'s)?\s+(?:is|was|has|had|needs|costs|gets|weighs"
    r"|paid|pays|spends|spent|runs|ran|earns|earned|scored|will)\b",
    re.IGNORECASE,
)
_OF_THING = re.compile(
    rf"{_CONCLUDING}the\s+((?:[a-z]+\s+){{0,2}}[a-z]+)\s+(?:costs?|weighs?|lasts?|takes|measures)\s",
    re.IGNORECASE,
)
_NO_PERSON = frozenset("he she it they this that there the each so".split())
_NO_OTHER = frozenset(
    "total answer result value number whole thing item object one all sum trip".split()
)
_GROUPS = (
    r"(?:pairs?|couples?|trios?|decades?|batch(?:es)?|packs?|packets?|boxes|bundles?|stacks?|sets?"
    r"|rows?|groups?|layers?|centur(?:y|ies)|fortnights?|gross)"
)
_IN_GROUPS = re.compile(rf"[\s$*_)}}]{{0,6}}(?:\\text\s*\{{\s*)?({_GROUPS})(?!\w)", re.IGNORECASE)
_GROUPED = re.compile(rf"\d[\s\\a-z{{~]{{0,12}}\b({_GROUPS})\b", re.IGNORECASE)
_SHARE_OF = re.compile(
    r"(?:\\?%|percent|per\s+cent|pct)[\s$}\\{a-z]{0,9}?\s+of[\s}]+\S", re.IGNORECASE
)
_SHARE_ASKED = re.compile(
    r"%|\b(?:percent\w*|per\s+cent|share|fraction|proportion|portion|part|probability|rate|ratio"
    r"|how\s+much)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AskedFor:
    """What a question asks for, as far as its words say.

    Attributes:
        stems: all its words.
        things: of what it asks how many; empty where it does not, or asks for just any thing.
        measures: the measures that the sentence names that asks.
        plain: the sums, sides and the like that it names.
        people: whom that sentence names.
        size: whether it asks for a size.
    """

    text: str
    stems: frozenset[str]
    things: frozenset[str]
    measures: frozenset[int]
    plain: frozenset[str]
    people: frozenset[str]
    size: bool


@lru_cache(maxsize=4096)
def asked_of(question: str) -> AskedFor:
    """What a question asks for."""
    last = asking_sentence(question)
    many = _HOW_MANY.search(last)
    things = _stems(" ".join(content(many[1]))) if many else frozenset()
    return AskedFor(
        question.lower(),
        _stems(question),
        things if things.isdisjoint(_ANYTHING) else frozenset(),
        _measures(last),
        _PLAIN & _stems(last),
        frozenset(name.lower() for name in _PERSON.findall(last)),
        many is None and _SIZE.search(last) is not None,
    )


def grouped(text: str, raw: str, end: int, question: str) -> bool:
    """Whether a value counts pairs, decades or a share of something where none is asked for."""
    said = _IN_GROUPS.match(text, end) or _GROUPED.search(raw)
    if said and said[1].lower().rstrip("s") not in question.lower():
        return True
    share = _SHARE_OF.search(text, max(0, end - len(raw)), end + 24)
    if share is None or share.start() > end + 1:
        return False
    return not _SHARE_ASKED.search(question)


def another_thing(sentence: str, start: int, end: int, value: Value | None, question: str) -> bool:
    """Whether a sentence says its value of another thing than the question asks for."""
    if not question:
        return False
    asked = asked_of(question)
    value = unnamed(value)
    unit = value.unit if isinstance(value, Number) else None
    return (
        (bool(asked.things) and _counts_another(sentence, start, end, unit, asked))
        or (asked.size and _counts_parts(sentence, start, end, asked))
        or _measures_another(sentence, _CLAUSE.split(sentence[:start])[-1], unit, asked)
        or _at_another_time(sentence, asked)
        or _of_another(sentence, asked)
    )


def _counts_another(
    sentence: str, start: int, end: int, unit: Measure | None, asked: AskedFor
) -> bool:
    """Whether another thing is counted than the one asked for: 5 trees, 5 hours."""
    if unit is not None:
        words = re.findall(r"[a-z]+", sentence[start:end].lower())
        return not all(word in asked.text or word in SCALES for word in words)
    named: list[str] = []
    for word in re.findall(r"[a-z'-]+", sentence[end : end + 60].lower()):
        if word in _NO_THING or len(named) == 3:
            break
        named.append(word)
    if not named or not _stems(" ".join(named)).isdisjoint(asked.things | _ANYTHING):
        return False
    return named[0].endswith("s") or named[-1].endswith("s")


def _counts_parts(sentence: str, start: int, end: int, asked: AskedFor) -> bool:
    """Whether something is counted where a size is asked for: it has 4 sides."""
    said = _THING.match(sentence, end)
    thing = said[1].lower() if said else ""
    if not thing or thing in _NO_THING or thing in UNITS or not _HAS_PARTS.search(sentence[:start]):
        return False
    return _stem(thing) not in asked.stems


def _at_another_time(sentence: str, asked: AskedFor) -> bool:
    return _OTHER_TIME.search(sentence) is not None and not _OTHER_TIME.search(asked.text)


def _measures_another(sentence: str, clause: str, unit: Measure | None, asked: AskedFor) -> bool:
    """Whether another measure is named than the one asked for, or an angle for a length.

    `clause` is what stands before the value.
    """
    named = _measures(sentence)
    if asked.measures and named and not named & asked.measures:
        return True
    result = _RESULT.search(clause)
    if result and asked.plain and result[1].lower() not in asked.plain:
        return True
    if asked.plain and not asked.measures and _measures(clause):
        return asked.plain.isdisjoint(_stems(sentence))
    if unit is None or unit.dimension != "angle" or not (asked.size or asked.measures):
        return False
    return not _measures(asked.text) & _IN_DEGREES


def _of_another(sentence: str, asked: AskedFor) -> bool:
    """Whether the subject is another person than the one asked for, or a thing not spoken of."""
    thing = _OF_THING.match(sentence)
    if thing and _stems(thing[1]).isdisjoint(asked.stems | _NO_OTHER):
        return True
    person = _OF_PERSON.match(sentence)
    if person is None or len(asked.people) != 1 or person[1].lower() in _NO_PERSON:
        return False
    return person[1].lower() not in asked.people


def _measures(text: str) -> frozenset[int]:
    return frozenset(_MEASURE[word] for word in _stems(text) if word in _MEASURE)


def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in re.findall(r"[a-z]{3,}", text.lower()))


def _stem(word: str) -> str:
    """A word without its plural."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word

"""Where a text may give one thing two values: told by the words beside them, before it is read."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

from vlm_boundary.reasoning.text.numerals import NUMBER_WORDS, WORDED
from vlm_boundary.reasoning.text.passages import words_in

ATTRIBUTES = tuple(
    (
        "length|width|height|radius|diameter|base|side|depth|thickness|weight|mass|price|cost|age|speed"
        "|temperature|angle|slope|value|area|perimeter|volume|score|capacity|share|size|population"
    ).split("|")
)
DROPPED = frozenset(
    "the a an this that these those its their his her our your my of for in on to at be same said"
    " given whole exact actual s from just so thus hence then now and since as because if but"
    " all also too which clearly therefore respectively here there is"
    " are".split()
)
MEASURES = frozenset(
    "value measure measurement size reading angle-measure number amount count".split()
)
_SEEN = frozenset("image picture figure chart graph diagram table".split())
NOBODY = _SEEN.union(
    "it this that which he she they we i you there these those one what who answer result sum"
    " product difference quotient remainder ratio total rest other another step each half third"
    " both".split()
)
_PLAIN_WORDS = frozenset(
    "was were has have had with by it we degrees units cm points dollars euros meters metres equals"
    " more less than get gives per measures =".split()
).union(DROPPED, MEASURES)
_NO_NAME = (_PLAIN_WORDS | {word.capitalize() for word in _PLAIN_WORDS}) - {"A"} | {""}
_VERBS = frozenset(
    "is are was were = equals equal measures reads reaches weighs cost costs comes being stands"
    " amounts".split()
)
_COUNTING = frozenset(
    "is are were has have owns own shows show contains contain holds hold includes include sees see"
    " counts count only exactly and the these those his her their all".split()
)
NOT_COUNTED = (
    "and are is was were more less fewer left times percent degree degrees unit units than equal"
    " together make makes give gives for with from into the that which have has out per other"
    " others plus minus over but each both remaining remain higher lower larger smaller different"
    " year years hour hours minute minutes second seconds days dollars euros cents points meters"
    " metres inches ways pairs cases sides choices options outcomes arrangements combinations"
    " paths routes positions solutions digits numbers"
).split()
"""What stands behind a number and is no thing that somebody has so many of."""
_NO_THING = _NO_NAME.union(NOT_COUNTED)
_STATING = _VERBS.union(ATTRIBUTES)
_BETWEEN = frozenset(  # what may stand between such a word and its value
    "of at to about exactly only just approximately a an the has have with".split()
)
# The number of things that are only spoken of again.
_AGAIN = frozenset("the these those his her their all".split())
CHANGE = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|let|set|when(?:ever)?|cases?|options?|choices?|scenario|or|either"
    r"|try|trying|would|could|might|(?-i:may)|imagine|guess\w*|estimat\w*|new|old|becom\w+"
    r"|chang\w+|after"
    r"|before|initial\w*|final\w*|origin\w+|earlier|later|then|next|now|steps?|first|second|third"
    r"|last|previous\w*|once|again|still|instead|day|week|month|morning|evening|start\w*|begin\w*"
    r"|until|during|meanwhile|gives? away|gave|gets?|got|buys?|bought|los[et]s?|eats?|ate|takes?"
    r"|took|taken|sells?|sold|receiv\w+|spen[dt]s?|used|remov\w+|adds|added|finds|left over"
    r"|remain\w*"
    r"|increas\w+|decreas\w+|doubl\w+|halv\w+|grow\w*|fall\w*|rise\w*|rose|drop\w*|scal\w+"
    r"|enlarg\w+"
    r"|reduc\w+|shrink\w*|cut|fold\w*|rotat\w+|mov\w+|shift\w*|pour\w*|join\w*|comes?|came|arriv\w+"
    r"|discount\w*|other|another|others|each|both|respectively|similar\w*|larger|smaller|bigger"
    r"|small|large|different|roots?|solutions?|more|less|fewer|inner|outer|example|per|every"
    r"|option|point(?!s)"
    r"|levels?|layers?|stages?|parts?|only|among|these|those|problem|exercise"
    r"|(?:left|right|upper|lower) (?:figure|diagram|triangle|picture)|on the (?:left|right)(?=,))"
    r"\b|x\^2|x²|\((?:[a-h1-9]|[ivx]{2,4})\)(?=\s)",
    re.IGNORECASE,
)
"""Words of another time, another case or another thing, by which two values may hold."""
ORDINAL = re.compile(r"\b(?:first|second|third|last|other|each)\b", re.IGNORECASE)
"""The words of a change that also stand in the name of one thing."""
# Fast signs of a statement: a value behind a word, and the word behind it.
_DIGITS = r"-?\d{1,9}(?:,\d{3})*(?:\.\d+)?"
_BEHIND = r"(?![\d/^:]|(?:[°%]| [a-z]{1,14})?\s?[-+*/×÷·^=<>]|\s?\\)(?: ([a-z]{3,14}))?"
_SITE = re.compile(
    rf" (?=[-$\\(€£\dtfsen])(?<=[a-z=:] )[$\\(]{{0,2}}[$€£]?({_DIGITS}|(?:{WORDED})\b){_BEHIND}"
)
_SITE_IN_DIGITS = re.compile(  # faster
    rf" (?=[-$\\(€£\d])(?<=[a-z=:] )[$\\(]{{0,2}}[$€£]?({_DIGITS}){_BEHIND}"
)
_GIVING = _STATING | _BETWEEN
_CUT = re.compile(r"[.,;:()+*/<>\n]")  # what ends a clause within a word
_SIGNS = frozenset("= + - − × ÷ · \\times \\cdot".split())  # with them, words are no name
_NOTHING = frozenset[str]()
_OPENING = frozenset(
    "so since because and but while then that which as with whose where here whereas".split()
)
_OF = frozenset("of for in on at".split())
_ANYTHING = (NOBODY - _SEEN) | {"all"}
_REACH = 80
_CLAUSE_SIGNS = (", ", ". ", "; ", "\n")
_CLAUSE = re.compile(r"[,.;](?=\s)|\n")
_NAME = re.compile(r"[^\W\d_]|∠|\d\d")  # a year is one as well
_SENTENCE_END = re.compile(r"[.\n]")
_WORD = re.compile(r"[A-Za-z]+")
_NEIGHBOURS = 40
_NEXT = 60


def differing_sites(text: str, start: int, end: int, far: int) -> list[int]:
    """Where values stand of which another one, `far` characters away at most, is of the same words.

    Nothing of values between which a word tells of a change.
    """
    in_digits = NUMBER_WORDS.isdisjoint(words_in(text))
    found = list((_SITE_IN_DIGITS if in_digits else _SITE).finditer(text, start, end))
    if len(found) < 2:
        return []
    pairs = [*_of_one_name(text, start, found), *_of_one_thing(text, start, found)]
    pairs = [pair for pair in pairs if pair[1] - pair[0] <= far and _may_differ(text, *pair)]
    if not pairs:
        return []
    first = min(one for one, _, _ in pairs)
    last = min(end, max(two for _, two, _ in pairs) + _NEXT)
    changes = [word.start() for word in _WORD.finditer(text, first, last) if _tells(word[0])]
    places: set[int] = set()
    for one, two, _ in pairs:
        if not _changed(text, one, two, changes):
            places |= {one, two}
    return sorted(places)


def _of_one_name(
    text: str, start: int, found: list[re.Match[str]]
) -> Iterator[tuple[int, int, bool]]:
    """Values that are given to the same words; apart where these are only a letter."""
    sites = [(match.start(), match[1]) for match in found if _is_given(text, start, match.start())]
    if len({value for _, value in sites}) < 2:
        return
    near: deque[tuple[int, str, frozenset[str]]] = deque(maxlen=_NEIGHBOURS)
    met: set[str] = set()
    for at, value in sites:
        names = _names(text, start, at)
        if names <= NOBODY or not any(map(_NAME.search, names)):
            continue
        if not met.isdisjoint(names):
            for place, other, others in near:
                if value != other and (names <= others or others <= names):
                    shared = min(names, others, key=len)
                    yield place, at + 1, len("".join(shared)) == 1
        met |= names
        near.append((at + 1, value, names))


def _is_given(text: str, start: int, place: int) -> bool:
    """Whether a word before a value may give it to what is named, for which letters are needed."""
    word = _word_before(text, start, place)
    if word == "=":
        named = _word_before(text, start, place - 2)
        return named.lower() != named.upper()
    return word in _GIVING


def _word_before(text: str, start: int, place: int) -> str:
    return text[max(start, text.rfind(" ", start, place) + 1) : place]


def _names(text: str, start: int, place: int) -> frozenset[str]:
    """The words of the clause that gives a value, without those that tell no name from another."""
    behind = text[max(start, place - _REACH) : place][::-1]
    if cut := _CUT.search(behind):
        after = behind[cut.end() : cut.end() + 2].lstrip(" ")
        if cut[0] in "+/<>" or (cut[0] == "*" and after[:1].isalnum()):
            return _NOTHING  # a term of an expression
        behind = behind[: cut.start()]
    words = behind[::-1].split()
    verb = _stating(words)
    if not verb:
        return _NOTHING
    if not _OPENING.isdisjoint(words):
        opened = max(place for place, word in enumerate(words) if word in _OPENING)
        words = words[opened + 1 :]
    if not _SIGNS.isdisjoint(words[:-1]):
        return _NOTHING
    return _NOTHING if verb in _VERBS and _of_anything(words) else frozenset(words) - _NO_NAME


def _of_anything(words: list[str]) -> bool:
    """Whether a name begins as that of a sum, of another one, or of what is only pointed at."""
    for word in words:
        if word in _OF:
            return False
        if word.lower() in _ANYTHING:
            return True
    return False


def _of_one_thing(
    text: str, start: int, found: list[re.Match[str]]
) -> Iterator[tuple[int, int, bool]]:
    """Different counts of one thing, where the first is not only spoken of again."""
    counted: dict[str, list[tuple[int, str]]] = {}
    for match in found:
        thing = match[2]
        if thing is None or thing in _NO_THING:
            continue
        at, value = match.start() + 1, match[1]
        word = _word_before(text, start, at - 1).lower()
        if word not in _COUNTING:
            continue
        near = counted.setdefault(thing, [])
        for place, other in near[-_NEIGHBOURS:]:
            if value != other:
                yield place, at, True
        if word not in _AGAIN:
            near.append((at, value))


def _stating(words: list[str]) -> str:
    """The word that gives a value at the end of others, with nothing but soft words behind it."""
    for word in reversed(words):
        if word in _STATING:
            return word
        if word not in _BETWEEN:
            return ""
    return ""


def _may_differ(text: str, one: int, two: int, apart: bool) -> bool:
    """Whether two values that are `apart` stand in two sentences."""
    return not apart or _SENTENCE_END.search(text, one, _clause_before(text, one, two)) is not None


def _clause_before(text: str, one: int, two: int) -> int:
    """Where the sign ends that parts the clause of the second value from the one before it."""
    return max(text.rfind(sign, one, two) for sign in _CLAUSE_SIGNS) + 1


def _changed(text: str, one: int, two: int, changes: list[int]) -> bool:
    """Whether a word of a change stands between two values, or behind the second one."""
    if _any_between(changes, one, _clause_before(text, one, two) - 1):
        return True
    closed = _CLAUSE.search(text, two, two + _NEXT)
    return _any_between(changes, two, closed.start() if closed else two + _NEXT)


def _any_between(places: list[int], first: int, last: int) -> bool:
    place = bisect_left(places, first)
    return place < len(places) and places[place] < last


@lru_cache(maxsize=4096)
def _tells(word: str) -> bool:
    """Whether a word tells of a change wherever it stands."""
    return CHANGE.fullmatch(word) is not None and ORDINAL.fullmatch(word) is None

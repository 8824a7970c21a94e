"""A value that is said once, and never used, of what has another value in the rest of a chain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.picture.described import differs, excused
from vlm_boundary.reasoning.picture.told import CUT, SOFT, Said, sayings, untypeset, words_of
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.numerals import NUMBER_WORDS, WORDED, digits_in
from vlm_boundary.reasoning.text.passages import takes_back, words_in
from vlm_boundary.reasoning.text.steps import shown

_IS = frozenset(["is", "are", "was", "were", "=", "equal"])
_PLAIN = SOFT | frozenset(
    "with since so as because thus given using we have therefore hence now this that for".split()
)
_ANYTHING = frozenset(
    "it value result answer number there he she they which one x y step case amount count".split()
)
_MADE = frozenset(
    "sum total slope ratio radius difference mean average area perimeter product intercept".split()
)
_AGAIN = (("with",), ("the",), ("these",), ("from",), ("all",))
_CHOOSING = frozenset("all dividing adding choosing two three".split())
_OF_SOME = frozenset("in on of that which with at to from left remain is whose between".split())
_ALONE = frozenset("sum slope mean average radius diameter hypotenuse perimeter median".split())
_ITS = frozenset("line graph right triangle circle".split())
_REACH = 60
_ANOTHER = re.compile(
    r"\b(?:second|third|other|another|smaller|larger|bigger|new|inner|outer|small|large|big|each"
    r"|similar|next|then|when|for|case|option|if|step|after|before|remaining|left)\b",
    re.IGNORECASE,
)
_LINKS = "is are was were of = equals sum total slope ratio radius mean average".split()
_SITE = re.compile(  # fast signs of what is taken apart afterwards
    rf" (?=[$€£\\(\d])(?:{'|'.join(f'(?<= {link} )' for link in _LINKS)})"
    r"[$€£\\(]{0,3}(?P<value>\d{1,9}(?:\.\d{1,6})?)(?![\d/^²³:]|\s?[-+*/×·÷^=])"
)
_WORDS = tuple(WORDED.split("|"))
_LINKED = (" is ", " = ", " are ", " was ", " were ", " equals ")
_SPOKEN_OF = r"(?:(?<=[wW]ith )|(?<=[tT]he )|(?<=[tT]hese )|(?<=[fF]rom )|(?<=all ))"
_COUNT_SITE = re.compile(
    rf" (?=[\dtfsen]){_SPOKEN_OF}(?P<value>\d{{1,4}}|{WORDED}) (?P<thing>[a-z]{{3,14}}s)\b"
)
_COUNT_SITE_IN_DIGITS = re.compile(  # faster
    rf" (?=\d){_SPOKEN_OF}(?P<value>\d{{1,4}}) (?P<thing>[a-z]{{3,14}}s)\b"
)
_SENTENCE = re.compile(r"[.!?](?=\s)|\n")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST = 60


def strays(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """Both places of a thing with two values, the second of which is nowhere else."""
    text = chain.text
    in_digits = words_in(text).isdisjoint(NUMBER_WORDS)
    sites = [*islice(_SITE.finditer(text, start, end), _MOST)]
    pattern = _COUNT_SITE_IN_DIGITS if in_digits else _COUNT_SITE
    count_sites = [*islice(pattern.finditer(text, start, end), _MOST)]
    if not (sites or count_sites):
        return
    numbers = digits_in(text, start, end)
    values = [one for one in sites if numbers.get(one["value"], 0) < 2 and _named(text, one, start)]
    counts = [
        one for one in count_sites if numbers.get(one["value"], 0) < 2 and _met(text, one, start)
    ]
    if not (values or counts):
        return
    text = untypeset(text)
    if any(
        not _of_a_case(text, one, start) and _underived(chain, one, start, end) for one in values
    ):
        yield from _values(chain, text, numbers, start, end)
    if any(_underived(chain, one, start, end) for one in counts):
        yield from _counts(chain, text, numbers, start, end)


def _of_a_case(text: str, site: re.Match[str], start: int) -> bool:
    """Whether a number stands before the clause of a value in its sentence, as of a case."""
    place = site.start("value")
    opened = _sentence(text, place, start)
    comma = text.rfind(", ", opened, place)
    if comma < 0 or CUT.match(text, comma) is None:
        return False
    return _NUMBER.search(text, opened, comma) is not None


def _underived(chain: Chain, site: re.Match[str], start: int, end: int) -> bool:
    """Whether no step comes to a value, which would excuse it, nor is it the answer."""
    last = site.end("value")
    if site["value"].isalpha():
        return chain.text.lower().count(f" {site['value']} ") < 2
    if chain.text[last : last + 1] == ",":
        return True  # perhaps one thousand and more
    value = Fraction(site["value"])
    if shown(value) == (chain.answer or "").strip("$°% "):
        return False
    return not any(
        equation.left.start < last and value in equation.values
        for equation in equations(chain.text, start, end)
    )


def _named(text: str, site: re.Match[str], start: int) -> bool:
    """Whether the word before a value may have been given one before."""
    last = text.rfind(" ", 0, site.start())  # before the link
    ahead = text[max(start, last - 16) : last].split()
    word = ahead[-1][1:] if ahead else ""
    if text.find(f"{word} ", start, last) < 0:
        return False  # each link begins with a space
    for link in _LINKED:
        place = text.find(word + link, start, last)
        if place >= 0 and not text[place + len(word) + len(link)].isalpha():
            return True
    return False


def _met(text: str, site: re.Match[str], start: int) -> bool:
    """Whether a number stands before an earlier one of the things that are counted."""
    place = text.find(f" {site['thing']}", start, site.start())
    if place <= 0:
        return False
    return text[place - 1].isdigit() or text[max(0, place - 6) : place].endswith(_WORDS)


def _values(
    chain: Chain, text: str, numbers: Mapping[str, int], start: int, end: int
) -> Iterator[Evidence]:
    known = _results(chain, text, start, end)
    asked = _NUMBER.findall(chain.question)
    for said in sayings(text, start, end)[:_MOST]:
        key = _key(said)
        if not key or text[said.start].isalpha():
            continue
        before = _same(known, key) or known.setdefault(key, said)
        if before.end >= said.start or not differs(before, said):
            continue
        used, stray = (shown(one.value) for one in (before, said))
        derived = before.last == "="
        if numbers.get(stray, 0) > 1 or not (derived or numbers.get(used, 0) > 1):
            continue
        if stray in asked and not derived:
            continue
        if _digits_before(text, said, start) or _digits_before(text, before, start):
            continue
        if not _explained(chain, text, before, said, start, end):
            one, two = text[before.first : before.end].strip(), text[said.first : said.end].strip()
            note = f"“{one}”, then “{two}”, with no word of a change between"
            yield Evidence("contradiction", before.first, before.end, note)
            yield Evidence("contradiction", said.first, said.end, note)


def _explained(chain: Chain, text: str, before: Said, said: Said, start: int, end: int) -> bool:
    """Whether a second value comes from a step, or is of another thing or time."""
    if excused(chain, text, said, start, end) or takes_back(text, before.end, said.end):
        return True
    return _ANOTHER.search(text, before.end, said.start) is not None


def _key(said: Said) -> tuple[str, ...]:
    """The words for what a value is of; none where they may be of anything."""
    words = tuple(word for word in said.before if word not in _PLAIN)
    if said.before[-1:] == () or not (said.before[-1] in _IS or {*words[-1:]} & _MADE):
        return ()
    return _known_by(words)


def _counts(
    chain: Chain, text: str, numbers: Mapping[str, int], start: int, end: int
) -> Iterator[Evidence]:
    """A count that is spoken of again as another: 3 triangles, and then "with 4 triangles"."""
    known: dict[str, Said] = {}
    asked = _NUMBER.findall(chain.question)
    for said in sayings(text, start, end)[:_MOST]:
        thing = said.behind[0] if said.behind else ""
        if len(thing) < 3 or said.unit or not text[said.end + 1 :].startswith(f"{thing}s"):
            continue
        before = known.setdefault(thing, said)
        if before is said or before.value == said.value or said.before[-1:] not in _AGAIN:
            continue
        if {*said.before} - _PLAIN - _CHOOSING or {*said.behind[1:2]} & _OF_SOME:
            continue
        used, stray = (shown(one.value) for one in (before, said))
        written = text[said.start : said.end].lower()
        times = numbers.get(stray, 0) + (
            text.lower().count(f" {written} ") if written.isalpha() else 0
        )
        if times > 1 or stray in asked or numbers.get(used, 0) < 2:
            continue
        if not _explained(chain, text, before, said, start, end):
            note = f"{used} {thing}s at first, and then {stray}"
            yield Evidence("contradiction", before.start, before.end, note)
            yield Evidence("contradiction", said.first, said.end, note)


def _same(known: dict[tuple[str, ...], Said], key: tuple[str, ...]) -> Said | None:
    """What is known by a name, or by its first word where that is all that is said again."""
    like = [one for one in known if one[:1] == key] if key in (("ratio",), ("slope",)) else []
    return known.get(key) or (known[like[0]] if len(like) == 1 else None)


def _known_by(words: tuple[str, ...]) -> tuple[str, ...]:
    if words[-1:] and words[-1] in _ALONE and {*words[:-1]} <= _ITS:
        words = words[-1:]
    if not words or _ANYTHING & {*words} or len(words) > 7:
        return ()
    if len(words) == 1 and not (words[0][:1].isupper() or words[0] in _ALONE):
        return ()
    return () if len(words[-1]) == 1 and words[-2:-1] != ("angle",) else words


def _results(chain: Chain, text: str, start: int, end: int) -> dict[tuple[str, ...], Said]:
    """What is worked out in an equation behind its name: the sum is 20 + 35 = 55."""
    found: dict[tuple[str, ...], Said] = {}
    steps = {equation.left.start: equation for equation in equations(chain.text, start, end)}
    for equation in steps.values():
        first = max(start, equation.left.start - _REACH)
        before = CUT.split(text[first : equation.left.start].rstrip("( "))[-1]
        words = words_of(before)
        last = equation
        while last.right.start in steps:
            last = steps[last.right.start]
        value = last.values[1]
        if words[-1:] and words[-1] in _IS and isinstance(value, (int, Fraction)):
            key = _known_by(tuple(word for word in words if word not in _PLAIN))
            place = equation.left.start - len(before), last.right.start, last.right.end
            if key:
                found.setdefault(key, Said(words, Fraction(value), "", (), False, "=", *place))
    return found


def _digits_before(text: str, said: Said, start: int) -> bool:
    """Whether another number stands before a value in its sentence, as of a case."""
    return _NUMBER.search(text, _sentence(text, said.start, start), said.first) is not None


def _sentence(text: str, place: int, start: int) -> int:
    """Where the sentence before a place begins."""
    first = max(start, place - 160)
    return max((cut.end() for cut in _SENTENCE.finditer(text, first, place)), default=first)

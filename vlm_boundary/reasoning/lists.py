"""What a chain says of a list of numbers that it gives itself."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from statistics import median

from vlm_boundary.mathtext.words import ENGLISH, english_number
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.passages import AnswerPlace, hypothetical, retracted, takes_back
from vlm_boundary.reasoning.steps import rounds_to, shown
from vlm_boundary.verifier.phrases import occurs

_NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,9})?(?:%|°)?"
_NAMED = rf"[A-Z][A-Za-z]{{0,14}}(?: is| has|:| =)?\s{{1,2}}{_NUMBER}"
_SEPARATOR = r"(?:,\s?(?:and )?|;\s| and )"
_PLAIN_LIST = re.compile(
    rf"(?P<intro>(?:\bare|[:=]|\bis|\border|sorted|\bget|\bgives)(?: (?:now|then))?,?)\s{{1,2}}"
    rf"\$?[\[({{]?(?P<list>{_NUMBER}(?:{_SEPARATOR}{_NUMBER}){{2,60}}+)"
    r"(?![\d.]*,?\s?(?:\.{2,}|…|[-+*/×÷=^]|etc))(?!\d)"
)
_LIST_FIRST = re.compile(
    rf"(?:^|(?<=[.!] )|(?<=\n))(?P<list>{_NUMBER}(?:{_SEPARATOR}{_NUMBER}){{2,60}}+)"
    r" are the (?:\w+ )?(?:values|numbers|scores|data|heights|lengths)\b"
)
_NAMED_LIST = re.compile(rf"(?<![\w-])(?P<list>{_NAMED}(?:{_SEPARATOR}{_NAMED}){{2,40}})(?![\d%])")
_BESIDE = re.compile(  # two numbers of a list
    r"\d[%°]?(?:,|;| and)\s?(?:and )?(?:[A-Z][A-Za-z]{0,14}(?: is| has|:| =)?\s{1,2})?(?=-?\d)"
)
_BETWEEN = (",", ";", " and")
_ITEM = re.compile(_NUMBER)
_PAIR = re.compile(rf"([A-Z][A-Za-z]{{0,14}})(?: is| has|:| =)?\s{{1,2}}({_NUMBER})")
_ASCENDING = re.compile(
    r"\b(?:sort(?:ed|ing)?|(?:in |an? )?(?:ascending|increasing|descending|decreasing"
    r"|numerical)(?: order)?"
    r"|(?:numbers|values|data|scores|them|these|it|arrang\w+|ordered) in order"
    r"|from (?:smallest|least|lowest|largest|greatest|highest) to (?:largest|greatest|highest"
    r"|smallest"
    r"|least|lowest))"
    r"(?:,? (?:them|it|these|the (?:numbers|values|data|list)|gives|we (?:get|have)|they are|are|is"
    r"|in (?:ascending|increasing|descending|decreasing|numerical)(?:"
    r" order)?))*\s{0,2}[:=,]?\s{0,2}$",
    re.IGNORECASE,
)
_DESCENDING = re.compile(r"\b(?:descending|decreasing|from (?:largest|greatest|highest))\b", re.I)
_OF_SOMETHING = re.compile(r"\b(?:by|alphabet\w*|chronolog\w*|not|original)\b", re.IGNORECASE)
_LEAST, _MOST = "smallest|lowest|minimum|least|shortest", "largest|highest|maximum|greatest|biggest"
_NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "last")
_WHAT = "value|number|one|score|temperature|element|entry|term"
_CLAIM = re.compile(
    rf"\b(?:the|their|its)\s(?P<what>median|mode|most frequent|most common|mean|average|range|sum"
    rf"|total|middle|{_LEAST}"
    rf"|{_MOST}"
    rf"|{'|'.join(_NTH)})(?:\s(?:{_WHAT}))?(?:\s(?:in|of) (?:the (?:list|data|chart|table|values"
    rf"|numbers)|these|them))?"
    rf"\s(?:is|equals|=)\s(?P<value>{_NUMBER})"
    r"(?=\s?(?:[.;!)\n]|$|,? (?:and|so|while|but)\b|,)|\s(?:cm|m|kg|degrees|units|points"
    r"|dollars)[.,;])"
    r"(?![.,]\d)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:so|thus|therefore|then|hence|and|here|clearly|now|we see that|this means|while|but|of"
    r" these"
    rf"|of them|(?:the|their) (?:{_LEAST}|{_MOST})(?: (?:{_WHAT}))? is {_NUMBER})[,\s]*)*",
    re.IGNORECASE,
)
_COMPARED: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "below": operator.lt, "under": operator.lt, "less than": operator.lt,
    "smaller than": operator.lt, "lower than": operator.lt, "above": operator.gt,
    "over": operator.gt, "greater than": operator.gt, "larger than": operator.gt,
    "more than": operator.gt, "higher than": operator.gt, "bigger than": operator.gt,
    "fewer than": operator.lt,
    "at least": operator.ge, "at most": operator.le,
}  # fmt: skip
_THINGS = r"(?!of )[a-z]{3,12}|of the [a-z]{3,12}|of them|of these"
_COUNTED = re.compile(
    rf"\b(?:there are |only |so |thus |exactly )?(?P<count>\d{{1,3}}|{ENGLISH}|none)\s(?:{_THINGS})"
    rf"(?:\s(?:are|is|lie|that are|which are))?\s(?P<how>{'|'.join(_COMPARED)})\s"
    r"(?P<bound>\d{1,9}(?:\.\d{1,6})?)(?=[.,;!]?(?:\s|$))",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    rf"\bthere are (?P<count>\d{{1,3}}|{ENGLISH}) (?:numbers|values|scores|bars|entries|elements)"
    r"(?: here| in (?:total|all|the list))?(?=[.,;!])",
    re.IGNORECASE,
)
_RANKED = re.compile(
    rf"\bthe (?P<nth>second|third)[ -](?P<what>{_LEAST}|{_MOST})(?: (?:{_WHAT}|bar))? is"
    r" (?:bar |at )?(?P<name>[A-Z][A-Za-z]{0,14})\b(?=\s?[.,;!])",
    re.IGNORECASE,
)
_RANKED_VALUE = re.compile(
    rf"\bthe (?P<nth>second|third)[ -](?P<what>{_LEAST}|{_MOST})(?: (?:{_WHAT}))? is"
    rf" (?P<value>{_NUMBER})(?=[.,;!]?(?:\s|$))(?!\s[a-z])",
    re.IGNORECASE,
)
_WHOLE = ("sum", "total", "mean", "average")
_KEYS = (
    "median", "mode", "mean", "average", "range", "sum", "total", "middle", "first", "second",
    "third", "fourth", "last", "most ", "there are ", "order", "sorted", "ascending",
    *(word for words in (_LEAST, _MOST) for word in words.split("|")), *_COMPARED,
)  # fmt: skip
_LISTS = 12
# An answer about the list.
_BARE = r"(?<![\w.,-])(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?(?![\w.,:/^]?\d)"
_ASKED_ITEM = (
    rf"(?:(?:the )?[A-Za-z]{{1,15}}(?: is| has|:| =)?\s)?{_BARE}(?:\s(?:cm|m|kg|s|min)\b|%|°)?"
)
_ASKED_LIST = re.compile(
    rf"{_ASKED_ITEM}(?:(?:[,;]\s(?:and\s)?|\sand\s){_ASKED_ITEM}){{2,40}}(?!\s?[-+*/×÷=<>])"
)
_BARE_VALUE = re.compile(_BARE)
_ASKED = re.compile(
    r"\bwhat is the (?P<what>median|mode|mean|average|range|smallest|largest|lowest|highest|minimum"
    r"|maximum)(?: [a-z]{3,12}){0,2}(?: (?:of|in) (?:the|these) [a-z]{3,12}(?:"
    r" [a-z]{3,12})?)?(?: in [a-z°]+)?\?",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    rf"\bhow many\b[^?]{{3,60}}?\b(?P<how>{'|'.join(_COMPARED)})"
    rf" (?P<bound>{_BARE})[^?\d]{{0,30}}\?",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(?:first|last|even|odd|except|without|difference|between|after|before|second|third|group"
    r"|increas\w+|if|then|per|twice|both|remov\w+|add\w*|other|not|new|doubl\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _List:
    values: tuple[Fraction, ...]
    names: tuple[str, ...]
    start: int
    end: int


def wrong_lists(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A list that is not sorted as said, and what is said of the one list that a chain gives.

    Nothing is compared where there are two lists of different numbers, nor where a statement is of
    a part of the list: the largest odd one, those of group B.
    """
    if sum(map(text.count, _BETWEEN)) < 2:
        return
    if len(list(islice(_BESIDE.finditer(text, start, end), 2))) < 2:
        return
    low = text.lower()
    if not occurs(_KEYS, low):
        return
    lists = _lists(text, start, end)
    if not lists:
        return
    yield from _unsorted(text, lists, start, end)
    if len({tuple(sorted(one.values)) for one in lists}) > 1:
        return
    given = frozenset(_ITEM.findall(question))
    for first, last, note in (*_claims(text, lists, end, given), *_counts(text, lists, end)):
        if not retracted(text, last, end) and not hypothetical(text, first, start):
            yield Evidence("contradiction", first, last, note)


def _lists(text: str, start: int, end: int) -> list[_List]:
    found: list[_List] = []
    for match in _NAMED_LIST.finditer(text, start, end):
        pairs = _PAIR.findall(match["list"])
        names = tuple(name for name, _ in pairs)
        if len(set(names)) == len(names):
            found.append(_List(tuple(_value(v) for _, v in pairs), names, *match.span("list")))
    plain = (pattern.finditer(text, start, end) for pattern in (_PLAIN_LIST, _LIST_FIRST))
    for match in chain.from_iterable(plain):
        first, last = match.span("list")
        if not any(one.start < last and first < one.end for one in found):
            values = tuple(_value(v) for v in _ITEM.findall(match["list"]))
            found.append(_List(values, (), first, last))
    return sorted(found, key=lambda one: one.start)[:_LISTS]


def _unsorted(text: str, lists: Sequence[_List], start: int, end: int) -> Iterator[Evidence]:
    for one in lists:
        before = text[max(start, one.start - 60) : one.start].rstrip("[({$ \n")
        said = before[max(before.rfind(". "), before.rfind("\n")) + 1 :]
        opened = _ASCENDING.search(said)
        if opened is None or _OF_SOMETHING.search(said):
            continue
        values = list(one.values)
        ways = [sorted(values)]
        if _DESCENDING.search(said) is not None:
            ways = [sorted(values, reverse=True)]
        elif re.search(r"ascending|increasing|from", opened[0], re.IGNORECASE) is None:
            ways.append(sorted(values, reverse=True))
        if values not in ways and not retracted(text, one.end, end):
            at = next(
                i for i in range(1, len(values)) if values[i] != ways[0][i] or i == len(values) - 1
            )
            note = f"the list is said to be in order, and {shown(values[at])} stands out of it"
            yield Evidence("contradiction", one.start, one.end, note)


_Found = tuple[int, int, str]


def _claims(text: str, lists: Sequence[_List], end: int, given: frozenset[str]) -> Iterator[_Found]:
    for match in _CLAIM.finditer(text, lists[0].end, end):
        what, said = match["what"].lower(), _value(match["value"])
        known = [one for one in lists if one.end <= match.start()]
        if not _alone(text, known[-1].end, match.start()):
            continue
        if not _only_of(known[-1].values, text[known[-1].end : match.start()]):
            continue
        if what in _NTH and len(known) > 1:
            continue  # of the list as it was, or of the sorted one
        if what in _WHOLE and (
            match["value"] in given or "%" in text[known[0].start : known[0].end]
        ):
            continue  # the total that the question names, of which the list has the shares
        right = {_of_list(what, one.values) for one in known} - {None}
        if right and not any(value is not None and rounds_to(value, said) for value in right):
            value = next(iter(right))
            assert value is not None
            yield *match.span(), f"the {what} of the list is {shown(value)}, not {match['value']}"
    for match in _RANKED_VALUE.finditer(text, lists[0].end, end):
        ranks = sorted(set(lists[0].values), reverse=match["what"].lower() in _MOST.split("|"))
        place = ("second", "third").index(match["nth"].lower()) + 1
        if len(ranks) < len(lists[0].values) or place >= len(ranks):
            continue  # which of two equal ones is the second can be said in two ways
        if _value(match["value"]) != ranks[place] and _alone(text, lists[0].end, match.start()):
            ranked = f"the {match['nth'].lower()} {match['what'].lower()}"
            yield *match.span(), f"{ranked} of the list is {shown(ranks[place])}"
    for match in _RANKED.finditer(text, lists[0].end, end):
        named = dict(zip(lists[0].names, lists[0].values, strict=False))
        most = match["what"].lower() in _MOST.split("|")
        ranks = sorted(set(named.values()), reverse=most)
        place = ("second", "third").index(match["nth"].lower()) + 1
        if match["name"] not in named or len(ranks) < len(named) or place >= len(ranks):
            continue
        if named[match["name"]] != ranks[place] and _alone(text, lists[0].end, match.start()):
            right_name = next(name for name, value in named.items() if value == ranks[place])
            ranked = f"the {match['nth'].lower()} {match['what'].lower()}"
            yield *match.span(), f"{ranked} of the list is {right_name}"


def _alone(text: str, after: int, start: int) -> bool:
    """Whether nothing in its own sentence says that a statement is of a part of the list."""
    opened = max(text.rfind(sign, after, start) for sign in (". ", "\n", "; ", ": "))
    sentence = text[opened + 1 if opened >= 0 else after : start].strip(" .,;:\n)]}$\\*")
    return _LEAD.fullmatch(sentence) is not None


def _only_of(values: Sequence[Fraction], between: str) -> bool:
    """Whether all numbers are of the list, or its sum, mean or length: none is added to it."""
    told = {*values, sum(values), Fraction(sum(values), len(values)), len(values)}
    return all(_value(number) in told for number in _ITEM.findall(between))


def _of_list(what: str, values: Sequence[Fraction]) -> Fraction | None:
    if what in _LEAST.split("|"):
        return min(values)
    if what in _MOST.split("|"):
        return max(values)
    if what in ("sum", "total"):
        return sum(values, Fraction(0))
    if what in ("mean", "average"):
        return sum(values, Fraction(0)) / len(values)
    if what == "range":
        return max(values) - min(values)
    if what == "median":
        return Fraction(median(values))
    if what == "middle":
        return values[len(values) // 2] if len(values) % 2 else None
    if what in ("mode", "most frequent", "most common"):
        (most, times), *others = Counter(values).most_common(2)
        return most if times > 1 and (not others or others[0][1] < times) else None
    place = len(values) - 1 if what == "last" else _NTH.index(what)
    return values[place] if place < len(values) else None


def _counts(text: str, lists: Sequence[_List], end: int) -> Iterator[_Found]:
    values = lists[0].values
    for match in _COUNTED.finditer(text, lists[0].end, end):
        said = _count(match["count"])
        bound, how = Fraction(match["bound"]), match["how"].lower()
        right = sum(_COMPARED[how](value, bound) for value in values)
        if said is not None and said != right and _alone(text, lists[0].end, match.start()):
            yield *match.span(), f"of the list {right} are {how} {match['bound']}, not {said}"
    for match in _LENGTH.finditer(text, lists[0].end, end):
        said = _count(match["count"])
        if said not in (None, len(values)) and _alone(text, lists[0].end, match.start()):
            yield *match.span(), f"the list has {len(values)} numbers, not {said}"


def _count(written: str) -> int | None:
    if written.isdigit():
        return int(written)
    return 0 if written.lower() == "none" else english_number(written)


def _value(written: str) -> Fraction:
    return Fraction(written.rstrip("%°").replace(",", ""))


def not_of_the_list(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """A median, mode, mean, range, extreme or count that the chain's one list does not have.

    Only where the question describes the picture with as many numbers: then the list is whole.
    """
    if not chain.question.lstrip().startswith("["):
        return []
    asked = chain.question.rpartition("]")[2]
    what, how = _ASKED.search(asked), _HOW_MANY.search(asked)
    said = re.match(r"[$*\s]*(\d{1,9}(?:\.\d{1,6})?)", chain.answer or "")
    if not (what or how) or said is None or chain.span is None or _PART.search(asked):
        return []
    lists = list(_ASKED_LIST.finditer(chain.text, start, answer.start))
    values = [tuple(Fraction(n.replace(",", "")) for n in _BARE_VALUE.findall(m[0])) for m in lists]
    if not values or len({tuple(sorted(one)) for one in values}) != 1:
        return []
    if takes_back(chain.text, lists[0].start(), answer.start):
        return []
    described = _BARE_VALUE.findall(chain.question[: -len(asked) or None])
    if len(described) != len(values[0]):
        return []
    if how:
        compare = _COMPARED[how["how"].lower()]
        right = Fraction(sum(compare(v, Fraction(how["bound"])) for v in values[0]))
        name = f"{how['how'].lower()} {how['bound']} are"
    else:
        assert what is not None
        found = _of_list(what["what"].lower(), values[0])
        if found is None:
            return []
        right, name = found, f"the {what['what'].lower()} is"
    value = Fraction(said[1])
    if right == value or (right.denominator != 1 and abs(right - value) < Fraction(1, 1)):
        return []
    note = f"of the list {name} {float(right):.6g}, not {said[1]}"
    return [Evidence("contradiction", *lists[-1].span(), note)]

"""An answer about the one list that a chain gives, compared with that list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from statistics import median

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.lists import COMPARED
from vlm_boundary.reasoning.passages import AnswerPlace, takes_back

_NUMBER = r"(?<![\w.,-])(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?(?![\w.,:/^]?\d)"
_ITEM = (
    rf"(?:(?:the )?[A-Za-z]{{1,15}}(?: is| has|:| =)?\s)?{_NUMBER}(?:\s(?:cm|m|kg|s|min)\b|%|°)?"
)
_LIST = re.compile(rf"{_ITEM}(?:(?:[,;]\s(?:and\s)?|\sand\s){_ITEM}){{2,40}}(?!\s?[-+*/×÷=<>])")
_VALUE = re.compile(_NUMBER)
_WHAT = re.compile(
    r"\bwhat is the (?P<what>median|mode|mean|average|range|smallest|largest|lowest|highest|minimum"
    r"|maximum)(?: [a-z]{3,12}){0,2}(?: (?:of|in) (?:the|these) [a-z]{3,12}(?:"
    r" [a-z]{3,12})?)?(?: in [a-z°]+)?\?",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    rf"\bhow many\b[^?]{{3,60}}?\b(?P<how>{'|'.join(COMPARED)})"
    rf" (?P<bound>{_NUMBER})[^?\d]{{0,30}}\?",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(?:first|last|even|odd|except|without|difference|between|after|before|second|third|group"
    r"|increas\w+|if|then|per|twice|both|remov\w+|add\w*|other|not|new|doubl\w+)\b",
    re.IGNORECASE,
)


def not_of_the_list(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """A median, mode, mean, range, extreme or count that the chain's one list does not have.

    Only where the question describes the picture with as many numbers: then the list is whole.
    """
    if not chain.question.lstrip().startswith("["):
        return []
    asked = chain.question.rpartition("]")[2]
    what, how = _WHAT.search(asked), _HOW_MANY.search(asked)
    said = re.match(r"[$*\s]*(\d{1,9}(?:\.\d{1,6})?)", chain.answer or "")
    if not (what or how) or said is None or chain.span is None or _PART.search(asked):
        return []
    lists = list(_LIST.finditer(chain.text, start, answer.start))
    values = [tuple(Fraction(n.replace(",", "")) for n in _VALUE.findall(m[0])) for m in lists]
    if not values or len({tuple(sorted(one)) for one in values}) != 1:
        return []
    if takes_back(chain.text, lists[0].start(), answer.start):
        return []
    described = _VALUE.findall(chain.question[: -len(asked) or None])
    if len(described) != len(values[0]):
        return []
    if how:
        compare = COMPARED[how["how"].lower()]
        right = Fraction(sum(compare(v, Fraction(how["bound"])) for v in values[0]))
        name = f"{how['how'].lower()} {how['bound']} are"
    else:
        assert what is not None
        found = _of(what["what"].lower(), values[0])
        if found is None:
            return []
        right, name = found, f"the {what['what'].lower()} is"
    value = Fraction(said[1])
    if right == value or (right.denominator != 1 and abs(right - value) < Fraction(1, 1)):
        return []
    note = f"of the list {name} {float(right):.6g}, not {said[1]}"
    return [Evidence("contradiction", *lists[-1].span(), note)]


def _of(what: str, values: Sequence[Fraction]) -> Fraction | None:
    if what in ("smallest", "lowest", "minimum"):
        return min(values)
    if what in ("largest", "highest", "maximum"):
        return max(values)
    if what == "median":
        return Fraction(median(values))
    if what == "range":
        return max(values) - min(values)
    if what == "mode":
        (most, times), *others = Counter(values).most_common(2)
        return most if times > 1 and (not others or others[0][1] < times) else None
    return sum(values, Fraction(0)) / len(values)

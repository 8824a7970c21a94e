"""Places that a chain gives to members of a list: in its middle, in an order, or from one end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from vlm_boundary.reasoning.lists.listed import PICKS, sentence_start, sentences
from vlm_boundary.reasoning.lists.number_lists import NTHS, VALUE, count_of, place_of, value_of
from vlm_boundary.reasoning.lists.properties import (
    PROPERTY,
    THRESHOLD,
    Found,
    Speech,
    holds,
    worded,
)
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_NTH = rf"(?:{NTHS}|\d{{1,2}}(?:st|nd|rd|th))"
_UNSURE = re.compile(
    r"\b(?:not|no|none|never|neither|if|would|could|should|might|than|any|without|quartile|half"
    r"|halves|instead|wrong\w*|mistak\w*|thought|seems?|unsorted|unless)\b|n't\b|\?",
    re.IGNORECASE,
)
_MEDIAN = re.compile(r"\b(?:median|middle (?:value|number|one|score|entry))\b", re.IGNORECASE)
_AT = re.compile(
    rf"\b(?:the|in|at|and|or|=) (?P<nth>{_NTH})(?![\w/^-])(?= (?:value|number|one|place|position"
    r"|entry|score|element|term|item|spot|smallest|largest|highest|lowest|of|in|and|when|from|,)"
    r"|\W*(?:$|[.,;:)]))",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.;!?]\s|\n|,? (?:because|since|so|which)\b")


def wrong_places(speech: Speech) -> Iterator[Found]:
    """Places that the list of the question does not bear out."""
    data, low = speech.data, speech.low
    if len(data.values) < 3 or not data.asked:
        return
    if "median" in low or "middle" in low:
        yield from _middles(speech)
    yield from _counts(speech)
    if "<" in low or ">" in low:
        yield from _by_signs(speech)
    if any(data.names) and not _SCOPED.search(speech.asked):
        yield from _in_order(speech)


def _middles(speech: Speech) -> Iterator[Found]:
    """The median of five values is the fourth."""
    size = len(speech.data.values)
    right = sorted({(size + 1) // 2, size // 2 + 1})
    if PICKS.search(speech.asked):
        return
    for first, last in sentences(speech.text, speech.start, speech.end):
        said = _MEDIAN.search(speech.text, first, last)
        if said is None or _UNSURE.search(speech.text, first, last):
            continue
        stop = _ENDS.search(speech.text, said.end(), last)
        places = _AT.finditer(speech.text, said.end(), stop.start() if stop else last)
        told = [place_of(place["nth"]) + 1 for place in places]
        if len(told) == len(right) and sorted(told) != right:
            where = " and ".join(map(str, right))
            yield first, last, f"of {size} values number {where} is in the middle"


_SCOPED = re.compile(
    r"\b(?:after|before|since|until|except\w*|exclud\w*|without|ignor\w*|remov\w*|remain\w*|if"
    r"|changes?|increases?|decreases?|rises?|rose|drops?|growth|grew|falls?|differ\w*|each|per"
    r"|ratios?|percent\w*|costs? .*each)\b",
    re.IGNORECASE,
)
_BETWEEN = (
    r"(?: ?\(?[$€£]?\d[\d.,]{0,8}[°%]?\)?)?(?: ?[<>→,;] ?(?:then |and )?| and | then )(?:\d[.)] )?"
)
_ROW = re.compile(rf"\b[A-Z][\w'’-]{{0,14}}(?:{_BETWEEN}[A-Z][\w'’-]{{0,14}}){{2,}}")
_LESS_THAN = re.compile(
    rf"(?<![\w.,]){VALUE}(?: ?(?P<sign>[<>≤≥]) ?{VALUE})(?: ?(?P=sign) ?{VALUE})+"
)
_ORDERED = re.compile(
    r"order|sort|rank|\bfirst: |(?:est|most|\bfirst|\bworst|\blast|\btop|\bbottom|\bhigh|\blow"
    r"|\bsmall) to "
    r"|[<>]|arrang",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\b(?:alphabet\w*|listed|appear\w*|given|original|left to right|chronolog\w*|reading|not|by"
    r"|changes?|increases?|differences?|unsorted)\b",
    re.IGNORECASE,
)


def _in_order(speech: Speech) -> Iterator[Found]:
    """From first to last it goes Ben, Cy, Ana, Di: all of the list, neither rising nor falling."""
    data, text = speech.data, speech.text
    for row in _ROW.finditer(text, speech.start, speech.end):
        words = re.findall(r"[A-Z][\w'’-]*", row[0])
        names = [data.named(word) for word in words]
        if len(names) != len(data.names) or {*names} != {*data.names} or names == sorted(names):
            continue
        near = max(speech.start, row.start() - 3)  # behind the number of a point
        first = sentence_start(text, speech.start, near)
        before = text[max(first, row.start() - 120) : row.end()]
        if not _ORDERED.search(before) or _OTHERWISE.search(before):
            continue
        if tuple(names) in (data.names, data.names[::-1]):
            continue  # as the question has them
        values = [data.value(name) for name in names]
        if values not in (sorted(values), sorted(values, reverse=True)):
            at = ", ".join(map(shown, values))
            yield *row.span(), f"these have {at}, which is no order"


def _by_signs(speech: Speech) -> Iterator[Found]:
    """8 < 12 < 15 < 13, all of the list."""
    for said in _LESS_THAN.finditer(speech.text, speech.start, speech.end):
        values = [value_of(one) for one in re.findall(VALUE, said[0])]
        up = said["sign"] in "<≤"
        if {*values} <= {*speech.data.values} and values != sorted(values, reverse=not up):
            yield *said.span(), f"{said[0]} is false"


_COUNT = r"(?P<count>\d{1,2}|one|two|three|four|five|six|seven|eight|nine)"
_OF_ALL = re.compile(
    rf"(?<![\w.,-])(?<!least )(?<!most )(?<!than )(?<!other ){_COUNT} (?:of (?:the|these|those"
    rf"|all|them)(?: \w{{1,6}})?"
    r"(?: (?P<noun>[a-z]{3,14}))?|(?:values|numbers|scores|bars|days|months|years"
    r"|readings)(?: it)?)"
    rf" (?:are|lie|is|lies|were|was|have|had|has|sold|scored|got|stay|reach|cost)(?: strictly"
    rf"| clearly| values)?"
    rf" (?:{THRESHOLD.pattern}|(?P<kind>even|odd|prime)\b)(?! ?(?:times|of|percent of|% of|and"
    rf"|but|or)\b)",
    re.IGNORECASE,
)
_THAN_IT = re.compile(
    rf"(?<![\w.,-])(?<!least )(?<!most )(?<!than ){_COUNT} (?:of them|[a-z]{{3,12}}) (?:are|is"
    rf"|lie|cost|have|has|were|scored"
    r"|sold|got) (?:strictly )?(?:(?P<more>dearer|more expensive|higher|larger|greater|bigger"
    r"|taller"
    r"|longer|warmer|more)|cheaper|less expensive|lower|smaller|shorter|colder|less|fewer)"
    r" than (?:it|this|that)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(
    rf"(?<![\w.,-]){_COUNT} of (?:the|these|those)(?: \w{{1,6}})? changes (?:are|is)"
    r" (?:(?P<down>drops?|falls?|decreases?|negative|losses)|rises?|increases?|positive|gains?)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?P<how>more|fewer) (?P<one>even|odd|prime)(?: [a-z]{3,12})? than"
    r" (?P<two>even|odd|prime)(?: [a-z]{3,12}| ones)?(?=[\s,.;)])",
    re.IGNORECASE,
)


_OF = (
    " of the", " of all", " values ", " numbers ", " scores ", " bars ", " days ", " months ",
    " years ", " readings ",
)  # fmt: skip


def _counts(speech: Speech) -> Iterator[Found]:
    """Two of the four bars lie below 50; there are more even numbers than odd ones."""
    data, text, low = speech.data, speech.text, speech.low
    if occurs(_OF, low):
        for said in _OF_ALL.finditer(text, speech.start, speech.end):
            before = sentence_start(text, speech.start, said.start()), said.start()
            if PICKS.search(text, *before) or _UNSURE.search(text, *before):
                continue
            limit = PROPERTY.search(said[0])
            if limit is None or _is_other(speech, said):
                continue
            right = sum(map(holds(limit, data), data.values))
            if right != count_of(said["count"]):
                yield *said.span(), f"of the list {right} are {worded(limit)}"
        for said in _STEPS.finditer(text, speech.start, speech.end):
            steps: Sequence[Fraction] = [b - a for a, b in pairwise(data.values)]
            right = sum(step < 0 if said["down"] else step > 0 for step in steps)
            if right != count_of(said["count"]):
                yield *said.span(), f"of the changes there are {right}"
    if " than it" in low or " than th" in low:
        yield from _beside_it(speech)
    if " than " in low and ("even" in low or "odd" in low or "prime" in low):
        for said in _MORE.finditer(text, speech.start, speech.end):
            kinds = [PROPERTY.fullmatch(said[name]) for name in ("one", "two")]
            one, two = (sum(map(holds(kind, data), data.values)) for kind in kinds if kind)
            if (one > two) != (said["how"].lower() == "more") or one == two:
                yield *said.span(), f"the list has {one} and {two} of them"


def _beside_it(speech: Speech) -> Iterator[Found]:
    """The third is 4.50; three items are dearer than it."""
    for said in _THAN_IT.finditer(speech.text, speech.start, speech.end):
        first = sentence_start(speech.text, speech.start, said.start())
        before = speech.text[first : said.start()]
        numbers = re.findall(rf"(?<![\w.,]){VALUE}(?![\w%/]|[.,]\d)", before)
        if not numbers or _UNSURE.search(before):
            continue
        it, values = value_of(numbers[-1]), speech.data.values
        right = sum(value > it if said["more"] else value < it for value in values)
        if it in values and right != count_of(said["count"]):
            yield *said.span(), f"of the list there are {right}"


def _is_other(speech: Speech, said: re.Match[str]) -> bool:
    """Whether a limit is far from the values, so that it is of something else."""
    if not said["bound"]:
        return False
    values = speech.data.values
    return not min(values) <= value_of(said["bound"]) <= max(values)

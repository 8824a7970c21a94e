"""Members of a list of which a chain says yes or no one by one, or which it compares in pairs."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from vlm_boundary.reasoning.lists.listed import Listed, Mention, mention_of, sentences
from vlm_boundary.reasoning.lists.number_lists import VALUE, value_of
from vlm_boundary.reasoning.lists.properties import (
    Found,
    Speech,
    holds,
    properties_in,
    worded,
)
from vlm_boundary.reasoning.text.passages import words_in
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_SUPPOSED = re.compile(r"\b(?:not|if|would|could|might|or|than|how many)\b|n't\b|\?", re.IGNORECASE)


def wrong_tellings(speech: Speech) -> Iterator[Found]:
    """Each comparison that the list does not bear out."""
    low, data = speech.low, speech.data
    if not data.values and "?" not in low and "|" not in low:
        return
    if not _YES.isdisjoint(words_in(speech.text)) or occurs(_SAY_YES, low):
        yield from _told_one_by_one(speech)
    if " than " in low and any(data.names):
        yield from _comparisons(speech)


_YES = frozenset(("yes", "ok", "okay", "counts", "fits", "qualifies", "✓", "✔", "✅"))
_COMPARING = ("<", ">", "≤", "≥", "\\le", "\\ge", " than")
_SAY_YES = (">", "<", "✓", "✅")
_TOLD = re.compile(
    r"(?:\b(?:yes|no|ok|okay|counts|fits|qualifies|(?:does|is)(?: not|n't))\b|[✓✗✔✘✅❌])",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"(?P<one>{VALUE})\s?(?P<sign>[<>≤≥]|\\leq?|\\geq?"
    rf"|is (?:less|greater|more|smaller|larger) than)\s?(?P<two>{VALUE})\s?\$?\s?\?\W{{0,6}}\Z"
)
_SIGNS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt, ">": operator.gt, "≤": operator.le, "≥": operator.ge,
}  # fmt: skip


def _told_one_by_one(speech: Speech) -> Iterator[Found]:
    """9 < 9? Yes. Aug 49: yes, where it is asked how many lie above 50."""
    text, data = speech.text, speech.data
    limits = [said for said in properties_in(speech.asked) if not said["of"]]
    if limits:
        yield from _untrue(speech, limits)
    elif "?" not in speech.low or not occurs(_COMPARING, speech.low):
        return
    right: list[int] = []
    wrong: list[Found] = []
    last = speech.start
    for told in _TOLD.finditer(text, speech.start, speech.end):
        yes = told[0].lower() in _YES
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
        if holds(limits[0], data)(data.of(mention)) == yes:
            right.append(told.start())
        else:
            note = f"{shown(data.of(mention))} is {'not ' if yes else ''}{worded(limits[0])}"
            wrong.append((max(first, told.start() - 20), told.end(), note))
        last = told.end()
    if len(right) >= len(wrong) > 0:
        yield wrong[0][0], last, wrong[0][2]


_BARE = re.compile(
    rf"(?<![\w.,+*/^=(-] )(?<![\w.,+*/^=(-])(?P<one>{VALUE}) ?(?P<sign>[<>]) ?(?P<two>{VALUE})"
    r"(?=[,.;]?(?:\s|$))(?! ?[-+*/×÷·^=(?<>√])",
)


def _untrue(speech: Speech, limits: Sequence[re.Match[str]]) -> Iterator[Found]:
    """9 > 10, of a value of the list and the number that it is to be compared with."""
    bounds = {value_of(said["bound"]) for said in limits if said["how"]}
    for said in _BARE.finditer(speech.text, speech.start, speech.end) if bounds else ():
        one, two = value_of(said["one"]), value_of(said["two"])
        of_list = (one in speech.data.values and two in bounds) or (
            two in speech.data.values and one in bounds
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
    piece = re.split(r"[,;:.!?](?=\s+\S|$)|\n", before)[-1].strip(" :→–—-=(*")
    mention = mention_of(piece, data)
    known = mention and (mention.name or mention.value in data.values)
    return mention if known else None


_MORE = (
    r"higher|larger|greater|more|taller|bigger|longer|warmer|hotter|heavier|lower|smaller|less|fewer"
    r"|shorter|colder|cooler|lighter|cheaper"
)
_LESS = frozenset("lower smaller less fewer shorter colder cooler lighter cheaper".split())
_THAN = re.compile(
    r"(?P<one>[\w'’]{1,40}(?: \w{1,3})?)(?: \([^()]{1,12}\))?"
    r" (?:is|has|had|was|scored|got|sold|shows)"
    rf"(?: a| much| slightly| even| clearly)?(?: (?P<by>{VALUE}))?"
    rf" (?P<how>{_MORE})"
    r"(?: [a-z]{3,12})? than (?:the |bar |in |on |that of )?(?P<two>[\w'’]+(?: \w{1,3})?)"
    r"(?=[\s,.;:()!]|$)"
)


def _comparisons(speech: Speech) -> Iterator[Found]:
    """Tuesday is warmer than Thursday; Feb is 15 higher than Jan."""
    text, data = speech.text, speech.data
    for first, last in sentences(text, speech.start, speech.end):
        for said in _THAN.finditer(text, first, last):
            one, two = (_named_by(said[name], data) for name in ("one", "two"))
            if not one or not two or one == two or _SUPPOSED.search(text, first, said.start()):
                continue
            more = data.value(one) - data.value(two)
            more = -more if said["how"] in _LESS else more
            if more <= 0:
                has = f"{one.capitalize()} has {shown(data.value(one))}"
                note = f"{has} and {two.capitalize()} {shown(data.value(two))}"
                yield *said.span(), note
            elif said["by"] and value_of(said["by"]) != more:
                yield *said.span(), f"it is {shown(more)} {said['how']}, not {said['by']}"


def _named_by(words: str, data: Listed) -> str:
    """The member that one or two words name."""
    return data.named(words) or data.named(words.split()[0]) or data.named(words.split()[-1])

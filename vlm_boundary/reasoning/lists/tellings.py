"""Members of a list of which a chain says yes or no one by one, or which it compares in pairs."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from vlm_boundary.reasoning.lists.listed import Listed, Mention, mention_of
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


def wrong_tellings(speech: Speech) -> Iterator[Found]:
    """Each comparison that the list does not bear out."""
    low, data = speech.low, speech.data
    if not data.values and "?" not in low and "|" not in low:
        return
    if not _YES.isdisjoint(words_in(speech.text)) or occurs(_SAY_YES, low):
        yield from _told_one_by_one(speech)


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
    if not limits and ("?" not in speech.low or not occurs(_COMPARING, speech.low)):
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

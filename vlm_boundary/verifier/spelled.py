"""Statements that are the gold answer letter by letter, whatever can be made of it."""

from __future__ import annotations

from vlm_boundary.verifier.commitments import Found
from vlm_boundary.verifier.compare import GoldTarget
from vlm_boundary.verifier.doubts import only_supposed
from vlm_boundary.verifier.phrases import OR, STATEMENT


def as_written(text: str, start: int, stated: Found | None, target: GoldTarget) -> Found | None:
    """The last statement after `start` as a whole, where it is the gold answer as written.

    Reading cuts a statement where it goes on about something else; many gold answers are a clause.
    """
    if target.spelling is None or (stated is not None and "guesses" in stated.flags):
        return stated
    last = STATEMENT.at_keys(text, start)[-1:]
    if not last:
        return stated
    place = last[0].end()
    while place < len(text) and text[place] in " \n\t*_:：$":
        place += 1
    ends = [end for at in {place, last[0].end()} if (end := target.ends(text, at))]
    if not ends or (stated is not None and stated.start > max(ends)):
        return stated
    begin = place if target.ends(text, place) else last[0].end()
    if only_supposed(text, last[0].start(), begin, max(ends)) or OR.match(text, max(ends)):
        return stated
    return Found("statement", text[begin : max(ends)], begin, max(ends), target.value)

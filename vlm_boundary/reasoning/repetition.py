"""Outputs that go round in circles."""

from __future__ import annotations

import re
from collections import Counter

from vlm_boundary.reasoning.evidence import Evidence

_SENTENCE = re.compile(r"[^.!?\n。！？]+(?:\.(?=\d)[^.!?\n。！？]*)*[.!?。！？]*")
_SENTENCE_END = re.compile(r"[.!?。！？\n](?:(?<=\n)|\s)")
_SHORTEST = 150  # characters of a text in which a loop may be seen
_LOOPS = 6
_SHARE = 0.4
_TAIL = 4000
_KEY = 24


def repetition(text: str, start: int, end: int) -> list[Evidence]:
    """A sentence said over and over, or an end that repeats itself.

    Lines that differ in a number or a name, as in an enumeration, are no repetition.
    """
    if end - start < _SHORTEST:
        return []
    return _sentences(text, start, end) or _tail(text, start, end)


def _sentences(text: str, start: int, end: int) -> list[Evidence]:
    # Almost every text has no sentence twice; splitting alone tells, without positions.
    pieces = _SENTENCE_END.split(text[start:end])
    if len(pieces) < _LOOPS or len(set(pieces)) > len(pieces) - _LOOPS + 1:
        return []
    pieces = [piece for piece in pieces if len(piece) > 12]
    if len(pieces) < _LOOPS or len(set(pieces)) > len(pieces) - _LOOPS + 1:
        return []
    counts: Counter[str] = Counter()
    last: dict[str, tuple[int, int]] = {}
    for match in _SENTENCE.finditer(text, start, end):
        sentence = match[0].strip()
        if len(sentence) > 12:
            counts[sentence] += 1
            last[sentence] = match.span()
    loops = {sentence: n for sentence, n in counts.items() if n >= _LOOPS}
    if not loops:
        return []
    share = sum(len(sentence) * n for sentence, n in loops.items()) / (end - start)
    worst = max(loops, key=lambda sentence: len(sentence) * loops[sentence])
    note = f"said {loops[worst]} times"
    return [Evidence("repetition", *last[worst], note, veto=share >= _SHARE)]


def _tail(text: str, start: int, end: int) -> list[Evidence]:
    tail = text[max(start, end - _TAIL) : end].rstrip()
    if len(tail) < _SHORTEST:
        return []
    key, longest = tail[-_KEY:], len(tail) // _LOOPS
    before = tail.rfind(key, max(0, len(tail) - _KEY - longest), len(tail) - 1)
    period = len(tail) - _KEY - before
    if before < 0 or (tail.count(key) < 3 and key.strip() and len(set(key)) > 3):
        return []
    unit = tail[-period:]
    times = 0
    place = len(tail)
    while place >= period and tail[place - period : place] == unit:
        place -= period
        times += 1
    if times < _LOOPS or times * period < _SHORTEST or not any(c.isalpha() for c in unit):
        return []
    offset = end - len(text[max(start, end - _TAIL) : end])
    note = f"the end repeats itself {times} times"
    return [Evidence("repetition", offset + place, offset + len(tail), note)]

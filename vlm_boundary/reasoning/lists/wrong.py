"""What a chain, or its answer, says of the list that the question or the chain itself gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.lists.extremes import wrong_extremes
from vlm_boundary.reasoning.lists.hours import wrong_hours
from vlm_boundary.reasoning.lists.list_statistics import wrong_statistics
from vlm_boundary.reasoning.lists.listed import NOTHING, Listed, described, listed_in
from vlm_boundary.reasoning.lists.members import wrong_members
from vlm_boundary.reasoning.lists.number_lists import LEAST, MOST, NumberList, number_lists
from vlm_boundary.reasoning.lists.orders import wrong_orders
from vlm_boundary.reasoning.lists.places import wrong_places
from vlm_boundary.reasoning.lists.properties import Found, Speech, compares
from vlm_boundary.reasoning.lists.ratios import wrong_ratios
from vlm_boundary.reasoning.lists.readings import wrong_readings
from vlm_boundary.reasoning.lists.tallies import wrong_frequencies, wrong_kinds, wrong_tallies
from vlm_boundary.reasoning.lists.tellings import wrong_tellings
from vlm_boundary.reasoning.text.passages import (
    AnswerPlace,
    asked_of,
    asks_of_another,
    hypothetical,
    retracted,
    words_in,
)
from vlm_boundary.reasoning.text.places import small

_SEPARATORS = (",", ";", " and ", "\n")
_SPEAKS = frozenset(  # the words by which one may speak of a list
    "mean sum order ordered ordering range most average mode median least sort sorted sorts sorting"
    " first last second third fourth fifth sixth maximum minimum max min best worst peak tallest"
    " shortest warmest coldest hottest coolest wettest driest heaviest lightest cheapest biggest"
    " below under above over exceed exceeds exceeding than even odd prime primes multiples"
    f" divisible factors divisors {MOST} {LEAST}".replace("|", " ").split()
)
_MEMBERS = frozenset("numbers values scores bars entries elements".split())  # that there are
_LETTERED = re.compile(r"[A-Z](?<!\w.) \d+ [A-Z] \d+ [A-Z] \d")


def wrong_lists(chain: Chain, start: int, end: int, answer: AnswerPlace) -> Iterator[Evidence]:
    """A list that is not as said: not sorted, with other values, members or statistics.

    The list is that of the question where its description gives one and nothing else, or else the
    one of the chain. An answer to a question for a list's median, largest, count above … is such a
    statement too. Nothing is compared where there are two lists of different numbers, nor where a
    statement is of a part of the list, of something made of it, or behind words that may pick some.
    """
    text, question = chain.text, chain.question
    if "[" in question and asks_of_another(question):
        return
    given = described(question) if "[" in question else None
    may = (given is not None or _may_speak(text, question)) and not _has_few(text)
    if not may and "[" not in question:
        return
    lists = number_lists(text, start, end) if may else []
    data = given or listed_in(lists) or NOTHING
    speech = Speech(text, small(text), question, _asked(question), data, start, end)
    told: list[Found] = []
    if "[" in question:
        told += wrong_kinds(text, question, start, end)
        told += wrong_hours(replace(speech, data=NOTHING))
    if may or given is not None:
        told += _of_members(speech, lists)
        if not told and lists and (given is None or _is_whole(given, lists)):
            told += wrong_statistics(chain, speech.asked, lists, start, end, answer)
    for first, last, note in told:
        if not retracted(text, last, end) and not hypothetical(text, first, start):
            yield Evidence("contradiction", first, last, note)
            return


def _has_few(text: str) -> bool:
    """Whether a text has not even two signs between members of a list."""
    if text.count(",") > 1:
        return False
    return sum(map(text.count, _SEPARATORS)) < 2 and _LETTERED.search(text) is None


def _may_speak(text: str, question: str) -> bool:
    """Whether a chain may say something of a list, or answer how many of it are above a bound."""
    words = words_in(text)
    if not _SPEAKS.isdisjoint(words):
        return True
    return ("there" in words and not _MEMBERS.isdisjoint(words)) or _counts_some(question)


@lru_cache(maxsize=4096)
def _counts_some(question: str) -> bool:
    """Whether it is asked how many are above a bound."""
    return "ow many" in question and compares(words_in(_asked(question)))


@lru_cache(maxsize=4096)
def _asked(question: str) -> str:
    return asked_of(question).lower()


def _of_members(speech: Speech, lists: Sequence[NumberList]) -> Iterator[Found]:
    """What is said of members of the list that the question gives, or else the chain."""
    yield from wrong_orders(speech)
    yield from wrong_members(speech)
    yield from wrong_tellings(speech)
    if not speech.data.values:
        return
    if speech.data.asked:
        yield from wrong_places(speech)
        yield from wrong_ratios(speech)
    yield from wrong_frequencies(speech)
    members = {*speech.data.values}
    foreign = (one.start for one in lists if not {*one.values} <= members)
    speech = replace(
        speech, start=max(speech.start, speech.data.start), end=next(foreign, speech.end)
    )
    yield from wrong_extremes(speech)
    yield from wrong_tallies(speech)
    yield from wrong_readings(speech, lists)


def _is_whole(given: Listed, lists: Sequence[NumberList]) -> bool:
    """Whether a chain's list is no part of the one that the question gives."""
    longest = Counter(max(lists, key=lambda one: len(one.values)).values)
    return not longest < Counter(given.values)

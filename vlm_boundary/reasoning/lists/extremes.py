"""Who or what of a list is said to be the largest, the smallest, or the second of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from vlm_boundary.reasoning.lists.listed import PICKS, Listed
from vlm_boundary.reasoning.lists.number_lists import (
    VALUE,
    count_of,
    place_of,
    value_of,
    worked_out,
)
from vlm_boundary.reasoning.lists.properties import THRESHOLD, Found, Speech
from vlm_boundary.reasoning.text.passages import SENTENCE, words_in
from vlm_boundary.reasoning.text.steps import shown

_MOST = (
    "largest|highest|maximum|max|greatest|biggest|tallest|longest|most|warmest|hottest|wettest"
    "|heaviest|best|peak"
)
_LEAST = (
    "smallest|lowest|minimum|min|shortest|fewest|least|coldest|coolest|driest|lightest|worst"
    "|cheapest"
)
_WORDS = frozenset(f"{_MOST}|{_LEAST}".split("|"))
_EXTREME = re.compile(
    rf"\b(?<!\bat )(?:(?P<rank>second|third|2nd|3rd|next)[ -])?"
    rf"(?:(?P<most>{_MOST})|(?P<least>{_LEAST}))\b",
    re.IGNORECASE,
)
_DONE = re.compile(  # most visitors arrived on Wednesday
    r"\b(?:(?!(?:dropp|increas|decreas|chang|gain|remov|exceed|ne|expect|want"
    r"|us)ed\b)[a-z]{2,12}ed"
    r"|came|come|fell|took|seen|won|sold|made|got|went|ran|taken) (?=(?:in|on|at|by|to|up|with)\b)"
)
_RUNNING = re.compile(
    r"\b(?:so far|by then|until now|current(?:ly)?|running|becomes|stays|update[sd]?|beats"
    r"|candidates?|start(?:ing)? with)\b",
    re.IGNORECASE,
)
_VALUE_NEXT = re.compile(r" (?:value|number|score|reading)\b")
_OF_ALL = re.compile(
    r"\b(?:of|among|out of) (?:the|all|these|those)(?: the)? (?P<count>\d{1,2}|two|three|four"
    r"|five|six|seven|eight|nine|ten)\b(?: [a-z]{3,12})?"
)
# Better is sometimes less.
_REVERSED = re.compile(
    r"\b(?:times?|seconds?|minutes?|rank\w*|costs?|prices?|golf|errors?|faults?|prices?|fast\w*)\b"
)
_CUTS = re.compile(
    r";|, (?!(?:in|on|at|for|with|of)\b|[$€£]?\d)|\s[–—]\s|→|\b(?:and|but|while|whereas|so|because"
    r"|since|which|where|compared|ahead|followed)\b",
)
_TOKEN = re.compile(rf"[$€£]?(?P<value>-?{VALUE[2:]})(?!\d)|[A-Za-zÀ-ÿ][\w'’]*")
_PLAIN = frozenset(  # words that pick none of a list
    "the a is are was were at in on for of with has have had by to it its this that here there"
    " then thus hence therefore value values number numbers bar bars point points score scores"
    " entry reading temperature temperatures month months day days year years team teams we see"
    " find get i look looking read reads chart graph line table list data set among them these"
    " all be can recorded occurs occurred occur belongs belong reached falls fell shows shown"
    " show goes stands lies comes as from our equal equals units unit °c mm cm m kg g dollars"
    " percent people height heights length lengths amount total item one clearly obviously given"
    " namely itself amounts dataset figure figures mark marks result results outcome measurement"
    " observation slice sector wedge piece column segment category place spot quantity any"
    " single whole overall".split()
)
_SCOPED = re.compile(
    r"\b(?:after|before|since|until|first|last|except\w*|exclud\w*|without|ignor\w*|remov\w*|even"
    r"|odd|prime|divisible|multiples?|among|others?|rest|remain\w*|if|boys?|girls?|wom[ae]n|m[ae]n"
    r"|only|not|weekend|weekdays?|each|per|new|left|half|changes?|increases?|decreases?|rises?"
    r"|rose"
    r"|drops?|growth|grew|falls?|consecutive|jump|probab\w*|divi\w+|disqualif\w*|legs?)\b",
    re.IGNORECASE,
)


def wrong_extremes(speech: Speech) -> Iterator[Found]:
    """The lowest is 14 (Mon), where Wednesday has 11; Feb is the highest month.

    Only a clause is read that has one such word, one member and only words of the question.
    """
    if len(speech.data.values) < 3 or _WORDS.isdisjoint(words_in(speech.text)):
        return
    if _SCOPED.search(speech.asked):
        return
    if _EXTREME.search(speech.asked) and THRESHOLD.search(speech.asked):
        return  # the lowest above 30
    text = speech.text
    if _RUNNING.search(text, speech.start, speech.end):
        return
    known = _PLAIN | _words(speech.question)
    picks = PICKS.search(text, speech.start, speech.end)
    end = picks.start() if picks else speech.end
    for match in SENTENCE.finditer(text, speech.start, end):
        if text[match.end() : match.end() + 1] == "?" or not _EXTREME.search(match[0]):
            continue
        cuts = [cut.span() for cut in _CUTS.finditer(text, *match.span())]
        ends = [(match.start(),) * 2, *cuts, (match.end(),) * 2]
        for (_, first), (last, _) in pairwise(ends):
            said = [*_EXTREME.finditer(text, first, last)]
            if len(said) == 1 and (note := _unlike(speech, said[0], first, last, known)):
                lead = len(text[first:last]) - len(text[first:last].lstrip())
                yield first + lead, last, note


@lru_cache(maxsize=64)
def _words(question: str) -> Set[str]:
    words = re.findall(r"[a-zà-ÿ]+", question.lower())
    return frozenset({*words, *(word.rstrip("s") for word in words), *(f"{w}s" for w in words)})


def _extreme(data: Listed, said: re.Match[str], rank: int) -> Fraction | None:
    ordered = sorted(data.values, reverse=said["most"] is not None)
    if rank and len({*ordered[: rank + 1]}) <= rank:
        return None  # of equals either may be counted as one
    return ordered[rank] if rank < len(ordered) else None


def _unlike(
    speech: Speech, said: re.Match[str], first: int, last: int, known: Set[str]
) -> str | None:
    """Why the one member of a clause is not the extreme."""
    data = speech.data
    if speech.text.startswith((" that", " which"), said.end()):
        return None  # the most that cats get
    of_value = _VALUE_NEXT.match(speech.text, said.end()) is not None
    if said[0].lower() in ("most", "least", "fewest") and not any(data.names) and not of_value:
        return None  # of how often something occurs
    if said[0].lower() in ("best", "worst") and _REVERSED.search(speech.asked):
        return None
    right = _extreme(data, said, place_of(said["rank"]) if said["rank"] else 0)
    values: set[Fraction] = set()
    names: set[str] = set()
    clause = f"{speech.text[first : said.start()]} | {speech.text[said.end() : last]}"
    clause = _OF_ALL.sub(lambda all_of: _unless_all(all_of, len(data.values)), clause)
    clause, named = _without_long_names(_DONE.sub("", clause) if data.asked else clause, data)
    names |= named
    for token in _TOKEN.finditer(clause.replace("−", "-").replace("°C", "°")):
        word = token[0]
        name = data.named(word)
        if name:
            names.add(name)
        elif token["value"]:
            values.add(value_of(token["value"]))
        elif word.lower() not in known and word.lower().removesuffix("'s") not in known:
            return None
    if right is None or len(values) > 1 or len(names) > 1 or not (values or names):
        return None
    if any(value not in data.values for value in values):
        return None
    wrong = [name for name in names if data.value(name) != right]
    if wrong and not values - {right}:
        has = f"{wrong[0].capitalize()} has {shown(data.value(wrong[0]))}"
        return f"{has}, the {said[0].lower()} is {shown(right)}"
    if values - {right}:
        if any(worked_out(value, speech.text[speech.start : first]) for value in values):
            return None
        return f"the {said[0].lower()} of the list is {shown(right)}"
    return None


def _unless_all(said: re.Match[str], size: int) -> str:
    """Nothing, where words speak of as many as there are."""
    return " " if count_of(said["count"]) == size else said[0]


def _without_long_names(clause: str, data: Listed) -> tuple[str, set[str]]:
    """The clause without the names of several words, or of digits, and which they are."""
    found = set()
    low = clause.lower()
    for name in data.names:
        if " " in name and name in low:
            at = low.index(name)
            clause = clause[:at] + " " * len(name) + clause[at + len(name) :]
            found.add(name)
    return clause, found

"""What a chain, or its answer, says of the one list of numbers that the chain gives itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from statistics import median

from vlm_boundary.mathtext.words import ENGLISH
from vlm_boundary.reasoning.evidence import Chain
from vlm_boundary.reasoning.lists.listed import PICKS, sentence_start
from vlm_boundary.reasoning.lists.number_lists import (
    IN_ORDER,
    LEAST,
    MOST,
    NUMBER,
    VALUE,
    NumberList,
    count_of,
    place_of,
    value_of,
    worked_out,
)
from vlm_boundary.reasoning.lists.properties import (
    COMPARED,
    THRESHOLD,
    Found,
    compares,
)
from vlm_boundary.reasoning.text.passages import (
    AnswerPlace,
    takes_back,
    words_in,
)
from vlm_boundary.reasoning.text.steps import rounds_to, shown

_NTH = "first|second|third|fourth|fifth|sixth"
_STATISTIC = re.compile(
    rf"\b(?:(?P<rank>{_NTH}|next|2nd|3rd)[ -](?P<ranked>{MOST}|{LEAST})"
    r"|(?P<what>median|most (?:frequent|common)|(?:occurs?|appears?|comes)(?: the)? most(?: often)?"
    r"|(?:(?<=the )|(?<=their ))(?:mode|mean|range)|(?<=on )average"
    r"|(?:mean|average)(?= (?:of|value|score|number|is|for)\b)"
    r"|(?<=their )sum|sum(?= (?:of (?:these|them|all)|is)\b)"
    rf"|{MOST.replace('most', '(?<!at )most')}|{LEAST.replace('|least', '|(?<!at )least')})"
    rf"|(?P<nth>{_NTH}|last)"
    r"(?: (?:number|value|card|bar|term|element|entry|one|score)\b|(?= is )))",
    re.IGNORECASE,
)
# Said of the list, and of nothing else.
_PLAINLY = re.compile(
    rf"\s{{0,8}}(?:so |thus |and |hence )?(?:the|their|its) (?:(?:{_NTH})[ -])?"
    rf"(?:median|mode|mean|average|range|sum|last|{MOST}|{LEAST}|{_NTH})"
    rf"(?: (?:value|number|one|score|element|entry|term))? (?:is|equals) {VALUE}\W*",
    re.IGNORECASE,
)
_COUNTED_PLAINLY = re.compile(
    rf"\s{{0,8}}there are (?:\d{{1,3}}|{ENGLISH}|none)"
    r" (?:numbers|values|scores|bars|entries|elements) [^,]*",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    rf"\bthere are (?P<count>\d{{1,3}}|{ENGLISH}) (?:numbers|values|scores|bars|entries|elements)\b"
    r"(?! (?:[a-z]+ ){0,3}(?:below|above|between|than|greater|less|smaller|larger|over|under"
    r"|in the))",
    re.IGNORECASE,
)
_WORDS = frozenset(
    "median mode mean range average sum frequent common there first second third fourth fifth sixth"
    f" last {MOST} {LEAST}".replace("|", " ").split()
)
_OF_NUMBERS = re.compile(r"\b(?:values|numbers|data|list|set)\b[^.\n]*\Z", re.IGNORECASE)
# Of a part of the list, or of something made of it.
_OTHER = re.compile(
    r"\b(?:not|isn't|aren't|odd|even|first|last|others?|second|third|except\w*|without|exclud\w*"
    r"|ignor\w*|remov\w*|remain\w*|left|differ\w*|ratio|sum|product|between|after|before|until|since"
    r"|group|half|twice|double|quarter|percent\w*|if|than|per|each|every|both|add\w*|new|increas\w*"
    r"|decreas\w*|change\w*|possible|could|can|would|should|might|may|speed|rate|probab\w*|scale|axis"
    r"|angle|side|at (?:least|most)|almost|nearly|about|roughly|count|frequen\w*|tally|occur\w*"
    r"|appear\w*|times|digits?|step|jump|gap|term|power|degree|number of|whose|where|when|while"
    r"|night|morning|afternoon|evening|noon|upper|lower (?:median|half|quartile)|\w*quartile"
    r"|weighted|trimmed|geometric|harmonic|running|unit|relative|local|combined|expected"
    r"|among (?!(?:them|these|those|all)\b)|common (?:multiple|factor|divisor|denominator)"
    r"|of the (?:[a-z]+ )?(?:boys|girls|men|women|children|adults|males?|females?))\b|n't\b",
    re.IGNORECASE,
)
_THESE = re.compile(
    rf"\b(?:these|those|the|all|among|of)(?: the)? (?:\d{{1,2}}|{ENGLISH})"
    r"(?= (?:values|numbers|bars|scores|months|days|items|people|players|of)\b|\b)",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[=+×÷·√<>≈^]|\d\s?[-*/]\s?\d|\\(?:frac|times|cdot|div)")
_CLAUSE = re.compile(r"[.!?;](?=\s|$)|\n|,? (?:and|but|while|whereas|so)\b|, ")
_TENS = (10, 100, 1000, 1_000_000)  # a value of a list in tens, hundreds, …
_IN_TENS = frozenset(("tens", "hundreds", "thousands", "millions"))
_OF_IT = re.compile(rf"\b(?:these|those|they|them|all (?:\d{{1,2}}|{ENGLISH}))\b", re.IGNORECASE)
_ANY_NOUN = frozenset(  # what may stand behind a statistic of any list
    "is was are were equals value values number numbers one and of among in on at here then with"
    " has belongs".split()
)
_WORD = re.compile(r"[a-z]+")
_COUNT = re.compile(rf"(?<![\w.-])(?:\d{{1,3}}(?![\w/%°.]\w?)|{ENGLISH}\b|none\b)", re.IGNORECASE)
_COUNTED_NOUN = re.compile(rf"(?<![\w.-])(?:\d{{1,3}}|{ENGLISH}) ([a-z]+)", re.IGNORECASE)


def wrong_statistics(
    chain: Chain,
    asked: str,
    lists: Sequence[NumberList],
    start: int,
    end: int,
    answer: AnswerPlace,
) -> list[Found]:
    """What is said of the one list that a chain gives."""
    text, words = chain.text, words_in(chain.text)
    if _WORDS.isdisjoint(words) and not compares(words):
        return []
    whole = max(lists, key=lambda one: len(one.values))
    counted = Counter(whole.values) if len(lists) > 1 else Counter()
    parts = [one for one in lists if one is not whole and Counter(one.values) != counted]
    if any(not Counter(one.values) <= counted or one.start < whole.start for one in parts):
        return []
    lists = [one for one in lists if one not in parts]
    if parts:  # what follows a part of the list may be said of it
        end = sentence_start(text, start, parts[0].start)
    words = words_in(text[lists[0].end : end])
    found: list[Found] = []
    if not _WORDS.isdisjoint(words) or compares(words):
        found += _claims(text, chain.question.lower(), lists, end)
    if not parts and chain.span is not None:
        found += _answered(chain, asked, lists, answer)
    return found


def _claims(text: str, question: str, lists: Sequence[NumberList], end: int) -> Iterator[Found]:
    """Clauses behind the list that hold a statistic, or a threshold, and one value."""
    values = lists[0].values
    parted = (match.end() for match in _CLAUSE.finditer(text, lists[0].end, end))
    cuts = [lists[0].end, *parted, end]
    known = {word.rstrip("s") for word in _WORD.findall(text[: cuts[0]].lower())}
    of_numbers = _OF_NUMBERS.search(text, max(0, lists[0].start - 60), lists[0].start)
    in_tens = not _IN_TENS.isdisjoint(words_in(text[:end]))
    starts = [one.start for one in lists]
    added = _another(text, values, cuts[0], end)
    kept = 0  # so many clauses are of the list
    for number, (first, last) in enumerate(pairwise(cuts)):
        clause = text[first:last]
        words = {*_WORD.findall(clause.lower())}
        if _WORDS.isdisjoint(words) and not compares(words):
            continue
        while kept < number:
            if not _keeps_to_the_list(text[cuts[kept] : cuts[kept + 1]]):
                return
            kept += 1
        near = bisect_right(starts, last - 1) - 1
        if near >= 0 and lists[near].end > first:
            continue  # within a list
        before = text[cuts[number - 1] : first] if number else ""
        if before.endswith(" and") and not NUMBER.search(before):
            continue  # the sum of the largest and the smallest is 25
        if first > added:
            return
        if _SIGNS.search(clause):
            continue
        plain, statistics = _statistics_in(_THESE.sub(" ", clause), lists)
        if len(statistics) == 1 and not _OTHER.search(_without(plain, statistics[0])):
            right = _statistic(statistics[0], lists)
            said = _said(plain, lists[0], statistics[0])
            if (
                right is None
                or said is None
                or rounds_to(right, said)
                or (in_tens and right and said / right in _TENS)
                or worked_out(said, text[cuts[0] : first])
            ):
                continue
            is_plain = of_numbers and _PLAINLY.fullmatch(clause) is not None
            if not _fits(plain, statistics[0], known) or _is_given(question, statistics[0], said):
                return
            if statistics[0]["what"] == "sum" and _taken_from(text, last, end, said):
                return
            if is_plain or not _of_other(statistics[0], said, values):
                yield (
                    *_trimmed(text, first, last),
                    f"{_named(statistics[0])} of the list is {shown(right)}",
                )
        else:
            limit = None if statistics else THRESHOLD.search(plain)
            behind = text[last : cuts[number + 2]] if number + 2 < len(cuts) else ""
            if note := _wrong_length(clause, plain, values):
                yield first, last, note
            elif limit and (note := _wrong_count(clause, plain, limit, behind, values, known)):
                yield *_trimmed(text, first, last), note


def _another(text: str, values: Sequence[Fraction], start: int, end: int) -> int:
    """Where a value is named that may belong to the list as well."""
    total = sum(values, Fraction(0))
    told = {*values, total, total / len(values), len(values)}
    others = (n.start() for n in NUMBER.finditer(text, start, end) if value_of(n[0]) not in told)
    return next(others, end)


def _statistics_in(plain: str, lists: Sequence[NumberList]) -> tuple[str, list[re.Match[str]]]:
    """The statistics of a clause, and it without one that is named twice."""
    statistics = list(_STATISTIC.finditer(plain))
    if len(statistics) == 2 and len({_statistic(one, lists) for one in statistics}) == 1:
        plain = _without(plain, statistics.pop())  # the most frequent size (the mode)
    return plain, statistics


def _wrong_length(clause: str, plain: str, values: Sequence[Fraction]) -> str:
    """Why the list is not as long as a clause says; "" where it is, or no clause says it."""
    length = _LENGTH.search(clause)
    if length is None or THRESHOLD.search(plain) or _count(length["count"]) == len(values):
        return ""
    return f"the list has {len(values)} numbers, not {length['count']}"


def _wrong_count(
    clause: str,
    plain: str,
    limit: re.Match[str],
    behind: str,
    values: Sequence[Fraction],
    known: Set[str],
) -> str:
    """Why not so many of the list are within a bound as a clause says."""
    counted = _counted(_without(plain, limit), behind, known)
    sure = _COUNTED_PLAINLY.fullmatch(clause) is not None
    return "" if counted is None else _miscounted(limit, values, counted, sure=sure)


def _counted(rest: str, behind: str, known: Set[str]) -> int | None:
    """How many a clause, or the one behind it, says that there are of the list."""
    if _OTHER.search(rest):
        return None
    noun = _COUNTED_NOUN.search(rest)
    if noun and noun[1] not in _ANY_NOUN and noun[1].rstrip("s") not in known:
        return None
    counted = _count(rest)
    if counted is not None or _OTHER.search(behind) or _SIGNS.search(behind):
        return counted
    return _count(behind)


def _keeps_to_the_list(clause: str) -> bool:
    """Whether what follows a clause is said of the same list as before."""
    if PICKS.search(clause):
        return False
    if not any(len(word) > 2 for word in _WORD.findall(clause.lower())):
        return True
    signs = (_STATISTIC, IN_ORDER, _LENGTH, _OF_IT, _SIGNS, NUMBER)
    return any(sign.search(clause) for sign in signs)


def _taken_from(text: str, start: int, end: int, total: Fraction) -> bool:
    """Whether something is taken from a total, which is then that of more than the list."""
    minus = re.compile(rf"(?<![\d.,]){re.escape(shown(total))}\s?°?\s?[-−–]")
    return minus.search(text, start, min(end, start + 200)) is not None


def _fits(clause: str, statistic: re.Match[str], known: Set[str]) -> bool:
    """Whether the noun behind a statistic, if any, was named before: "the longest leg"."""
    noun = re.match(r" ([a-z]+)", clause[statistic.end() :].lower())
    return noun is None or noun[1] in _ANY_NOUN or noun[1].rstrip("s") in known


def _is_given(question: str, statistic: re.Match[str], said: Fraction) -> bool:
    """Whether a question gives a statistic, of numbers of which one is asked for."""
    name = re.escape(statistic[0].lower())
    given = re.finditer(
        rf"\b{name}\b(?:[^.?\[]{{0,60}}?\b(?:is|was|be|equals?)| of|) ({VALUE})", question
    )
    return any(value_of(match[1]) == said for match in given)


@lru_cache(maxsize=4096)
def _asks(asked: str) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """The statistic of the list that a question asks for, or the bound of what is to be counted."""
    if PICKS.search(asked):
        return None, None
    statistics, limit = [*_STATISTIC.finditer(asked)], THRESHOLD.search(asked)
    if len(statistics) == 1 and limit is None:
        return (None if _OTHER.search(_without(asked, statistics[0])) else statistics[0]), None
    if statistics or limit is None or "how many" not in asked:
        return None, None
    rest = asked[: limit.start()] + asked[limit.end() :]
    return None, None if _OTHER.search(rest) or NUMBER.search(rest) else limit


def _answered(
    chain: Chain, asked: str, lists: Sequence[NumberList], answer: AnswerPlace
) -> Iterator[Found]:
    """The answer to a question for what the list has."""
    statistic, limit = _asks(asked)
    known = [one for one in lists if one.end <= answer.start]
    if not known or (statistic is None and limit is None):
        return
    given = known[0]
    said = re.fullmatch(rf"[$*\s\\(]*({VALUE})[\s$*)\\]*[A-Za-z°%]*[.*$)]*", chain.answer or "")
    note = ""
    if statistic is not None:
        right = _statistic(statistic, known)
        name = (chain.answer or "").strip(" .*$").lower()
        named = dict(zip(given.names, given.values, strict=True))
        value = value_of(said[1]) if said else named.get(name)
        if right is None or value is None or rounds_to(right, value):
            return
        if not _of_other(statistic, value, given.values):
            note = f"{_named(statistic)} of the list is {shown(right)}, not {chain.answer}"
    elif limit is not None and said:
        note = _miscounted(limit, given.values, int(value_of(said[1])))
    if note and not takes_back(chain.text, given.start, answer.start):
        behind = _CLAUSE.split(chain.text[given.end : answer.start])
        if all(map(_keeps_to_the_list, behind[:-1])):
            yield given.start, given.end, note


def _without(clause: str, statistic: re.Match[str]) -> str:
    return clause[: statistic.start()] + " " + clause[statistic.end() :]


def _named(statistic: re.Match[str]) -> str:
    return f"the {statistic[0].lower()}"


def _statistic(statistic: re.Match[str], lists: Sequence[NumberList]) -> Fraction | None:
    """What the list has; None where it can be said in two ways."""
    values = lists[0].values
    if nth := statistic["nth"]:
        place = len(values) - 1 if nth.lower() == "last" else place_of(nth)
        return values[place] if len(lists) == 1 and place < len(values) else None
    if rank := statistic["rank"]:
        place = place_of(rank)
        most = statistic["ranked"].lower() in MOST.split("|")
        ranks = sorted(set(values), reverse=most)
        return ranks[place] if len(ranks) == len(values) > place else None
    what = statistic["what"].lower()
    if what in LEAST.split("|"):
        return min(values)
    if what in MOST.split("|"):
        return max(values)
    if what == "median":
        return Fraction(median(values))
    if what == "sum":
        return sum(values, Fraction(0))
    if what in ("mean", "average"):
        return sum(values, Fraction(0)) / len(values)
    if what == "range":
        return max(values) - min(values)
    (most_of, times), *others = Counter(values).most_common(2)
    return most_of if times > 1 and (not others or others[0][1] < times) else None


def _said(clause: str, given: NumberList, statistic: re.Match[str]) -> Fraction | None:
    """The one value, or the value of the one name of the list, that a clause has."""
    numbers = NUMBER.findall(clause)
    if len(numbers) == 1:
        return value_of(numbers[0])
    extreme = (statistic["what"] or "").lower() in f"{MOST}|{LEAST}".split("|")
    if numbers or not (extreme or statistic["rank"]):
        return None
    words = {*re.findall(r"[a-zà-ÿ']+", clause.lower().replace("'s", ""))}
    named = [
        value
        for name, value in zip(given.names, given.values, strict=True)
        if name and {*name.split()} <= words
    ]
    return named[0] if len(named) == 1 else None


def _trimmed(text: str, first: int, last: int) -> tuple[int, int]:
    clause = text[first:last]
    return first + len(clause) - len(clause.lstrip()), first + len(clause.rstrip(" .,;\n"))


def _of_other(statistic: re.Match[str], said: Fraction, values: Sequence[Fraction]) -> bool:
    """Whether a value may be that of something else than such a list."""
    what = (statistic["what"] or "").lower()
    if what == "sum":
        return said <= max(values)
    if what in ("median", "mean", "average"):
        return not min(values) < said < max(values)
    if what == "range":
        return not 0 < said <= max(values)
    return said not in values


def _count(text: str) -> int | None:
    counts = _COUNT.findall(text)
    return count_of(counts[0]) if len(counts) == 1 else None


def _miscounted(
    limit: re.Match[str], values: Sequence[Fraction], said: int, *, sure: bool = False
) -> str:
    """Why a count is wrong; "" where it is not, or may be of other things than the list."""
    bound, how = value_of(limit["bound"]), limit["how"].lower()
    right = sum(COMPARED[how](value, bound) for value in values)
    within = min(values) < bound < max(values) and said <= len(values)
    if said == right or not (within or sure):
        return ""
    return f"of the list {right} are {how} {limit['bound']}, not {said}"

"""What solves an equation with letters, as a chain says it: factors, roots, values, systems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice, pairwise
from string import ascii_lowercase
from typing import NamedTuple

from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.reasoning.algebra.polynomials import CUT, apart, at, by_power, degree, read, shown
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import unless_excused
from vlm_boundary.verifier.phrases import occurs

_FACTORS = re.compile(
    r"\b(?:[Ff]actor\w*|[Cc]omplet\w+ the square|[Ee]xpand\w*|[Vv]ertex form|[Rr]ewrit\w+"
    r"|[Bb]racket\w*"
    r"|[Mm]ultiply\w* out|[Ss]implif\w+|[Bb]inomial)\b"
)
_SOLVES = re.compile(r"\b(?:[Ss]olve|equation|condition|if|when|where)\b[^.\n]{0,24}\Z")
_STEPS = re.compile(
    r"[\s,.;:$*()⇒→⟹-]*(?:\b(?:so|thus|hence|therefore|this|it|that|is|i|e|we|get|can|be|as|into"
    r"|or|which|factors?"
    r"|factored|factori[sz]es?|factori[sz]ed|factoring|factori[sz]ing|gives|becomes|means|by|the"
    r"|now|step|then|equation"
    r"|quadratic|left|side|hand|\d)\b[\s,.;:$*()⇒→⟹-]*)*"
)
_NO_ROOT = re.compile(
    r"\b(?:axis|vertex|symmetr\w+|minim\w+|maxim\w+|discriminant|check\w*|if|try\w*|test\w*"
    r"|plug\w*|at|when|for"
    r"|between|midpoint|sum|suppose|let|set|where|product|center|centre|not|guess\w*|say|case"
    r"|another|other"
    r"|first|second|first equation|derivative|substitut\w+)\b|[?<>≤≥]|n't",
    re.IGNORECASE,
)
_VALUE = (
    r"(?P<{}>[-−]?\s?\d{{1,6}}(?:\.\d{{1,6}})?)(?![\d/^(√²³π\w]|[.,]\d"
    r"|\s?[-+*/×·^√±]\s?[\d\w(√]|\s?\\)"
)
_MORE = re.compile(
    rf"\s?(?:,|or|and|, or|, and)\s(?:{{letter}}\s?[=≈]\s?)?{_VALUE.format('value')}".replace(
        "{letter}", "[a-z]"
    )
)
_ZEROS = re.compile(
    r"\b(?:zeros|zeroes|roots|solutions|x-intercepts)(?: of [^.\n=]{1,40})? are (?:then "
    r"|therefore |at )?(?:x = )?"
    rf"{_VALUE.format('one')} and (?:x = )?{_VALUE.format('two')}"
)
_CURVE = re.compile(
    r"\b(?:y|f\(x\)) ?= ?([-+−\dx²^ ()·*]{3,40}?)(?=\s?[.,;\]?\n]|\s(?:and|with|has|is)\b|\Z)"
    r"|([-+−\dx²^ ()·*]{3,40}?) ?= ?0\b"
)
_PUT_IN = re.compile(
    r"(?<![-+*/·×(])(?<![-+*/·×] )\b(?P<name>[fgh])\((?P<value>[-−]?\d{1,4}(?:\.\d{1,3})?)\)"
    r" ?= ?(?P<said>[^=\n;,&]{1,60}?)"
    r"(?=\s{0,3}(?:=|[.;,](?:\s|\Z)|\n|\Z|&|(?:and|so)\b))"
)
_FUNCTION = re.compile(
    r"\b(?P<name>[fgh])\((?P<letter>[a-z])\) ?= ?(?P<said>[^=\n.;,?$&\]]{1,60}?)(?=\s?(?:[.;,?\]]"
    r"|and\b|\n|\Z|\$|\\|&))"
)
_LINES = re.compile(
    r"(?<![\w=+*/^·-])(?P<left>-?\d{0,3}\s?[a-z](?:\s?[+−-]\s?\d{0,3}\s?[a-z])?)\s?=\s?(?P<right>-?[\d\sa-z+−./-]{1,24}?)(?=[.,;\]]|\sand\b|\n|\Z)"
)
_MEET = re.compile(
    r"\b(?:meet|intersect\w*|solution|cross|common point|point of intersection|satisf\w+|system)\b",
    re.I,
)
_MEET_AT = re.compile(r"\b(?:meet|intersect|cross)(?: each other)?,? (?:at|in|where|when)\b")
_POINT = re.compile(rf"\(\s?{_VALUE.format('one')},\s?{_VALUE.format('two')}\s?\)")
_SOLVED = re.compile(
    r"\b(?P<letter>[a-z]) ?= ?(?P<value>[-−]?\d{1,6}(?:\.\d{1,4})?)(?![\d/^(²]|[.,]\d"
    r"|\s?[-+*/×·^]\s?[\d\w(])"
)
_TRIED = re.compile(
    r"\b(?:if|at|when|for|try\w*|test\w*|check\w*|let|set|suppose|take|say|not|where|intercept\w*"
    r"|guess\w*)\b[^.\n]*\Z",
    re.IGNORECASE,
)
_PUT = re.compile(  # which of two curves, or a value that is put into its equation
    r"\b(?:with|first|second|put\w*|plug\w*|substitut\w*|insert\w*)\b[^.\n]*\Z", re.IGNORECASE
)
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_CUT = ("\\", "%", "|", "√", "π", "∠", "!")
_SMALL = frozenset(ascii_lowercase)
_SQUARED = ("²", "^2", "^{2}", ")(")
_MOST = 12


class _Equation(NamedTuple):
    start: int
    end: int
    left: Exact
    right: Exact
    difference: Exact
    letter: str
    degrees: tuple[int, int]
    """Of the left and the right side."""
    degree: int
    """Of the difference."""


def wrong_roots(
    plain: str, runs: list[re.Match[str]], start: int, question: str
) -> Iterator[Evidence]:
    """A false factoring, a root or a solution that solves nothing, a value put in falsely.

    Equations are read from `runs`. What is a condition, a trial or another curve's is left alone.
    """
    squared = [occurs(_SQUARED, run[0]) for run in runs] if occurs(_SQUARED, plain) else []
    if any(squared):
        drawn = [
            run
            for run, before, its in zip(runs, [False, *squared], squared, strict=False)
            if its or (before and "(" in run[0])
        ]
        equations = [*_equations(drawn)]
        for first, last, note in (
            *_identities(plain, equations, question),
            *_roots(plain, equations),
        ):
            yield Evidence("arithmetic_error", start + first, start + last, note)
    if occurs(("f(", "g(", "h("), plain):
        yield from _values(plain, start, question)


def wrong_solutions(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """Zeros, or a solution of two equations, that are said of the question's and are not theirs."""
    plain = text[start:end]
    if occurs(("eros", "eroes", "oots", "olutions", "ntercepts"), plain):
        for first, last, note in _zeros(plain, question):
            yield from unless_excused(text, start + first, start + last, start, end, note)
    for item in _systems(plain, start, question):
        yield from unless_excused(text, item.start, item.end, start, end, item.note)


_Found = tuple[int, int, str]


def _equations(runs: list[re.Match[str]]) -> Iterator[_Equation]:
    """The equations of two neighbouring sides in one letter, in order."""
    for run in islice(runs, 5 * _MOST):
        plain = run.string
        formula = _COMMAND.sub("", run[0]) if "\\" in run[0] else run[0]
        if len(_SMALL.intersection(formula)) != 1:
            continue
        before = plain[max(0, run.start() - 8) : run.start()].rstrip(" \t")
        behind = plain[run.end() : run.end() + 8].strip(" \t")
        if len(run[0]) > 160 or before[-1:] in CUT or behind[:1] in CUT:
            continue  # perhaps a part of something longer
        place, sides = run.start(), []
        for piece in run[0].split("="):
            sides.append((place, place + len(piece), piece.strip()))
            place += len(piece) + 1
        values = [read(side[2]) if side[2] else None for side in sides]
        for (one, two), (left, right) in zip(pairwise(sides), pairwise(values), strict=True):
            if left is None or right is None:
                continue
            letters = left.variables | right.variables
            if len(letters) == 1:
                spaces = len(plain[one[0] : one[1]]) - len(plain[one[0] : one[1]].lstrip())
                first = one[0] + spaces
                rest, degrees = apart(one[2], two[2]), (degree(left), degree(right))
                highest = degree(rest) if max(degrees) > 1 else max(degrees)
                letter = next(iter(letters))
                yield _Equation(first, two[1], left, right, rest, letter, degrees, highest)


def _identities(plain: str, equations: list[_Equation], question: str) -> Iterator[_Found]:
    """A quadratic and its product or square, where they are said to be the same and are not."""
    for one in equations:
        if one.degrees != (2, 2) or not one.difference.terms:
            continue
        asked, written = _closed(question), _closed(plain[one.start : one.end])
        left, _, right = written.partition("=")
        if ("(" in left) == ("(" in right) or f"{left}={right}" in asked:
            continue
        mine, its = by_power(one.left), by_power(one.right)
        if mine.get(2) != its.get(2) or _SOLVES.search(plain, max(0, one.start - 60), one.start):
            continue
        before = plain[max(0, one.start - 90) : one.start]
        swapped = mine.get(1, 0) == its.get(0, 0) and mine.get(0, 0) == its.get(1, 0)
        named = _FACTORS.search(before[max(before.rfind(". "), before.rfind("\n\n")) + 1 :])
        known = (left if "(" in right else right) in asked
        if named or swapped or known:
            yield (
                one.start,
                one.end,
                f"the two sides are not the same: they differ by {shown(one.difference)}",
            )
            return


def _closed(written: str) -> str:
    """A text without blanks, in one way of writing."""
    return re.sub(r"\s", "", written.replace("−", "-").replace("^2", "²"))


def _roots(plain: str, equations: list[_Equation]) -> Iterator[_Found]:
    """What is drawn from a quadratic equation: the same in other words, or its roots."""
    for place, one in enumerate(equations):
        if one.degree != 2 or one.degrees == (2, 2):
            continue
        following = equations[place + 1] if place + 1 < len(equations) else None
        if (
            following is not None
            and following.start >= one.end
            and following.letter == one.letter
            and following.degree == 2
        ):
            between = plain[one.end : following.start]
            factored = "(" in plain[following.start : following.end]
            if (
                factored
                and len(between) < 80
                and _STEPS.fullmatch(between)
                and not _same_roots(one, following)
            ):
                yield (
                    following.start,
                    following.end,
                    (
                        f"this is not the equation before it: they differ"
                        f" by {shown(one.difference - following.difference)}"
                    ),
                )
                return
            continue
        wrong = _wrong_root(plain, one)
        if wrong is not None:
            yield wrong
            return


def _same_roots(one: _Equation, other: _Equation) -> bool:
    mine, its = by_power(one.difference), by_power(other.difference)
    scale = its[2] / mine[2]
    return all(
        abs(mine.get(n, 0) * scale - its.get(n, 0)) < 1e-6 * max(1, abs(its.get(n, 0)))
        for n in range(3)
    )


def _wrong_root(plain: str, one: _Equation) -> _Found | None:
    """The first values that are said of a quadratic's letter behind it, if one is no root."""
    match = _said_of(one.letter).search(plain, one.end, one.end + 140)
    if match is None:
        return None
    between = plain[one.end : match.start()]
    if _NO_ROOT.search(between) or "=" in between or between.count("\n\n") > 2:
        return None
    last: re.Match[str] | None = match
    for _ in range(3):
        if last is None:
            return None
        if not _is_root(one.difference, _number(last["value"]), last["value"]):
            note = f"{one.letter} = {last['value']} does not solve the equation before it"
            return last.start(), last.end("value"), note
        last = _MORE.match(plain, last.end())
    return None


@lru_cache(maxsize=64)
def _said_of(letter: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w\\(]){letter}\s?[=≈]\s?{_VALUE.format('value')}")


def _is_root(polynomial: Exact, value: float, written: str) -> bool:
    digits = len(written.partition(".")[2])
    unit = 0.1**digits if digits else 0.0
    here = at(polynomial, value)
    low, high = at(polynomial, value - unit), at(polynomial, value + unit)
    if here is None or low is None or high is None:
        return True
    return abs(here) < 1e-6 * max(1.0, value * value) or (digits > 0 and low * high <= 0)


def _zeros(plain: str, question: str) -> Iterator[_Found]:
    """Two zeros that are named, of the quadratics of question and chain."""
    match = _ZEROS.search(plain)
    if match is None:
        return
    before = plain[: match.start()]
    written = [*_CURVE.findall(question), *_CURVE.findall(before)]
    curves = [read(_cut(one or two)) for one, two in written[:_MOST]]
    if None in curves or before.count("=") > len(_CURVE.findall(before)):
        return  # perhaps of an equation that could not be read
    found = [one for one in curves if one and one.variables == {"x"} and degree(one) == 2]
    if not found:
        return
    for name in ("one", "two"):
        if not any(_is_root(curve, _number(match[name]), match[name]) for curve in found):
            yield match.start(), match.end(), f"{match[name]} is no zero of {shown(found[-1])}"
            return


def _values(plain: str, start: int, question: str) -> Iterator[Evidence]:
    """f(3) = 2·3² - 3·2 + 1, where f is given."""
    functions: dict[str, set[Exact]] = {}
    for match in islice(_FUNCTION.finditer(f"{question}\n{plain}"), _MOST):
        value = read(_cut(match["said"]))
        if value is not None and value.variables == {match["letter"]}:
            functions.setdefault(match["name"], set()).add(value)
    for match in islice(_PUT_IN.finditer(plain), _MOST):
        known = functions.get(match["name"], set())
        said = read(_cut(match["said"])) if len(known) == 1 else None
        if said is None or said.variables or occurs(_CUT, _cut(match["said"])):
            continue
        (function,) = known
        right, size = at(function, _number(match["value"])), said.approximate
        if right is None or size is None or not _differ(size, right):
            continue
        note = f"{match['name']}({match['value']}) is {right:.6g}, this is {size:.6g}"
        yield Evidence("arithmetic_error", start + match.start(), start + match.end(), note)
        return


def _systems(plain: str, start: int, question: str) -> Iterator[Evidence]:
    """What is said to solve the two linear equations of a question in two letters."""
    solved = _solution_of(question)
    if solved is None:
        return
    one, other = solved
    solution = tuple(solved.values())
    drawn = re.search(r"\b(?:line|graph|curve|function)", question) is not None
    note = f"the solution is {one} = {solution[0]:.6g}, {other} = {solution[1]:.6g}"
    for match in islice(_SOLVED.finditer(plain), 3 * _MOST):
        letter, before = match["letter"], _opened(plain, match.start())
        elsewhere = drawn and (not _MEET.search(before) or _PUT.search(before) is not None)
        if letter not in solved or elsewhere or _TRIED.search(before):
            continue
        if _differ(_number(match["value"]), solved[letter]):
            yield Evidence("arithmetic_error", start + match.start(), start + match.end(), note)
            return
    for match in islice(_POINT.finditer(plain), _MOST if drawn else 0):
        before = _MEET_AT.sub("meet", _opened(plain, match.start()))
        point = zip((_number(match["one"]), _number(match["two"])), solution, strict=True)
        if not _MEET.search(before) or _TRIED.search(before):
            continue
        if any(_differ(value, known) for value, known in point):
            yield Evidence("arithmetic_error", start + match.start(), start + match.end(), note)
            return


@lru_cache(maxsize=256)  # many samples answer one question
def _solution_of(question: str) -> Mapping[str, float] | None:
    """What solves the two linear equations of a question, by letter, in their order."""
    found = []
    for match in islice(_LINES.finditer(question.replace("−", "-")), _MOST):
        left, right = read(match["left"].strip()), read(match["right"].strip())
        if left is not None and right is not None and len((left - right).variables) == 2:
            found.append(left - right)
    if len(found) != 2 or found[0].variables != found[1].variables:
        return None
    one, other = sorted(found[0].variables)
    solution = _solution(found[0], found[1], one, other)
    return None if solution is None else dict(zip((one, other), solution, strict=True))


def _opened(plain: str, place: int) -> str:
    """What stands before a place in its sentence."""
    first = max(plain.rfind(". ", 0, place), plain.rfind("\n", 0, place)) + 1
    return plain[first:place]


def _differ(value: float, right: float) -> bool:
    return abs(value - right) > 0.006 * max(1.0, abs(right))


def _solution(first: Exact, second: Exact, one: str, other: str) -> tuple[float, float] | None:
    """The only values of two letters at which two linear polynomials are zero."""
    rows = []
    for polynomial in (first, second):
        row = {"": 0.0, one: 0.0, other: 0.0}
        for powers, coefficient in polynomial.coefficients().items():
            if len(powers) > 1 or (powers and powers[0][1] != 1):
                return None
            row[powers[0][0] if powers else ""] = coefficient.approximate or 0.0
        rows.append((row[one], row[other], -row[""]))
    (a, b, e), (c, d, f) = rows
    size = a * d - b * c
    return ((e * d - b * f) / size, (a * f - e * c) / size) if abs(size) > 1e-9 else None


def _cut(written: str) -> str:
    return written.replace("−", "-").replace("\\cdot", "·").replace("\\times", "×").strip(" $*")


def _number(written: str) -> float:
    return float(written.replace("−", "-").replace(" ", ""))

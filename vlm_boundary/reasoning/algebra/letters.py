"""Equations with letters: identities and solved equations, checked exactly as polynomials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from itertools import islice, pairwise
from typing import NamedTuple

from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.reasoning.algebra.polynomials import (
    CUT,
    apart,
    at,
    by_power,
    read,
    shown,
    solution_of,
)
from vlm_boundary.reasoning.algebra.roots import wrong_roots, wrong_solutions
from vlm_boundary.reasoning.algebra.runs import (
    MOST,
    SIDE,
    LetterRun,
    may_have_runs,
    read_letters,
    untypeset,
    written_runs,
)
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import hypothetical, retracted, words_in
from vlm_boundary.verifier.phrases import occurs

_REWRITTEN = re.compile(
    r"[EeFfSsMm](?<!\w.)(?:xpand|actor|actoriz|implify|ultiply)ing(?: out)?,?(?: the expression)? "
    rf"(?P<one>{SIDE}),?\s(?:we get|gives|yields|gets us|becomes)(?P<two>{SIDE})"
)
_AS = (
    r" (?:factors|factori[sz]es|(?:can be|is) (?:factored|factori[sz]ed)|expands|simplifies)"
    r" (?:as|into|to)"
)
_IS_REWRITTEN = re.compile(_AS)
_BECOMES = re.compile(rf"(?:(?<=^)|(?<=[=:,.;(\n ]))(?P<one>{SIDE}){_AS}(?P<two>{SIDE})")
_REWRITING = frozenset("expanding factoring factorizing simplifying multiplying".split())
_BECOMING = frozenset(
    "factors factorises factorizes factored factorised factorized expands simplifies".split()
)
_BREAK = re.compile(r"[A-Z=\[\]<>≤≥]{2}|\n\s*\n\s*\n|[!?]")  # what no link has in it
_NEXT = 80
_TIMES_X = re.compile(r"[\d)]\s?x\s?[\d(]|\)\s?x\s")
_UNIT_LETTER = re.compile(r"\d\s+[mgshldt](?![a-zA-Z^²*(])|\d[mgshl]\b")
_STEPS = frozenset(
    "so then thus hence therefore and gives give we get which means that implies leads to yields"
    " subtracting subtract adding add dividing divide multiplying multiply both sides side by from"
    " it follows is now simplify simplifying solve solving for this becomes have obtain finally"
    " combine combining like terms the equation value of on each i e rearranging removing"
    " bracket brackets"
    " collecting with step expand expanding expanded out multiply collect remove left right hand"
    " clearing moving over taking distributing setting up leaves are"
    " rearrange isolate isolating x-terms constants constant root roots square so".split()
)
_WORD = re.compile(r"[a-zA-Z]+")
_ARTICLE = re.compile(r"[\d)]\s+a\Z")
_WORD_OF_TWO = re.compile(r"\s{0,10}[a-zA-Z]{2}")
_LINK = re.compile(r"[\s\d,.;:a-zA-Z⇒→⟹+−()*-]{0,80}")
_ARROW = re.compile(r"[\n⇒→⟹]")
_PRODUCT = re.compile(r"\([^()]*\)\s?[*·]?\s?\([^()]*\)|\([^()]*\)\s?(?:²|\^\{?2\}?)")
_CONDITION = re.compile(r"\b(?:condition|equation|equality|if|when)\W{0,6}\Z", re.IGNORECASE)
_REWRITES = re.compile(
    r"\b(?:complet\w+ the square|vertex form|expand\w*|factor(?:s|ed|ing|ize\w*|ise\w*)?|rewrit\w+"
    r"|simplif\w+)\b",
    re.IGNORECASE,
)
_REWRITING_WORDS = ("complet", "vertex form", "expand", "factor", "rewrit", "simplif")
_OTHER_CURVE = re.compile(  # of which the letter may be said the second time
    r"\b(?:first|second|third|next|last|other|another|new|line|curve|parabola|graph|function"
    r"|equation \d|shift\w*|mov\w+|translat\w+|reflect\w*|stretch\w*|case|problem|part|now|instead"
    r"|if|when|for)\b",
    re.IGNORECASE,
)
_OR = re.compile(r"\b(?:or|and|either|cases?)\W{0,4}\Z", re.IGNORECASE)
_ALSO = re.compile(r"[\s,]{1,3}(?:or|and)[\s,]{1,3}[a-z]\s?=")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_DECIMALS = re.compile(r"\d\.(\d+)\D*\Z")
_LONGEST = 240  # characters of one
_NEAR = 0.006


class _Pair(NamedTuple):
    """Two neighbouring sides and what their difference is; `root` where it is linear in one."""

    start: int
    end: int
    left: Exact
    right: Exact
    difference: Exact
    solved: bool
    """Whether the left side is one variable alone and the right side a number."""


def wrong_letters(text: str, start: int, end: int, question: str = "") -> Iterator[Evidence]:
    """An equation that no value of its letters makes true, or that its successor does not keep.

    Two sides with letters may be an identity or a condition. What differs by a number is neither;
    an identity is meant where words or the form say so. A condition in one letter is compared with
    the one that the chain draws from it.
    """
    if "=" in question:
        yield from wrong_solutions(text, start, end, question)
    words = words_in(text)
    rewriting = not (_REWRITING.isdisjoint(words) and _BECOMING.isdisjoint(words))
    if not (rewriting or "=" in text) or not may_have_runs(text, words, start, end):
        return
    plain = untypeset(text[start:end])
    if rewriting:
        yield from _rewritten(plain, words, start)
    if "=" not in plain:
        return
    written = written_runs(plain)
    if occurs(_REWRITING_WORDS, plain.lower()):
        yield from _redefined(plain, written, start)
    for item in wrong_roots(plain, written, start, question):
        if not retracted(text, item.end, end) and not hypothetical(text, item.start, start):
            yield item
            return
    runs = [read_letters(run) for run in written if run[0].islower()]
    runs = [run for run in runs if any(run.told)][:MOST]
    for item in _compared(plain, runs, start):
        if not retracted(text, item.end, end) and not hypothetical(text, item.start, start):
            yield item
            return


def _compared(plain: str, runs: list[LetterRun], start: int) -> Iterator[Evidence]:
    """The equations that are never true, or do not follow from the one before."""
    near = [False, *(_beside(plain, one, two) for one, two in pairwise(runs)), False]
    before: _Pair | None = None
    for run, (behind, ahead) in zip(runs, pairwise(near), strict=False):
        if not behind:
            before = None
            if not ahead and len(run.letters) == 2 and not all(run.letters):
                continue  # a condition, and there is nothing that it could be compared with
        for pair in _pairs(plain, run):
            if pair is None:
                before = None
                continue
            within = before is not None and before.start >= run.match.start()
            note = _never_true(plain, pair) or (
                _not_kept(plain, before, pair, within=within) if before else ""
            )
            if note:
                yield Evidence("arithmetic_error", start + pair.start, start + pair.end, note)
            before = pair


def _beside(plain: str, one: LetterRun, two: LetterRun) -> bool:
    """Whether an equation may be drawn from another: in the same letter, with little between."""
    return (
        two.match.start() - one.match.end() <= _NEXT
        and frozenset().union(*one.letters) == frozenset().union(*two.letters)
        and not _BREAK.search(plain, one.match.end(), two.match.start())
    )


def _rewritten(plain: str, words: Set[str], start: int) -> Iterator[Evidence]:
    """Expressions that are said to become another one, as in "expanding … we get …"."""
    found: list[re.Match[str]] = []
    if not _REWRITING.isdisjoint(words):
        found += islice(_REWRITTEN.finditer(plain), MOST)
    named = None if _BECOMING.isdisjoint(words) else _IS_REWRITTEN.search(plain)
    if named:
        line = plain.rfind("\n", 0, named.start()) + 1
        found += islice(_BECOMES.finditer(plain, line), MOST)
    for match in found:
        if plain[match.end() :].lstrip(" ")[:1] in CUT or _TIMES_X.search(match[0]):
            continue
        one, two = read(match["one"].strip()), read(match["two"].strip())
        if one is None or two is None or not one.variables or one.variables != two.variables:
            continue
        if (one - two).terms:
            note = f"the two are not the same: they differ by {shown(one - two)}"
            yield Evidence("arithmetic_error", start + match.start(), start + match.end(), note)


def _redefined(plain: str, runs: list[re.Match[str]], start: int) -> Iterator[Evidence]:
    """What a letter is, and what it is when that is said to be written otherwise: y = (x - 3)²."""
    known: dict[tuple[str, frozenset[str]], tuple[Exact, int]] = {}
    for run in runs[:MOST]:
        named, _, said = run[0].partition("=")
        name = named.strip()
        value = (
            read(said.strip()) if len(name) == 1 and name.islower() and "=" not in said else None
        )
        behind = plain[run.end() : run.end() + 8].strip(" \t")
        if value is None or not value.variables or name in value.variables or behind[:1] in CUT:
            continue
        key = name, frozenset(value.variables)
        first = max(plain.rfind(sign, 0, run.start()) for sign in (". ", "\n")) + 1
        opened = _REWRITES.search(plain, max(first, run.start() - 80), run.start())
        other = key in known and _OTHER_CURVE.search(plain, known[key][1], run.start())
        if key in known and opened and not other and (rest := known[key][0] - value).terms:
            note = f"{name} is not the same as before: they differ by {shown(rest)}"
            yield Evidence("arithmetic_error", start + run.start(), start + run.end(), note)
            return
        known.setdefault(key, (value, run.end()))


def _pairs(plain: str, of: LetterRun) -> list[_Pair | None]:
    """The equations of a run; None for one that nothing can be said of."""
    run, written = of.match, of.match[0]
    if len(written) > _LONGEST:
        return []
    if _TIMES_X.search(written) or _UNIT_LETTER.search(written):
        return []
    before = plain[max(0, run.start() - 8) : run.start()].rstrip(" \t")
    behind = plain[run.end() : run.end() + 8].strip(" \t")
    glued = not written[0].isspace() and plain[max(0, run.start() - 1) : run.start()].isalnum()
    if glued or before[-1:] in CUT or behind[:1] in CUT:
        return []  # perhaps a part of something longer
    sign = written.strip()[:1]
    if sign in "+*/^" or (sign in "-−" and (before[-1:].isalnum() or before[-1:] == ")")):
        return []
    named = written.partition("=")[0].strip().isdigit()
    if named and plain[max(0, run.start() - 2) : run.start() + 1].strip()[-1:].isalpha():
        return []  # angle 2 = 3x
    sides: list[tuple[int, int, Exact, str] | None] = []
    place = run.start()
    pieces = written.split("=")
    told = [False, *of.told, False]
    for index, piece in enumerate(pieces):
        first, last = place, place + len(piece)
        place = last + 1
        kept = piece.strip()
        # The article in "with a = 3 and a width" is none of the formula.
        if index == len(pieces) - 1 and _ARTICLE.search(kept) and _WORD_OF_TWO.match(plain, last):
            kept = kept[:-1].strip()
        first += len(piece) - len(piece.lstrip())
        value = read(kept) if told[index] or told[index + 1] else None
        sides.append(None if value is None else (first, first + len(kept), value, kept))
    found: list[_Pair | None] = []
    for is_told, (one, two) in zip(told[1:], pairwise(sides), strict=False):
        if not is_told:
            found.append(None)
        elif one is not None and two is not None:
            solved = one[2].is_name and not two[2].variables
            difference = apart(one[3], two[3])
            found.append(_Pair(one[0], two[1], one[2], two[2], difference, solved))
    return found


def _never_true(plain: str, pair: _Pair) -> str:
    """Why two sides with letters are never the same; nothing where they may be."""
    if not pair.left.variables or not pair.right.variables:
        return ""
    rest = pair.difference.without_denominators()
    if not rest.terms:
        return ""
    if pair.left.variables != pair.right.variables:
        return ""
    if not rest.variables:
        return f"the two sides differ by {shown(rest)} whatever the letters are"
    if len(rest.terms) == 1 and len(rest.variables) == 1:
        (name,) = rest.variables
        if re.search(rf"\b{name}\s?=\s?0\b", plain[pair.end :]):
            return ""  # that is what it concludes
        return f"the two sides differ by {shown(rest)}: they are the same for zero alone"
    text = plain[pair.start : pair.end]
    if _CONDITION.search(plain, max(0, pair.start - 24), pair.start):
        return ""
    if _is_factoring(pair, text) or _is_formula(pair, text):
        return f"the two sides are not the same: they differ by {shown(rest)}"
    return ""


def _is_factoring(pair: _Pair, text: str) -> bool:
    """A quadratic of three terms and a product of two factors, alike in first and last number."""
    sides = [side.strip() for side in text.split("=")]
    products = [_PRODUCT.fullmatch(side) is not None for side in sides]
    if products == [False, True] and "(" not in sides[0]:
        product, other = pair.right, pair.left
    elif products == [True, False] and "(" not in sides[1]:
        product, other = pair.left, pair.right
    else:
        return False
    if len(product.variables) != 1:
        return False
    mine, its = by_power(product), by_power(other)
    return (
        max(mine) == max(its) == 2
        and 1 in its
        and 0 in its
        and mine[2] == its[2]
        and 0 in mine
        and abs(mine[0]) == abs(its[0])
    )


def _is_formula(pair: _Pair, text: str) -> bool:
    """A power or product of sums, of one degree throughout: (a + b)² = a² + b²."""
    if len(pair.left.variables) < 2:
        return False
    degrees = {
        sum(power for _, power in powers)
        for side in (pair.left, pair.right)
        for powers in side.coefficients()
    }
    if len(degrees) > 1 or degrees <= {1}:
        return False  # what is of one degree throughout is no condition
    left, _, right = text.partition("=")
    return ("(" in left) != ("(" in right)


def _not_kept(plain: str, before: _Pair, pair: _Pair, *, within: bool) -> str:
    """Why an equation does not follow from the one before; nothing where it may."""
    names = before.difference.variables | pair.difference.variables
    if (
        len(names) != 1
        or before.solved
        or _OR.search(plain, max(0, before.start - 12), before.start)
    ):
        return ""
    (name,) = names
    if pair.solved and _ALSO.match(plain, pair.end):
        return ""  # one of several solutions
    shorter = pair.end - pair.start < before.end - before.start
    moved = _moved(plain[before.start : before.end], plain[pair.start : pair.end])
    if not (within or moved) and not _linked(
        plain[before.end : pair.start], name, pair.solved, shorter
    ):
        return ""
    root = solution_of(pair.difference)
    if root is None or not before.difference.variables:
        return ""
    value = at(before.difference, root)
    if value is None:
        return ""
    size = max(
        1e-9, *(abs(c) * abs(root) ** power for power, c in by_power(before.difference).items())
    )
    if abs(value) <= _NEAR * size:
        return ""
    if shown := _DECIMALS.search(plain, pair.start, pair.end):  # rounded to the digits shown
        unit = 0.1 ** len(shown[1])
        low, high = (at(before.difference, root + by) for by in (-unit, unit))
        if low is not None and high is not None and low * high <= 0:
            return ""
    earlier = solution_of(before.difference)
    known = f"{name} = {earlier:.6g}" if earlier is not None else "another value"
    return f"this gives {name} = {root:.6g}, the equation before it {known}"


def _moved(before: str, after: str) -> bool:
    """Whether an equation has the very numbers of the one before, on other sides."""
    numbers = sorted(_DIGITS.findall(before))
    return len(numbers) > 2 and numbers == sorted(_DIGITS.findall(after)) and before != after


def _linked(between: str, name: str, solved: bool, shorter: bool) -> bool:
    """Whether nothing but words of one step stands between two equations.

    With no word between they may be two conditions, unless the second is simpler.
    """
    if _LINK.fullmatch(between) is None or between.count("\n") > 2:
        return False
    words = [word.lower() for word in _WORD.findall(between)]
    if not words and not solved and not (shorter and _ARROW.search(between)):
        return False
    return all(word in _STEPS or word == name for word in words)

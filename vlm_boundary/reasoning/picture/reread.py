"""What a question's picture gives, read or used otherwise: 75 in 2016, from 2012 to 2016."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, islice, pairwise

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.picture.described import INSTEAD, differs, excused, may_name
from vlm_boundary.reasoning.picture.dot_grids import grids
from vlm_boundary.reasoning.picture.sayings import Said, sayings, untypeset, words_of
from vlm_boundary.reasoning.picture.told import NAME, Told, told
from vlm_boundary.reasoning.text.equations import equations
from vlm_boundary.reasoning.text.numerals import number_of
from vlm_boundary.reasoning.text.passages import hypothetical, retracted
from vlm_boundary.reasoning.text.steps import shown
from vlm_boundary.verifier.phrases import occurs

_OF_NAME = re.compile(
    rf",? (?:in|on|for|at|per)(?: the| an?| bar| point)? (?P<name>{NAME})(?='s|[.,;)\n]|\s|\Z)"
)
_NAMED = re.compile(
    rf"(?:\A|[\s(*])(?P<name>{NAME})(?:['’]s)?(?: (?:value|bar|share|part|sector|number|score"
    rf"|price|amount|figure|entry|slice))?"
    r"(?: (?:of|is|was|has|had|at|with|shows|reads|reaches|stands at|covers|takes|gets|got|makes"
    r" up|sold|scored|costs?|weighs|earned|received|holds|contains)|, (?:with|at)| =|:|"
    r" \()? ?[$€£]?\Z"
)
_BEHIND = re.compile(
    r"(?:\.\d|,\d|[\d/:^]|,? (?:and )?\d| ?[-+*/×·=−<>:]| (?:more|less|fewer|times|higher|lower|of"
    r"|to|out|off)\b|[a-z]{0,3}:)"
)
_AHEAD = re.compile(
    r"\b(?:than|minus|plus|between|and|not|without|after|by|except|but|over|twice|times|half|as"
    r"|or|if|with|sum|total|difference|from [\w ]{1,20} to)\s\Z|[-+*/×−<>] ?\Z",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\b(?:by|than|more|less|fewer|over|under|above|below|about|around|least|most|sum|total|mean"
    r"|average|median|range|difference|increase|decrease|change|growth|rise|drop|gain|loss|not"
    r"|without|rank|place|times|half|twice|percent|every|each|all|between)\b|[-+*/×·−<>]\s?$",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"\b(?:[Ff]rom|[Bb]etween)(?: the)? (?P<one>{NAME}) (?:to|and)(?: the)? (?P<two>{NAME})"
    r"(?P<rest>[^.\n;\d]{0,40})(?P<left>\d{1,6}(?:\.\d{1,3})?)(?: ?[-−–] ?|(?: [a-z%]{1,9})? to"
    r" )(?P<right>\d{1,6}(?:\.\d{1,3})?)"
    r"(?![\d/]|\.\d)"
)
_RANKED = re.compile(
    r"\bfrom (?:the )?(?P<most>[a-z]{3,9}est|most|best)(?: [a-z]{3,12})? to (?:the )?"
    rf"(?P<least>[a-z]{{3,9}}est|least|worst)(?: [a-z]{{3,12}})?(?: (?:is|are|we (?:get|have)"
    rf"|they are|the order is))?[:,]?"
    rf" (?P<names>(?:the )?{NAME}(?:(?:, (?:and |then )?| and | then | [<>] )(?:the"
    rf" )?{NAME}){{1,8}})"
)
_INEQUALITY = re.compile(
    rf"(?<![\w.])(?P<names>{NAME}(?: (?P<sign>[<>]) {NAME}){{1,8}})(?![\w.]\d?)"
)
_JOIN = re.compile(r", (?:and |then )?| and | then | [<>] ")
_UP = frozenset("lowest smallest shortest least youngest lightest fastest cheapest worst".split())
_DOWN = frozenset("highest largest tallest longest most oldest heaviest biggest greatest".split())
_RACE = re.compile(
    rf"\b(?P<one>{NAME}) (?:arrive[sd]?|finishe[sd]|came(?: in)?|comes(?: in)?|crosse[sd] the"
    rf" line)"
    rf" (?:right |just |directly |shortly )?(?P<how>after|behind|before|ahead of) (?P<two>{NAME})"
)
_RACING = ("arrive", "finishe", "came", "come", "crosse")
_TIMES = frozenset("s min h minutes seconds hours".split())
_RIGHT = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[r∠Aa](?:(?<=r)(?<!\w.)ight[- ]angled?(?: triangle)?(?: [A-Z]{3})?(?: with)?"
    r"(?: (?:is|lies|being|sits|located))?,?"
    r" (?:at|in)(?: the)?(?: (?:vertex|corner|point|angle))? (?P<one>[A-Z])\b"
    r"|(?:(?<=∠) ?|(?<=[Aa])(?<!\w.)ngle (?:at )?)(?P<two>[A-Z])(?: is|,)(?: a| the| equal to)?"
    r" ?(?:right angle\b|right(?=[.,;])|90 ?(?:°|deg))"
    r"|(?:(?<=∠) ?|(?<=[Aa])(?<!\w.)ngle )(?P<three>[A-Z]) ?= ?90 ?(?:°|deg))"
)
_RIGHT_SIGNS = ("right", "90")
_TRIANGLE = re.compile(r"riangle(?<=[Tt]riangle) ([A-Z]{3})\b")
_EQUAL_SIDES = re.compile(
    r"(?<![\w=+*/-])(?<![=+*/-] )([A-Z]{2}) ?= ?([A-Z]{2})(?![\w²^]| ?[-+*/×·=])"
)
_EQUAL_ANGLES = re.compile(
    r"\b(?:[Bb]ase|[Ee]qual) angles(?: (?:are|at|is|therefore|thus|then|here|hence|both|lie))*:?"
    r" (?:∠ ?|angles? )?(?P<one>[A-Z])(?: and | = |, )"
    r"(?:∠ ?|angle )?(?P<two>[A-Z])\b"
    r"|(?:∠ ?|\b[Aa]ngle )(?P<three>[A-Z])(?: ?= ?| equals | is equal to )(?:∠ ?|angle"
    r" )(?P<four>[A-Z])\b(?! ?[-+*/=×])"
)
_NUMBERS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_READ = re.compile(
    r"\b(?:shows?|reads?|see|seen|chart|graph|table|diagram|given|lists?|starts?)\b", re.IGNORECASE
)
_AT_X = re.compile(r"\b[Aa]t x = (?P<value>-?\d{1,3})\b(?P<rest>[^.\n]{0,80})")
_X_IS = re.compile(
    r"\bx ?= ?(?:[^=\n.,;]{1,20}= ?)?(?P<value>-?\d{1,3})(?![\d/]|\.\d| ?[-+*/×·^²√=])"
)
_MOST = 200


def rereadings(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """What a chain says of the pairs, orders and angles of its question that this denies."""
    question, text = chain.question, chain.text
    known = told(question)
    if known:
        clear = untypeset(text)
        if len(known.named) > 1 and may_name(text, known):
            yield from _pairs(chain, clear, known, start, end)
            yield from _named_before(chain, clear, known, start, end)
            if "rom " in clear or "etween " in clear:
                yield from _ends(clear, known, start, end)
            yield from _ranks(clear, known, start, end)
    if "t x = " in text:
        yield from _put_in(chain, start, end)
    if "grid" in question or "array" in question:
        yield from grids(question, text, start, end)
    if "riangle" in question or "ight" in question:
        yield from _triangles(question, text, start, end)


def _stands(text: str, span: tuple[int, int], start: int, end: int) -> bool:
    return not hypothetical(text, span[0], start) and not retracted(text, span[1], end)


def _fact(known: Told, written: str) -> Said | None:
    """What the question tells of a name, as it is written here."""
    words = words_of(written)
    return next(
        (fact for key in (words, words[-1:], words[:1]) if (fact := known.named.get(key))), None
    )


def _pairs(chain: Chain, text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A value in front of the name whose value is another one: 75 in 2016."""
    if not any(_fact(known, match["name"]) for match in _OF_NAME.finditer(text, start, end)):
        return
    values = [fact.value for fact in known.named.values()]
    for said in sayings(text, start, end):
        after = text[said.end : said.end + 60]
        place = said.end
        for word in after.split(" ", 2)[1:2] if after.startswith(" ") else ():
            unit = word.isalpha() and word not in ("in", "on", "for", "at", "per", "more", "less")
            place += len(word) + 1 if unit else 0
        if said.unit and text[said.end : said.end + 2].strip()[:1] in ("°", "%", "€"):
            place = max(place, text.find(" ", said.end + 1))
        match = _OF_NAME.match(text, place, end)
        fact = _fact(known, match["name"]) if match else None
        if match is None or fact is None or not differs(fact, said):
            continue
        if (shown(said.value),) in known.named or (words_of(match["name"])[0],) in known.counts:
            continue
        if _BY.search(text, max(start, said.start - 45, said.first), said.start):
            continue
        if match["name"].endswith("s") and f"{match['name']}" not in chain.question:
            continue  # two pencils
        elsewhere = values.count(said.value) == 1
        if elsewhere:
            if any(one.values[1] == said.value for one in equations(chain.text, start, end)):
                continue
            wrong = _stands(text, (said.start, match.end()), start, end)
        else:
            once = _NUMBERS.findall(text[start:end]).count(shown(said.value)) == 1
            asked = shown(said.value) in _NUMBERS.findall(chain.question)
            read = _READ.search(text, max(start, said.start - 60, said.first - 30), said.start)
            wrong = not asked and (
                (once and not excused(chain, text, said, start, end))
                or (read is not None and _given(chain, text, said, start, end))
            )
        if wrong:
            note = (
                f"for “{match['name']}” the question has {shown(fact.value)},"
                f" not {shown(said.value)}"
            )
            yield Evidence("contradiction", said.start, match.end(), note)


def _named_before(chain: Chain, text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A name right before the value of another one: the 2010 value of 48, Kim's share (20%)."""
    values = [fact.value for fact in known.named.values()]
    alone = {value for value, times in Counter(values).items() if times == 1}
    for site in islice(_NUMBERS.finditer(text, start, end), _MOST):
        value = number_of(site[0])
        if value not in alone or _BEHIND.match(text, site.end()):
            continue
        match = _NAMED.search(text, max(start, site.start() - 40), site.start())
        fact = _fact(known, match["name"]) if match else None
        if match is None or fact is None or fact.value == value or site[0] in match["name"]:
            continue
        if {words_of(match["name"])} & {*known.counts} or (site[0],) in known.named:
            continue
        if (text[site.end() : site.end() + 2].strip()[:1] == "%") != (fact.unit == "%"):
            continue
        if _AHEAD.search(text, max(start, match.start("name") - 30), match.start("name")):
            continue
        word = words_of(text[site.end() : site.end() + 16])[:1]
        if (
            fact.behind
            and word
            and word[0] not in fact.behind
            and text[site.end() : site.end() + 1] == " "
        ):
            continue  # of something else
        if INSTEAD.match(text, site.end()):
            continue
        if value in [*accumulate(values)] or any(
            one.values[1] == value for one in equations(chain.text, start, end)
        ):
            continue
        if _stands(text, (match.start("name"), site.end()), start, end):
            note = f"for “{match['name']}” the question has {shown(fact.value)}, not {site[0]}"
            yield Evidence("contradiction", match.start("name"), site.end(), note)


def _given(chain: Chain, text: str, said: Said, start: int, end: int) -> bool:
    """Whether a value comes from no step before it, and is neither supposed nor taken back."""
    made = any(
        said.value in equation.values and equation.left.start < said.end
        for equation in equations(chain.text, start, end)
    )
    return not made and _stands(text, (said.start, said.end), start, end)


def _ends(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """A difference between two names that is taken of a third one's value."""
    values = [fact.value for fact in known.named.values()]
    for match in islice(_ENDS.finditer(text, start, end), 20):
        one, two = _fact(known, match["one"]), _fact(known, match["two"])
        if one is None or two is None or one is two:
            continue
        used = {Fraction(match["left"]), Fraction(match["right"])}
        right = {one.value, two.value}
        if (
            used == right
            or len(used & right) != 1
            or any(values.count(value) != 1 for value in used)
        ):
            continue
        if not any(_fact(known, word) for word in match["rest"].split()) and _stands(
            text, match.span(), start, end
        ):
            have = " and ".join(map(shown, sorted(right)))
            note = f"{match['one']} and {match['two']} have {have} in the question"
            yield Evidence("contradiction", *match.span(), note)


def _ranks(text: str, known: Told, start: int, end: int) -> Iterator[Evidence]:
    """Names in an order that is not that of their values."""
    found = list(_RANKED.finditer(text, start, end)) if "est" in text or "most" in text else []
    signs = " < " in text or " > " in text
    found += _INEQUALITY.finditer(text, start, end) if signs else ()
    for match in found:
        facts = [_fact(known, name.removeprefix("the ")) for name in _JOIN.split(match["names"])]
        values = [fact.value for fact in facts if fact is not None]
        if len(values) < 2 or len(values) < len(facts):
            continue
        if "most" in match.re.groupindex:
            up, down = match["most"] in _UP, match["most"] in _DOWN
        else:
            up, down = match["sign"] == "<", match["sign"] == ">"
        rises = all(one <= two for one, two in pairwise(values))
        falls = all(one >= two for one, two in pairwise(values))
        if (up and rises) or (down and falls) or not (up or down):
            continue
        if match["names"].count("<") and match["names"].count(">"):
            continue
        if _stands(text, match.span(), start, end):
            note = f"the question has {', '.join(map(shown, values))} for these, in this order"
            yield Evidence("contradiction", *match.span(), note)
    for match in islice(_RACE.finditer(text, start, end), 20) if occurs(_RACING, text) else ():
        one, two = _fact(known, match["one"]), _fact(known, match["two"])
        if one is None or two is None or not {one.unit, two.unit} <= _TIMES:
            continue
        later = match["how"] in ("after", "behind")
        if (
            one.value != two.value
            and (one.value > two.value) != later
            and _stands(text, match.span(), start, end)
        ):
            note = (
                f"the question has {shown(one.value)} of the one and {shown(two.value)} of the"
                f" other"
            )
            yield Evidence("contradiction", *match.span(), note)


@lru_cache(maxsize=4096)  # many samples answer one question
def _drawn(question: str) -> tuple[frozenset[str], frozenset[str], tuple[tuple[str, str], ...]]:
    """The triangles, the right angles and the pairs of equal sides of a question."""
    names = _TRIANGLE.findall(question) if "riangle" in question else ()
    may_be = "ight" in question and occurs(_RIGHT_SIGNS, question)
    rights = _RIGHT.findall(question) if may_be else ()
    equal = _EQUAL_SIDES.findall(question) if names and "=" in question else ()
    return frozenset(names), frozenset(next(filter(None, one)) for one in rights), tuple(equal)


def _triangles(question: str, text: str, start: int, end: int) -> Iterator[Evidence]:
    """Another right angle, or other equal sides, than the question's triangle has."""
    names, rights, equal = _drawn(question)
    if not (rights or equal):
        return
    text = untypeset(text)
    if len(rights) == 1 and len(names) < 2 and occurs(_RIGHT_SIGNS, text):
        (right,) = rights
        corners = {*"".join(names)} or {"A", "B", "C"}
        for match in islice(_RIGHT.finditer(text, start, end), 20):
            here = match["one"] or match["two"] or match["three"]
            if here != right and here in corners and _stands(text, match.span(), start, end):
                note = f"the question has the right angle at {right}, not at {here}"
                yield Evidence("contradiction", *match.span(), note)
    if len(equal) != 1 or len(names) != 1 or "quilateral" in question + text or "60" in question:
        return
    (triangle,) = names
    sides = {
        "".join(sorted(one + two))
        for one, two in zip(triangle, triangle[1:] + triangle[0], strict=True)
    }
    told_sides = {"".join(sorted(side)) for side in equal[0]}
    common = {*equal[0][0]} & {*equal[0][1]}
    for match in islice(_EQUAL_ANGLES.finditer(text, start, end), 20):
        pair = {match["one"] or match["three"], match["two"] or match["four"]}
        if pair & common and pair <= {*triangle} and _stands(text, match.span(), start, end):
            note = f"the question has {' = '.join(equal[0])}, by which other angles are equal"
            yield Evidence("contradiction", *match.span(), note)
    for match in islice(_EQUAL_SIDES.finditer(text, start, end), 20):
        here = {"".join(sorted(side)) for side in match.groups()}
        other = here != told_sides and len(here) == 2 and here <= sides and told_sides <= sides
        if other and _stands(text, match.span(), start, end):
            note = f"the question has {' = '.join(equal[0])}, not {match[0]}"
            yield Evidence("contradiction", *match.span(), note)


def _put_in(chain: Chain, start: int, end: int) -> Iterator[Evidence]:
    """A place at which another number is put in than its own: at x = 3, 2² - 4·2 + 3."""
    text = chain.text
    if "(x" in text + chain.question:
        return
    both = (_X_IS.finditer(text, start, end), _X_IS.finditer(chain.question))
    values = {match["value"] for found in both for match in islice(found, _MOST)}
    for match in islice(_AT_X.finditer(text, start, end), 20):
        others = values - {match["value"]}
        if len(others) != 1 or _is_put(match["value"], match["rest"]):
            continue
        (other,) = others
        if _is_put(other, match["rest"]) and _stands(text, match.span(), start, end):
            note = f"x is said to be {match['value']}, and {other} is put in"
            yield Evidence("contradiction", *match.span(), note)


def _is_put(value: str, rest: str) -> bool:
    """Whether a number is squared or multiplied in an expression, as x is."""
    signs = (f"{value}²", f"{value}^2", f"({value})", f"·{value} ", f"· {value} ", f"× {value} ")
    return occurs(signs, rest)

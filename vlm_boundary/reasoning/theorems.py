"""Theorems, formulas, terms and units that a chain names in words, against what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from vlm_boundary.mathtext.units import UNITS
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.passages import hypothetical, retracted
from vlm_boundary.reasoning.steps import rounds_to
from vlm_boundary.verifier.phrases import occurs

FACTORS = {
    "half": Fraction(1, 2), "a third": Fraction(1, 3), "one third": Fraction(1, 3),
    "two thirds": Fraction(2, 3), "a quarter": Fraction(1, 4), "one quarter": Fraction(1, 4),
    "a fourth": Fraction(1, 4), "one fourth": Fraction(1, 4), "three quarters": Fraction(3, 4),
    "three fourths": Fraction(3, 4), "a fifth": Fraction(1, 5), "one fifth": Fraction(1, 5),
    "a sixth": Fraction(1, 6), "one sixth": Fraction(1, 6), "an eighth": Fraction(1, 8),
    "one eighth": Fraction(1, 8), "a tenth": Fraction(1, 10), "one tenth": Fraction(1, 10),
    "twice": Fraction(2), "double": Fraction(2), "two times": Fraction(2),
    "triple": Fraction(3), "three times": Fraction(3), "thrice": Fraction(3),
    "four times": Fraction(4), "quadruple": Fraction(4), "five times": Fraction(5),
    "six times": Fraction(6), "ten times": Fraction(10),
}  # fmt: skip
"""How many times as much a word says."""
FACTOR = "|".join(sorted((name.replace(" ", "[ -]") for name in FACTORS), key=len)[::-1])
"""The same words as a pattern."""
_EQUAL = "equal to|the same as|as (?:large|long|big|wide) as"

_INSCRIBED = "(?:inscribed|circumferential|peripheral) angle(?! theorem)"
_CENTRAL = "(?:central angle|angle at the cent(?:re|er))"
_MIDLINE = "(?:midline|midsegment|mid-segment|the midpoints of (?:two|its two|the two) sides)"
# Of the first thing and the second: how many times the second the first is.
_RELATIONS = (
    (_INSCRIBED, _CENTRAL, Fraction(1, 2), "an inscribed angle is half the central angle"),
    (_CENTRAL, _INSCRIBED, Fraction(2), "a central angle is twice the inscribed angle"),
    ("diameter(?! of)", "radius(?! of)", Fraction(2), "a diameter is twice the radius"),
    ("radius(?! of)", "diameter(?! of)", Fraction(1, 2), "a radius is half the diameter"),
    ("angle of reflection", "angle of incidence", Fraction(1),
     "the angle of reflection is equal to the angle of incidence"),
    (_MIDLINE, "(?:third side|base|[A-Z]{2})", Fraction(1, 2),
     "the line between the midpoints of two sides is half as long as the third side"),
)  # fmt: skip
_RELATED = tuple(
    (
        re.compile(
            rf"\b{one}\b(?P<gap>[^.;:\n\d]{{0,70}}?)\b(?P<factor>{FACTOR}|{_EQUAL})\b"
            rf"(?P<rest>[^.;:\n\d]{{0,30}}?)\b(?-i:{other})\b",
            re.IGNORECASE,
        ),
        factor,
        note,
    )
    for one, other, factor, note in _RELATIONS
)
_NO_RELATION = re.compile(
    r"\b(?:not|never|whose|than|if|small\w*|larger|largest|bigger|biggest|other|outer|inner|circles?|angle|radius|diameter|arc is|chord|square|area|sum|plus|minus|by)\b"
    r"|n't",
    re.IGNORECASE,
)
_ARTICLE = r"(?:an?|the|this|any|our|every|each|such an?)"
_TIMES = r"(?: ?(?:times|multiplied by|multiplied with|×|·|\*) ?| and )"
_HEIGHT = r"(?:the |its |the corresponding |the perpendicular )?(?:height|altitude)"
_BASE = r"(?:the |its |a )?base(?: length)?"
_PARALLEL = r"sum of (?:the |its )?(?:two )?(?:parallel sides|bases)"
# A measure of a figure, the product that it is made of, and the share of the product.
_FORMULAS = tuple(
    (
        re.compile(
            rf"\b{measure} of (?:{_ARTICLE} )?(?:[a-z]+-?[a-z]+ )?(?:{figure})(?P<gap>[^.;\n]{{0,60}}?)"
            rf"\b(?:{product})(?P<rest>[^.;\n]*)",
            re.IGNORECASE,
        ),
        share,
        f"the {measure} of a {figure.split('|')[0]} is {said}",
    )
    for measure, figure, product, share, said in (
        ("area", "triangle", rf"{_BASE}{_TIMES}{_HEIGHT}|product of (?:the |its )?(?:two )?(?:legs|catheti)",
         Fraction(1, 2), "half the base times the height"),
        ("area", "parallelogram", rf"{_BASE}{_TIMES}{_HEIGHT}", Fraction(1),
         "the base times the height"),
        ("area", "trapezoid|trapezium", rf"{_PARALLEL}{_TIMES}{_HEIGHT}", Fraction(1, 2),
         "half the sum of the parallel sides times the height"),
        ("area", "rhombus|kite", r"product of (?:the |its |both )?(?:two )?diagonals|diagonals multiplied",
         Fraction(1, 2), "half the product of its diagonals"),
        ("volume", "cone|pyramid", rf"(?:the |its )?(?:base area|area of (?:the|its) base|base){_TIMES}{_HEIGHT}",
         Fraction(1, 3), "a third of the base area times the height"),
        ("volume", "cylinder|prism", rf"(?:the |its )?(?:base area|area of (?:the|its) base|base){_TIMES}{_HEIGHT}",
         Fraction(1), "the base area times the height"),
        ("area", "rectangle", r"(?:the |its )?length" + _TIMES + r"(?:the |its )?width", Fraction(1),
         "its length times its width"),
    )
)  # fmt: skip
_SHARE = re.compile(
    r"\b(?P<two>half|halved|one[- ]half|1/2|0\.5|divided by (?:2|two)|over (?:2|two))\b|½|/ ?2(?!\d)"
    r"|(?P<three>\bone[- ]third|\ba third|\b1/3|\bdivided by (?:3|three))"
    r"|(?P<four>\bone[- ](?:quarter|fourth)|\ba quarter|\b1/4|\bdivided by (?:4|four))"
    r"|(?P<double>\btwice|\bdouble|\btwo times|\b2 ?[×·*])",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\b(?:not|never|if|half|halv\w*|than|because|parallelogram|rectangle|square|other|part|ratio"
    r"|proportional|depends?|need|from|formula for|where|when|while|since|whereas|small\w*|shaded)\b"
    r"|n't|[=√]",
    re.IGNORECASE,
)
_MEANS = r" (?:is|are|equals?|means|is defined as|is given by|is found as|is calculated as)"
_DEFINED = r"(?: (?:simply|just|always|then|equal to|given by|the value|the number|that|of)){0,3}"
# What is never so, whatever the figure or the data.
_NEVER = tuple(
    (re.compile(pattern, re.IGNORECASE), note)
    for pattern, note in (
        (rf"\b(?:slope|gradient){_MEANS}{_DEFINED} (?:the )?(?:run (?:divided by|over) (?:the )?rise"
         r"|(?:change|difference) in x (?:divided by|over) (?:the )?(?:change|difference) in y)",
         "a slope is the rise divided by the run"),
        (rf"\b(?:mean|average){_MEANS}{_DEFINED} (?:the )?(?:number|count)[^.;\n]{{0,30}} divided by"
         r" (?:the |their )?(?:sum|total)\b", "a mean is the sum divided by the number of values"),
        (rf"\bmedian{_MEANS}{_DEFINED} (?:the )?(?:value |number |one )?(?:that |which )?"
         r"(?:occurs|appears|most (?:frequent|common))", "a median is the value in the middle"),
        (rf"\bmode{_MEANS}{_DEFINED} (?:the )?(?:value |number |one )?(?:in the middle|middle"
         r"|largest|average|sum)\b", "a mode is the value that occurs most often"),
        (rf"\brange{_MEANS}{_DEFINED} (?:the )?(?:sum|average|middle|product) ",
         "a range is the largest value minus the smallest"),
        (r"\bperimeter of (?:an?|the|this) (?:rectangle|square)" + _MEANS + _DEFINED
         + r" (?:the |its )?(?:product of|length (?:times|multiplied by) (?:the |its )?width|side squared)",
         "a perimeter is the sum of the sides"),
        (r"\barea of (?:an?|the|this) (?:rectangle|square)" + _MEANS + _DEFINED
         + r" (?:twice |two times )?(?:the )?(?:sum of|length plus|four times (?:the|its) side)",
         "an area is a product of two sides"),
        (r"\barea of (?:an?|the|this) circle" + _MEANS + _DEFINED + r" (?:2 ?\*?·? ?(?:π|pi)|two pi"
         r"|(?:π|pi) times (?:the|its) diameter|twice (?:π|pi))", "a circle's area is πr²"),
        (r"\bcircumference(?: of (?:an?|the|this) circle)?" + _MEANS + _DEFINED + r" (?:π ?r(?![a-z])"
         r"|(?:π|pi) times (?:the|its) radius|pi r\b)", "a circumference is 2πr"),
        (r"\bindependent\b[^.;\n]{0,40}\bprobabilit(?:y|ies) (?:are|is|must be|have to be|get|can be)"
         r" (?:added|summed)", "probabilities of independent events are multiplied"),
        (r"\bmutually exclusive\b[^.;\n]{0,40}\bprobabilit(?:y|ies) (?:are|must be|have to be|get|can be)"
         r" multiplied", "probabilities of events that exclude each other are added"),
        (r"\b(?:trapezoid|trapezium)[^.;\n]{0,40} product of (?:the |its )?(?:two )?(?:parallel sides|bases)",
         "a trapezoid's area has the sum of the parallel sides"),
        (r"\bpercent(?:age)? (?:increase|change|rise|growth|decrease)[^.;\n]{0,60}\b(?:divided? |relative |refers? )"
         r"(?:[a-z]+ ){0,5}(?:by|to) the (?:new|final|later|last|end|larger) (?:value|price|number|amount)",
         "a change in percent is relative to the old value"),
        (r"\bperpendicular lines have (?:the )?(?:same|equal) slopes?",
         "slopes of perpendicular lines have the product -1"),
        (r"\bparallel lines have (?:opposite|negative reciprocal|reciprocal|different) slopes",
         "parallel lines have the same slope"),
        (r"\bx ?= ?(?:\\[dt]?frac\{b\}\{2a\}|b ?/ ?\(?2a\)?)", "the axis of a parabola is x = -b/(2a)"),
        (r"\bb(?:²|\^2|\^\{2\}) ?\+ ?4 ?ac\b", "the discriminant is b² - 4ac"),
        (r"\bopposite angles (?:of|in) (?:an?|the|every) cyclic quadrilateral (?:are|is) (?:always )?equal",
         "opposite angles of a cyclic quadrilateral add up to 180°"),
    )
)  # fmt: skip
_DEGREES = r"(?P<said>\d{1,4})(?![\d.,]\d|\d)\s?(?:°|degrees|\^\{?\\circ)"
_ADD_UP = r" (?:always |must |together |will )*(?:adds?(?: up)? to|sums? (?:up )?to|total|make|is|are|have)"
_TURNS = tuple(
    (re.compile(rf"{pattern}(?: (?:an angle of|equal to|exactly|always|of))* {_DEGREES}", re.I), right, note)
    for pattern, right, note in (
        (r"\b(?:[Aa]|[Ee]very|[Ee]ach|one) straight angle (?:is|has|measures|equals)", 180,
         "a straight angle has 180°"),
        (r"\bangles (?:on|along|at) a (?:straight )?line (?:always )?(?:add(?: up)? to|sum (?:up )?to)", 180,
         "angles on a straight line add up to 180°"),
        (r"\b(?:a|every|each) right angle (?:is|has|measures|equals)", 90, "a right angle has 90°"),
        (r"\b(?:a|the) full (?:angle|turn|circle|rotation|revolution) (?:is|has|measures|equals)", 360,
         "a full turn has 360°"),
        (rf"\bsupplementary angles{_ADD_UP}", 180, "supplementary angles add up to 180°"),
        (rf"\bcomplementary angles{_ADD_UP}", 90, "complementary angles add up to 90°"),
        (rf"\bangles (?:at|around|about) (?:a|the|one) (?:point|cent(?:re|er)){_ADD_UP}", 360,
         "angles around a point add up to 360°"),
        (r"\bangle in (?:a|the) semicircle (?:is|measures|equals|has)", 90,
         "an angle in a semicircle has 90°"),
        (r"\bexterior angles of (?:a|any|every|the) [a-z]+ (?:add(?: up)? to|sum (?:up )?to)", 360,
         "exterior angles add up to 360°"),
    )
)  # fmt: skip
_UNIT = r"(?P<{}>[a-z]{{2,11}}|[hmgl])(?:(?P<{}>[²³])|\b)"
_OF_UNIT = re.compile(
    rf"(?<![\d./])\b(?:1|one|an?|each|every) {_UNIT.format('unit', 'power')}"
    r"(?: (?:is|has|equals|are|contains|makes|corresponds to|consists of|equal to|exactly)|\s?[=:])+"
    rf" ?(?P<count>\d{{1,3}}(?:,\d{{3}})+|\d{{1,7}}(?:\.\d{{1,4}})?) {_UNIT.format('part', 'same')}"
    r"(?=[.,;)]|\s(?:and|so|or|in|which|we|there|\d)|\s?$|\n)",
    re.IGNORECASE,
)
_IN_UNIT = re.compile(
    rf"\b(?:there are|(?:as|since|because) there are|we have) (?P<count>\d{{1,7}}) {_UNIT.format('part', 'same')}"
    rf" (?:in|to|per) (?:1|one|an?|each|every) {_UNIT.format('unit', 'power')}",
    re.IGNORECASE,
)
_CONVERTED = re.compile(  # … = 2.25 m. In centimetres the total is 285 cm
    r"[=≈] ?(?P<value>\d{1,6}(?:\.\d{1,4})?) ?(?P<unit>[a-z]{1,11})[.,;]\s(?:[Ii]n|[Cc]onverted to|[Ee]xpressed in)"
    r" (?P<to>[a-z]{2,11}),? (?:this|that|it|the [a-z ]{3,30}|we) (?:is|are|makes|gives|have|get)(?: about)?"
    r" (?P<said>\d{1,9}(?:\.\d{1,4})?)(?![\d/]|[.,]\d|\s?[-+*/×·÷^(])"
)
_SCALED = re.compile(
    r"\b(?:scale|map|model|represents?|drawing|plan|working|school|exchange)\b", re.I
)
_ALL_SIDES = re.compile(r"\b(?:square|circle|cube|sphere|similar|radius|edges?)\b", re.I)
_GROWS = re.compile(
    r"\b(?:side|sides|edges?|radius|lengths?)(?: lengths?)? (?:is|are|gets?|has been|have been)?\s?"
    r"(?P<how>doubled|tripled|halved|doubles?|triples?)[^.;\n]{0,20}\bthe (?P<what>area|volume)(?: also)?"
    r" (?:is |gets )?(?P<too>doubles?|triples?|halves|doubled|tripled|halved)\b"
    r"|\b(?P<same>area|volume)s? (?:is|are|gets?|grows?|increases?|scales?|changes?)(?: scaled| multiplied)?"
    r" (?:by|with) the same factor",
    re.IGNORECASE,
)


def wrong_theorems(text: str, start: int, end: int, question: str) -> Iterator[Evidence]:
    """A theorem, formula, term or unit that is said otherwise than it is."""
    for first, last, note in _found(text, start, end, question):
        if not retracted(text, last, end) and not hypothetical(text, first, start):
            yield Evidence("arithmetic_error", first, last, note)
            return


_Found = tuple[int, int, str]


def _found(text: str, start: int, end: int, question: str) -> Iterator[_Found]:
    if occurs(
        ("nscribed", "ircumferential", "radius", "midpoint", "mid-seg", "midseg", "idline", "reflection"), text
    ):
        yield from _relations(text, start, end)
    if " of " in text and occurs(("rea of", "olume of"), text):
        yield from _formulas(text, start, end)
    if occurs(
        (
            "lope",
            "radient",
            "ean ",
            "verage",
            "edian",
            "ode ",
            "ange ",
            "rimeter of",
            "rea of",
            "ircumference",
            "robabilit",
            "cyclic",
            "apezoid",
            "ercent",
            "4ac",
            "2a",
        ),
        text,
    ):
        for pattern, note in _NEVER:
            for match in pattern.finditer(text, start, end):
                yield *match.span(), note
    if occurs(("angle", "full "), text) and occurs(("°", "degrees", "circ"), text):
        for pattern, right, note in _TURNS:
            for match in pattern.finditer(text, start, end):
                if int(match["said"]) != right:
                    yield *match.span(), note
    yield from _units(text, start, end, question)
    if occurs((" In ", " in ", "onverted to"), text):
        yield from _converted(text, start, end)
    if occurs(("oubl", "ripl", "halv", "same factor"), text) and occurs(("area", "volume"), text):
        yield from _grown(text, start, end, question)


def _relations(text: str, start: int, end: int) -> Iterator[_Found]:
    for pattern, right, note in _RELATED:
        for match in pattern.finditer(text, start, end):
            word = match["factor"].lower().replace("-", " ")
            said = FACTORS.get(word, Fraction(1))
            if said != right and not _NO_RELATION.search(match["gap"] + match["rest"]):
                yield *match.span(), note


def _formulas(text: str, start: int, end: int) -> Iterator[_Found]:
    for pattern, right, note in _FORMULAS:
        for match in pattern.finditer(text, start, end):
            ahead = text[match.end() : match.end() + 60]
            if _ASIDE.search(_SHARE.sub(" ", match["gap"])) or re.search(r"half|halv", ahead):
                continue
            shares = [*_SHARE.finditer(f"{match['gap']} | {match['rest']}")]
            said = Fraction(1)
            for share in shares:
                said *= {
                    "two": Fraction(1, 2), "three": Fraction(1, 3), "four": Fraction(1, 4),
                    "double": Fraction(2),
                }[share.lastgroup or "two"]  # fmt: skip
            if said != right and len(shares) < 2:
                yield match.start(), match.start("rest"), note


def _units(text: str, start: int, end: int, question: str) -> Iterator[_Found]:
    """A unit that is said to be so many of a smaller one of its kind."""
    found = []
    if occurs(("1 ", "ne ", "n hour", "a ", "A ", "ach ", "very "), text):
        found = [*_OF_UNIT.finditer(text, start, end)]
    if "here are " in text or "e have " in text:
        found += _IN_UNIT.finditer(text, start, end)
    for match in found:
        unit, part = UNITS.get(match["unit"].lower()), UNITS.get(match["part"].lower())
        if (
            unit is None
            or part is None
            or unit.dimension != part.dimension
            or unit.size <= part.size
        ):
            continue
        if text.endswith((" in ", " per ", "/"), start, match.start()):
            continue  # 6 hours * 60 minutes in an hour = 360 minutes
        if match["power"] != match["same"] or unit.dimension not in (
            "length",
            "mass",
            "time",
            "volume",
        ):
            continue
        if _SCALED.search(f"{question} {text[start:end]}") or "ton" in match["unit"].lower():
            continue
        power = match["power"] or ""
        right = (unit.size / part.size) ** {"²": 2, "³": 3}.get(power, 1)
        said = Fraction(match["count"].replace(",", ""))
        if abs(said - right) > right / 20:
            yield (
                *match.span(),
                (
                f"1 {match['unit']}{power} is {float(right):g} {match['part']}{power}, not {match['count']}"
            ),
            )


def _converted(text: str, start: int, end: int) -> Iterator[_Found]:
    """A result that the next sentence gives in another unit."""
    for match in _CONVERTED.finditer(text, start, end):
        unit, to = UNITS.get(match["unit"]), UNITS.get(match["to"].lower())
        if unit is None or to is None or unit.dimension != to.dimension:
            continue
        right = Fraction(match["value"]) * unit.size / to.size
        if not rounds_to(right, Fraction(match["said"])):
            note = f"{match['value']} {match['unit']} is {float(right):g} {match['to']}, not {match['said']}"
            yield match.start("value"), match.end(), note


def _grown(text: str, start: int, end: int, question: str) -> Iterator[_Found]:
    for match in _GROWS.finditer(text, start, end):
        alike = match["same"] or (match["how"][:4].lower() == match["too"][:4].lower())
        if alike and _ALL_SIDES.search(f"{question} {text[start : match.end()]}"):
            what = (match["what"] or match["same"]).lower()
            power = "square" if what == "area" else "cube"
            yield *match.span(), f"the {what} grows with the {power} of the lengths"

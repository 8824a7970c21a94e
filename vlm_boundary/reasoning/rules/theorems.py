"""Theorems, formulas and terms that a chain names in words, against what is so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from fractions import Fraction

from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.passages import unless_excused

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


def _compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern that ignores case; where it begins with \b and a letter, for a fast search."""
    if pattern[:2] == r"\b" and pattern[2].isalpha():
        pattern = rf"(?-i:[{pattern[2]}{pattern[2].upper()}])(?<!\w.){pattern[3:]}"
    return re.compile(pattern, re.IGNORECASE)


def _related(one: str, other: str) -> re.Pattern[str]:
    return _compiled(
        rf"\b{one}\b(?P<gap>[^.;:\n\d]{{0,70}}?)\b(?P<factor>{FACTOR}|{_EQUAL})\b"
        rf"(?P<rest>[^.;:\n\d]{{0,30}}?)\b(?-i:{other})\b"
    )


# Words of which a text has one or its plural, from each part between commas (the last is the
# rarest), two things, and how many times the second the first is.
_RELATIONS = (
    ("central center centre, inscribed circumferential peripheral",
     _related(_INSCRIBED, _CENTRAL), Fraction(1, 2),
     "an inscribed angle is half the central angle"),
    ("central center centre, inscribed circumferential peripheral",
     _related(_CENTRAL, _INSCRIBED), Fraction(2),
     "a central angle is twice the inscribed angle"),
    ("arc, inscribed circumferential peripheral", _related(_INSCRIBED, "arc"), Fraction(1, 2),
     "an inscribed angle is half its arc"),
    ("radius, diameter", _related("diameter(?! of)", "radius(?! of)"), Fraction(2),
     "a diameter is twice the radius"),
    ("radius, diameter", _related("radius(?! of)", "diameter(?! of)"), Fraction(1, 2),
     "a radius is half the diameter"),
    ("incidence, reflection", _related("angle of reflection", "angle of incidence"), Fraction(1),
     "the angle of reflection is equal to the angle of incidence"),
    ("midline midsegment mid midpoints",
     _related(_MIDLINE, "(?:third side|base|[A-Z]{2})"), Fraction(1, 2),
     "the line between the midpoints of two sides is half as long as the third side"),
)  # fmt: skip
_NO_RELATION = re.compile(
    r"\b(?:not|never|whose|than|if|small\w*|larger|largest|bigger|biggest|other|outer|inner"
    r"|circles?|angle|radius|diameter|arc is|chord|square|area|sum|plus|minus|by)\b|n't",
    re.IGNORECASE,
)
_THE = r"(?:the |its )?"
_TIMES = r"(?: ?(?:times|multiplied by|multiplied with|×|·|\*) ?| and )"
_HEIGHT = rf"{_THE}(?:corresponding |perpendicular )?(?:height|altitude)"
_BY_HEIGHT = rf"(?:the |its |a )?base(?: length)?{_TIMES}{_HEIGHT}"
_BASE_AREA = rf"{_THE}(?:base area|area of (?:the|its) base|base){_TIMES}{_HEIGHT}"
_LEGS = rf"product of {_THE}(?:two )?(?:legs|catheti)"
_PARALLEL = rf"sum of {_THE}(?:two )?(?:parallel sides|bases){_TIMES}{_HEIGHT}"
_DIAGONALS = r"product of (?:the |its |both )?(?:two )?diagonals|diagonals multiplied"


def _formula(measure: str, figure: str, product: str) -> re.Pattern[str]:
    return _compiled(
        rf"\b{measure} of (?:(?:an?|the|this|any|our|every|each|such an?) )?(?:[a-z]+-?[a-z]+ )?"
        rf"(?:{figure})(?P<gap>[^.;\n]{{0,60}}?)\b(?:{product})(?P<rest>[^.;\n]*)"
    )


# Words as above, a measure of a figure with the product that it is made of, and
# the share of the product.
_FORMULAS = (
    ("base leg catheti, area, triangle, height altitude leg catheti",
     _formula("area", "triangle", f"{_BY_HEIGHT}|{_LEGS}"), Fraction(1, 2),
     "the area of a triangle is half the base times the height"),
    ("height altitude, area, parallelogram",
     _formula("area", "parallelogram", _BY_HEIGHT), Fraction(1),
     "the area of a parallelogram is the base times the height"),
    ("height altitude, area, trapezoid trapezium",
     _formula("area", "trapezoid|trapezium", _PARALLEL), Fraction(1, 2),
     "the area of a trapezoid is half the sum of the parallel sides times the height"),
    ("area, diagonals", _formula("area", "rhombus|kite", _DIAGONALS), Fraction(1, 2),
     "the area of a rhombus or a kite is half the product of its diagonals"),
    ("height altitude, volume, cone",
     _formula("volume", "cone", _BASE_AREA), Fraction(1, 3),
     "the volume of a cone is a third of the base area times the height"),
    ("height altitude, volume, pyramid",
     _formula("volume", "pyramid", _BASE_AREA), Fraction(1, 3),
     "the volume of a pyramid is a third of the base area times the height"),
    ("height altitude, volume, cylinder",
     _formula("volume", "cylinder", _BASE_AREA), Fraction(1),
     "the volume of a cylinder is the base area times the height"),
    ("height altitude, volume, prism",
     _formula("volume", "prism", _BASE_AREA), Fraction(1),
     "the volume of a prism is the base area times the height"),
)  # fmt: skip
_SHARE = re.compile(
    r"\b(?P<two>half|halved|one[- ]half|1/2|0\.5|divided by (?:2|two)|over (?:2|two))\b|½"
    r"|/ ?2(?!\d)|(?P<three>\bone[- ]third|\ba third|\b1/3|\bdivided by (?:3|three))"
    r"|(?P<four>\bone[- ](?:quarter|fourth)|\ba quarter|\b1/4|\bdivided by (?:4|four))"
    r"|(?P<double>\btwice|\bdouble|\btwo times|\b2 ?[×·*])",
    re.IGNORECASE,
)
_SHARES = {
    "two": Fraction(1, 2), "three": Fraction(1, 3), "four": Fraction(1, 4), "double": Fraction(2),
}  # fmt: skip
_ASIDE = re.compile(
    r"\b(?:not|never|if|half|halv\w*|than|because|parallelogram|rectangle|square|other|part|ratio"
    r"|proportional|depends?|need|from|formula for|where|when|while|since|whereas|small\w*"
    r"|shaded)\b|n't|[=√]",
    re.IGNORECASE,
)
_MEANS = (
    r" (?:is|are|equals?|means|is defined as|is given by|is found as|is calculated as)"
    r"(?: (?:simply|just|always|then|equal to|given by|the value|the number|that|of)){0,3}"
)
_A = r"(?:an?|the|this)"
_ARE = r"(?:are|is|must be|have to be|get|can be)"
_ONE = r" (?:the )?(?:value |number |one )?"
_TRAPEZOIDS = "trapezoid trapezium trapezoidal trapezia"
# Words as above, and what is never so, whatever the figure or the data.
_NEVER = tuple(
    (words, _compiled(pattern), note)
    for words, pattern, note in (
        ("run", rf"\b(?:slope|gradient){_MEANS} {_THE}run (?:divided by|over) {_THE}rise",
         "a slope is the rise divided by the run"),
        ("occurs appears frequent common, median",
         rf"\bmedian{_MEANS}{_ONE}(?:that |which )?(?:occurs|appears|most (?:frequent"
         r"|common))", "a median is the value in the middle"),
        ("mean average, median",
         rf"\bmedian{_MEANS} (?:the )?(?:mean|average) of (?:the )?(?:largest|smallest"
         r"|highest|lowest|extremes|all)", "a median is the value in the middle"),
        ("mode", rf"\bmode{_MEANS}{_ONE}(?:in the middle|middle|largest|average|sum)\b",
         "a mode is the value that occurs most often"),
        ("sum average middle product, range",
         rf"\brange{_MEANS} (?:the )?(?:sum|average|middle|product) ",
         "a range is the largest value minus the smallest"),
        ("circumference", rf"\bcircumference(?: of {_A} circle)?{_MEANS} (?:π ?r(?![a-z])"
         r"|(?:π|pi) times (?:the|its) radius|pi r\b)", "a circumference is 2πr"),
        ("independent", rf"\bindependent\b[^.;\n]{{0,40}}\bprobabilit(?:y|ies) {_ARE} (?:added"
         r"|summed)", "probabilities of independent events are multiplied"),
        ("probability, both", r"\bprobability of both (?:events )?(?:is|equals) the sum\b",
         "the probability of both is the product"),
        ("area, equilateral", r"\barea of an equilateral triangle[^.;\n]{0,40}"
         r"(?:\\frac\{\\sqrt\{?3\}?\}\{2\}|√3 ?/ ?2|\(√3\) ?/ ?2) ?(?:·|\\cdot)? ?[as](?:²|\^2)",
         "the area of an equilateral triangle is √3/4 times the square of its side"),
        ("exclusive", rf"\bmutually exclusive\b[^.;\n]{{0,40}}\bprobabilit(?:y|ies) {_ARE}"
         r" multiplied", "probabilities of events that exclude each other are added"),
        ("product, trapezoid trapezium",
         rf"\b(?:trapezoid|trapezium)[^.;\n]{{0,40}} product of {_THE}(?:two )?"
         r"(?:parallel sides|bases)", "a trapezoid's area has the sum of the parallel sides"),
        ("relative divide divided refer, percent percentage",
         r"\bpercent(?:age)? (?:increase|change|rise|growth|decrease)[^.;\n]{0,60}"
         r"\b(?:divided? |relative |refers? )(?:[a-z]+ ){0,5}(?:by|to) the (?:new|final|later|last"
         r"|end|larger) (?:value|price|number|amount)",
         "a change in percent is relative to the old value"),
        ("slope", r"\bperpendicular lines have (?:the )?(?:same|equal) slopes?",
         "slopes of perpendicular lines have the product -1"),
        ("slope", r"\bparallel lines have (?:opposite|negative reciprocal|reciprocal|different)"
         r" slopes", "parallel lines have the same slope"),
        ("exterior", r"\bexterior angle\b[^.;\n\d]{0,40}\b(?:is|equals)(?: always| just|"
         r" equal to)*"
         r" (?:the )?(?:difference|product|average|mean|half|twice)\b[^.;\n\d]{0,20}\b(?:remote"
         r"|non-adjacent|opposite interior|two (?:other |interior ))",
         "an exterior angle is the sum of the two remote interior angles"),
        ("exterior", r"\bexterior angle(?: [a-z])? (?:is (?:always )?(?:equal to|the same as)"
         r"|equals) (?:the|its) (?:adjacent|neighbou?ring|adjoining)",
         "an exterior angle and the interior one beside it add up to 180°"),
        ("exterior", r"\b(?:interior and exterior|exterior and interior) angles? are"
         r" (?:always )?complementary", "exterior and interior angle add up to 180°"),
        ("base, isosceles", r"\b(?:an?|every|any|each|all|of|[Ff]or|[Ii]n|most) isosceles"
         r" triangles?,?(?: has| have)?(?: (?:each|every|the|both|all|its|a))*"
         r" base angles?(?: is| are| equals?)(?: always| equal to)* (?:twice|half|double|three"
         r" times"
         r"|triple|a third|supplementary|complementary|different|unequal)\b",
         "the base angles of an isosceles triangle are equal, and bound to the third one by 180°"
         " alone"),
        (f"h, {_TRAPEZOIDS}",
         r"\btrapez\w+[^.;\n]{0,60}\b(?:area|A) ?=(?: ?A ?=)? ?\(?a ?[·×*] ?b\)? ?[·×*]"
                  r" ?h\b",
         "a trapezoid's area has the sum of the parallel sides"),
        (f"h, {_TRAPEZOIDS}", r"\btrapez\w+(?![^.;\n]{0,60}(?:twice|double|parallelogram|half|½"
                  r"|1/2))[^.;\n=]{0,60}"
         r"= ?\(a ?\+ ?b\) ?[·×*]? ?h\b(?!\s?[/÷·×*=]|,? (?:divided|halved|over|and halve|by two))",
         "the area of a trapezoid is half the sum of the parallel sides times the height"),
        ("corresponding", r"\bcorresponding angles(?: [a-z]+){0,4}? (?:are (?:always )?"
         r"(?:supplementary|complementary)|add up to|sum to)\b",
         "corresponding angles of parallel lines are equal"),
        ("alternate", r"\balternate (?:interior |exterior )?angles(?: [a-z]+){0,4}? (?:are"
         r" (?:always )?"
         r"(?:supplementary|complementary)|add up to|sum to)\b",
         "alternate angles of parallel lines are equal"),
        ("favourable favorable",
         rf"\bprobability{_MEANS} {_THE}(?:number of )?(?:all|total|possible)[^.;\n]{{0,25}}"
         rf" (?:divided by|over) {_THE}(?:number of )?favou?rable",
         "a probability is the favourable cases divided by all"),
        ("favourable favorable",
         rf"\bprobability{_MEANS} {_THE}(?:number of )?favou?rable[^.;\n]{{0,25}}"
                rf" (?:divided by"
         rf"|over|to) {_THE}(?:number of )?(?:unfavou?rable|other|remaining)",
         "a probability is the favourable cases divided by all"),
        ("cyclic", r"\bopposite angles (?:of|in) (?:an?|the|every) cyclic quadrilateral are"
         r" (?:always )?equal", "opposite angles of a cyclic quadrilateral add up to 180°"),
    )
)  # fmt: skip
_DEGREES = r"(?P<said>\d{1,4})(?![\d.,]\d|\d)\s?(?:°|degrees|\^\{?\\circ)"
_ADD_UP = r"(?: (?:always|must|together|will))* (?:add(?: up)? to|sum (?:up )?to|total|make)"
_HAS = r" (?:is|has|measures|equals)"
# Words as above, the angle or the angles, and how many degrees they have.
_TURNS = tuple(
    (words, _compiled(rf"{what}(?: (?:an angle of|equal to|exactly|always|of))* {_DEGREES}"),
     right, note)
    for words, what, right, note in (
        ("angle, straight", rf"\b(?:an?|every|each|one) straight angle{_HAS}", 180,
         "a straight angle has 180°"),
        ("line, angles", rf"\bangles (?:on|along|at) a (?:straight )?line{_ADD_UP}", 180,
         "angles on a straight line add up to 180°"),
        ("full", rf"\b(?:a|the) full (?:angle|turn|circle|rotation|revolution){_HAS}", 360,
         "a full turn has 360°"),
        ("supplementary", rf"\bsupplementary angles{_ADD_UP}", 180,
         "supplementary angles add up to 180°"),
        ("complementary", rf"\bcomplementary angles{_ADD_UP}", 90,
         "complementary angles add up to 90°"),
        ("angles, around", rf"\bangles around (?:a|the|one) (?:point|cent(?:re|er)){_ADD_UP}", 360,
         "angles around a point add up to 360°"),
        ("angle, semicircle", rf"\bangle (?:inscribed )?in (?:a|the) semicircle{_HAS}", 90,
         "an angle in a semicircle has 90°"),
        ("acute", rf"\bacute angles (?:of|in) (?:a|the|this|any|every) right(?:-angled)?"
         rf" triangle{_ADD_UP}", 90, "the acute angles of a right triangle add up to 90°"),
        ("exterior", rf"\bexterior angles of (?:an?|any|every|the) [a-z]+{_ADD_UP}", 360,
         "exterior angles add up to 360°"),
    )
)  # fmt: skip
_ALL_SIDES = re.compile(r"\b(?:square|circle|cube|sphere|similar|radius|edges?)\b", re.I)
_GROWS = re.compile(
    r"\b(?:sides?|edges?|radius|lengths?)(?: lengths?)? (?:is|are|gets?|has been|have been)?\s?"
    r"(?P<how>doubled|tripled|halved|doubles?|triples?)[^.;\n]{0,20}\bthe (?P<what>area|volume)"
    r"(?: also)? (?:is |gets )?(?P<too>doubles?|triples?|halves|doubled|tripled|halved)\b"
    r"|\b(?P<same>area|volume)s? (?:is|are|gets?|grows?|increases?|scales?|changes?)"
    r"(?: scaled| multiplied)? (?:by|with) the same factor"
    r"|\b(?P<ratio>area|volume)s are in the same ratio as (?:the|their) (?:sides|lengths|edges"
    r"|radii)",
    re.IGNORECASE,
)


_Span = tuple[int, int]


def _other_relation(match: re.Match[str], right: Fraction) -> _Span | None:
    said = FACTORS.get(match["factor"].lower().replace("-", " "), Fraction(1))
    if said == right or _NO_RELATION.search(match["gap"] + match["rest"]):
        return None
    return None if _SHARE.search(match["rest"]) else match.span()


def _other_formula(match: re.Match[str], right: Fraction) -> _Span | None:
    ahead = match.string[match.end() : match.end() + 60]
    if _ASIDE.search(_SHARE.sub(" ", match["gap"])) or "half" in ahead or "halv" in ahead:
        return None
    shares = [*_SHARE.finditer(f"{match['gap']} | {match['rest']}")]
    said = _SHARES[shares[0].lastgroup or "two"] if shares else Fraction(1)
    return (match.start(), match.start("rest")) if said != right and len(shares) < 2 else None


def _other_turn(match: re.Match[str], right: Fraction) -> _Span | None:
    return match.span() if int(match["said"]) != right else None


# All that is above in one row: words, a pattern, what finds its error, what is right, and a note.
_Error = Callable[[re.Match[str], Fraction], _Span | None]
_TOLD: list[tuple[str, re.Pattern[str], _Error, Fraction, str]] = [
    *((words, of, _other_relation, right, note) for words, of, right, note in _RELATIONS),
    *((words, of, _other_formula, right, note) for words, of, right, note in _FORMULAS),
    *((words, of, lambda match, _: match.span(), Fraction(0), note) for words, of, note in _NEVER),
    *((words, of, _other_turn, Fraction(right), note) for words, of, right, note in _TURNS),
]


def _forms(words: str) -> frozenset[str]:
    return frozenset(form for word in words.split() for form in (word, f"{word}s"))


_ALL = [
    (tuple(_forms(part) for part in words.split(",")[:-1]), of, error, right, note)
    for words, of, error, right, note in _TOLD
]
_BY_WORD: dict[str, list[int]] = {}
for _place, (_words, *_) in enumerate(_TOLD):
    for _word in _forms(_words.rpartition(",")[2]):
        _BY_WORD.setdefault(_word, []).append(_place)
_GROWING = _forms("doubled double tripled triple halved halves factor ratio")
_GROWN = _forms("area volume")
THEOREM_WORDS = frozenset(_BY_WORD) | _GROWING
"""A text without any of these words says no theorem that is known here."""


def wrong_theorems(
    text: str, words: Set[str], start: int, end: int, question: str
) -> Iterator[Evidence]:
    """A theorem, formula or term that is said otherwise than it is; `words` are the text's."""
    places = {place for word in words & THEOREM_WORDS for place in _BY_WORD.get(word, ())}
    for place in sorted(places):
        needed, pattern, error, right, note = _ALL[place]
        if any(map(words.isdisjoint, needed)):
            continue
        for match in pattern.finditer(text, start, end):
            if span := error(match, right):
                yield from unless_excused(text, *span, start, end, note)
    if not (_GROWING.isdisjoint(words) or _GROWN.isdisjoint(words)):
        for first, last, note in _grown(text, start, end, question):
            yield from unless_excused(text, first, last, start, end, note)


def _grown(text: str, start: int, end: int, question: str) -> Iterator[tuple[int, int, str]]:
    for match in _GROWS.finditer(text, start, end):
        alike = (
            match["same"]
            or match["ratio"]
            or (match["how"][:4].lower() == match["too"][:4].lower())
        )
        if alike and _ALL_SIDES.search(f"{question} {text[start : match.end()]}"):
            what = (match["what"] or match["same"] or match["ratio"]).lower()
            power = "square" if what == "area" else "cube"
            yield *match.span(), f"the {what} grows with the {power} of the lengths"

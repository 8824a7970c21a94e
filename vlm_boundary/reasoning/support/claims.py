"""Answers that a chain only claims: after a look, by eye, in a circle, or behind a remark."""

from __future__ import annotations

import re

from vlm_boundary.mathtext.words import ENGLISH, FIRST_WORDS, english_number
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.text.passages import SENTENCE, AnswerPlace, words_in
from vlm_boundary.reasoning.text.places import matches_at, places_of, small

_NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[0-9.½⅓¼](?:(?<=[½⅓¼])|(?<=\.)\d+|(?<=\d)(?:(?<![\w.].)\d*(?:,\d{3})*(?:\.\d+)?"
    r"|(?<=[a-zA-Z].)\d*|))"
)
_WORDED = re.compile(rf"\b(?:{ENGLISH}|half|twice|double|third|quarter|both|pair|single)\b", re.I)
_NUMERALS = FIRST_WORDS | {"half", "twice", "double", "third", "quarter", "both", "pair", "single"}
_NO_COUNT = frozenset(("both", "pair", "single"))
_THAT_ONE = re.compile(r"\b(?:the|this|that|each|every|which)(?: [a-z]+)? one\b(?! of)", re.I)
_WORKED = re.compile(
    r"[=+×÷·√²³<>≤≥≠∠%→\[\\0-9](?:(?<=[^\\0-9])|(?<=\\)(?:[a-zA-Z]*frac|sqrt)|(?<=\d)\s?[-*/:]\s?\d)"
)
_SIGNS = re.compile(
    r"[+×÷·√<>≤≥≠∠\[→0-9](?:(?<=\D)|\s?[-*/:=]\s?\d)"
)  # the same, with no look at marks
_WORKED_SURELY = re.compile(
    r"[+×÷·√²³<>≤≥≠∠\[→\\0-9](?:(?<=[^\\0-9])|(?<=\\)(?:[dt]?frac|sqrt)|(?<=\d)\s?[-*/:=]\s?\d)"
)
_NAMED_VALUE = re.compile(r"\b[A-Za-z]{1,4} ?= ?(\d[\d.,/]*)(?!\w)")
_LISTED = re.compile(  # a colon opens a list where commas or lines follow it
    r"[:;\nA-Z](?:(?<=[:;])(?=[^.\n]{0,200}[,;]|\s{0,8}\n)|(?<=\n)\s{0,8}[-*•]\s"
    r"|(?<=[A-Z])(?<!\w.)[a-z]+ and [A-Z][a-z]+\b)"
)
# Marks of headings and numbered lists, and powers of units.
_PLAIN = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"(?m)[*²³^\\$\d#](?:(?<=\*)\*|(?<=\$)(?!\d)|(?<=\\)[()]|(?<=[cm][²³])|(?<=[cm]\^)[23]"
    r"|(?=(?:\d?[.)]|#*)\s)(?:(?<=^[\d#])|(?<=^\s[\d#])|(?<=^\s\s[\d#])|(?<=^\s\s\s[\d#])"
    r"|(?<=^\s\s\s\s[\d#]))(?:(?<=\d)\d?[.)]|(?<=#)#*)\s)"
)
_MARKS = re.compile(r"[*#²³^\\$]")
_POWER = re.compile(r"[²³^]")
_LABEL = re.compile(r"[0-9][.)]\s")
_PARTS_NAMED = re.compile(r",[^,.\n]*,")
# A guess by eye.
_BY_EYE = re.compile(
    r"\bby eye\b|\bvisual(?:ly)?\b|\b(?:looks?|appears?|seems?) (?:like|to be|to|close|about"
    r"|roughly"
    r"|around|approximately)\b|\b(?:I|we)(?: would| can| could|['’]d)? (?:estimate|guess|eyeball"
    r"|reckon"
    r"|put (?:it|this|that))\b|\bglanc\w+|\bjudging\b|\bsuggests?\b|\b(?:gut|hunch|intuition"
    r"|impression|eyeballing|guess\w*)\b|\bI (?:think|believe) (?:it|there|that|the answer)\b"
    r"|\binspection\b|\blooking at\b[^.]*\b(?:appears?|seems?)\b|\bapparently\b",
    re.IGNORECASE,
)
_EYE_WORDS = frozenset(  # one of which it has
    "eye visual visually look looks appear appears seem seems estimate guess guesses guessed"
    " guessing guesswork eyeball eyeballing reckon put glance glances glanced glancing judging"
    " suggest suggests gut hunch intuition impression think believe inspection looking"
    " apparently".split()
)
_READ_OFF = re.compile(
    r"\b(?:bars?|axis|axes|hands?|scale|lines?|points?|mark\w*|label\w*|reads?|reading|shows?"
    r"|clock|gauge"
    r"|ruler|tick|legend|row|column|table|reach\w*|written|given|measured?|grid)\b",
    re.IGNORECASE,
)
# What is worked out, and never read off.
_WORKED_OUT = re.compile(
    r"\b(?:area|perimeter|average|mean|median|total (?:cost|price|number)|sum|difference|volume"
    r"|percent(?:age)?"
    r"|probability|slope|hypotenuse|circumference|ratio|rate|interior angle|inscribed angle"
    r"|age gap|we are left with|(?:substitut|simplify|calculat|evaluat)ing"
    r"|remain(?:s|ing)?|result|side length|we get|gives|comes? out|must be(?= (?:about )?[\d$])"
    r"|counting (?:[a-z]+ ){0,6}carefully|carefully count(?:ing|ed)?|careful count(?:ing)?"
    r"|(?:I|we) (?:have |can )?(?:determined?"
    r"|conclude|find|found|obtain) that(?! there)| is clear that|the answer is(?= [\d$]))\b",
    re.IGNORECASE,
)
_BECAUSE = re.compile(
    r"\b(?:because|since|given that|as|for the reason that|due to)\b", re.IGNORECASE
)
_IT_IS = re.compile(
    r"\s{0,4},? (?:that|this|it) is (?:the |what |how )(?!sum|half|mean|product)", re.IGNORECASE
)
_CLAUSE_WORD = re.compile(r"[^\W\d_]{2,}")
_EMPTY = frozenset(
    "the an of is are was it its this that these those be as in on at to and or so then thus hence"
    " therefore because since we can see one has have had there which with for by also must does do"
    " measure measures covers cover occupies equals equal value answer exactly simply just clearly"
    " indeed here".split()
)
_KNOWN = frozenset(("0", "1", "2", "30", "45", "60", "90", "180", "360", "0.5", "1/2"))
_NAMED = re.compile(
    r"\b(?:right|straight|equilateral|isosceles|horizontal|vertical|perpendicular|parallel|diameter"
    r"|semicircle|full|equal(?:ly)?|same|symmetr\w*|opposite|neither|no|none|never|certain"
    r"|impossible|any|every|always)\b",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"<image ?\d*>")
_OPTIONS = re.compile(r"\(?\b[A-H][).:] ?[^()\n]{1,30}")
_COUNTS = re.compile(
    r"\b(?:how many|which|what (?:year|time|value|colou?r)|choices?)\b", re.IGNORECASE
)
# A property or a theorem from which a value may follow without a number.
_RECALLED = re.compile(
    r"\b(?:theorem|law|rule|triples?|symmetr\w*|equal\w*|same|opposite|parallel|perpendicular|right"
    r" angle|semicircle|diameter|straight|equilateral|square|similar|congruent|bisect\w*|horizontal"
    r"|vertical|constant|whole|full|none|never|twice|each)\b|Pythag|Thales",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\b(?:two|three|four|five|six) (?:parallel |opposite )?(?:sides|angles|corners)\b",
    re.IGNORECASE,
)  # what a figure of its kind always has
# No parts of a list, no number: "including those that are hidden", "one finds that".
_ASIDE = re.compile(
    r"(?-i:[,oO])(?:(?<=,) including [^,.\d]{1,60}(?=[,.])"
    r"|(?<!\w.)(?<=o)ne (?:finds|sees|gets|can|has|obtains|may|must)\b)",
    re.IGNORECASE,
)
_STEP = re.compile(r"(?mi)^[^\S\n]*(?:[#*]+\s?)?(?:step\s?)?\d{1,2}\s?[.:)]")
_NOUN = re.compile(r" ([a-z]{3,})")
_LABELLED = re.compile(r"\d\s?[.:)]")
_MARKED = re.compile(  # where a value that others would work out may stand
    r"\b(?:marks?|box|whiskers?|dashed|dotted|bold|needle|pointer|points (?:at|to)|display\w*"
    r"|screen|icon|sign|cells?|stands|axis|tick|level with|made (?:up )?of|passe?s?"
    r"|counting (?:up|down|along|from)\w*)\b",
    re.IGNORECASE,
)
_LONGEST = 600


def only_claimed(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer that no number, sign, list or property leads to, and that is not read off.

    What stands in a chain beside its answer must then be a claim of it: by eye, in a circle
    ("it is 72 because it is 72"), or of something that has to be worked out.
    """
    text = chain.text
    if end - start > _LONGEST or chain.answer is None or chain.span is None:
        return []
    said = chain.answer.strip(" $*.")
    is_number = _NUMBER.search(said) is not None
    if not is_number and not _BECAUSE.search(text, start, end):
        return []
    if _SIGNS.search(text, start, answer.start):
        return []
    body = (
        text[start : answer.start] + " " + text[answer.end : end]
        if answer.stated
        else text[start:end]
    )
    if is_number and _surely_has_others(body, said):
        return []
    marked = _MARKS.search(text, start, answer.start)
    if marked and _WORKED_SURELY.search(_PLAIN.sub(" ", text[start : answer.start])):
        return []
    body = _PLAIN.sub(" ", body) if _MARKS.search(body) or _LABEL.search(body) else body
    body = _ASIDE.sub(" ", body)
    if is_number and _has_others(body, said):
        return []
    plain = body
    if "=" in body:
        plain = _NAMED_VALUE.sub(lambda m: said if m[1].rstrip(".,") == said else m[0], body)
    if not body.strip() or _WORKED.search(plain.replace("%", "", plain.count(said + "%"))):
        return []
    if not is_number:
        return _circle(text, start, end, said)
    listed = _LISTED.search(body) or _PARTS_NAMED.search(body)
    counted = _THAT_ONE.sub(" ", body) if " one" in body.lower() else body
    if listed or _unread(text, counted, said, chain.question):
        return []
    if _numbers(chain.question) & {said} or (said in _KNOWN and _NAMED.search(body)):
        return []
    if circle := _circle(text, start, end, said):
        return circle
    given = _numbers(_OPTIONS.sub(" ", _IMAGE.sub(" ", chain.question)))
    counts = _COUNTS.search(chain.question) is not None
    unused = bool(given) and not counts and len(body.split()) > 4
    unused = unused and not _RECALLED.search(body) and len(_things(body, said)) < 2
    return _claim(text, start, end, answer, said, unused=unused)


def _claim(
    text: str, start: int, end: int, answer: AnswerPlace, said: str, *, unused: bool
) -> list[Evidence]:
    """The sentence that claims the answer; nothing where one reads it off."""
    found: list[Evidence] = []
    for match in SENTENCE.finditer(text, start, end):
        sentence = match[0]
        if answer.stated and answer.start - 1 <= match.start() < answer.end:
            continue
        if said not in _numbers(sentence) and _in_words(sentence) != said:
            continue
        by_eye = _is_by_eye(text, sentence) and _READ_OFF.search(sentence) is None
        claim = _WORKED_OUT.search(sentence) is not None and not (
            _BECAUSE.search(sentence) or _MARKED.search(sentence)
        )
        if not (by_eye or claim or (unused and not _READ_OFF.search(sentence))):
            return []  # the value is read here
        note = "a guess by eye" if by_eye else "nothing leads to what is claimed here"
        found.append(Evidence("no_reasoning", *match.span(), note))
    return found[:1]


def _things(body: str, said: str) -> set[str]:
    """The words that stand behind the answer: of what it is said."""
    found: set[str] = set()
    place = body.find(said)
    while place >= 0:
        alone = not (body[:place][-1:].isalnum() or body[:place].endswith((".", "_")))
        if alone and (noun := _NOUN.match(body, place + len(said))):
            found.add(noun[1])
        place = body.find(said, place + 1)
    return found


def _surely_has_others(body: str, said: str) -> bool:
    """Whether a number stands there that is no answer, no label of a step and no power."""
    others = _numbers(body) - {said, said.replace(",", "")}
    if not others:
        return False
    if any(len(number) > 2 for number in others):
        return True
    if _POWER.search(body):
        return False
    return _LABELLED.search(body) is None or _STEP.search(body) is None


def _has_others(body: str, said: str) -> bool:
    """Whether there is a number that is neither the answer nor that of a step."""
    own = {said, said.replace(",", "")}
    if _numbers(body) <= own:
        return False
    return _LABELLED.search(body) is None or not _numbers(_STEP.sub(" ", body)) <= own


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _in_words(text: str) -> str:
    match = _WORDED.search(text)
    number = english_number(match[0]) if match else None
    return "" if number is None else str(number)


def _unread(text: str, body: str, said: str, question: str) -> bool:
    """Whether the chain has a number or a word for one that is not its answer.

    Numbers that it says again with the words of the question count for nothing.
    """
    if _numbers(body) - {said}:
        return True
    numerals = _NUMERALS & words_in(text)
    if not numerals:
        return False
    asked = question.lower()
    plain = _DEFINED.sub(" ", body)
    if _is_by_eye(text, plain):  # what is guessed, as in "about a third of it", is not read
        plain = " ".join(part for part in SENTENCE.findall(plain) if not _BY_EYE.search(part))
    places = places_of(numerals, small(plain), 0, len(plain))
    words = {one[0].lower() for one in matches_at(_WORDED, plain, places, len(plain))}
    if _numbers(question) - {said}:
        words -= _NO_COUNT
    return any(word not in asked and str(english_number(word) or "") != said for word in words)


def _is_by_eye(text: str, part: str) -> bool:
    """Whether a part of a text tells a look or a guess."""
    return not _EYE_WORDS.isdisjoint(words_in(text)) and _BY_EYE.search(part) is not None


def _circle(text: str, start: int, end: int, said: str) -> list[Evidence]:
    """A claim that is its own reason."""
    for match in SENTENCE.finditer(text, start, end):
        because = _BECAUSE.search(match[0])
        if because is None or not because.start():
            continue
        claim, reason = match[0][: because.start()], match[0][because.end() :]
        if _IT_IS.match(reason) and said in _numbers(claim) and not _numbers(reason):
            return [Evidence("no_reasoning", *match.span(), "the claim is its own reason")]
        told = {word.lower() for word in _CLAUSE_WORD.findall(reason)} - _EMPTY
        known = {word.lower() for word in _CLAUSE_WORD.findall(claim)}
        if _numbers(reason) - {said} or not told <= known:
            continue
        repeats = said in _numbers(claim) and said in _numbers(reason)
        if repeats or (told and not _numbers(reason) and len(told) >= 2):
            return [Evidence("no_reasoning", *match.span(), "the claim is its own reason")]
    return []

"""Doubt that a chain never settles: several answers, and one taken without a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from vlm_boundary.mathtext.words import ENGLISH
from vlm_boundary.reasoning.evidence import Evidence
from vlm_boundary.reasoning.text.alternatives import VALUE, rows
from vlm_boundary.reasoning.text.passages import SENTENCE, AnswerPlace, opening, words_in
from vlm_boundary.reasoning.text.places import matches_at, places_of, small
from vlm_boundary.reasoning.text.typeset import plain
from vlm_boundary.verifier.phrases import occurs

_WORTH = (
    rf"[$\\({{*]{{0,6}}(?:boxed\{{)?(?:-?\d{{1,12}}(?:[.:/]\d{{1,6}})?|{ENGLISH}|[A-H](?![a-z]))(?:[°%]|"
    r" [a-z]{2,12})?"
)
_VALUE = r"[$\\({*]{0,6}(?:boxed\{)?(-?\d{1,12}(?:\.\d{1,6})?|[A-H]\b)"
EITHER = re.compile(
    rf"(?:\b(?:either|could be|might be|may be|is|are|be)|[=:])\s*(?:either\s+)?{_VALUE}"
    rf"[^\w\n]{{0,8}}(?:\s*or\s+)(?:(?:maybe|perhaps|possibly)\s+)?{_VALUE}",
    re.IGNORECASE,
)
_OR = re.compile(  # what each of them has
    r"[oO][rR]\s+(?:(?:maybe|perhaps|possibly)\s+)?[$\\({*]{0,6}(?:boxed\{)?(?:-?\d|[A-H]\b)", re.I
)
_BOXES = re.compile(
    r"\\boxed\{([^{}\n]{1,40})\}[^\w\n]{0,8}\bor\b[^\w\n]{0,8}\\boxed\{([^{}\n]{1,40})\}"
)
_CHOSEN = re.compile(
    r"\b(?:but|since|because|so|therefore|only|reject\w*|discard\w*|must|hence|thus|positive"
    r"|negative|eliminat\w*|rul\w+ out|whichever|both|inclusive)\b",
    re.IGNORECASE,
)
_GUESS = re.compile(
    r"\bI(?:['’]ll| will|['’]m going to| would| have to| must| can only)?\s+(?:just |have to )?"
    r"(?:guess|pick (?:one )?at random)\b|\b(?:this|it|that)(?:['’]s| is) (?:just|only) a guess\b"
    r"|\ba (?:random|wild|lucky) guess\b|\bmy (?:best )?guess (?:is|would be)\b",
    re.IGNORECASE,
)
# Several values that it may be, or that one cannot tell.
_SEVERAL = re.compile(
    rf"\b(?:could|might|may|can)(?: (?:also|well|even|just))? (?:have|fit"
    rf"|be)\b[^.!?\n]{{0,20}}?{_WORTH}"
    rf"(?:,? (?:triangles?|[a-z]+)?)?[^.!?\n;]{{0,12}}\bor\b"
    rf"|\b(?:could|might|may) be (?:either )?{_WORTH}, {_WORTH}"
    rf"|\b(?:is |be |it['’]s )?(?:either|maybe|perhaps|possibly) (?:it is |the \w+ is"
    rf" )?{_WORTH}[^\n]{{0,40}}?"
    rf"\b(?:or|maybe|perhaps|possibly)\b"
    rf"|\b(?:maybe|perhaps) (?:the \w+|it) (?:is|are) {_WORTH}\."
    rf"|\bpossible (?:values|answers|options|results) (?:are|include)[: ]"
    rf"|\b(?:is|be) {_WORTH}(?:,| or) {_WORTH},? or {_WORTH}"
    rf"|\b(?:could|might|may) be {_WORTH}[,;.] (?:it )?(?:could|might|may) (?:also )?be {_WORTH}"
    rf"|\bsomewhere (?:around|between|near) {_WORTH} (?:to|and|or) {_WORTH}"
    rf"|\bboth [A-H] and [A-H] (?:could|might|may)\b"
    r"|\b(?:can(?:no|['’])t|cannot|unable to|hard to|impossible to|not able to) (?:tell|decide"
    r"|say|see"
    r"|determine|know|work it out)\b|\bno way to (?:tell|know|work it out|decide|see)\b"
    r"|\bI(?:['’]m| am) not (?:sure|certain)\b|\b(?:probably|perhaps) (?:it is )?\d",
    re.IGNORECASE,
)
# That one cannot decide, whatever between.
_CANNOT = (
    *("can(?:no|['’])t", "cannot", "unable to", "hard to", "impossible to", "not able to"),
    "no (?:real |good )?way (?:to|of)",
)
_TELL = (
    r" (?:really )?(?:tell\w*|decid\w+|say|see|determine|know\w*|make out|work it out|choose"
    r"|distinguish|be sure)"
)
_UNDECIDED = re.compile(
    opening(
        [
            *(f"{words}{_TELL}" for words in _CANNOT),
            *(r"no way to \w+ (?:them apart|which)", "back and forth", "torn between"),
            *("not out of the question", "any of (?:these|them) (?:could|might|may|seems?)"),
            *(
                f"{words} (?:plausible|likely|possible|good|well)"
                for words in ("equally", "just as")
            ),
            *("defensible", "who knows", "unsure", "undecided", "toss-?up", "coin (?:toss|flip)"),
            "not (?:entirely |quite |really |at all )?(?:sure|certain|clear)",
            *("would(?: not|n['’]t) surprise me", "my gut", "the same could be said"),
            *(f"{words} (?:just as |equally )?plausible" for words in ("looks?", "seems?", "is")),
            *("best (?:guess|estimate)", "unless it is"),
            "could (?:just as well|equally well|as well|also) be",
        ]
    )
    + r"\b",
    re.IGNORECASE,
)
_WORTHS = re.compile(
    rf"(?<![\w.])(?:\d+(?:[.:/]\d+)?|(?!one\b|a\b){ENGLISH}(?!\w)|[A-H](?![\w’']))"
    rf"|\b[A-Z][a-z]{{1,9}}\b"
)
# One is taken, in words that name no reason.
_TAKES = (
    r"(?: just| simply| then)? (?:go(?:ing)? (?:with|for)|choose|pick|take|say|settle (?:on|for)"
    r"|answer|try|opt for|select|assume|guess)\b(?! (?:a|an|the (?:value of|first)) )"
)
_TAKEN = re.compile(
    opening(
        [
            r"I(?:['’]ll| will|['’]d| would)?" + _TAKES,
            *(who + _TAKES for who in ("let(?:['’]s| us| me)", "so I", "simply", "just")),
            "going (?:with|for)",
            r"I (?:think|guess|feel|believe) [^.\n]{0,30}\b(?:most likely|likely|right|best)",
            *(
                f"{verb}s? (?:to be )?(?:the )?(?:most )?(?:reasonable|right|plausible|likely)"
                for verb in ("sound", "seem")
            ),
            *("my best guess", "have to (?:give|choose|pick)", "settle on", "leaning towards?"),
            "is an? (?:typical|common|usual|plausible|likely|reasonable)",
        ]
    )
    + r"\b",
    re.IGNORECASE,
)
_TAKEN_BEGINNINGS = (
    *("i ", "i'", "i’", "let", "so i", "simply", "just", "going ", "sound", "seem", "my best"),
    *("have to", "settle on", "leaning", "is a ", "is an "),
)
_REASON = re.compile(
    r"\d\s?[-+*×÷·=<>]\s?\d|\d\d\s?/\s?\d|\d / \d|[<>≤≥=]|\b(?:because|rul\w+ out|eliminat\w*"
    r"|reject\w*|discard\w*"
    r"|does not"
    r"|doesn['’]t|only (?:one|[A-H]|\d)|since(?! I (?:have|must|need))|must be|needs?|fits?"
    r"|satisf\w+"
    r"|shows?|label\w*|marked|(?<!tell )(?<!say )(?<!know )exactly"
    r"|right at|therefore|hence|as (?:it|the)|acute|obtuse|positive"
    r"|negative)\b",
    re.IGNORECASE,
)
_STILL = re.compile(
    rf"{opening(('although', 'though', 'but', 'or'))} (?:it|this|that|there)?\s?"
    r"(?:may|might|could)(?: (?:also|as well|well|even|just)){0,3} (?:as well )?be "
    rf"(?P<other>{_WORTH})",
    re.IGNORECASE,
)
_AFTERTHOUGHT = re.compile(
    rf"{_STILL.pattern}|{_WORTH},? (?:or )?(?:perhaps|maybe|possibly) (?P<perhaps>{_WORTH})",
    re.IGNORECASE,
)
_WORKED = re.compile(r"\d\s?[-+*×÷·=]\s?\d")
_TOOK = re.compile(
    r"\b(?:I|let me|let['’]s|we)(?:['’]m|['’]ll| will| am|['’]d| would)?(?: just| simply)?(?:"
    r" going to)?"
    r" (?:say|name|pick|choose|go|take|settle|opt|answer|lean\w*|guess|put)\b|\b(?:pick|going"
    r" with|settl"
    r"ing|leaning|it is)\b",
    re.IGNORECASE,
)
_AFTER_DOUBT = re.compile(
    r"\b(?:but|however|therefore|hence|so that|which means|asks?|visible|counted|checking"
    r"|closer)\b",
    re.IGNORECASE,
)
_SETTLED = re.compile(
    r"\b(?:but|since|because|however|therefore|hence|so(?! I)|asks?|visible|counted|rul\w+ out"
    r"|not)\b|=",
    re.IGNORECASE,
)
_PERHAPS = re.compile(
    rf"{opening(('maybe', 'perhaps', 'possibly'))} (?:even )?({_WORTH})", re.IGNORECASE
)
# Of the words of a text, the phrases with them that are then looked for.
_DOUBTS = {
    **{word: (word,) for word in ("could", "might", "perhaps", "somewhere", "cannot", "unable")},
    **{word: ("could",) for word in ("couldn", "couldnt")},
    **{word: ("possib",) for word in ("possible", "possibly", "possibility", "possibilities")},
    **{word: ("probabl",) for word in ("probable", "probably", "improbable")},
    "mightn": ("might",), "may": ("may ",), "maybe": ("maybe",), "impossible": ("possib",),
    "either": ("either",), "neither": ("either",), "or": (" or ",), "sure": ("not sure",),
    "certain": ("not certain",), "way": ("no way",), "hard": ("hard to",), "able": ("not able",),
    "can": ("can't ", "can’t "),
}  # fmt: skip
# Of the words of a text, how phrases with them that cannot decide may begin.
_UNDECIDING = {
    "can": ("can't", "can’t"), "cannot": ("cannot",), "unable": ("unable to",),
    "hard": ("hard to",), "impossible": ("impossible to",), "able": ("not able to",),
    "way": ("no way", "no real way", "no good way"), "forth": ("back and",),
    "torn": ("torn ",), "out": ("not out of",), "any": ("any of the",),
    "equally": ("equally ",), "just": ("just as ",), "defensible": ("defensible",),
    "knows": ("who knows",), "unsure": ("unsure",), "undecided": ("undecided",),
    "toss": ("toss",), "tossup": ("toss",), "coin": ("coin ",), "sure": ("not ",),
    "certain": ("not ",), "clear": ("not ",), "surprise": ("would",), "gut": ("my gut",),
    "said": ("the same could",), "plausible": ("look", "seem", "is "),
    "best": ("best guess", "best estimate"), "unless": ("unless it",),
    "could": ("could also", "could as", "could just", "could equally"),
}  # fmt: skip
_DOUBTING, _UNDECIDED_WORDS = frozenset(_DOUBTS), frozenset(_UNDECIDING)
_ANY_DOUBT = (
    _DOUBTING
    | _UNDECIDED_WORDS
    | {
        *("implausible", "depend", "depends", "depending", "dependent", "independent", "mind"),
    }
)
_ROWS_OTHERWISE = ("plausible", "depend", "come to mind")
_ROWS = ("could", "might", "may ", "maybe", "perhaps", "possib", "either", *_ROWS_OTHERWISE)
_IN_A_ROW = (*_ROWS, " or", "may", "option", "candidate")
_REASONS = ("=", "therefore", "because", "hence ", " but ", "however", " as the ", " must be ")
_PERHAPS_WORDS = ("maybe", "perhaps", "possibly")
_LATER = ("could", "might", "may ")
# Outcomes that are equally likely are no doubt.
_CHANCES = re.compile(r"\w+(?: \w+)? likely", re.IGNORECASE)
_CHANCE = re.compile(r"\b(?:probabilit\w+|outcomes?|coins?|dice|die|heads|tails)\b", re.IGNORECASE)
_DENIES = re.compile(r"\bnot\b|n['’]t\b", re.IGNORECASE)
_AHEAD = 240
_MOST = 50


def hedging(text: str, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """More than one final answer, a guess, or one of several values taken without a reason."""
    found = []
    if text.count("\\boxed", start, end) > 1 and (boxes := _BOXES.search(text, start, end)):
        if boxes[1].strip() != boxes[2].strip():
            found.append(Evidence("hedging", *boxes.span(), "two answers, none ruled out"))
    elif " or " in text and _OR.search(text, answer.sentence, end):
        for match in EITHER.finditer(text, answer.sentence, end):
            behind = text[match.end() : end]
            if match[1] != match[2] and not _CHOSEN.search(behind):
                note = f"{match[1]} or {match[2]}, none ruled out"
                found.append(Evidence("hedging", *match.span(), note))
                break
    if "uess" in text or "random" in text:
        near = max(start, answer.sentence - 200)
        guess = _GUESS.search(text, near, end)
        if guess and not _WORKED.search(text, guess.end(), end):  # nor checked afterwards
            found.append(Evidence("hedging", *guess.span(), "a guess by its own account"))
    if found:
        return found
    words = words_in(text)
    if _ANY_DOUBT.isdisjoint(words):
        return []
    near = max(start, answer.start - 2 * _AHEAD)
    every = small(text)
    low = every[near:end]
    doubts = any(occurs(_DOUBTS[word], low) for word in _DOUBTING & words)
    if doubts:
        places = places_of(_TAKEN_BEGINNINGS, every, near, end)
        found = _unsettled(text, start, near, answer, end, places)
    if not found and (undecided := _UNDECIDED_WORDS & words):
        beginnings = {phrase for word in undecided for phrase in _UNDECIDING[word]}
        places = places_of(beginnings, every, near, end)
        found = _undecided(text, start, near, answer, end, places)
    if not found and (occurs(_ROWS, low) if doubts else occurs(_ROWS_OTHERWISE, low)):
        found = _one_of_a_row(text, every, near, answer, end)
    return found


def _came_to(text: str, start: int, before: int, answer: AnswerPlace) -> bool:
    """Whether the answer stands behind a sign of equality before a place."""
    numbers = VALUE.findall(text, answer.start, answer.end)
    if not numbers:
        return False
    ahead = text[max(start, before - 2 * _AHEAD) : before]
    return re.search(rf"[=≈]\s?[$\\(]{{0,3}}{re.escape(numbers[-1])}(?![\w.]\d)", ahead) is not None


def _one_of_a_row(
    text: str, every: str, near: int, answer: AnswerPlace, end: int
) -> list[Evidence]:
    """One of several values that are named as possible in a row, taken without a reason."""
    last = answer.start if answer.stated else end
    settled = max(every.rfind(sign, near, last) for sign in _REASONS)
    if settled > near:  # what stands before it is not left in doubt
        near = max(near, *(every.rfind(sign, near, settled) + 1 for sign in ("\n", ". ")))
    if not occurs(_IN_A_ROW, every[near:last]):
        return []
    body = plain(text[near:last])
    said = [match[0].lower() for match in VALUE.finditer(plain(text[answer.start : answer.end]))]
    told = SENTENCE.findall(body.lower())
    if not any(occurs(said, one) and occurs(_IN_A_ROW, one) for one in told):
        return []
    for row in rows(body):
        if row.values.isdisjoint(said):
            continue
        behind = body[row.sentence_end :]
        taken = _TAKEN.search(behind) or _TOOK.search(behind) or _UNDECIDED.search(behind)
        reason = _REASON.search(behind) or _AFTER_DOUBT.search(behind)
        if taken and not reason and not _DENIES.search(_UNDECIDED.sub(" ", behind)):
            note = "one of several values that are thought possible is taken without a reason"
            return [Evidence("hedging", answer.start, answer.end, note)]
    return []


def _undecided(
    text: str, start: int, near: int, answer: AnswerPlace, end: int, places: Sequence[int]
) -> list[Evidence]:
    """Several values before or in a sentence that cannot decide, and no reason after it."""
    doubts = list(islice(matches_at(_UNDECIDED, text, places, end), _MOST))
    if not doubts:
        return []
    doubt = doubts[-1]
    if _CHANCES.match(doubt[0]) and _CHANCE.search(text, near, end):
        return []
    if doubt[0].endswith("plausible") and _came_to(text, start, doubt.start(), answer):
        return []
    if not answer.stated and not _TOOK.search(text, max(start, doubt.start() - _AHEAD), end):
        return []  # it gives no answer
    if _REASON.search(text, doubt.end(), max(doubt.end(), answer.start)):
        return []
    opened = max(start, text.rfind("\n", start, doubt.start()), doubt.start() - _AHEAD)
    named = {
        match[0].lower() for match in _WORTHS.finditer(text, opened, min(end, doubt.end() + 60))
    }
    if len(named) < 2 or _AFTER_DOUBT.search(text, doubt.end(), max(doubt.end(), answer.start)):
        return []
    note = "it cannot be decided by its own account, and one is taken without a reason"
    return [Evidence("hedging", doubt.start(), max(doubt.end(), answer.start), note)]


def _unsettled(
    text: str, start: int, near: int, answer: AnswerPlace, end: int, places: Sequence[int]
) -> list[Evidence]:
    """One of several values taken without a reason, or another one thought possible at the end."""
    takings = list(islice(matches_at(_TAKEN, text, places, end), _MOST))
    if takings:
        taken = takings[-1]
        for doubt in _SEVERAL.finditer(text, max(start, taken.start() - _AHEAD), taken.end()):
            if not _REASON.search(text, doubt.end(), max(doubt.end(), answer.start)):
                note = (
                    "several values are named or none is known, and one is taken without a reason"
                )
                return [Evidence("hedging", doubt.start(), max(doubt.end(), taken.end()), note)]
    low = text[near:end].lower()
    perhaps_said = occurs(_PERHAPS_WORDS, low)
    perhaps = [*islice(_PERHAPS.finditer(text, near, answer.start), _MOST)] if perhaps_said else []
    several = len({match[1] for match in perhaps}) > 1
    if several and not _REASON.search(text, perhaps[-1].end(), answer.start):
        note = "several values are thought possible, and one is taken without a reason"
        return [Evidence("hedging", perhaps[0].start(), perhaps[-1].end(), note)]
    if not perhaps_said and not occurs(_LATER, low):
        return []
    doubted = _AFTERTHOUGHT if perhaps_said else _STILL
    for after in doubted.finditer(text, near, end):
        other = after[after.lastgroup or 0].strip("$\\({* ")
        behind = text[after.end() : min(end, max(answer.start, after.end()))]
        if not _SETTLED.search(behind) and other not in text[answer.start : answer.end].split("{"):
            said = text[answer.start : answer.end]
            if (
                answer.stated
                and re.search(rf"(?<![\w.]){re.escape(other)}(?![\w.])", said)
                and (after.end() <= answer.start)
            ):
                continue  # the other one is what it answers
            note = f"{other[:20]} is still thought possible at the end"
            return [Evidence("hedging", *after.span(), note)]
    return []

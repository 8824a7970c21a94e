"""The final answer of an output: what it is, where it stands, why it was taken."""

from __future__ import annotations

import re
from dataclasses import replace

from vlm_boundary.verifier.aftermath import in_view_of_the_rest, withstands
from vlm_boundary.verifier.asked import grouped
from vlm_boundary.verifier.commitments import (
    Found,
    boxed,
    boxes,
    last_tag,
    open_box,
    reading,
    statements,
)
from vlm_boundary.verifier.compare import GoldTarget
from vlm_boundary.verifier.concluding import conclude, named_choice, predicate
from vlm_boundary.verifier.doubts import NOT_BEFORE, only_supposed, says_nothing, without_check
from vlm_boundary.verifier.moments import read_clock
from vlm_boundary.verifier.phrases import (
    CHANGES_BEFORE,
    CONCLUDES,
    OUTRIGHT_REFUSAL,
    PLACEHOLDER,
    last_match,
)
from vlm_boundary.verifier.scope import AnswerScope
from vlm_boundary.verifier.sentences import core
from vlm_boundary.verifier.spelled import as_written
from vlm_boundary.verifier.text_answers import (
    normal_text,
    option_letter,
    option_letters,
    yes_or_no,
)
from vlm_boundary.verifier.values import Number, Relation, Several, Words, is_value

_LINE = re.compile(r"[^\n]*\S[^\n]*")
_PROSE = re.compile(r"[a-zA-Z]{2,}[ ,]+[a-zA-Z]{2,}[ ,]+[a-zA-Z]{2,}")
_STEPS = re.compile(  # 50 - 32 = 18. 18 / 2 = 9. "Ann pays 10. Ben pays 12."
    r"=[^=\n]*?\d[^\W\d]*\.\s+[^=\n]*=|\d[a-z %°²³]*\.\s+(?i:\([a-z]\)\s+)?[A-Z][a-z]+\s[^\d\n]*\d"
)
_OR = re.compile(r"\b(?:or|maybe|perhaps|possibly)\b|或|也?可能|/", re.IGNORECASE)
_LETTER_FIRST = re.compile(
    r"\W{0,6}(?:\(([A-J])\)|([A-HJ])(?=[,.:)]|\s+(?:because|since|as|-|—)\s))", re.IGNORECASE
)
_LETTER_LAST = re.compile(  # "hence D.", "only D fits"
    r"(?:(?<![^\s,;.!?])(?i:therefore|thus|hence|so)\W{1,3}"
    r"(?i:i\s+(?:think|believe)\s+)?(?i:it(?:'s|\s+is|\s+must\s+be)\s+|(?:option|choice)\s+)?\(?([A-J])\)?[\s.!*]*$"
    r"|\b(?i:only)\s+(?i:option\s+)?\(?([A-J])\)?\s+(?i:fits|works|matches|remains)[\s.!*]*$)"
)
_WRAPPED = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|textrm|mbox)\s{0,3}\{([^{}]{0,300})\}"
)
_ITEM = re.compile(r"\s*(?:[-*•]\s|\d+[.)]\s|\|)")
_BEFORE_NUMBER = re.compile(r"[^\d\\]*")
_STRUCK = re.compile(r"~~[^~\n]{1,80}~~")
_NOT_AVAILABLE = re.compile(r"\s*N/?A\W*", re.IGNORECASE)
SOLE_LENGTH = 80

_SENTENCE = 3  # words


def extract(scope: AnswerScope, target: GoldTarget, *, truncated: bool) -> Found | str:
    """The last answer that an output commits to, or why there is none.

    Tags and boxes are answers outright; "the answer is" behind them, or without them, is next; then
    an output that is a value alone; then what its sentences conclude.
    """
    if scope.reason:
        return scope.reason
    text = _STRUCK.sub(lambda m: " " * len(m[0]), scope.text) if "~~" in scope.text else scope.text
    words = target.is_text or bool(target.gold.choices)
    found = _marked(text, target, words, truncated)
    after = found.end if found else 0
    stated = statements(text, after, listed=target.listed, words=words)
    stated = as_written(text, after, stated, target)
    if stated is not None and truncated and not _ended(text, stated.end):
        stated = None
    if stated is not None and (found is None or _restates(stated, found, words=words)):
        flags = stated.flags if found is None else (*stated.flags, "restated")
        found = replace(stated, flags=flags)
    if found is not None:
        outcome = in_view_of_the_rest(text, found, target, words=words, truncated=truncated)
        return outcome if isinstance(outcome, str) else _as_asked(text, outcome, target)
    if boxes(text):  # each is only supposed, or denied
        return "taken_back"
    if truncated:
        return "cut_off"
    outcome = _unmarked(text, target, words)
    if isinstance(outcome, Found) and outcome.source != "sole":
        outcome = withstands(text, outcome, target.gold.question)
    return outcome if isinstance(outcome, str) else _as_asked(text, outcome, target)


def _as_asked(text: str, found: Found, target: GoldTarget) -> Found:
    """The answer, in doubt if it counts pairs, or names several options, where one is asked for."""
    if not found.doubt and not target.is_text:
        question = f"{target.gold.question} {target.gold.answer} {target.gold.unit or ''}"
        if grouped(text, found.raw, found.end, question):
            return replace(found, doubt="grouped")
    return _one_option(found, target)


def _one_option(found: Found, target: GoldTarget) -> Found:
    """The answer, in doubt if it names several options where one is asked for."""
    if target.gold.letter_set or not (target.letter or target.gold.choices) or found.doubt:
        return found
    letters = option_letters(_OR.sub(" ", found.raw))
    text = normal_text(found.raw)
    if letters and len(letters) > 1 and text not in map(normal_text, target.gold.choices):
        return replace(found, doubt="several_options")
    return found


def _marked(text: str, target: GoldTarget, words: bool, truncated: bool) -> Found | None:
    """The answer in the last tag or box, whichever stands later."""
    tag = last_tag(text) if "<" in text else None
    box = boxed(text, listed=target.listed)
    spoken = box is not None and target.clock is not None and read_clock(box.raw) is not None
    as_said = box is None or box.unsupported or target.is_written(box.raw)
    if box is not None and box.value is None and not (as_said or spoken):
        box = _in_box(text, box, target, words) or box
    if tag is None or (box is not None and box.start > tag[1]):
        return box
    start, end, closed = tag
    content = text[start:end].strip()
    if (truncated and not closed) or not content or PLACEHOLDER.fullmatch(content[:80]):
        return box
    within = boxed(text[start:end], listed=target.listed) if boxes(text[start:end]) else None
    if within is not None:
        found = replace(within, start=within.start + start, end=within.end + start)
    else:
        found = reading("tag", text, start, end, listed=target.listed)
        if not is_value(found.value) and not found.unsupported:
            found = _within(text, start, end, target, words) or found
    flags = found.flags if closed else (*found.flags, "open_tag")
    return replace(found, source="tag", flags=flags)


def _in_box(text: str, box: Found, target: GoldTarget, words: bool) -> Found | None:
    r"""The answer in a box that holds a sentence: \boxed{\text{The answer is } 42}."""
    plain = _WRAPPED.sub(
        lambda m: " " * (m.start(1) - m.start()) + m[1] + " " * (m.end() - m.end(1)),
        text[box.start : box.end],
    )
    if ":" not in plain and len(plain.split()) < _SENTENCE:  # 3 dozen
        return None
    found = _within(plain, 0, len(plain), target, words)
    if found is None or "ratio" in plain.lower():  # a ratio may be meant where a fraction is said
        return None
    start, end = box.start + found.start, box.start + found.end
    return replace(found, source="box", raw=text[start:end], start=start, end=end)


def _within(text: str, start: int, end: int, target: GoldTarget, words: bool) -> Found | None:
    """The answer in a tag that holds sentences."""
    inner = text[start:end]
    found = statements(inner, 0, listed=target.listed, words=words)
    if found is None:
        outcome = _unmarked(inner, target, words)
        found = outcome if isinstance(outcome, Found) else None
    if found is None:
        return None
    return replace(found, start=found.start + start, end=found.end + start)


def _restates(stated: Found, marked: Found, *, words: bool) -> bool:
    """Whether a statement behind a box says another answer, and not what the box was for."""
    if words and (option_letter(stated.raw) or ("", "x"))[1] == "":
        return True  # the box may have the option's value, the statement its letter
    return is_value(stated.value) and stated.value != marked.value


def _ended(text: str, end: int) -> bool:
    """Whether something stands behind an answer, so that it was not cut within itself."""
    return bool(text[end : end + 2].strip(" *$"))


def _unmarked(text: str, target: GoldTarget, words: bool) -> Found | str:
    """The answer of an output that marks none."""
    cut = open_box(text)
    if cut is not None:
        text = text[:cut]
    text = without_check(text)
    whole = text.strip()
    is_time = target.clock is not None and read_clock(whole) is not None
    if is_time or (not target.letter and target.is_written(whole)):
        begin = len(text) - len(text.lstrip())
        value = Words(whole) if is_time else target.value
        return Found("sole", whole, begin, begin + len(whole), value)
    sole = _sole(text, target, words)
    if sole is not None:
        return sole
    if OUTRIGHT_REFUSAL.search(text) or _NOT_AVAILABLE.fullmatch(text):
        return "refusal"
    if words:
        found = _in_words(text, target)
        if found is not None:
            return found
        if target.gold.choices or isinstance(target.value, Words | None):
            return "no_answer"
    if target.many:
        listed = _listed(text)
        if listed is not None:
            return listed
    found = conclude(text, target.gold.question)
    return found if found is not None else "no_answer"


def _sole(text: str, target: GoldTarget, words: bool) -> Found | None:
    """The whole output, or its last line, where that is a value and nothing else."""
    lines = [m for m in _LINE.finditer(text)] if len(text) < 100_000 else []
    if not lines:
        return None
    alone = len(lines) == 1
    start, end = (0, len(text)) if alone else lines[-1].span()
    if concludes := CONCLUDES.match(text, start, end):
        start = concludes.end()
    line = text[start:end].strip()
    if not line or len(line) > SOLE_LENGTH or says_nothing(line):
        return None
    if words and alone and (not _PROSE.search(line) or len(line) < 12):
        return reading("sole", text, start, end, listed=target.listed)
    if _PROSE.search(line) or _STEPS.search(line):
        return None
    found = reading("sole", text, start, end, listed=target.listed, prose=True)
    if not (found.unsupported or is_value(found.value)):
        return found if words and option_letter(line) else None
    if found.unsupported and target.many and _BRACKETED.search(line):
        return None  # a matrix with words before it
    if not alone and _ITEM.match(text, start, end):
        return None  # the last item of an enumeration
    if NOT_BEFORE.search(_BEFORE_NUMBER.match(line)[0]):  # type: ignore[index]
        return replace(found, doubt="negated")
    if line[0] in "→➜":  # the end of something that does not stand here
        return replace(found, doubt="fragment")
    if not alone and _said_otherwise(text, lines, found):
        return replace(found, doubt="two_values")
    several = isinstance(found.value, Several) and not target.many and not target.is_text
    return None if not alone and ("|" in line or several) else found


def _said_otherwise(text: str, lines: list[re.Match[str]], found: Found) -> bool:
    """Whether another line gives the same name another value: x = 3, then x = 4."""
    if not isinstance(found.value, Relation) or not found.value.name.isalpha():
        return False
    for line in lines[-12:-1]:
        if len(line[0]) > SOLE_LENGTH or found.value.name not in line[0]:
            continue
        other = reading("sole", text, *line.span(), prose=True).value
        if (
            isinstance(other, Relation)
            and other.name == found.value.name
            and isinstance(other.right, Number)
            and not other.right.value.variables
            and core(other) != core(found.value)
        ):
            return True
    return False


def _in_words(text: str, target: GoldTarget) -> Found | None:
    """The answer of sentences whose gold answer is text."""
    if yes_or_no(target.gold.answer) and yes_or_no(text):
        start = len(text) - len(text.lstrip())
        head = re.match(r"\w+", text[start:])
        assert head is not None
        return Found("sentence", head[0], start, start + head.end(), Words(head[0]))
    first = _LETTER_FIRST.match(text) if target.letter or target.gold.choices else None
    if first and len(text) <= 300 and "\n" not in text.strip():
        start, end = first.span(first.lastindex or 0)
        if not only_supposed(text, start, start, first.end()):
            return reading("sentence", text, start, end)
    last = last_match(_LETTER_LAST, text[-300:]) if target.letter or target.gold.choices else None
    if last:
        begin = max(0, len(text) - 300)
        start, end = (begin + place for place in last.span(last.lastindex or 0))
        return reading("conclusion", text, start, end)
    return named_choice(text, target.gold.choices) or _bold_alone(text) or predicate(text)


def _bold_alone(text: str) -> Found | None:
    """The one thing in bold of the last line: "So Paul sits in **F6**."."""
    line = last_match(_LINE, text)
    bold = list(_BOLD.finditer(text, line.start())) if line else []
    if len(bold) != 1 or text[bold[0].end(1) - 1] in ":：":
        return None
    return reading("sentence", text, *bold[0].span(1))


_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_BRACKETED = re.compile(
    r"(?:\\left\s*[\[(]\s*)?\\begin\{([pb]?matrix|array)\}[^$]{1,300}?\\end\{\1\}(?:\s*\\right\s*[\])])?|"
    r"(?:\\left)?[\[(]\s*-?[\d.\\][^\[\]()\n]*,[^\[\]()\n]*[\])]|\\\{[^{}\n]*\\\}"
)


_OPERAND_BEFORE = re.compile(  # a product or a sum that is left to the reader
    r"(?:\\end\{\w+\}(?:\s*\\right\s*[\])])?|[+*/-]|\\(?:times|cdot|pm|det))\s*$|[\w}(]$"
)
_OPERAND_BEHIND = re.compile(r"\s*(?:\^|[+*/]|-\s?[\d\\\[(A-Z]|\\(?:times|cdot|begin)|without\b)")


def _listed(text: str) -> Found | None:
    """The last bracketed list of a text."""
    last = last_match(_BRACKETED, text)
    if last is None or _OPERAND_BEHIND.match(text, last.end()):
        return None
    before = text[max(0, last.start() - 40) : last.start()]
    if any(p.search(before) for p in (_OPERAND_BEFORE, NOT_BEFORE, CHANGES_BEFORE)):
        return None
    return reading("sentence", text, last.start(), last.end(), listed=True)

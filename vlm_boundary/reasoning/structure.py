"""Layer 1: whether a chain reasons at all, comes to an end, and leads to its answer."""

from __future__ import annotations

import re

from vlm_boundary.reasoning.contradictions.attributes import changed_attributes
from vlm_boundary.reasoning.contradictions.recounted import recountings
from vlm_boundary.reasoning.contradictions.restated import restatements
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.hedges import EITHER, hedging
from vlm_boundary.reasoning.lists.wrong import wrong_lists
from vlm_boundary.reasoning.picture.depicted import depictions
from vlm_boundary.reasoning.picture.described import misreadings
from vlm_boundary.reasoning.picture.reread import rereadings
from vlm_boundary.reasoning.repetition import repetition
from vlm_boundary.reasoning.support.claims import only_claimed
from vlm_boundary.reasoning.support.underived import underived
from vlm_boundary.reasoning.support.unsupported import states_answer, unsupported
from vlm_boundary.reasoning.text.passages import AnswerPlace, opening
from vlm_boundary.reasoning.thought import beside_thought
from vlm_boundary.records.verdict import COMMITTED
from vlm_boundary.verifier.phrases import occurs

CHECKER = "structure/9"

_NUMBER = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"(?-i:[\d一二三四五六七八九十otfsenhOTFSENH])(?:(?<=\d)\d*|(?<=[一二三四五六七八九十])|(?<!\w.)(?:(?<=o)ne"
    r"|(?<=t)(?:wo|hree|en|welve|wice)|(?<=f)(?:our|ive)|(?<=s)(?:ix|even)|(?<=e)(?:ight|leven)"
    r"|(?<=n)ine|(?<=h)alf)\b)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_OPERATION = re.compile(  # begins with a set of characters, so that all others are passed fast
    r"[0-9√²=\\](?:(?<=\d)[)}°%]{0,4}\s{0,3}[-+*/×÷·^=<>≈]\s{0,3}[({$\\]{0,4}\d|(?<=[√²])"
    r"|(?<=\\)(?:[dt]?frac|sqrt)"
    r"|(?:(?<=[^\W\d_]=)|(?<=[^\W\d_]\s=)|(?<=[^\W\d_]\s\s=)|(?<=[^\W\d_]\s\s\s=))"
    r"\s{0,3}[^\s=])"
)
_BECAUSE = re.compile(
    opening("because since therefore thus hence implies follows means so theorem law rule".split())
    + r"\b",
    re.IGNORECASE,
)
_BECAUSE_IN_CHINESE = ("因为", "所以", "因此")
# What may be a reason, unless the question has its words.
_COMPARES = re.compile(r"\bif\b[^.\n]{5,60}|\w+er than [^.,\n]{2,30}|,[^,.\n]+,", re.IGNORECASE)
_COMPARING = ("if", "er than")
_LETTERS = re.compile(r"[^\W\d_]+")
_LABEL = re.compile(
    r"(?:^|\n)[^\S\n]{0,20}(?:[-*•#>]{1,6}\s{0,2})?(?:(?:step|part)\s{0,2})?\d{1,3}\s{0,2}[.:)]",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\[[^\[\]\n]{0,200}\w\s[^\[\]\n]{0,200}\w\]|\n\s{0,8}[-*•]\s\S")
_ENOUGH_WORDS = 14
_NO_REASONING = "an answer with no reasoning before it"
_OPEN_TAIL = re.compile(r"(?:[-=+/×÷(,:\\]|(?<!\S)\*|\b(?:and|the|is|are|of|so|then|because))$")


def check_structure(chain: Chain) -> tuple[Evidence, ...]:
    """What is wrong with how a chain is built, from its text and the place of its answer alone."""
    text, (start, end) = chain.text, chain.turn
    found = _truncated(chain, start, end)
    if chain.is_bare:
        return (*found, Evidence("no_reasoning", start, end, _NO_REASONING))
    answer = chain.answer_place
    found += repetition(text, start, end)
    found += hedging(text, start, end, answer)
    found += beside_thought(chain, start, end)
    bare = _no_reasoning(chain, start, end, answer)
    found += bare
    if not bare:
        claimed = underived(chain, start, end, answer)
        found += only_claimed(chain, start, end, answer) if claimed is None else claimed
    found += restatements(text, start, end)
    found += misreadings(chain, start, end)
    found += depictions(chain, start, end)
    found += rereadings(chain, start, end)
    found += recountings(chain, start, end)
    found += changed_attributes(chain, start, end)
    found += wrong_lists(chain, start, end, answer)
    if not bare:
        found += unsupported(chain, start, end, answer)
    elif _filler(text, start, answer) and not states_answer(chain, start, answer):
        note = "nothing before the answer leads to it"
        found.append(Evidence("answer_unsupported", answer.start, answer.end, note))
    return tuple(found)


def _truncated(chain: Chain, start: int, end: int) -> list[Evidence]:
    """An output cut off before it committed to an answer."""
    committed = chain.span is not None and chain.source in COMMITTED
    tail = chain.text[max(start, end - 60) : end].rstrip()
    if not tail:
        return []
    at = max(start, end - 60) + len(tail)
    if chain.finish_reason == "length":
        if not committed:
            note = "the output was cut off before it gave an answer"
            return [Evidence("truncated", max(start, at - 40), at, note)]
        if end == len(chain.text) and chain.span is not None and at - chain.span[1] > 60:
            note = "the output was cut off after its answer"
            return [Evidence("truncated", max(start, at - 40), at, note, veto=False)]
        return []
    if not committed and _OPEN_TAIL.search(tail, max(0, len(tail) - 7)):
        return [Evidence("truncated", max(start, at - 40), at, "the output ends unfinished")]
    return []


def _no_reasoning(chain: Chain, start: int, end: int, answer: AnswerPlace) -> list[Evidence]:
    """An answer, with nothing or nothing but filler around it."""
    text = chain.text
    if _OPERATION.search(text, start, answer.start):
        return []
    if "=" in text[answer.start : answer.end] and _OPERATION.search(text, answer.start, answer.end):
        return []  # the answer's own statement is an equation
    parts = [text[start : answer.start], text[answer.end : end]]
    if not answer.stated:  # a sentence may hold both a step and the answer
        value = chain.span or (answer.start, answer.start)
        own = text[answer.start : value[0]] + " " + text[value[1] : answer.end]
        if _OPERATION.search(text, answer.start, answer.end) or _argues(own, chain.question):
            return []
        others = _NUMBER.findall(EITHER.sub(" ", own) if "or" in own.lower() else own)
        if others and len({*others} - {*_NUMBER.findall(chain.question)}) > (chain.span is None):
            return []
    body = "\n".join(parts)
    digit = _DIGIT.search(body)
    if digit and _LABEL.match(body, max(0, body.rfind("\n", 0, digit.start()))) is None:
        return []
    plain = _LABEL.sub("\n", body) if digit else body
    if (
        _OPERATION.search(body)
        or _DIGIT.search(plain)
        or _NUMBER.search(plain)
        or _LISTED.search(body)
        or _argues(plain, chain.question)
    ):
        return []
    words = _LETTERS.findall(plain.lower())
    if len(words) >= _ENOUGH_WORDS and len(set(words)) >= _ENOUGH_WORDS:
        return []
    return [Evidence("no_reasoning", start, max(end, start), _NO_REASONING)]


def _argues(text: str, question: str) -> bool:
    """Whether a few words give a reason."""
    if len(_LETTERS.findall(text)) < 7:
        return False
    if _BECAUSE.search(text) or occurs(_BECAUSE_IN_CHINESE, text):
        return True
    low = text.lower()
    if not occurs(_COMPARING, low) and low.count(",") < 2:
        return False
    compared = [match[0].lower() for match in _COMPARES.finditer(text)]
    asked = {*_LETTERS.findall(question.lower())} if compared else set()
    return any(
        len(word) > 2 and word not in asked for part in compared for word in _LETTERS.findall(part)
    )


def _filler(text: str, start: int, answer: AnswerPlace) -> bool:
    return answer.stated and len(_LETTERS.findall(text[start : answer.start])) >= 4

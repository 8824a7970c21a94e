"""What the sentences of an output conclude, when it marks no answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from vlm_boundary.mathtext.words import FIRST_WORDS
from vlm_boundary.records.verdict import Source
from vlm_boundary.verifier.commitments import Found, complement
from vlm_boundary.verifier.doubts import NOT_BEFORE, claim, says_nothing
from vlm_boundary.verifier.phrases import CONCLUSION, HYPOTHETICAL, REFUSAL, last_match
from vlm_boundary.verifier.questions import (
    QuestionWords,
    content,
    in_the_blank,
    question_of,
)
from vlm_boundary.verifier.runs import Stretch, runs
from vlm_boundary.verifier.sentences import Sentence, core, said, sentences
from vlm_boundary.verifier.steps import ProseStep, last_step, leaves_a_step, works_out_later
from vlm_boundary.verifier.values import Words

_VALUE = re.compile(r"[\d√π\\]")
_SPLIT = re.compile(r"[a-z]+")
_TASK = re.compile(
    r"\s*(?:find|calculate|determine|compute|work\s+out|figure\s+out)\b[^=]*$", re.IGNORECASE
)
_BOLD = re.compile(r"\*\*[^*\n]{1,40}\*\*")
_VALUE_WORDS = FIRST_WORDS | {"no", "none", "half"}
_ALSO_ANSWERS = 0.3  # share of the question's words from which a sentence is a rival
MAX_SENTENCE = 600


def conclude(text: str, question_text: str) -> Found | None:
    """The value of the sentence that answers, and its rivals.

    The last sentence wins if it concludes (therefore …); else the last step of a derivation; else
    the last that concludes; else the only sentence with a value; else the one that answers in the
    question's words; else they are rivals.
    """
    question = question_of(question_text)
    filled = in_the_blank(text, question)
    if filled is not None:
        return filled
    has_bold = "**" in text
    steps: list[ProseStep] = []
    for sentence in reversed(sentences(text)):
        step = _step(sentence, question)
        if step is None:
            continue
        steps.append(step)
        outright = step.decided and "=" not in sentence.text and not has_bold
        if len(steps) == 1 and outright and step.concludes:
            return _found("conclusion", step)
    steps.reverse()
    readable = [step for step in steps if step.run or step.rivals]
    if not readable:
        return None
    found = _emphasised(readable) if has_bold else None
    if found is None and (len(steps) > 1 or "=" in steps[0].sentence.text):
        found = _closing(steps)
    if found is None:
        found = _answer(readable, question, bold=has_bold)
        if works_out_later(steps, found.end):
            found = replace(found, doubt="worked_out_later")
    if leaves_a_step(text, found.end):
        found = replace(found, doubt="worked_out_later")
    return found


def _step(sentence: Sentence, question: QuestionWords) -> ProseStep | None:
    """A sentence that has numbers with what it says."""
    if not _VALUE.search(sentence.text) and not _has_number_words(sentence.text):
        return None
    if not _may_say(sentence, question):
        return ProseStep(sentence, question, says=False)
    return ProseStep(sentence, question, True, *said(sentence, question))


def _closing(steps: list[ProseStep]) -> Found | None:
    """What the last step of a derivation comes to, and what may as well be the answer."""
    last = last_step(steps)
    if last is None:
        return None
    step, others = last
    found = _found("conclusion" if step.concludes else "sentence", step)
    if not others or found.value is None:
        return found
    return replace(found, rivals=(found.value, *others), flags=("several_sentences",))


def _answer(readable: list[ProseStep], question: QuestionWords, *, bold: bool) -> Found:
    """What a concluding sentence says, or the one that answers in the question's words."""
    concluding = [place for place, step in enumerate(readable) if step.concludes]
    if concluding:
        found = _found("conclusion", readable[concluding[-1]])
        return found if bold else _beside(found, readable[concluding[-1] + 1 :], question)
    if len(readable) == 1:
        return _found("sentence", readable[0])
    return _answering(readable, question)


def _beside(found: Found, later: list[ProseStep], question: QuestionWords) -> Found:
    """The conclusion with what a later sentence in the question's words says beside it."""
    others = tuple(
        step.run.value
        for step in later
        if step.run is not None
        and not step.rivals
        and core(step.run.value) != core(found.value)
        and len(question.words & content(step.sentence.text)) > _ALSO_ANSWERS * len(question.words)
    )
    if not others:
        return found
    rivals = tuple(value for value in (found.value, *found.rivals, *others) if value is not None)
    return replace(found, rivals=rivals, flags=("several_sentences",))


def _may_say(sentence: Sentence, question: QuestionWords) -> bool:
    """Whether a sentence is neither a task, hypothetical, a refusal nor an echo."""
    text = sentence.text
    if len(text) > MAX_SENTENCE or _TASK.match(text):
        return False
    return not (
        HYPOTHETICAL.search(text)
        or says_nothing(text)
        or REFUSAL.search(claim(text))
        or text.strip() in question.text
    )


def _has_number_words(text: str) -> bool:
    return not _VALUE_WORDS.isdisjoint(_SPLIT.findall(text.lower()))


def _emphasised(readable: list[ProseStep]) -> Found | None:
    """The one number in bold, where every bold number is the same: "is **8**"."""
    found: list[ProseStep] = []
    for step in readable:
        for bold in _BOLD.finditer(step.sentence.text):
            inside = [
                Stretch(bold.start() + r.start, bold.start() + r.end, r.value)
                for r in runs(bold[0], frozenset())
                if r.aside in ("", "label")
            ]
            if len(inside) != 1:
                return None
            found.append(replace(step, run=inside[0], rivals=()))
    if not found or len({repr(core(step.run.value)) for step in found if step.run}) != 1:
        return None
    return _found("conclusion" if found[-1].concludes else "sentence", found[-1])


def _answering(readable: list[ProseStep], question: QuestionWords) -> Found:
    """Among several sentences, the one in the question's words; the first and last are rivals."""
    asked = question.words
    scored = []
    for place, step in enumerate(readable):
        overlap = len(asked & content(step.sentence.text)) / len(asked) if asked else 0.0
        scored.append((overlap, place, step))
    best = max(scored, key=lambda s: (round(s[0], 2), s[1]))
    chosen, close = readable[-1], [readable[0], readable[-1]]
    if best[0] >= 0.5:
        enough = min(best[0] - 0.15, _ALSO_ANSWERS)
        chosen, close = best[2], [s[2] for s in scored if s[0] >= enough or s is scored[-1]]
        values = {repr(core(step.run.value)) if step.run else "several" for step in close}
        if len(values) == 1:
            return _found("sentence", close[0])
    found = _found("sentence", chosen)
    others = tuple(step.run.value for step in close if step.run is not None)
    return replace(found, rivals=(*found.rivals, *others), flags=("several_sentences",))


def _found(source: Source, step: ProseStep) -> Found:
    shown = step.run or step.rivals[-1]
    raw = step.sentence.text[shown.start : shown.end]
    start = step.sentence.start + shown.start
    flags = (("echo" if step.run else "several_values"),) if step.rivals else ()
    values = tuple(rival.value for rival in step.rivals)
    return Found(source, raw, start, start + len(raw), shown.value, None, flags, values)


_IN_WORDS = re.compile(r"[^\W\d_]{2}|\d.*[^\W\d_]")
_DENIES = re.compile(
    r"\b(?:not|never|no|none|neither|nor|unlike|except|than|or|but|without|if)\b|n[\'’]t\b|\?", re.I
)
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|shows?|reads?|says?|called|named|be|=)\s+(?:the\s+|a\s+|an\s+)?",
    re.IGNORECASE,
)


def named_choice(text: str, choices: Sequence[str]) -> Found | None:
    """The one choice in words that the last, or only, sentence names: "most came on Friday"."""
    chosen = _closing_sentence(text)
    if chosen is None or len(chosen.text) > MAX_SENTENCE:
        return None
    if _DENIES.search(chosen.text) or HYPOTHETICAL.search(chosen.text) or says_nothing(chosen.text):
        return None
    spans = [
        match.span()
        for choice in filter(_IN_WORDS.search, choices)
        for match in re.finditer(rf"(?i)(?<!\w){re.escape(choice.strip())}(?!\w)", chosen.text)
    ]
    whole = {
        (a, b) for a, b in spans if not any(c <= a and b <= d and d - c > b - a for c, d in spans)
    }
    if len({chosen.text[slice(*span)].casefold() for span in whole}) != 1:
        return None
    first, last = max(whole)
    raw = chosen.text[first:last]
    start = chosen.start + first
    return Found("sentence", raw, start, start + len(raw), Words(raw))


def _closing_sentence(text: str) -> Sentence | None:
    """The last sentence that concludes, or the last one."""
    found = sentences(text)
    return next(
        (s for s in reversed(found) if CONCLUSION.search(s.text)), found[-1] if found else None
    )


def predicate(text: str) -> Found | None:
    """What the last, or only, sentence says something is: "the highest bar is red"."""
    chosen = _closing_sentence(text)
    if chosen is None:
        return None
    last = last_match(_PREDICATE, chosen.text)
    if last is None or says_nothing(chosen.text) or NOT_BEFORE.search(chosen.text[: last.end()]):
        return None
    found = complement(
        text, chosen.start + last.end(), chosen.end, listed=False, words=True, source="sentence"
    )
    return found if found and found.raw else None

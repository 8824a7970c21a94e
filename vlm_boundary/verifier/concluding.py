"""What the sentences of an output conclude, when it marks no answer."""

from __future__ import annotations

import re
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
    number_said,
    question_of,
)
from vlm_boundary.verifier.runs import Stretch, runs
from vlm_boundary.verifier.sentences import Sentence, core, said, sentences
from vlm_boundary.verifier.steps import Step, last_step, share_of, works_out_later

_VALUE = re.compile(r"[\d√π\\]")
_SPLIT = re.compile(r"[a-z]+")
_WORKED_OUT = re.compile(r"=\s*([$€£]?\s?-?[\d.,]*\d)\s*[a-zA-Z%°]{0,12}[\s.)*$]*$")
_TASK = re.compile(
    r"\s*(?:find|calculate|determine|compute|work\s+out|figure\s+out)\b[^=]*$", re.IGNORECASE
)
_BOLD = re.compile(r"\*\*[^*\n]{1,40}\*\*")
_VALUE_WORDS = FIRST_WORDS | {"no", "none", "half"}
_ALSO_ANSWERS = 0.3  # share of the question's words from which a sentence is a rival
MAX_SENTENCE = 600


def conclude(text: str, question_text: str) -> Found | None:
    """The value of the sentence that answers, and its rivals.

    A concluding sentence (therefore …) wins; else the only sentence with a value; else the one
    that answers in the question's words; else they are rivals.
    """
    question = question_of(question_text)
    filled = in_the_blank(text, question)
    if filled is not None:
        return filled
    every = sentences(text)
    later: list[_Said] = []
    for sentence in reversed(every):
        item = _read(sentence, question)
        if item is not None:
            later.append(item)
    if later and "**" not in text and _concludes(later[0], every):
        return _found("conclusion", *later[0])
    readable = later[::-1]
    if not readable:
        return None
    bold = _emphasised(readable)
    if bold is not None:
        return bold
    steps = _steps(every, question)
    found = _closing(steps, question)
    if found is None:
        found = _answer(readable, question, bold="**" in text)
        if works_out_later(steps, found.end):
            found = replace(found, doubt="worked_out_later")
    return found


def _concludes(last: _Said, every: list[Sentence]) -> bool:
    """Whether the last sentence that says a value concludes outright, and nothing follows it."""
    sentence, run, rivals = last
    if run is None or rivals or "=" in sentence.text or not CONCLUSION.search(sentence.text):
        return False
    return not any(s.start > sentence.start and _VALUE.search(s.text) for s in every)


def _answer(readable: list[_Said], question: QuestionWords, *, bold: bool) -> Found:
    """What a concluding sentence says, or the one that answers in the question's words."""
    concluding = [n for n, item in enumerate(readable) if CONCLUSION.search(item[0].text)]
    if concluding:
        found = _found("conclusion", *readable[concluding[-1]])
        return found if bold else _beside(found, readable[concluding[-1] + 1 :], question)
    if len(readable) == 1:
        return _found("sentence", *readable[0])
    if _worked_out(readable):
        return _found("sentence", *readable[-1])
    return _answering(readable, question)


def _read(sentence: Sentence, question: QuestionWords) -> _Said | None:
    """A sentence with what it says, if it says a value."""
    if not _may_say(sentence, question):
        return None
    run, rivals = said(sentence, question)
    return None if run is None and not rivals else (sentence, run, rivals)


def _steps(every: list[Sentence], question: QuestionWords) -> list[Step]:
    """The sentences that have numbers, as the steps of a derivation."""
    steps = []
    for sentence in every:
        if not _VALUE.search(sentence.text) and not _has_number_words(sentence.text):
            continue
        says = _may_say(sentence, question)
        run, rivals = said(sentence, question) if says else (None, ())
        values = tuple(runs(sentence.text, question.numbers)) if says else ()
        overlap = share_of(question, sentence.text)
        steps.append(Step(sentence, run, rivals, says, overlap, values))
    return steps


def _closing(steps: list[Step], question: QuestionWords) -> Found | None:
    """What the last step of a derivation comes to, and what may as well be the answer."""
    last = last_step(steps, question)
    if last is None:
        return None
    step, others = last
    found = _found("conclusion" if step.concludes else "sentence", step.sentence, step.run, ())
    if not others or found.value is None:
        return found
    return replace(found, rivals=(found.value, *others), flags=("several_sentences",))


def _beside(found: Found, later: list[_Said], question: QuestionWords) -> Found:
    """The conclusion with what a later sentence in the question's words says beside it."""
    others = tuple(
        run.value
        for sentence, run, rivals in later
        if run is not None
        and not rivals
        and core(run.value) != core(found.value)
        and len(question.words & content(sentence.text)) > _ALSO_ANSWERS * len(question.words)
    )
    if not others:
        return found
    rivals = tuple(value for value in (found.value, *found.rivals, *others) if value is not None)
    return replace(found, rivals=rivals, flags=("several_sentences",))


def _worked_out(readable: list[_Said]) -> bool:
    """Whether the last sentence says what the sum before it comes to."""
    if len(readable) < 2 or readable[-1][1] is None or readable[-1][2]:
        return False
    result = _WORKED_OUT.search(readable[-2][0].text)
    found = None if result is None else number_said(result[1].strip("$€£ "))
    return result is not None and found == core(readable[-1][1].value)


def _may_say(sentence: Sentence, question: QuestionWords) -> bool:
    """Whether a sentence has a value, and is neither hypothetical, a refusal nor an echo."""
    text = sentence.text
    if len(text) > MAX_SENTENCE or _TASK.match(text):
        return False
    if not _VALUE.search(text) and not _has_number_words(text):
        return False
    return not (
        HYPOTHETICAL.search(text)
        or says_nothing(text)
        or REFUSAL.search(claim(text))
        or text.strip() in question.text
    )


def _has_number_words(text: str) -> bool:
    return not _VALUE_WORDS.isdisjoint(_SPLIT.findall(text.lower()))


_Said = tuple[Sentence, Stretch | None, tuple[Stretch, ...]]


def _emphasised(readable: list[_Said]) -> Found | None:
    """The one number in bold, where every bold number is the same: "is **8**"."""
    found: list[tuple[Sentence, Stretch]] = []
    for sentence, _, _ in readable:
        for bold in _BOLD.finditer(sentence.text):
            inside = [
                Stretch(bold.start() + r.start, bold.start() + r.end, r.value)
                for r in runs(bold[0], frozenset())
                if r.aside in ("", "label")
            ]
            if len(inside) != 1:
                return None
            found += [(sentence, run) for run in inside]
    if not found or len({repr(core(run.value)) for _, run in found}) != 1:
        return None
    sentence, run = found[-1]
    source: Source = "conclusion" if CONCLUSION.search(sentence.text) else "sentence"
    return _found(source, sentence, run, ())


def _answering(readable: list[_Said], question: QuestionWords) -> Found:
    """Among several sentences, the one in the question's words; the first and last are rivals."""
    asked = question.words
    scored = []
    for place, item in enumerate(readable):
        overlap = len(asked & content(item[0].text)) / len(asked) if asked else 0.0
        scored.append((overlap, place, item))
    best = max(scored, key=lambda s: (round(s[0], 2), s[1]))
    chosen, close = readable[-1], [readable[0], readable[-1]]
    if best[0] >= 0.5:
        enough = min(best[0] - 0.15, _ALSO_ANSWERS)
        chosen, close = best[2], [s[2] for s in scored if s[0] >= enough or s is scored[-1]]
        values = {repr(core(run.value)) if run else "several" for _, run, _ in close}
        if len(values) == 1:
            return _found("sentence", *close[0])
    found = _found("sentence", *chosen)
    others = tuple(run.value for _, run, _ in close if run is not None)
    return replace(found, rivals=(*found.rivals, *others), flags=("several_sentences",))


def _found(
    source: Source, sentence: Sentence, run: Stretch | None, rivals: tuple[Stretch, ...]
) -> Found:
    shown = run or rivals[-1]
    raw = sentence.text[shown.start : shown.end]
    start = sentence.start + shown.start
    flags = (("echo" if run else "several_values"),) if rivals else ()
    values = tuple(rival.value for rival in rivals)
    return Found(source, raw, start, start + len(raw), shown.value, None, flags, values)


_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|shows?|reads?|says?|called|named|be|=)\s+(?:the\s+|a\s+|an\s+)?",
    re.IGNORECASE,
)


def predicate(text: str) -> Found | None:
    """What the last, or only, sentence says something is: "the highest bar is red"."""
    all_sentences = sentences(text)
    if not all_sentences:
        return None
    chosen = next(
        (s for s in reversed(all_sentences) if CONCLUSION.search(s.text)), all_sentences[-1]
    )
    last = last_match(_PREDICATE, chosen.text)
    if last is None or says_nothing(chosen.text) or NOT_BEFORE.search(chosen.text[: last.end()]):
        return None
    found = complement(
        text, chosen.start + last.end(), chosen.end, listed=False, words=True, source="sentence"
    )
    return found if found and found.raw else None

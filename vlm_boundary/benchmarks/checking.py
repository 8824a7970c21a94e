"""What a prompt leaves out of its problem: a check before anything is drawn."""

from __future__ import annotations

import re
from dataclasses import replace

from vlm_boundary.benchmarks.images_config import ImagesConfig
from vlm_boundary.benchmarks.prompts import PromptConfig, messages
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.records.problem import Problem

# Stands in a prompt for what is left out otherwise; no data set has it.
_OTHER = "\1"
# What data sets write where pictures are; looked for where the YAML names no marks.
_USUAL_MARKS = r"<image[ _]?(\d*)>"


def left_out(
    problem: Problem,
    prompt: PromptConfig,
    images: ImagesConfig,
    *,
    options_in_question: bool = False,
) -> str | None:
    """What a model would not be shown of a problem with its pictures; None where it is all there.

    The names of the pictures may be any: the files are not opened.

    Args:
        options_in_question: the options stand in the question or its picture, as the YAML says.
    """
    reason = not_shown(problem, prompt, images, options_in_question=options_in_question)
    # One picture before the text may be all that is marked, as MATH-V's composites.
    composite = images.position == "first" and len(problem.pictures) == 1
    if reason is None and not composite and (mark := mark_without_picture(problem, images)):
        return f"it marks a picture that it does not have: {mark}"
    return reason


def not_shown(
    problem: Problem,
    prompt: PromptConfig,
    images: ImagesConfig,
    *,
    options_in_question: bool = False,
) -> str | None:
    """Which of a problem's words its prompt leaves out: the question, or the options."""
    try:
        shown = _words(problem, prompt, images)
    except TemplateProblem as error:
        return f"its prompt cannot be made: {error}"
    if not _shows_question(problem, prompt, images, shown):
        return "its prompt does not show the question; put {{ question }} into prompt.user"
    options = problem.choices and not options_in_question
    if options and not _shows_choices(problem, prompt, images, shown):
        return (
            "its prompt does not show the options; put {{ choices }} into prompt.user, take a "
            "named protocol, or say options: {shown: question} where the question has them"
        )
    return None


def marks_without_a_rule(problem: Problem, images: ImagesConfig) -> str | None:
    """The first mark of a picture that stays text, since the YAML does not say that it is one."""
    if images.placeholder is not None:
        return None
    texts = (problem.question, *problem.choices)
    return next((found[0] for text in texts if (found := re.search(_USUAL_MARKS, text))), None)


def shown_twice(problem: Problem, prompt: PromptConfig) -> bool:
    """Whether the prompt shows options that the question's text has already, all of them."""
    if not problem.choices or "choices" not in prompt.user:
        return False
    text = _squeezed(problem.question)
    return all(_has_word(text, _squeezed(choice)) for choice in problem.choices)


def mark_without_picture(problem: Problem, images: ImagesConfig) -> str | None:
    """The first mark in question or options whose picture the problem does not have."""
    pattern = re.compile(_USUAL_MARKS if images.placeholder is None else images.placeholder)
    marks = [m for text in (problem.question, *problem.choices) for m in pattern.finditer(text)]
    for place, mark in enumerate(marks, start=1):
        number = mark[1] if pattern.groups else None
        wanted = int(number) if number and number.isdigit() else place
        if not 1 <= wanted <= len(problem.pictures):
            return mark[0]
    return None


def _shows_question(
    problem: Problem, prompt: PromptConfig, images: ImagesConfig, shown: str
) -> bool:
    bare = problem.question
    if images.placeholder is not None:
        bare = re.sub(images.placeholder, "", bare)
    if _squeezed(bare) in shown:
        return True
    return _depends(replace(problem, question=_OTHER), prompt, images, shown)


def _shows_choices(
    problem: Problem, prompt: PromptConfig, images: ImagesConfig, shown: str
) -> bool:
    # Options that are nothing but their letters are shown in the picture.
    if all(choice.strip("() .") == chr(65 + i) for i, choice in enumerate(problem.choices)):
        return True
    other = replace(problem, choices=(_OTHER,) * len(problem.choices))
    if _depends(other, prompt, images, shown):
        return True
    alone = prompt.model_copy(update={"system": None, "instruction": None})
    asked = _words(problem, alone, images)
    return all(_has_word(asked, _squeezed(choice)) for choice in problem.choices)


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _depends(other: Problem, prompt: PromptConfig, images: ImagesConfig, shown: str) -> bool:
    """Whether the words are other ones for the problem with something else in it."""
    try:
        return _words(other, prompt, images) != shown
    except TemplateProblem:
        return True  # it reads what was changed


def _words(problem: Problem, prompt: PromptConfig, images: ImagesConfig) -> str:
    said = []
    for turn in messages(problem, prompt, images):
        content = turn["content"]
        parts = (
            [content] if isinstance(content, str) else [part.get("text", "") for part in content]
        )
        said += parts
    return _squeezed(" ".join(said))


def _squeezed(text: str) -> str:
    return " ".join(text.split())

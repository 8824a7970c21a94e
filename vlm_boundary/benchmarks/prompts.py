"""How a problem is put into words: named prompt protocols over Jinja templates."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from vlm_boundary.benchmarks.images import ImagesConfig
from vlm_boundary.benchmarks.templates import (
    DATA_CLOSES,
    DATA_OPENS,
    check_template,
    render,
    render_marked,
    without_data_marks,
)
from vlm_boundary.config import FULL, Condition, Settings
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

Message = dict[str, Any]
"""One chat turn: role, and content parts of type image or text.

A text part's `data` says which spans of its text come from the data set rather than from the
prompt protocol: pairs of first and last place, the last not included.
"""

UNSEEING: frozenset[Condition] = frozenset(("no_image", "described", "half_question"))
"""Conditions without the picture."""
SAYING: frozenset[Condition] = frozenset(
    ("described", "described_with_image", "misleading_caption")
)
"""Conditions that show a description."""

Placement = Literal["system", "user_prefix", "user_suffix"]
Hint = Literal["integer", "float", "text", "list", "expression", "choices"]


class PromptConfig(Settings):
    """A prompt protocol.

    Templates see `question` (its pictures in their places), `text` and `images` (the two apart),
    `choices` (with the pictures that they mark), `unit`, `precision`, `answer_type`, `metadata` and
    `hint`.
    """

    system: str | None = None
    """System turn; without one, the checkpoint's chat template decides."""
    user: str = "{{ question }}"
    """User turn."""
    instruction: str | None = None
    """What is asked of the reasoning; the direct_answer condition puts its own in its place."""
    placement: Placement = "user_suffix"
    """Where the instruction stands: end of the system turn, before or after the user's text."""
    separator: str = " "
    """Between the instruction and the text beside it."""
    hints: dict[Hint, str] = Field(default_factory=dict)
    """The `hint` by answer type; `choices` where there are options."""
    direct_instruction: str = (
        "Answer directly, without any reasoning or explanation: reply with the final answer alone, "
        "in \\boxed{}."
    )
    """The instruction of the direct_answer condition."""
    no_image_instruction: str = (
        "The picture that belongs to this question is not shown. Answer nevertheless, with your "
        "best guess."
    )
    """Added to the instruction in the no_image condition, against refusals."""
    half_question_instruction: str = (
        "Only the first half of this question is shown, without its picture. Answer the whole "
        "question nevertheless, with your best guess."
    )
    """Added to the instruction in the half_question condition, against refusals."""
    described: str = "The picture shows: {{ description }}\n"
    """A `description` as it stands in the picture's place, or behind it."""

    @field_validator(
        *("system", "user", "instruction", "direct_instruction", "no_image_instruction"),
        *("half_question_instruction", "described"),
    )
    @classmethod
    def _compiles(cls, template: str | None) -> str | None:
        return None if template is None else check_template(template)

    @field_validator("hints")
    @classmethod
    def _hints_compile(cls, hints: dict[Hint, str]) -> dict[Hint, str]:
        for template in hints.values():
            check_template(template)
        return hints


_THINK_AND_BOX = (
    "You FIRST think about the reasoning process as an internal monologue and then provide the "
    "final answer. The reasoning process MUST BE enclosed within <think> </think> tags. The final "
    "answer MUST BE put in \\boxed{}."
)
_PLEASE = "Please answer the question"
_AT_THE_END = "at the end."

# Behind the question of a named protocol, each option after its letter.
_OPTIONS = (
    "{% if choices %}\nChoices:{% for choice in choices %}"
    "\n({{ 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[loop.index0] }}) {{ choice }}{% endfor %}{% endif %}"
)

PROTOCOLS: dict[str, PromptConfig] = {
    # Yue et al. 2025 (arXiv 2504.13837), Figure 26: for base and RL, in training and evaluation.
    "easyr1-paper": PromptConfig(
        system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
        instruction=_THINK_AND_BOX,
        placement="system",
    ),
    # EasyR1 itself put the same words into the system turn alone (2025-03-05 to 03-27) …
    "easyr1-v1": PromptConfig(instruction=_THINK_AND_BOX, placement="system"),
    # … then before the question, picture included (to 04-14) …
    "easyr1-v2": PromptConfig(instruction=_THINK_AND_BOX, placement="user_prefix"),
    # … and since then after it.
    "easyr1-v3": PromptConfig(
        user="{{ question | trim }}", instruction=_THINK_AND_BOX, placement="user_suffix"
    ),
    "boxed": PromptConfig(
        instruction="Please reason step by step, and put your final answer within \\boxed{}.",
        separator="\n",
    ),
    # The `query` column of MathVista, from the columns that it was made of.
    "mathvista-query": PromptConfig(
        user="{{ images }}{% if hint %}Hint: {{ hint }}\n{% endif %}Question: {{ text }}"
        "{% if unit %} (Unit: {{ unit }}){% endif %}" + _OPTIONS,
        hints={
            "integer": f"{_PLEASE} requiring an integer answer and provide the final value, "
            f"e.g., 1, 2, 3, {_AT_THE_END}",
            "float": f"{_PLEASE} requiring a floating-point number with "
            "{% if precision == 1 %}one decimal place{% else %}two decimal places{% endif %} and "
            "provide the final value, e.g., {% if precision == 1 %}1.2, 1.3, 1.4{% else %}1.23, "
            f"1.34, 1.45{{% endif %}}, {_AT_THE_END}",
            "list": f"{_PLEASE} requiring a Python list as an answer and provide the final list, "
            f"e.g., [1, 2, 3], [1.2, 1.3, 1.4], {_AT_THE_END}",
            "choices": f"{_PLEASE} and provide the correct option letter, e.g., A, B, C, D, "
            f"{_AT_THE_END}",
        },
    ),
    # EasyR1's other template, after R1-V: the answer stands in <answer> tags.
    "r1v": PromptConfig(
        user="{{ question | trim }}",
        instruction="A conversation between User and Assistant. The user asks a question, and the "
        "Assistant solves it. The assistant first thinks about the reasoning process in the mind "
        "and then provides the user with the answer. The reasoning process and answer are enclosed "
        "within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> "
        "reasoning process here </think><answer> answer here </answer>",
        placement="user_suffix",
    ),
}


def resolve_prompt(prompt: str | PromptConfig, *, options: bool = False) -> PromptConfig:
    """The templates of a protocol given by name or in full.

    Args:
        options: a named protocol shows a problem's options behind its question, where its own
            words do not.

    Raises:
        UserError: no protocol has that name.
    """
    if isinstance(prompt, PromptConfig):
        return prompt
    if prompt not in PROTOCOLS:
        raise UserError(f"no prompt protocol {prompt!r}; there are {', '.join(PROTOCOLS)}")
    named = PROTOCOLS[prompt]
    if options and _OPTIONS not in named.user:
        return named.model_copy(update={"user": named.user + _OPTIONS})
    return named


def condition_prompt(prompt: PromptConfig, condition: Condition) -> PromptConfig:
    """The protocol as a condition words it.

    `no_image` and `half_question` say what is not shown, `direct_answer` asks for no reasoning, and
    all others have the words of `full`: a model must not know that a picture or a description is
    wrong.
    """
    if condition == "direct_answer":
        return prompt.model_copy(update={"instruction": prompt.direct_instruction})
    against_refusals = {
        "no_image": prompt.no_image_instruction,
        "half_question": prompt.half_question_instruction,
    }
    if condition in against_refusals:
        both = [prompt.instruction, against_refusals[condition]]
        return prompt.model_copy(update={"instruction": " ".join(filter(None, both))})
    return prompt


def prompt_content(
    prompt: PromptConfig, images: ImagesConfig, condition: Condition
) -> dict[str, Any]:
    """What the wording depends on under a condition, by key."""
    worded = condition_prompt(prompt, condition)
    # A condition has its own of these as its instruction.
    others = {"direct_instruction", "no_image_instruction", "half_question_instruction"}
    content = worded.model_dump(exclude=others if condition in SAYING else {*others, "described"})
    return content | {"placeholder": images.placeholder, "position": images.position}


def prompt_hash(prompt: PromptConfig, images: ImagesConfig, condition: Condition = FULL) -> str:
    """SHA-256 of what the wording depends on."""
    content = prompt_content(prompt, images, condition)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def messages(
    problem: Problem,
    prompt: PromptConfig,
    images: ImagesConfig,
    condition: Condition = FULL,
) -> list[Message]:
    """The chat turns that put a problem to a model under a condition.

    The user turn's parts of type image name the file, in the order in which they are shown; in
    some conditions there are none. Give the problem as its condition shows it: with another
    picture or description, or half of its question.

    Raises:
        TemplateProblem: a template asks for something that the problem does not have.
    """
    worded = condition_prompt(prompt, condition)
    pictures = () if condition in UNSEEING else problem.pictures
    values: dict[str, Any] = {
        **_with_pictures(problem, len(pictures), images),
        "unit": problem.unit,
        "precision": problem.precision,
        "answer_type": problem.answer_type,
        "metadata": dict(problem.metadata),
    }
    words = ""
    if condition in SAYING and problem.description:
        words = _told(render(worded.described, values | {"description": problem.description}))
        values |= _with_words(problem, words, images, pictures)
    hint = worded.hints.get("choices" if problem.choices else problem.answer_type or "text")
    values["hint"] = render_marked(hint, values) if hint else ""
    said: dict[str, str | None] = {
        "system": None if worded.system is None else render_marked(worded.system, values),
        "user": render_marked(worded.user, values),
    }
    instruction = render_marked(worded.instruction, values) if worded.instruction else ""
    turns_with = (text for text in (*said.values(), instruction) if _SAYING.search(text or ""))
    if words and next(turns_with, None) is None:  # the templates have no place for pictures
        said["user"] = render_marked("{{ words }}", {"words": words}) + str(said["user"])
    if worded.instruction:
        turn = "system" if worded.placement == "system" else "user"
        pieces = [said[turn], instruction]
        if worded.placement == "user_prefix":
            pieces.reverse()
        said[turn] = worded.separator.join(piece for piece in pieces if piece)
    said = _said_once(said)
    turns: list[Message] = []
    if said["system"] is not None:
        parts = _parts(said["system"], ())
        with_data = any("data" in part for part in parts)
        content = parts if with_data else "".join(part["text"] for part in parts)
        turns.append({"role": "system", "content": content})
    turns.append({"role": "user", "content": _parts(said["user"] or "", pictures)})
    return turns


def pictures_shown(turns: list[Message]) -> tuple[str, ...]:
    """The file names of the pictures in chat turns, in the order in which they are shown."""
    return tuple(
        part["image"]
        for turn in turns
        if isinstance(turn["content"], list)
        for part in turn["content"]
        if part["type"] == "image"
    )


# Stands for a picture while templates are rendered; no question keeps a NUL of its own.
_MARK = "\0"
_MARKED = re.compile(f"{_MARK}(\\d+){_MARK}")
_FIRST_MARKS = re.compile(f"(?:{_MARK}\\d+{_MARK})+")
# Around the words for pictures, so that no other text is taken for them: noncharacters again.
_SAYS, _SAID = "\ufdd2", "\ufdd3"
_SAYING = re.compile(f"{_SAYS}([^{_SAYS}{_SAID}]*){_SAID}(\n?)")
_NO_MARKS = dict.fromkeys(map(ord, (_MARK, _SAYS, _SAID, DATA_OPENS, DATA_CLOSES)))


def _mark(picture: int) -> str:
    return f"{_MARK}{picture}{_MARK}"


def _with_pictures(problem: Problem, count: int, images: ImagesConfig) -> dict[str, Any]:
    """What templates see of a problem's question, options and so many pictures, marks for each."""
    question = problem.question.translate(_NO_MARKS)
    choices = [choice.translate(_NO_MARKS) for choice in problem.choices]
    first = "".join(map(_mark, range(count)))
    bare = question
    if images.placeholder is not None:
        bare = re.sub(images.placeholder, "", question).strip()
    if images.placeholder is None or images.position == "first":
        return {"question": first + bare, "text": bare, "images": first, "choices": choices}
    left = list(range(count))
    placed = _filled(question, images.placeholder, left, lambda _: "").strip()
    of_question = set(range(count)) - set(left)
    # A mark that stays without a picture is text: without it, an option might be empty.
    choices = [_filled(choice, images.placeholder, left, lambda mark: mark) for choice in choices]
    return {
        "question": "".join(map(_mark, left)) + placed,
        "text": bare,
        "images": "".join(map(_mark, sorted(of_question | set(left)))),
        "choices": choices,
    }


def _with_words(
    problem: Problem, words: str, images: ImagesConfig, pictures: tuple[str, ...]
) -> dict[str, Any]:
    """Question and pictures with words in the first pictures' place, or behind them.

    Pictures within a line have the words before that line.

    Args:
        pictures: those that are shown; without any, the words stand for all of them.
    """
    marked = _with_pictures(problem, len(problem.pictures), images)
    said = {}
    for name in ("question", "images"):
        text = marked[name]
        found = _FIRST_MARKS.search(text)
        start, end = found.span() if found else (0, 0)
        line = text.rfind("\n", 0, start) + 1
        place = line if line < start or not pictures else end
        said[name] = text[:place] + words + text[place:]
    return said if pictures else {key: _MARKED.sub("", text) for key, text in said.items()}


def _told(words: str) -> str:
    """Words for pictures between their marks, which leave what is trimmed around them outside."""
    words = words.translate(_NO_MARKS)
    bare = words.strip()
    return words.replace(bare, f"{_SAYS}{bare}{_SAID}", 1) if bare else ""


def _said_once(said: Mapping[str, str | None]) -> dict[str, str | None]:
    """Turns with the words for pictures where they come first, as pictures are, unmarked."""
    found = []

    def first(match: re.Match[str]) -> str:
        found.append(match)
        return match[1] + match[2] if len(found) == 1 else ""

    def unmarked(text: str) -> str:
        return _SAYING.sub(first, text).replace(_SAYS, "").replace(_SAID, "")

    return {turn: None if text is None else unmarked(text) for turn, text in said.items()}


def _filled(text: str, placeholder: str, left: list[int], other: Callable[[str], str]) -> str:
    """A text whose marks are those of the pictures that are left, which are taken from there.

    Args:
        other: what becomes of a mark without a picture of its own, as where one shows several.
    """
    pattern = re.compile(placeholder)

    def filled(match: re.Match[str]) -> str:
        number = match[1] if pattern.groups else None
        wanted = int(number) - 1 if number and number.isdigit() else (left or [-1])[0]
        if wanted not in left:
            return other(match[0])
        left.remove(wanted)
        return _mark(wanted)

    return pattern.sub(filled, text)


def _parts(text: str, pictures: tuple[str, ...]) -> list[dict[str, Any]]:
    """Text with marks as content parts, each picture once."""
    pieces = _MARKED.split(text)
    numbers = (int(number) for number in pieces[1::2])
    placed = dict.fromkeys(number for number in numbers if number < len(pictures))
    # Where the template has no place for a picture, it comes first.
    parts: list[dict[str, Any]] = [
        {"type": "image", "image": name} for i, name in enumerate(pictures) if i not in placed
    ]
    of_data, said = False, ""
    for text_before, number in zip(pieces[::2], [*pieces[1::2], None], strict=True):
        said += text_before
        if number is not None and int(number) not in placed:
            continue  # a mark without a picture: what stands around it is one text
        words, spans, of_data = without_data_marks(said, of_data)
        said = ""
        if words:
            parts.append({"type": "text", "text": words, **({"data": spans} if spans else {})})
        if number is not None:
            del placed[int(number)]
            parts.append({"type": "image", "image": pictures[int(number)]})
    return parts

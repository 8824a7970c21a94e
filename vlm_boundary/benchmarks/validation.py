"""Whether a benchmark's problems can be put to a model, before anything is drawn."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.images import ImagesConfig, PictureError, open_rgb
from vlm_boundary.benchmarks.load import Filter, Scan
from vlm_boundary.benchmarks.prompts import PromptConfig, messages
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import first_records
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.counted import counted
from vlm_boundary.records.manifest import FilterStep
from vlm_boundary.records.problem import Problem

# So many records show the columns and the pictures of a data set.
LOOKED_AT = 8
# Stands in a prompt for what is left out otherwise; no data set has it.
_OTHER = "\1"
# What data sets write where pictures are; looked for where the YAML names no marks.
_USUAL_MARKS = r"<image[ _]?(\d*)>"


@dataclass
class Validated:
    """What a check found.

    Attributes:
        how: where not all records were read, which ones were, and how.
        unusable: problems that no model can be asked, with the reason.
        notices: what is no mistake by itself and may be one.
        seconds: how long it took.
    """

    problems: int = 0
    records: int = 0
    filter_log: tuple[FilterStep, ...] = ()
    how: str | None = None
    unusable: list[tuple[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0


def checked(config: BenchmarkConfig, progress: Callable[[], object]) -> Validated:
    """Read every record, open every picture and make every prompt.

    Raises:
        UserError: see `Scan`.
    """
    began = time.monotonic()
    scan, check = Scan(config), _Check(config)
    for candidate in scan:
        check(candidate)
        progress()
    found = check.done()
    found.records, found.filter_log = scan.records, scan.filter_log
    found.seconds = time.monotonic() - began
    return found


def first_records_checked(config: BenchmarkConfig, progress: Callable[[], object]) -> Validated:
    """Read the first records of a hub's data set, and do the same with them.

    The columns that filters look at are looked at, and none of the records is left out by them.

    Raises:
        UserError: the hub has no such data set, it cannot be read, or it lacks a column.
    """
    began = time.monotonic()
    records, how = first_records(config, LOOKED_AT)
    reader, check = RecordReader(config), _Check(config)
    filters = [Filter(step, config, reader) for step in config.filters if step.guessable is None]
    for row, record in enumerate(records):
        candidate = reader.read(record, row)
        for step in filters:
            step.keeps(candidate)
        check(candidate)
        progress()
    found = check.done()
    found.how, found.seconds = how, time.monotonic() - began
    return found


class _Check:
    """Problems one after the other, and what is to be said of them together."""

    def __init__(self, config: BenchmarkConfig) -> None:
        self._config, self._prompt = config, config.worded()
        self._found = Validated()
        self._marked: list[str] = []
        self._unruled: list[tuple[str, str]] = []
        self._twice: list[str] = []

    def __call__(self, candidate: Candidate) -> None:
        config, images = self._config, self._config.images
        self._found.problems += 1
        reason = candidate.problem.error
        try:
            for picture in candidate.pictures:
                open_rgb(picture.read())
        except PictureError as error:
            reason = reason or str(error)
        # What the prompt is made of, without the files: pictures by their places.
        names = tuple(str(place) for place in range(len(candidate.pictures)))
        problem = replace(candidate.problem, pictures=names)
        reason = reason or left_out(
            problem,
            self._prompt,
            images,
            options_in_question=config.options.shown == "question",
        )
        if reason:
            self._found.unusable.append((problem.problem_id, reason))
        elif mark := marks_without_a_rule(problem, images):
            self._unruled.append((problem.problem_id, mark))
        elif mark_without_picture(problem, images):
            self._marked.append(problem.problem_id)
        if shown_twice(problem, self._prompt):
            self._twice.append(problem.problem_id)

    def done(self) -> Validated:
        """What was found, with what is to be said of it."""
        if self._unruled:
            name, mark = self._unruled[0]
            self._found.notices.append(
                f"warning: {len(self._unruled):,} problems have marks of pictures in their text, "
                f"as {mark} in {name}, and no images.placeholder says so: a model reads them as "
                f"words."
            )
        if self._marked:
            self._found.notices.append(
                f"{counted(len(self._marked), 'problem')} with marks for more pictures than there "
                f"are, as {self._marked[0]}: right where one picture shows several."
            )
        if self._twice:
            self._found.notices.append(
                f"warning: {counted(len(self._twice), 'problem')} with the options shown twice, as "
                f"{self._twice[0]}; say options: {{shown: question}} where the question has them."
            )
        return self._found


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

    def depends(other: Problem) -> bool:
        """Whether the words are other ones for the problem with something else in it."""
        try:
            return _words(other, prompt, images) != shown
        except TemplateProblem:
            return True  # it reads what was changed

    question = problem.question
    if images.placeholder is not None:
        question = re.sub(images.placeholder, "", question)
    if _squeezed(question) not in shown and not depends(replace(problem, question=_OTHER)):
        return "its prompt does not show the question; put {{ question }} into prompt.user"
    # Options that are nothing but their letters are shown in the picture.
    letters = all(one.strip("() .") == chr(65 + i) for i, one in enumerate(problem.choices))
    if letters or options_in_question:
        return None
    others = replace(problem, choices=(_OTHER,) * len(problem.choices))
    alone = prompt.model_copy(update={"system": None, "instruction": None})
    if not (depends(others) or _has_words(_words(problem, alone, images), problem.choices)):
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
    shown = bool(problem.choices) and "choices" in prompt.user
    return shown and _has_words(_squeezed(problem.question), problem.choices)


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


def _has_words(text: str, words: tuple[str, ...]) -> bool:
    """Whether all of these stand in a squeezed text, each as words of their own."""
    return all(re.search(rf"(?<!\w){re.escape(_squeezed(one))}(?!\w)", text) for one in words)


def _words(problem: Problem, prompt: PromptConfig, images: ImagesConfig) -> str:
    said: list[str] = []
    for turn in messages(problem, prompt, images):
        content = turn["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        said += [part.get("text", "") for part in parts]
    return _squeezed(" ".join(said))


def _squeezed(text: str) -> str:
    return " ".join(text.split())

"""Whether a benchmark's problems can be put to a model, before anything is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vlm_boundary.benchmarks.checking import (
    left_out,
    mark_without_picture,
    marks_without_a_rule,
    shown_twice,
)
from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.filters import Filter
from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import first_records
from vlm_boundary.counted import counted
from vlm_boundary.records.manifest import FilterStep

# So many records show the columns and the pictures of a data set.
LOOKED_AT = 8


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

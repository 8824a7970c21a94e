"""From a benchmark's YAML to its problems: records read, filters applied, pictures kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.filters import Filter
from vlm_boundary.benchmarks.images import PictureError, store_picture
from vlm_boundary.benchmarks.origin import Origin
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import iter_records
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import FilterStep
from vlm_boundary.records.problem import Problem
from vlm_boundary.store.fingerprint import Stamp, stamp


@dataclass(frozen=True)
class LoadedBenchmark:
    """A benchmark's problems after its filters, in the data set's order."""

    problems: tuple[Problem, ...]
    filter_log: tuple[FilterStep, ...]
    origin: Origin


class Scan:
    """One pass over a benchmark: the problems that its filters leave, pictures not yet opened.

    Iterate over it once, to the end; then `filter_log` has the counts. One record at a time is in
    memory, so what a benchmark weighs in pictures does not matter.

    Raises:
        UserError: while iterating: the data set cannot be read, a column does not exist, two
            problems share an id, or the filters leave nothing.
    """

    def __init__(self, config: BenchmarkConfig) -> None:
        self._config = config
        self.filter_log: tuple[FilterStep, ...] = ()
        self.records = 0

    def __iter__(self) -> Iterator[Candidate]:
        config = self._config
        reader = RecordReader(config)
        filters = [Filter(step, config, reader) for step in config.filters]
        ids: set[str] = set()
        for row, record in enumerate(iter_records(config)):
            self.records += 1
            candidate = reader.read(record, row)
            if not all(step.keeps(candidate) for step in filters):
                continue
            problem_id = candidate.problem.problem_id
            if problem_id in ids:
                raise UserError(_same_id(config, problem_id))
            ids.add(problem_id)
            yield candidate
        self.filter_log = tuple(step.done() for step in filters)
        if not ids:
            raise UserError(_nothing_left(config, self.records, self.filter_log))


def load_problems(
    config: BenchmarkConfig,
    image_folder: Path,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> LoadedBenchmark:
    """Read a benchmark, keeping its pictures by content in `image_folder`.

    A record whose picture cannot be used becomes a problem with `error` set.

    Raises:
        UserError: see `Scan`.
    """
    image_folder.mkdir(parents=True, exist_ok=True)
    problems: list[Problem] = []
    origin = Origin.of(config)
    pictures: dict[str, Stamp] = {}
    scan = Scan(config)
    for candidate in scan:
        for file in (picture.file() for picture in candidate.pictures):
            if file is not None:
                pictures[str(file)] = stamp(file)
        problems.append(with_pictures(candidate, image_folder))
        progress(len(problems))
    return LoadedBenchmark(tuple(problems), scan.filter_log, replace(origin, pictures=pictures))


def with_pictures(candidate: Candidate, folder: Path) -> Problem:
    """The problem with its pictures kept in a folder, or with the reason why it has none."""
    problem = candidate.problem
    try:
        names = tuple(store_picture(picture.read(), folder) for picture in candidate.pictures)
    except PictureError as error:
        return replace(problem, error=problem.error or str(error))
    return replace(problem, pictures=names)


def _same_id(config: BenchmarkConfig, problem_id: str) -> str:
    if config.fields.problem_id is None:
        return (
            f"benchmark {config.name!r}: two records are the same in question, choices, answer "
            f"and pictures (hash {problem_id}); add the filter 'duplicates: drop' or name a "
            f"fields.problem_id"
        )
    return (
        f"benchmark {config.name!r}: two records have the id {problem_id!r} "
        f"(fields.problem_id is {config.fields.problem_id!r})"
    )


def _nothing_left(config: BenchmarkConfig, records: int, log: tuple[FilterStep, ...]) -> str:
    counts = "".join(f", {step.after} after {step.step}" for step in log)
    return f"benchmark {config.name!r}: no problem is left: {records} records{counts}"

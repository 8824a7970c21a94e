"""From a benchmark's YAML to its problems: records read, filters applied, pictures kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.filters import Filter
from vlm_boundary.benchmarks.images import PictureError, store_picture
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import data_paths, dataset_commit, iter_records
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
            log = "".join(f", {step.after} after {step.step}" for step in self.filter_log)
            counts = f"{self.records} records{log}"
            raise UserError(f"benchmark {config.name!r}: no problem is left: {counts}")


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


@dataclass(frozen=True)
class Origin:
    """The files behind a benchmark's problems by path, and the commit of a hub's data set.

    Attributes:
        data: the records' files; none where they come from the hub or are drawn.
        pictures: the files that records name.
        commit: None where it is not known, as without a network.
    """

    data: Mapping[str, Stamp]
    pictures: Mapping[str, Stamp] = field(default_factory=dict)
    commit: str | None = None

    @classmethod
    def of(cls, config: BenchmarkConfig) -> Origin:
        """What would be read now, except pictures, which only the records name."""
        paths = data_paths(config)
        files = {str(file): stamp(file) for path in paths for file in _files(path.resolve())}
        asked = config.dataset_path is not None and not paths
        return cls(files, commit=dataset_commit(config) if asked else None)

    @classmethod
    def from_record(cls, record: Any) -> Origin:
        """What `record` gave, read from JSON; of anything else an origin that nothing has.

        So the records are read again, and their content is compared.
        """
        try:
            return TypeAdapter(cls).validate_python(record)
        except ValidationError:
            return cls({})

    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)

    def changes(self, config: BenchmarkConfig) -> list[str]:
        """What is another one now, named; nothing where the records are gone, or not in reach."""
        now = Origin.of(config)
        if now.commit and now.commit != self.commit:
            return [f"{config.dataset_path} at {now.commit[:12]}"]
        if not now.data:
            return []
        pictures = {name: stamp(Path(name)) for name in self.pictures}
        return [*_unlike(self.data, now.data), *_unlike(self.pictures, pictures)]


def _unlike(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)

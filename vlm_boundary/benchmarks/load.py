"""From a benchmark's YAML to its problems: records read, filters applied, pictures kept.

A filter keeps or drops problems and counts what it saw and what it kept. It is built once for a
pass over the records, since some of them remember what came before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.images import PictureError, store_picture
from vlm_boundary.benchmarks.schema import BenchmarkConfig, FilterConfig, GuessableConfig
from vlm_boundary.benchmarks.sources import data_paths, dataset_commit, iter_records
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import FilterStep
from vlm_boundary.records.problem import Problem
from vlm_boundary.store.fingerprint import Stamp, stamp

Keeps = Callable[[Candidate], bool]


class Filter:
    """One step of the chain.

    Raises:
        UserError: what the step refers to does not exist.
    """

    def __init__(self, step: FilterConfig, config: BenchmarkConfig, reader: RecordReader) -> None:
        self._step = step
        self._before = 0
        self._after = 0
        self._where = f"benchmark {config.name!r}: filters"
        self._seen: set[str] = set()
        self._keeps = self._rule(config, reader)

    def keeps(self, candidate: Candidate) -> bool:
        """Whether the problem goes on to the next step."""
        self._before += 1
        kept = self._keeps(candidate)
        self._after += kept
        return kept

    def done(self) -> FilterStep:
        """The counts, after the last record.

        Raises:
            UserError: an id that was asked for never came.
        """
        if self._step.ids is not None and (absent := set(self._step.ids) - self._seen):
            raise UserError(
                f"{self._where}.ids: no problem {min(absent)!r} among the {self._before} before "
                f"this step"
            )
        return FilterStep(_wording(self._step), self._before, self._after)

    def _rule(self, config: BenchmarkConfig, reader: RecordReader) -> Keeps:
        key, value = self._step.step

        def column(candidate: Candidate, name: str) -> Any:
            return reader.column(candidate.record, name, f"filters.{key}")

        def new(identity: str) -> bool:
            unseen = identity not in self._seen
            self._seen.add(identity)
            return unseen

        match key:
            case "multiple_choice":
                return lambda c: bool(c.problem.choices) == (value == "keep")
            case "answer_type":
                return lambda c: c.problem.answer_type in value
            case "keep":
                return lambda c: all(_is_one_of(column(c, name), value[name]) for name in value)
            case "drop":
                return lambda c: not any(_is_one_of(column(c, name), value[name]) for name in value)
            case "match":
                pattern = re.compile(value.pattern)
                return lambda c: (
                    (pattern.search(_as_text(column(c, value.field))) is not None) == value.keep
                )
            case "language":
                wanted = {name.casefold() for name in value}
                return lambda c: (c.language or "").casefold() in wanted
            case "missing_image":
                return lambda c: bool(c.pictures) and all(p.exists() for p in c.pictures)
            case "duplicates":
                return lambda c: new(c.content())
            case "guessable":
                return _not_guessable(value, config.name, self._where)
            case "first":
                return lambda c: self._after < value
            case "ids":
                return lambda c: c.problem.problem_id in value and new(c.problem.problem_id)
        raise AssertionError(key)  # the schema has no other key


def _not_guessable(config: GuessableConfig, benchmark: str, where: str) -> Keeps:
    """Appendix D.2 of Yue et al. 2025: out goes what is hit now and then without reasoning.

    What is never hit stays, and so does what is hit often, being easy rather than guessable.
    """
    from vlm_boundary.store import Partition, RunDirectory
    from vlm_boundary.store.wholeness import look, refuse_what_stops

    run = RunDirectory(Path(config.run).expanduser())
    partition = Partition(config.arm, config.benchmark or benchmark, "direct_answer")
    verdicts = run.verdicts.read(partition, ["correct", "text_hash"])
    if verdicts.num_rows == 0:
        raise UserError(
            f"{where}.guessable: {config.run} holds no verdicts on direct_answer samples of "
            f"{partition.benchmark!r} by arm {config.arm!r}; sample and verify them first"
        )
    refuse_what_stops(run, look(run))
    samples = run.samples.read(partition, ["text_hash"]).to_pylist()
    texts = {(row["problem_id"], row["sample_index"]): row["text_hash"] for row in samples}
    answered: dict[str, list[bool]] = {}
    for row in verdicts.to_pylist():
        # One of an older version says no hash of its text: there the key alone is compared.
        if texts.get((row["problem_id"], row["sample_index"]), "") in (None, row["text_hash"]):
            answered.setdefault(row["problem_id"], []).append(row["correct"] is True)
    if strange := verdicts.num_rows - sum(map(len, answered.values())):
        raise UserError(
            f"{where}.guessable: {strange:,} verdicts in {config.run} are on other texts than its "
            f"samples of arm {config.arm!r}; 'vlm-boundary verify {config.run}' first"
        )
    asked = {one.problem_id: one for one in run.read_problems(partition.benchmark)}

    def keeps(candidate: Candidate) -> bool:
        problem = candidate.problem
        right = answered.get(problem.problem_id)
        if right is None:
            raise UserError(
                f"{where}.guessable: {config.run} has no direct_answer verdict on problem "
                f"{problem.problem_id!r} by arm {config.arm!r}; sample it there first"
            )
        theirs = asked[problem.problem_id]
        if (theirs.question, theirs.answer) != (problem.question, problem.answer):
            raise UserError(
                f"{where}.guessable: problem {problem.problem_id!r} has another question or answer "
                f"in {config.run}; sample this one there first"
            )
        return not 0 < sum(right) / len(right) < config.below

    return keeps


def _is_one_of(value: Any, wanted: tuple[Any, ...]) -> bool:
    # CSV files hold nothing but text: 3 in the YAML is "3" there.
    return value in wanted or _as_text(value) in {_as_text(other) for other in wanted}


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _wording(step: FilterConfig) -> str:
    """The step as a reader of the log sees it, in a line."""
    key, value = step.step
    match key:
        case "keep" | "drop":
            said = "; ".join(f"{k} is {_one_of(v)}" for k, v in value.items())
        case "match":
            said = f"{value.field} ~ {value.pattern}" + ("" if value.keep else " (dropped)")
        case "guessable":
            said = f"answered directly by {value.arm} at a rate in (0, {value.below:g})"
        case "answer_type" | "language" | "ids":
            said = _one_of(value)
        case _:
            said = str(value)
    return f"{key}: {said}"


def _one_of(values: tuple[Any, ...]) -> str:
    shown = " or ".join(str(value) for value in values[:6])
    return shown if len(values) <= 6 else f"{shown} or {len(values) - 6} more"


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

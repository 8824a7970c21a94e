"""A run directory: everything one experiment has produced so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from vlm_boundary.errors import UserError
from vlm_boundary.mistakes import explain
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Grading, Problem
from vlm_boundary.store import schemas
from vlm_boundary.store.fingerprint import Stamp, stamp
from vlm_boundary.store.locks import RunLocks
from vlm_boundary.store.owner import DamagedPart, Owner, reading
from vlm_boundary.store.parts import Partition, PartTable, open_part
from vlm_boundary.store.samples import FailureTable
from vlm_boundary.store.schemas import misfit, under_schema
from vlm_boundary.writing import replacing

MANIFEST = "manifest.json"
# What statistics follow from.
_COUNTED = ("samples", "verdicts", "validity", "statements", "scores", "judgements")


class RunDirectory:
    """Paths and tables of a run; nothing is created before something is written.

    Args:
        published: called with each file of samples, failures or writers once it is there.
        labels: folder of what people say of samples, where it is not the run's own.

    Attributes:
        images: folder of the pictures, by content.
        analysis: the statistics, as JSON.
        analysed: what the statistics are of, as the hash that `held` makes; beside them, not
            in them, as runs with the same samples have the same statistics, to the byte.
        tables: folder of the statistics as tables.
        report: folder of figures, tables and the page.
        page: the report's page.
        logs: folder of what engines printed.
        prefixes: beginnings of wrong samples, by the sample; a benchmark's problem has one at most.
    """

    def __init__(
        self,
        path: Path,
        published: Callable[[Path], None] | None = None,
        labels: Path | None = None,
    ) -> None:
        self.path = path
        self.labels = labels or path / "labels"
        self.images, self.logs, self.tables = path / "images", path / "logs", path / "tables"
        self.analysis, self.analysed = path / "analysis.json", path / "analysis.of"
        self.report = path / "report"
        self.page = self.report / "index.html"
        self._published = published
        self._manifest: tuple[Stamp, Manifest] = (None, Manifest())
        self.samples = self.table("samples", schemas.SAMPLES, published)
        failures = self.table("failures", schemas.FAILURES, published)
        self.failures = FailureTable(failures, self.samples)
        self.locks = RunLocks(path / ".locks")
        self.verdicts = self.table("verdicts", schemas.VERDICTS)
        self.opinions = self.table("opinions", schemas.OPINIONS)
        self.statements = self.table("statements", schemas.STATEMENTS)
        self.prefixes = self.table("prefixes", schemas.PREFIXES)

    def table(
        self, folder: str, schema: pa.Schema, published: Callable[[Path], None] | None = None
    ) -> PartTable:
        """The table in a folder of the run, whose parts say that they are this run's."""
        owner = partial(self._owner, folder)
        return PartTable(self.path / folder, schema, published, owner)

    def _owner(self, table: str, partition: Partition) -> Owner:
        """Whose a part is; `_manifest` keeps what was read, for this is asked for every part."""
        now = stamp(self.path / MANIFEST)
        if now != self._manifest[0]:
            self._manifest = now, self.read_manifest()
        arm, benchmark, condition = astuple(partition)
        identity = self._manifest[1].identity_of(arm, benchmark, condition)
        return Owner(table, arm, benchmark, condition, identity)

    def scores(self, under: str) -> PartTable:
        """How likely the arm `under` finds samples; partitions are those of the samples."""
        return self.table(f"scores/scored_by={under}", schemas.SCORES)

    def score_failures(self, under: str) -> FailureTable:
        """The samples that could not be scored, and why."""
        table = self.table(f"score_failures/scored_by={under}", schemas.FAILURES)
        return FailureTable(table, self.scores(under))

    def scorers(self) -> list[str]:
        """The arms that have scored something, sorted."""
        return self._tables_in("scores")

    def validity(self, layer: str) -> PartTable:
        """Whether samples' reasoning is valid, by one layer; partitions are those of the samples.

        The deterministic layers are "structure" and "arithmetic", the exact truth of generated
        problems is "procedural"; a judge's layer has the name that the experiment gives it.
        """
        return self.table(f"validity/layer={layer}", schemas.VALIDITY)

    def validity_layers(self) -> list[str]:
        """The layers that have checked something, sorted."""
        return self._tables_in("validity")

    def _tables_in(self, folder: str) -> list[str]:
        found = {path.parents[3] for path in self.path.glob(f"{folder}/*/*/*/*/part-*.parquet")}
        return sorted(table.name.partition("=")[2] for table in found)

    def judgements(self, judge: str, variant: str) -> PartTable:
        """What a judge said of samples' reasoning, as written or in a spoilt variant."""
        return self.table(f"judgements/{_judging(judge, variant)}", schemas.JUDGEMENTS)

    def judge_failures(self, judge: str, variant: str) -> FailureTable:
        """The samples that could not be judged, and why."""
        table = self.table(f"judge_failures/{_judging(judge, variant)}", schemas.FAILURES)
        return FailureTable(table, self.judgements(judge, variant))

    def writers(self) -> list[Path]:
        """What engine processes recorded of themselves, sorted by name."""
        return sorted(self.path.glob("writers/*.json"))

    def add_writer(self, name: str, content: Any) -> None:
        """Keep what an engine process says of itself, under a name that no other one takes."""
        path = self.path / "writers" / f"{name}.json"
        write_json(path, content)
        if self._published:
            self._published(path)

    @property
    def begun(self) -> bool:
        """Whether there is a manifest, which the first stage writes."""
        return (self.path / MANIFEST).is_file()

    def read_manifest(self) -> Manifest:
        """The manifest; empty before the first stage.

        Raises:
            UserError: the file is not one.
        """
        path = self.path / MANIFEST
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return Manifest()
        except ValidationError as error:
            raise UserError(
                f"{path}: not a manifest ({explain(Manifest, error)}); was it edited?"
            ) from None

    def existing_manifest(self) -> Manifest:
        """The manifest of a run that was begun.

        Raises:
            UserError: the folder is none.
        """
        found = self.read_manifest()
        if not found.experiment:
            what = f"its {MANIFEST} names no experiment" if self.begun else f"it has no {MANIFEST}"
            raise UserError(f"{self.path}: not a run directory ({what})")
        return found

    def thinking_open(self, arm: str) -> bool | None:
        """Whether an arm's prompts end inside a thought; None where that is not known.

        Runs older than the fact do not say it until their arm is sampled again.
        """
        found = self.read_manifest().arms.get(arm)
        return found.thinking_open if found else None

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest as a whole; one that says the same is left as it is."""
        content = manifest.as_json()
        if not self.begun or content != self.read_manifest().as_json():
            write_json(self.path / MANIFEST, content)

    def write_problems(self, benchmark: str, problems: tuple[Problem, ...]) -> None:
        """Keep a benchmark's problems as the run's own copy."""
        rows = []
        for problem in problems:
            row = asdict(problem)
            del row["benchmark"], row["prefix"]
            row["metadata"] = json.dumps(problem.metadata, ensure_ascii=False, default=str)
            rows.append(row)
        path = self.problems_path(benchmark)
        content = pa.Table.from_pylist(rows, schema=schemas.PROBLEMS)
        with replacing(path) as temporary, temporary.open("wb") as file:
            pq.write_table(content, file, write_page_checksum=True)

    def read_origin(self, benchmark: str) -> Any:
        """What the benchmark's problems were read from; None where that was not recorded."""
        try:
            return json.loads(self.origin_path(benchmark).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            return None  # then the data are read again, and their content is compared

    def write_origin(self, benchmark: str, content: dict[str, Any]) -> None:
        """Record what the benchmark's problems were read from."""
        write_json(self.origin_path(benchmark), content)

    def problem_ids(self, benchmark: str) -> list[str]:
        """The ids of a benchmark's problems, in the data set's order; errors as `read_problems`."""
        return self._read_problems(benchmark, ["problem_id"])["problem_id"].to_pylist()  # type: ignore[no-any-return]

    def has_problems(self, benchmark: str) -> bool:
        """Whether the benchmark has been loaded into this run."""
        return self.problems_path(benchmark).is_file()

    def read_problems(self, benchmark: str) -> list[Problem]:
        """A benchmark's problems, in the data set's order.

        Raises:
            UserError: the run has none of that name.
            DamagedPart: the file cannot be read.
        """
        rows = self._read_problems(benchmark).to_pylist()
        try:
            return [_problem(benchmark, row) for row in rows]
        except (TypeError, ValueError) as error:  # a null, or other JSON than we write
            path = self.problems_path(benchmark)
            raise DamagedPart(path, f"a row of it is no problem: {error}") from None

    def _read_problems(self, benchmark: str, columns: list[str] | None = None) -> pa.Table:
        path = self.problems_path(benchmark)
        try:
            # Not by read_table, which imports data sets and with them pandas: a second.
            with reading(path), open_part(path) as file:
                found = file.read()
                found.validate(full=True)  # its texts are UTF-8
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(
                f"{path}: the run's problems are missing; 'vlm-boundary sample' on the experiment "
                f"reads them again"
            ) from None
        if why := misfit(found.schema.remove_metadata(), schemas.PROBLEMS):
            raise DamagedPart(path, why)
        return under_schema(found, schemas.PROBLEMS).select(columns or schemas.PROBLEMS.names)

    def origin_path(self, benchmark: str) -> Path:
        """The file that says what a benchmark's problems were read from."""
        return self.path / "origins" / f"{benchmark}.json"

    def problems_path(self, benchmark: str) -> Path:
        """The file of a benchmark's problems."""
        return self.path / "problems" / f"{benchmark}.parquet"


def _problem(benchmark: str, row: dict[str, Any]) -> Problem:
    """A problem as its row has it; what cannot be one is a TypeError or a ValueError."""
    row["metadata"] = json.loads(row["metadata"])
    row["pictures"] = tuple(row["pictures"])
    row["choices"] = tuple(row["choices"])
    grading = row["grading"]
    row["grading"] = Grading(**grading | {"alternatives": tuple(grading["alternatives"])})
    return Problem(benchmark=benchmark, **row)


def _judging(judge: str, variant: str) -> str:
    return f"judge={judge}/variant={variant}"


def read_writer(path: Path) -> dict[str, Any] | None:
    """What an engine process recorded of itself; None where the file is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, FileNotFoundError, IsADirectoryError):
        return None
    return found if isinstance(found, dict) and {"arms", "work"} <= found.keys() else None


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, whole or not at all; NaN is refused."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def held(run: RunDirectory) -> str:
    """A hash of what statistics follow from: tables' parts, problems and labels.

    Parts count by their names, which are their content's, so that a copy of a run, wherever it
    lies, holds the same.
    """
    known = hashlib.blake2b(digest_size=16)
    for table in _COUNTED:
        for path in sorted((run.path / table).rglob("part-*.parquet")):
            known.update(f"{path.relative_to(run.path).as_posix()}\0".encode())
    for name, benchmark in sorted(run.read_manifest().benchmarks.items()):
        known.update(f"{name}\0{benchmark.content}\0{benchmark.grading}\0".encode())
    for path in sorted(run.labels.glob("*.jsonl")):
        known.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return known.hexdigest()

"""Whether a run directory is whole: what of it is damaged, missing, or not its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Literal

import pyarrow as pa

from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem, dataset_hash, grading_hash
from vlm_boundary.store import schemas
from vlm_boundary.store.fingerprint import short_hash
from vlm_boundary.store.keys import KEY
from vlm_boundary.store.layout import LOCKS, NEEDED, not_folders, strays
from vlm_boundary.store.owner import (
    CHANGED,
    DamagedPart,
    as_named,
    footer_of,
    mended_by,
    place_of,
    reading,
)
from vlm_boundary.store.parts import Partition, PartTable, open_part
from vlm_boundary.store.run import MANIFEST, RunDirectory, read_writer
from vlm_boundary.store.schemas import loose_columns, no_value

Kind = Literal["drawn", "derived", "failures"]
_TABLES: tuple[tuple[str, Kind, pa.Schema], ...] = (
    ("samples", "drawn", schemas.SAMPLES),
    ("prefixes", "drawn", schemas.PREFIXES),
    ("scores/scored_by=*", "drawn", schemas.SCORES),
    ("judgements/judge=*/variant=*", "drawn", schemas.JUDGEMENTS),
    ("failures", "failures", schemas.FAILURES),
    ("score_failures/scored_by=*", "failures", schemas.FAILURES),
    ("judge_failures/judge=*/variant=*", "failures", schemas.FAILURES),
    ("verdicts", "derived", schemas.VERDICTS),
    ("opinions", "derived", schemas.OPINIONS),
    ("validity/layer=*", "derived", schemas.VALIDITY),
    ("statements", "derived", schemas.STATEMENTS),
)
_FOLDERS = [pattern for pattern, _, _ in _TABLES]
Repair = Literal["none", "set aside", "set aside by word", "read again", "remove"]


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be.

    Attributes:
        path: the file.
        what: what is wrong with it.
        then: what a repair does, or, where there is none, what follows.
        repair: how it is repaired; what took an engine to draw is only moved by the user's word.
        stops: no stage can go on as long as it is so.
        by_stage: the stage that made it makes it again without a repair.
        benchmark: whose problems or pictures it is, of those to be read again.
    """

    path: Path
    what: str
    then: str
    repair: Repair = "none"
    stops: bool = False
    by_stage: bool = False
    benchmark: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.then}"


def look(run: RunDirectory) -> list[Fault]:
    """What footers and sizes tell: cheap enough for the start of every stage.

    Raises:
        UserError: there is no run, or its manifest cannot be read.
    """
    manifest = run.existing_manifest()
    return [
        *_places(run, manifest),
        *_unknown(run, manifest),
        *_problems(run, manifest),
        *_parts(run),
        *_records(run),
    ]


def look_closely(run: RunDirectory) -> list[Fault]:
    """What reading every file tells besides.

    Raises:
        UserError: as `look`.
    """
    found = look(run)
    bad = {fault.path for fault in found}
    for name in run.read_manifest().benchmarks:
        with suppress(UserError):  # said where problems are looked at
            pictures = _pictures(run, name, run.read_problems(name), by_content=True)
            found += [one for one in pictures if one.path not in bad]
    for table, kind in tables_of(run):
        for partition in table.folders():
            for path in table.files(partition).ours:
                found += _rows(run, table, kind, partition, path)
    return [*found, *_leftovers(run)]


def tables_of(run: RunDirectory) -> Iterator[tuple[PartTable, Kind]]:
    """Every table that a run has a folder of."""
    for pattern, kind, schema in _TABLES:
        for root in sorted(run.path.glob(pattern)):
            if root.is_dir():
                yield run.table(root.relative_to(run.path).as_posix(), schema), kind


def _places(run: RunDirectory, manifest: Manifest) -> Iterator[Fault]:
    """What stands where a folder or a file belongs, and is none."""
    for path in not_folders(run.path, _FOLDERS):
        what = "not a folder, which is what belongs there"
        if path.name in NEEDED:
            then = "move it away: nothing can be mended before that"
            yield Fault(path, what, then, stops=path.name == LOCKS)
        else:
            yield Fault(path, what, "--repair sets it aside", "set aside", True)
    for path in (run.analysis, run.analysed, *map(run.origin_path, manifest.benchmarks)):
        if path.is_dir():
            what = "a folder where a file belongs"
            yield Fault(path, what, "--repair sets it aside", "set aside", True)


def _unknown(run: RunDirectory, manifest: Manifest) -> Iterator[Fault]:
    """What the manifest says nothing of, though there are samples of it."""
    sampled = run.samples.partitions()
    for name in sorted({one.benchmark for one in sampled} - manifest.benchmarks.keys()):
        what = f"it says nothing of benchmark {name!r}, of which there are samples"
        yield Fault(run.path / MANIFEST, what, "restore what was edited", stops=True)
    for name in sorted({one.arm for one in sampled} - manifest.arms.keys()):
        what = f"it says nothing of arm {name!r}, of which there are samples"
        then = "they are not held against what they were drawn from; restore what was edited"
        yield Fault(run.path / MANIFEST, what, then)


def _problems(run: RunDirectory, manifest: Manifest) -> Iterator[Fault]:
    for name, known in manifest.benchmarks.items():
        path = run.problems_path(name)
        again = "'vlm-boundary sample' on the experiment then reads the problems again"
        try:
            problems = run.read_problems(name)
        except DamagedPart as damaged:
            then = f"--repair sets it aside; {again}"
            yield Fault(path, f"damaged ({damaged.why})", then, "read again", True, benchmark=name)
            continue
        except UserError:
            yield Fault(path, "missing", again, benchmark=name)
            continue
        if (known.content and dataset_hash(problems) != known.content) or (
            known.grading
            and (len(problems), grading_hash(problems)) != (known.problems, known.grading)
        ):
            what = "these are not the problems that the run was begun with"
            then = f"--repair sets them aside; {again}"
            yield Fault(path, what, then, "read again", True, benchmark=name)
        yield from _pictures(run, name, problems, by_content=False)


def _pictures(
    run: RunDirectory, benchmark: str, problems: Iterable[Problem], *, by_content: bool
) -> Iterator[Fault]:
    """Pictures that are missing or empty or, by content, other ones than their names say."""
    for picture in dict.fromkeys(p for problem in problems for p in problem.pictures):
        path = run.images / picture
        again = "'vlm-boundary sample' on the experiment then stores it again"
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            yield Fault(path, "missing", again)
            continue
        if what := _wrong_picture(path, found, by_content):
            then = f"--repair takes it out; {again}"
            yield Fault(path, what, then, "read again", True, benchmark=benchmark)


def _wrong_picture(path: Path, found: os.stat_result, by_content: bool) -> str | None:
    if not S_ISREG(found.st_mode):
        return "not a file"
    if found.st_size == 0:
        return "empty"
    if not by_content:
        return None
    with path.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == path.stem
    return None if same else "damaged (its content is not what its name says)"


def _parts(run: RunDirectory) -> Iterator[Fault]:
    older: list[Path] = []
    unsaid: list[Path] = []
    for table, kind in tables_of(run):
        for partition in table.folders():
            files = table.files(partition)
            # Derived tables are small; the others are read by `look_closely`.
            unfit = table.unfit(partition) if kind == "derived" else files.damaged
            yield from (_damaged(kind, one.path, one.why) for one in unfit)
            for path, why in files.foreign.items():
                then = "it is left out; --repair sets it aside"
                yield Fault(path, f"not of this place: {why}", then, "set aside")
            if table.schema is schemas.SAMPLES:
                older += [path for path in files.ours if not footer_of(path).hashed]
            if kind == "derived":
                unsaid += [path for path in files.ours if footer_of(path).owner is None]
    if older:
        what = (
            f"{counted(len(older), 'part')} of an older version, which says no hashes of its texts"
        )
        yield Fault(run.samples.root, what, "verdicts are held against their keys alone")
    if unsaid:
        yield Fault(
            run.path,
            f"parts of verdicts or checks ({len(unsaid):,}) do not say whose they are: an older "
            f"version, or another program, wrote them",
            "they are read; 'vlm-boundary verify --force' (or check, judge) makes them again",
        )


def _damaged(kind: Kind, path: Path, why: str) -> Fault:
    what = f"damaged ({why})"
    if kind == "derived":
        then = "--repair, or the stage that made it, sets it aside, and that stage makes it again"
        return Fault(path, what, then, "set aside", True, by_stage=True)
    if kind == "failures":
        then = "--repair sets it aside; what cannot be drawn is found out again"
        return Fault(path, what, then, "set aside", True)
    then = (
        "--set-aside keeps the rows that can be read and sets the file aside; the rest is drawn "
        "again by the stage that drew it"
    )
    return Fault(path, what, then, "set aside by word", True)


def _records(run: RunDirectory) -> Iterator[Fault]:
    for path in run.writers():
        if read_writer(path) is None:
            then = "the report does not say what this engine was; --repair sets it aside"
            yield Fault(path, "damaged (it is no record of an engine)", then, "set aside")


def _rows(
    run: RunDirectory, table: PartTable, kind: Kind, partition: Partition, path: Path
) -> Iterator[Fault]:
    """What reading all of a part tells."""
    changed = strange = 0
    try:
        known = set(run.problem_ids(partition.benchmark))
    except UserError:
        known = set()  # said where problems are looked at
    columns = [name for name in ("text", "finish_reason", "text_hash") if kind == "drawn"]
    try:
        with reading(path), open_part(path) as file:
            columns = [name for name in columns if name in file.schema_arrow.names]
            loose = set(loose_columns(file.schema_arrow, table.schema))
            for group in range(file.num_row_groups):
                whole = file.read_row_group(group)
                if empty := next((name for name in loose if whole[name].null_count), None):
                    raise DamagedPart(path, no_value(empty))
                rows = file.read_row_group(group, columns=[KEY[0], *columns])
                if known:
                    strange += sum(key not in known for key in rows[KEY[0]].to_pylist())
                if table.schema is schemas.SAMPLES and len(columns) == 3:
                    changed += sum(not fits for fits in fitting_texts(rows))
    except DamagedPart as damaged:
        yield _damaged(kind, path, damaged.why)
        return
    if kind != "derived" and not as_named(path):
        yield _damaged(kind, path, CHANGED)
        return
    if changed:
        then = "--set-aside takes them out, keeps the rest, and they are drawn again"
        what = f"texts ({changed:,}) are not those that were stored"
        yield Fault(path, what, then, "set aside by word")
    if strange and kind == "drawn":
        what = f"{counted(strange, 'row')} of problems that {partition.benchmark!r} does not have"
        yield Fault(path, what, "they are left out")


def fitting_texts(rows: pa.Table) -> list[bool]:
    """Whether each sample's text is the one that its hash is of; one without a hash passes."""
    columns = (rows[name].to_pylist() for name in ("text", "finish_reason", "text_hash"))
    return [
        said is None or said == short_hash(text, why)
        for text, why, said in zip(*columns, strict=True)
    ]


def _leftovers(run: RunDirectory) -> Iterator[Fault]:
    for path in sorted(run.path.rglob(".*.tmp")):
        then = "--repair removes it, if nobody is writing"
        yield Fault(path, "left by a process that was killed", then, "remove")
    for path in strays(run.path, _FOLDERS):
        then = "it is never read; move it to where it belongs, or away"
        yield Fault(path, "not where a part is looked for", then)


def refuse_what_stops(run: RunDirectory, faults: list[Fault], but: Collection[str] = ()) -> None:
    """End where a stage cannot go on.

    Args:
        but: the folders that the stage does not look at, or mends itself.

    Raises:
        UserError: with the first such fault, and how many more there are.
    """
    stopping = [
        one for one in faults if one.stops and not (one.by_stage and place_of(one.path)[1] in but)
    ]
    if stopping:
        first, more = stopping[0], len(stopping) - 1
        others = f" ({more} more: see 'vlm-boundary fsck {run.path}')" if more else ""
        word = "--set-aside" if first.repair == "set aside by word" else "--repair"
        mend = f"'vlm-boundary fsck {run.path} {word}' mends it"
        if first.repair == "none":
            mend = first.then
        elif first.by_stage:
            mend = mended_by(first.path)
        raise UserError(f"{first.path}: {first.what}{others}; {mend}")

"""Tables of one partition while it grows: new parts are read once, problems found in few reads."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vlm_boundary.store import Partition, PartTable, each_once
from vlm_boundary.store.keys import KEY, WRITTEN
from vlm_boundary.store.owner import DamagedPart, reading
from vlm_boundary.store.parts import open_part
from vlm_boundary.store.schemas import under_schema

# Rows in memory at once. Arrow keeps what it once had: of four times as many, four times the texts.
_ROWS = 1 << 12

Places = NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    """Some rows of a part, and the row group of each."""

    path: Path
    groups: NDArray[np.int64]
    rows: pa.RecordBatch


class FollowedTable:
    """One table of one partition.

    Args:
        places: the row of each problem, by its id.
    """

    def __init__(self, table: PartTable, partition: Partition, places: Mapping[str, int]) -> None:
        self.table = table
        self._partition = partition
        self.places = places
        # Which problems stand in which row group of a part, a bit per problem, up to the last group
        # in which any does. Footers are read anew (milliseconds): decoded, they take several times
        # what is kept of the samples.
        self._parts: dict[Path, list[int]] = {}
        self._there: set[Path] = set()
        self.unreadable: list[Path] = []

    def look(self) -> bool:
        """Look at which parts there are now; True where some came or went since they were read."""
        found = self.table.files(self._partition)
        self._there = {*found.ours, *(damaged.path for damaged in found.damaged)}
        return bool(self.came or self.went)

    @property
    def came(self) -> set[Path]:
        """The parts that were there at the last look, and are not read yet."""
        return self._there - self._parts.keys() - {*self.unreadable}

    @property
    def went(self) -> set[Path]:
        """The parts that were read, and were not there at the last look."""
        return {*self._parts, *self.unreadable} - self._there

    def forget(self) -> None:
        """Know nothing again."""
        self._parts.clear()
        self.unreadable.clear()

    def read_new(self, columns: list[str]) -> Iterator[tuple[Places, pa.RecordBatch]]:
        """Rows of the parts that came, a bounded number in memory, with their problems' places.

        A place of -1 is a problem that the run does not know. A part that cannot be read is left
        out and listed in `unreadable`.
        """
        waiting: list[_Piece] = []  # parts are small while a run grows: numpy is asked once of many
        for path in sorted(self.came):
            self._parts[path] = []  # only here: a search may still read what was forgotten
            try:
                for piece in self._pieces(path, columns):
                    waiting.append(piece)
                    if sum(one.rows.num_rows for one in waiting) >= _ROWS:
                        yield self._placed(waiting)
                        waiting = []
            except (FileNotFoundError, DamagedPart, OSError) as error:
                waiting = [one for one in waiting if one.path != path]
                del self._parts[path]
                if not isinstance(error, FileNotFoundError):  # it was compacted away meanwhile
                    self.unreadable.append(path)
        if waiting:
            yield self._placed(waiting)

    def read_known(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Rows of the parts that are known, duplicates included; at most so many in memory."""
        for path in sorted(self._parts):
            try:
                for piece in self._pieces(path, columns):
                    yield piece.rows
            except FileNotFoundError:
                continue  # compacted away: what is found then is found elsewhere

    def read_each_once(self, columns: list[str]) -> Iterator[tuple[Places, pa.RecordBatch]]:
        """Like `read_new`, of a table of which nothing is known yet, but only the rows that count.

        A stage leaves one part, in which no key is twice; several are read problem by problem.
        """
        if len(self.came) < 2:
            yield from self.read_new(columns)
            return
        for _ in self.read_new([]):
            pass  # where problems stand is known then
        for problem_id, place in self.places.items():
            for batch in self.rows_of(problem_id, columns).to_batches():
                yield np.full(batch.num_rows, place), batch

    def rows_of(self, problem_id: str, columns: list[str]) -> pa.Table:
        """The rows of one problem that count, by sample index; the key's columns come along."""
        schema = self.table.schema
        deciding = (*KEY, *({WRITTEN} & set(schema.names)))
        names = list(dict.fromkeys([*deciding, *columns]))
        wanted_schema = pa.schema([schema.field(name) for name in names])
        wanted = 1 << self.places[problem_id]
        found = [wanted_schema.empty_table()]
        for path, masks in sorted(self._parts.items()):
            groups = [number for number, mask in enumerate(masks) if mask & wanted]
            if not groups:
                continue
            try:
                with reading(path), open_part(path) as file:
                    there = [name for name in names if name in file.schema_arrow.names]
                    # Few rows: threads would only hold more columns in memory at once.
                    rows = file.read_row_groups(groups, there, use_threads=False)
            except FileNotFoundError:
                continue  # compacted away: the next refresh finds the rows elsewhere
            rows = rows.filter(pc.equal(rows["problem_id"], problem_id))
            found.append(under_schema(rows, wanted_schema))
        return each_once(pa.concat_tables(found))

    def places_of(self, rows: pa.RecordBatch) -> Places:
        """The place of each row's problem, -1 for one that the run does not know."""
        ids = rows["problem_id"].dictionary_encode()
        names = ids.dictionary.to_pylist()
        known = np.array([self.places.get(name, -1) for name in names], dtype=np.int64)
        places: Places = known[ids.indices.to_numpy()]
        return places

    def _pieces(self, path: Path, columns: list[str]) -> Iterator[_Piece]:
        """A part's rows under the table's schema; the problem's id comes along."""
        schema = pa.schema(
            [self.table.schema.field(name) for name in dict.fromkeys(["problem_id", *columns])]
        )
        with reading(path), open_part(path, pre_buffer=False) as file:
            written = {*file.schema_arrow.names}
            names = [name for name in schema.names if name in written]
            footer = file.metadata
            for groups in _groups(footer):
                numbers = np.repeat(groups, [footer.row_group(g).num_rows for g in groups])
                row = 0
                for batch in file.iter_batches(_ROWS, groups, names, use_threads=False):
                    end = row + batch.num_rows
                    yield _Piece(path, numbers[row:end], _under(batch, schema))
                    row = end

    def _placed(self, pieces: list[_Piece]) -> tuple[Places, pa.RecordBatch]:
        """Pieces as one, its rows' problems looked up, and noted where they stand."""
        (rows,) = pa.Table.from_batches([one.rows for one in pieces]).combine_chunks().to_batches()
        places = self.places_of(rows)
        groups = np.concatenate([one.groups for one in pieces])
        piece = np.repeat(np.arange(len(pieces)), [one.rows.num_rows for one in pieces])
        shape = (len(pieces), int(groups.max()) + 1, len(self.places))
        here = places >= 0
        spots = np.ravel_multi_index((piece[here], groups[here], places[here]), shape)
        for spot in zip(*np.unravel_index(np.unique(spots), shape), strict=True):
            number, group, place = map(int, spot)
            masks = self._parts[pieces[number].path]
            masks.extend([0] * (group + 1 - len(masks)))
            masks[group] |= 1 << place
        return places, rows


def give_back() -> None:
    """Hand what reading has freed back to the system: what passes through is far more than is kept.

    pyarrow's footers are circles, which wait for Python's collector, and neither Arrow nor the C
    library gives memory back by itself.
    """
    gc.collect(1)  # what was just read; all else would take a tenth of a second
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU library has it
    if trim is not None:
        trim(0)


def _groups(footer: pq.FileMetaData) -> Iterator[list[int]]:
    """A part's row groups, as many at once as are a piece: opened, each takes memory."""
    together: list[int] = []
    rows = 0
    for group in range(footer.num_row_groups):
        count = footer.row_group(group).num_rows
        if together and rows + count > _ROWS:
            yield together
            together, rows = [], 0
        together.append(group)
        rows += count
    if together:
        yield together


def _under(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a table's schema has them: a part older than a column holds nulls there."""
    if rows.schema.equals(schema):
        return rows
    (found,) = under_schema(pa.Table.from_batches([rows]), schema).combine_chunks().to_batches()
    return found


@dataclass(frozen=True)
class Measures:
    """Of each problem of one arm, nan where it is not known; arrays of shape (problems,)."""

    tokens: NDArray[np.float64]
    """Mean length of a sample."""
    logprob: NDArray[np.float64]
    """Mean log-probability a token."""
    disagreement: NDArray[np.float64]
    """Share of the graded samples that do not give the most frequent answer."""


def measured(samples: FollowedTable, verdicts: FollowedTable) -> Measures:
    """The measures of a partition as its tables stand now."""
    count = len(samples.places) + 1  # what the run does not know has place -1, and is counted last
    tokens, drawn = np.zeros(count), np.zeros(count)
    logprobs, known = np.zeros(count), np.zeros(count)
    answers, most = np.zeros(count), np.zeros(count)
    for batch in samples.read_known(["problem_id", "tokens", "logprob_sum"]):
        rows = batch.filter(pc.is_valid(batch["tokens"]))
        at = samples.places_of(rows)
        np.add.at(drawn, at, 1)
        np.add.at(tokens, at, rows["tokens"].to_numpy())
        rows = rows.filter(pc.is_valid(rows["logprob_sum"]))
        at = samples.places_of(rows)
        np.add.at(known, at, rows["tokens"].to_numpy())
        np.add.at(logprobs, at, rows["logprob_sum"].to_numpy())
    said = [
        pa.table(
            {
                "place": verdicts.places_of(batch),
                "answer": pc.coalesce(batch["normalised"], batch["extracted"]),
            }
        )
        for batch in verdicts.read_known(["problem_id", "normalised", "extracted"])
    ]
    if said:
        counted = (
            pa.concat_tables(said).group_by(["place", "answer"]).aggregate([([], "count_all")])
        )
        at, times = counted["place"].to_numpy(), counted["count_all"].to_numpy()
        np.add.at(answers, at, times)
        np.maximum.at(most, at, times)
    return Measures(
        (tokens / np.where(drawn, drawn, np.nan))[:-1],
        (logprobs / np.where(known, known, np.nan))[:-1],
        (1 - most / np.where(answers, answers, np.nan))[:-1],
    )

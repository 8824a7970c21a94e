"""A run as the demo reads it: a byte a sample in memory, everything else from disk when asked."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.config import FULL
from vlm_boundary.demo.codes import Bit, Codes, Which, has
from vlm_boundary.demo.drawn import CHECKED, RESPONSE, RULES, VERDICT, ProblemSamples
from vlm_boundary.demo.followed import FollowedTable, Measures, Places, give_back, measured
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory, schemas

if TYPE_CHECKING:
    from vlm_boundary.demo.reported import Reported
    from vlm_boundary.report.behind import ProblemSet

MAX_INDEX = 1 << 16
"""Samples of higher index are counted but not shown: a byte is kept for each below."""
_PROBLEMS_KEPT = 12  # problems (of one arm each) whose texts stay in memory
_TEXT_BYTES_KEPT = 64 << 20
_REFRESH_SECONDS = 4.0


_Cells = tuple[Places, Places, Which]


class PartitionIndex:
    """One arm on one benchmark under one condition.

    `codes` has a row a problem (in the benchmark's order) and a column a sample index; see
    `codes.Bit`.
    """

    def __init__(self, run: RunDirectory, partition: Partition, places: dict[str, int]) -> None:
        self._run = run
        self.partition = partition
        self.codes: Codes = np.zeros((len(places), 64), dtype=np.uint8)
        self.beyond = 0
        self._places = places
        self._samples = FollowedTable(run.samples, partition, places)
        self._verdicts = FollowedTable(run.verdicts, partition, places)
        self._opinions = FollowedTable(run.opinions, partition, places)
        self._failures = run.table("failures", schemas.FAILURES)
        self._layers: dict[str, FollowedTable] = {}
        self._measures: tuple[int, Measures] | None = None
        self.version = 0

    @property
    def unreadable(self) -> int:
        """Parts that could not be read."""
        return sum(len(table.unreadable) for table in (self._samples, *self._judged))

    @property
    def _judged(self) -> list[FollowedTable]:
        return [self._verdicts, self._opinions, *self._layers.values()]

    def refresh(self, layers: list[str]) -> bool:
        """Take in what was written since; True when something was."""
        for layer in layers:
            if layer not in self._layers:
                validity = self._run.validity(layer)
                self._layers[layer] = FollowedTable(validity, self.partition, self._places)
        changed = self._samples.look()
        rejudged = [table for table in self._judged if table.look()]  # each of them looks
        if not (changed or rejudged):
            return False
        give_back()  # what the footers took
        if self._samples.went or rejudged:
            # Compacted or graded anew: what was known may hold no more.
            for table in (self._samples, *self._judged):
                table.forget()
            self.codes[:] = 0
            self.beyond = 0
        self._take_samples()
        self._take_verdicts()
        for table in self._layers.values():
            self._take_validity(table)
        self._take_opinions()
        self.version += 1
        give_back()
        return True

    def load(self, problem_id: str) -> ProblemSamples:
        """Read one problem's samples and all that is stored of them."""
        return ProblemSamples(
            self._samples.rows_of(problem_id, RESPONSE),
            self._verdicts.rows_of(problem_id, [*VERDICT, "text_hash"]),
            {layer: table.rows_of(problem_id, CHECKED) for layer, table in self._layers.items()},
            self._opinions.rows_of(problem_id, RULES),
        )

    def texts(self) -> Iterator[pa.RecordBatch]:
        """Every response, some thousand at a time: problem_id, sample_index, text."""
        yield from self._samples.read_known(["problem_id", "sample_index", "text"])
        give_back()

    def measures(self) -> Measures:
        """Length, likelihood and disagreement of each problem's samples, as they stand now."""
        version = self.version  # it may change while the tables are read
        if self._measures is None or self._measures[0] != version:
            found = measured(self._samples, self._verdicts)
            self._measures = (version, found)
        return self._measures[1]

    def failures(self, problem_id: str) -> list[str]:
        """Why samples of a problem could not be drawn, each reason once."""
        wanted = pc.field("problem_id") == problem_id
        rows = self._failures.stored(self.partition, ["problem_id", "reason"], wanted)
        return list(dict.fromkeys(rows["reason"].to_pylist()))

    def _take_samples(self) -> None:
        columns = ["sample_index", "finish_reason"]
        doubled: set[int] = set()
        for places, batch in self._samples.read_new(columns):
            rows, indices, _ = cells = self._cells(places, batch)
            doubled.update(rows[has(self.codes[rows, indices], Bit.DRAWN)].tolist())
            # Several parts may come at once.
            keys = np.sort(rows * MAX_INDEX + indices)
            doubled.update((keys[1:][keys[1:] == keys[:-1]] // MAX_INDEX).tolist())
            self._mark(cells, Bit.DRAWN, batch["sample_index"].is_valid())
            self._mark(cells, Bit.TRUNCATED, pc.equal(batch["finish_reason"], "length"))
        problem_ids = list(self._places)
        for place in doubled:  # which of two samples counts, only their times tell
            rows = self._samples.rows_of(problem_ids[place], columns)
            ends = dict(zip(*(rows[name].to_pylist() for name in columns), strict=True))
            cut = [i for i, why in ends.items() if why == "length" and 0 <= i < MAX_INDEX]
            self.codes[place] &= np.uint8(0xFF ^ Bit.TRUNCATED)
            self.codes[place, cut] |= np.uint8(Bit.TRUNCATED)

    def _take_verdicts(self) -> None:
        for places, batch in self._verdicts.read_each_once(["sample_index", "correct"]):
            cells, correct = self._cells(places, batch), batch["correct"]
            self._mark(cells, Bit.GRADED, batch["sample_index"].is_valid())
            self._mark(cells, Bit.CORRECT, correct)
            self._mark(cells, Bit.UNDECIDED, correct.is_null())

    def _take_validity(self, table: FollowedTable) -> None:
        for places, batch in table.read_each_once(["sample_index", "valid"]):
            cells = self._cells(places, batch)
            self._mark(cells, Bit.ENDORSED, batch["valid"])
            self._mark(cells, Bit.VETOED, pc.invert(batch["valid"]))

    def _take_opinions(self) -> None:
        for places, batch in self._opinions.read_each_once(["sample_index", *RULES]):
            rows, indices, kept = cells = self._cells(places, batch)
            right = np.zeros(batch.num_rows, dtype=bool)
            right[kept] = has(self.codes[rows, indices], Bit.CORRECT)
            for rule in RULES:
                self._mark(cells, Bit.DISPUTED, pc.not_equal(batch[rule], pa.array(right)))

    def _cells(self, places: Places, batch: pa.RecordBatch) -> _Cells:
        """Rows and columns of `codes` for a batch, and which of its rows they are."""
        indices = batch["sample_index"].to_numpy()
        kept = (places >= 0) & (indices >= 0) & (indices < MAX_INDEX)
        self.beyond += int((indices >= MAX_INDEX).sum())
        rows, indices = places[kept], indices[kept]
        if len(indices) and indices.max() >= self.codes.shape[1]:
            width = 1 << int(indices.max()).bit_length()
            grown = np.zeros((len(self.codes), width), dtype=np.uint8)
            grown[:, : self.codes.shape[1]] = self.codes
            self.codes = grown
        return rows, indices, kept

    def _mark(self, cells: _Cells, bit: Bit, told: pa.BooleanArray) -> None:
        """Set a bit of the samples of a batch of which it is told; a null tells nothing."""
        rows, indices, kept = cells
        here = told.fill_null(False).to_numpy(zero_copy_only=False)[kept]
        self.codes[rows[here], indices[here]] |= np.uint8(bit)


class RunIndex:
    """A run directory opened for reading; safe to share between threads.

    Args:
        path: of the run.
        told: hears how many partitions are read, of how many, while the run is opened.
        labels: folder of its labels, where they are not to be in the run.

    Raises:
        UserError: there is no run at the path.
    """

    def __init__(
        self,
        path: Path,
        told: Callable[[int, int], None] | None = None,
        labels: Path | None = None,
    ) -> None:
        self.directory = RunDirectory(path, labels=labels)
        self.manifest = self.directory.existing_manifest()
        self.name = path.resolve().name
        self.beside: Mapping[str, RunIndex] = {self.name: self}
        """The runs that are open together, itself among them, by name."""
        self.problems: dict[str, list[Problem]] = {}
        self.places: dict[str, dict[str, int]] = {}
        self._partitions: dict[Partition, PartitionIndex] = {}
        self._cache: OrderedDict[tuple[Partition, str, int], ProblemSamples] = OrderedDict()
        self._totals: tuple[int, tuple[int, int]] | None = None
        self._reported: tuple[int, Reported] | None = None
        self._lock = threading.RLock()
        self._refreshed = -_REFRESH_SECONDS
        self.missed = ""
        """Why it could not be read the last time; empty where it could."""
        self.version = 0
        self.refresh(told)

    @property
    def arms(self) -> list[str]:
        """The experiment's arms, in its order."""
        return list(self.manifest.experiment.get("arms", {}))

    def role(self, arm: str) -> str:
        """An arm's role."""
        return str(self.manifest.arm_settings(arm).get("role", ""))

    def asked(self, arm: str, condition: str) -> int | None:
        """How many samples a problem gets of an arm; None where the manifest does not say it."""
        n = self._sampling(arm, condition).get("n")
        return int(n) if isinstance(n, int) else None

    def rule(self, arm: str, condition: str) -> StoppingRule | None:
        """The rule that an arm's problems end by, as the manifest has it; controls have none."""
        sampling = self._sampling(arm, condition)
        stop = sampling.get("stop")
        return StoppingRule((*stop["after"], sampling["n"]), stop["right"]) if stop else None

    def _sampling(self, arm: str, condition: str) -> dict[str, Any]:
        known = self.manifest.arms.get(arm)
        return known.sampling if known and condition == FULL else {}

    def model(self, arm: str) -> str:
        """The checkpoint that an arm is."""
        return str(self.manifest.arm_settings(arm).get("model", ""))

    @property
    def benchmarks(self) -> list[str]:
        """Benchmarks whose problems are loaded."""
        return list(self.problems)

    def place(self, benchmark: str, problem_id: str) -> int | None:
        """Where a problem stands among its benchmark's; None where the run has none."""
        return self.places.get(benchmark, {}).get(problem_id)

    def problem(self, benchmark: str, problem_id: str) -> Problem | None:
        """A problem of the run; None where it has none."""
        place = self.place(benchmark, problem_id)
        return None if place is None else self.problems[benchmark][place]

    @property
    def conditions(self) -> list[str]:
        """Conditions that anything was sampled under, the full one first."""
        found = {partition.condition for partition in self._partitions}
        return sorted(found | {"full"}, key=lambda name: (name != "full", name))

    def partition(self, arm: str, benchmark: str, condition: str) -> PartitionIndex | None:
        """What is known of one arm there; None before its first sample."""
        return self._partitions.get(Partition(arm, benchmark, condition))  # type: ignore[arg-type]

    def codes(self, arm: str, benchmark: str, condition: str) -> Codes:
        """A byte a sample, see `codes.Bit`; shape (problems, samples), without samples (n, 0)."""
        found = self.partition(arm, benchmark, condition)
        if found is None:
            return np.zeros((len(self.problems[benchmark]), 0), dtype=np.uint8)
        return found.codes

    def totals(self) -> tuple[int, int]:
        """How many samples there are, and how many of them have a verdict."""
        version = self.version
        if self._totals is None or self._totals[0] != version:
            known = [index.codes for index in self._partitions.values()]
            drawn = sum(int(has(codes, Bit.DRAWN).sum()) for codes in known)
            graded = sum(int(has(codes, Bit.GRADED).sum()) for codes in known)
            self._totals = (version, (drawn, graded))
        return self._totals[1]

    def refresh(
        self, told: Callable[[int, int], None] | None = None, *, rested: float = 0.0
    ) -> bool:
        """Take in what was written since the last time; at most every few seconds.

        Args:
            rested: seconds that must have passed since the last time, if these are more.
            told: hears how many partitions are read, of how many, before each and at the end.

        Raises:
            UserError, OSError: the run cannot be read; what was known of it stays.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._refreshed < max(_REFRESH_SECONDS, rested):
                return False
            before = self.version
            try:
                self._take_in(told)
                self.missed = ""
            except (UserError, OSError) as error:
                self.missed = str(error)
                raise
            finally:  # what cannot be read is not tried more often
                self._refreshed = time.monotonic()
            return self.version > before

    def _take_in(self, told: Callable[[int, int], None] | None) -> None:
        if self.directory.begun:
            self.manifest = self.directory.read_manifest()
        self.version += self._load_problems()
        layers = self.directory.validity_layers()
        sampled = self.directory.samples.partitions()
        found = [partition for partition in sampled if partition.benchmark in self.places]
        for number, partition in enumerate(found):
            if told is not None:
                told(number, len(found))
            if partition not in self._partitions:
                places = self.places[partition.benchmark]
                self._partitions[partition] = PartitionIndex(self.directory, partition, places)
            self.version += self._partitions[partition].refresh(layers)
        if told is not None:
            told(len(found), len(found))

    def load(self, arm: str, benchmark: str, condition: str, problem_id: str) -> ProblemSamples:
        """One problem's samples by one arm; the last few problems are kept.

        Raises:
            KeyError: the arm has no samples there, or there is no such problem.
        """
        with self._lock:
            index = self._partitions[Partition(arm, benchmark, condition)]  # type: ignore[arg-type]
            key = (index.partition, problem_id, index.version)
            if key not in self._cache:
                self._cache[key] = index.load(problem_id)
                while len(self._cache) > _PROBLEMS_KEPT or (
                    len(self._cache) > 2
                    and sum(kept.nbytes for kept in self._cache.values()) > _TEXT_BYTES_KEPT
                ):
                    self._cache.popitem(last=False)
            self._cache.move_to_end(key)
            return self._cache[key]

    def reported(self) -> Reported:
        """What the run's report says, as its analysis stands now.

        Raises:
            UserError: the run has none, or one that cannot be read.
        """
        from vlm_boundary.demo.reported import read_reported, written  # slow to import

        with self._lock:
            now = written(self.directory)
            if self._reported is None or self._reported[0] != now:
                self._reported = (now, read_reported(self.directory, self.manifest.experiment))
            return self._reported[1]

    def problem_set(self, key: str, benchmark: str) -> ProblemSet | None:
        """The problems of a benchmark behind a number of the report; None where it has no such."""
        try:
            found = self.reported().sets.get(key)
        except UserError:
            return None
        return found if found and found.benchmark == benchmark else None

    def notices(self) -> list[str]:
        """What a reader should know is missing from what is shown."""
        unreadable = sum(index.unreadable for index in self._partitions.values())
        beyond = sum(index.beyond for index in self._partitions.values())
        found = []
        if unreadable:
            found.append(f"{unreadable} Parquet parts could not be read")
        if beyond:
            found.append(f"{beyond} samples with an index of {MAX_INDEX:,} or more are not shown")
        found += [
            f"{run.name} is shown as it last was; it could not be read again: {run.missed}"
            for run in self.beside.values()
            if run.missed
        ]
        return found

    def _load_problems(self) -> bool:
        new = [
            name
            for name in self.manifest.benchmarks
            if name not in self.problems and self.directory.has_problems(name)
        ]
        for name in new:
            problems = self.directory.read_problems(name)
            self.problems[name] = problems
            self.places[name] = {p.problem_id: place for place, p in enumerate(problems)}
        return bool(new)

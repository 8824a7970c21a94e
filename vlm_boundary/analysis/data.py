"""What every section of the analysis is given: one benchmark of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.counts import Codes, Counts, Ints, Verdicts, read_verdicts
from vlm_boundary.benchmarks import Problem
from vlm_boundary.config import FULL, AnalysisConfig, Condition, ExperimentConfig
from vlm_boundary.store import Partition, RunDirectory


@dataclass(frozen=True)
class Pair:
    """Two arms on the problems that both have; a difference is other − base."""

    base: str
    other: str
    n: int
    base_counts: Counts
    other_counts: Counts

    @property
    def problem_ids(self) -> tuple[str, ...]:
        """The problems, ascending."""
        return self.base_counts.problem_ids


@dataclass(frozen=True)
class BenchmarkData:
    """One benchmark of a run: its settings, and its tables, each read when first asked for.

    Attributes:
        manifest: the benchmark's entry in the run's manifest.
        everything: every verdict of the experiment itself, by arm; arms without any are left out.
    """

    run: RunDirectory
    experiment: ExperimentConfig
    benchmark: str
    manifest: Mapping[str, Any]
    everything: Mapping[str, Verdicts]
    _controls: dict[tuple[str, Condition], Verdicts | None] = field(default_factory=dict)

    @classmethod
    def read(
        cls, run: RunDirectory, experiment: ExperimentConfig, manifest: dict[str, Any], name: str
    ) -> BenchmarkData | None:
        """The benchmark as the run has it; None where none of it was verified."""
        found = {arm: read_verdicts(run, Partition(arm, name)) for arm in experiment.arms}
        known = {arm: verdicts for arm, verdicts in found.items() if verdicts is not None}
        if not known:
            return None
        return cls(run, experiment, name, manifest["benchmarks"][name], known)

    @property
    def settings(self) -> AnalysisConfig:
        """The statistics' settings."""
        return self.experiment.analysis

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that have verdicts, in the experiment's order."""
        return tuple(self.everything)

    def n(self, arm: str) -> int:
        """Samples a problem that the experiment asks of an arm."""
        return self.experiment.arm_sampling(arm).n

    @cached_property
    def verdicts(self) -> dict[str, Verdicts]:
        """The verdicts of samples 0 … n-1, which headline numbers stand on, by arm."""
        return {arm: found.first(self.n(arm)) for arm, found in self.everything.items()}

    def rng(self, *names: str) -> np.random.Generator:
        """Random numbers that depend on the experiment's seed and these names alone."""
        words = "\0".join((self.benchmark, *names)).encode()
        return np.random.default_rng([self.experiment.seed, *words])

    def counts(self, arm: str) -> Counts:
        """An arm's counts over the first n samples of each problem."""
        return self.verdicts[arm].counts

    def control(self, arm: str, condition: Condition) -> Verdicts | None:
        """An arm's verdicts under a control condition; None where there are none."""
        key = (arm, condition)
        if key not in self._controls:
            partition = Partition(arm, self.benchmark, condition)
            self._controls[key] = read_verdicts(self.run, partition)
        return self._controls[key]

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The benchmark's problems by id."""
        return {p.problem_id: p for p in self.run.read_problems(self.benchmark)}

    @cached_property
    def clusters(self) -> Mapping[str, Any] | None:
        """What problems of one origin share, by problem id; None where the benchmark has none."""
        name = self.manifest.get("config", {}).get("cluster")
        if name is None:
            return None
        return {key: problem.metadata.get(name) for key, problem in self.problems.items()}

    def groups(self, problem_ids: tuple[str, ...]) -> Codes | None:
        """The cluster of each of these problems as a number; None where there are no clusters."""
        if self.clusters is None:
            return None
        known: dict[str, int] = {}
        origins = {key: self.clusters.get(key) for key in problem_ids}
        # A problem that names no origin is one of its own.
        names = [repr(("alone", key) if o is None else o) for key, o in origins.items()]
        return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)

    def pairs(self) -> Iterator[Pair]:
        """Each arm with the role base against every other arm but those that repeat a base."""
        for base in self.arms:
            if self.experiment.arms[base].role == "base":
                for other in self.arms:
                    if other != base and self.experiment.arms[other].role != "repeat":
                        yield self.pair(base, other)

    def pair(self, base: str, other: str) -> Pair:
        """Two arms on the problems that both have."""
        first, second = self.counts(base), self.counts(other)
        shared = tuple(sorted(set(first.problem_ids) & set(second.problem_ids)))
        n = min(self.n(base), self.n(other))
        return Pair(base, other, n, first.on(shared), second.on(shared))

    def lengths(self, arm: str, condition: Condition = FULL) -> tuple[tuple[str, ...], Ints, Ints]:
        """How many tokens each stored sample has, end of turn counted.

        Read in pieces: the tokens of a large run do not fit in memory.

        Returns:
            problem_ids ascending; the samples' places in it and their tokens, shape (samples,).
        """
        partition = Partition(arm, self.benchmark, condition)
        columns = ["problem_id", "sample_index", "token_ids"]
        pieces = [
            pa.table(
                {
                    "problem_id": rows["problem_id"],
                    "sample_index": rows["sample_index"],
                    "tokens": pc.list_value_length(rows["token_ids"]),
                }
            )
            for _, rows in self.run.samples.batches(partition, columns)
        ]
        if not pieces:
            return (), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        table = pa.concat_tables(pieces)
        once = table.group_by(["problem_id", "sample_index"]).aggregate([("tokens", "min")])
        once = once.filter(pc.less(once["sample_index"], self.n(arm))).sort_by(
            [("problem_id", "ascending"), ("sample_index", "ascending")]
        )
        encoded = once["problem_id"].combine_chunks().dictionary_encode()
        return (
            tuple(encoded.dictionary.to_pylist()),
            encoded.indices.to_numpy().astype(np.int64),
            once["tokens_min"].to_numpy().astype(np.int64),
        )

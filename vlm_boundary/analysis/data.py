"""What every section of the analysis is given: one benchmark of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.consistency import Consistency
from vlm_boundary.analysis.counts import Bounds, Codes, Counts, Floats, Ids, Ints, on_shared
from vlm_boundary.analysis.estimators import paper_grid
from vlm_boundary.analysis.intervals import Intervals, cluster_codes, t_intervals
from vlm_boundary.analysis.verdicts import Ended, Verdicts, read_verdicts
from vlm_boundary.config import AnalysisConfig, Condition, ExperimentConfig
from vlm_boundary.records.manifest import RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.record import Entry
from vlm_boundary.store import Partition, RunDirectory, by_place

DIFFERENCE = (-1.0, 1.0)
"""What a difference of shares can be."""


@dataclass(frozen=True)
class Pair:
    """Two arms on the problems that both have; a difference is other − base."""

    base: str
    other: str
    n: int
    base_counts: Counts
    other_counts: Counts

    @property
    def names(self) -> tuple[str, str]:
        """Both, the base first."""
        return self.base, self.other

    @property
    def problem_ids(self) -> Ids:
        """The problems, ascending."""
        return self.base_counts.problem_ids


@dataclass(frozen=True)
class Responses:
    """How long an arm's samples are, one row per sample, sorted by problem and sample index.

    Attributes:
        problem: place of the sample's problem in `problem_ids`, shape (samples,).
        tokens: end of turn counted; NaN where they are not known.
        logprob_sum: natural logarithm of the sample's probability under the model itself, at
            temperature 1; NaN where it was not kept.
    """

    problem_ids: Ids
    problem: Ints
    index: Ints
    tokens: Floats
    logprob_sum: Floats


@dataclass(frozen=True)
class BenchmarkData:
    """One benchmark of a run: its settings, and its tables, each read when first asked for.

    Attributes:
        loaded: the benchmark as the run's manifest has it.
        everything: every verdict of the experiment itself, by arm; arms without any are left out.
        ended: where problems ended, of the arms that have a stopping rule.
        left_out: how many rows of a partition do not count, by reason; those of controls once they
            were read.
        to_first_look: of arms with a stopping rule only the samples up to the first look are read,
            which every problem has; see `first_look`.
    """

    run: RunDirectory
    experiment: ExperimentConfig
    benchmark: str
    loaded: RunBenchmark
    everything: Mapping[str, Verdicts]
    ended: Mapping[str, Ended]
    left_out: dict[Partition, dict[str, int]]
    to_first_look: bool = False
    _controls: dict[tuple[str, Condition], Verdicts | None] = field(default_factory=dict)

    @classmethod
    def read(
        cls, run: RunDirectory, experiment: ExperimentConfig, name: str
    ) -> BenchmarkData | None:
        """The benchmark as the run has it; None where none of it was verified.

        Raises:
            UserError: it was, but its problems are missing.
        """
        if not run.has_problems(name):
            if any(partition.benchmark == name for partition in run.verdicts.partitions()):
                run.problem_ids(name)  # says that they are missing
            return None
        found = {arm: read_verdicts(run, Partition(arm, name)) for arm in experiment.arms}
        known = {arm: read.verdicts for arm, read in found.items() if read.verdicts is not None}
        if not known:
            return None
        left_out = {Partition(arm, name): read.left_out for arm, read in found.items()}
        ended = {}
        for arm, verdicts in known.items():
            if rule := experiment.arm_sampling(arm).rule:
                rows = run.failures.read(Partition(arm, name), rule.n)
                ended[arm] = Ended.of(verdicts, rule, {row["problem_id"] for row in rows})
        loaded = run.read_manifest().benchmarks[name]
        return cls(run, experiment, name, loaded, known, ended, left_out)

    @property
    def settings(self) -> AnalysisConfig:
        """The statistics' settings."""
        return self.experiment.analysis

    @property
    def margin(self) -> float | None:
        """What differences are held against, as a share; None where no margin is stated."""
        points = self.settings.equivalence_margin
        return None if points is None else points / 100

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that have verdicts, in the experiment's order."""
        return tuple(self.everything)

    def asked(self, arm: str) -> int:
        """Samples per problem that the experiment asks of an arm, at most."""
        return self.experiment.arm_sampling(arm).n

    def n(self, arm: str) -> int:
        """Samples per problem that an arm is read to: those asked for, or as `ended` says."""
        if arm not in self.ended:
            return self.asked(arm)
        found = self.ended[arm]
        return found.rule.first if self.to_first_look else found.n

    @cached_property
    def first_look(self) -> BenchmarkData:
        """The same with nothing read beyond an arm's first look, for all but unbiased pass@k.

        How many samples a problem has depends on how hard it is, so that what is said of "all
        samples" would be of the hard ones.
        """
        return replace(self, to_first_look=True) if self.ended else self

    @cached_property
    def verdicts(self) -> dict[str, Verdicts]:
        """By arm, samples 0 … n-1, by a rule those up to the look at which a problem ended."""
        return {
            arm: self.ended[arm].read
            if arm in self.ended and not self.to_first_look
            else found.first(self.n(arm))
            for arm, found in self.everything.items()
        }

    def rng(self, *names: str) -> np.random.Generator:
        """Random numbers that depend on the experiment's seed and these names alone."""
        words = "\0".join((self.benchmark, *names)).encode()
        return np.random.default_rng([self.experiment.seed, *words])

    def counts(self, arm: str) -> Counts:
        """An arm's counts over the samples of `verdicts`."""
        if arm in self.ended and not self.to_first_look:
            return self.ended[arm].counts
        return self.verdicts[arm].counts

    def control(self, arm: str, condition: Condition) -> Verdicts | None:
        """An arm's verdicts under a control condition; None where there are none."""
        key = (arm, condition)
        if key not in self._controls:
            partition = Partition(arm, self.benchmark, condition)
            found = read_verdicts(self.run, partition)
            self._controls[key], self.left_out[partition] = found.verdicts, found.left_out
        return self._controls[key]

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The benchmark's problems by id."""
        return {p.problem_id: p for p in self.run.read_problems(self.benchmark)}

    @cached_property
    def clusters(self) -> Mapping[str, Any] | None:
        """What problems of one origin share, by problem id; None where the benchmark has none."""
        name = self.loaded.config.get("cluster")
        if name is None:
            return None
        return {key: problem.metadata.get(name) for key, problem in self.problems.items()}

    def groups(self, problem_ids: Ids) -> Codes | None:
        """The cluster of each of these problems as a number; None where there are no clusters."""
        return cluster_codes(problem_ids, self.clusters)

    def means(self, values: Floats, problem_ids: Ids, bounds: Bounds = (0.0, 1.0)) -> Intervals:
        """Means over problems of `values`, (problems, columns), by clusters; by default shares."""
        return t_intervals(values, self.settings.confidence, bounds, self.groups(problem_ids))

    def mean(self, values: Floats, problem_ids: Ids, bounds: Bounds = (0.0, 1.0)) -> Entry:
        """`means` of one column, shape (problems,), as a record."""
        return self.means(values[:, None], problem_ids, bounds).entries()[0]

    def pairs(self) -> Iterator[Pair]:
        """Each arm with the role base against every other arm but those that repeat a base."""
        for base in self.arms:
            if self.experiment.arms[base].role == "base":
                for other in self.arms:
                    if other != base and self.experiment.arms[other].role != "repeat":
                        yield self.pair(base, other)

    def pair(self, base: str, other: str) -> Pair:
        """Two arms on the problems that both have."""
        n = min(self.n(base), self.n(other))
        return Pair(base, other, n, *on_shared(self.counts(base), self.counts(other)))

    def grid(self, n: int) -> Ints:
        """The k at which curves beside the main ones are given: the figures' and the tables'."""
        return np.union1d(paper_grid(n), self.shown_ks(n))

    def shown_ks(self, n: int) -> Ints:
        """The k of tables up to n."""
        return np.array([k for k in self.experiment.ks(n) if k <= n], dtype=np.int64)

    @cached_property
    def consistency(self) -> dict[str, Consistency]:
        """Votes and shares of right answers by arm; ask the first look, where there is one."""
        return {
            arm: Consistency.of(
                self.verdicts[arm], self.n(arm), self.shown_ks(self.n(arm)), self.rng(arm)
            )
            for arm in self.arms
        }

    @cached_property
    def responses(self) -> dict[str, Responses]:
        """The lengths of the samples that `verdicts` are of, by arm."""
        return {arm: self._responses(arm) for arm in self.arms}

    def lengths(self, arm: str) -> Floats:
        """The tokens of each sample of `verdicts`, in its order; NaN where they are not known."""
        verdicts, responses = self.verdicts[arm], self.responses[arm]
        found = np.full(len(verdicts), np.nan)
        if len(responses.tokens) and len(verdicts):
            problem = verdicts.places(responses.problem_ids)[responses.problem]
            rows = verdicts.rows_at(problem, responses.index)
            found[rows[rows >= 0]] = responses.tokens[rows >= 0]
        return found

    def _responses(self, arm: str) -> Responses:
        columns = ["tokens", "logprob_sum"]
        first = pc.field("sample_index") < self.n(arm)
        partition = Partition(arm, self.benchmark)
        table = self.run.samples.read(partition, columns, first, coded=["problem_id"])
        if arm in self.ended and not self.to_first_look:
            indices = table["sample_index"].to_numpy()
            counted = self.verdicts[arm].rows_of(table["problem_id"], indices) >= 0
            table = table.filter(pa.array(counted))
        if table.num_rows == 0:
            nothing = np.zeros(0)
            none = nothing.astype(np.int64)
            return Responses((), none, none, nothing, nothing)
        problem, problem_ids = by_place(table["problem_id"])
        return Responses(
            problem_ids,
            problem.astype(np.int64),
            table["sample_index"].to_numpy().astype(np.int64),
            *(table[name].cast("float64").to_numpy(zero_copy_only=False) for name in columns),
        )

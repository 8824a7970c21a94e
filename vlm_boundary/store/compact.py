"""Many small parts into one, problem by problem, so that memory does not grow with the samples."""

from __future__ import annotations

from vlm_boundary.store.locks import Shard
from vlm_boundary.store.parts import Partition, PartTable
from vlm_boundary.store.problems import ProblemReader
from vlm_boundary.store.run import RunDirectory


def compact(table: PartTable, partition: Partition) -> None:
    """Make a partition one part: no duplicates, sorted by key, one row group per problem.

    Nobody else may write into the partition meanwhile.
    """
    if len(table.parts(partition)) > 1:
        rows = ProblemReader.of(table, partition)
        table.rewrite(partition, (rows.read([problem_id]) for problem_id in rows.counts))


def compact_if_alone(run: RunDirectory, shard: Shard) -> None:
    """Compact the run if none of its other writers is at work: the last tidies up for all."""
    with run.locks.alone(shard) as alone:
        if alone:
            compact_run(run)


def compact_run(run: RunDirectory) -> None:
    """Compact every table that samples or scores stream into; nobody else may write meanwhile."""
    tables = [(run.samples, run.failures)]
    tables += [(run.scores(under), run.score_failures(under)) for under in run.scorers()]
    for table, failures in tables:
        for partition in table.partitions():
            compact(table, partition)
            failures.compact(partition)

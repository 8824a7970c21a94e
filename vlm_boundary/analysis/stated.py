"""What an arm's samples state, as arrays: facts, steps, and what is false first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.readings import of_the_same_text
from vlm_boundary.records.validity import FIRST_FALSE
from vlm_boundary.store import Partition, encoded

Sets = NDArray[np.uint64]


@dataclass(frozen=True)
class Statements:
    """The statements of an arm's samples, by the rows of its verdicts.

    Attributes:
        first_false: place in `records.validity.FIRST_FALSE`, -1 where it is not known; shape
            (samples,).
        facts: which facts each sample states, as a hash of the set; 0 for none.
        steps: the same of its steps.
        owner: the sample that states a fact, ascending, shape (facts,).
        name: whose value it states, as a number.
        value: the value, as a number.
    """

    first_false: NDArray[np.int8]
    facts: Sets
    steps: Sets
    owner: Ints
    name: Ints
    value: Ints


def statements(data: BenchmarkData, arm: str) -> Statements | None:
    """What an arm's graded samples state; None where none was read."""
    verdicts = data.verdicts[arm]
    columns = ["names", "values", "steps", "first_false", "text_hash"]
    table = data.run.statements.read(
        Partition(arm, data.benchmark), columns, coded=["problem_id", "first_false"]
    )
    rows = of_the_same_text(verdicts, table)
    if not (rows >= 0).any():
        return None
    codes, kinds = encoded(table["first_false"])
    place = np.array([FIRST_FALSE.index(kind) for kind in kinds] + [-1], dtype=np.int8)
    first_false = np.full(len(verdicts), -1, dtype=np.int8)
    first_false[rows[rows >= 0]] = place[codes][rows >= 0]
    row_of_fact, name = _listed(table["names"])
    _, value = _listed(table["values"])
    row_of_step, step = _listed(table["steps"])
    owner = rows[row_of_fact]
    kept = owner >= 0
    order = np.argsort(owner[kept], kind="stable")
    owner, name, value = (column[kept][order] for column in (owner, name, value))
    of_step = rows[row_of_step]
    there = of_step >= 0
    return Statements(
        first_false,
        facts=_sets(owner, mixed(mixed(name) + value.astype(np.uint64)), len(verdicts)),
        steps=_sets(of_step[there], mixed(step[there]), len(verdicts)),
        owner=owner,
        name=name,
        value=value,
    )


def _listed(column: pa.ChunkedArray) -> tuple[Ints, Ints]:
    """The row of every item of a column of lists, and the item as a number."""
    lists = column.combine_chunks()
    owner = pc.list_parent_indices(lists).to_numpy(False).astype(np.int64)
    codes, _ = encoded(pa.chunked_array([lists.flatten()]))
    return owner, codes.astype(np.int64)


def mixed(numbers: Ints | Sets) -> Sets:
    """Numbers as hashes (the finaliser of splitmix64), which may be added up."""
    found = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(found ^ (found >> np.uint64(31)), dtype=np.uint64)


def _sets(owner: Ints, items: Sets, samples: int) -> Sets:
    """Each sample's items as one hash, in whatever order."""
    order = np.argsort(owner, kind="stable")
    owner, items = owner[order], items[order]
    found = np.zeros(samples, dtype=np.uint64)
    if len(owner):
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        found[owner[starts]] = np.add.reduceat(items, starts)
    return found

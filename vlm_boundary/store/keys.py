"""Keys of rows, and the one rule by which of several rows with one key a single one counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

KEY = ("problem_id", "sample_index")
WRITTEN = "written_at"

Codes = NDArray[np.int32]


def each_once(rows: pa.Table) -> pa.Table:
    """The rows that count, in the order of their keys.

    Of rows with one key the earliest written counts, then the first: so those of several parts come
    in the order of the parts' names. A table that does not say when its rows were written goes by
    the parts alone.

    Args:
        rows: with the columns of the key, and when they were written where their table says that.
    """
    problem, _ = by_place(rows["problem_id"])
    keys = numbered(problem, rows)
    if (np.diff(keys) > 0).all():  # as compaction leaves them
        return rows
    times = [rows[WRITTEN].cast(pa.int64()).to_numpy()] if WRITTEN in rows.column_names else []
    order = np.lexsort((*times, keys))  # stable, so equal times keep the order of parts
    first = np.append(True, np.diff(keys[order]) > 0)
    return rows.take(pa.array(order[first])).combine_chunks()


def encoded(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """A string column, coded or not, as places in a list of its values; -1 where it is null.

    Of a coded column the list may hold values that no row has.
    """
    if pa.types.is_dictionary(column.type):
        whole = column.unify_dictionaries().combine_chunks()
    else:
        whole = column.combine_chunks().dictionary_encode()
    codes = pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32, copy=False), whole.dictionary.to_pylist()


def by_place(column: pa.ChunkedArray) -> tuple[Codes, tuple[str, ...]]:
    """A column without nulls as places in its distinct values, and those, ascending."""
    codes, values = encoded(column)
    there = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    ordered = sorted(there.tolist(), key=values.__getitem__)
    rank = np.zeros(len(values), dtype=np.int32)
    rank[ordered] = np.arange(len(ordered), dtype=np.int32)
    return rank[codes], tuple(values[row] for row in ordered)


def row_keys(rows: pa.Table, problem_ids: pa.Array) -> NDArray[np.int64]:
    """A row's key as a number that orders like its problem's place among these and its index."""
    place = pc.index_in(rows["problem_id"], value_set=problem_ids)
    return numbered(place.to_numpy(), rows)


def numbered(problems: Codes, rows: pa.Table) -> NDArray[np.int64]:
    """Keys of rows as numbers, given each problem's place: they order like place and index."""
    keys: NDArray[np.int64] = (problems.astype(np.int64) << 32) | rows["sample_index"].to_numpy()
    return keys


def places_of(problem_ids: Sequence[str], rows: pa.Table, among: pa.Table) -> pa.Array:
    """The row of `among` that has each row's key, null where none has.

    Args:
        problem_ids: ascending; those of all rows are among them.
        rows: in any order.
        among: sorted by key, no key twice.
    """
    ids = pa.array(problem_ids, pa.string())
    keys, known = row_keys(rows, ids), row_keys(among, ids)
    places = np.searchsorted(known, keys)
    there = places < len(known)
    there[there] = known[places[there]] == keys[there]
    return pa.array(places, mask=~there)

"""Whether a part has the columns of its table: one that another program rewrote may not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.store import schemas


@lru_cache(maxsize=256)
def misfit(written: pa.Schema, table: pa.Schema) -> str | None:
    """Why rows written so are none of the table's; None where they can be read as such.

    A column that older versions did not write may be missing. Which integers, or which kind of
    string, is the writing program's choice only where reading it gives the table's values.
    """
    later = next((names for schema, names in schemas.ADDED_LATER if schema is table), frozenset())
    for field in table:
        place = written.get_field_index(field.name)
        if place < 0:
            if field.name in later:
                continue
            return f"it has no column {field.name!r}"
        found = written.field(place).type
        if _plain(found) != _plain(field.type):
            return f"its column {field.name!r} holds {found}, not {field.type}"
    return None


def nulls(path: Path, written: pa.Schema, table: pa.Schema) -> str | None:
    """Why a part has no value where the table needs one, as far as its footer tells.

    Files that declare their columns like the table hold none, and are not read for it.
    """
    loose = set(loose_columns(written, table))
    if not loose:
        return None
    footer = pq.read_metadata(path)
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            counted = column.statistics
            if column.path_in_schema in loose and counted is not None and counted.null_count:
                return no_value(column.path_in_schema)
    return None


def loose_columns(written: pa.Schema, table: pa.Schema) -> Iterator[str]:
    """The columns that may not be null in the table and may be as the part declares them."""
    for field in table:
        place = written.get_field_index(field.name)
        if place >= 0 and written.field(place).nullable and not field.nullable:
            yield field.name


def no_value(column: str) -> str:
    """What is said of a part with a null where there may be none."""
    return f"its column {column!r} has rows without a value"


def under_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows as a table's schema has them: a part older than a column holds nulls there."""
    known = set(rows.column_names)
    columns = [
        rows[field.name].cast(field.type)
        if field.name in known
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without the choices that leave its values as they are."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp("us", "UTC")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    return kind

"""Numbers of narrow float columns as they were meant: 0.1 stored in 32 bits is 0.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Mending = Callable[[Any], Any]


def shortest_floats(schema: pa.Schema) -> Mending:
    """What makes of a record's 16-bit and 32-bit floats the numbers with their shortest text.

    Args:
        schema: the columns' types; floats inside structs, lists and maps are found, too.
    """
    columns = {field.name: mending for field in schema if (mending := _mending(field.type))}
    return _in_struct(columns) if columns else lambda record: record


def _mending(kind: pa.DataType) -> Mending | None:
    import pyarrow as pa

    types = pa.types
    if types.is_float16(kind):
        return _shortest(16)
    if types.is_float32(kind):
        return _shortest(32)
    if types.is_dictionary(kind):
        return _mending(kind.value_type)
    if types.is_struct(kind):
        inner = {field.name: mending for field in kind if (mending := _mending(field.type))}
        return _in_struct(inner) if inner else None
    if types.is_map(kind):
        of_value = _mending(kind.item_type)
        return None if of_value is None else _in_map(of_value)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        of_item = _mending(kind.value_type)
        return None if of_item is None else _in_list(of_item)
    return None


def _shortest(bits: int) -> Mending:
    import numpy as np

    narrow = {16: np.float16, 32: np.float32}[bits]
    return lambda value: None if value is None else float(str(narrow(value)))


def _in_struct(fields: Mapping[str, Mending]) -> Mending:
    def mended(record: dict[str, Any] | None) -> dict[str, Any] | None:
        if record is None:
            return None
        return record | {name: mending(record[name]) for name, mending in fields.items()}

    return mended


def _in_map(mending: Mending) -> Mending:
    return lambda pairs: pairs and [(key, mending(value)) for key, value in pairs]


def _in_list(mending: Mending) -> Mending:
    return lambda values: values and [mending(value) for value in values]

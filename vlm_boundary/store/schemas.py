"""Columns of the run directory's tables, and whether a part has them.

Those of the partition stand in the folder names. A part that another program rewrote may not have
the rest.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def _needed(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _list_of(*fields: pa.Field) -> pa.DataType:
    return pa.list_(pa.struct(fields))


_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_KEY = (_needed("problem_id", _TEXT), _needed("sample_index", pa.int32()))
_WRITTEN_AT = _needed("written_at", pa.timestamp("us", tz="UTC"))
_PLACE = pa.list_(pa.int32())  # start and end in the text's characters
_TEXT_HASH = _needed("text_hash", _TEXT)  # of the sample's text and finish reason
# Which verdict it is: its grader's name and version, the text, the gold answer.
_OF_VERDICT = (_needed("grader", _TEXT), _TEXT_HASH, _needed("gold_hash", _TEXT))
# What was checked: name and version of the check, the text, and all else that it was decided by.
_OF_CHECK = (_needed("checker", _TEXT), _TEXT_HASH, _needed("basis_hash", _TEXT))

PROBLEMS = pa.schema(
    [
        _needed("problem_id", _TEXT),
        _needed("question", _TEXT),
        _needed("answer", _TEXT),
        pa.field("pictures", _TEXTS),
        pa.field("answer_type", _TEXT),
        pa.field("unit", _TEXT),
        pa.field("precision", pa.int32()),
        pa.field("choices", _TEXTS),
        pa.field(
            "grading",
            pa.struct(
                [
                    pa.field("numeric", _TEXT),
                    pa.field("tolerance", pa.float64()),
                    pa.field("decimals", pa.int32()),
                    pa.field("letters", _TEXT),
                    pa.field("alternatives", _TEXTS),
                    pa.field("chance", pa.float64()),
                ]
            ),
        ),
        pa.field("metadata", _TEXT),  # JSON
        pa.field("error", _TEXT),
        pa.field("description", _TEXT),
    ]
)

SAMPLES = pa.schema(
    [
        *_KEY,
        pa.field("seed", pa.int64()),  # null where the engine cannot seed a sample
        _needed("token_ids", pa.list_(pa.int32())),
        pa.field("tokens", pa.int32()),  # how many of them; null where they are not known
        _needed("text", _TEXT),
        _needed("finish_reason", _TEXT),
        pa.field("logprob_sum", pa.float64()),  # natural log, at temperature 1, end of turn counted
        pa.field("token_logprobs", pa.list_(pa.float32())),  # of the subset that keeps them
        _WRITTEN_AT,
        _TEXT_HASH.with_nullable(True),  # null where an older version wrote it
    ]
)

PREFIXES = pa.schema(  # of wrong samples, what answers are begun with under wrong_prefix
    [
        *_KEY,
        _needed("prefix", _TEXT),
        _needed("rule", _TEXT),  # how its end was found
        pa.field("flag", _TEXT),  # the check that found it, where one did
        _TEXT_HASH,
        _WRITTEN_AT,
    ]
)

SCORES = pa.schema(
    [
        *_KEY,
        _needed("logprob_sum", pa.float64()),  # as in samples
        _needed("tokens", pa.int32()),  # that the sum is over
        pa.field("token_logprobs", pa.list_(pa.float32())),  # where they were asked for
        _WRITTEN_AT,
    ]
)

FAILURES = pa.schema(
    [
        _KEY[0],
        _KEY[1].with_nullable(True),  # null when no sample of the problem can be drawn
        _needed("reason", _TEXT),
        _WRITTEN_AT,
        pa.field("under", _TEXT),  # of what fails again: a hash of what it follows from
    ]
)

VERDICTS = pa.schema(
    [
        *_KEY,
        pa.field("correct", pa.bool_()),  # null: undecided
        _needed("status", _TEXT),
        pa.field("extracted", _TEXT),  # as written
        pa.field("normalised", _TEXT),  # as read
        pa.field("span", _PLACE),
        _needed("source", _TEXT),
        _needed("flags", _TEXTS),
        _needed("rule", _TEXT),
        pa.field("tolerance", _TEXT),
        *_OF_VERDICT,
    ]
)

OPINIONS = pa.schema(
    [
        *_KEY,
        pa.field("mathvista", pa.bool_()),  # null: the rule has no answer
        pa.field("mathvision", pa.bool_()),
        pa.field("math_verify", pa.bool_()),
        *_OF_VERDICT,  # beside which they stand
    ]
)

VALIDITY = pa.schema(
    [
        *_KEY,
        pa.field("valid", pa.bool_()),  # null: undecided answer, not judged, or abstained
        _needed("flags", _TEXTS),  # sorted, each once
        _needed(
            "evidence",
            _list_of(
                _needed("flag", _TEXT),
                _needed("start", pa.int32()),  # characters of the text
                _needed("end", pa.int32()),
                _needed("note", _TEXT),
                _needed("veto", pa.bool_()),  # false: a hint only
            ),
        ),
        *_OF_CHECK,
        pa.field("votes", pa.list_(pa.bool_())),  # a judge's; a null among them abstained
    ]
)

STATEMENTS = pa.schema(
    [
        *_KEY,
        # What is said to be seen, in the order of the text: whose value, each once, and the value.
        _needed("names", _TEXTS),
        _needed("values", _TEXTS),
        _needed("steps", _TEXTS),  # worked out: sorted, each once
        # seeing, reasoning, answer or none; null where the truth is not known
        pa.field("first_false", _TEXT),
        pa.field("place", _PLACE),  # of what is false first
        *_OF_CHECK,
    ]
)

JUDGEMENTS = pa.schema(
    [
        *_KEY,
        _needed(
            "votes",
            _list_of(
                pa.field("valid", pa.bool_()),  # null: no verdict, or one cut off
                _needed("finish_reason", _TEXT),
                _needed("text", _TEXT),  # as generated
            ),
        ),
        _TEXT_HASH,
        pa.field("edit", _TEXT),  # what was changed in the chain, where it was spoilt
        _WRITTEN_AT,
    ]
)

ADDED_LATER: tuple[tuple[pa.Schema, frozenset[str]], ...] = (
    (PROBLEMS, frozenset({"description"})),
    (SAMPLES, frozenset({"tokens", "token_logprobs", "text_hash"})),
    (FAILURES, frozenset({"under"})),
    (OPINIONS, frozenset({"grader", "gold_hash"})),
    (VALIDITY, frozenset({"votes"})),
)
"""The columns that parts of older versions do not have."""


@lru_cache(maxsize=256)
def misfit(written: pa.Schema, table: pa.Schema) -> str | None:
    """Why rows written so are none of the table's; None where they can be read as such.

    A column that older versions did not write may be missing. Which integers, or which kind of
    string, is the writing program's choice only where reading it gives the table's values.
    """
    later = next((names for schema, names in ADDED_LATER if schema is table), frozenset())
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

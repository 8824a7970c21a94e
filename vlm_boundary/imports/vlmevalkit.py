"""VLMEvalKit's `MODEL_DATASET.tsv` or `.json`: the data set without pictures, with predictions.

Columns: open-compass/VLMEvalKit e8e78f05, `vlmeval/inference.py` (`prediction`, `thinking` where it
was split off) and `vlmeval/smp/file.py` (`PRED_FORMAT`: xlsx by default, tsv, json). `hit` is what
a judged file has.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import (
    Format,
    LogProblem,
    LogRow,
    Reply,
    as_golds,
    digest,
    pictures_of,
    records,
    verdict_of,
    why_no_text,
)
from vlm_boundary.nulls import is_null

_KEYS = frozenset({"index", "question", "prediction"})
# What stands in place of a response that could not be had (FAIL_MSG in inference.py).
_FAILED = "Failed to obtain answer via API."


def _read(path: Path) -> Iterator[LogRow]:
    for where, record in records(path):
        text = record["prediction"]
        text = str(text) if isinstance(text, int | float) else text  # JSON's bare numbers
        wrong = why_no_text(text)
        if not wrong and text == _FAILED:
            wrong = "the request failed, as the tool wrote in its place"
        if not wrong and is_null(record["index"]):
            wrong = "no index"
        if wrong:
            yield LogRow(where, unusable=(wrong,))
            continue
        thought = record.get("thinking")
        text = f"<think>{thought}</think>{text}" if thought else text
        said = {"hit": _hit(record["hit"])} if "hit" in record else {}
        yield LogRow(where, (Reply(where, _asked(record, path), text, opinions=said),))


def _hit(value: Any) -> bool | None:
    """What a judged file says, which is text in a TSV."""
    return verdict_of({"1": 1, "0": 0, "1.0": 1, "0.0": 0}.get(str(value), value))


def _asked(record: Mapping[str, Any], path: Path) -> LogProblem:
    key, question = str(record["index"]), str(record["question"] or "")
    golds = as_golds(record.get("answer"))
    choices = []
    for letter in string.ascii_uppercase:
        if is_null(record.get(letter)):
            break
        choices.append(str(record[letter]))
    named = record.get("image_path")
    named = named if isinstance(named, list) else [] if is_null(named) else [named]
    pictures, lost = pictures_of(named, path.parent)
    same = digest(question, golds, choices)
    return LogProblem(key, question, golds, tuple(choices), pictures, lost, same)


_NEEDS = f"records with {', '.join(sorted(_KEYS))}"
VLMEVALKIT = Format("vlmevalkit", "VLMEvalKit's predictions", _NEEDS, _KEYS.issubset, _read)

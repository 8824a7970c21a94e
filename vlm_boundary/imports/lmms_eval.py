"""lmms-eval's `TIME_samples_TASK.jsonl`: lm-eval's rows without documents, flattened.

Keys and nesting: EvolvingLMMs-Lab/lmms-eval 75571cfe, `lmms_eval/evaluator.py` (the record,
`_collect_input_media`) and `lmms_eval/loggers/evaluation_tracker.py` (`save_results_samples`, which
takes away one list where there is one request, and `resps` where the filter changed nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.pictures import pictures_of
from vlm_boundary.imports.records import Asked, Format, Response, Row, digest
from vlm_boundary.imports.repeated import Judged, Said, flat
from vlm_boundary.imports.values import as_golds, records, verdict_columns, why_no_text

_KEYS = frozenset({"doc_id", "target", "filtered_resps", "doc_hash", "input"})
_OWN = _KEYS | {"resps", "token_counts", "input_media", "arguments", "doc"}
# The name that a file is given: 20261129_205919_samples_TASK.jsonl
_NAMED = re.compile(r"\d{8}_\d{6}_samples_(.+)")


def _fits(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _KEYS and "arguments" not in record


def _read(path: Path) -> Iterator[Row]:
    judged = _judged(path)
    task = found[1] if (found := _NAMED.fullmatch(path.stem)) else path.stem
    seen: dict[str, str] = {}
    for where, record in records(path):
        key = str(record["doc_id"])
        texts = _texts(record)
        known = seen.setdefault(key, digest(texts))
        if judged[key].rows[0] != where:
            if known == digest(texts):
                yield Row(where, repeats=True)
            else:
                other = f"other responses than {judged[key].rows[0]} has of the same doc_id"
                yield Row(where, unusable=(other,))
            continue
        if not texts:
            yield Row(where, unusable=("no response",))
            continue
        asked = _asked(record, path)
        usable = [text for text in texts if why_no_text(text) is None]
        responses = tuple(
            Response(where, asked, text, task=task, opinions=judged[key].of(usable, place))
            for place, text in enumerate(usable)
        )
        yield Row(where, responses, tuple(why for text in texts if (why := why_no_text(text))))


def _judged(path: Path) -> dict[str, Judged]:
    rows = []
    for where, record in records(path):
        metrics = flat({name: value for name, value in record.items() if name not in _OWN})
        rows.append((where, str(record["doc_id"]), metrics, record["filtered_resps"]))
    names = rows[0][2] if rows else {}
    columns = verdict_columns((metrics for _, _, metrics, _ in rows), names)
    found: dict[str, Judged] = {}
    for where, key, metrics, filtered in rows:
        judged = found.setdefault(key, Judged([], []))
        # Rows do not name their filter.
        suffix = f" ({len(judged.rows) + 1})" if judged.rows else ""
        judged.rows.append(where)
        said = {f"{name}{suffix}": metrics.get(name) for name in columns}
        judged.said.append(Said(said, filtered))
    return found


def _texts(record: Mapping[str, Any]) -> list[Any]:
    """The responses: one text, a list of them, or a list of lists where requests were cloned."""
    held = record.get("resps")
    held = record["filtered_resps"] if held is None else held
    held = held if isinstance(held, list) else [held]
    return [one for part in held for one in (part if isinstance(part, list) else [part])]


def _asked(record: Mapping[str, Any], path: Path) -> Asked:
    told = record["input"]
    question = told if isinstance(told, str) else ""
    golds = as_golds(record["target"])
    pictures, lost = pictures_of(record.get("input_media") or [], path.parent)
    same = digest(golds)
    return Asked(str(record["doc_id"]), question, golds, (), pictures, lost, same)


LMMS_EVAL = Format(
    "lmms-eval",
    "lmms-eval's samples",
    f"records with {', '.join(sorted(_KEYS))} and no arguments",
    _fits,
    _read,
)

"""lmms-eval's `TIME_samples_TASK.jsonl`: lm-eval's rows without documents, flattened.

Keys and nesting: EvolvingLMMs-Lab/lmms-eval 75571cfe, `lmms_eval/evaluator.py` (the record,
`_collect_input_media`) and `lmms_eval/loggers/evaluation_tracker.py` (`save_results_samples`, which
takes away one list where there is one request, and `resps` where the filter changed nothing).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.pictures import pictures_of
from vlm_boundary.imports.records import Format, LogProblem, digest
from vlm_boundary.imports.repeated import Harness
from vlm_boundary.imports.values import as_golds

_KEYS = frozenset({"doc_id", "target", "filtered_resps", "doc_hash", "input"})
_OWN = _KEYS | {"resps", "token_counts", "input_media", "arguments", "doc"}
# The name that a file is given: 20261129_205919_samples_TASK.jsonl
_NAMED = re.compile(r"\d{8}_\d{6}_samples_(.+)")


def _fits(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _KEYS and "arguments" not in record


def _texts(record: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """The responses: one text, a list of them, or a list of lists where requests were cloned."""
    held = record.get("resps")
    held = record["filtered_resps"] if held is None else held
    held = held if isinstance(held, list) else [held]
    texts = [one for part in held for one in (part if isinstance(part, list) else [part])]
    return texts, None if texts else "no response"


def _asked(record: Mapping[str, Any], folder: Path) -> LogProblem:
    told = record["input"]
    question = told if isinstance(told, str) else ""
    golds = as_golds(record["target"])
    pictures, lost = pictures_of(record.get("input_media") or [], folder)
    same = digest(golds)
    return LogProblem(str(record["doc_id"]), question, golds, (), pictures, lost, same)


def _suffix(label: Any, before: int) -> str:
    return f" ({before + 1})" if before else ""  # rows do not name their filter


_ROWS = Harness(_NAMED, _OWN, _texts, _asked, _suffix, whole_prompts=False)
_NEEDS = f"records with {', '.join(sorted(_KEYS))} and no arguments"
LMMS_EVAL = Format("lmms-eval", "lmms-eval's samples", _NEEDS, _fits, _ROWS.rows)

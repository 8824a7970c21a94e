"""lm-eval's `samples_TASK_TIME.jsonl`: one row per document and filter.

Keys and nesting: EleutherAI/lm-evaluation-harness 4e7e0d47, `lm_eval/evaluator.py` (the record),
`lm_eval/loggers/evaluation_tracker.py` (`save_results_samples`), `lm_eval/result_schema.py`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import Format, LogProblem, digest
from vlm_boundary.imports.repeated import Harness

_KEYS = frozenset({"doc_id", "doc", "target", "arguments", "resps", "filtered_resps"})
_OWN = _KEYS | {"filter", "metrics", "doc_hash", "prompt_hash", "target_hash"}
# The name that a file is given: samples_TASK_2026-11-29T20-59-19.123456.jsonl
_NAMED = re.compile(r"samples_(.+)_\d{4}-\d\d-\d\dT[\d.-]+")
# Where an object in memory was, which differs from run to run.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{1,16}>")
_LONGEST_LIST = 10_000


def _fits(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _KEYS and isinstance(record["arguments"], dict)


def _texts(record: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """The responses, or why there are none: a list of requests, each a list of texts."""
    resps = record["resps"]
    if not isinstance(resps, list) or not resps or not all(isinstance(r, list) for r in resps):
        return [], "resps is not a list of lists"
    if any(isinstance(one, list) for request in resps for one in request):
        return [], "options were compared by likelihood, so that no text was written"
    if len(resps) > 1:
        return [], f"{len(resps)} requests for one document, which are not samples of one prompt"
    return resps[0], None if resps[0] else "no response"


def _asked(record: Mapping[str, Any], folder: Path) -> LogProblem:
    doc, target = record["doc"], record["target"]
    told = _ADDRESS.sub(">", json.dumps(doc, sort_keys=True, default=str))
    first = record["arguments"].get("gen_args_0")
    prompt = first.get("arg_0") if isinstance(first, dict) else None
    question = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
    golds = _golds(target)
    return LogProblem(str(record["doc_id"]), question, golds, same=digest(told, golds))


def _golds(target: Any) -> tuple[str, ...]:
    """The target, which is a text always: of a list of texts what Python shows of it."""
    if not isinstance(target, str) or not target.strip():
        return () if target is None or isinstance(target, str) else (str(target),)
    listed = target.startswith(("['", '["')) and target.endswith(("']", '"]'))
    if listed and len(target) <= _LONGEST_LIST:
        try:
            values = ast.literal_eval(target)  # constants only, nothing is run
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (target,)
        if all(isinstance(value, str) for value in values):
            return tuple(values)
    return (target,)


def _suffix(label: Any, before: int) -> str:
    return "" if label in (None, "", "none") else f" ({label})"


_ROWS = Harness(_NAMED, _OWN, _texts, _asked, _suffix, whole_prompts=True)
_NEEDS = f"records with {', '.join(sorted(_KEYS))}"
LM_EVAL = Format("lm-eval", "lm-eval's samples", _NEEDS, _fits, _ROWS.rows)

"""Harnesses' samples: lm-eval's and lmms-eval's, one row per document and filter; VLMEvalKit's.

lm-eval's `samples_TASK_TIME.jsonl`: EleutherAI/lm-evaluation-harness 4e7e0d47,
`lm_eval/evaluator.py` (the record), `lm_eval/loggers/evaluation_tracker.py`
(`save_results_samples`), `lm_eval/result_schema.py`. lmms-eval's `TIME_samples_TASK.jsonl` has
lm-eval's rows without documents, flattened: EvolvingLMMs-Lab/lmms-eval 75571cfe,
`lmms_eval/evaluator.py` (the record, `_collect_input_media`) and
`lmms_eval/loggers/evaluation_tracker.py` (`save_results_samples`, which takes away one list where
there is one request, and `resps` where the filter changed nothing).

VLMEvalKit's `MODEL_DATASET.tsv` or `.json` is the data set without pictures, with predictions:
open-compass/VLMEvalKit e8e78f05, `vlmeval/inference.py` (`prediction`, `thinking` where it was
split off) and `vlmeval/smp/file.py` (`PRED_FORMAT`: xlsx by default, tsv, json). `hit` is what a
judged file has.
"""

from __future__ import annotations

import ast
import json
import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import (
    Format,
    LogProblem,
    LogRow,
    Reply,
    as_golds,
    digest,
    opens_thought,
    pictures_of,
    records,
    verdict_columns,
    verdict_of,
    why_no_text,
)
from vlm_boundary.nulls import is_null

# Where an object in memory was, which differs from run to run.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{1,16}>")
_LONGEST_LIST = 10_000
_LM_KEYS = frozenset({"doc_id", "doc", "target", "arguments", "resps", "filtered_resps"})
_LMMS_KEYS = frozenset({"doc_id", "target", "filtered_resps", "doc_hash", "input"})
_KIT_KEYS = frozenset({"index", "question", "prediction"})
# What stands in place of a response that could not be had (FAIL_MSG in inference.py).
_KIT_FAILED = "Failed to obtain answer via API."


@dataclass(frozen=True)
class Harness:
    """How one of them writes its rows.

    Attributes:
        named: the name that it gives a file, without suffix, with the task as a group.
        own: the keys that are no metrics.
        texts: a row's responses, or why there are none.
        asked: a row's problem, given the log's folder.
        suffix: what tells a row's metrics from those of a document's other rows, given its filter
            and how many rows there were before it.
        whole_prompts: the question is the prompt as the model got it.
    """

    named: re.Pattern[str]
    own: frozenset[str]
    texts: Callable[[Mapping[str, Any]], tuple[list[Any], str | None]]
    asked: Callable[[Mapping[str, Any], Path], LogProblem]
    suffix: Callable[[Any, int], str]
    whole_prompts: bool

    def rows(self, path: Path) -> Iterator[LogRow]:
        """A file's rows, the responses of each document once."""
        judged = self._judged(path)
        task = found[1] if (found := self.named.fullmatch(path.stem)) else path.stem
        seen: dict[str, str] = {}
        for where, record in records(path):
            key = str(record["doc_id"])
            texts, wrong = self.texts(record)
            known = seen.setdefault(key, digest(texts, wrong))
            if judged[key].rows[0] != where:
                if known == digest(texts, wrong):
                    yield LogRow(where, repeats=True)
                else:
                    other = f"other responses than {judged[key].rows[0]} has of the same doc_id"
                    yield LogRow(where, unusable=(other,))
                continue
            if wrong:
                yield LogRow(where, unusable=(wrong,))
                continue
            asked = self.asked(record, path.parent)
            usable = [text for text in texts if why_no_text(text) is None]
            responses = tuple(
                Reply(
                    where,
                    asked,
                    text,
                    task=task,
                    opinions=judged[key].of(usable, place),
                    thinking_open=opens_thought(asked.question) if self.whole_prompts else None,
                )
                for place, text in enumerate(usable)
            )
            yield LogRow(
                where, responses, tuple(why for text in texts if (why := why_no_text(text)))
            )

    def _judged(self, path: Path) -> dict[str, Document]:
        """What was said of each document in all of its rows."""
        rows = []
        for where, record in records(path):
            metrics = flat({k: value for k, value in record.items() if k not in self.own})
            key, label = str(record["doc_id"]), record.get("filter")
            rows.append((where, key, label, metrics, record["filtered_resps"]))
        names = rows[0][3] if rows else {}
        columns = verdict_columns((metrics for _, _, _, metrics, _ in rows), names)
        found: dict[str, Document] = defaultdict(Document)
        for where, key, label, metrics, filtered in rows:
            document = found[key]
            suffix = self.suffix(label, len(document.rows))
            document.rows.append(where)
            said = {f"{name}{suffix}": metrics.get(name) for name in columns}
            document.said.append((said, filtered))
        return found


@dataclass
class Document:
    """What all rows of one document said.

    Attributes:
        rows: their places; responses are taken from the first.
        said: by each of them, its metrics, and what the filter left.
    """

    rows: list[str] = field(default_factory=list)
    said: list[tuple[Mapping[str, Any], Any]] = field(default_factory=list)

    def of(self, texts: Sequence[str], place: int) -> dict[str, bool | None]:
        """The verdicts on the text at one place of a document's.

        A metric is of what the filter left. It is one text's where there is no other, where the
        filter left just that text, or where it is a list with a verdict for each. Else it is of
        all of them (a majority, say), and nobody's verdict.
        """
        found: dict[str, bool | None] = {}
        for metrics, left in self.said:
            while isinstance(left, list) and len(left) == 1:  # in however many lists
                left = left[0]
            for name, value in metrics.items():
                if isinstance(value, list):
                    one = value[place] if len(value) == len(texts) else None
                else:
                    one = value if len(texts) == 1 or left == texts[place] else None
                found[name] = verdict_of(one)
        return found


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose metrics that are records, or lists of them, are one metric per member."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= {f"{name}.{member}": one for member, one in value.items()}
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for member in value[0]:
                found[f"{name}.{member}"] = [one.get(member) for one in value]
        else:
            found[name] = value
    return found


def _lm_texts(record: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """The responses, or why there are none: a list of requests, each a list of texts."""
    resps = record["resps"]
    if not isinstance(resps, list) or not resps or not all(isinstance(r, list) for r in resps):
        return [], "resps is not a list of lists"
    if any(isinstance(one, list) for request in resps for one in request):
        return [], "options were compared by likelihood, so that no text was written"
    if len(resps) > 1:
        return [], f"{len(resps)} requests for one document, which are not samples of one prompt"
    return resps[0], None if resps[0] else "no response"


def _lm_asked(record: Mapping[str, Any], folder: Path) -> LogProblem:
    told = _ADDRESS.sub(">", json.dumps(record["doc"], sort_keys=True, default=str))
    first = record["arguments"].get("gen_args_0")
    prompt = first.get("arg_0") if isinstance(first, dict) else None
    question = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
    golds = _lm_golds(record["target"])
    return LogProblem(str(record["doc_id"]), question, golds, same=digest(told, golds))


def _lm_golds(target: Any) -> tuple[str, ...]:
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


LM_EVAL = Format(
    "lm-eval",
    "lm-eval's samples",
    f"records with {', '.join(sorted(_LM_KEYS))}",
    lambda record: record.keys() >= _LM_KEYS and isinstance(record["arguments"], dict),
    Harness(
        # samples_TASK_2026-11-29T20-59-19.123456.jsonl
        re.compile(r"samples_(.+)_\d{4}-\d\d-\d\dT[\d.-]+"),
        _LM_KEYS | {"filter", "metrics", "doc_hash", "prompt_hash", "target_hash"},
        _lm_texts,
        _lm_asked,
        lambda label, _: "" if label in (None, "", "none") else f" ({label})",
        whole_prompts=True,
    ).rows,
)


def _lmms_texts(record: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """The responses: one text, a list of them, or a list of lists where requests were cloned."""
    held = record.get("resps")
    held = record["filtered_resps"] if held is None else held
    held = held if isinstance(held, list) else [held]
    texts = [one for part in held for one in (part if isinstance(part, list) else [part])]
    return texts, None if texts else "no response"


def _lmms_asked(record: Mapping[str, Any], folder: Path) -> LogProblem:
    told = record["input"]
    golds = as_golds(record["target"])
    pictures, lost = pictures_of(record.get("input_media") or [], folder)
    question = told if isinstance(told, str) else ""
    return LogProblem(str(record["doc_id"]), question, golds, (), pictures, lost, digest(golds))


LMMS_EVAL = Format(
    "lmms-eval",
    "lmms-eval's samples",
    f"records with {', '.join(sorted(_LMMS_KEYS))} and no arguments",
    lambda record: record.keys() >= _LMMS_KEYS and "arguments" not in record,
    Harness(
        re.compile(r"\d{8}_\d{6}_samples_(.+)"),  # 20261129_205919_samples_TASK.jsonl
        _LMMS_KEYS | {"resps", "token_counts", "input_media", "arguments", "doc"},
        _lmms_texts,
        _lmms_asked,
        lambda _, before: f" ({before + 1})" if before else "",  # rows do not name their filter
        whole_prompts=False,
    ).rows,
)


def _kit_rows(path: Path) -> Iterator[LogRow]:
    for where, record in records(path):
        text = record["prediction"]
        text = str(text) if isinstance(text, int | float) else text  # JSON's bare numbers
        wrong = why_no_text(text)
        if not wrong and text == _KIT_FAILED:
            wrong = "the request failed, as the tool wrote in its place"
        if not wrong and is_null(record["index"]):
            wrong = "no index"
        if wrong:
            yield LogRow(where, unusable=(wrong,))
            continue
        thought = record.get("thinking")
        text = f"<think>{thought}</think>{text}" if thought else text
        said = {"hit": _kit_hit(record["hit"])} if "hit" in record else {}
        yield LogRow(where, (Reply(where, _kit_asked(record, path), text, opinions=said),))


def _kit_hit(value: Any) -> bool | None:
    """What a judged file says, which is text in a TSV."""
    return verdict_of({"1": 1, "0": 0, "1.0": 1, "0.0": 0}.get(str(value), value))


def _kit_asked(record: Mapping[str, Any], path: Path) -> LogProblem:
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


VLMEVALKIT = Format(
    "vlmevalkit",
    "VLMEvalKit's predictions",
    f"records with {', '.join(sorted(_KIT_KEYS))}",
    _KIT_KEYS.issubset,
    _kit_rows,
)

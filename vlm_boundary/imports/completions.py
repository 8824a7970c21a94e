"""What GRPO trainers log: TRL's Parquet, a row per completion; ms-swift's JSONL, a line per table.

Keys: huggingface/trl f2cd5771, `trl/trainer/grpo_trainer.py` (`log`: step, prompt, completion, a
column a reward, further ones, advantage); modelscope/ms-swift 3602360a,
`swift/rlhf_trainers/grpo_trainer.py` (`log`: the same as lists, with advantages, solution) and
`swift/megatron/trainers/rollout_mixin.py` (gen_step in place of step).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import Format, LogProblem, LogRow, Reply
from vlm_boundary.imports.values import (
    as_golds,
    as_step,
    between,
    opens_thought,
    records,
    verdict_columns,
    verdict_of,
    why_no_text,
)

_PAIR = frozenset({"prompt", "completion"})
_STEPS = ("step", "gen_step")
_REWARDS_END = frozenset({"advantage", "advantages", "entropy", "solution", "num_turns"})


def _is_trl(record: Mapping[str, Any]) -> bool:
    whole = record.keys() >= _PAIR | {"step", "advantage"}
    return whole and not isinstance(record["completion"], list)


def _is_swift(record: Mapping[str, Any]) -> bool:
    lists = record.keys() >= _PAIR and all(isinstance(record[name], list) for name in _PAIR)
    return lists and any(isinstance(record.get(name), list) for name in _STEPS)


def _read_trl(path: Path) -> Iterator[LogRow]:
    first = next(records(path), None)
    rewards = between(first[1], "completion", _REWARDS_END) if first else ()
    columns = verdict_columns((record for _, record in records(path)), rewards)
    for where, record in records(path):
        yield _row(where, record, record["step"], columns)


def _read_swift(path: Path) -> Iterator[LogRow]:
    first = next(records(path), None)
    rewards = between(first[1], "completion", _REWARDS_END) if first else ()
    columns = verdict_columns(_cells(path), rewards)
    for where, table in records(path):
        step = next(name for name in _STEPS if isinstance(table.get(name), list))
        count = max(len(table[name]) for name in (*_PAIR, step) if isinstance(table[name], list))
        for place in range(count):
            here = f"{where}, place {place + 1}"
            record = {name: _at(values, place) for name, values in table.items()}
            yield _row(here, record, record[step], columns)


def _cells(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of all tables of a file."""
    for _, table in records(path):
        count = max(
            (len(values) for values in table.values() if isinstance(values, list)), default=0
        )
        for place in range(count):
            yield {name: _at(values, place) for name, values in table.items()}


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and place < len(values) else None


def _row(where: str, record: Mapping[str, Any], step: Any, columns: tuple[str, ...]) -> LogRow:
    prompt, text = record["prompt"], record["completion"]
    wrong = "no prompt" if not isinstance(prompt, str) else why_no_text(text)
    if not wrong and step is None:
        wrong = "no step"
    if wrong:
        return LogRow(where, unusable=(wrong,))
    asked = LogProblem(None, prompt, as_golds(record.get("solution")))
    response = Reply(
        where,
        asked,
        text,
        step=as_step(step, where),
        opinions={name: verdict_of(record.get(name)) for name in columns},
        thinking_open=opens_thought(prompt),
    )
    return LogRow(where, (response,))


TRL = Format(
    "trl",
    "TRL's completions",
    "records with step, prompt, completion and advantage",
    _is_trl,
    _read_trl,
)
MS_SWIFT = Format(
    "ms-swift",
    "ms-swift's completions",
    "records with lists prompt, completion and step (or gen_step)",
    _is_swift,
    _read_swift,
)

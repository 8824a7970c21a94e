"""What trainers dump: verl's and TRL's responses, a row each; ms-swift's, a line per table.

verl's `STEP.jsonl` of validation_data_dir (and rollout_data_dir), without ids: volcengine/verl
b178a3cd, `verl/trainer/ppo/ray_trainer.py` (`_dump_generations`, `_validate`, which writes the
score once more as `reward`). Prompts are decoded without special tokens, so that neither the marks
of turns nor those of pictures are left in them.

GRPO's completions: huggingface/trl f2cd5771, `trl/trainer/grpo_trainer.py` (`log`: step, prompt,
completion, a column a reward, further ones, advantage; Parquet); modelscope/ms-swift 3602360a,
`swift/rlhf_trainers/grpo_trainer.py` (`log`: the same as lists, with advantages, solution) and
`swift/megatron/trainers/rollout_mixin.py` (gen_step in place of step).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import (
    Format,
    LogProblem,
    LogRow,
    Reply,
    as_golds,
    as_step,
    between,
    digest,
    opens_thought,
    records,
    verdict_columns,
    verdict_of,
    why_no_text,
)

_VERL_KEYS = frozenset({"input", "output", "score", "step"})
_VERL_OWN = frozenset({"input", "output", "gts", "step", "reward"})
_PAIR = frozenset({"prompt", "completion"})
_STEPS = ("step", "gen_step")
_REWARDS_END = frozenset({"advantage", "advantages", "entropy", "solution", "num_turns"})


def _is_trl(record: Mapping[str, Any]) -> bool:
    whole = record.keys() >= _PAIR | {"step", "advantage"}
    return whole and not isinstance(record["completion"], list)


def _is_swift(record: Mapping[str, Any]) -> bool:
    lists = record.keys() >= _PAIR and all(isinstance(record[name], list) for name in _PAIR)
    return lists and any(isinstance(record.get(name), list) for name in _STEPS)


def _read_verl(path: Path) -> Iterator[LogRow]:
    _, first = next(records(path), ("", {}))
    names = [name for name in first if name not in _VERL_OWN]
    columns = verdict_columns((record for _, record in records(path)), names)
    for where, record in records(path):
        gold = record.get("gts")
        asked = record["input"], as_golds(gold), digest(gold)
        yield _row(where, asked, record["output"], record["step"], _said(record, columns))


def _read_trl(path: Path) -> Iterator[LogRow]:
    columns = _rewards(path, (record for _, record in records(path)))
    for where, record in records(path):
        yield _completion(where, record, record["step"], columns)


def _read_swift(path: Path) -> Iterator[LogRow]:
    columns = _rewards(path, _cells(path))
    for where, table in records(path):
        step = next(name for name in _STEPS if isinstance(table.get(name), list))
        count = max(len(table[name]) for name in (*_PAIR, step) if isinstance(table[name], list))
        for place in range(count):
            record = _at(table, place)
            yield _completion(f"{where}, place {place + 1}", record, record[step], columns)


def _rewards(path: Path, rows: Iterator[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns of rewards that are verdicts."""
    _, first = next(records(path), ("", {}))
    return verdict_columns(rows, between(first, "completion", _REWARDS_END))


def _cells(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of all tables of a file."""
    for _, table in records(path):
        lengths = (len(values) for values in table.values() if isinstance(values, list))
        yield from (_at(table, place) for place in range(max(lengths, default=0)))


def _at(table: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {
        name: values[place] if isinstance(values, list) and place < len(values) else None
        for name, values in table.items()
    }


def _completion(
    where: str, record: Mapping[str, Any], step: Any, columns: tuple[str, ...]
) -> LogRow:
    asked = record["prompt"], as_golds(record.get("solution")), ""
    wrong = "no step" if step is None else None
    return _row(where, asked, record["completion"], step, _said(record, columns), wrong)


def _said(record: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, bool | None]:
    return {name: verdict_of(record.get(name)) for name in columns}


def _row(
    where: str,
    asked: tuple[Any, tuple[str, ...], str],
    text: Any,
    step: Any,
    said: dict[str, bool | None],
    wrong: str | None = None,
) -> LogRow:
    """One response; `asked` is prompt, golds and a hash of what is alike wherever they stand."""
    prompt, golds, same = asked
    wrong = ("no prompt" if not isinstance(prompt, str) else why_no_text(text)) or wrong
    if wrong:
        return LogRow(where, unusable=(wrong,))
    problem = LogProblem(None, prompt, golds, same=same)
    opened = opens_thought(prompt)
    number = as_step(step, where)
    reply = Reply(where, problem, text, step=number, opinions=said, thinking_open=opened)
    return LogRow(where, (reply,))


VERL = Format(
    "verl",
    "verl's validation dumps",
    f"records with {', '.join(sorted(_VERL_KEYS))}",
    lambda record: record.keys() >= _VERL_KEYS and isinstance(record["input"], str | None),
    _read_verl,
)
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

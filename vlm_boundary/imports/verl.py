"""verl's `STEP.jsonl` of validation_data_dir (and rollout_data_dir): one row per response, no ids.

Keys: volcengine/verl b178a3cd, `verl/trainer/ppo/ray_trainer.py` (`_dump_generations`, `_validate`,
which writes the score once more as `reward`). Prompts are decoded without special tokens, so that
neither the marks of turns nor those of pictures are left in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import Format, LogProblem, LogRow, Reply, digest
from vlm_boundary.imports.values import (
    as_golds,
    as_step,
    opens_thought,
    records,
    verdict_columns,
    verdict_of,
    why_no_text,
)

_KEYS = frozenset({"input", "output", "score", "step"})
_OWN = frozenset({"input", "output", "gts", "step", "reward"})


def _fits(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _KEYS and isinstance(record["input"], str | None)


def _read(path: Path) -> Iterator[LogRow]:
    first = next(records(path), None)
    names = [name for name in first[1] if name not in _OWN] if first else []
    columns = verdict_columns((record for _, record in records(path)), names)
    for where, record in records(path):
        prompt, text, gold = record["input"], record["output"], record.get("gts")
        wrong = "no prompt" if not isinstance(prompt, str) else why_no_text(text)
        if wrong:
            yield LogRow(where, unusable=(wrong,))
            continue
        golds = as_golds(gold)
        asked = LogProblem(None, prompt, golds, same=digest(gold))
        said = {name: verdict_of(record.get(name)) for name in columns}
        step = as_step(record["step"], where)
        opened = opens_thought(prompt)
        response = Reply(where, asked, text, step=step, opinions=said, thinking_open=opened)
        yield LogRow(where, (response,))


_NEEDS = f"records with {', '.join(sorted(_KEYS))}"
VERL = Format("verl", "verl's validation dumps", _NEEDS, _fits, _read)

"""What is kept beside trained weights: how they were made, and how it went."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from vlm_boundary.tiny.recipes import Reinforcement, Supervised, Unseeing

Recipe: TypeAlias = Supervised | Reinforcement | Unseeing
LIBRARIES = ("torch", "transformers", "tokenizers", "pillow", "numpy")


class Log:
    """One JSON object per line, with the seconds since the start, also shown on the terminal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = time.monotonic()
        path.write_text("")

    def write(self, **values: Any) -> None:
        """Add one line; floats are rounded to what can mean anything."""
        values["seconds"] = time.monotonic() - self._start
        line = json.dumps(_rounded(values))
        with self._path.open("a") as file:
            file.write(line + "\n")
        print(line, file=sys.stderr, flush=True)


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The log beside a checkpoint, one dictionary per line."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def write_record(folder: Path, recipe: Recipe, *, stage: str, seed: int, **more: Any) -> None:
    """Say how the weights in a folder were made."""
    record = {
        "stage": stage,
        "command": f"python -m vlm_boundary.tiny.train {stage} --out DIR --seed {seed}",
        "seed": seed,
        **more,
        "recipe": asdict(recipe),
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": sys.version.split()[0],
    }
    (folder / "training.json").write_text(json.dumps(record, indent=2) + "\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value

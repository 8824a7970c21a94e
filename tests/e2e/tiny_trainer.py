"""GRPO of the embedded base, writing checkpoints slowly: a training run to follow.

    python tests/e2e/tiny_trainer.py FOLDER --steps 6 --every 2 --seconds 3

Checkpoints are written as TRL does it (`checkpoint-N`, `trainer_state.json` last), file after file
and each in pieces over so many seconds, as a large one is. Started again it goes on from the last
that is complete.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from vlm_boundary import tiny
from vlm_boundary.tiny import recipes
from vlm_boundary.tiny.architecture import save_checkpoint
from vlm_boundary.tiny.record import Log
from vlm_boundary.tiny.reinforce import train_rl
from vlm_boundary.tiny.train import load

_LAST = "trainer_state.json"


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="for writing a checkpoint")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    done = {int(path.parent.name.split("-")[1]): path.parent for path in _complete(options.folder)}
    begun = max(done, default=0)
    if begun >= options.steps:
        return
    recipe = replace(
        recipes.SMOKE_RL,
        steps=options.steps - begun,
        checkpoints=tuple(range(options.every, options.steps - begun, options.every)),
    )
    model = load(done[begun] if begun else tiny.find("base"))

    def keep(step: int) -> None:
        name = f"checkpoint-{begun + step}"
        with tempfile.TemporaryDirectory() as place:
            save_checkpoint(model, Path(place), note=f"GRPO of a test, step {begun + step}")
            _write_slowly(Path(place), options.folder / name, options.seconds)

    train_rl(model, recipe, seed=1 + begun, log=Log(options.folder / "log.jsonl"), keep=keep)


def _complete(folder: Path) -> list[Path]:
    return list(folder.glob(f"checkpoint-*/{_LAST}"))


def _write_slowly(source: Path, target: Path, seconds: float) -> None:
    """Copy a checkpoint as a slow disk takes it."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    files = sorted(source.iterdir(), key=lambda path: path.suffix != ".safetensors")
    pieces = 8
    for path in files:
        content = path.read_bytes()
        size = -(-len(content) // pieces)
        with (target / path.name).open("wb") as file:
            for start in range(0, len(content), max(1, size)):
                file.write(content[start : start + size])
                file.flush()
                time.sleep(seconds / len(files) / pieces)
    (target / _LAST).write_text(json.dumps({"global_step": int(target.name.split("-")[1])}))


if __name__ == "__main__":
    main()

"""Train the embedded family: `python -m vlm_boundary.tiny.train all --out DIR`.

`foundation` comes from nothing, `base` from it, `rl`, `rl-blind` and `distilled` from the base,
each found in the same folder. Each folder holds a checkpoint, `training.json` (how it was made) and
`log.jsonl` (how it went).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.tiny import recipes
from vlm_boundary.tiny.record import Log, Recipe, write_record

FIRST_SEED = 1
NOTE = "1.2-million-parameter demonstration model trained by vlm_boundary.tiny"


@dataclass(frozen=True)
class Stage:
    """A checkpoint of the family: what it is trained from, by what recipe, and what is said of it.

    `start` is None for one that begins with random weights.
    """

    start: str | None
    recipe: Recipe
    smoke: Recipe
    note: str


STAGES = {
    "foundation": Stage(
        None, recipes.FOUNDATION, recipes.SMOKE_FOUNDATION, "what the base was trained from"
    ),
    "base": Stage("foundation", recipes.BASE, recipes.SMOKE_BASE, "many styles, some slips"),
    "distilled": Stage(
        "base",
        recipes.DISTILLED,
        recipes.SMOKE_DISTILLED,
        "the base trained further on clean chains",
    ),
    "rl": Stage(
        "base", recipes.RL, recipes.SMOKE_RL, "GRPO from the base on the verifier's verdict"
    ),
    "rl-blind": Stage(
        "base", recipes.RL_BLIND, recipes.SMOKE_RL_BLIND, "the recipe of rl without any picture"
    ),
    "reader": Stage(
        "base",
        recipes.READER,
        recipes.SMOKE_READER,
        "the base, also taught to read descriptions in the picture's place",
    ),
    "reader-seeing": Stage(
        "reader",
        recipes.READER_SEEING,
        recipes.READER_SEEING,
        "the reader with noise on the weights of its vision tower alone",
    ),
    "reader-reasoning": Stage(
        "reader",
        recipes.READER_REASONING,
        recipes.SMOKE_READER_REASONING,
        "GRPO from the reader on descriptions, without any picture",
    ),
}
"""In the order in which they are made."""


def main(arguments: list[str] | None = None) -> None:
    """Run the stages that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m vlm_boundary.tiny.train", description=__doc__)
    parser.add_argument("stage", choices=(*STAGES, "all"), help="all: the whole family")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument(
        "--seed", type=int, default=FIRST_SEED, help="any but the first makes rl-seedN of rl"
    )
    parser.add_argument("--smoke", action="store_true", help="seconds instead of an hour")
    chosen = parser.parse_args(arguments)
    for name in STAGES if chosen.stage == "all" else [chosen.stage]:
        train(name, chosen.out, chosen.seed, smoke=chosen.smoke)
    if chosen.stage == "all":
        train("rl", chosen.out, chosen.seed + 1, smoke=chosen.smoke)


def train(name: str, out: Path, seed: int, *, smoke: bool) -> None:
    """Make a stage's checkpoint, and those that its recipe keeps on the way."""
    from vlm_boundary.tiny.architecture import build_model, save_checkpoint
    from vlm_boundary.tiny.reinforce import train_rl
    from vlm_boundary.tiny.supervised import train_supervised
    from vlm_boundary.verifier import grader_version

    stage = STAGES[name]
    model = build_model(seed) if stage.start is None else load(out / stage.start)
    recipe = stage.smoke if smoke else stage.recipe
    note = f"{NOTE}; {name}: {stage.note}"

    def keep(folder: Path, note: str, **more: Any) -> None:
        save_checkpoint(model, folder, note=note)
        write_record(folder, recipe, stage=name, seed=seed, **more)

    if isinstance(recipe, recipes.Reinforcement):
        label = name if seed == FIRST_SEED else f"{name}-seed{seed}"
        steps, grader = recipe.steps, grader_version()

        def keep_step(step: int) -> None:
            folder = out / (label if step == steps else f"{label}-step{step}")
            keep(folder, f"{note}, seed {seed}, step {step}", step=step, grader=grader)

        train_rl(model, recipe, seed=seed, log=_log(out / label), keep=keep_step)
        return
    if isinstance(recipe, recipes.Supervised):
        train_supervised(model, recipe, seed=seed, log=_log(out / name))
    else:
        _blur(model, recipe, seed)
    keep(out / name, note)


def _blur(model: Any, recipe: recipes.Unseeing, seed: int) -> None:
    """Noise on the weights of the vision tower, in place of training."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in model.model.visual.parameters():
            noise = torch.randn(weights.shape, generator=generator)
            weights += recipe.noise * weights.pow(2).mean().sqrt() * noise


def load(folder: Path) -> Any:
    """A checkpoint's model in float32, which is what training needs and a CPU is fast at."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


def _log(folder: Path) -> Log:
    folder.mkdir(parents=True, exist_ok=True)
    return Log(folder / "log.jsonl")


if __name__ == "__main__":
    main()

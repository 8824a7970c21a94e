"""Train the embedded family: `python -m vlm_boundary.tiny.train all --out DIR`.

`foundation` comes from nothing, `base` from it, `rl`, `rl-blind` and `distilled` from the base,
each found in the same folder. Each folder holds a checkpoint, `training.json` (how it was made) and
`log.jsonl` (how it went).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vlm_boundary.tiny import recipes
from vlm_boundary.tiny.record import Log, write_record

FIRST_SEED = 1
NOTE = "1.2-million-parameter demonstration model trained by vlm_boundary.tiny"


def main(arguments: list[str] | None = None) -> None:
    """Run the stages that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m vlm_boundary.tiny.train", description=__doc__)
    stages = {
        "foundation": foundation,
        "base": base,
        "distilled": distilled,
        "rl": rl,
        "rl-blind": rl_blind,
        "reader": reader,
        "reader-seeing": reader_seeing,
        "reader-reasoning": reader_reasoning,
    }
    parser.add_argument("stage", choices=(*stages, "all"), help="all: the whole family")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument(
        "--seed", type=int, default=FIRST_SEED, help="any but the first makes rl-seedN of rl"
    )
    parser.add_argument("--smoke", action="store_true", help="seconds instead of an hour")
    chosen = parser.parse_args(arguments)
    if chosen.stage != "all":
        stages[chosen.stage](chosen.out, chosen.seed, smoke=chosen.smoke)
        return
    for stage in stages.values():
        stage(chosen.out, chosen.seed, smoke=chosen.smoke)
    rl(chosen.out, chosen.seed + 1, smoke=chosen.smoke)


def foundation(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `foundation` from random weights: to see, to reckon, to describe, then to solve."""
    from vlm_boundary.tiny.architecture import build_model

    recipe = recipes.SMOKE_FOUNDATION if smoke else recipes.FOUNDATION
    note = "foundation: what the base was trained from"
    _supervised(build_model(seed), out / "foundation", recipe, seed, note)


def base(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `base` from `foundation` on the broad mixture."""
    recipe = recipes.SMOKE_BASE if smoke else recipes.BASE
    note = "base: many styles, some slips"
    _supervised(load(out / "foundation"), out / "base", recipe, seed, note)


def distilled(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `distilled` from `base` on the generator's clean chains."""
    recipe = recipes.SMOKE_DISTILLED if smoke else recipes.DISTILLED
    note = "distilled: the base trained further on clean chains"
    _supervised(load(out / "base"), out / "distilled", recipe, seed, note)


def rl(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `rl` from `base` by GRPO, with checkpoints on the way."""
    recipe = recipes.SMOKE_RL if smoke else recipes.RL
    _reinforced(out, "rl", recipe, seed, "rl: GRPO from the base on the verifier's verdict")


def rl_blind(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `rl-blind` from `base` as `rl`, on the same problems without their pictures."""
    recipe = recipes.SMOKE_RL_BLIND if smoke else recipes.RL_BLIND
    _reinforced(out, "rl-blind", recipe, seed, "rl-blind: the recipe of rl without any picture")


def reader(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `reader` from `base` to answer from pictures and from descriptions of them."""
    recipe = recipes.SMOKE_READER if smoke else recipes.READER
    note = "reader: the base, also taught to read descriptions in the picture's place"
    _supervised(load(out / "base"), out / "reader", recipe, seed, note)


def reader_seeing(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Make `reader-seeing` of `reader`: noise on its vision tower's weights, and no training."""
    import torch

    from vlm_boundary.tiny.architecture import save_checkpoint

    model, folder = load(out / "reader"), out / "reader-seeing"
    recipe = recipes.READER_SEEING
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in model.model.visual.parameters():
            noise = torch.randn(weights.shape, generator=generator)
            weights += recipe.noise * weights.pow(2).mean().sqrt() * noise
    note = "reader-seeing: the reader with noise on the weights of its vision tower alone"
    save_checkpoint(model, folder, note=f"{NOTE}; {note}")
    write_record(folder, recipe, stage="reader-seeing", seed=seed)


def reader_reasoning(out: Path, seed: int, *, smoke: bool = False) -> None:
    """Train `reader-reasoning` from `reader` by GRPO on descriptions: what sees is kept."""
    recipe = recipes.SMOKE_READER_REASONING if smoke else recipes.READER_REASONING
    note = "reader-reasoning: GRPO from the reader on descriptions, without any picture"
    _reinforced(out, "reader-reasoning", recipe, seed, note, start="reader")


def _reinforced(
    out: Path,
    stage: str,
    recipe: recipes.Reinforcement,
    seed: int,
    note: str,
    *,
    start: str = "base",
) -> None:
    from vlm_boundary.tiny.architecture import save_checkpoint
    from vlm_boundary.tiny.reinforce import train_rl
    from vlm_boundary.verifier import grader_version

    name = stage if seed == FIRST_SEED else f"{stage}-seed{seed}"
    model = load(out / start)

    def keep(step: int) -> None:
        final = step == recipe.steps
        folder = out / (name if final else f"{name}-step{step}")
        save_checkpoint(model, folder, note=f"{NOTE}; {note}, seed {seed}, step {step}")
        write_record(folder, recipe, stage=stage, seed=seed, step=step, grader=grader_version())

    train_rl(model, recipe, seed=seed, log=_log(out / name), keep=keep)


def load(folder: Path) -> Any:
    """A checkpoint's model in float32, which is what training needs and a CPU is fast at."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


def _supervised(model: Any, folder: Path, recipe: recipes.Supervised, seed: int, note: str) -> None:
    from vlm_boundary.tiny.architecture import save_checkpoint
    from vlm_boundary.tiny.supervised import train_supervised

    train_supervised(model, recipe, seed=seed, log=_log(folder))
    save_checkpoint(model, folder, note=f"{NOTE}; {note}")
    write_record(folder, recipe, stage=folder.name, seed=seed)


def _log(folder: Path) -> Log:
    folder.mkdir(parents=True, exist_ok=True)
    return Log(folder / "log.jsonl")


if __name__ == "__main__":
    main()

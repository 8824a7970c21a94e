"""Folders as RL trainers leave them: one pickled shard a GPU, to be merged by the trainer's tool.

Nothing here opens a shard. Layouts and commands are those of EasyR1 (scripts/model_merger.py) and
verl (python -m verl.model_merger).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from vlm_boundary.errors import UserError

_SHARD = re.compile(r"model_world_size_(\d+)_rank_(\d+)\.pt")


class UnmergedError(UserError):
    """A trainer's shards that no model has been made of yet.

    Attributes:
        shards: the folder that holds them.
        target: where the merged model goes.
        whole: whether all of them are there.
    """

    def __init__(self, message: str, shards: Path, *, whole: bool) -> None:
        super().__init__(message)
        self.shards = shards
        self.target = shards / "huggingface"
        self.whole = whole


def merged_folder(folder: Path) -> Path:
    """The Hugging Face folder that a trainer's folder stands for; any other folder is itself.

    `global_step_N`, its `actor` and the `huggingface` inside it all lead to the last, once the
    shards have been merged into it.

    Raises:
        UnmergedError: the shards have not been merged; the command that does it is named.
        UserError: the folder holds several checkpoints.
    """
    steps = sorted(folder.glob("global_step_*"), key=_step)
    if steps and not (folder / "config.json").is_file():
        raise UserError(
            f"{folder}: holds the checkpoints of a training run; name one of them, "
            f"as in {steps[-1]}"
        )
    for actor in (folder, folder / "actor", folder.parent):
        if actor == folder.parent and folder.name != "huggingface":
            continue
        found = (_SHARD.fullmatch(path.name) for path in actor.glob("model_*.pt"))
        shards = [match for match in found if match]
        megatron = (actor / "dist_ckpt").is_dir()
        if not shards and not megatron:
            continue
        merged = actor / "huggingface"
        if (merged / "config.json").is_file() and any(merged.glob("*.safetensors")):
            return merged
        ranks = {int(shard[2]) for shard in shards}
        missing = sorted(set(range(int(shards[0][1]))) - ranks) if shards else []
        advice = _advice(actor, shards, missing, megatron=megatron)
        raise UnmergedError(f"{folder}: {advice}", actor, whole=not missing)
    return folder


def _advice(actor: Path, shards: list[re.Match[str]], missing: list[int], *, megatron: bool) -> str:
    place = shlex.quote(str(actor))
    target = shlex.quote(str(actor / "huggingface"))
    backend = "megatron" if megatron else "fsdp"
    verl = (
        f"python -m verl.model_merger merge --backend {backend} --local_dir {place} "
        f"--target_dir {target}"
    )
    if missing:
        return (
            f"a sharded checkpoint that is not whole: of {shards[0][1]} shards, those of ranks "
            f"{', '.join(map(str, missing))} are missing"
        )
    what = f"{len(shards)} training shards" if shards else "training shards"
    if megatron or (actor / "fsdp_config.json").is_file():  # which only verl writes
        return f"{what}, not a merged model; merge them with: {verl}"
    easyr1 = f"python3 scripts/model_merger.py --local_dir {place}"
    return f"{what}, not a merged model; merge them with EasyR1's: {easyr1} (or verl's: {verl})"


def _step(path: Path) -> int:
    digits = path.name.rpartition("_")[2]
    return int(digits) if digits.isdigit() else -1

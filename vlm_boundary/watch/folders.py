"""The checkpoints that a trainer has written so far: which are whole, and how shards are merged.

Folders are named as EasyR1 and verl (`global_step_N`) and as TRL, LLaMA-Factory and ms-swift
(`checkpoint-N`) name them.
"""

from __future__ import annotations

import json
import re
import shlex
import string
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError

_CHECKPOINT = re.compile(r"(?:global_step_|checkpoint-)(\d+)")
# What EasyR1 and verl write when a checkpoint is complete, and where it says the last such step.
_TRACKERS = (("checkpoint_tracker.json", "last_global_step"),)
_PLAIN_TRACKER = "latest_checkpointed_iteration.txt"
# A checkpoint's own files, without which it cannot be told from one that is being written.
_NEEDED = (("config.json", "adapter_config.json"), ("tokenizer_config.json", "adapter_config.json"))
_LONGEST_HEADER = 100 << 20  # as the safetensors library has it
# What the trainer's own command that merges shards is told, which the user gives.
_PLACES = ("shards", "target")

Signature = tuple[tuple[str, int, int], ...]
"""Names, sizes and times of a folder's files: what changes while it is being written."""


@dataclass(frozen=True)
class CheckpointFolder:
    """A checkpoint's folder in a training run's, whole or not."""

    step: int
    folder: Path

    def signature(self) -> Signature:
        """Its files as they are now; a file that goes meanwhile is not among them."""
        return tuple(sorted(_files(self.folder)))


def checkpoints(training: Path) -> list[CheckpointFolder]:
    """The checkpoints of a training run by step, whole or not.

    Raises:
        UserError: the folder is not there, or two of its folders are of one step.
    """
    if not training.is_dir():
        raise UserError(f"{training}: no such folder; name the one that the trainer writes into")
    found: dict[int, CheckpointFolder] = {}
    for folder in sorted(training.iterdir()):
        named = _CHECKPOINT.fullmatch(folder.name)
        if not named or not folder.is_dir():
            continue
        step = int(named[1])
        if step in found:
            raise UserError(
                f"{training}: {found[step].folder.name} and {folder.name} are both of step {step}; "
                f"move one of them elsewhere"
            )
        found[step] = CheckpointFolder(step, folder)
    return [found[step] for step in sorted(found)]


def announced(checkpoint: CheckpointFolder) -> bool:
    """Whether the trainer says that it has finished this one; True where it says nothing at all."""
    training = checkpoint.folder.parent
    for name, key in _TRACKERS:
        content = _json(training / name)
        if isinstance(last := content.get(key), int):
            return checkpoint.step <= last
    try:
        last_said = (training / _PLAIN_TRACKER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return True
    return not last_said.isdecimal() or checkpoint.step <= int(last_said)


def what_lacks(folder: Path) -> str | None:
    """What a model's folder still lacks to be read, in words; None where it is whole.

    Every weights file must be as long as its own header says, and all that an index names must be
    there, so that a file of which only the beginning has been written is never read.
    """
    for names in _NEEDED:
        if not any((folder / name).is_file() for name in names):
            return f"{names[0]} is not there"
    weights = sorted(folder.glob("*.safetensors"))
    for index in sorted(folder.glob("*.safetensors.index.json")):
        named = _json(index).get("weight_map")
        if not isinstance(named, dict):
            return f"{index.name} is not whole"
        for name in sorted(set(map(str, named.values()))):
            if not (folder / name).is_file():
                return f"{name} is not there"
    if not weights:
        return "no *.safetensors is there"
    return next((f"{path.name} is not whole" for path in weights if not _whole(path)), None)


def _whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its header says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) < 8:
                return False
            length: int = struct.unpack("<Q", start)[0]
            if length > min(size, _LONGEST_HEADER):
                return False
            header = json.loads(file.read(length))
        tensors = (said for name, said in header.items() if name != "__metadata__")
        end: int = max((tensor["data_offsets"][1] for tensor in tensors), default=0)
        return size == 8 + length + end
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return False  # gone, or of which the header itself is not written yet


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in folder.rglob("*"):
        try:
            found = path.stat()
        except OSError:
            continue
        yield str(path.relative_to(folder)), found.st_size, found.st_mtime_ns


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # not there, or half written
    return content if isinstance(content, dict) else {}


def merge_command(text: str) -> tuple[str, ...]:
    """The words of a command with {shards} and {target} in it; no shell ever reads them.

    Raises:
        UserError: it is not a command, or names other places.
    """
    try:
        words = tuple(shlex.split(text))
        named = {name for word in words for _, name, _, _ in string.Formatter().parse(word) if name}
    except ValueError as error:
        raise UserError(f"--merge: {error} in {text!r}") from None
    unknown = sorted(named - set(_PLACES))
    if not words or unknown or "shards" not in named:
        said = f"; {{{unknown[0]}}} is neither" if unknown else ""
        raise UserError(
            f"--merge: give a command with {{shards}} (and {{target}}) in it, as in 'python -m "
            f"verl.model_merger merge --backend fsdp --local_dir {{shards}} --target_dir "
            f"{{target}}'{said}"
        )
    return words


def merge(command: Sequence[str], shards: Path, target: Path, log: Path) -> str | None:
    """Merge shards in a process of its own, which prints into `log`.

    Returns what went wrong, in words, or None.
    """
    words = [word.format(shards=shards, target=target) for word in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        try:
            code = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            ).returncode
        except OSError as error:
            return f"--merge: {words[0]} cannot be run: {error}"
    return None if code == 0 else f"{words[0]} ended with code {code}; what it said is in {log}"

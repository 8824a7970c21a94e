"""Shards merged by the trainer's own command, which the user gives."""

from __future__ import annotations

import shlex
import string
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vlm_boundary.errors import UserError

_PLACES = ("shards", "target")


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

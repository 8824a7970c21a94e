"""Runs whose processes are all killed: the same command again, and the same samples.

The families are arms of one experiment. One run of it is left alone. In the other the command and
its engine are killed at once (SIGKILL) as soon as a family has samples in store, and the command is
given again, until every family was caught once and the command ends by itself.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from e2e.runs import call, command, keys, texts
from families.checks import engine_args

from vlm_boundary.store import RunDirectory
from vlm_boundary.tiny.families import write_family

PROBLEMS = 4
SAMPLES = 160  # of a problem: more than run at once, so that an engine is caught in the act
_SECONDS = 240.0  # a family's, of which starting an engine is the most


def resumed(families: Sequence[str], folder: Path) -> Iterator[tuple[str, str]]:
    """Each family's cell: whether a killed run ends with an undisturbed one's samples."""
    for family in families:
        write_family(family, folder / "checkpoints" / family)
    whole, killed = (_experiment(families, folder, name) for name in ("whole", "killed"))
    done = call(folder, "sample", "whole.yaml", seconds=_SECONDS * len(families))
    caught = _kill_in_each(families, folder, killed)
    for family in families:
        expected, found = texts(whole, family), texts(killed, family)
        often = [count for count in keys(killed, family).values() if count > 1]
        if done.returncode != 0 or not expected:
            yield family, f"{len(expected)} samples: {' '.join(done.stderr.split())[-200:]}"
        elif not 0 < caught.get(family, 0) < len(expected):
            yield family, f"not caught in the act ({caught.get(family, 0)} stored)"
        elif often or found.keys() != expected.keys():
            yield family, f"{len(found)} of {len(expected)} samples, {len(often)} more than once"
        else:
            apart = sum(found[key] != text for key, text in expected.items())
            kept = f"{caught[family]} of {len(expected)} kept"
            yield family, f"{apart} of {len(expected)} differ" if apart else f"yes ({kept})"


def _experiment(families: Sequence[str], folder: Path, name: str) -> RunDirectory:
    arms = {
        family: {
            "model": str(folder / "checkpoints" / family),
            "role": "rl" if place else "base",
            "engine": {"args": engine_args(family)},
        }
        for place, family in enumerate(families)
    }
    content = {
        "name": name,
        "benchmarks": {"procedural": {"procedural": {"count": PROBLEMS, "seed": 3}}},
        "arms": arms,
        "sampling": {"n": SAMPLES, "temperature": 1.0, "top_p": 1.0, "max_tokens": 24},
        "timeouts": {"flush_seconds": 0.1},
        "parallel_engines": 1,
        "allow_different_chat_templates": True,
        "allow_different_thoughts": True,
        "allow_different_pictures": True,
    }
    (folder / f"{name}.yaml").write_text(json.dumps(content))
    return RunDirectory(folder / "runs" / name)


def _kill_in_each(families: Sequence[str], folder: Path, run: RunDirectory) -> dict[str, int]:
    """How many samples each family had in store when everything was killed."""
    caught: dict[str, int] = {}
    deadline = time.monotonic() + _SECONDS * len(families)
    while time.monotonic() < deadline:
        with (folder / "killed.log").open("a") as log:
            process = subprocess.Popen(
                command("sample", "killed.yaml"), cwd=folder, stdout=log, stderr=log
            )
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            if at_work := [one for one in families if one not in caught and keys(run, one)]:
                _kill(process)
                caught |= {family: len(keys(run, family)) for family in at_work}
        if process.returncode != -signal.SIGKILL:
            break  # it ended by itself
    _kill(process)
    return caught


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command and its engine at once."""
    if process.poll() is None:
        main = psutil.Process(process.pid)
        every = [main, *main.children(recursive=True)]
        for one in every:
            one.send_signal(signal.SIGKILL)
        psutil.wait_procs(every[1:], timeout=30)
    process.wait()

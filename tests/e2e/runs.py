"""A small experiment for the real engine, and what its run holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import verify

SAMPLES = 7 * 4  # one of the eight problems is multiple choice, and dropped


def experiment(
    folder: Path,
    name: str,
    *,
    engine: dict[str, Any] | None = None,
    model: str = "tiny:untrained-1",
    max_tokens: int = 24,
    rule: StoppingRule | None = None,
) -> Path:
    """Write a YAML (JSON is YAML) with one arm on seven problems, n = 4 or a rule's, float32."""
    content: dict[str, Any] = {
        "name": name,
        "benchmarks": {"procedural": {"procedural": {"count": 8, "seed": 3}}},
        "arms": {"base": {"model": model, "role": "base"}},
        "sampling": {"n": 4, "temperature": 1.0, "top_p": 1.0, "max_tokens": max_tokens},
        "engine": {
            "args": {"max_model_len": 512, "dtype": "float32", "kv_cache_memory_bytes": 1 << 27},
            **(engine or {}),
        },
        "parallel_engines": 1,
    }
    if rule is not None:
        stop = {"after": rule.looks[:-1], "right": rule.right}
        content["sampling"] |= {"n": rule.n, "stop": stop}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(content))
    return path


def command(*arguments: str) -> list[str]:
    """The command line of `vlm-boundary`."""
    return [sys.executable, "-m", "vlm_boundary", *arguments]


def call(
    folder: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    seconds: float = 600.0,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a folder, with these variables besides one's own."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def keys(run: RunDirectory, arm: str) -> Counter[tuple[str, int]]:
    """How often each sample is stored."""
    rows = run.samples.read(Partition(arm, "procedural"), ["problem_id", "sample_index"])
    return Counter((row["problem_id"], row["sample_index"]) for row in rows.to_pylist())


def texts(run: RunDirectory, arm: str) -> dict[tuple[str, int], str]:
    """The stored texts by key."""
    rows = run.samples.read(Partition(arm, "procedural")).to_pylist()
    return {(row["problem_id"], row["sample_index"]): row["text"] for row in rows}


def under_rule(
    run: RunDirectory, whole: dict[tuple[str, int], str], rule: StoppingRule
) -> dict[tuple[str, int], str]:
    """Of the texts of a run with all n samples those that a rule asks for, by its verdicts."""
    verify(run)
    rows = run.verdicts.read(Partition("base", "procedural"), ["correct"]).to_pylist()
    right: dict[str, dict[int, bool]] = {}
    for row in rows:
        right.setdefault(row["problem_id"], {})[row["sample_index"]] = row["correct"] is True
    ends = {key: rule.standing_of(found).look for key, found in right.items()}
    return {(key, index): text for (key, index), text in whole.items() if index < ends[key]}

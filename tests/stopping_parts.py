"""A benchmark made up for stopping rules, and drawing it in this process by any engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.fleet.session import Listener
from vlm_boundary.sampling.stage import Wanted
from vlm_boundary.sampling.work import Drawer
from vlm_boundary.store import RunDirectory


class DrawnHere:
    """An engine that is also a scheduler for `sample`: it draws in this process."""

    def __call__(self, run: RunDirectory, experiment: ExperimentConfig, wanted: Wanted) -> None:
        """Draw what is wanted."""
        for units in wanted:
            drawer = Drawer(run, units)
            for unit in units:
                drawer.do(unit, self, Listener())  # type: ignore[arg-type]


def experiment_of(
    folder: Path, problems: int, *, n: int, stop: dict[str, Any] | None, flush_seconds: float
) -> ExperimentConfig:
    """One arm on problems p0 … of benchmark `made`, whose answer is 7."""
    lines = (json.dumps({"id": f"p{i}", "q": "How many?", "a": "7"}) for i in range(problems))
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    fields = {"question": "q", "answer": "a", "problem_id": "id"}
    raw = {
        "name": "made",
        "run_dir": str(folder / "run"),
        "benchmarks": {"made": {"dataset_path": str(folder / "data.jsonl"), "fields": fields}},
        "arms": {"base": {"model": "m", "role": "base"}},
        "engine": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
        "sampling": {"n": n, "stop": stop},
        "waves": [],
        "analysis": {"ks": [1]},
        "timeouts": {"flush_seconds": flush_seconds},
    }
    return build_experiment(raw, (), where="made.yaml")

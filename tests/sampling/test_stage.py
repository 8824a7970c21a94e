"""What the sampling stage asks its engines for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from required import needs

from vlm_boundary.config import build_experiment
from vlm_boundary.fleet import Crew, Job
from vlm_boundary.sampling import sample, stage
from vlm_boundary.store import RunDirectory

needs("transformers")


def test_an_arm_or_a_control_of_few_samples_gets_no_more_in_any_wave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[tuple[str, str], list[int]] = {}

    class Noted(Crew):
        def start(self, jobs: Sequence[Job], kinds: Collection[str]) -> None:
            assert kinds == {"vllm"}

        def work_off(self, jobs: Sequence[Job]) -> None:
            for unit in (unit for job in jobs for unit in job.units):
                where = unit.partition
                stops = [span.stop for spans in unit.spans.values() for span in spans]
                asked.setdefault((where.arm, where.condition), []).append(max(stops))

    monkeypatch.setattr(stage, "Crew", Noted)
    raw = {
        "name": "few",
        "run_dir": str(tmp_path / "run"),
        "benchmarks": {"procedural": {"procedural": {"count": 8, "seed": 3}}},
        "arms": {
            "base": {"model": "tiny:untrained-1", "role": "base"},
            "greedy": {
                "model": "tiny:untrained-1",
                "role": "base",
                "sampling": {"n": 1, "temperature": 0.0, "top_p": 1.0},
            },
        },
        "controls": {"no_image": {"n": 16}},
        "sampling": {"n": 128, "max_tokens": 8},
        "analysis": {"ks": [1]},
    }
    experiment = build_experiment(raw, (), where="few.yaml")
    sample(RunDirectory(experiment.run_path), experiment)
    assert max(asked["base", "full"]) == 128
    assert set(asked["base", "no_image"]) == {16}
    assert set(asked["greedy", "full"]) == set(asked["greedy", "no_image"]) == {1}

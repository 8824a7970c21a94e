"""What the sampling stage asks its engines for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from required import needs

from vlm_boundary.config import build_experiment
from vlm_boundary.fleet import Crew, Job
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling import sample, stage
from vlm_boundary.sampling.asked import Asked
from vlm_boundary.sampling.prepare import Prepared, begin
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

needs("transformers")


def test_an_arm_or_a_control_of_few_samples_gets_no_more_in_any_wave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[tuple[str, str], list[int]] = {}

    class Noted(Crew):
        def start(self, jobs: Sequence[Job], kinds: Mapping[str, str]) -> None:
            assert kinds == {"base": "vllm", "greedy": "vllm"}

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


def test_processes_wait_for_the_manifest_where_stored_samples_are_graded_first(
    tmp_path: Path,
) -> None:
    def begun(run: RunDirectory, arms: Collection[str], stop: dict[str, Any] | None) -> Prepared:
        raw: dict[str, Any] = {
            "name": "two",
            "run_dir": str(run.path),
            "benchmarks": {
                "made": {
                    "dataset_path": str(tmp_path / "data.jsonl"),
                    "fields": {"question": "q", "answer": "a", "problem_id": "id"},
                }
            },
            "arms": {arm: {"model": "tiny:untrained-1", "role": "base"} for arm in arms},
            "sampling": {"n": 8, "stop": stop, "max_tokens": 8},
            "analysis": {"ks": [1]},
        }
        experiment = build_experiment(raw, (), where="two.yaml")
        return begin(run, experiment, Asked.of_arms(experiment, None))

    (tmp_path / "data.jsonl").write_text('{"id": "p0", "q": "How many?", "a": "7"}\n')
    for stop in (None, {"after": [4]}):
        run = RunDirectory(tmp_path / f"run-{stop is None}")
        first = begun(run, ["one"], stop)
        assert first.can_wait
        first.settle()
        writer = SampleWriter(run.samples, Partition("one", "made"))
        writer.add(Sample("p0", 0, 0, [1], "7", "stop", None), lambda: None)
        writer.flush()
        assert not begun(run, ["one"], stop).can_wait  # nothing takes long
        # A rule has what is stored graded first.
        assert begun(run, ["one", "other"], stop).can_wait is (stop is None)

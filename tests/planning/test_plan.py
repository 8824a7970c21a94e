"""The plan of an experiment: what it would draw, what is there already, and no vLLM."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from required import needs

from vlm_boundary.cli import cli
from vlm_boundary.config import ExperimentConfig, load_experiment
from vlm_boundary.engines.bound import Bound, find_gpu
from vlm_boundary.errors import UserError
from vlm_boundary.planning import Plan, describe, plan
from vlm_boundary.planning.prompts import PromptLengths, evenly_spaced
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.writing import cache_folder

needs("transformers")

YAML = """\
name: planned
benchmarks: {procedural: {procedural: {count: 60, seed: 0}}}
arms:
  base: {model: tiny:untrained-1, role: base}
  rl: {model: tiny:untrained-2, role: rl}
sampling: {n: 64, temperature: 1.0, top_p: 1.0, max_tokens: 96}
engine:
  args: {max_model_len: 1024}
"""


def load(tmp_path: Path, *overrides: str) -> ExperimentConfig:
    (tmp_path / "planned.yaml").write_text(YAML)
    return load_experiment(tmp_path / "planned.yaml", (f"run_dir={tmp_path / 'run'}", *overrides))


def planned(tmp_path: Path, *overrides: str, **options: object) -> Plan:
    experiment = load(tmp_path, *overrides)
    return plan(RunDirectory(experiment.run_path), experiment, **options)  # type: ignore[arg-type]


def test_the_command_without_vllm(tmp_path: Path) -> None:
    (tmp_path / "planned.yaml").write_text(YAML)
    code = (
        "import sys; from click.testing import CliRunner; from vlm_boundary.cli import cli\n"
        "arguments = ['plan', 'planned.yaml', '--gpu', 'H100', '--response-tokens', '30']\n"
        "result = CliRunner().invoke(cli, arguments)\n"
        "assert result.exit_code == 0, result.output\n"
        "assert 'vllm' not in sys.modules\n"
        "print(result.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "multiple_choice: drop: 60 → 51 problems" in said
    assert "prompts of base, rl: " in said
    assert "3,264       0    3,264" in said  # 51 problems of 64 samples
    assert "Least time on 1 of each GPU" in said
    assert "MB of samples and verdicts before compression" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "planned.yaml"]  # nothing is written


def test_the_numbers_add_up(tmp_path: Path) -> None:
    found = planned(tmp_path, gpus=[find_gpu("H100")], response_tokens=30.0, limit=5)
    (benchmark,) = found.benchmarks
    assert (benchmark.problems, benchmark.unusable) == (51, 0)
    assert benchmark.picture_bytes > 0
    for arm in found.arms:
        assert (arm.problems, arm.stored, arm.missing) == (5, 0, 5 * 64)
        assert isinstance(arm.prompts, PromptLengths)
        assert len(arm.prompts.tokens) == 5
        assert arm.prompts.longest >= arm.prompts.mean > arm.prompts.mean_pictures > 0
        assert arm.bytes == 320 * (30 * 8 + 200)
        assert isinstance(arm.bounds["H100"], Bound)
        assert arm.bounds["H100"].sequences == 320  # and not the 1,024 that an engine would run


def test_arms_with_the_same_processor_share_what_was_measured(tmp_path: Path) -> None:
    base, rl = planned(tmp_path, limit=2).arms
    assert base.prompts is rl.prompts
    other = planned(tmp_path, "arms.rl.prompt=easyr1-paper", limit=2)
    shorter, longer = (arm.prompts for arm in other.arms)
    assert isinstance(shorter, PromptLengths)
    assert isinstance(longer, PromptLengths)
    assert longer.mean > shorter.mean + 100


def test_what_was_measured_is_kept_and_needs_no_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = planned(tmp_path, limit=7).arms[0].prompts
    monkeypatch.setitem(sys.modules, "transformers", None)  # as where it is not installed
    assert planned(tmp_path, limit=7).arms[0].prompts == known
    with pytest.raises(UserError, match=r"transformers, which reads .* cannot be imported"):
        planned(tmp_path, limit=8)
    for change in (
        "arms.base.prompt=easyr1-paper",
        "benchmarks.procedural.images={max_pixels: 100352}",
        "engine.args.mm_processor_kwargs={min_pixels: 50176}",
        "benchmarks.procedural.procedural.seed=1",
    ):
        with pytest.raises(UserError, match="transformers"):
            planned(tmp_path, change, limit=7)
    for file in cache_folder("prompts").iterdir():
        file.write_text("{")  # as after a full disk
    with pytest.raises(UserError, match="transformers"):
        planned(tmp_path, limit=7)
    monkeypatch.undo()
    assert planned(tmp_path, limit=7).arms[0].prompts == known


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = planned(tmp_path, limit=1).arms[0].prompts
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(
        "vlm_boundary.planning.prompts.cache_folder", lambda kind: tmp_path / "file" / kind
    )
    assert planned(tmp_path, limit=1).arms[0].prompts == known


def test_a_picture_budget_counts(tmp_path: Path) -> None:
    budget = "benchmarks.procedural.images={min_pixels: 50176, max_pixels: 100352}"
    (arm, _) = planned(tmp_path, budget, limit=3).arms
    assert isinstance(arm.prompts, PromptLengths)
    # 28 × 28 pixels are one token.
    assert all(64 * 0.9 <= tokens <= 128 for tokens in arm.prompts.picture_tokens.values())


def test_what_is_there_already_is_subtracted(tmp_path: Path) -> None:
    known = planned(tmp_path, limit=1).arms[0].prompts
    assert isinstance(known, PromptLengths)
    (problem_id,) = known.tokens
    run = RunDirectory(tmp_path / "run")
    writer = SampleWriter(run.samples, Partition("base", "procedural"))
    for index in range(10):
        writer.add(Sample(problem_id, index, index, [5] * 20, "x", "stop", -1.0))
    writer.flush()
    base, rl = planned(tmp_path, gpus=[find_gpu("L4")], limit=2).arms
    assert (base.stored, base.missing) == (10, 118)
    assert base.response_tokens == 20  # as long as those that exist
    assert isinstance(base.bounds["L4"], Bound)
    assert rl.response_tokens is None
    assert "--response-tokens" in str(rl.bounds["L4"])


def test_prompts_that_leave_no_room_are_said(tmp_path: Path) -> None:
    found = planned(tmp_path, "engine.args.max_model_len=100", limit=4)
    assert found.arms[0].too_long == 4
    assert "4 of 4 prompts leave no room for max_tokens" in describe(found)


def test_gpus_share_the_work(tmp_path: Path) -> None:
    options = {"gpus": [find_gpu("H200")], "response_tokens": 30.0, "limit": 4}
    one = planned(tmp_path, "engine.args.max_num_seqs=8", **options).arms[0].bounds["H200"]
    four = planned(tmp_path, "engine.args.max_num_seqs=8", gpu_count=4, **options)
    assert isinstance(one, Bound)
    shared = four.arms[0].bounds["H200"]
    assert isinstance(shared, Bound)
    assert shared.seconds == pytest.approx(one.seconds / 4)
    spread = planned(tmp_path, "engine.args.tensor_parallel_size=2", **options)
    assert "spans 2 GPUs, and there are 1" in str(spread.arms[0].bounds["H200"])


def test_controls_are_planned_as_they_are_shown(tmp_path: Path) -> None:
    found = planned(tmp_path, "controls={no_image: {n: 8}, shuffled_image: {n: 4}}", limit=3)
    counts = [(arm.arm, arm.condition, arm.n, arm.missing) for arm in found.arms]
    assert counts == [
        (arm, condition, n, 3 * n)
        for arm in ("base", "rl")
        for condition, n in (("full", 64), ("no_image", 8), ("shuffled_image", 4))
    ]
    full, blind, shuffled = (arm.prompts for arm in found.arms[:3])
    assert isinstance(full, PromptLengths)
    assert isinstance(blind, PromptLengths)
    assert isinstance(shuffled, PromptLengths)
    assert blind.mean_pictures == 0 < full.mean_pictures
    assert shuffled.picture_tokens.keys() == full.picture_tokens.keys()
    said = describe(found)
    assert "prompts of base, rl under no_image: " in said
    assert "procedural/shuffled_image" in said


def test_of_other_engines_only_the_counts_are_planned(tmp_path: Path) -> None:
    server = "arms.rl.engine={kind: openai, base_url: 'http://localhost:1/v1'}"
    options = {"gpus": [find_gpu("H100")], "response_tokens": 30.0, "limit": 2}
    found = planned(tmp_path, server, **options)
    base, rl = found.arms
    assert isinstance(base.bounds["H100"], Bound)
    assert (rl.problems, rl.missing) == (2, 128)
    said = describe(found)
    assert "prompts of rl: not measured for engine kind openai" in said
    assert "No bound for rl on H100: engine kind openai is not reckoned with, only vllm" in said


def test_an_adapter_is_planned_as_its_base(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "gone"}')
    changes = (f"arms.rl.model={adapter}", "arms.rl.base=tiny:untrained-1")
    options = {"gpus": [find_gpu("H100")], "response_tokens": 30.0, "limit": 2}
    base, rl = planned(tmp_path, *changes, **options).arms
    assert rl.prompts is base.prompts
    assert rl.bounds == base.bounds


def test_a_run_directory_is_planned_from_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "run"
    prepare(RunDirectory(path), load(tmp_path))
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    result = CliRunner().invoke(cli, ["plan", str(path), "--limit", "2"])
    assert result.exit_code == 0, result.output
    assert "multiple_choice: drop: 60 → 51 problems" in result.stdout
    assert ", 0 B of pictures" in result.stdout  # they are there already
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_an_unknown_gpu_is_one_line_before_anything_is_loaded(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["plan", "absent.yaml", "--gpu", "H1000"])
    assert result.exit_code == 2
    assert "no GPU 'H1000' is known; there are A100-40G, A100" in result.stderr


def test_evenly_spaced_problems() -> None:
    problems = [Problem("b", str(i), "?", "1") for i in range(10)]
    assert [p.problem_id for p in evenly_spaced(problems, 4)] == ["0", "2", "5", "7"]
    assert evenly_spaced(problems, 10) == problems

"""The same problems through every engine that loads or serves a checkpoint: the same text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_parts import ENGINE_ARGS, ask, draw_picture, vllm_server
from required import needs

from vlm_boundary.config import OpenAIConfig, SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Engine, Workload
from vlm_boundary.store import Partition, RunDirectory

needs("vllm")
needs("openai")

from vlm_boundary.checkpoints import resolve_checkpoint

pytestmark = pytest.mark.engine

PROBLEMS = 10
YAML = """\
name: agree
benchmarks: {{procedural: {{procedural: {{count: 16, seed: 3}}}}}}
arms:
  in-process: {{model: tiny:untrained-1, role: base}}
  server: {{model: tiny, role: base, engine: {{kind: openai, base_url: "{url}"}}}}
  transformers:
    model: tiny:untrained-1
    role: base
    engine: {{kind: transformers, dtype: float32}}
sampling: {{n: 1, temperature: 0, max_tokens: 48}}
engine:
  args: {{max_model_len: 512, dtype: float32, kv_cache_memory_bytes: 134217728}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = resolve_checkpoint("tiny:untrained-1").folder
    with vllm_server(folder, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def test_ten_problems_give_the_same_text_at_temperature_0(url: str, tmp_path: Path) -> None:
    (tmp_path / "agree.yaml").write_text(YAML.format(url=url))
    done = subprocess.run(
        [sys.executable, "-m", "vlm_boundary", "run", "agree.yaml", "--limit", str(PROBLEMS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1800,  # three engines, one after the other on a busy machine
    )
    assert done.returncode == 0, done.stderr
    run = RunDirectory(tmp_path / "runs" / "agree")
    found = {}
    for arm in ("in-process", "server", "transformers"):
        rows = run.samples.read(Partition(arm, "procedural")).to_pylist()
        found[arm] = {row["problem_id"]: row for row in rows}
        assert len(found[arm]) == PROBLEMS
    differences = [
        f"{problem_id}: {arm} {row['text']!r}, in process {reference['text']!r}"
        for problem_id, reference in found["in-process"].items()
        for arm in ("server", "transformers")
        if (row := found[arm][problem_id])["token_ids"] != reference["token_ids"]
    ]
    assert not differences, "\n".join(differences)
    for problem_id, reference in found["in-process"].items():
        for arm in ("server", "transformers"):
            row = found[arm][problem_id]
            assert row["finish_reason"] == reference["finish_reason"]
            # 0.001 nats a token is what two implementations in float32 may differ by.
            allowed = 0.001 * len(reference["token_ids"])
            assert row["logprob_sum"] == pytest.approx(reference["logprob_sum"], abs=allowed)
    manifest = run.read_manifest()
    assert manifest.arms["server"].identity.weights == f"tiny @ {url}"
    assert manifest.arms["server"].checkpoint is None


def test_a_seed_means_the_same_in_process_and_on_the_server(url: str, tmp_path: Path) -> None:
    from vlm_boundary.engines.openai import OpenAIEngine
    from vlm_boundary.engines.vllm import VllmEngine

    sampling = SamplingConfig(n=16, temperature=0.8, top_p=0.9, top_k=9, max_tokens=12)
    request = ask((draw_picture(tmp_path),), 16)

    def draw(engine: Engine) -> dict[int, Completion]:
        try:
            results = list(engine.generate([request], sampling, lambda: None))
        finally:
            engine.close()
        assert all(isinstance(result, Completion) for result in results), results
        return {result.index or 0: result for result in results}  # type: ignore[misc]

    config = OpenAIConfig(kind="openai", base_url=url, samples_per_request=5)
    there = draw(OpenAIEngine("tiny", config, Workload((sampling,), max_images=1)))
    checkpoint, work = resolve_checkpoint("tiny:untrained-1"), Workload((), max_images=1)
    here = draw(VllmEngine(checkpoint, VllmConfig(in_process=True, args=ENGINE_ARGS), work))
    assert sorted(there) == sorted(here) == list(range(16))
    for index, sample in here.items():
        assert there[index].token_ids == sample.token_ids
        assert there[index].seed == sample.seed
        assert there[index].logprob_sum == pytest.approx(sample.logprob_sum, abs=0.01)

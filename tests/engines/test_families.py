"""Another family than the one the package grew up with: InternVL, through its own processor."""

from __future__ import annotations

from pathlib import Path

import pytest
from required import needs

needs("torch")
needs("transformers")
needs("vllm")

from engine_parts import ENGINE_ARGS, ask, draw_picture

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import SamplingConfig, TransformersConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Engine, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.tiny.families import write_family

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("internvl")
    write_family("internvl", folder)
    return resolve_checkpoint(str(folder))


def test_vllm_and_transformers_see_the_same_prompt_and_picture(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    sampling = SamplingConfig(n=1, temperature=0.0, max_tokens=24)
    workload = Workload((sampling,), max_images=2)
    picture = draw_picture(tmp_path)
    requests = [ask((picture,), 1), ask((picture, picture), 1, request_id="two")]

    def draw(engine: Engine) -> dict[str, Completion]:
        results = list(engine.generate(requests, sampling, lambda: None))
        engine.close()
        assert all(isinstance(result, Completion) for result in results), results
        return {result.request_id: result for result in results}  # type: ignore[misc]

    slow = TransformersConfig(kind="transformers", dtype="float32")
    expected = draw(open_engine("internvl", checkpoint, slow, workload))
    fast = VllmConfig(in_process=True, args=ENGINE_ARGS)
    found = draw(open_engine("internvl", checkpoint, fast, workload))
    for name, sample in found.items():
        assert sample.token_ids == expected[name].token_ids
        assert sample.logprob_sum == pytest.approx(expected[name].logprob_sum, abs=0.05)
    assert expected["p"].logprob_sum != expected["two"].logprob_sum


@pytest.mark.parametrize("kind", ["vllm", "transformers"])
def test_it_is_recorded_that_its_processor_takes_no_pixel_budget(
    checkpoint: Checkpoint, kind: str
) -> None:
    config = (
        VllmConfig(in_process=True, args=ENGINE_ARGS)
        if kind == "vllm"
        else TransformersConfig(kind="transformers")
    )
    sampling = SamplingConfig(max_tokens=24)
    workload = Workload((sampling,), max_images=1, budget=PictureBudget(100, 50_000))
    engine = open_engine("internvl", checkpoint, config, workload)
    assert engine.describe()["picture_sizes"].endswith("takes no min_pixels and max_pixels")
    engine.close()

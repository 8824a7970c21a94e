"""Weights that change places in one engine, for every family, against an engine of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from families.checks import ONLY_BFLOAT16
from PIL import Image, ImageDraw
from required import needs

from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Request, Workload
from vlm_boundary.records.manifest import Checkpoint

needs("vllm")

from vlm_boundary.engines.vllm import VllmEngine
from vlm_boundary.tiny.families import FAMILIES, write_family

pytestmark = [pytest.mark.engine, pytest.mark.long]

SAMPLINGS = (
    SamplingConfig(n=4, temperature=1.0, top_p=1.0, max_tokens=12),
    SamplingConfig(n=1, temperature=0.0, top_p=1.0, max_tokens=12),
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = Image.new("RGB", (64, 48), "white")
    ImageDraw.Draw(image).ellipse((5, 5, 40, 40), fill="red")
    image.save(tmp_path / "one.png")
    return tmp_path / "one.png"


def drawn(engine: VllmEngine, picture: Path) -> list[tuple[int, list[int], float | None]]:
    """Sampled and greedy tokens of one prompt, and how likely they were."""
    parts = [{"type": "image"}, {"type": "text", "text": "How many?"}]
    turns = [{"role": "user", "content": parts}]

    def results() -> Iterator[Completion]:
        for sampling in SAMPLINGS:
            request = Request("q", turns, (picture,), range(sampling.n), 7)
            for one in engine.generate(iter([request]), sampling):
                assert isinstance(one, Completion), one
                yield one

    return sorted((one.index, one.token_ids, one.logprob_sum) for one in results())


@pytest.mark.parametrize("family", FAMILIES)
def test_swapped_weights_draw_what_an_engine_of_their_own_does(
    tmp_path: Path, picture: Path, family: str
) -> None:
    """Tokens and log-probabilities to the last bit, there and back."""
    places = [tmp_path / str(seed) for seed in range(2)]
    try:
        for seed, place in enumerate(places):
            write_family(family, place, seed=seed)
    except ImportError as error:
        pytest.skip(str(error))
    dtype = "bfloat16" if family in ONLY_BFLOAT16 else "float32"
    args = {"max_model_len": 512, "dtype": dtype, "kv_cache_memory_bytes": 1 << 27}
    config = VllmConfig(in_process=True, args=args)
    first, other = (Checkpoint(place, place.name, "", None) for place in places)
    with closing(VllmEngine(other, config, Workload((), 1))) as engine:
        own = drawn(engine, picture)
    with closing(VllmEngine(first, config, Workload((), 1))) as engine:
        before = drawn(engine, picture)
        assert before != own
        assert engine.swap(other, SAMPLINGS)
        assert drawn(engine, picture) == own
        assert engine.swap(first, SAMPLINGS)
        assert drawn(engine, picture) == before

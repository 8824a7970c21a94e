"""What vLLM is started with, or refused before; its engines live here one after the other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine_parts import ENGINE_ARGS, ask, draw_picture
from required import needs

from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Workload
from vlm_boundary.errors import UserError

needs("vllm")

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.vllm import VllmEngine
from vlm_boundary.records.manifest import Checkpoint

pytestmark = pytest.mark.engine

SAMPLING = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=12)
CONFIG = VllmConfig(in_process=True, args=ENGINE_ARGS)


@pytest.fixture(scope="module")
def folder() -> Path:
    return resolve_checkpoint("tiny:untrained-1").folder


def test_the_models_own_generation_settings_change_nothing(folder: Path, tmp_path: Path) -> None:
    opinionated = tmp_path / "opinionated"
    shutil.copytree(folder, opinionated)
    opinions = {"do_sample": True, "temperature": 0.01, "top_k": 1, "repetition_penalty": 9.0}
    opinions |= {"max_new_tokens": 2, "eos_token_id": 258}
    (opinionated / "generation_config.json").write_text(json.dumps(opinions))
    request = ask((draw_picture(tmp_path),), 6)
    drawn = []
    for place in (folder, opinionated):
        engine = VllmEngine(Checkpoint(place, "", "", None), CONFIG, Workload((), 1))
        results = list(engine.generate([request], SAMPLING))
        engine.close()
        assert all(isinstance(result, Completion) for result in results)
        drawn.append({r.index: r.token_ids for r in results if isinstance(r, Completion)})
    assert drawn[0] == drawn[1]


def test_settings_that_cannot_work_are_refused_before_the_model_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vllm

    def loaded(**arguments: Any) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(vllm, "LLM", loaded)
    sampling = SAMPLING.model_copy(update={"args": {"min_token": 1}})
    with pytest.raises(UserError, match="did you mean 'min_tokens'"):
        VllmEngine(Checkpoint(folder, "", "", None), CONFIG, Workload((sampling,), 1))


def test_a_response_that_leaves_no_room_for_a_prompt_is_refused(folder: Path) -> None:
    """Where the room is the checkpoint's own, it is known once the model is loaded."""
    sampling = SAMPLING.model_copy(update={"max_tokens": 512})
    with pytest.raises(UserError, match="max_tokens 512 leaves no room"):
        VllmEngine(Checkpoint(folder, "", "", None), CONFIG, Workload((sampling,), 1))

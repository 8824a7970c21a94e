"""vLLM and transformers say the same of the shipped base."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from required import absent

from vlm_boundary.tiny import find, trained

pytestmark = pytest.mark.engine

COUNT = 100
MAX_TOKENS = 96


def _from_vllm(folder: Path, pictures: Path, dtype: str) -> list[dict[str, Any]]:
    """Greedy responses from vLLM; run in a process of its own, below."""
    from vlm_boundary.config import SamplingConfig, VllmConfig
    from vlm_boundary.engines.base import Completion, Request, Workload
    from vlm_boundary.engines.vllm import VllmEngine
    from vlm_boundary.records.manifest import Checkpoint
    from vlm_boundary.tiny.data import evaluation

    requests = []
    for place, problem in enumerate(evaluation()[:COUNT]):
        picture = pictures / f"{place}.png"
        problem.draw(84).save(picture)
        parts = [{"type": "image"}, {"type": "text", "text": problem.question}]
        turns = [{"role": "user", "content": parts}]
        requests.append(Request(str(place), turns, (picture,), range(1), seed=0))
    config = VllmConfig(args={"max_model_len": 1024, "dtype": dtype})
    engine = VllmEngine(Checkpoint(folder, "", "", None), config, Workload((), 1))
    sampling = SamplingConfig(n=1, temperature=0.0, top_p=1.0, max_tokens=MAX_TOKENS)
    found = {
        c.request_id: {"text": c.text, "ids": c.token_ids, "sum": c.logprob_sum}
        for c in engine.generate(requests, sampling, lambda: None)
        if isinstance(c, Completion)
    }
    engine.close()
    return [found[str(place)] for place in range(COUNT)]


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if find_spec("vllm") is None:
        absent("vllm", "vLLM is not installed")
    if "base" not in trained():
        pytest.skip("no trained checkpoints here")
    folder = tmp_path_factory.mktemp("vllm")
    # vLLM decides at import how its processes start, so it gets a process of its own.
    done = subprocess.run(
        [sys.executable, __file__, str(find("base")), str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "vllm.json").read_text())


def test_greedy_texts_are_the_same(vllm: Any) -> None:
    # In float32: a base that is diverse by design has near ties that bfloat16 cannot tell apart.
    import torch
    from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

    from vlm_boundary.tiny.data import evaluation

    processor = AutoProcessor.from_pretrained(find("base"))
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(find("base"), dtype=torch.float32)
    problems = evaluation()[:COUNT]
    parts = [[{"type": "image"}, {"type": "text", "text": p.question}] for p in problems]
    turns = [[{"role": "user", "content": content}] for content in parts]
    inputs = processor(
        text=processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True),
        images=[problem.draw(84) for problem in problems],
        padding=True,
        padding_side="left",
        return_tensors="pt",
    )
    out = model.generate(**inputs, do_sample=False, max_new_tokens=MAX_TOKENS)
    responses = out[:, inputs.input_ids.shape[1] :]
    texts = processor.tokenizer.batch_decode(responses, skip_special_tokens=True)
    same = [a["text"] == b for a, b in zip(vllm["float32"], texts, strict=True)]
    assert sum(same) >= 0.95 * COUNT


@pytest.mark.parametrize(("dtype", "near"), [("float32", 0.02), ("bfloat16", 0.5)])
def test_log_probabilities_add_up_to_the_same(vllm: Any, dtype: str, near: float) -> None:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from vlm_boundary.tiny.data import DrawnProblems, evaluation
    from vlm_boundary.tiny.sequences import encode, prompt_ids, response_scores

    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        find("base"), dtype=getattr(torch, dtype)
    )
    drawn = DrawnProblems.of(evaluation()[:COUNT])
    prompts = [prompt_ids(problem.question) for problem in drawn.problems]
    responses = [found["ids"] for found in vllm[dtype]]
    with torch.no_grad():
        scores, rows = response_scores(model, encode(model, drawn.pictures), prompts, responses)
    tokens = torch.tensor([token for ids in responses for token in ids])
    chosen = scores.gather(1, tokens[:, None])[:, 0]
    sums = torch.zeros(COUNT).index_add(0, rows, chosen)
    apart = (sums - torch.tensor([found["sum"] for found in vllm[dtype]])).abs()
    assert apart.median() < near / 4
    assert apart.quantile(0.95) < near


if __name__ == "__main__":
    found = {
        dtype: _from_vllm(Path(sys.argv[1]), Path(sys.argv[2]), dtype)
        for dtype in ("float32", "bfloat16")
    }
    (Path(sys.argv[2]) / "vllm.json").write_text(json.dumps(found))

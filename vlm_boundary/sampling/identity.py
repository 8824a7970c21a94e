"""What an arm's samples were drawn from, so that samples of two things are never mixed."""

from __future__ import annotations

from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, resolve_prompt
from vlm_boundary.benchmarks.prompts import prompt_hash
from vlm_boundary.checkpoints import Checkpoint
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError

# The engine arguments that change which texts are likely; the others only change the speed.
_DISTRIBUTION_ARGS = ("dtype", "quantization", "kv_cache_dtype", "max_model_len", "hf_overrides")


def arm_identity(experiment: ExperimentConfig, arm: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """What determines an arm's distribution over responses, apart from the benchmark."""
    engine = experiment.arm_engine(arm)
    sampling = experiment.arm_sampling(arm).model_dump()
    del sampling["n"]  # a larger n is a top-up
    del sampling["token_logprobs"]  # what is kept of a sample does not change it
    return {
        "weights": checkpoint.identity,
        "chat_template": checkpoint.chat_template_hash,
        "sampling": sampling,
        "engine": {
            "kind": engine.kind,
            **{name: engine.args[name] for name in _DISTRIBUTION_ARGS if name in engine.args},
        },
        "seed": experiment.seed,
    }


def benchmark_identity(
    experiment: ExperimentConfig, benchmark: BenchmarkConfig, arm: str, content: str
) -> dict[str, Any]:
    """What determines the prompts that an arm sees of a benchmark."""
    prompt = resolve_prompt(experiment.arms[arm].prompt or benchmark.prompt)
    return {
        "problems": content,
        "prompt": prompt_hash(prompt, benchmark.image_placeholder),
        "images": benchmark.images.model_dump(),
    }


def refuse_difference(before: Any, now: Any, *, where: str, what: str = "") -> None:
    """Compare two identities.

    Raises:
        UserError: they differ; the first difference is named with both values.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            inner = f"{what}.{key}" if what else str(key)
            refuse_difference(before.get(key), now.get(key), where=where, what=inner)
    elif before != now:
        raise UserError(
            f"{where} already holds samples drawn with {what} = {_short(before)}, and now it is "
            f"{_short(now)}; take another run_dir (or name), or restore it"
        )


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"

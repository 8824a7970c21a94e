"""A process reward model in vLLM's pooling: a probability for each step instead of words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vlm_boundary.config import PrmConfig, SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Requests, unheard
from vlm_boundary.engines.processors import refuse_wordless
from vlm_boundary.engines.vllm import resolve_arguments, set_up_process
from vlm_boundary.errors import UserError
from vlm_boundary.iterate import batched

_BATCH = 64


class PrmEngine:
    """One process reward model, such as Qwen2.5-Math-PRM: two classes at each step's end.

    The last turn of a request is the chain of thought, a content part a step. What comes back says
    the probability that each step is right, and a verdict: valid if none is below the threshold.

    Raises:
        UserError: vLLM is not installed, refuses the arguments, or the model is not of this kind.
    """

    def __init__(self, folder: Path, config: PrmConfig) -> None:
        settings = VllmConfig(args=config.args)
        set_up_process(settings)
        try:
            import vllm
            from transformers import AutoTokenizer
            from vllm.platforms import current_platform
        except ImportError as error:
            raise UserError(
                f"vLLM cannot be imported ({error}); 'vlm-boundary doctor' says what is missing"
            ) from None
        args = resolve_arguments(settings, on_cpu=current_platform.is_cpu())
        self._config = config
        self._args = args
        self._version = str(vllm.__version__)
        self._platform = current_platform.get_device_name()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        refuse_wordless(self._tokenizer, folder)
        ids = self._tokenizer(config.step_tag, add_special_tokens=False).input_ids
        if len(ids) != 1:
            raise UserError(
                f"judge.engine.step_tag {config.step_tag!r} is not one token of {folder.name}; it "
                f"is what the model was trained to judge steps at, as <extra_0>"
            )
        self._tag = ids[0]
        pooler = vllm.config.PoolerConfig(
            tok_pooling_type="STEP", step_tag_id=self._tag, use_activation=False
        )
        try:
            self._llm: Any = vllm.LLM(
                model=str(folder), runner="pooling", pooler_config=pooler, **args
            )
        except (ValueError, TypeError) as error:
            raise UserError(
                f"vLLM does not load {folder.name} as a process reward model with engine.args "
                f"{config.args}: {_last_line(error)}"
            ) from error

    def describe(self) -> dict[str, Any]:
        """Versions, hardware and resolved arguments."""
        return {
            "engine": "prm",
            "vllm": self._version,
            "device": self._platform,
            "args": self._args,
        }

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None] = unheard
    ) -> Iterator[Completion | Failure]:
        """Read every request's steps; see `Engine.generate`. Nothing is drawn, seeds are not used.

        Raises:
            UserError: the model is not one that judges steps.
        """
        room = int(self._llm.llm_engine.model_config.max_model_len)
        for group in batched(filter(None, requests), _BATCH):
            prompts = {request.request_id: self._prompt(request) for request in group}
            readable = {key: ids for key, ids in prompts.items() if len(ids) <= room}
            for key in prompts.keys() - readable.keys():
                reason = f"{len(prompts[key])} tokens exceed the model's {room}"
                yield Failure(key, None, reason, lasting=True)
            read = self._llm.encode(
                [{"prompt_token_ids": ids} for ids in readable.values()],
                pooling_task="token_classify",
                use_tqdm=False,
            )
            for (key, ids), result in zip(readable.items(), read, strict=True):
                yield self._completion(key, ids, result.outputs.data.float().tolist())
            alive()

    def close(self) -> None:
        """End vLLM's core where it has a process of its own."""
        self._llm.llm_engine.engine_core.shutdown()

    def _prompt(self, request: Request) -> list[int]:
        *before, last = request.messages
        steps = "".join(part["text"] + self._config.step_tag for part in last["content"])
        text = self._tokenizer.apply_chat_template(
            [*before, last | {"content": steps}], tokenize=False, add_generation_prompt=False
        )
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _completion(self, key: str, ids: list[int], rows: list[list[float]]) -> Completion:
        steps = ids.count(self._tag)
        if len(rows) != steps or any(len(row) != 2 for row in rows):
            raise UserError(
                f"the model gives {len(rows)} rows for {steps} steps, and a process reward model "
                f"gives two values for each; take engine kind vllm for other judges"
            )
        chances = [_second(row) for row in rows]
        worst = min(chances)
        lines = [f"Step {i}: {chance:.4f}" for i, chance in enumerate(chances, start=1)]
        verdict = "valid" if worst >= self._config.threshold else "invalid"
        text = "\n".join([*lines, f"Lowest: {worst:.4f}", f"Verdict: {verdict}"])
        return Completion(key, 0, None, [], text, "stop", None, prompt_tokens=len(ids))


def _second(logits: list[float]) -> float:
    """Softmax probability of the second class, which is the right one."""
    return 1.0 / (1.0 + math.exp(min(logits[0] - logits[1], 700.0)))


def _last_line(error: Exception) -> str:
    """Where vLLM says what is wrong, below what it was doing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]

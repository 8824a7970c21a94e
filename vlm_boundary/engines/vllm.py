"""vLLM's multimodal engine, stepped by us so that every sample is handed over as it finishes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import (
    Completion,
    Failure,
    Request,
    Requests,
    Scored,
    ScoreRequest,
    Workload,
    refused,
    unheard,
)
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.processors import has_states, refuse_untrusted_code
from vlm_boundary.engines.swapping import forget, lora_arguments, same_but_weights, swap_weights
from vlm_boundary.engines.vllm_loop import EngineLoop, Fed, Prompt
from vlm_boundary.engines.vllm_sampling import (
    logprobs_of,
    sampling_arguments,
    sampling_record,
    scoring_params,
)
from vlm_boundary.errors import UserError, did_you_mean
from vlm_boundary.records.manifest import Checkpoint

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams
    from vllm.logprobs import FlatLogprobs
    from vllm.lora.request import LoRARequest

# What one engine may hold where memory is shared with everything else, and what its scheduler can
# do there: seeded requests with chunked prefill end the CPU engine ("CPU Generator does not use
# offset"), and 128-token blocks would keep short prompts out of the prefix cache.
CPU_DEFAULTS: dict[str, Any] = {
    "kv_cache_memory_bytes": 1 << 30,
    "enable_chunked_prefill": False,
    "enforce_eager": True,
    "skip_mm_profiling": True,
    "block_size": 32,
    "max_num_seqs": 64,
}


class VllmEngine:
    """One checkpoint in vLLM.

    Args:
        checkpoint: with its adapter, if it has one, every sample is drawn.
        config: engine settings; `args` are vLLM's own.
        workload: what will be asked for; sampling settings are checked before the model is loaded.

    Raises:
        UserError: vLLM is not installed, or refuses the arguments.
    """

    def __init__(self, checkpoint: Checkpoint, config: VllmConfig, workload: Workload) -> None:
        set_up_process(config)
        try:
            import vllm
            from vllm.platforms import current_platform
        except ImportError as error:
            raise UserError(
                f"vLLM cannot be imported ({error}); 'vlm-boundary doctor' says what is missing"
            ) from None
        on_cpu = current_platform.is_cpu()
        args = resolve_arguments(config, on_cpu=on_cpu)
        whole_prompts = on_cpu and args.get("enable_chunked_prefill") is False
        trusted = checkpoint.trust_remote_code
        if whole_prompts and has_states(checkpoint.folder, trust_remote_code=trusted):
            # Their prefix cache wants chunks, which seeded requests cannot have here.
            args.setdefault("enable_prefix_caching", False)
        for sampling in workload.samplings:
            sampling_arguments(sampling)  # refused before anything is loaded
        self._chat = ChatRenderer.of(checkpoint)
        if trusted:
            args["trust_remote_code"] = True
        pictures = self._chat.pictures(workload.budget)
        pictures.utils()  # missed before the model is loaded
        self._picture_sizes = pictures.sizes.said
        args.setdefault("limit_mm_per_prompt", {"image": workload.max_images, "video": 0})
        if pictures.options:
            # Also bounds what the engine profiles and the size of its encoder cache.
            args.setdefault("mm_processor_kwargs", pictures.options)
        self._without_adapter = dict(args)
        lora = None
        if checkpoint.adapter is not None:
            args = lora_arguments(checkpoint.adapter, args)
            lora = _lora(checkpoint.adapter, 1)
        self._args = args
        self._checkpoint = checkpoint
        self._swaps = on_cpu if config.swap_weights is None else config.swap_weights
        self._swapped = 0
        self._platform = current_platform.get_device_name()
        self._version = str(vllm.__version__)
        self._llm = _loaded(checkpoint, args, config)
        vocabulary = self._llm.llm_engine.model_config.get_vocab_size()
        places = self._chat.place_ids() if config.mask_picture_tokens else []
        self._masked = [place for place in places if place < vocabulary]
        self._loop = EngineLoop(self._llm, self._chat, lora)
        try:
            self._samplings = self._checked(workload.samplings)
        except UserError:
            self.close()
            raise
        self._dtype = str(self._llm.llm_engine.model_config.dtype).removeprefix("torch.")

    def describe(self) -> dict[str, Any]:
        """Versions, hardware and resolved arguments."""
        import torch
        import transformers

        return {
            "engine": "vllm",
            "vllm": self._version,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "device": self._platform,
            "dtype": self._dtype,
            "max_model_len": self._loop.max_model_len,
            "max_num_seqs": self._loop.max_num_seqs,
            "args": self._args,
            "sampling_params": self._samplings,
            "picture_sizes": self._picture_sizes,
            "masked_token_ids": self._masked,
            # How many checkpoints it had served before this one.
            **({"swapped": self._swapped} if self._swapped else {}),
        }

    def swap(self, checkpoint: Checkpoint, samplings: tuple[SamplingConfig, ...]) -> bool:
        """Take another checkpoint's weights, or another adapter; see `SwappingEngine.swap`."""
        if not self._swaps or (checkpoint.adapter is None) != (self._checkpoint.adapter is None):
            return False
        said = self._checked(samplings)
        lora = None
        if checkpoint.adapter is None:
            if not same_but_weights(self._checkpoint.folder, checkpoint.folder):
                return False
            swap_weights(self._llm, checkpoint.folder)
        else:
            wanted = lora_arguments(checkpoint.adapter, self._without_adapter)
            if checkpoint.folder != self._checkpoint.folder or wanted != self._args:
                return False
            lora = _lora(checkpoint.adapter, self._swapped + 2)
            forget(self._llm)
        self._checkpoint = checkpoint
        self._swapped += 1
        self._samplings = said
        self._loop = EngineLoop(self._llm, self._chat, lora)
        return True

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None] = unheard
    ) -> Iterator[Completion | Failure]:
        """Draw every sample, in a bounded window of requests; see `Engine.generate`."""
        from vllm import SamplingParams

        arguments = sampling_arguments(sampling, self._masked)

        def order(prompt: Prompt, index: int) -> tuple[Any, SamplingParams]:
            seed = prompt.request.seed + index
            return prompt.rendered, SamplingParams(seed=seed, **arguments)

        def result(output: RequestOutput, prompt: Prompt, index: int) -> Completion:
            return self._completion(output, prompt, index, sampling)

        feed = self._prompts(iter(requests), sampling.max_tokens)
        return self._loop.drive(feed, order, result, alive)

    def score(
        self, requests: Iterable[ScoreRequest], alive: Callable[[], None] = unheard
    ) -> Iterator[Scored | Failure]:
        """Score every response, with its prompt's pictures; see `ScoringEngine.score`."""

        def order(prompt: Prompt, index: int) -> tuple[Any, SamplingParams]:
            # Joined behind the rendered prompt: what a model wrote is never searched for places
            # where a picture goes.
            ids = [*prompt.rendered["prompt_token_ids"], *_response(prompt.request, index)]
            return {**prompt.rendered, "prompt_token_ids": ids}, scoring_params()

        def result(output: RequestOutput, prompt: Prompt, index: int) -> Scored:
            response = list(_response(prompt.request, index))
            logprobs = logprobs_of(response, cast("FlatLogprobs", output.prompt_logprobs))
            return Scored(prompt.request.request_id, index, logprobs)

        return self._loop.drive(self._responses(iter(requests)), order, result, alive)

    def usage(self) -> dict[str, int]:
        """Prompt tokens of all samples, and how many of them the prefix cache spared.

        `repeated_prompt_tokens` are those of samples whose prompt was given before, which it could.
        """
        loop = self._loop
        return {
            "prompt_tokens": loop.prompt_tokens,
            "cached_prompt_tokens": loop.cached_tokens,
            "repeated_prompt_tokens": loop.repeated_tokens,
        }

    def close(self) -> None:
        """Free the checkpoint and end the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()

    def _checked(self, samplings: tuple[SamplingConfig, ...]) -> list[dict[str, Any]]:
        """What vLLM makes of sampling settings, for the record.

        Raises:
            UserError: responses as long as they may be would not fit.
        """
        from vllm import SamplingParams

        room = self._loop.max_model_len
        for sampling in samplings:
            if sampling.max_tokens >= room:
                raise UserError(
                    f"sampling.max_tokens {sampling.max_tokens} leaves no room for a prompt in "
                    f"max_model_len {room}, which is this checkpoint's or "
                    f"engine.args'; lower max_tokens"
                )
        asked = (sampling_arguments(sampling, self._masked) for sampling in samplings)
        return [sampling_record(SamplingParams(seed=0, **arguments)) for arguments in asked]

    def _prompts(self, requests: Iterator[Request | None], max_tokens: int) -> Iterator[Fed]:
        for request in requests:
            if request is None:
                yield None
                continue
            try:
                prompt = self._loop.prepare(request, max_tokens)
            except self._loop.refusals as error:
                yield refused(request.request_id, error)
                continue
            for index in request.indices:
                yield prompt, index

    def _responses(self, requests: Iterator[ScoreRequest]) -> Iterator[Fed]:
        # One token of room: the engine always generates, if only to be done.
        for fed in self._prompts(requests, 1):
            if fed is None or isinstance(fed, Failure):
                yield fed
                continue
            prompt, index = fed
            length = len(_response(prompt.request, index))
            room = self._loop.max_model_len - prompt.tokens - 1
            if 0 < length <= room:
                yield fed
            else:
                said = "no token ids" if length == 0 else f"{length} tokens of {room} that fit"
                reason = f"cannot be scored: {said}"
                yield Failure(prompt.request.request_id, index, reason, lasting=True)

    def _completion(
        self, output: RequestOutput, prompt: Prompt, index: int, sampling: SamplingConfig
    ) -> Completion:
        answer = output.outputs[0]
        token_ids = list(answer.token_ids)
        reason = str(answer.finish_reason)
        # A stop string ends a text between tokens, so vLLM's own text is taken then.
        at_string = isinstance(answer.stop_reason, str)
        kept = index < sampling.token_logprobs
        return Completion(
            request_id=prompt.request.request_id,
            index=index,
            seed=prompt.request.seed + index,
            token_ids=token_ids,
            text=answer.text if at_string else self._chat.text(token_ids, ended=reason == "stop"),
            finish_reason=reason,
            # vLLM says 0 where it was not asked.
            logprob_sum=answer.cumulative_logprob if answer.logprobs is not None else None,
            token_logprobs=(
                logprobs_of(token_ids, cast("FlatLogprobs", answer.logprobs)) if kept else None
            ),
            prompt_tokens=prompt.tokens,
            picture_tokens=prompt.picture_tokens,
        )


def _response(request: Request, index: int) -> Sequence[int]:
    assert isinstance(request, ScoreRequest)
    return request.responses[index]


def set_up_process(config: VllmConfig) -> None:
    """Decide, before an engine is opened, how it uses processes and threads.

    On a CPU its core shares this process, which starts about twenty seconds sooner; on a GPU a
    core of its own keeps the device busy while this process works on results.
    """
    import torch

    on_gpu = torch.cuda.is_available()
    in_process = config.in_process if config.in_process is not None else not on_gpu
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0" if in_process else "1"
    # Forked, an engine would inherit every pipe of this process and keep it open after its end.
    os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"
    if not on_gpu:
        # vLLM pins a thread to each core and lets them wait for each other in a loop: with anything
        # else on one of the cores, another engine above all, sampling becomes several times slower.
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")


def resolve_arguments(config: VllmConfig, *, on_cpu: bool) -> dict[str, Any]:
    """VLLM's engine arguments with our defaults under the user's.

    Raises:
        UserError: an argument is not one of vLLM's.
    """
    from vllm.engine.arg_utils import EngineArgs

    valid = {field.name for field in fields(EngineArgs)} - {"model", "tokenizer"}
    for name in config.args:
        if name not in valid:
            hint = did_you_mean(name, valid)
            raise UserError(f"engine.args: vLLM has no engine argument {name!r}{hint}")
    args = dict(CPU_DEFAULTS if on_cpu else {"enable_prefix_caching": True}) | config.args
    if on_cpu and args.get("enable_chunked_prefill") is False and "max_model_len" in args:
        # Without chunking, one step must be able to take a whole prompt.
        args.setdefault("max_num_batched_tokens", max(4096, int(args["max_model_len"])))
    args.setdefault("seed", 0)
    if config.processed_logprobs:
        args["logprobs_mode"] = "processed_logprobs"
    return args


def _loaded(checkpoint: Checkpoint, args: Mapping[str, Any], config: VllmConfig) -> Any:
    """VLLM's `LLM`."""
    import vllm

    try:
        return vllm.LLM(model=str(checkpoint.folder), **args)
    except (ValueError, TypeError) as error:
        refuse_untrusted_code(checkpoint.folder, trust_remote_code=checkpoint.trust_remote_code)
        # How vLLM says that settings, model and machine do not fit each other.
        raise UserError(f"vLLM refuses engine.args {config.args}: {_one_line(error)}") from error


def _lora(adapter: Path, number: int) -> LoRARequest:
    """An adapter as requests name it; vLLM knows it, and what it caches, by its number."""
    from vllm.lora.request import LoRARequest

    return LoRARequest(f"adapter-{number}", number, str(adapter))


def _one_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if not line.startswith("For further"))[:400]

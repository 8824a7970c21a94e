"""vLLM's multimodal engine, stepped by us so that every sample is handed over as it finishes."""

from __future__ import annotations

import difflib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Failure, Request
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.lora import lora_arguments
from vlm_boundary.engines.vllm_sampling import sampling_arguments, sampling_record
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vllm import RequestOutput

MAX_ATTEMPTS = 3

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


class _PromptTooLong(Exception):
    """A prompt that leaves no room for a whole response."""


@dataclass(frozen=True)
class _InFlight:
    """One sample that the engine is working on."""

    request: Request
    index: int
    attempt: int


@dataclass
class _Prompt:
    """A request being fed: its engine input, and how it is made again."""

    request: Request
    source: dict[str, Any]
    rendered: Any
    remaining: int
    samples_sent: int = 0


class VllmEngine:
    """One checkpoint in vLLM.

    Args:
        folder: the checkpoint.
        config: engine settings; `args` are vLLM's own.
        max_images: the most pictures in one prompt.
        max_pixels: the largest pixel budget of any request, or None for the processor's own.
        chat_template: Jinja source in place of the checkpoint's own.
        adapter: folder of a LoRA adapter that every sample is drawn with.
        samplings: the sampling settings that will be asked for, checked before the model is loaded.

    Raises:
        UserError: vLLM is not installed, or refuses the arguments.
    """

    def __init__(
        self,
        folder: Path,
        config: VllmConfig,
        *,
        max_images: int,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        chat_template: str | None = None,
        adapter: Path | None = None,
        samplings: tuple[SamplingConfig, ...] = (),
    ) -> None:
        set_up_process(config)
        try:
            import vllm
            from vllm import SamplingParams
            from vllm.exceptions import VLLMClientError
            from vllm.lora.request import LoRARequest
            from vllm.platforms import current_platform
        except ImportError as error:
            raise UserError(
                f"vLLM cannot be imported ({error}); 'vlm-boundary doctor' says what is missing"
            ) from None
        on_cpu = current_platform.is_cpu()
        args = resolve_arguments(config, on_cpu=on_cpu)
        self._sampling_records = [
            sampling_record(SamplingParams(seed=0, **sampling_arguments(sampling)))
            for sampling in samplings
        ]
        self._chat = ChatRenderer(folder, chat_template)
        args.setdefault("limit_mm_per_prompt", {"image": max_images, "video": 0})
        if budget := self._chat.pixel_budget(min_pixels, max_pixels):
            # Also bounds what the engine profiles and the size of its encoder cache.
            args.setdefault("mm_processor_kwargs", budget)
        self._lora = None
        if adapter is not None:
            args = lora_arguments(adapter, args)
            self._lora = LoRARequest("adapter", 1, str(adapter))
        self._args = args
        # What is wrong with one prompt: its picture, its length, or whatever vLLM refuses it for.
        self._refusals = (PictureError, _PromptTooLong, VLLMClientError)
        self._platform = current_platform.get_device_name()
        self._version = str(vllm.__version__)
        try:
            self._llm: Any = vllm.LLM(model=str(folder), **args)
        except (ValueError, TypeError) as error:
            # How vLLM says that settings, model and machine do not fit each other.
            raise UserError(
                f"vLLM refuses engine.args {config.args}: {_one_line(error)}"
            ) from error
        model_config = self._llm.llm_engine.model_config
        self._max_model_len = int(model_config.max_model_len)
        for sampling in samplings:
            if sampling.max_tokens >= self._max_model_len:
                self.close()
                raise UserError(
                    f"sampling.max_tokens {sampling.max_tokens} leaves no room for a prompt in "
                    f"max_model_len {self._max_model_len}, which is this checkpoint's or "
                    f"engine.args'; lower max_tokens"
                )
        self._dtype = str(model_config.dtype).removeprefix("torch.")
        scheduler = self._llm.llm_engine.vllm_config.scheduler_config
        # Enough that the engine never waits for us; samples of one problem stay neighbours.
        self._window = 2 * int(scheduler.max_num_seqs)
        self._serial = 0
        self._prompt_tokens = 0
        self._cached_tokens = 0

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
            "max_model_len": self._max_model_len,
            "args": self._args,
            "sampling_params": self._sampling_records,
        }

    def generate(
        self, requests: Iterable[Request], sampling: SamplingConfig, alive: Callable[[], None]
    ) -> Iterator[Completion | Failure]:
        """Draw every sample, in a bounded window of requests; see `Engine.generate`."""
        feed = self._feed(iter(requests), sampling)
        arguments = sampling_arguments(sampling)
        retries: deque[_InFlight] = deque()
        in_flight: dict[str, _InFlight] = {}
        prompts: dict[str, _Prompt] = {}
        exhausted = False
        while True:
            while len(in_flight) < self._window:
                if retries:
                    again = retries.popleft()
                    prompt = prompts[again.request.request_id]
                    prompt.rendered = self._render(prompt.source)  # with its pixels once more
                    self._send(prompt, again, arguments, in_flight)
                    continue
                fed = None if exhausted else next(feed, None)
                if fed is None:
                    exhausted = True
                    break
                if isinstance(fed, Failure):
                    yield fed
                    continue
                prompt, index = fed
                prompts[prompt.request.request_id] = prompt
                self._send(prompt, _InFlight(prompt.request, index, 1), arguments, in_flight)
            if not in_flight:
                return
            outputs = self._llm.llm_engine.step()
            alive()
            for output in outputs:
                if not output.finished:
                    continue
                self._prompt_tokens += len(output.prompt_token_ids or ())
                self._cached_tokens += output.num_cached_tokens or 0
                flight = in_flight.pop(output.request_id)
                outcome = self._outcome(output, flight)
                if outcome is None:
                    retries.append(_InFlight(flight.request, flight.index, flight.attempt + 1))
                    continue
                prompt = prompts[flight.request.request_id]
                prompt.remaining -= 1
                if prompt.remaining == 0:
                    del prompts[flight.request.request_id]  # and its pictures with it
                yield outcome

    def usage(self) -> dict[str, Any]:
        """Prompt tokens of all samples, and how many of them the prefix cache spared."""
        return {"prompt_tokens": self._prompt_tokens, "cached_prompt_tokens": self._cached_tokens}

    def close(self) -> None:
        """Free the checkpoint and end the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()

    def _feed(
        self, requests: Iterator[Request], sampling: SamplingConfig
    ) -> Iterator[tuple[_Prompt, int] | Failure]:
        for request in requests:
            try:
                prompt = self._prepare(request, sampling)
            except self._refusals as error:
                yield Failure(request.request_id, None, str(error).splitlines()[0])
                continue
            for index in request.indices:
                yield prompt, index

    def _prepare(self, request: Request, sampling: SamplingConfig) -> _Prompt:
        source: dict[str, Any] = {"prompt_token_ids": self._chat.prompt_ids(request.messages)}
        if request.pictures:
            # Sized here, by qwen-vl-utils' rules: the processor then has nothing left to resize.
            source["multi_modal_data"] = {
                "image": [
                    self._chat.fit(open_rgb(path), request.min_pixels, request.max_pixels)
                    for path in request.pictures
                ]
            }
            source["multi_modal_uuids"] = {"image": [path.stem for path in request.pictures]}
            if budget := self._chat.pixel_budget(request.min_pixels, request.max_pixels):
                source["mm_processor_kwargs"] = budget
        rendered = self._render(source)
        length = len(rendered["prompt_token_ids"])
        if length + sampling.max_tokens > self._max_model_len:
            raise _PromptTooLong(
                f"prompt of {length} tokens and max_tokens {sampling.max_tokens} exceed "
                f"max_model_len {self._max_model_len}"
            )
        return _Prompt(request, source, rendered, remaining=len(request.indices))

    def _render(self, source: dict[str, Any]) -> Any:
        # Rendered apart from adding, because samples share one rendering: vLLM's public enqueue()
        # would process the prompt again for each of them.
        return self._llm._preprocess_cmpl_one(source)

    def _send(
        self,
        prompt: _Prompt,
        flight: _InFlight,
        arguments: dict[str, Any],
        in_flight: dict[str, _InFlight],
    ) -> None:
        if prompt.samples_sent == 1 and prompt.request.pictures:
            # The engine has the pixels now; this rendering refers to them instead of carrying them.
            prompt.rendered = self._render(prompt.source)
        from vllm import SamplingParams

        params = SamplingParams(seed=prompt.request.seed + flight.index, **arguments)
        self._serial += 1
        engine_id = str(self._serial)
        self._llm.llm_engine.add_request(
            engine_id, prompt.rendered, params, lora_request=self._lora
        )
        in_flight[engine_id] = flight
        prompt.samples_sent += 1

    def _outcome(self, output: RequestOutput, flight: _InFlight) -> Completion | Failure | None:
        """The finished sample, or None when the engine should try it once more."""
        answer = output.outputs[0]
        request_id = flight.request.request_id
        reason = str(answer.finish_reason)
        if reason in ("error", "abort"):
            if flight.attempt < MAX_ATTEMPTS:
                return None
            return Failure(request_id, flight.index, f"engine gave {reason!r} {MAX_ATTEMPTS} times")
        token_ids = list(answer.token_ids)
        # A stop string ends a text between tokens, so vLLM's own text is taken then.
        at_string = isinstance(answer.stop_reason, str)
        return Completion(
            request_id=request_id,
            index=flight.index,
            seed=flight.request.seed + flight.index,
            token_ids=token_ids,
            text=answer.text if at_string else self._chat.text(token_ids, ended=reason == "stop"),
            finish_reason=reason,
            # vLLM says 0 where it was not asked.
            logprob_sum=answer.cumulative_logprob if answer.logprobs is not None else None,
        )


def set_up_process(config: VllmConfig) -> None:
    """Decide, before vLLM is imported, how it uses processes and threads.

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
            near = difflib.get_close_matches(name, sorted(valid), n=3)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise UserError(f"engine.args: vLLM has no engine argument {name!r}{hint}")
    args = dict(CPU_DEFAULTS if on_cpu else {"enable_prefix_caching": True}) | config.args
    if on_cpu and args.get("enable_chunked_prefill") is False and "max_model_len" in args:
        # Without chunking, one step must be able to take a whole prompt.
        args.setdefault("max_num_batched_tokens", max(4096, int(args["max_model_len"])))
    args.setdefault("seed", 0)
    return args


def _one_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if not line.startswith("For further"))[:400]

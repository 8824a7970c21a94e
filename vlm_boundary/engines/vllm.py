"""vLLM's multimodal engine, stepped by us so that every sample is handed over as it finishes."""

from __future__ import annotations

import difflib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.config import EngineConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Scored, ScoreRequest
from vlm_boundary.engines.chat import ChatRenderer, pixel_size
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams
    from vllm.logprobs import FlatLogprobs

MAX_ATTEMPTS = 3

Result = TypeVar("Result", Completion, Scored)

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

    @property
    def tokens(self) -> int:
        """Length of the prompt as the model reads it."""
        return len(self.rendered["prompt_token_ids"])

    @property
    def picture_tokens(self) -> int:
        """How many of them stand for pictures, each one token before the engine expands it."""
        unexpanded = len(self.source["prompt_token_ids"])
        return self.tokens - unexpanded + len(self.request.pictures)


class VllmEngine:
    """One checkpoint in vLLM.

    Args:
        folder: the checkpoint.
        config: engine settings; `args` are vLLM's own.
        max_images: the most pictures in one prompt.
        max_pixels: the largest pixel budget of any request, or None for the processor's own.

    Raises:
        UserError: vLLM is not installed, or refuses the arguments.
    """

    def __init__(
        self,
        folder: Path,
        config: EngineConfig,
        *,
        max_images: int,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
    ) -> None:
        set_up_process(config)
        try:
            import vllm
            from vllm.exceptions import VLLMClientError
            from vllm.platforms import current_platform
        except ImportError as error:
            raise UserError(
                f"vLLM cannot be imported ({error}); 'vlm-boundary doctor' says what is missing"
            ) from None
        on_cpu = current_platform.is_cpu()
        args = resolve_arguments(config, on_cpu=on_cpu)
        args.setdefault("limit_mm_per_prompt", {"image": max_images, "video": 0})
        if max_pixels is not None:
            # Also bounds what the engine profiles and the size of its encoder cache.
            args.setdefault("mm_processor_kwargs", pixel_size(min_pixels, max_pixels))
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
        self._chat = ChatRenderer(folder)
        model_config = self._llm.llm_engine.model_config
        self._max_model_len = int(model_config.max_model_len)
        self._dtype = str(model_config.dtype).removeprefix("torch.")
        scheduler = self._llm.llm_engine.vllm_config.scheduler_config
        # Enough that the engine never waits for us; samples of one problem stay neighbours.
        self._max_num_seqs = int(scheduler.max_num_seqs)
        self._window = 2 * self._max_num_seqs
        self._serial = 0

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
            "max_num_seqs": self._max_num_seqs,
            "args": self._args,
        }

    def generate(
        self, requests: Iterable[Request], sampling: SamplingConfig
    ) -> Iterator[Completion | Failure]:
        """Draw every sample, in a bounded window of requests; see `Engine.generate`."""

        def order(prompt: _Prompt, index: int) -> tuple[Any, SamplingParams]:
            return prompt.rendered, _sampling_params(sampling, prompt.request.seed + index)

        def result(output: RequestOutput, prompt: _Prompt, index: int) -> Completion:
            return self._completion(output, prompt, index, sampling)

        return self._drive(self._feed(iter(requests), sampling.max_tokens), order, result)

    def score(self, requests: Iterable[ScoreRequest]) -> Iterator[Scored | Failure]:
        """Score every response, with its prompt's pictures; see `ScoringEngine.score`."""

        def order(prompt: _Prompt, index: int) -> tuple[Any, SamplingParams]:
            # Joined behind the rendered prompt: what a model wrote is never searched for places
            # where a picture goes.
            ids = [*prompt.rendered["prompt_token_ids"], *_response(prompt.request, index)]
            return {**prompt.rendered, "prompt_token_ids": ids}, _scoring_params()

        def result(output: RequestOutput, prompt: _Prompt, index: int) -> Scored:
            response = list(_response(prompt.request, index))
            found: FlatLogprobs = output.prompt_logprobs
            logprobs = _logprobs_of(response, found)
            return Scored(prompt.request.request_id, index, logprobs)

        return self._drive(self._feed_responses(iter(requests)), order, result)

    def _drive(
        self,
        feed: Iterator[tuple[_Prompt, int] | Failure],
        order: Callable[[_Prompt, int], tuple[Any, SamplingParams]],
        result: Callable[[RequestOutput, _Prompt, int], Result],
    ) -> Iterator[Result | Failure]:
        """Keep the engine fed from `feed` and hand over each result as it finishes.

        Args:
            order: what the engine is given for one index of a request: its input and parameters.
            result: what its finished output says.
        """
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
                    self._send(prompt, again, order, in_flight)
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
                self._send(prompt, _InFlight(prompt.request, index, 1), order, in_flight)
            if not in_flight:
                return
            for output in self._llm.llm_engine.step():
                if not output.finished:
                    continue
                flight = in_flight.pop(output.request_id)
                prompt = prompts[flight.request.request_id]
                outcome: Result | Failure
                if (reason := str(output.outputs[0].finish_reason)) not in ("error", "abort"):
                    outcome = result(output, prompt, flight.index)
                elif flight.attempt < MAX_ATTEMPTS:
                    retries.append(_InFlight(flight.request, flight.index, flight.attempt + 1))
                    continue
                else:
                    said = f"engine gave {reason!r} {MAX_ATTEMPTS} times"
                    outcome = Failure(flight.request.request_id, flight.index, said)
                prompt.remaining -= 1
                if prompt.remaining == 0:
                    del prompts[flight.request.request_id]  # and its pictures with it
                yield outcome

    def close(self) -> None:
        """Free the checkpoint and end the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()

    def _feed(
        self, requests: Iterator[Request], max_tokens: int
    ) -> Iterator[tuple[_Prompt, int] | Failure]:
        for request in requests:
            try:
                prompt = self._prepare(request, max_tokens)
            except self._refusals as error:
                yield Failure(request.request_id, None, str(error).splitlines()[0])
                continue
            for index in request.indices:
                yield prompt, index

    def _feed_responses(
        self, requests: Iterator[ScoreRequest]
    ) -> Iterator[tuple[_Prompt, int] | Failure]:
        for request in requests:
            try:
                # One token of room: the engine always generates, if only to be done.
                prompt = self._prepare(request, 1)
            except self._refusals as error:
                yield Failure(request.request_id, None, str(error).splitlines()[0])
                continue
            room = self._max_model_len - prompt.tokens - 1
            fitting = []
            for index in request.indices:
                length = len(request.responses[index])
                if 0 < length <= room:
                    fitting.append(index)
                else:
                    said = "no token ids" if length == 0 else f"{length} tokens of {room} that fit"
                    yield Failure(request.request_id, index, f"cannot be scored: {said}")
            prompt.remaining = len(fitting)
            for index in fitting:
                yield prompt, index

    def _prepare(self, request: Request, max_tokens: int) -> _Prompt:
        source: dict[str, Any] = {"prompt_token_ids": self._chat.prompt_ids(request.messages)}
        if request.pictures:
            source["multi_modal_data"] = {"image": [open_rgb(path) for path in request.pictures]}
            source["multi_modal_uuids"] = {"image": [path.stem for path in request.pictures]}
            if request.max_pixels is not None:
                source["mm_processor_kwargs"] = pixel_size(request.min_pixels, request.max_pixels)
        rendered = self._render(source)
        prompt = _Prompt(request, source, rendered, remaining=len(request.indices))
        if prompt.tokens + max_tokens > self._max_model_len:
            raise _PromptTooLong(
                f"prompt of {prompt.tokens} tokens and max_tokens {max_tokens} exceed "
                f"max_model_len {self._max_model_len}"
            )
        return prompt

    def _render(self, source: dict[str, Any]) -> Any:
        # Rendered apart from adding, because samples share one rendering: vLLM's public enqueue()
        # would process the prompt again for each of them.
        return self._llm._preprocess_cmpl_one(source)

    def _send(
        self,
        prompt: _Prompt,
        flight: _InFlight,
        order: Callable[[_Prompt, int], tuple[Any, SamplingParams]],
        in_flight: dict[str, _InFlight],
    ) -> None:
        if prompt.samples_sent == 1 and prompt.request.pictures:
            # The engine has the pixels now; this rendering refers to them instead of carrying them.
            prompt.rendered = self._render(prompt.source)
        engine_input, params = order(prompt, flight.index)
        self._serial += 1
        engine_id = str(self._serial)
        self._llm.llm_engine.add_request(engine_id, engine_input, params)
        in_flight[engine_id] = flight
        prompt.samples_sent += 1

    def _completion(
        self, output: RequestOutput, prompt: _Prompt, index: int, sampling: SamplingConfig
    ) -> Completion:
        answer = output.outputs[0]
        token_ids = list(answer.token_ids)
        reason = str(answer.finish_reason)
        kept = index < sampling.token_logprobs
        return Completion(
            request_id=prompt.request.request_id,
            index=index,
            seed=prompt.request.seed + index,
            token_ids=token_ids,
            text=self._chat.text(token_ids, ended=reason == "stop"),
            finish_reason=reason,
            logprob_sum=answer.cumulative_logprob,
            token_logprobs=_logprobs_of(token_ids, answer.logprobs) if kept else None,
            prompt_tokens=prompt.tokens,
            picture_tokens=prompt.picture_tokens,
        )


def set_up_process(config: EngineConfig) -> None:
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


def resolve_arguments(config: EngineConfig, *, on_cpu: bool) -> dict[str, Any]:
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


def _sampling_params(sampling: SamplingConfig, seed: int) -> SamplingParams:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        n=1,
        seed=seed,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        min_p=sampling.min_p,
        repetition_penalty=sampling.repetition_penalty,
        max_tokens=sampling.max_tokens,
        logprobs=0,  # of the sampled token alone
        flat_logprobs=True,
        detokenize=False,  # the text is decoded once, from the finished ids
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _scoring_params() -> SamplingParams:
    """Log-probabilities of the prompt itself; what the engine then adds to it is thrown away.

    `skip_reading_prefix_cache` is left to vLLM: told to read the cache, it returns uninitialised
    memory for the positions that it took from there.
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        prompt_logprobs=0,  # of the prompt's own token alone
        flat_logprobs=True,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _response(request: Request, index: int) -> Sequence[int]:
    assert isinstance(request, ScoreRequest)
    return request.responses[index]


def _logprobs_of(tokens: list[int], found: FlatLogprobs) -> list[float]:
    """The log-probability of each of the last tokens that an engine's output tells of.

    Raises:
        RuntimeError: it tells of other tokens.
    """
    # At a position stands the token itself first, then perhaps likelier ones.
    places = found.start_indices[len(found.start_indices) - len(tokens) :]
    if [found.token_ids[place] for place in places] != tokens:
        raise RuntimeError("the engine's log-probabilities are of other tokens than were asked for")
    return [found.logprobs[place] for place in places]


def _one_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if not line.startswith("For further"))[:400]

"""The loop that steps vLLM's engine: prompts in as there is room, results out as they finish."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.engines.base import (
    AGAIN_SECONDS,
    Completion,
    Failure,
    PromptTooLong,
    PromptUnusable,
    Request,
    Scored,
)
from vlm_boundary.engines.chat import ChatRenderer

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams

MAX_ATTEMPTS = 3

Result = TypeVar("Result", Completion, Scored)


@dataclass
class Prompt:
    """A request being fed: its engine input, and how it is made again."""

    request: Request
    source: dict[str, Any]
    rendered: Any
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


@dataclass(frozen=True)
class _InFlight:
    """One sample that the engine is working on."""

    prompt: Prompt
    index: int
    attempt: int


Fed: TypeAlias = tuple[Prompt, int] | Failure | None
"""A prompt with the index of one sample, what cannot run, or None: nothing just now."""
Order = Callable[[Prompt, int], "tuple[Any, SamplingParams]"]


class EngineLoop:
    """Keeps an engine fed within a bounded window, and hands over each result as it finishes.

    Args:
        llm: vLLM's `LLM`.
        chat: renders the prompts.
        lora: the adapter that every request is for, as vLLM's LoRARequest.
    """

    def __init__(self, llm: Any, chat: ChatRenderer, lora: Any) -> None:
        from vllm.exceptions import VLLMClientError

        self._llm = llm
        self._chat = chat
        self._lora = lora
        self.max_model_len = int(llm.llm_engine.model_config.max_model_len)
        self.max_num_seqs = int(llm.llm_engine.vllm_config.scheduler_config.max_num_seqs)
        # What is wrong with one prompt: its picture, its length, or whatever vLLM refuses it for.
        self.refusals = (PictureError, PromptTooLong, PromptUnusable, VLLMClientError)
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.repeated_tokens = 0
        # Enough that the engine never waits for us; samples of one problem stay neighbours.
        self._window = 2 * self.max_num_seqs
        self._serial = 0

    def prepare(self, request: Request, max_tokens: int) -> Prompt:
        """Render a request's prompt.

        Raises:
            PictureError, PromptTooLong, PromptUnusable, VLLMClientError: see `refusals`.
        """
        turns, args = request.messages, request.chat_template_args
        ids = self._chat.prompt_ids(turns, args, request.prefix)
        source: dict[str, Any] = {"prompt_token_ids": ids}
        if request.pictures:
            rule = self._chat.pictures(request.budget)
            opened = [open_rgb(path) for path in request.pictures]
            # Where they are sized here, the processor has nothing left to resize.
            source["multi_modal_data"] = {"image": rule.seen(turns, opened)}
            source["multi_modal_uuids"] = {"image": [path.stem for path in request.pictures]}
            if rule.options:
                source["mm_processor_kwargs"] = rule.options
        prompt = Prompt(request, source, self._render(source))
        if prompt.tokens + max_tokens > self.max_model_len:
            raise PromptTooLong(
                f"prompt of {prompt.tokens} tokens and max_tokens {max_tokens} exceed "
                f"max_model_len {self.max_model_len}"
            )
        return prompt

    def drive(
        self,
        feed: Iterator[Fed],
        order: Order,
        result: Callable[[RequestOutput, Prompt, int], Result],
        alive: Callable[[], None],
    ) -> Iterator[Result | Failure]:
        """Run everything that `feed` gives, in any order.

        Args:
            feed: asked whenever there is room.
            order: what the engine is given for one index of a prompt: its input and parameters.
            result: what its finished output says.
            alive: called after every step.
        """
        retries: deque[_InFlight] = deque()
        in_flight: dict[str, _InFlight] = {}
        while True:
            exhausted = yield from self._fill(feed, order, retries, in_flight)
            if not in_flight:
                if exhausted:
                    return
                time.sleep(AGAIN_SECONDS)
                alive()
                continue
            outputs = self._llm.llm_engine.step()
            alive()
            for output in outputs:
                if not output.finished:
                    continue
                flight = in_flight.pop(output.request_id)
                self.prompt_tokens += len(output.prompt_token_ids or ())
                self.cached_tokens += output.num_cached_tokens or 0
                reason = str(output.outputs[0].finish_reason)
                if reason not in ("error", "abort"):
                    yield result(output, flight.prompt, flight.index)
                elif flight.attempt < MAX_ATTEMPTS:
                    retries.append(_InFlight(flight.prompt, flight.index, flight.attempt + 1))
                else:
                    said = f"engine gave {reason!r} {MAX_ATTEMPTS} times"
                    yield Failure(flight.prompt.request.request_id, flight.index, said)

    def _fill(
        self,
        feed: Iterator[Fed],
        order: Order,
        retries: deque[_InFlight],
        in_flight: dict[str, _InFlight],
    ) -> Generator[Failure, None, bool]:
        """Send samples while there is room; returns whether the feed has come to its end."""
        while len(in_flight) < self._window:
            if retries:
                again = retries.popleft()
                # With its pixels once more.
                again.prompt.rendered = self._render(again.prompt.source)
                self._send(again, order, in_flight)
                continue
            try:
                fed = next(feed)
            except StopIteration:
                return True
            if fed is None:
                break
            if isinstance(fed, Failure):
                yield fed
            else:
                self._send(_InFlight(*fed, 1), order, in_flight)
        return False

    def _render(self, source: dict[str, Any]) -> Any:
        # Rendered apart from adding, because samples share one rendering: vLLM's public enqueue()
        # would process the prompt again for each of them.
        return self._llm._preprocess_cmpl_one(source)

    def _send(self, flight: _InFlight, order: Order, in_flight: dict[str, _InFlight]) -> None:
        prompt = flight.prompt
        if prompt.samples_sent == 1 and prompt.request.pictures:
            # The engine has the pixels now; this rendering refers to them instead of carrying them.
            prompt.rendered = self._render(prompt.source)
        if prompt.samples_sent > 0:
            self.repeated_tokens += prompt.tokens
        engine_input, params = order(prompt, flight.index)
        self._serial += 1
        engine_id = str(self._serial)
        self._llm.llm_engine.add_request(engine_id, engine_input, params, lora_request=self._lora)
        in_flight[engine_id] = flight
        prompt.samples_sent += 1

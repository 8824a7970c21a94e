"""A server with OpenAI's chat API: the prompt goes there, samples come back as they finish.

Written for vLLM's own server, which is best started with `--generation-config vllm`; other servers
give less (no token ids, no log-probabilities), and what they do not give is left empty. Text is
as the server decodes it: vLLM's leaves out the bytes of a character that a response broke off in.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks.images import PictureBudget, PictureError
from vlm_boundary.config import OpenAIConfig, SamplingConfig
from vlm_boundary.engines.base import (
    AGAIN_SECONDS,
    Completion,
    Failure,
    Request,
    Requests,
    Workload,
    unheard,
)
from vlm_boundary.engines.openai_server import (
    CONTINUED,
    OWNED,
    Habits,
    SeedSupport,
    Server,
    check_owned,
    data_url,
    meet_servers,
    probe_habits,
    sampling_fields,
    try_parameters,
    turns_with_pictures,
)
from vlm_boundary.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from openai.types.chat.chat_completion import Choice

MAX_ATTEMPTS = 3
_BEAT_SECONDS = 5.0
_HUNGRY_SECONDS = 0.1


@dataclass
class _ServedPrompt:
    """A request on its way, its pictures encoded once for all its samples."""

    request: Request
    server: Server
    pictures: list[str]
    known_there: bool = False
    """The server has seen the pictures, so that their names are enough."""


@dataclass(frozen=True)
class _Chunk:
    """Samples of one prompt that are asked for together."""

    prompt: _ServedPrompt
    indices: range


class OpenAIEngine:
    """Samples of one model behind one or several servers.

    Sample i of a request is asked for with seed `seed + i`: in one request with its neighbours
    where the server gives child j of a request the request's seed plus j, as vLLM does, else alone.
    A server that ignores seeds is recognised at the start, and its samples have no seed.

    Raises:
        UserError: a server cannot be reached, does not serve the model or refuses the parameters.
    """

    def __init__(self, model: str, config: OpenAIConfig, workload: Workload) -> None:
        try:
            import openai
        except ImportError:
            raise UserError(
                "engine kind openai needs the openai package; in a clone: "
                "pip install -e '.[server]'"
            ) from None
        self._model = model
        self._config = config
        for sampling in workload.samplings:
            check_owned(sampling)
        self._clients = [
            openai.AsyncOpenAI(
                base_url=url,
                # The library insists on a key; servers without keys take any.
                api_key=os.environ.get(config.api_key_env) or "none",
                timeout=config.timeout_seconds,
                max_retries=config.max_retries,
            )
            for url in config.base_urls
        ]
        # The requests run in a thread of their own, so that signals find this one waiting for
        # results and not inside the event loop.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._servers: list[Server] = self._run(meet_servers(self._clients, model))
            for server in self._servers:
                for sampling in workload.samplings:
                    _check_known(sampling, server)
            parameters = [self._fields(sampling) for sampling in workload.samplings]
            budget = self._pixel_budget(workload.budget)
            told = [_template_fields(args) for args in workload.chat_template_args] or [{}]
            tried = [one | budget | args for one in parameters for args in told]
            self._run(try_parameters(self._servers, model, tried))
            plain = SamplingConfig(temperature=2.0, top_p=1.0, max_tokens=16)
            habits: Habits = self._run(probe_habits(self._servers, model, self._fields(plain)))
        except BaseException:  # Ctrl-C too: the thread must not outlive an engine that never was
            self.close()
            raise
        self._seeds = habits.seeds
        self._together = habits.samples_together(config.samples_per_request)
        self._sent = parameters

    def describe(self) -> dict[str, Any]:
        """The servers as they present themselves, what they do with seeds, and what is sent."""
        return {
            "engine": "openai",
            "model": self._model,
            "servers": [
                {
                    "base_url": server.base_url,
                    "owned_by": server.owner,
                    "version": server.version,
                    "max_model_len": server.max_model_len,
                }
                for server in self._servers
            ],
            "seeds": self._seeds.value,
            "sampling_params": self._sent,
        }

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None] = unheard
    ) -> Iterator[Completion | Failure]:
        """Draw every sample, a bounded number of requests at once; see `Engine.generate`.

        Raises:
            UserError: a server stopped answering, or refuses us.
        """
        feed = self._chunks(iter(requests))
        in_flight: set[Future[list[Completion | Failure]]] = set()
        try:
            exhausted = False
            while True:
                hungry = False
                while not (exhausted or hungry) and len(in_flight) < self._config.concurrency:
                    try:
                        fed = next(feed)
                    except StopIteration:
                        exhausted = True
                        continue
                    if fed is None:
                        hungry = True
                        continue
                    if isinstance(fed, Failure):
                        yield fed
                        continue
                    coroutine = self._draw(fed, sampling)
                    in_flight.add(asyncio.run_coroutine_threadsafe(coroutine, self._loop))
                if not in_flight and exhausted:
                    return
                if in_flight:
                    seconds = _HUNGRY_SECONDS if hungry else _BEAT_SECONDS
                    done, in_flight = wait(in_flight, seconds, return_when=FIRST_COMPLETED)
                else:
                    time.sleep(AGAIN_SECONDS)
                    done = set()
                alive()  # waiting is our work: a server that is stuck runs into timeout_seconds
                # What came is handed over before what failed is raised.
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    yield from future.result()
        finally:
            for future in in_flight:
                future.cancel()  # closes the connection, upon which vLLM stops generating

    def close(self) -> None:
        """Close the connections."""
        if self._loop.is_running():
            with suppress(TimeoutError):
                self._run(self._close_clients(), timeout=10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)

    def _run(self, coroutine: Any, timeout: float | None = None) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    async def _close_clients(self) -> None:
        for client in self._clients:
            await client.close()

    def _chunks(self, requests: Iterator[Request | None]) -> Iterator[_Chunk | Failure | None]:
        for request in requests:
            if request is None:
                yield None
                continue
            try:
                pictures = [data_url(path) for path in request.pictures]
            except PictureError as error:
                yield Failure(request.request_id, None, str(error))
                continue
            prompt = _ServedPrompt(request, self._server_of(request), pictures)
            if request.prefix and not prompt.server.is_vllm:
                reason = "this server cannot go on with an answer that is begun; only vLLM's can"
                yield Failure(request.request_id, None, reason, lasting=True)
                continue
            for start in range(request.indices.start, request.indices.stop, self._together):
                stop = min(start + self._together, request.indices.stop)
                yield _Chunk(prompt, range(start, stop))

    def _server_of(self, request: Request) -> Server:
        """Always the same for a problem, whose pictures and prefix are then cached there."""
        digest = hashlib.sha256(request.problem_id.encode()).digest()
        return self._servers[int.from_bytes(digest[:8], "big") % len(self._servers)]

    async def _draw(self, chunk: _Chunk, sampling: SamplingConfig) -> list[Completion | Failure]:
        """A chunk's samples, those that the server gave up asked for again."""
        results: list[Completion | Failure] = []
        waiting = [chunk.indices]
        for attempt in range(1, MAX_ATTEMPTS + 1):
            again: list[range] = []
            for indices in waiting:
                for result in await self._ask(chunk.prompt, indices, sampling):
                    if isinstance(result, int) and attempt < MAX_ATTEMPTS:
                        again.append(range(result, result + 1))
                    elif isinstance(result, int):
                        reason = f"the server gave up on it {MAX_ATTEMPTS} times"
                        request_id = chunk.prompt.request.request_id
                        results.append(Failure(request_id, result, reason))
                    else:
                        results.append(result)
            waiting = again
            if not waiting:
                break
        return results

    async def _ask(
        self, prompt: _ServedPrompt, indices: range, sampling: SamplingConfig
    ) -> list[Completion | Failure | int]:
        """One request; an integer stands for a sample that the server did not finish."""
        import openai

        request, server = prompt.request, prompt.server
        payload = self._fields(sampling)
        payload |= self._pixel_budget(request.budget)
        payload |= _template_fields(request.chat_template_args)
        if request.prefix:
            payload |= CONTINUED
        payload |= {"model": self._model, "n": len(indices)}
        if self._seeds is not SeedSupport.IGNORED:
            payload["seed"] = request.seed + indices.start
        whole = turns_with_pictures(request, prompt.pictures, vllm=server.is_vllm)
        by_name = prompt.known_there and server.is_vllm
        turns = turns_with_pictures(request, None, vllm=True) if by_name else whole
        try:
            try:
                done = await server.ask(payload | {"messages": turns})
            except (openai.BadRequestError, openai.InternalServerError):
                if not by_name:
                    raise
                # The server may have forgotten the pictures: send them again.
                done = await server.ask(payload | {"messages": whole})
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            reason = f"the server refuses it: {_reason(error)}"
            return [Failure(request.request_id, index, reason) for index in indices]
        except openai.InternalServerError as error:
            reason = f"the server failed on it: {_reason(error)}"
            return [Failure(request.request_id, index, reason) for index in indices]
        except openai.APIConnectionError as error:
            raise UserError(
                f"{server.base_url} stopped answering ({_reason(error)}); finished samples are "
                f"stored, run the same command to go on"
            ) from None
        except openai.APIStatusError as error:
            raise UserError(f"{server.base_url}: {_reason(error)}") from None
        prompt.known_there = True
        return self._results(done, prompt, indices, sampling)

    def _results(
        self, done: ChatCompletion, prompt: _ServedPrompt, indices: range, sampling: SamplingConfig
    ) -> list[Completion | Failure | int]:
        request, server = prompt.request, prompt.server
        length = done.usage.prompt_tokens if done.usage else 0
        if server.max_model_len and length + sampling.max_tokens > server.max_model_len:
            # vLLM's server would quietly cut such responses short.
            reason = (
                f"prompt of {length} tokens and max_tokens {sampling.max_tokens} exceed the "
                f"{server.max_model_len} tokens of {server.base_url}"
            )
            return [Failure(request.request_id, index, reason) for index in indices]
        choices = {choice.index: choice for choice in done.choices}
        results: list[Completion | Failure | int] = []
        for place, index in enumerate(indices):
            choice = choices.get(place)
            if choice is None or choice.finish_reason in (None, "error", "abort"):
                results.append(index)
            else:
                seed = None if self._seeds is SeedSupport.IGNORED else request.seed + index
                keep = index < sampling.token_logprobs
                results.append(_completion(choice, request.request_id, index, seed, server, keep))
        return results

    def _fields(self, sampling: SamplingConfig) -> dict[str, Any]:
        return sampling_fields(sampling, vllm=all(server.is_vllm for server in self._servers))

    def _pixel_budget(self, pictures: PictureBudget) -> dict[str, Any]:
        budget = pictures.given
        if not budget or self._config.server_sets_pixels:
            return {}
        if pictures.max_tokens is not None:
            raise UserError(
                "images.max_tokens: how a server's model sizes pictures is not known here; give "
                "the server the budget when it starts (--mm-processor-kwargs) and say "
                "engine.server_sets_pixels=true"
            )
        if not all(server.is_vllm for server in self._servers):
            raise UserError(
                f"the benchmark sets a pixel budget ({budget}), which only vLLM's server takes; "
                f"set it where the server starts and say engine.server_sets_pixels=true"
            )
        return {"mm_processor_kwargs": budget}


def _template_fields(args: Mapping[str, Any]) -> dict[str, Any]:
    return {"chat_template_kwargs": dict(args)} if args else {}


def _check_known(sampling: SamplingConfig, server: Server) -> None:
    """Refuse what the server has no room for or would quietly leave out."""
    if server.max_model_len and sampling.max_tokens >= server.max_model_len:
        raise UserError(
            f"sampling.max_tokens {sampling.max_tokens} leaves no room for a prompt in the "
            f"{server.max_model_len} tokens of {server.base_url}"
        )
    if server.parameters is None:
        return
    for name in sampling.args:
        if name not in server.parameters:
            hint = did_you_mean(name, server.parameters - OWNED.keys())
            raise UserError(f"sampling.args: {server.base_url} knows no parameter {name!r}{hint}")


def _completion(
    choice: Choice, request_id: str, index: int, seed: int | None, server: Server, keep: bool
) -> Completion:
    """The server's answer as ours, with every token's log-probability if they are to `keep`."""
    extra = choice.message.model_extra or {}
    if extra.get("reasoning") or extra.get("reasoning_content"):
        raise UserError(
            f"{server.base_url} takes the reasoning out of the text (--reasoning-parser); start it "
            f"without, since text is stored as generated"
        )
    token_ids = list((choice.model_extra or {}).get("token_ids") or ())
    logprobs = [token.logprob for token in (choice.logprobs and choice.logprobs.content) or ()]
    # Only where they are known to be those of every token, end of turn counted.
    whole = bool(token_ids) and len(logprobs) == len(token_ids)
    return Completion(
        request_id=request_id,
        index=index,
        seed=seed,
        token_ids=token_ids,
        text=choice.message.content or "",
        finish_reason=choice.finish_reason,
        logprob_sum=sum(logprobs) if whole else None,
        token_logprobs=logprobs if whole and keep else None,
    )


def _reason(error: Exception) -> str:
    cause = error.__cause__ if error.__cause__ is not None else ""
    lines = f"{error} {cause}".strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__

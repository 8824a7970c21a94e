"""Meeting a server before anything is asked of it: what it serves and what it does with seeds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from vlm_boundary.engines.openai_request import CONTINUED
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

_TOGETHER = 4
_TURNS = [{"role": "user", "content": "Write random numbers."}]


class SeedSupport(Enum):
    """What a server does with the seed of a request for several samples; best first."""

    COUNTED = "sample j of a request is drawn with the request's seed + j"
    FIRST_ONLY = "kept for the first sample of a request, so every sample is a request"
    IGNORED = "ignored by the server: samples have no seed"


@dataclass(frozen=True)
class Habits:
    """What a server does with `seed` and `n`."""

    seeds: SeedSupport
    several: bool
    """Whether a request for n samples gives n."""

    def samples_together(self, wanted: int) -> int:
        """How many samples to put into one request, at most `wanted`."""
        return wanted if self.several and self.seeds is not SeedSupport.FIRST_ONLY else 1


@dataclass(frozen=True)
class Server:
    """One address and what answers there."""

    client: AsyncOpenAI
    base_url: str
    owner: str
    max_model_len: int | None
    version: str | None = None
    parameters: frozenset[str] | None = None
    """The fields of a request that it knows, where it says so."""

    @property
    def is_vllm(self) -> bool:
        """Whether it is vLLM's own server."""
        return self.owner == "vllm"

    async def ask(self, payload: dict[str, Any]) -> ChatCompletion:
        """One chat completion; parameters beyond OpenAI's stand in `extra_body`."""
        fields = dict(payload)
        extra = dict(fields.pop("extra_body", {}))
        further = ("mm_processor_kwargs", "chat_template_kwargs", *CONTINUED)
        for name in further:
            if name in fields:
                extra[name] = fields.pop(name)
        done: ChatCompletion = await self.client.chat.completions.create(**fields, extra_body=extra)
        return done


async def meet_servers(clients: Sequence[AsyncOpenAI], model: str) -> list[Server]:
    """Ask every address what it serves.

    Raises:
        UserError: one cannot be reached, refuses the key or does not serve the model.
    """
    import openai

    servers = []
    for client in clients:
        url = str(client.base_url).rstrip("/")
        try:
            listed = [entry async for entry in client.models.list()]
        except openai.APIConnectionError as error:
            raise UserError(f"no server answers at {url}: {error.__cause__ or error}") from None
        except openai.APIStatusError as error:
            raise UserError(
                f"{url} does not list its models ({error.status_code}); the address ends in /v1, "
                f"and the key is read from the variable that engine.api_key_env names"
            ) from None
        served = {entry.id: entry for entry in listed}
        if model not in served:
            names = ", ".join(sorted(served)[:6]) or "nothing"
            raise UserError(f"{url} serves {names}, not {model!r}: set the arm's model to the name")
        entry = served[model]
        room = (entry.model_extra or {}).get("max_model_len")
        server = Server(client, url, entry.owned_by, int(room) if room else None)
        servers.append(await _look_closer(server) if server.is_vllm else server)
    return servers


async def _look_closer(server: Server) -> Server:
    """The version of vLLM's server and the fields it knows; it would only log unknown ones."""
    import openai

    root = server.base_url.removesuffix("/v1")
    try:
        version: Any = await server.client.get(f"{root}/version", cast_to=object)
        schema: Any = await server.client.get(f"{root}/openapi.json", cast_to=object)
        fields = schema["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    except (openai.APIError, KeyError, TypeError):  # behind a proxy, or started without them
        return server
    return replace(server, version=str(version["version"]), parameters=frozenset(fields))


async def try_parameters(
    servers: Sequence[Server], model: str, parameters: Sequence[dict[str, Any]]
) -> None:
    """Send the sampling parameters once, so that a server that refuses them does so at the start.

    Raises:
        UserError: a server refuses them.
    """
    for server in servers:
        for one in parameters:
            # As short a response as the parameters allow.
            brief = {"n": 1, "max_tokens": max(1, one["extra_body"].get("min_tokens", 1))}
            with _refusals(server, pixels="mm_processor_kwargs" in one):
                await server.ask(one | brief | {"model": model, "messages": _TURNS, "seed": 0})


async def probe_habits(servers: Sequence[Server], model: str, parameters: dict[str, Any]) -> Habits:
    """Ask for the same seed twice, at the greatest temperature, and see what comes.

    With several servers the least of what they do counts.

    Args:
        parameters: those of a request, without any that narrow what can be said.

    Raises:
        UserError: a server refuses to answer.
    """
    found = []
    for server in servers:
        with _refusals(server, pixels=False):
            found.append(await _probe(server, model, parameters))
    order = list(SeedSupport)
    return Habits(
        max((habits.seeds for habits in found), key=order.index),
        all(habits.several for habits in found),
    )


@contextmanager
def _refusals(server: Server, *, pixels: bool) -> Iterator[None]:
    """Turn what a server says against a first request into one line."""
    import openai

    try:
        yield
    except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
        hint = ""
        if pixels:
            hint = (
                "; or give the server the benchmark's pixel budget when it starts "
                "(--mm-processor-kwargs) and set engine.server_sets_pixels=true"
            )
        reason = " ".join(error.message.split())
        raise UserError(f"{server.base_url} refuses the parameters: {reason}{hint}") from None
    except openai.APIError as error:
        raise UserError(f"{server.base_url}: {' '.join(error.message.split())}") from None


async def _probe(server: Server, model: str, parameters: dict[str, Any]) -> Habits:
    seed = random.SystemRandom().randrange(1 << 31)

    async def draw(first: int, count: int) -> list[str]:
        asked = {"model": model, "messages": _TURNS, "seed": first, "n": count}
        done = await server.ask(parameters | asked)
        choices = sorted(done.choices, key=lambda choice: choice.index)
        return [choice.message.content or "" for choice in choices]

    once = await draw(seed, _TOGETHER)
    several = len(once) == _TOGETHER
    # What follows is told only by texts that differ: seed + 1 must give another text than seed.
    alone, again, moved = [await draw(seed + step, 1) for step in (0, 0, 1)]
    if alone != again or alone == moved:
        return Habits(SeedSupport.IGNORED, several)
    counted = several and once == await draw(seed, _TOGETHER) and once[:2] == alone + moved
    return Habits(SeedSupport.COUNTED if counted else SeedSupport.FIRST_ONLY, several)

"""An OpenAI-compatible server: what a request to it says, what it serves, how it takes seeds."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks.images import open_rgb
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines.base import Request
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

_TOGETHER = 4
_TURNS = [{"role": "user", "content": "Write random numbers."}]

# Fields of the request that are ours to fill, each with why `sampling.args` may not.
OWNED: dict[str, str] = {
    "model": "it is the arm's model",
    "messages": "they follow from benchmark and prompt protocol",
    "n": "set engine.samples_per_request",
    "seed": "seeds follow from the experiment's seed",
    "stream": "responses are taken whole",
    "logprobs": "set sampling.logprob_sum; they are asked for where the server is vLLM's",
    "top_logprobs": "only the sampled tokens' are recorded",
    "return_token_ids": "set sampling.logprob_sum; they are asked for where the server is vLLM's",
    "skip_special_tokens": "text is stored as generated",
    "echo": "text is stored as generated",
    "chat_template": "it is the server's",
    "chat_template_kwargs": "write it as chat_template_args of the arm or the experiment",
    **dict.fromkeys(
        ("add_generation_prompt", "continue_final_message"), "the control wrong_prefix sets it"
    ),
    "truncate_prompt_tokens": "a prompt that is too long is refused, never cut",
    "use_beam_search": "samples are drawn, not searched for",
    "max_completion_tokens": "write it as sampling.max_tokens",
    "mm_processor_kwargs": "it follows from the benchmark's pixel budget",
    **dict.fromkeys(
        # `stop` is the server's own: texts that end a response.
        set(SamplingConfig.model_fields) - {"args", "n", "stop"},
        "write it under sampling",
    ),
}


CONTINUED: dict[str, bool] = {"add_generation_prompt": False, "continue_final_message": True}
"""What tells vLLM's server that the last turn is the beginning of its own."""


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


def check_owned(sampling: SamplingConfig) -> None:
    """Refuse further parameters that are ours to fill.

    Raises:
        UserError: naming the first, with the reason.
    """
    for name in sampling.args:
        if name in OWNED:
            raise UserError(f"sampling.args: {name} is not to be set: {OWNED[name]}")


def sampling_fields(sampling: SamplingConfig, *, vllm: bool) -> dict[str, Any]:
    """What every request says; nothing is left to the server's or the model's defaults.

    Servers other than vLLM's may not know the parameters that OpenAI's API lacks, so those are
    sent there only where they are not neutral.
    """
    further = {
        "top_k": (sampling.top_k, 0),
        "min_p": (sampling.min_p, 0.0),
        "repetition_penalty": (sampling.repetition_penalty, 1.0),
    }
    extra: dict[str, Any] = {
        name: value for name, (value, neutral) in further.items() if vllm or value != neutral
    }
    if vllm:
        extra |= {"return_token_ids": True, "skip_special_tokens": False}
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        **({"logprobs": True} if vllm and sampling.logprob_sum else {}),
        "extra_body": extra | sampling.args,
    }


def turns_with_pictures(
    request: Request, pictures: Sequence[str] | None, *, vllm: bool
) -> list[Message]:
    """The chat turns with their pictures as data URLs, or with only their names where None.

    vLLM's server keeps pictures by name, and takes the name alone for one that it has seen. What
    the response is to begin with is the last turn, see `CONTINUED`.
    """
    names = iter(path.stem for path in request.pictures)
    urls = iter(pictures if pictures is not None else ())

    def part(content: dict[str, Any]) -> dict[str, Any]:
        if content["type"] != "image":
            return {"type": "text", "text": content["text"]}
        url = None if pictures is None else {"url": next(urls)}
        name = {"uuid": next(names)} if vllm else {}
        return {"type": "image_url", "image_url": url, **name}

    begun = [{"role": "assistant", "content": request.prefix}] if request.prefix else []
    return [
        turn
        if isinstance(turn["content"], str)
        else turn | {"content": [part(content) for content in turn["content"]]}
        for turn in [*request.messages, *begun]
    ]


def data_url(path: Path) -> str:
    """A picture as a model sees it, without loss.

    Raises:
        PictureError: the file cannot be decoded.
    """
    png = io.BytesIO()
    open_rgb(path).save(png, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()

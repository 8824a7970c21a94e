"""What a request to an OpenAI-compatible server says, down to the last parameter."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.images import open_rgb
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.config import SamplingConfig
from vlm_boundary.engines.base import Request
from vlm_boundary.errors import UserError

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

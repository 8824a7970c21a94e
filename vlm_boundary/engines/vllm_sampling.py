"""What vLLM is asked for, whole and checked before a model is loaded, and how it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from vlm_boundary.config import SamplingConfig
from vlm_boundary.errors import UserError, did_you_mean, reason_of

if TYPE_CHECKING:
    from vllm import SamplingParams
    from vllm.logprobs import FlatLogprobs

# The lowest bias that vLLM takes, far below what any logit is above another.
_NEVER = -100.0

_STREAMED = "results are taken whole, when a sample is finished"
_LOGPROBS = "set sampling.logprob_sum: the sampled tokens' log-probabilities are added up"
_TEXT = "token ids and text are always stored as generated"
_SCORES = "prompts are scored by 'vlm-boundary score'"

# Parameters that decide how results are taken or stored, each with why it is not to be set.
OWNED: dict[str, str] = {
    "n": "set sampling.n; each sample is a request of its own",
    "seed": "seeds follow from the experiment's seed",
    "logprobs": _LOGPROBS,
    "flat_logprobs": _LOGPROBS,
    "logprob_token_ids": _LOGPROBS,
    "prompt_logprobs": _SCORES,
    "prompt_logprob_token_ids": _SCORES,
    "prompt_logprob_start": _SCORES,
    "detokenize": _TEXT,
    "skip_special_tokens": _TEXT,
    "spaces_between_special_tokens": _TEXT,
    "output_kind": _STREAMED,
    "stream_interval": _STREAMED,
    "output_text_buffer_length": _STREAMED,
    "skip_clone": "requests are vLLM's own copies",
    "skip_reading_prefix_cache": "set engine.args.enable_prefix_caching",
    "routed_experts_prompt_start": "routing is not recorded",
    "trace_decode_token_ids": "samples are drawn from the model, never dictated",
}


def sampling_arguments(sampling: SamplingConfig, masked: Sequence[int] = ()) -> dict[str, Any]:
    """Keyword arguments of vLLM's SamplingParams, all but the seed.

    Every parameter of ours is said explicitly. In process, vLLM takes nothing from a checkpoint's
    generation_config.json but further end-of-text token ids (`update_from_generation_config`); its
    temperature, penalties and the like have no effect.

    Args:
        masked: tokens that are never to be drawn, unless `sampling.args` gives them a bias.

    Raises:
        UserError: `sampling.args` names a parameter that vLLM does not have or that is not to be
            set, or gives it a value that vLLM refuses.
    """
    from vllm import SamplingParams
    from vllm.exceptions import VLLMClientError
    from vllm.sampling_params import RequestOutputKind

    known = {name for name in SamplingParams.__struct_fields__ if not name.startswith("_")}
    ours = set(SamplingConfig.model_fields) - {"args", "stop"}  # its `stop` are texts
    for name in sampling.args:
        if name in OWNED:
            raise UserError(f"sampling.args: {name} is not to be set: {OWNED[name]}")
        if name in ours:
            raise UserError(f"sampling.args: write {name} as sampling.{name}")
    _known(sampling.args, known - OWNED.keys(), "")
    try:
        further = _further(sampling.args)
        arguments: dict[str, Any] = {
            "n": 1,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "repetition_penalty": sampling.repetition_penalty,
            "max_tokens": sampling.max_tokens,
            "logprobs": 0 if sampling.logprob_sum else None,  # of the sampled token alone
            "flat_logprobs": True,
            # Otherwise the text is decoded once, from the finished ids.
            "detokenize": bool(further.get("stop")),
            "skip_special_tokens": False,
            "output_kind": RequestOutputKind.FINAL_ONLY,
            **further,
        }
        if masked:
            bias = dict.fromkeys(masked, _NEVER) | (arguments.get("logit_bias") or {})
            arguments["logit_bias"] = bias
        SamplingParams(seed=0, **arguments)
    except (ValueError, TypeError, AttributeError, VLLMClientError) as error:
        raise UserError(
            f"sampling.args: vLLM refuses {sampling.args}: {reason_of(error)}"
        ) from None
    return arguments


def _further(args: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of vLLM that are none of ours, as vLLM takes them."""
    from vllm.sampling_params import RepetitionDetectionParams, StructuredOutputsParams

    further = dict(args)
    records = {
        "repetition_detection": RepetitionDetectionParams,
        "structured_outputs": StructuredOutputsParams,
    }
    for name, record in records.items():
        if isinstance(further.get(name), dict):
            # The record itself would pass over names that it does not have.
            _known(further[name], {field.name for field in fields(record)}, name)
            further[name] = record(**further[name])
    if further.get("logit_bias"):
        # YAML and JSON have text as keys where vLLM has token ids.
        bias = further["logit_bias"]
        further["logit_bias"] = {int(token): float(value) for token, value in bias.items()}
    return further


def _known(given: Iterable[str], names: Collection[str], inside: str) -> None:
    for name in given:
        if name not in names:
            hint = did_you_mean(name, names)
            what = f"{inside} has no key" if inside else "vLLM has no sampling parameter"
            raise UserError(f"sampling.args: {what} {name!r}{hint}")


def sampling_record(params: SamplingParams) -> dict[str, Any]:
    """Every parameter by name, defaults included, in values that JSON can hold."""
    return {
        name: _plain(getattr(params, name))
        for name in sorted(params.__struct_fields__)
        if not name.startswith("_") and name not in ("seed", "skip_clone")
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return str(value)


def scoring_params() -> SamplingParams:
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


def logprobs_of(tokens: list[int], found: FlatLogprobs) -> list[float]:
    """The log-probability of each of the last tokens that an engine's output tells of.

    Raises:
        RuntimeError: it tells of other tokens.
    """
    # At a position stands the token itself first, then perhaps likelier ones.
    places = found.start_indices[len(found.start_indices) - len(tokens) :]
    if [found.token_ids[place] for place in places] != tokens:
        raise RuntimeError("the engine's log-probabilities are of other tokens than were asked for")
    return [found.logprobs[place] for place in places]

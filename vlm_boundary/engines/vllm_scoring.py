"""How vLLM is asked for the log-probabilities of tokens, and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vllm import SamplingParams
    from vllm.logprobs import FlatLogprobs


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

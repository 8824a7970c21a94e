"""The least time that a sampling job can take: pure functions of its size and the GPU's peaks.

Every prompt is read once, and every generated token has to read the weights (shared by all running
sequences) and its own context, and to multiply with both. Nothing else is counted, and every rate
is the data sheet's, so no engine is faster. Real ones reach perhaps half of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from vlm_boundary.engines.gpus import Gpu
from vlm_boundary.engines.model_size import ModelSize, NoBound

# vLLM's own share of the memory where gpu_memory_utilization is not given.
_MEMORY_SHARE = 0.92


@dataclass(frozen=True)
class TokenSums:
    """Sums over prompts and over responses from which the time follows; workloads add up.

    Attributes:
        prompts: distinct prompts (P).
        prompt_tokens: Σ S.
        prompt_tokens_squared: Σ S².
        picture_tokens: Σ I, those of the prompt tokens that stand for pictures.
        samples: responses (P·n).
        response_tokens: Σ L.
        context_tokens: Σ L·(S + L/2), the context that all generated tokens look back on.
    """

    prompts: float = 0.0
    prompt_tokens: float = 0.0
    prompt_tokens_squared: float = 0.0
    picture_tokens: float = 0.0
    samples: float = 0.0
    response_tokens: float = 0.0
    context_tokens: float = 0.0

    def __add__(self, other: TokenSums) -> TokenSums:
        mine, theirs = vars(self), vars(other)
        return TokenSums(**{name: mine[name] + theirs[name] for name in mine})

    @classmethod
    def of_prompt(cls, prompt_tokens: float, picture_tokens: float) -> TokenSums:
        """Reading one prompt."""
        return cls(1, prompt_tokens, prompt_tokens**2, picture_tokens)

    @classmethod
    def of_responses(cls, prompt_tokens: float, tokens: float, count: float = 1) -> TokenSums:
        """Generating `count` responses of `tokens` tokens to one prompt."""
        context = tokens * (prompt_tokens + tokens / 2)
        return cls(samples=count, response_tokens=count * tokens, context_tokens=count * context)


@dataclass(frozen=True)
class Bound:
    """The least seconds of each phase, and how many sequences run at once in them.

    Decoding waits for memory or for arithmetic, whichever takes longer. Prompts are read meanwhile
    where prefill is `chunked`, and else in steps of their own.
    """

    prefill: float
    decode_memory: float
    decode_compute: float
    sequences: float
    chunked: bool = True

    @property
    def seconds(self) -> float:
        """The whole of it."""
        if self.chunked:
            return max(self.decode_memory, self.prefill + self.decode_compute)
        return self.prefill + max(self.decode_memory, self.decode_compute)


def lower_bound(
    work: TokenSums,
    model: ModelSize,
    gpu: Gpu,
    args: Mapping[str, Any],
    *,
    gpus: int | None = None,
    reserved_bytes: float = 0.0,
) -> Bound:
    """The least time of a workload.

    With W bytes of weights read a step, B running sequences, κ bytes of keys and values a token, F
    operations and `BW` bytes a second, and A multiplications of a query with a key and a value:

        prefill         (2·N·ΣS + 2·A·ΣS² + 2·N_vision·patches·ΣI) / F
        decode, memory  (W/B·ΣL + κ·Σ L(S + L/2) + 2·σ·ΣL) / BW
        decode, compute (2·(N + N_head)·ΣL + 4·A·Σ L(S + L/2)) / F

    where σ is the state that layers of linear attention read and write at every step. With chunked
    prefill, as vLLM has it by default, a step reads a piece of a prompt beside the responses that
    are being generated, and what either waits for may be done meanwhile.
    Keys and values of a shared prompt are read for each of its sequences: vLLM has no kernel that
    reads them once.

    Args:
        args: vLLM's; of them max_num_seqs (the most sequences an engine runs at once),
            tensor_parallel_size, gpu_memory_utilization and enable_chunked_prefill count.
        gpus: how many there are in all, whose engines share the work; by default one engine's.
        reserved_bytes: memory for activations; unknown beforehand, and 0 keeps the bound a bound.

    Raises:
        NoBound: the weights do not fit, or there are fewer GPUs than one engine spans.
    """
    tensor_parallel = int(args.get("tensor_parallel_size") or 1)
    engines = (gpus or tensor_parallel) // tensor_parallel
    if engines == 0:
        raise NoBound(f"one engine spans {tensor_parallel} GPUs, and there are {gpus}")
    if work.samples == 0:
        return Bound(0.0, 0.0, 0.0, 0.0)
    memory_share = float(args.get("gpu_memory_utilization") or _MEMORY_SHARE)
    room = memory_share * gpu.memory * tensor_parallel - model.resident_bytes - reserved_bytes
    if room <= 0:
        raise NoBound(
            f"the weights take {model.resident_bytes / 1e9:.1f} GB and "
            f"{tensor_parallel} × {gpu.name} leave {memory_share:.0%} of "
            f"{tensor_parallel * gpu.memory / 1e9:.0f} GB"
        )
    most = float(args.get("max_num_seqs") or gpu.default_sequences)
    # What a sequence keeps beside the weights; samples of a prompt share its own.
    tokens = (work.response_tokens + work.prompt_tokens) / work.samples
    kept = model.kv_bytes * tokens + model.state_bytes
    fitting = room / kept if kept else inf  # windows alone, which are left out
    sequences = max(min(most, work.samples / engines, fitting), 1.0)
    flops = gpu.flops * engines * tensor_parallel
    bandwidth = gpu.bandwidth * engines * tensor_parallel
    prefill, memory, compute = _needs(work, model, sequences)
    chunked = args.get("enable_chunked_prefill") is not False
    return Bound(prefill / flops, memory / bandwidth, compute / flops, sequences, chunked)


def _needs(work: TokenSums, model: ModelSize, sequences: float) -> tuple[float, float, float]:
    """Operations of reading prompts, bytes that decoding reads, and its operations."""
    prefill = (
        2 * model.decoder * work.prompt_tokens
        + 2 * model.attention * work.prompt_tokens_squared
        + 2 * model.vision * model.patches_per_token * work.picture_tokens
    )
    memory = (
        model.decode_bytes / sequences * work.response_tokens
        + model.kv_read_bytes * work.context_tokens
        + 2 * model.state_bytes * work.response_tokens
    )
    compute = (
        2 * (model.decoder + model.head) * work.response_tokens
        + 4 * model.attention * work.context_tokens
    )
    return prefill, memory, compute

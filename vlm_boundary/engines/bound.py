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

from vlm_boundary.engines.model_size import ModelSize, NoBound
from vlm_boundary.errors import UserError

# vLLM's own share of the memory where gpu_memory_utilization is not given.
_MEMORY_SHARE = 0.92


@dataclass(frozen=True)
class Gpu:
    """One accelerator's peaks: dense bf16 with fp32 accumulation, and memory.

    Attributes:
        name: what it is called here, as in --gpu.
        flops: floating-point operations a second, without sparsity.
        bandwidth: bytes a second.
        memory: bytes.
        source: the data sheet.
        device_names: what CUDA calls it.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float
    source: str
    device_names: tuple[str, ...]

    @property
    def default_sequences(self) -> int:
        """VLLM's max_num_seqs where none is given.

        From `EngineArgs.get_batch_defaults`, vLLM 0.32 and 0.33: 1,024 with at least 70 GiB, but
        256 on any A100.
        """
        return 1024 if self.memory >= 70 * 2**30 and not self.name.startswith("A100") else 256


_A100 = "NVIDIA A100 Tensor Core GPU data sheet, r4 (2021)"
_H100 = "NVIDIA H100 Tensor Core GPU data sheet"
_H200 = "NVIDIA H200 Tensor Core GPU data sheet"
_B200 = "NVIDIA DGX B200 data sheet, an eighth of the system"
_ADA = "NVIDIA Ada GPU architecture white paper, appendix A"

# Data sheets since Hopper print rates with sparsity; without it they are half.
GPUS = (
    Gpu(
        "A100-40G", 312e12, 1.555e12, 40e9, _A100,
        ("NVIDIA A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB"),
    ),
    Gpu(
        "A100", 312e12, 2.039e12, 80e9, _A100,
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB PCIe"),
    ),
    Gpu("H100", 989e12, 3.35e12, 80e9, _H100, ("NVIDIA H100 80GB HBM3",)),
    Gpu("H100-NVL", 835e12, 3.9e12, 94e9, _H100, ("NVIDIA H100 NVL",)),
    Gpu("H100-PCIe", 756e12, 2.0e12, 80e9, _H100, ("NVIDIA H100 PCIe",)),
    Gpu("H200", 989e12, 4.8e12, 141e9, _H200, ("NVIDIA H200", "NVIDIA H200 NVL")),
    Gpu("B200", 2250e12, 8.0e12, 180e9, _B200, ("NVIDIA B200",)),
    Gpu("L40S", 362e12, 0.864e12, 48e9, "NVIDIA L40S data sheet", ("NVIDIA L40S",)),
    Gpu("L4", 121e12, 0.3e12, 24e9, "NVIDIA L4 data sheet", ("NVIDIA L4",)),
    Gpu("A10", 125e12, 0.6e12, 24e9, "NVIDIA A10 data sheet", ("NVIDIA A10",)),
    Gpu("RTX-4090", 165e12, 1.008e12, 24e9, _ADA, ("NVIDIA GeForce RTX 4090",)),
)  # fmt: skip


def find_gpu(name: str) -> Gpu:
    """The accelerator of that name, in any case.

    Raises:
        UserError: it is not known.
    """
    for gpu in GPUS:
        if gpu.name.lower() == name.lower():
            return gpu
    raise UserError(f"no GPU {name!r} is known; there are {', '.join(gpu.name for gpu in GPUS)}")


def recognise(device_name: str) -> Gpu | None:
    """The accelerator that CUDA calls so, or None."""
    return next((gpu for gpu in GPUS if device_name in gpu.device_names), None)


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

"""Accelerators whose peak rates are known, from their makers' data sheets."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_boundary.errors import UserError


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

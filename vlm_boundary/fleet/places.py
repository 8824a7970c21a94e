"""Where engines run: one on each GPU, or side by side on the cores of a CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from math import prod
from pathlib import Path

from vlm_boundary.config import EngineConfig, ExperimentConfig, PrmConfig, VllmConfig
from vlm_boundary.errors import UserError
from vlm_boundary.forks import usable_cores

# Of Nvidia's driver, of AMD's, and of Windows' for Linux in it.
_GPU_DEVICES = ("nvidiactl", "kfd", "dxg")


Place = dict[str, str]
"""Room for one engine, as the environment that confines it there."""


def engine_places(
    experiment: ExperimentConfig, engines: Sequence[EngineConfig | PrmConfig] | None = None
) -> list[Place]:
    """Every place that the experiment may use at once.

    A GPU is given to one engine at a time, since an engine takes all of its memory; an engine
    with tensor or pipeline parallelism takes several. On a CPU small models do not fill the
    cores, and engines side by side share the wait for their start.

    Args:
        engines: the settings of what is to run there; by default the arms'.

    Raises:
        UserError: the experiment names GPUs that are not here, or too few of them.
    """
    if engines is None:
        engines = [experiment.arm_engine(arm) for arm in experiment.arms]
    if not any(engine.needs_checkpoint for engine in engines):
        # Nothing is computed here.
        return [Place({})] * (experiment.parallel_engines or len(engines))
    visible = _visible_gpus()
    if experiment.gpus is not None:
        absent = sorted(set(experiment.gpus) - set(range(visible)))
        if absent:
            here = f"GPUs 0 to {visible - 1}" if visible else "no GPU"
            raise UserError(f"gpus: {absent[0]} is not here; this machine shows {here}")
    if not visible:
        return _cpu_places(experiment.parallel_engines)
    width = max(map(engine_width, engines))
    return _gpu_places(experiment, width, experiment.gpus or tuple(range(visible)))


def _visible_gpus() -> int:
    """How many GPUs torch sees; it is not asked where Linux has no device of any driver.

    Importing it takes seconds, which every run on a CPU would wait for.
    """
    if sys.platform == "linux" and not any(Path("/dev", name).exists() for name in _GPU_DEVICES):
        return 0
    import torch

    return int(torch.cuda.device_count())


def _gpu_places(experiment: ExperimentConfig, width: int, gpus: tuple[int, ...]) -> list[Place]:
    if width > len(gpus):
        raise UserError(
            f"engine.args: an engine takes {width} GPUs (tensor_parallel_size times "
            f"pipeline_parallel_size) and {len(gpus)} can be used"
        )
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = named.split(",") if named else [str(gpu) for gpu in range(max(gpus) + 1)]
    groups = [gpus[i : i + width] for i in range(0, len(gpus) - width + 1, width)]
    return [
        Place({"CUDA_VISIBLE_DEVICES": ",".join(names[gpu] for gpu in group)})
        for group in groups[: experiment.parallel_engines]
    ]


def engine_width(engine: EngineConfig | PrmConfig) -> int:
    """How many GPUs an engine takes: its tensor times its pipeline parallelism."""
    if not isinstance(engine, VllmConfig | PrmConfig):
        return 1
    sizes = (engine.args.get(f"{kind}_parallel_size", 1) for kind in ("tensor", "pipeline"))
    return prod(int(size) for size in sizes)


def _cpu_places(wanted: int | None) -> list[Place]:
    cores = usable_cores()
    count = wanted or cores
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // count))
    return [Place({"OMP_NUM_THREADS": threads})] * count

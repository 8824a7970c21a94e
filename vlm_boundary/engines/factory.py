"""The engine that an arm asks for."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from vlm_boundary.config import (
    EngineConfig,
    OpenAIConfig,
    PrmConfig,
    ReplayConfig,
    TransformersConfig,
    VllmConfig,
)
from vlm_boundary.engines.base import Engine, Workload
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Checkpoint

# What takes seconds to import; vLLM reads its settings in the environment later.
_PROCESSORS = "transformers.models.auto.processing_auto"
_SLOW = {
    "vllm": ("vllm.entrypoints.llm", _PROCESSORS),
    "transformers": (_PROCESSORS,),
}


def import_ahead(kind: str) -> None:
    """Import what an engine of this kind is made of, before it is known what it is to open.

    What is missing is said by `open_engine`.
    """
    for module in _SLOW.get(kind, ()):
        with suppress(ImportError):
            import_module(module)


def open_engine(
    model: str, checkpoint: Checkpoint | None, config: EngineConfig | PrmConfig, workload: Workload
) -> Engine:
    """Start the engine; its packages are imported here and not before.

    Args:
        model: the model's name, for engines that have no checkpoint.
        checkpoint: what to load, for engines that load something.

    Raises:
        UserError: the engine is not installed, cannot be reached or cannot do what is asked.
    """
    if isinstance(config, OpenAIConfig):
        from vlm_boundary.engines.openai import OpenAIEngine

        return OpenAIEngine(model, config, workload)
    if isinstance(config, ReplayConfig):
        from vlm_boundary.engines.replay import ReplayEngine

        return ReplayEngine(config)
    if checkpoint is None:
        raise UserError(f"{model}: engine kind {config.kind} needs a checkpoint")
    if isinstance(config, TransformersConfig):
        from vlm_boundary.engines.transformers import TransformersEngine

        return TransformersEngine(checkpoint, config, workload)
    if isinstance(config, PrmConfig):
        from vlm_boundary.engines.vllm_prm import PrmEngine

        return PrmEngine(checkpoint.folder, config)
    assert isinstance(config, VllmConfig)
    from vlm_boundary.engines.vllm import VllmEngine

    return VllmEngine(checkpoint, config, workload)

"""Experiment settings: which checkpoints meet which benchmarks, under which parameters."""

from vlm_boundary.config.analysis import (
    AnalysisConfig,
    CheckedVerdicts,
    GuessFilterConfig,
    VerifierErrorConfig,
)
from vlm_boundary.config.base import (
    FULL,
    MAX_SAMPLES,
    STRENGTHS,
    Condition,
    Control,
    Name,
    Pattern,
    PlainMapping,
    Role,
    Settings,
)
from vlm_boundary.config.engines import (
    EngineConfig,
    JudgeEngineConfig,
    OpenAIConfig,
    PrmConfig,
    ReplayConfig,
    TransformersConfig,
    VllmConfig,
)
from vlm_boundary.config.experiment import (
    ExperimentConfig,
    build_experiment,
    load_experiment,
)
from vlm_boundary.config.models import (
    ArmConfig,
    ControlConfig,
    JudgeConfig,
    JudgeProbeConfig,
    JudgeSamplingConfig,
    ModelConfig,
)
from vlm_boundary.config.running import (
    RayConfig,
    Timeouts,
)
from vlm_boundary.config.sampling import (
    SamplingConfig,
)
from vlm_boundary.config.stopping import (
    StopConfig,
)

__all__ = [
    "FULL",
    "MAX_SAMPLES",
    "STRENGTHS",
    "AnalysisConfig",
    "ArmConfig",
    "CheckedVerdicts",
    "Condition",
    "Control",
    "ControlConfig",
    "EngineConfig",
    "ExperimentConfig",
    "GuessFilterConfig",
    "JudgeConfig",
    "JudgeEngineConfig",
    "JudgeProbeConfig",
    "JudgeSamplingConfig",
    "ModelConfig",
    "Name",
    "OpenAIConfig",
    "Pattern",
    "PlainMapping",
    "PrmConfig",
    "RayConfig",
    "ReplayConfig",
    "Role",
    "SamplingConfig",
    "Settings",
    "StopConfig",
    "Timeouts",
    "TransformersConfig",
    "VerifierErrorConfig",
    "VllmConfig",
    "build_experiment",
    "load_experiment",
]

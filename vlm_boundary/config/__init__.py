"""Experiment settings: which checkpoints meet which benchmarks, under which parameters."""

from vlm_boundary.config.analysis import AnalysisConfig, CheckedVerdicts
from vlm_boundary.config.base import (
    FULL,
    MAX_SAMPLES,
    STRENGTHS,
    Condition,
    Name,
    Pattern,
    Settings,
)
from vlm_boundary.config.experiment import ExperimentConfig, build_experiment, load_experiment
from vlm_boundary.config.models import (
    ArmConfig,
    EngineConfig,
    JudgeConfig,
    JudgeProbeConfig,
    OpenAIConfig,
    PrmConfig,
    RayConfig,
    ReplayConfig,
    Timeouts,
    TransformersConfig,
    VllmConfig,
)
from vlm_boundary.config.sampling import SamplingConfig

__all__ = [
    "FULL",
    "MAX_SAMPLES",
    "STRENGTHS",
    "AnalysisConfig",
    "ArmConfig",
    "CheckedVerdicts",
    "Condition",
    "EngineConfig",
    "ExperimentConfig",
    "JudgeConfig",
    "JudgeProbeConfig",
    "Name",
    "OpenAIConfig",
    "Pattern",
    "PrmConfig",
    "RayConfig",
    "ReplayConfig",
    "SamplingConfig",
    "Settings",
    "Timeouts",
    "TransformersConfig",
    "VllmConfig",
    "build_experiment",
    "load_experiment",
]

"""Image benchmarks: one YAML each, read into problems with their pictures."""

from vlm_boundary.benchmarks.load import FilterStep, LoadedBenchmark, load_problems
from vlm_boundary.benchmarks.problem import Problem, dataset_hash
from vlm_boundary.benchmarks.prompts import PROTOCOLS, PromptConfig, messages, resolve_prompt
from vlm_boundary.benchmarks.schema import BenchmarkConfig, load_benchmark, shipped_names

__all__ = [
    "PROTOCOLS",
    "BenchmarkConfig",
    "FilterStep",
    "LoadedBenchmark",
    "Problem",
    "PromptConfig",
    "dataset_hash",
    "load_benchmark",
    "load_problems",
    "messages",
    "resolve_prompt",
    "shipped_names",
]

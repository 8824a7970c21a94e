"""Image benchmarks: one YAML each, read into problems with their pictures."""

from vlm_boundary.benchmarks.catalogue import load_benchmark, load_benchmark_file, shipped_names
from vlm_boundary.benchmarks.images import ImagesConfig
from vlm_boundary.benchmarks.load import LoadedBenchmark, Origin, Scan, load_problems
from vlm_boundary.benchmarks.prompts import (
    PROTOCOLS,
    PromptConfig,
    messages,
    pictures_shown,
    prompt_content,
    prompt_hash,
    resolve_prompt,
)
from vlm_boundary.benchmarks.schema import BenchmarkConfig

__all__ = [
    "PROTOCOLS",
    "BenchmarkConfig",
    "ImagesConfig",
    "LoadedBenchmark",
    "Origin",
    "PromptConfig",
    "Scan",
    "load_benchmark",
    "load_benchmark_file",
    "load_problems",
    "messages",
    "pictures_shown",
    "prompt_content",
    "prompt_hash",
    "resolve_prompt",
    "shipped_names",
]

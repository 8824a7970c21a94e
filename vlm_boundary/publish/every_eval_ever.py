"""Records of the shared schema Every Eval Ever, version 0.3.0: one result and one file per arm.

The schema: github.com/evaleval/every_eval_ever, every_eval_ever/schemas (arXiv 2606.14516).
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from vlm_boundary import __version__
from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.publish.item import Item
from vlm_boundary.publish.settings import hub_data_set
from vlm_boundary.publish.tables import responses
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, RunDirectory

SCHEMA = "0.3.0"
_FOLDER = "every_eval_ever"


def write_records(
    run: RunDirectory,
    experiment: ExperimentConfig,
    analysis: Analysis,
    shown: frozenset[str],
    organization: str,
) -> list[Item]:
    """Two files for each arm on each benchmark: its pass@k, and one line per problem.

    A line holds all responses to its problem; its score is the share of right ones, and
    `is_correct`, which the schema allows no null for, whether any is right. Undecided responses
    count as not right there, and `metadata.undecided` says how many there are.

    Args:
        experiment: its settings, without what they say of this machine.
        shown: benchmarks whose questions and gold answers may leave; of others both are empty.
        organization: who ran the evaluation.
    """
    items = []
    for benchmark, found in analysis.benchmarks.items():
        for arm in found.arms:
            about = _About(run, experiment, analysis, Partition(arm, benchmark), organization)
            base = f"{_FOLDER}/{about.folder}/{about.uuid}"
            what = f"{arm} on {benchmark} by the schema Every Eval Ever"
            lines = partial(_write_lines, about, shown)
            items.append(Item(f"{base}_samples.jsonl", f"{what}, one line per problem", lines))
            # After them, for it says their number and hash.
            items.append(Item(f"{base}.json", what, partial(_write_result, about)))
    return items


@dataclass(frozen=True)
class _About:
    """What both files of an arm say."""

    run: RunDirectory
    experiment: ExperimentConfig
    analysis: Analysis
    partition: Partition
    organization: str

    @property
    def model(self) -> str:
        """The model's id, as owner/name."""
        name = self.experiment.arms[self.partition.arm].model
        return name if "/" in name else f"unknown/{name}"

    @property
    def folder(self) -> str:
        """Where the files are, as the schema wants it."""
        developer, name = self.model.split("/", 1)
        parts = (self.partition.benchmark, developer, name.replace("/", "_"))
        return "/".join(("data", *(part.replace(":", "_") for part in parts)))

    @cached_property
    def uuid(self) -> uuid.UUID:
        """The same each time, so that a run that is published again replaces its records."""
        identity = self.run.read_manifest().identity_of(
            self.partition.arm, self.partition.benchmark, FULL
        )
        content = json.dumps([self.experiment.name, self.partition.folder, identity])
        return uuid.UUID(bytes=hashlib.sha256(content.encode()).digest()[:16], version=4)

    @cached_property
    def last(self) -> datetime:
        """When its last sample was stored."""
        times = self.run.samples.read(self.partition, ["written_at"])["written_at"]
        found = max(times.to_pylist())
        assert isinstance(found, datetime)
        return found

    @cached_property
    def id(self) -> str:
        """The evaluation's."""
        return f"{self.partition.benchmark}/{self.model}/{self.last.timestamp():.0f}"


def _write_result(about: _About, path: Path) -> None:
    arm, benchmark = about.partition.arm, about.partition.benchmark
    lines = path.with_name(f"{about.uuid}_samples.jsonl").read_bytes()
    drawn = about.experiment.arm_sampling(arm)
    found = about.analysis.benchmarks[benchmark]
    curve = found.arms[arm].pass_at_k
    content = {
        "schema_version": SCHEMA,
        "evaluation_id": about.id,
        "evaluation_timestamp": about.last.isoformat(),
        "retrieved_timestamp": f"{time.time():.0f}",
        "source_metadata": {
            "source_name": about.experiment.name,
            "source_type": "evaluation_run",
            "source_organization_name": about.organization,
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": "vlm_boundary", "version": __version__},
        "model_info": _model(about),
        "evaluation_results": [
            {
                "evaluation_result_id": f"{benchmark}:pass@{k}",
                "evaluation_name": benchmark,
                "source_data": _source(about),
                "metric_config": {
                    "metric_id": "pass_at_k",
                    "metric_name": f"pass@{k}",
                    "metric_kind": "pass_rate",
                    "metric_unit": "proportion",
                    "metric_parameters": {"k": k, "n": drawn.n},
                    "lower_is_better": False,
                    "score_type": "continuous",
                    "min_score": 0,
                    "max_score": 1,
                },
                "score_details": {
                    "score": entry.estimate,
                    "uncertainty": _interval(about.analysis.confidence, entry.low, entry.high)
                    | {"num_samples": entry.problems},
                },
            }
            | _drawn(about)
            for k in found.ks
            if (entry := curve.get(k)) is not None and entry.estimate is not None
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": f"{about.folder}/{about.uuid}_samples.jsonl",
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(lines).hexdigest(),
            "total_rows": lines.count(b"\n"),
        },
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _drawn(about: _About) -> dict[str, Any]:
    """How it was sampled; how a replayed sample was, only its maker knows."""
    arm = about.partition.arm
    if about.experiment.arm_engine(arm).kind == "replay":
        return {}
    drawn = about.experiment.arm_sampling(arm)
    args = {name: getattr(drawn, name) for name in ("temperature", "top_p", "max_tokens")}
    return {"generation_config": {"generation_args": args}}


def _interval(level: float, low: float | None, high: float | None) -> dict[str, Any]:
    if low is None or high is None:
        return {}
    return {
        "confidence_interval": {
            "lower": low,
            "upper": high,
            "confidence_level": level,
            "method": "over problems, docs/analysis.md",
        }
    }


def _model(about: _About) -> dict[str, Any]:
    arm = about.experiment.arms[about.partition.arm]
    known = about.run.read_manifest().arms[about.partition.arm]
    served = about.experiment.arm_engine(about.partition.arm).kind
    return {
        "name": about.partition.arm,
        "id": about.model,
        "inference_engine": {"name": served},
        "additional_details": {
            "deployment_type": "unknown" if served in ("openai", "replay") else "self_deployed",
            "model_availability": "unknown",
            "role": arm.role,
            "weights": known.identity.weights,
        },
    }


def _source(about: _About) -> dict[str, Any]:
    name = about.partition.benchmark
    known = about.run.read_manifest().benchmarks[name]
    config = BenchmarkConfig.model_validate(known.config)
    details = {"content": known.content, "problems": str(known.problems)}
    data_set = hub_data_set(config)
    if data_set is None:
        return {"dataset_name": name, "source_type": "other", "additional_details": details}
    return {
        "dataset_name": name,
        "source_type": "hf_dataset",
        "hf_repo": data_set,
        "samples_number": known.problems,
        "additional_details": details,
    }


def _write_lines(about: _About, shown: frozenset[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(about, shown))


def _lines(about: _About, shown: frozenset[str]) -> Iterator[str]:
    benchmark = about.partition.benchmark
    problems = {one.problem_id: one for one in about.run.read_problems(benchmark)}
    rows = responses(about.run, about.partition).to_pylist()
    for key, found in groupby(rows, key=lambda row: str(row["problem_id"])):
        of_problem = list(found)
        line = _line(about, problems[key], of_problem, whole=benchmark in shown)
        # A line is a line: U+2028 and its kin end one for some readers.
        yield json.dumps(line, ensure_ascii=True) + "\n"


def _line(
    about: _About, problem: Problem, rows: list[Mapping[str, Any]], *, whole: bool
) -> dict[str, Any]:
    right = sum(row["correct"] is True for row in rows)
    undecided = sum(row["correct"] is None for row in rows)
    asked = {"raw": problem.question, "reference": [problem.answer]}
    hashed = hashlib.sha256((problem.question + problem.answer).encode()).hexdigest()
    tokens = [row["tokens"] for row in rows]
    return {
        "schema_version": SCHEMA,
        "evaluation_id": about.id,
        "model_id": about.model,
        "evaluation_name": about.partition.benchmark,
        "evaluation_result_id": f"{about.partition.benchmark}:pass@1",
        "sample_id": problem.problem_id,
        "sample_hash": hashed,
        "interaction_type": "single_turn",
        "input": asked if whole else {"raw": "", "reference": []},
        "output": {"raw": [row["text"] for row in rows]},
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": f"output.raw[{place}]",
                "extracted_value": row["extracted"],
                "extraction_method": row["rule"],
                "is_terminal": True,
            }
            for place, row in enumerate(rows)
            if row["extracted"] is not None
        ],
        "evaluation": {"score": right / len(rows), "is_correct": right > 0},
        "metadata": {
            "responses": str(len(rows)),
            "right": str(right),
            "undecided": str(undecided),
            "output_tokens": "unknown" if None in tokens else str(sum(tokens)),
            "question": "given" if whole else "withheld",
        },
    }

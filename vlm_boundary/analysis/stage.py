"""The analysis stage: from verdicts to analysis.json."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.passk import Ints, mean_interval, pass_at_k, solved_sets
from vlm_boundary.analysis.perplexity import perplexities
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.store import Partition, RunDirectory, write_json
from vlm_boundary.verifier import COMMITTED, SOURCES, STATUSES, grader_version

SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Counts:
    """One arm on one benchmark, a row a problem, in the order of `problem_ids`.

    `undecided` samples count as not correct; adding them gives the lenient reading. `strict` counts
    the correct ones whose answer is tagged, boxed, stated as the answer, or said alone.
    """

    problem_ids: list[str]
    samples: Ints
    correct: Ints
    undecided: Ints
    strict: Ints
    statuses: dict[str, int]
    sources: dict[str, int]


def analyze(run: RunDirectory, experiment: ExperimentConfig) -> dict[str, Any]:
    """Compute the run's statistics, write analysis.json and return its content.

    Raises:
        UserError: there is no verdict to analyse.
    """
    manifest = run.read_manifest()
    benchmarks = {}
    for benchmark in experiment.benchmarks:
        counts = {
            arm: found
            for arm in experiment.arms
            if (found := _counts(run, experiment, arm, benchmark)) is not None
        }
        if counts:
            benchmarks[benchmark] = _benchmark(run, experiment, manifest, benchmark, counts)
    if not benchmarks:
        raise UserError(f"{run.path}: there are no verdicts to analyse; sample and verify first")
    content = {
        "schema_version": SCHEMA_VERSION,
        "grader": grader_version(),
        "confidence": experiment.analysis.confidence,
        "benchmarks": benchmarks,
    }
    write_json(run.analysis, content)
    return content


def _counts(
    run: RunDirectory, experiment: ExperimentConfig, arm: str, benchmark: str
) -> Counts | None:
    """Counts over the first n samples of each problem; None where nothing was verified."""
    table = run.verdicts.read(
        Partition(arm, benchmark), ["problem_id", "sample_index", "correct", "status", "source"]
    )
    n = experiment.arm_sampling(arm).n
    table = table.filter(pc.less(table["sample_index"], n))
    if table.num_rows == 0:
        return None
    right = pc.fill_null(table["correct"], False)
    committed = pc.is_in(table["source"], pa.array(sorted(COMMITTED)))
    grouped = (
        table.append_column("right", right.cast("int64"))
        .append_column("unknown", pc.is_null(table["correct"]).cast("int64"))
        .append_column("outright", pc.and_(right, committed).cast("int64"))
        .group_by("problem_id")
        .aggregate(
            [
                ("sample_index", "count"),
                ("right", "sum"),
                ("unknown", "sum"),
                ("outright", "sum"),
            ]
        )
        .sort_by("problem_id")
    )
    statuses = Counter(table["status"].to_pylist())
    sources = Counter(table["source"].to_pylist())
    return Counts(
        problem_ids=grouped["problem_id"].to_pylist(),
        samples=grouped["sample_index_count"].to_numpy(),
        correct=grouped["right_sum"].to_numpy(),
        undecided=grouped["unknown_sum"].to_numpy(),
        strict=grouped["outright_sum"].to_numpy(),
        statuses={status: statuses.get(status, 0) for status in STATUSES},
        sources={source: sources.get(source, 0) for source in SOURCES},
    )


def _benchmark(
    run: RunDirectory,
    experiment: ExperimentConfig,
    manifest: dict[str, Any],
    benchmark: str,
    counts: dict[str, Counts],
) -> dict[str, Any]:
    known = manifest["benchmarks"][benchmark]
    scored = perplexities(run, experiment, benchmark)
    return {
        "problems": known["problems"],
        "unusable": known["unusable"],
        "arms": {arm: _arm(experiment, arm, counts[arm]) for arm in counts},
        "pairs": [
            _pair(experiment, base, other, counts)
            for base in counts
            for other in counts
            if experiment.arms[base].role == "base" and other != base
        ],
        **({"perplexity": scored} if scored else {}),
    }


def _arm(experiment: ExperimentConfig, arm: str, counts: Counts) -> dict[str, Any]:
    level = experiment.analysis.confidence
    n = experiment.arm_sampling(arm).n
    ks = [k for k in experiment.ks(n) if k <= n]
    readings = {
        "pass_at_k": counts.correct,
        "pass_at_k_strict": counts.strict,
        "pass_at_k_lenient": counts.correct + counts.undecided,
    }
    curves = {
        name: {
            str(k): mean_interval(pass_at_k(correct, counts.samples, k), level, (0, 1)) for k in ks
        }
        for name, correct in readings.items()
    }
    return {
        "role": experiment.arms[arm].role,
        "n": n,
        "problems": len(counts.problem_ids),
        "problems_with_fewer_than_n": int((counts.samples < n).sum()),
        "samples": int(counts.samples.sum()),
        "correct": int(counts.correct.sum()),
        "statuses": counts.statuses,
        "sources": counts.sources,
        **curves,
    }


def _pair(
    experiment: ExperimentConfig, base: str, other: str, counts: dict[str, Counts]
) -> dict[str, Any]:
    """The paired difference, other minus base, on the problems that both have."""
    shared = sorted(set(counts[base].problem_ids) & set(counts[other].problem_ids))
    c0, n0 = _on(counts[base], shared)
    c1, n1 = _on(counts[other], shared)
    n = min(experiment.arm_sampling(base).n, experiment.arm_sampling(other).n)
    level = experiment.analysis.confidence
    return {
        "base": base,
        "other": other,
        "problems": len(shared),
        "difference": {
            str(k): mean_interval(pass_at_k(c1, n1, k) - pass_at_k(c0, n0, k), level, (-1, 1))
            for k in experiment.ks(n)
            if k <= n
        },
        "solved": solved_sets(c0, c1),
    }


def _on(counts: Counts, problem_ids: list[str]) -> tuple[Ints, Ints]:
    row = {problem_id: i for i, problem_id in enumerate(counts.problem_ids)}
    rows = np.array([row[problem_id] for problem_id in problem_ids], dtype=np.int64)
    return counts.correct[rows], counts.samples[rows]

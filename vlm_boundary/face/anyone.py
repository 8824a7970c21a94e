"""Anyone's texts graded and checked, anyone's counts of right samples analysed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_boundary.verifier import Gold, Output

if TYPE_CHECKING:
    import pyarrow as pa

    from vlm_boundary.records.outputs import ComparedModels
    from vlm_boundary.records.validity import Evidence
    from vlm_boundary.records.verdict import Verdict


def grade(output: str | Output, gold: Gold | str | None = None) -> Verdict:
    """The verdict on one output.

    Args:
        output: a model's text, or an `Output` that says how it ended and what it is graded against.
        gold: the gold answer, or a `Gold` with its type, unit and tolerance.
    """
    from vlm_boundary.verifier import grade

    return grade(output, gold)


def grade_many(outputs: Iterable[Output]) -> list[Verdict]:
    """A verdict for each output, in order; formulas are compared on every core."""
    from vlm_boundary.verifier import Grader

    with Grader() as grader:
        return grader.grade(outputs)


@dataclass(frozen=True)
class CheckedChain:
    """An output's verdict, and whether its answer was reasoned to.

    Attributes:
        verdict: on the final answer.
        valid: False where the answer is wrong or a check vetoes; None where it cannot be told.
        evidence: what the checks found, each with its place in the text.
    """

    verdict: Verdict
    valid: bool | None
    evidence: tuple[Evidence, ...]


def check_chain(output: Output) -> CheckedChain:
    """Grade an output and check its reasoning, as `check` does with a file's lines."""
    from vlm_boundary.reasoning.files import check_output
    from vlm_boundary.records.validity import validity

    verdict = grade(output)
    evidence = check_output(output, verdict)
    return CheckedChain(verdict, validity(verdict.correct, evidence), evidence)


def pass_at_k(
    correct: Sequence[int],
    samples: Sequence[int],
    *,
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> pa.Table:
    """pass@k from counts, at every k: k, estimate, low, high, problems, few.

    Args:
        correct: right samples of each problem.
        samples: all samples of each problem.
        clusters: what problems of one origin share; intervals then go by clusters.
        confidence: level of the intervals, of problems like these.

    Raises:
        ValueError: the counts contradict each other.
    """
    import numpy as np
    import pyarrow as pa

    from vlm_boundary.analysis.estimators import every_k, pass_at_k
    from vlm_boundary.analysis.intervals import cluster_codes, t_intervals

    c, n = np.asarray(correct, dtype=np.int64), np.asarray(samples, dtype=np.int64)
    ids, origins = _clustered(len(c), clusters)
    ks = every_k(n)
    values = pass_at_k(c, n, ks)
    curve = t_intervals(values, confidence, (0, 1), cluster_codes(ids, origins)).curve(ks)
    columns = ("estimate", "low", "high", "problems", "few")
    rows = [{"k": k} | {name: getattr(row, name) for name in columns} for k, row in curve.items()]
    return pa.Table.from_pylist(rows)


def compare_counts(
    base: tuple[Sequence[int], Sequence[int]],
    other: tuple[Sequence[int], Sequence[int]],
    *,
    clusters: Sequence[str] | None = None,
) -> ComparedModels:
    """Curves, paired difference, crossover and solved sets from counts, as `passk` gives them.

    Args:
        base: right samples and all samples of each problem.
        other: the same, problems in the same order.
        clusters: what problems of one origin share.

    Returns:
        Typed records of what `passk --json` writes; the models are called base and other, the
        problems 0, 1, …
    """
    import numpy as np

    from vlm_boundary.analysis.counts import Counts
    from vlm_boundary.analysis.passk import compare_models
    from vlm_boundary.analysis.table_file import VerdictTable

    ids, origins = _clustered(len(base[0]), clusters)
    counts = {}
    for name, (correct, samples) in (("base", base), ("other", other)):
        c, n = np.asarray(correct, dtype=np.int64), np.asarray(samples, dtype=np.int64)
        if not len(ids) == len(c) == len(n):
            raise ValueError(f"{name}: counts of {len(ids)} problems are needed, in one order")
        counts[name] = Counts(ids, n, c, np.zeros_like(c), c)
    return compare_models(VerdictTable(counts, origins, 0), "base", "other", "counts").content


def compare_table(path: str | os.PathLike[str], base: str, other: str) -> ComparedModels:
    """The same of a file of verdicts (JSONL, CSV, Parquet), as `passk FILE` reads it.

    Raises:
        UserError: the file does not say what is needed, or has no such model.
    """
    from vlm_boundary.analysis.passk import compare_models
    from vlm_boundary.analysis.table_file import read_table_file

    return compare_models(read_table_file(Path(path)), base, other, str(path)).content


def _clustered(
    problems: int, clusters: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, str | None] | None]:
    """Ids for problems that have none, and the cluster of each."""
    width = len(str(problems))
    ids = tuple(f"{row:0{width}d}" for row in range(problems))
    return ids, None if clusters is None else dict(zip(ids, clusters, strict=True))

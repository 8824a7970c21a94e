"""A run's tables as a data set has them: one row per response, per check and per problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.store import Partition, RunDirectory

KEYS = ("arm", "benchmark", "condition")
_BY = ["problem_id", "sample_index", "text_hash"]
_SAMPLE = [*_BY, "seed", "tokens", "text", "finish_reason", "logprob_sum"]
_VERDICT = [*_BY, "correct", "status", "extracted", "normalised", "source", "rule", "grader"]


def responses(run: RunDirectory, partition: Partition) -> pa.Table:
    """An arm's responses in order, with the verdict on each; null where there is none on this text.

    Columns: arm, benchmark, condition, problem_id, sample_index, seed, tokens, text,
    finish_reason, logprob_sum, and the verdict's correct (null where undecided), status,
    extracted, normalised, source, rule, grader.
    """
    samples = run.samples.read(partition, _SAMPLE)
    verdicts = run.verdicts.read(partition, _VERDICT)
    joined = samples.join(verdicts, _BY, join_type="left outer").drop_columns(["text_hash"])
    return _placed(joined, partition)


def checked(run: RunDirectory, layer: str, partition: Partition) -> pa.Table:
    """Whether an arm's reasoning is valid, by one layer of checks.

    Columns: arm, benchmark, condition, layer, problem_id, sample_index, valid (null: nothing can be
    said), flags.
    """
    columns = ["problem_id", "sample_index", "valid", "flags"]
    table = run.validity(layer).read(partition, columns)
    layers = pa.array([layer] * table.num_rows, pa.string())
    return _placed(table.add_column(0, "layer", layers), partition)


def _placed(table: pa.Table, partition: Partition) -> pa.Table:
    table = table.sort_by([("problem_id", "ascending"), ("sample_index", "ascending")])
    for name in reversed(KEYS):
        values = pa.array([getattr(partition, name)] * table.num_rows, pa.string())
        table = table.add_column(0, name, values)
    return table


def problems_table(run: RunDirectory, benchmark: str, path: Path, *, whole: bool) -> None:
    """Write a benchmark's problems as Parquet that `datasets` reads with its pictures.

    Args:
        whole: with questions, options, gold answers, metadata and pictures; else the ids alone.
    """
    from datasets import Dataset, Features, Image, List, Value

    text = Value("string")
    features: dict[str, Any] = {"benchmark": text, "problem_id": text, "hash": text}
    if whole:
        features |= {
            "question": text,
            "choices": List(text),
            "answer": text,
            "unit": text,
            "metadata": text,
            "pictures": List(Image()),
        }

    rows = []
    for problem in run.read_problems(benchmark):
        row: dict[str, Any] = {
            "benchmark": benchmark,
            "problem_id": problem.problem_id,
            "hash": problem.content_hash(),
        }
        if whole:
            row |= {
                "question": problem.question,
                "choices": list(problem.choices or ()),
                "answer": problem.answer,
                "unit": problem.unit,
                "metadata": json.dumps(dict(problem.metadata), ensure_ascii=False),
                "pictures": [
                    {"bytes": (run.images / one).read_bytes(), "path": None}
                    for one in problem.pictures
                ],
            }
        rows.append(row)
    # Not by to_parquet, which has a progress bar of its own.
    pq.write_table(Dataset.from_list(rows, features=Features(features)).data.table, path)

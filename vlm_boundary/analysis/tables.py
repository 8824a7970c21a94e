"""The analysis as tables: all of it in Parquet and CSV, what fits a page in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.shown.formats import latex, markdown
from vlm_boundary.records.analysis import ArmAnalysis, BenchmarkAnalysis, PairAnalysis
from vlm_boundary.records.record import Curve, Record
from vlm_boundary.store import write_text
from vlm_boundary.writing import replacing

Row = dict[str, Any]
_ENDS = [("estimate", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
_CURVES = pa.schema(
    [
        ("benchmark", pa.string()),
        ("arm", pa.string()),
        ("metric", pa.string()),
        ("tau", pa.float64()),  # of thresholds; null elsewhere
        ("k", pa.int64()),  # null where a metric has none
        *_ENDS,
        ("problems", pa.int64()),
    ]
)
_DIFFERENCES = pa.schema(
    [
        ("benchmark", pa.string()),
        ("base", pa.string()),
        ("other", pa.string()),
        ("k", pa.int64()),
        *_ENDS,
        ("band_low", pa.float64()),
        ("band_high", pa.float64()),
        ("bootstrap_low", pa.float64()),
        ("bootstrap_high", pa.float64()),
        ("problems", pa.int64()),
    ]
)
_PAIRS = pa.schema(
    [
        ("benchmark", pa.string()),
        ("base", pa.string()),
        ("other", pa.string()),
        ("problems", pa.int64()),
        ("n", pa.int64()),
        ("crossover", pa.int64()),
        ("crossover_low", pa.int64()),
        ("crossover_high", pa.int64()),
        ("crossover_status", pa.string()),
        ("both", pa.int64()),
        ("base_only", pa.int64()),
        ("other_only", pa.int64()),
        ("neither", pa.int64()),
        ("mcnemar_p", pa.float64()),
        ("srr", pa.float64()),
        ("ndr", pa.float64()),
        ("sds", pa.float64()),
        ("nscr", pa.float64()),
    ]
)
_PROBLEMS = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("arm", pa.string()),
        ("samples", pa.int64()),
        ("correct", pa.int64()),
        ("undecided", pa.int64()),
        ("strict", pa.int64()),
    ]
)
_LUCK = pa.schema(
    [
        ("benchmark", pa.string()),
        ("arm", pa.string()),  # null for the guesser, which is the same for every arm
        ("of", pa.string()),  # guesser, floor, independent_guesses, or a control condition
        ("k", pa.int64()),
        *_ENDS,
        ("problems", pa.int64()),
    ]
)
_BEYOND_N = pa.schema(
    [
        ("benchmark", pa.string()),
        ("arm", pa.string()),
        ("model", pa.string()),
        ("k", pa.int64()),
        *_ENDS,
    ]
)
_SLICES = pa.schema(
    [
        ("benchmark", pa.string()),
        ("base", pa.string()),
        ("other", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("k", pa.int64()),
        ("base_pass_at_k", pa.float64()),
        ("other_pass_at_k", pa.float64()),
        *_ENDS,  # of the difference
        ("problems", pa.int64()),
        ("p_value", pa.float64()),
        ("adjusted_p_value", pa.float64()),
    ]
)


@dataclass(frozen=True)
class _LongTable:
    """Rows under a schema; `page` are those that fit a page, None where none do."""

    name: str
    schema: pa.Schema
    rows: list[Row]
    page: list[Row] | None


def write_tables(
    folder: Path, benchmarks: Mapping[str, BenchmarkAnalysis], data: Iterable[BenchmarkData]
) -> list[Path]:
    """Write every table into a folder; returns the files.

    Args:
        benchmarks: what analysis.json says of each.
        data: the same benchmarks' counts.
    """
    files = []
    for table in _tables(benchmarks, list(data)):
        columns = pa.Table.from_pylist(table.rows, schema=table.schema)
        path = folder / table.name
        with replacing(path.with_suffix(".parquet")) as temporary, temporary.open("wb") as file:
            pq.write_table(columns, file, compression="zstd")
        with replacing(path.with_suffix(".csv")) as temporary, temporary.open("wb") as file:
            pa_csv.write_csv(columns, file)
        files += [path.with_suffix(".parquet"), path.with_suffix(".csv")]
        if table.page is not None:
            cells = [[_cell(row.get(name)) for name in table.schema.names] for row in table.page]
            write_text(path.with_suffix(".md"), markdown(table.schema.names, cells))
            write_text(path.with_suffix(".tex"), latex(table.schema.names, cells))
            files += [path.with_suffix(".md"), path.with_suffix(".tex")]
    return files


def _tables(
    benchmarks: Mapping[str, BenchmarkAnalysis], data: list[BenchmarkData]
) -> Iterator[_LongTable]:
    curves = [row for name, content in benchmarks.items() for row in _curves(name, content)]
    differences = [
        {"benchmark": name, "base": pair.base, "other": pair.other, "k": k, **entry.given()}
        for name, content in benchmarks.items()
        for pair in content.pairs
        for k, entry in pair.difference.items()
    ]
    shown = {name: set(content.ks) for name, content in benchmarks.items()}
    headline = ("pass_at_k", "avg_at_n", "single_pass")
    page = [
        row
        for row in curves
        if row["metric"] in headline and (row["k"] is None or row["k"] in shown[row["benchmark"]])
    ]
    yield _LongTable("curves", _CURVES, curves, page)
    page = [row for row in differences if row["k"] in shown[row["benchmark"]]]
    yield _LongTable("differences", _DIFFERENCES, differences, page)
    pairs = [_pair(name, pair) for name, content in benchmarks.items() for pair in content.pairs]
    yield _LongTable("pairs", _PAIRS, pairs, pairs)
    yield _LongTable("problems", _PROBLEMS, [row for each in data for row in _problems(each)], None)
    luck = [row for name, content in benchmarks.items() for row in _luck(name, content)]
    page = [row for row in luck if row["k"] in shown[row["benchmark"]]]
    yield _LongTable("luck", _LUCK, luck, page)
    beyond = [row for name, content in benchmarks.items() for row in _beyond_n(name, content)]
    yield _LongTable("beyond_n", _BEYOND_N, beyond, beyond)
    slices = [row for name, content in benchmarks.items() for row in _slices(name, content)]
    yield _LongTable("slices", _SLICES, slices, slices)


def _curves(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for arm, values in content.arms.items():
        key: Row = {"benchmark": benchmark, "arm": arm}
        for metric, curve in _metrics(values).items():
            yield from _rows(key | {"metric": metric}, curve)
        for tau, curve in values.g_pass_at_k.items():
            yield from _rows(key | {"metric": "g_pass_at_k", "tau": float(tau)}, curve)
        for tau, entry in values.cover_at_tau.items():
            yield key | {"metric": "cover_at_tau", "tau": float(tau), "k": None} | entry.given()
        yield key | {"metric": "avg_at_n", "k": None} | values.avg_at_n.given()
        yield values.single_pass.given() | key | {"metric": "single_pass", "k": None}


def _metrics(values: ArmAnalysis) -> dict[str, Curve]:
    return {
        "pass_at_k": values.pass_at_k,
        "pass_at_k_strict": values.pass_at_k_strict,
        "pass_at_k_lenient": values.pass_at_k_lenient,
        "pass_hat_k": values.pass_hat_k,
        "maj_at_k": values.maj_at_k,
        "mg_pass_at_k": values.mg_pass_at_k,
    }


def _rows(key: Row, by_k: Mapping[int, Record]) -> Iterator[Row]:
    """A row a k."""
    for k, entry in by_k.items():
        yield key | {"k": k} | entry.given()


def _luck(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    curves: list[tuple[str | None, str, Curve]] = []
    if content.luck:
        curves.append((None, "guesser", content.luck.guesser.pass_at_k))
        for arm, luck in content.luck.arms.items():
            curves.append((arm, "floor", luck.floor_pass_at_k))
            curves.append((arm, "independent_guesses", luck.independent_guesses_pass_at_k))
    for condition, arms in (content.controls or {}).items():
        curves += [(arm, condition, values.pass_at_k) for arm, values in arms.items()]
    for name, of, curve in curves:
        yield from _rows({"benchmark": benchmark, "arm": name, "of": of}, curve)


def _beyond_n(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for arm, values in content.beyond_n.arms.items() if content.beyond_n else ():
        for model, fitted in values.models.items():
            key = {"benchmark": benchmark, "arm": arm, "model": model}
            yield from _rows(key, fitted.pass_at_k)


def _slices(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for pair in content.distributions.slices if content.distributions else ():
        for row in pair.slices:
            for k, entry in row.difference.items():
                yield {
                    "benchmark": benchmark,
                    "base": pair.base,
                    "other": pair.other,
                    "field": row.field,
                    "value": row.value,
                    "k": k,
                    "base_pass_at_k": row.base_pass_at_k[k].estimate,
                    "other_pass_at_k": row.other_pass_at_k[k].estimate,
                    "p_value": row.p_value[k],
                    "adjusted_p_value": row.adjusted_p_value[k],
                    **entry.given(),
                }


def _pair(benchmark: str, pair: PairAnalysis) -> Row:
    turn = pair.crossover
    return {
        "benchmark": benchmark,
        "base": pair.base,
        "other": pair.other,
        "problems": pair.problems,
        "n": pair.n,
        "crossover": turn.estimate,
        "crossover_low": turn.low,
        "crossover_high": turn.high,
        "crossover_status": turn.status,
        "mcnemar_p": pair.mcnemar_p,
        **pair.solved.given(),
        **pair.support.given(),
    }


def _problems(data: BenchmarkData) -> Iterator[Row]:
    for arm in data.arms:
        counts = data.counts(arm)
        columns = zip(
            counts.problem_ids,
            counts.samples.tolist(),
            counts.correct.tolist(),
            counts.undecided.tolist(),
            counts.strict.tolist(),
            strict=True,
        )
        names = ("problem_id", "samples", "correct", "undecided", "strict")
        for column in columns:
            key = {"benchmark": data.benchmark, "arm": arm}
            yield key | dict(zip(names, column, strict=True))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

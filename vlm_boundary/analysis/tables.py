"""The analysis as tables: all of it in Parquet and CSV, what fits a page in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.shown.table import latex, markdown
from vlm_boundary.records.analysis import BenchmarkAnalysis
from vlm_boundary.records.record import ArmPair, Curve, Record
from vlm_boundary.store import write_text
from vlm_boundary.writing import replacing

Row = dict[str, Any]
_TEXT = frozenset(
    "benchmark arm base other metric of model field value problem_id crossover_status".split()
)
_SHARES = frozenset(
    "estimate low high tau band_low band_high bootstrap_low bootstrap_high base_pass_at_k "
    "other_pass_at_k p_value adjusted_p_value mcnemar_p srr ndr sds nscr".split()
)


def _schema(names: str) -> pa.Schema:
    """Columns by name; what is neither text nor a share is a whole number."""
    kinds = {name: pa.string() for name in _TEXT} | {name: pa.float64() for name in _SHARES}
    return pa.schema([(name, kinds.get(name, pa.int64())) for name in names.split()])


# tau is of thresholds, k null where a metric has none.
_CURVES = _schema("benchmark arm metric tau k estimate low high problems")
_DIFFERENCES = _schema(
    "benchmark base other k estimate low high band_low band_high bootstrap_low bootstrap_high "
    "problems"
)
_PAIRS = _schema(
    "benchmark base other problems n crossover crossover_low crossover_high crossover_status both "
    "base_only other_only neither mcnemar_p srr ndr sds nscr"
)
_COUNTED = ("samples", "correct", "undecided", "strict")
_PROBLEMS = _schema(f"benchmark problem_id arm {' '.join(_COUNTED)}")
# arm is null for the guesser, which is the same for every arm; of: guesser, floor,
# independent_guesses, or a control condition.
_LUCK = _schema("benchmark arm of k estimate low high problems")
_BEYOND_N = _schema("benchmark arm model k estimate low high")
# estimate, low and high are of the difference.
_SLICES = _schema(
    "benchmark base other field value k base_pass_at_k other_pass_at_k estimate low high problems "
    "p_value adjusted_p_value"
)


_METRICS = (
    *("pass_at_k", "pass_at_k_strict", "pass_at_k_lenient", "pass_hat_k", "maj_at_k"),
    "mg_pass_at_k",
)
_HEADLINE = ("pass_at_k", "avg_at_n", "single_pass")


def write_tables(
    folder: Path, benchmarks: Mapping[str, BenchmarkAnalysis], data: Iterable[BenchmarkData]
) -> None:
    """Write every table of `benchmarks`, with the counts of the same in `data`, into a folder."""
    shown = {name: {None, *content.ks} for name, content in benchmarks.items()}

    # Columns, rows of a benchmark, and whether those at the k of tables alone fit a page.
    tables = {
        "curves": (_CURVES, _curves, True),
        "differences": (_DIFFERENCES, _differences, True),
        "pairs": (_PAIRS, _pairs, False),
        "luck": (_LUCK, _luck, True),
        "beyond_n": (_BEYOND_N, _beyond_n, False),
        "slices": (_SLICES, _slices, False),
    }
    for name, (schema, of, at_shown_k) in tables.items():
        rows = [row for key, content in benchmarks.items() for row in of(key, content)]
        _write_all(folder / name, schema, rows)
        names = schema.names
        cells = [
            [_cell(row.get(one)) for one in names]
            for row in rows
            if row.get("metric", "pass_at_k") in _HEADLINE
            and (not at_shown_k or row["k"] in shown[row["benchmark"]])
        ]
        write_text(folder / f"{name}.md", markdown(names, cells))
        write_text(folder / f"{name}.tex", latex(names, cells))
    _write_all(folder / "problems", _PROBLEMS, [row for each in data for row in _problems(each)])


def _write_all(path: Path, schema: pa.Schema, rows: list[Row]) -> None:
    columns = pa.Table.from_pylist(rows, schema=schema)
    with replacing(path.with_suffix(".parquet")) as temporary, temporary.open("wb") as file:
        pq.write_table(columns, file, compression="zstd")
    with replacing(path.with_suffix(".csv")) as temporary, temporary.open("wb") as file:
        pa_csv.write_csv(columns, file)


def _curves(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for arm, values in content.arms.items():
        key: Row = {"benchmark": benchmark, "arm": arm}
        for metric in _METRICS:
            yield from _rows(key | {"metric": metric}, getattr(values, metric))
        for tau, curve in values.g_pass_at_k.items():
            yield from _rows(key | {"metric": "g_pass_at_k", "tau": float(tau)}, curve)
        for tau, entry in values.cover_at_tau.items():
            yield key | {"metric": "cover_at_tau", "tau": float(tau), "k": None} | entry.given()
        yield key | {"metric": "avg_at_n", "k": None} | values.avg_at_n.given()
        yield values.single_pass.given() | key | {"metric": "single_pass", "k": None}


def _differences(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for pair in content.pairs:
        yield from _rows(_of(benchmark, pair), pair.difference)


def _of(benchmark: str, pair: ArmPair) -> Row:
    return {"benchmark": benchmark, "base": pair.base, "other": pair.other}


def _rows(key: Row, by_k: Mapping[int, Record]) -> Iterator[Row]:
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
                yield _of(benchmark, pair) | {
                    "field": row.field,
                    "value": row.value,
                    "k": k,
                    "base_pass_at_k": row.base_pass_at_k[k].estimate,
                    "other_pass_at_k": row.other_pass_at_k[k].estimate,
                    "p_value": row.p_value[k],
                    "adjusted_p_value": row.adjusted_p_value[k],
                    **entry.given(),
                }


def _pairs(benchmark: str, content: BenchmarkAnalysis) -> Iterator[Row]:
    for pair in content.pairs:
        turn = pair.crossover
        yield _of(benchmark, pair) | {
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
        columns = {name: getattr(counts, name).tolist() for name in _COUNTED}
        for row, problem_id in enumerate(counts.problem_ids):
            key = {"benchmark": data.benchmark, "problem_id": problem_id, "arm": arm}
            yield key | {name: column[row] for name, column in columns.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""The list of problems as a table to go on with: CSV, Parquet, and the line that reads it."""

from __future__ import annotations

import base64
import io
from html import escape

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vlm_boundary.demo.codes import Bit, Codes, has, invalid, ungraded, valid
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.view import View, counts, listed_problems, of_side, sides_of

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def listed_table(view: View, run: RunIndex) -> pa.Table:
    """A row for each problem that passes the view's filters, in its order.

    Columns: benchmark, condition, problem_id, answer, and for each arm (as links name it)
    ARM_samples, _graded, _right, _valid, _invalid, _undecided, _truncated, _ungraded.
    """
    places = listed_problems(view, run)
    problems = [run.problems[view.benchmark][place] for place in places]
    known = counts(view, run)
    columns: dict[str, pa.Array] = {
        "benchmark": pa.array([view.benchmark] * len(problems), pa.string()),
        "condition": pa.array([view.condition] * len(problems), pa.string()),
        "problem_id": pa.array([one.problem_id for one in problems], pa.string()),
        "answer": pa.array([one.answer for one in problems], pa.string()),
    }
    for side, codes in zip(sides_of(view), known.arms, strict=True):
        for name, values in tallies(codes[places]).items():
            columns[f"{of_side(view, side).arm}_{name}"] = values
    return pa.table(columns)


def export_page(view: View, run: RunIndex) -> str:
    """Links that hold the table themselves, so that no file has to be served."""
    table = listed_table(view, run)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"{run.name}-{view.benchmark}")
    parquet, csv = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    pa_csv.write_csv(_harmless(table), csv)
    links = "".join(
        f'<a class="vb-button" download="{name}.{suffix}" '
        f'href="data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}">{suffix}</a> '
        for suffix, kind, file in (
            ("parquet", "application/vnd.apache.parquet", parquet),
            ("csv", "text/csv", csv),
        )
    )
    line = f'import pandas; problems = pandas.read_parquet("{name}.parquet")'
    return (
        f'<p data-testid="export">{table.num_rows:,} problems: {links}</p>'
        f'<pre tabindex="0">{escape(line)}</pre>'
    )


def tallies(codes: Codes) -> dict[str, pa.Array]:
    """How many of each problem's samples are of each kind; arrays of (problems,)."""
    found = {
        "samples": has(codes, Bit.DRAWN),
        "graded": has(codes, Bit.GRADED),
        "right": has(codes, Bit.CORRECT),
        "valid": valid(codes),
        "invalid": invalid(codes),
        "undecided": has(codes, Bit.UNDECIDED),
        "truncated": has(codes, Bit.TRUNCATED),
        "ungraded": ungraded(codes),
    }
    return {name: pa.array(which.sum(axis=1)) for name, which in found.items()}


def _harmless(table: pa.Table) -> pa.Table:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    for place, name in enumerate(table.column_names):
        if pa.types.is_string(table.schema.field(name).type):
            cells = table[name].to_pylist()
            safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
            table = table.set_column(place, name, pa.array(safe, pa.string()))
    return table

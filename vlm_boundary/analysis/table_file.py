"""Anyone's table of verdicts as counts: one row per sample, or one row per problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Bools, Counts, Ints, on_shared
from vlm_boundary.analysis.table_columns import (
    Choice,
    Column,
    as_name,
    as_origin,
    as_verdict,
    as_whole,
    is_empty,
    listed,
    read_columns,
)
from vlm_boundary.errors import UserError
from vlm_boundary.stopping import StoppingRule

SAMPLE_COUNTS = ("n", "num_samples", "n_samples")
"""Columns that say how many samples a row stands for: with one of them a row is a problem."""
CORRECT_COUNTS = ("c", "num_correct", "n_correct", "correct_count")
"""Columns that say how many of them are correct; `correct` may say it, too."""
_KEY = ("model", "problem_id")
_OPTIONAL = ("sample_index", "cluster")
_WIDE = "a sample: "  # before the name of each column that is one
_OWN = {"arm": "model", "samples": "n", "benchmark": "benchmark"}
"""What columns of this package's own `tables/problems` mean here."""


@dataclass(frozen=True)
class VerdictTable:
    """What a file of verdicts holds.

    Attributes:
        counts: by model.
        clusters: what problems of one origin share, by problem; None where no origin is named.
        repeats: rows that said once more what another row says, which were left out.
    """

    counts: Mapping[str, Counts]
    clusters: Mapping[str, str | None] | None
    repeats: int

    def shared(self, base: str, other: str, where: str) -> tuple[Counts, Counts]:
        """The counts of two models on the problems that both have.

        Raises:
            UserError: there are none; `where` is what it names.
        """
        first, second = on_shared(self.counts[base], self.counts[other])
        if not first.problem_ids:
            raise UserError(f"{where}: {base} and {other} have no problem_id in common")
        return first, second


def read_table_file(
    path: Path, rule: StoppingRule | None = None, called: Mapping[str, str] | None = None
) -> VerdictTable:
    """Each model's counts; docs/analysis.md says what a row and its columns may mean.

    Args:
        rule: by which problems ended. Samples behind the look at which one did are left out where a
            `sample_index` says which those are.
        called: what the file calls a column, by what it means here: `{"model": "checkpoint"}`. A
            column that has the name of one that is called otherwise means nothing.

    Raises:
        UserError: the file cannot be read, lacks a column or has two that contradict each other, a
            row holds what is not valid, or two rows contradict each other.
    """
    columns = _columns(path, dict(called or {}))
    if not columns or not len(columns["model"].codes):
        raise UserError(f"{path}: there are no rows")
    rows = _Rows(path, *(_read(columns[name], as_name, path, name) for name in _KEY))
    if "benchmark" in columns:
        benchmark = _read(columns["benchmark"], as_name, path, "benchmark")
        rows = replace(rows, problem=_within(benchmark, rows.problem))
    clusters = _clusters(rows, columns["cluster"]) if "cluster" in columns else None
    number = next((name for name in SAMPLE_COUNTS if name in columns), None)
    wide = [name for name in columns if name.startswith(_WIDE)]
    if wide:
        table = _of_wide(rows, columns, wide, clusters)
    elif number is None:
        table = _of_samples(rows, columns, clusters, rule)
    else:
        right = next(name for name in (*CORRECT_COUNTS, "correct") if name in columns)
        table = _of_problems(rows, columns, number, right, clusters)
    return table if rule is None else replace(table, counts=_ended(path, table.counts, rule))


def _columns(path: Path, called: dict[str, str]) -> dict[str, Column]:
    """The columns with a meaning, by that."""
    known = (*_KEY, "correct", *SAMPLE_COUNTS, *CORRECT_COUNTS, *_OPTIONAL)
    means = {name: name for name in known if name not in called}
    means |= {name: meaning for meaning, name in called.items()}

    def choice(names: Iterable[str]) -> tuple[str, ...]:
        there = list(names)
        if not called and {"problem_id", "correct", *_OWN} <= {*there} and "model" not in there:
            means.update(_OWN)
        wide = _wide_columns(there, called.get("correct"))
        means.update({name: _WIDE + name for name in wide})
        for meaning, name in called.items():
            if name not in there and not (wide and meaning == "correct"):
                raise ValueError(f"no column {name}; there are {listed(there) or 'none'}")
        in_file = {means[name]: name for name in there if name in means}
        others = [name for name in there if name not in means and name not in called]
        return tuple(in_file[meaning] for meaning in _meaning([*in_file, *others]))

    found = read_columns(path, Choice(frozenset(means), choice))
    return {means[name]: column for name, column in found.items()}


def _wide_columns(there: list[str], named: str | None) -> list[str]:
    """The columns that are a sample each, of one name and a number; none where there are none.

    Raises:
        ValueError: there are several such names, and none is given as `NAME*`.
    """
    if named is None and {"correct", *SAMPLE_COUNTS, *CORRECT_COUNTS, "samples"} & {*there}:
        return []
    if named is not None and not named.endswith("*"):
        return []
    groups: dict[str, list[str]] = {}
    for name in there:
        stem = name.rstrip("0123456789")
        if stem != name:
            groups.setdefault(stem, []).append(name)
    if named is not None:
        return groups.get(named[:-1], [])
    found = [stem for stem, columns in groups.items() if len(columns) > 1]
    if len(found) > 1:
        many = listed(f"{stem}*" for stem in found)
        raise ValueError(
            f"columns {many} could be a sample each; say which, --correct-column NAME*"
        )
    return groups[found[0]] if found else []


def _ended(path: Path, counts: Mapping[str, Counts], rule: StoppingRule) -> dict[str, Counts]:
    """The counts as a rule's; every problem must have ended by it."""
    for model, one in counts.items():
        columns = (one.problem_ids, one.samples.tolist(), one.correct.tolist())
        for problem_id, samples, correct in zip(*columns, strict=True):
            if not rule.ends_with(samples, correct):
                raise UserError(
                    f"{path}: model {model}, problem {problem_id}: with {correct} right of "
                    f"{samples} samples no problem ends by looks {listed(map(str, rule.looks))} "
                    f"and {rule.right} right ones"
                )
    return {model: replace(one, rule=rule) for model, one in counts.items()}


def _meaning(names: Iterable[str]) -> tuple[str, ...]:
    """The columns to read of those that a file has; ValueError where they say no one thing."""
    there = list(names)
    numbers = [name for name in SAMPLE_COUNTS if name in there]
    rights = [name for name in (*CORRECT_COUNTS, "correct") if name in there]
    missing = [name for name in _KEY if name not in there]
    wide = [name for name in there if name.startswith(_WIDE)]
    if wide:
        numbers, rights = [], []
    elif not numbers:
        rights = ["correct"]
        missing += [] if "correct" in there else rights
    elif not rights:
        missing.append(CORRECT_COUNTS[0])
    if missing:
        needs = f", of a row a problem, with {listed(numbers)}" if numbers else ""
        raise ValueError(f"no column {listed(missing)}{needs}; there are {listed(there) or 'none'}")
    for several in (numbers, rights):
        if len(several) > 1:
            raise ValueError(f"columns {listed(several)} say one thing each; keep one of them")
    if numbers and "sample_index" in there:
        raise ValueError(
            f"column {numbers[0]} makes a row a problem's counts, column sample_index makes it one "
            "sample; leave out the one that does not hold"
        )
    optional = [name for name in (*_OPTIONAL, *wide) if name in there]
    if "benchmark" in there and "strict" in there:
        optional.append("benchmark")
    return (*_KEY, *numbers, *rights, *optional)


@dataclass(frozen=True)
class _Values:
    """A column as places in the list of what its distinct values are read as."""

    codes: Ints
    readings: list[Any]

    def where(self, which: Callable[[Any], bool]) -> Bools:
        """The rows whose reading is such a one."""
        return np.array([which(reading) for reading in self.readings])[self.codes]


@dataclass(frozen=True)
class _Rows:
    """Whose each row of a file is."""

    path: Path
    model: _Values
    problem: _Values

    @property
    def key(self) -> Ints:
        """A number for each (model, problem), shape (rows,)."""
        return self.model.codes * len(self.problem.readings) + self.problem.codes

    def said(self, row: int) -> str:
        """The row's place, model and problem, for an error."""
        model = self.model.readings[self.model.codes[row]]
        problem = self.problem.readings[self.problem.codes[row]]
        return f"{self.path}: row {row + 1}: model {model}, problem {problem}"

    def counts(self, kept: Bools, add: tuple[Ints, Ints, Ints]) -> dict[str, Counts]:
        """Samples, correct and undecided ones added up by model and problem over these rows."""
        found, ids = {}, self.problem.readings
        for place, name in enumerate(self.model.readings):
            rows = np.flatnonzero(kept & (self.model.codes == place))
            present, order = np.unique(self.problem.codes[rows], return_inverse=True)
            by_name = np.argsort([ids[i] for i in present], kind="stable")
            sums = [np.zeros(len(present), dtype=np.int64) for _ in add]
            for total, values in zip(sums, add, strict=True):
                np.add.at(total, order, values[rows])
            samples, correct, undecided = (total[by_name] for total in sums)
            names = tuple(ids[present[i]] for i in by_name)
            found[name] = Counts(names, samples, correct, undecided, strict=correct)
        return found


def _of_samples(
    rows: _Rows,
    columns: dict[str, Column],
    clusters: Mapping[str, str | None] | None,
    rule: StoppingRule | None,
) -> VerdictTable:
    verdict = _read(columns["correct"], as_verdict, rows.path, "correct")
    kept = np.ones(len(verdict.codes), dtype=bool)
    if "sample_index" in columns:
        index = _read(columns["sample_index"], as_name, rows.path, "sample_index")
        kept = _once(rows, index, verdict)
    repeats = int((~kept).sum())
    if "sample_index" in columns and rule is not None:
        numbers = _read(columns["sample_index"], as_whole, rows.path, "sample_index")
        kept = _up_to_looks(rows, numbers, verdict, kept, rule)
    ones = np.ones(len(kept), dtype=np.int64)
    right = verdict.where(lambda value: value is True).astype(np.int64)
    unknown = verdict.where(lambda value: value is None).astype(np.int64)
    counts = rows.counts(kept, (ones, right, unknown))
    return VerdictTable(counts, clusters, repeats)


def _up_to_looks(
    rows: _Rows, index: _Values, verdict: _Values, kept: Bools, rule: StoppingRule
) -> Bools:
    """Of the kept rows those before the look at which their problem ended."""
    number = np.array(index.readings, dtype=np.int64)[index.codes]
    right = verdict.where(lambda value: value is True)
    order = np.lexsort((number, rows.key))
    order = order[kept[order]]
    within = np.zeros_like(kept)
    for group in np.split(order, np.flatnonzero(np.diff(rows.key[order])) + 1):
        look = rule.standing(number[group].tolist(), right[group].tolist()).look
        within[group[number[group] < look]] = True
    return within


def _once(rows: _Rows, index: _Values, verdict: _Values) -> Bools:
    """The first row of each sample; the others must say the same."""
    first = _first_of(rows.key * len(index.readings) + index.codes)
    unlike = np.flatnonzero(verdict.codes != verdict.codes[first])
    if len(unlike):
        row = int(unlike[0])
        number = index.readings[index.codes[row]]
        raise UserError(
            f"{rows.said(row)}, sample_index {number} was in row {first[row] + 1} already, with "
            "another verdict"
        )
    once: Bools = first == np.arange(len(first))
    return once


def _first_of(key: Ints) -> Ints:
    """Of each row the first one with its key."""
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    return np.asarray(first[of.reshape(-1)], dtype=np.int64)


def _of_problems(
    rows: _Rows,
    columns: dict[str, Column],
    number: str,
    right: str,
    clusters: Mapping[str, str | None] | None,
) -> VerdictTable:
    _refuse_again(
        rows,
        f"column {number} makes a row a problem's counts: add such rows up, or leave out the "
        "column where a row is a sample",
    )
    read = (_read(columns[name], as_whole, rows.path, name) for name in (number, right))
    samples, correct = (np.array(each.readings, dtype=np.int64)[each.codes] for each in read)
    for unfit, why in (
        (samples < 1, f"{number} must be at least 1"),
        (correct > samples, f"{right} is larger than {number}"),
    ):
        if unfit.any():
            row = int(np.argmax(unfit))
            raise UserError(f"{rows.said(row)}: {why} ({correct[row]} of {samples[row]})")
    everything = np.ones(len(samples), dtype=bool)
    counts = rows.counts(everything, (samples, correct, np.zeros_like(samples)))
    return VerdictTable(counts, clusters, 0)


def _refuse_again(rows: _Rows, why: str) -> None:
    """Refuse a second row of a model and problem."""
    first = _first_of(rows.key)
    again = np.flatnonzero(first != np.arange(len(first)))
    if len(again):
        row = int(again[0])
        raise UserError(f"{rows.said(row)} was in row {first[row] + 1} already; {why}")


def _within(benchmark: _Values, problem: _Values) -> _Values:
    """Problems by their benchmark too, where there are several of these."""
    if len(benchmark.readings) == 1:
        return problem
    pairs = benchmark.codes * len(problem.readings) + problem.codes
    present, codes = np.unique(pairs, return_inverse=True)
    places = (divmod(int(pair), len(problem.readings)) for pair in present)
    names = [f"{benchmark.readings[of]}/{problem.readings[one]}" for of, one in places]
    return _Values(codes.reshape(-1).astype(np.int64), names)


def _of_wide(
    rows: _Rows,
    columns: dict[str, Column],
    wide: list[str],
    clusters: Mapping[str, str | None] | None,
) -> VerdictTable:
    _refuse_again(rows, "where columns are samples a row is a problem: join such rows")
    zero = np.zeros(len(rows.key), dtype=np.int64)
    samples, right, unknown = zero.copy(), zero.copy(), zero.copy()
    for name in wide:
        column = columns[name]
        there = np.array([not is_empty(value) for value in column.values])[column.codes]
        verdict = _read(column, as_verdict, rows.path, name.removeprefix(_WIDE))
        samples += there
        right += verdict.where(lambda value: value is True)
        unknown += there & verdict.where(lambda value: value is None)
    if not samples.all():
        raise UserError(f"{rows.said(int(np.argmin(samples)))}: has no sample")
    everything = np.ones(len(samples), dtype=bool)
    return VerdictTable(rows.counts(everything, (samples, right, unknown)), clusters, 0)


def _clusters(rows: _Rows, column: Column) -> dict[str, str | None]:
    """What each problem names as its origin, which must be one thing in all of its rows."""
    cluster = _read(column, as_origin, rows.path, "cluster")
    problems, first = np.unique(rows.problem.codes, return_index=True)
    home = np.zeros(len(rows.problem.readings), dtype=np.int64)
    home[problems] = first
    unlike = np.flatnonzero(cluster.codes != cluster.codes[home[rows.problem.codes]])
    if len(unlike):
        row = int(unlike[0])
        before = int(home[rows.problem.codes[row]])
        here, there = (cluster.readings[cluster.codes[i]] for i in (row, before))
        raise UserError(
            f"{rows.said(row)} is of cluster {here}, and in row {before + 1} of {there}; a problem "
            "has one"
        )
    names = rows.problem.readings
    return {names[i]: cluster.readings[cluster.codes[home[i]]] for i in problems}


def _read(column: Column, read: Callable[[Any], Any], path: Path, name: str) -> _Values:
    """A column's values as what they are read as; two that are read alike are one."""
    readings = []
    for place, value in enumerate(column.values):
        try:
            readings.append(read(value))
        except ValueError as problem:
            row = int(np.argmax(column.codes == place)) + 1
            shown = repr(value)[:60]
            raise UserError(
                f"{path}: row {row}: {name} is {shown} ({type(value).__name__}); {problem}"
            ) from None
    distinct: dict[Any, int] = {}
    merged = np.array([distinct.setdefault(reading, len(distinct)) for reading in readings])
    return _Values(merged[column.codes], list(distinct))

"""How a benchmark's problems are distributed: by accuracy, difficulty, outcome and metadata."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vlm_boundary.analysis.counts import Bools, Counts, Floats, Ids, Ints, on_shared
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.differences import difference_at_k, transitions
from vlm_boundary.analysis.intervals import Clustered, cluster_codes, holm, known, t_intervals
from vlm_boundary.analysis.significance import p_values
from vlm_boundary.analysis.stopping import pass_at_k_of
from vlm_boundary.errors import UserError
from vlm_boundary.records.record import Curve
from vlm_boundary.records.sections import (
    ArmDistribution,
    ComparedPart,
    Distributions,
    Outcomes,
    SampledField,
    Slice,
    Slices,
    Strata,
    Stratum,
)
from vlm_boundary.verifier import STATUSES

ACCURACY_BINS = ("0", *(f"({a / 10:.1f}, {a / 10 + 0.1:.1f}]" for a in range(9)), "(0.9, 1)", "1")
"""All wrong, nine tenths, the last tenth without 1, all right."""

STRATA = ("0", "(0, 0.1]", "(0.1, 0.5]", "(0.5, 1)", "1")
_FEWEST_VALUES, _MOST_VALUES = 2, 24  # of a metadata field that is sliced by without being asked
_STRATUM_ENDS = np.array([0.1, 0.5])


def accuracy_histogram(correct: Ints, samples: Ints) -> Ints:
    """How many problems have an accuracy in each of twelve bins, in the order of `ACCURACY_BINS`.

    {0}, (0, 0.1], (0.1, 0.2] … (0.8, 0.9], (0.9, 1), {1} (Yue et al. 2025, arXiv 2504.13837, figure
    5). Problems without samples are left out.
    """
    known = np.asarray(samples) > 0
    c, n = np.asarray(correct)[known], np.asarray(samples)[known]
    tenth = -(-10 * c // n)  # rounded up
    return np.bincount(np.where(c == n, 11, tenth), minlength=12).astype(np.int64)


def difficulty(correct: Ints, samples: Ints) -> Ints:
    """The stratum of each problem by its accuracy: place in `STRATA`, -1 without samples.

    The samples must be used for nothing else: a problem that was put into the lowest stratum for
    its bad luck does better the next time. All of shape (problems,).
    """
    c, n = np.asarray(correct), np.asarray(samples)
    share = c / np.maximum(n, 1)
    stratum = 1 + np.searchsorted(_STRATUM_ENDS, share, side="left")
    stratum = np.where(c == 0, 0, np.where(c == n, len(STRATA) - 1, stratum))
    return np.where(n > 0, stratum, -1).astype(np.int64)


def distributions(data: BenchmarkData) -> Distributions:
    """The section `distributions`; all but slices are of the samples up to the first look."""
    alike = data.first_look
    return Distributions(
        accuracy_bins=list(ACCURACY_BINS),
        arms={arm: _spread(alike, arm) for arm in data.arms},
        strata=[_strata(alike, pair) for pair in alike.pairs()],
        slices=slices(data),
    )


def _spread(data: BenchmarkData, arm: str) -> ArmDistribution:
    counts = data.counts(arm)
    return ArmDistribution(
        accuracy_histogram=accuracy_histogram(counts.correct, counts.samples).tolist(),
        outcomes=_outcomes(data, arm),
    )


def _outcomes(data: BenchmarkData, arm: str) -> Outcomes:
    """What share of a problem's samples ended how, mean over all problems and over the unsolved."""
    verdicts, counts = data.verdicts[arm], data.counts(arm)
    cells = verdicts.problem.astype(np.int64) * len(STATUSES) + verdicts.status
    tally = np.bincount(cells, minlength=len(counts.samples) * len(STATUSES))
    shares = tally.reshape(-1, len(STATUSES)) / np.maximum(counts.samples, 1)[:, None]
    shares[counts.samples == 0] = np.nan
    unsolved = counts.correct == 0
    return Outcomes(
        all_problems=data.means(shares, counts.problem_ids).by(STATUSES),
        unsolved_problems=data.means(shares[unsolved], counts.where(unsolved)).by(STATUSES),
    )


def _strata(data: BenchmarkData, pair: Pair) -> Strata:
    """Both arms by how hard a problem is for the base, judged by its samples with an even index.

    Its results are those of the odd ones; the other arm's samples judge nothing, so that all count.
    """
    verdicts = data.verdicts[pair.base]
    even = verdicts.where(verdicts.index % 2 == 0).counts
    odd = verdicts.where(verdicts.index % 2 == 1).counts
    judging, base, other = on_shared(even, odd, pair.other_counts)
    stratum = difficulty(judging.correct, judging.samples)
    deepest = int(base.samples.max(initial=0))
    ks = np.unique([1, deepest]) if deepest else np.array([], dtype=np.int64)
    strata = []
    for row, name in enumerate(STRATA if judging.problem_ids else ()):
        part = _compared(data, base, other, stratum == row, ks)
        gained, lost = _moved(data, base, other, stratum == row, ks)
        strata.append(Stratum(base_accuracy=name, gained=gained, lost=lost, **part.given()))
    judged_on = int(judging.samples.max(initial=0))
    return Strata(base=pair.base, other=pair.other, judged_on=judged_on, strata=strata)


def _moved(
    data: BenchmarkData, base: Counts, other: Counts, which: Bools, ks: Ints
) -> tuple[Curve, Curve]:
    """What the other solves of these and the base does not, and the reverse."""
    if not which.any():
        return {}, {}
    kept = base.where(which)
    both = transitions(base.on(kept), other.on(kept), ks)
    gained, lost = (data.means(each, kept).curve(ks) for each in both)
    return gained, lost


def _compared(
    data: BenchmarkData, base: Counts, other: Counts, which: Bools, ks: Ints
) -> ComparedPart:
    kept = base.where(which)
    if not kept:
        return ComparedPart(problems=0)
    one, two = (pass_at_k_of(each.on(kept), ks) for each in (base, other))
    return ComparedPart(
        problems=len(kept),
        base_pass_at_k=data.means(one, kept).curve(ks),
        other_pass_at_k=data.means(two, kept).curve(ks),
        difference=data.means(two - one, kept, DIFFERENCE).curve(ks),
    )


def slices(data: BenchmarkData) -> list[Slices]:
    """Every pair by the values of metadata fields, at k = 1 and n; p-values adjusted together."""
    fields = fields_of(data)
    return [_sliced(data, pair, fields) for pair in data.pairs()] if fields else []


def _sliced(data: BenchmarkData, pair: Pair, fields: dict[str, dict[str, str]]) -> Slices:
    ks = np.unique([1, pair.n])
    base, other = pair.base_counts, pair.other_counts
    parts, found = [], []
    for name, value, which in parts_of(pair.problem_ids, fields):
        parts.append((name, value, _compared(data, base, other, which, ks)))
        found.append(_p_values(data, pair, which, ks))
    tests = np.array(found).reshape(len(parts), len(ks))
    adjusted = holm(tests.ravel()).reshape(tests.shape)
    rows = [
        Slice(
            field=field,
            value=value,
            p_value=dict(zip(ks.tolist(), known(p), strict=True)),
            adjusted_p_value=dict(zip(ks.tolist(), known(after), strict=True)),
            **part.given(),
        )
        for (field, value, part), p, after in zip(parts, tests, adjusted, strict=True)
    ]
    difference = difference_at_k(base, other, ks)
    sampled = [
        SampledField(
            field=name,
            values=len({values.get(key) for key in pair.problem_ids}),
            difference=t_intervals(
                difference,
                data.settings.confidence,
                (-1, 1),
                cluster_codes(pair.problem_ids, values),
            ).curve(ks),
        )
        for name, values in fields.items()
    ]
    return Slices(
        base=pair.base, other=pair.other, tests=int(tests.size), slices=rows, sampled=sampled
    )


def parts_of(
    problem_ids: Ids, fields: dict[str, dict[str, str]]
) -> Iterator[tuple[str, str, Bools]]:
    """Every field and value, and which of these problems have it."""
    for name, values in fields.items():
        here = np.array([values.get(key, "") for key in problem_ids], dtype=object)
        for value in sorted(set(values.values())):
            yield name, value, here == value


def _p_values(data: BenchmarkData, pair: Pair, which: Bools, ks: Ints) -> Floats:
    """Tests that the mean difference is zero, each its interval read the other way round."""
    difference = difference_at_k(pair.base_counts, pair.other_counts, ks)[which]
    groups = data.groups(pair.problem_ids)
    return p_values(Clustered.of(difference, None if groups is None else groups[which]), (-1, 1))


def fields_of(data: BenchmarkData) -> dict[str, dict[str, str]]:
    """The metadata to slice by: field, problem, value as text."""
    found: dict[str, dict[str, str]] = {}
    for key, problem in data.problems.items():
        for name, value in {**problem.metadata, "answer_type": problem.answer_type}.items():
            if isinstance(value, str | int | float | bool):
                found.setdefault(name, {})[key] = str(value)
    asked = data.settings.slices
    if asked is None:
        return {
            name: values
            for name, values in found.items()
            if _FEWEST_VALUES <= len(set(values.values())) <= _MOST_VALUES
        }
    unknown = [name for name in asked if name not in found]
    if unknown:
        valid = ", ".join(sorted(found)) or "none"
        raise UserError(
            f"analysis.slices: {data.benchmark} has no field {unknown[0]!r}; it has: {valid}"
        )
    return {name: found[name] for name in asked}

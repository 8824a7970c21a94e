"""The section `cot`: right for a valid reason, under every reading of "valid" there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import Clustered, known, t_intervals
from vlm_boundary.analysis.readings import ValidReading, readings
from vlm_boundary.analysis.subset import subset_pass_at_k


def cot(data: BenchmarkData) -> dict[str, Any] | None:
    """CoT-pass@k, P(valid | right) and the problems solved without a valid chain, by reading.

    A wrong answer is never valid. Differences are other − base, on the problems that both have.
    """
    found = {arm: {r.name: r for r in readings(data, arm)} for arm in data.arms}
    found = {arm: by_name for arm, by_name in found.items() if by_name}
    if not found:
        return None
    return {
        "layers": data.run.validity_layers(),
        "arms": {
            arm: {name: _arm(data, arm, reading) for name, reading in by_name.items()}
            for arm, by_name in found.items()
        },
        "pairs": [
            {"base": pair.base, "other": pair.other, "readings": shared}
            for pair in data.pairs()
            if (shared := _pairs(data, pair.base, pair.other, found))
        ],
    }


def _arm(data: BenchmarkData, arm: str, reading: ValidReading) -> dict[str, Any]:
    counts, level = data.counts(arm), data.settings.confidence
    ks = np.arange(1, data.n(arm) + 1)
    low, high = _bounds(counts.samples, counts.correct, reading, ks)
    groups = data.groups(counts.problem_ids)
    solved = counts.correct > 0
    none_valid = solved & (reading.valid + reading.unknown == 0)
    whole = reading.judged == counts.correct
    curve = t_intervals(low, level, (0, 1), groups).by(ks)
    bounded = not np.array_equal(low, high, equal_nan=True)
    return {
        "correct": int(counts.correct.sum()),
        "judged": int(reading.judged.sum()),
        "valid": int(reading.valid.sum()),
        "unknown": int(reading.unknown.sum()),
        "p_valid_given_correct": _share(counts.correct, reading, level, groups),
        "cot_pass_at_k": curve,
        # Where not every right answer was judged, or one could not be, it may be up to this.
        **(
            {"cot_pass_at_k_upper": t_intervals(high, level, (0, 1), groups).by(ks)}
            if bounded
            else {}
        ),
        "solved": int(solved.sum()),
        "solved_with_a_valid_chain": int((reading.valid > 0).sum()),
        "solved_only_by_invalid_chains": [
            counts.problem_ids[row] for row in np.flatnonzero(none_valid & whole)
        ],
        "no_valid_chain_among_those_judged": int((none_valid & ~whole).sum()),
    }


def _bounds(samples: Ints, correct: Ints, reading: ValidReading, ks: Ints) -> tuple[Floats, Floats]:
    """Unknown ones as not valid below, as valid above."""
    low, _ = subset_pass_at_k(samples, correct, reading.judged, reading.valid, ks)
    lenient = reading.valid + reading.unknown
    _, high = subset_pass_at_k(samples, correct, reading.judged, lenient, ks)
    return low, high


def _share(
    correct: Ints, reading: ValidReading, level: float, groups: Any
) -> dict[str, float | int | None]:
    """P(valid | right) over all right answers: each problem's share, weighted by how many it has.

    The interval is that of a ratio of sums over problems (linearised), by Student's t.
    """
    from scipy.stats import t

    rows = np.flatnonzero(reading.judged > 0)
    weights = correct[rows].astype(np.float64)
    shares = reading.valid[rows] / reading.judged[rows]
    of_rows = None if groups is None else groups[rows]
    sums = Clustered(
        Clustered.of((weights * shares)[:, None], of_rows).total,
        Clustered.of(weights[:, None], of_rows).total,
    )
    estimate, error = sums.mean()[0], sums.error()[0]
    freedom = len(sums.total) - 1
    reach = t.ppf(0.5 + level / 2, max(freedom, 1)) * error
    low, high = max(estimate - reach, 0.0), min(estimate + reach, 1.0)
    if freedom > 0 and error < 1e-12:  # nothing varies: as `t_intervals` has it
        other = 1 - ((1 - level) / 2) ** (1 / (freedom + 1))
        low, high = estimate * (1 - other), estimate + other * (1 - estimate)
    if not freedom:
        low = high = np.nan
    said = known(np.array([estimate, low, high]))
    return {"estimate": said[0], "low": said[1], "high": said[2], "problems": len(rows)}


def _pairs(
    data: BenchmarkData, base: str, other: str, found: dict[str, dict[str, ValidReading]]
) -> dict[str, Any]:
    """The paired difference of CoT-pass@k under every reading that both arms have."""
    both = [name for name in found.get(base, {}) if name in found.get(other, {})]
    pair = data.pair(base, other)
    ks = np.arange(1, pair.n + 1)
    groups, level = data.groups(pair.problem_ids), data.settings.confidence
    result = {}
    for name in both:
        low, high = {}, {}
        for arm in (base, other):
            counts = data.counts(arm)
            place = {problem_id: row for row, problem_id in enumerate(counts.problem_ids)}
            rows = np.array([place[problem_id] for problem_id in pair.problem_ids])
            bounds = _bounds(counts.samples, counts.correct, found[arm][name], ks)
            low[arm], high[arm] = (values[rows] for values in bounds)
        difference = t_intervals(low[other] - low[base], level, (-1, 1), groups)
        result[name] = {"difference": difference.by(ks)}
        least, most = low[other] - high[base], high[other] - low[base]
        if not np.array_equal(least, most, equal_nan=True):
            result[name]["difference_least"] = t_intervals(least, level, (-1, 1), groups).by(ks)
            result[name]["difference_most"] = t_intervals(most, level, (-1, 1), groups).by(ks)
    return result

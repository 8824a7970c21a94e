"""How far extrapolated pass@k lies from the truth, where the truth is known.

Problems' accuracies are drawn from distributions that the two models fit, and from others. Each
repetition draws a benchmark of N problems, n samples each, and asks for pass@(10 n); the back-test
of the analysis fits on n/8 of the samples and asks for pass@n. Prints a Markdown table.

    python tests/perf/extrapolation_backtest.py --repetitions 2000 --intervals 200
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.beyond_n import (
    BACK_TEST_SHARE,
    MODELS,
    REACH,
    both_fits,
    intervals,
    resampled,
)
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.extrapolation import Histograms, count_histogram

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]


def bimodal(rng: np.random.Generator, size: int) -> Floats:
    """Two fifths of the problems nearly mastered, the others nearly never right."""
    return np.where(rng.random(size) < 0.4, rng.beta(20, 2, size), rng.beta(0.5, 20, size))


SCENARIOS: dict[str, Draw] = {
    "Beta(0.3, 1.2)": lambda rng, size: rng.beta(0.3, 1.2, size),
    "15 % never, else Beta(0.4, 1)": lambda rng, size: (
        rng.beta(0.4, 1.0, size) * (rng.random(size) >= 0.15)
    ),
    "heavy tail at 0: logit-normal(−2, 3)": lambda rng, size: (
        1 / (1 + np.exp(-rng.normal(-2, 3, size)))
    ),
    "two groups": bimodal,
}
PROBLEMS = (114, 460)
N = 128
CONFIDENCE = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--intervals", type=int, default=200, help="repetitions with intervals")
    arguments = parser.parse_args()
    print(
        f"| accuracies | N | model | error at {REACH} n | RMSE | interval holds "
        f"| back-test error | RMSE |\n|---|---:|---|---:|---:|---:|---:|---:|"
    )
    for name, draw in SCENARIOS.items():
        truth = exact(draw, REACH * N)
        for problems in PROBLEMS:
            rng = np.random.default_rng(problems)
            rows = [
                repetition(draw, problems, truth, rng, turn < arguments.intervals)
                for turn in range(arguments.repetitions)
            ]
            for column, model in enumerate(MODELS):
                found = np.array([row[column] for row in rows])
                print(f"| {name} | {problems} | {model.replace('_', '-')} | {cells(found)} |")


def exact(draw: Draw, k: int) -> float:
    """Mean pass@k of all problems of a kind, from two million of them."""
    accuracy = draw(np.random.default_rng(1), 2_000_000)
    return float(-np.expm1(k * np.log1p(-np.minimum(accuracy, 1 - 1e-16))).mean())


def repetition(
    draw: Draw, problems: int, truth: float, rng: np.random.Generator, with_intervals: bool
) -> list[tuple[float, float, float]]:
    """By model: the error at 10 n, whether the interval holds (NaN: not asked), back-test error."""
    accuracy = draw(rng, problems)
    part = N // BACK_TEST_SHARE
    first = rng.binomial(part, accuracy)
    correct = first + rng.binomial(N - part, accuracy)
    weights = resampled(problems, int(rng.integers(1 << 31)))
    if not with_intervals:
        weights = weights[:1]
    far, deep = np.array([REACH * N]), np.array([N])
    observed = float(pass_at_k(correct, np.full(problems, N), deep).mean())
    whole = both_fits(Histograms.of(count_histogram(correct, N, weights)))
    early = both_fits(Histograms.of(count_histogram(first, part, weights[:1])))
    rows = []
    for model in MODELS:
        values = whole[model].pass_at_k(far)
        back = float(early[model].pass_at_k(deep)[0, 0]) - observed
        holds = np.nan
        if with_intervals:
            found = intervals(values, far, CONFIDENCE, (0, 1), back)[int(far[0])]
            low, high = found.low, found.high
            holds = float(low is not None and high is not None and low <= truth <= high)
        rows.append((float(values[0, 0]) - truth, holds, back))
    return rows


def cells(found: Floats) -> str:
    """Mean and root mean square of errors in points, coverage in per cent."""
    error, holds, back = found.T

    def points(values: Floats) -> str:
        return f"{100 * values.mean():+.1f} | {100 * np.sqrt((values**2).mean()):.1f}"

    return f"{points(error)} | {np.nanmean(holds):.0%} | {points(back)}"


if __name__ == "__main__":
    main()

"""A run's numbers in an experiment tracker: trackio, or Weights & Biases by the same calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.analysis import Analysis, BenchmarkAnalysis
from vlm_boundary.records.record import Interval
from vlm_boundary.store import RunDirectory, write_json

TrackerName: TypeAlias = Literal["trackio", "wandb"]
Metrics: TypeAlias = dict[str, float]


def refuse_missing(name: TrackerName) -> None:
    """Refuse a tracker that is not installed, before hours of sampling.

    Raises:
        UserError: it is not.
    """
    if find_spec(name) is None:
        raise UserError(
            f"--track {name}: it is not installed; in a clone: pip install -e '.[{name}]'"
        )


@contextmanager
def tracked(
    name: TrackerName, experiment: ExperimentConfig, of: str, *, goes_on: bool = False
) -> Iterator[Callable[[Mapping[str, float], int], None]]:
    """A run of the tracker, in the project of the experiment's name: what sends metrics of a step.

    Where it goes is the tracker's own setting: trackio writes to a database on this machine unless
    a Space is named (TRACKIO_SPACE_ID), wandb goes by its login and WANDB_MODE.

    Args:
        of: the name of the tracker's run.
        goes_on: goes on with the one of that name; else a new one begins.

    Raises:
        UserError: the tracker is not installed.
    """
    refuse_missing(name)
    arms = {arm: one.role for arm, one in experiment.arms.items()}
    how: dict[str, Any] = {"resume": "allow" if goes_on else "never"}
    if goes_on and name == "wandb":  # by its id, where trackio does by its name
        how["id"] = f"{experiment.name}-{of}"
    tracker = import_module(name)
    tracker.init(project=experiment.name, name=of, config={"arms": arms}, **how)
    try:
        yield lambda metrics, step: tracker.log(dict(metrics), step=step)
    finally:
        tracker.finish()


def track_checkpoints(
    run: RunDirectory, experiment: ExperimentConfig, analysis: Analysis, name: TrackerName
) -> None:
    """Send the points of checkpoints that this tracker has not been told; the run keeps which."""
    kept = run.path / f"tracked-{name}.json"
    sent = set(json.loads(kept.read_text())) if kept.is_file() else set()
    points = checkpoint_points(analysis, experiment)
    if new := {step: metrics for step, metrics in points.items() if step not in sent}:
        with tracked(name, experiment, "training", goes_on=True) as log:
            for step, metrics in new.items():
                log(metrics, step)
        write_json(kept, sorted(sent | set(new)))


def curve_points(analysis: Analysis) -> Iterator[tuple[int, Metrics]]:
    """One point at each k of the tables: pass@k of every arm, and every pair's difference.

    At the last k also where each pair crosses, where that is resolved, and what each arm cost in
    tokens. Estimates in percent, ends of intervals as `low` and `high`.
    """
    ks = sorted({k for one in analysis.benchmarks.values() for k in one.ks})
    for k in ks:
        found: Metrics = {}
        for name, benchmark in analysis.benchmarks.items():
            for arm in benchmark.arms:
                found |= _at(benchmark, arm, k, f"{name}/pass@k/{arm}", f"{name}/difference/{arm}")
            if k == max(benchmark.ks):
                found |= _whole(name, benchmark)
        yield k, found


def checkpoint_points(analysis: Analysis, experiment: ExperimentConfig) -> dict[int, Metrics]:
    """By step one point for each checkpoint of a training run: its pass@k and its differences.

    Named by k alone, so that the steps of a training make one line.
    """
    points: dict[int, Metrics] = {}
    for arm, settings in experiment.arms.items():
        if settings.step is None:
            continue
        found: Metrics = {}
        for name, benchmark in analysis.benchmarks.items():
            for k in benchmark.ks if arm in benchmark.arms else ():
                found |= _at(benchmark, arm, k, f"{name}/pass@{k}", f"{name}/difference@{k}")
        if found:
            points[settings.step] = found
    return dict(sorted(points.items()))


def _at(benchmark: BenchmarkAnalysis, arm: str, k: int, curve: str, difference: str) -> Metrics:
    intervals: dict[str, Interval | None] = {curve: benchmark.arms[arm].pass_at_k.get(k)}
    for pair in benchmark.pairs:
        if pair.other == arm:
            intervals[f"{difference}-{pair.base}"] = pair.difference.get(k)
    return {
        f"{name}{end}": 100 * value
        for name, one in intervals.items()
        if one is not None
        for end, value in (("", one.estimate), ("/low", one.low), ("/high", one.high))
        if value is not None
    }


def _whole(name: str, benchmark: BenchmarkAnalysis) -> Metrics:
    found: Metrics = {}
    for pair in benchmark.pairs:
        crossing = pair.crossover
        if crossing.status == "resolved" and crossing.estimate is not None:
            found[f"{name}/crossover/{pair.other}-{pair.base}"] = crossing.estimate
    if benchmark.efficiency:
        for arm, cost in benchmark.efficiency.arms.items():
            if cost.tokens is not None:
                found[f"{name}/tokens/{arm}"] = cost.tokens
    return found

"""Units of work, and how they are shared out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from vlm_boundary.benchmarks import load_benchmark
from vlm_boundary.fleet import Job, make_jobs
from vlm_boundary.fleet.session import _largest_budget
from vlm_boundary.reasoning.judge.work import Judge
from vlm_boundary.records.sample import Sample
from vlm_boundary.sampling.work import Draw
from vlm_boundary.scoring.work import Score
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory, SampleWriter

HERE = Partition("rl", "b", "no_image")
SPANS = {"a": (range(2), range(3, 4)), "b": (range(8),)}


def draws(arm: str, problems: int, stop: int, start: int = 0) -> list[Draw]:
    spans = {f"p{i}": (range(start, stop),) for i in range(problems)}
    return [Draw(Partition(arm, "b"), spans)]


@pytest.mark.parametrize(
    "unit",
    [
        Draw(HERE, SPANS),
        Draw(HERE, SPANS, StoppingRule((4, 8), 1)),
        Score(HERE, SPANS, "base"),
        Judge(HERE, SPANS, "j", "original"),
    ],
)
def test_a_unit_reaches_its_process_as_it_was_planned(unit: Draw | Score | Judge) -> None:
    assert type(unit).from_record(json.loads(json.dumps(unit.record()))) == unit


def test_what_is_left_is_what_the_table_lacks(tmp_path: Path) -> None:
    run, unit = RunDirectory(tmp_path), Draw(HERE, SPANS)
    writer = SampleWriter(run.samples, HERE)
    for problem_id, index in [("a", 0), ("a", 1), ("a", 3), ("b", 0), ("b", 4), ("c", 0)]:
        writer.add(Sample(problem_id, index, 0, [1], "x", "stop", None))
    writer.flush()
    assert unit.left(run) == Draw(HERE, {"b": (range(1, 4), range(5, 8))})
    assert Job((Draw(HERE, {"a": (range(2),)}),)).left(run) is None


def test_a_wave_is_a_part_of_what_is_missing() -> None:
    unit = Draw(HERE, SPANS)
    assert unit.within(0, 2).spans == {"a": (range(2),), "b": (range(2),)}
    assert unit.within(2, 8).spans == {"a": (range(3, 4),), "b": (range(2, 8),)}
    assert unit.within(8, 16).spans == {}


@pytest.mark.parametrize(
    ("arms", "places", "engines"),
    [(2, 2, 2), (1, 2, 2), (3, 2, 6), (2, 8, 8), (3, 1, 3), (4, 2, 4)],
)
def test_every_place_is_kept_busy_to_the_end(arms: int, places: int, engines: int) -> None:
    jobs = make_jobs([draws(f"arm{i}", 100, 512) for i in range(arms)], places)
    assert len(jobs) == engines
    assert sum(job.samples for job in jobs) == arms * 100 * 512
    drawn = Counter((u.partition.arm, p) for job in jobs for u in job.units for p in u.spans)
    assert set(drawn.values()) == {1}
    assert len(drawn) == arms * 100


def test_little_work_is_not_split() -> None:
    assert len(make_jobs([draws("base", 10, 16)], 8)) == 1
    assert make_jobs([[], draws("base", 0, 16)], 8) == []


def test_one_engine_draws_a_problem_in_every_wave() -> None:
    jobs = make_jobs([[*draws("base", 60, 64), *draws("base", 100, 256, 64)]], 4)
    assert len(jobs) == 4
    owners: dict[str, set[int]] = {}
    for place, job in enumerate(jobs):
        stops = [max(span.stop for s in unit.spans.values() for span in s) for unit in job.units]
        assert stops == [64, 256]
        for unit in job.units:
            for problem_id in unit.spans:
                owners.setdefault(problem_id, set()).add(place)
    assert all(len(places) == 1 for places in owners.values())
    assert sum(job.samples for job in jobs) == 60 * 64 + 100 * 192


def test_scoring_is_shared_out_in_the_same_way_for_the_engine_that_scores() -> None:
    spans = {f"p{i}": (range(64),) for i in range(100)}
    jobs = make_jobs([[Score(Partition("rl", "b"), spans, "base")]], 2)
    assert [(job.kind, job.engines, job.samples) for job in jobs] == [(Score, ("base",), 3200)] * 2


@pytest.mark.parametrize(
    ("images", "bounds"),
    [
        ([{"max_pixels": 50_000}], (None, 50_000)),
        ([{"min_pixels": 40_000}], (40_000, None)),
        ([{"max_pixels": 50_000}, {"max_pixels": 60_000, "min_pixels": 9}], (None, 60_000)),
        ([{"min_pixels": 8, "max_pixels": 50_000}, {"min_pixels": 9}], (8, None)),
        ([{"min_pixels": 8, "max_pixels": 50_000}, {}], (None, None)),
        ([], (None, None)),
    ],
)
def test_an_engine_is_opened_for_the_pixels_of_all_its_benchmarks(
    images: list[dict[str, int]], bounds: tuple[int | None, int | None]
) -> None:
    benchmarks = [load_benchmark("procedural", {"images": one}) for one in images]
    found = _largest_budget(benchmarks)
    assert (found.min_pixels, found.max_pixels) == bounds

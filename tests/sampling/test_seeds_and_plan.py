"""Seeds and the plan of what is missing: the same whatever the order, chunks or restarts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vlm_boundary.config import MAX_SAMPLES, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling import problem_seed
from vlm_boundary.sampling.plan import Scope, missing_spans
from vlm_boundary.sampling.stage import waves_of
from vlm_boundary.sampling.work import Draw
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, Shard

PROBLEMS = [Problem("b", f"p{i}", "?", "1") for i in range(3)]


def test_a_seed_depends_on_every_part_of_the_key() -> None:
    key = (0, "base", "b", "full", "p0")
    changed = [
        (1, "base", "b", "full", "p0"),
        (0, "rl", "b", "full", "p0"),
        (0, "base", "c", "full", "p0"),
        (0, "base", "b", "no_image", "p0"),
        (0, "base", "b", "full", "p1"),
    ]
    seeds = {problem_seed(*key), *(problem_seed(*other) for other in changed)}
    assert len(seeds) == 6


def test_seeds_are_the_same_in_every_version() -> None:
    assert problem_seed(0, "base", "procedural", "full", "p0") == 300275521


def test_no_sample_of_a_problem_carries_past_32_bits() -> None:
    seeds = [problem_seed(s, "base", "b", "full", f"p{i}") for s in range(3) for i in range(2000)]
    assert min(seeds) >= 0
    assert max(seeds) + MAX_SAMPLES <= 1 << 32
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("n", "present", "expected"),
    [
        (4, {}, [("p0", 0, 4), ("p1", 0, 4), ("p2", 0, 4)]),
        (4, {"p0": {0, 1, 2, 3}, "p1": {1, 2}}, [("p1", 0, 1), ("p1", 3, 4), ("p2", 0, 4)]),
        (2, {"p0": {0, 1, 2, 3}, "p1": {0, 1}, "p2": {1}}, [("p2", 0, 1)]),
        (1, {p.problem_id: {0} for p in PROBLEMS}, []),
    ],
)
def test_only_what_is_missing_is_planned(
    n: int, present: dict[str, set[int]], expected: list[tuple[str, int, int]]
) -> None:
    arrays = {key: np.array(sorted(found), dtype=np.int32) for key, found in present.items()}
    spans = missing_spans(PROBLEMS, n, arrays)
    found = [(s.problem.problem_id, s.indices.start, s.indices.stop) for s in spans]
    assert found == expected


def test_problems_that_cannot_be_put_to_a_model_are_not_sampled_nor_counted_by_limit() -> None:
    broken = Problem("b", "broken", "?", "1", error="no gold answer")
    assert [p.problem_id for p in Scope(limit=2).of([broken, *PROBLEMS])] == ["p0", "p1"]


def test_under_a_condition_the_first_problems_and_shares_are_those_of_full() -> None:
    broken = Problem("b", "broken", "?", "1", error="no gold answer")
    problems = [broken, *PROBLEMS]
    shown = [broken, replace(PROBLEMS[0], error="no picture to leave out"), *PROBLEMS[1:]]
    assert [p.problem_id for p in Scope(limit=2).of(problems, shown)] == ["p1"]
    assert Scope(limit=2).cut(problems, shown) == shown[1:3]
    shares = [
        [p.problem_id for p in Scope(shard=Shard(index, 2)).of(problems, shown)]
        for index in range(2)
    ]
    assert shares == [["p2"], ["p1"]]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shards_share_out_every_problem_once(count: int) -> None:
    shares = [Scope(shard=Shard(index, count)).of(PROBLEMS) for index in range(count)]
    assert sorted(p.problem_id for share in shares for p in share) == ["p0", "p1", "p2"]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("index", "count"), [(2, 2), (-1, 2), (0, 0)])
def test_a_shard_that_is_none_is_refused(index: int, count: int) -> None:
    with pytest.raises(UserError, match="valid are 0/"):
        Shard(index, count)


def test_waves_end_at_n() -> None:
    experiment = ExperimentConfig.model_validate(
        {"name": "x", "benchmarks": {"b": None}, "arms": {"base": {"model": "m", "role": "base"}}}
    )

    def stops(n: int, rule: StoppingRule | None = None) -> list[int]:
        unit = Draw(Partition("base", "b"), {"p": (range(n),)}, rule)
        parts = waves_of(experiment, [unit])
        assert sum(len(unit.spans["p"][0]) for part in parts for unit in part) == n
        return [unit.spans["p"][0].stop for part in parts for unit in part]

    assert stops(512) == [64, 256, 512]
    assert stops(256) == [64, 256]
    assert stops(8) == [8]
    assert stops(512, StoppingRule((32, 64, 512), 4)) == [32, 512]

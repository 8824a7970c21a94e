"""Seeds and the plan of what is missing: the same whatever the order, chunks or restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_boundary.benchmarks import Problem
from vlm_boundary.checkpoints import Checkpoint
from vlm_boundary.config import MAX_SAMPLES, ExperimentConfig
from vlm_boundary.sampling import problem_seed
from vlm_boundary.sampling.identity import arm_identity
from vlm_boundary.sampling.plan import missing_spans, wanted_problems

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
    spans = missing_spans(PROBLEMS, n, present)
    found = [(s.problem.problem_id, s.indices.start, s.indices.stop) for s in spans]
    assert found == expected


def test_problems_that_cannot_be_put_to_a_model_are_not_sampled_nor_counted_by_limit() -> None:
    broken = Problem("b", "broken", "?", "1", error="no gold answer")
    wanted = wanted_problems([broken, *PROBLEMS], limit=2)
    assert [p.problem_id for p in wanted] == ["p0", "p1"]


@pytest.mark.parametrize(
    ("change", "same"),
    [({"n": 9}, True), ({"token_logprobs": 3}, True), ({"temperature": 0.9}, False)],
)
def test_what_is_kept_of_samples_is_no_part_of_what_they_are(
    change: dict[str, float], same: bool
) -> None:
    checkpoint = Checkpoint(Path("folder"), "weights", "template", None)
    plain = {
        "name": "t",
        "benchmarks": {"b": None},
        "arms": {"base": {"model": "org/base", "role": "base"}},
    }
    first = arm_identity(ExperimentConfig.model_validate(plain), "base", checkpoint)
    changed = ExperimentConfig.model_validate(plain | {"sampling": change})
    assert (arm_identity(changed, "base", checkpoint) == first) is same

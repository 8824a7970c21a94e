"""No problem of the shipped benchmark occurs in what the shipped weights were trained on."""

import hashlib
import json
from itertools import islice
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from vlm_boundary.benchmarks.procedural import ProceduralProblem, problems
from vlm_boundary.tiny import WEIGHTS, data, trained

_BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "procedural.yaml"


def _content(problem: ProceduralProblem) -> str:
    picture = problem.draw(data.PICTURE_SIZE).tobytes()
    return hashlib.sha256(picture + problem.question.encode()).hexdigest()


@pytest.fixture(scope="module")
def evaluated() -> list[ProceduralProblem]:
    drawn = YAML(typ="safe").load(_BENCHMARK)["procedural"]
    return list(problems(split="test", seed=drawn["seed"], count=drawn["count"]))


def _streams() -> dict[int, int]:
    """Each training stream of the shipped weights: its seed and how much of it was used."""
    streams: dict[int, int] = {}
    for name in trained():
        record = json.loads((WEIGHTS / name / "training.json").read_text())
        recipe = record["recipe"]
        if "data_seed" not in recipe:
            continue  # changed without training
        if "group" in recipe:
            seed, used = recipe["data_seed"] + record["seed"], recipe["steps"] * recipe["problems"]
        else:
            seed, used = recipe["data_seed"], recipe["problems"]
        streams[seed] = max(used, streams.get(seed, 0))
    return streams


@pytest.mark.skipif(not trained(), reason="no trained checkpoints here")
def test_no_evaluation_problem_occurs_in_training(evaluated: list[ProceduralProblem]) -> None:
    contents = {_content(problem) for problem in evaluated}
    # A problem can only have the content of one with the same question; only those are drawn.
    questions = {problem.question for problem in evaluated}
    states = {problem.state for problem in evaluated}
    compared = 0
    for seed, used in _streams().items():
        for problem in islice(data.training(seed), used):
            assert problem.state not in states
            if problem.question in questions:
                compared += 1
                assert _content(problem) not in contents
    assert compared > 1000


def test_the_watched_problems_are_neither_trained_on_nor_evaluated(
    evaluated: list[ProceduralProblem],
) -> None:
    watched = {problem.state for problem in data.validation()}
    assert watched.isdisjoint(problem.state for problem in islice(data.training(1), 2000))
    assert watched.isdisjoint(problem.state for problem in evaluated)


def test_our_evaluation_is_the_shipped_benchmark(evaluated: list[ProceduralProblem]) -> None:
    kept = [problem.problem_id for problem in evaluated if not problem.choices]
    assert [problem.problem_id for problem in data.evaluation()] == kept

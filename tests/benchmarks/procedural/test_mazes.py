"""Mazes: answers from the walls by other code than the generator's, pictures wall by wall."""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlm_boundary.benchmarks import load_benchmark, load_problems
from vlm_boundary.benchmarks.procedural import FAMILIES, ProceduralProblem, make_problem
from vlm_boundary.benchmarks.procedural.draw import PALETTE

STEPS = {1: (2, 4), 2: (5, 7), 3: (8, 11), 4: (12, 16), 5: (17, 24)}


@functools.cache
def sample() -> list[ProceduralProblem]:
    return [make_problem("maze", split="train", seed=5, index=index) for index in range(300)]


def plan(facts: Mapping[str, Any]) -> list[list[str]]:
    """The maze as characters: squares at odd places, `#` where there is wall, blank elsewhere."""
    side = facts["side"]
    lines = [["#"] * (2 * side + 1) for _ in range(2 * side + 1)]
    for row in range(1, side + 1):
        for column in range(1, side + 1):
            y, x = 2 * row - 1, 2 * column - 1
            lines[y][x] = " "
            if column < side and column not in facts["walls_right"][row - 1]:
                lines[y][x + 1] = " "
            if row < side and column not in facts["walls_below"][row - 1]:
                lines[y + 1][x] = " "
    return lines


def _place(square: Iterable[int]) -> tuple[int, int]:
    """Where a square is in the plan."""
    row, column = square
    return 2 * row - 1, 2 * column - 1


def flooded(facts: Mapping[str, Any]) -> dict[tuple[int, int], int]:
    """How many half steps each open place of the plan is from the start."""
    lines = plan(facts)
    start = _place(facts["start"])
    water, time = {start}, 0
    wet: dict[tuple[int, int], int] = {}
    while water:
        wet |= dict.fromkeys(water, time)
        time += 1
        water = {
            beside
            for y, x in water
            for beside in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1))
            if lines[beside[0]][beside[1]] == " " and beside not in wet
        }
    return wet


def turns(facts: Mapping[str, Any]) -> set[int]:
    """How many turns the shortest ways make, walked back from the goal."""
    wet = flooded(facts)
    goal = _place(facts["goal"])
    ways = [[goal]]
    while wet[ways[0][-1]]:
        ways = [
            [*way, beside]
            for way in ways
            for y, x in [way[-1]]
            for beside in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1))
            if wet.get(beside, 10**6) == wet[y, x] - 1
        ]
    moves = [[(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(way)] for way in ways]
    return {sum(first != second for first, second in pairwise(way)) for way in moves}


def recomputed(problem: ProceduralProblem) -> int:
    """The answer to the question as it is worded, from the walls alone."""
    facts: Mapping[str, Any] = problem.facts
    if re.search("three sides", problem.question):
        lines = plan(facts)
        return sum(
            [lines[y + 1][x], lines[y - 1][x], lines[y][x + 1], lines[y][x - 1]].count("#") == 3
            for y in range(1, len(lines), 2)
            for x in range(1, len(lines), 2)
        )
    if re.search("turns|direction", problem.question):
        (only,) = turns(facts)
        return only
    assert re.search("How many steps|how many steps is it at least", problem.question)
    goal = _place(facts["goal"])
    return flooded(facts)[goal] // 2


def test_answers_follow_from_the_walls() -> None:
    for problem in sample():
        assert problem.answer == str(recomputed(problem)), problem
    assert len({problem.question for problem in sample()}) == 6  # every wording


def test_levels_are_graded_by_the_length_of_the_shortest_way() -> None:
    loops = defaultdict(set)
    for problem in sample():
        facts: Mapping[str, Any] = problem.facts
        goal = _place(facts["goal"])
        fewest, most = STEPS[problem.level]
        assert facts["side"] == problem.level + 2
        assert fewest <= flooded(facts)[goal] // 2 <= most
        squares = facts["side"] ** 2
        assert len(flooded(facts)) >= 2 * squares - 1  # every square and a passage for each but one
        loops[problem.level].add(len(flooded(facts)) - (2 * squares - 1))
    assert loops == {1: {0}, 2: {0}, 3: {1}, 4: {2}, 5: {3}}


@pytest.mark.parametrize("size", [84, 252])
def test_every_wall_is_drawn_and_no_other(size: int) -> None:
    """Half way along each side of each square the picture is the walls' colour where one is."""
    for problem in sample()[:60]:
        facts: Mapping[str, Any] = problem.facts
        lines, side = plan(facts), facts["side"]
        pixels = np.asarray(problem.draw(size))
        unit = size / 84 * 78 / side / 2
        for y, line in enumerate(lines):
            for x, sign in enumerate(line):
                if (x + y) % 2:  # a side of a square, not a square or a corner
                    at = [round(size / 84 * 3 + unit * place) for place in (y, x)]
                    near = pixels[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2].reshape(-1, 3)
                    assert (PALETTE["blue"] in set(map(tuple, near.tolist()))) == (sign == "#")


def test_chains_end_in_the_answer_and_add_up() -> None:
    for problem in sample():
        assert len(problem.chains) >= 2
        for chain in problem.chains:
            assert chain[-1].value == problem.answer
            assert chain[-1].text.endswith(problem.answer)
            for step in chain:
                if step.kind == "compute":
                    terms = re.findall(r"[+-]?\s?\d+", step.text.split(" = ")[0])
                    assert sum(int(term.replace(" ", "")) for term in terms) == int(step.value)


def test_mazes_are_drawn_where_they_are_named(tmp_path: Path) -> None:
    assert "maze" not in FAMILIES
    found = load_problems(load_benchmark("maze", {"procedural": {"count": 40}}), tmp_path)
    assert all(problem.problem_id.startswith("maze-test-0-") for problem in found.problems)
    assert all(problem.answer.isdecimal() and not problem.choices for problem in found.problems)
    assert set(Counter(p.metadata["metadata.level"] for p in found.problems)) == {1, 2, 3, 4, 5}

"""Answers recomputed from the facts, by code that shares nothing with the generator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from vlm_boundary.benchmarks.procedural import FAMILIES, ProceduralProblem, make_problem

Facts = Mapping[str, Any]
Solver = Callable[[Facts, tuple[str, ...]], Any]


def _extreme(values: Mapping[str, int], word: str) -> str:
    pick = max if word in ("tallest", "highest") else min
    (name,) = [n for n, value in values.items() if value == pick(values.values())]
    return name


def _bars(facts: Facts, *names: str) -> list[int]:
    return [facts["bars"][name] for name in names or facts["order"]]


def _points(facts: Facts, *names: str) -> list[int]:
    return [facts["points"][name] for name in names or sorted(facts["points"])]


def _gap(values: list[int]) -> int:
    first, second = values
    return first - second


def _rises(facts: Facts) -> list[int]:
    return [b - a for a, b in pairwise(_points(facts)) if b > a]


def _steps(facts: Facts) -> list[int]:
    return [abs(b - a) for a, b in pairwise(_points(facts))]


def _missing_angle(facts: Facts, names: tuple[str, ...]) -> int:
    labels = facts["labels"]
    if isinstance(labels, list):
        whole = {"straight line": 180, "right angle": 90}[facts["figure"]]
        return whole - sum(int(label) for label in labels if label != "x")
    inner = {name: angle for name, angle in labels.items() if name != "outer right"}
    known = sum(int(angle) for angle in inner.values() if angle != "x")
    if facts["figure"] == "triangle":
        return 180 - known
    outer = labels["outer right"]
    return known if outer == "x" else int(outer) - known


def _largest_corner(facts: Facts, names: tuple[str, ...]) -> str:
    missing = _missing_angle(facts, ())
    angles = {n: missing if a == "x" else a for n, a in facts["labels"].items()}
    return _extreme(angles, "tallest")


def _shapes(facts: Facts) -> list[list[str]]:
    return [cell.split() for row in facts["grid"] for cell in row if cell]


def _count(facts: Facts, names: tuple[str, ...]) -> int:
    *colours, noun = names[0].split()
    wanted = {*colours, *([] if noun == "shapes" else [noun.removesuffix("s")])}
    return sum(wanted <= set(shape) for shape in _shapes(facts))


def _colours(facts: Facts) -> Counter[str]:
    return Counter(colour for colour, _ in _shapes(facts))


def _line(facts: Facts, kind: str, name: str) -> dict[str, int]:
    if kind == "row":
        return dict(zip(facts["columns"], facts["rows"][name], strict=True))
    place = facts["columns"].index(name)
    return {row: values[place] for row, values in facts["rows"].items()}


def _best_line(facts: Facts, kind: str) -> str:
    names = facts["rows"] if kind == "row" else facts["columns"]
    return _extreme({name: sum(_line(facts, kind, name).values()) for name in names}, "tallest")


def _sum_gap(facts: Facts, first: tuple[str, str], second: tuple[str, str]) -> int:
    return sum(_line(facts, *first).values()) - sum(_line(facts, *second).values())


def _minutes(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)


def _clock(facts: Facts, which: int = 0) -> int:
    return _minutes(facts["clocks"][which])


def _squares(facts: Facts) -> set[tuple[int, int]]:
    return {
        (facts["left"] + x, facts["bottom"] + y)
        for x, height in enumerate(facts["column_heights"])
        for y in range(height)
    }


def _perimeter(facts: Facts, names: tuple[str, ...]) -> int:
    squares = _squares(facts)
    beside = [(x + dx, y + dy) for x, y in squares for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return int(names[0]) * sum(place not in squares for place in beside)


def _area(facts: Facts, names: tuple[str, ...]) -> int:
    return int(names[0]) ** 2 * len(_squares(facts))


def _fill(facts: Facts, names: tuple[str, ...]) -> int:
    """Return the one number that makes all rows follow one rule."""
    fits = set()
    for number in range(200):
        rows = [[number if cell is None else cell for cell in row] for row in facts["grid"]]
        corner, across, down = rows[0][0], rows[0][1] - rows[0][0], rows[1][0] - rows[0][0]
        factors = {b / a if a else None for row in rows for a, b in pairwise(row)}
        if (
            all(a + b == c for a, b, c in rows)
            or all(a - b == c for a, b, c in rows)
            or all(a * b == c for a, b, c in rows)
            or len(factors) == 1
            or rows == [[corner + across * j + down * i for j in range(3)] for i in range(3)]
        ):
            fits.add(number)
    (only,) = fits
    return only


SOLVERS: dict[str, dict[str, Solver]] = {
    "bar_chart": {
        r"What is (\w+) plus (\w+)\?|Add the heights of (\w+) and (\w+)\.": lambda f, n: sum(
            _bars(f, *n)
        ),
        r"How much taller is (\w+) than (\w+)\?": lambda f, n: _gap(_bars(f, *n)),
        r"How much shorter is (\w+) than (\w+)\?": lambda f, n: -_gap(_bars(f, *n)),
        r"Which colour is the (\w+) bar\?|What is the colour of the (\w+) bar\?": lambda f, n: (
            _extreme(f["bars"], n[0])
        ),
        r"What is the total of all bars\?|Add up the heights of all bars\.": lambda f, n: sum(
            _bars(f)
        ),
        r"How much taller is the tallest bar than the shortest\?"
        r"|What is the largest height minus the smallest\?": lambda f, n: (
            max(_bars(f)) - min(_bars(f))
        ),
        r".* left (?:to|,) right.*|.*, left to right\?": lambda f, n: _bars(f),
        r"List .* smallest to largest\.|Sort .*": lambda f, n: sorted(_bars(f)),
        r"What is the (?:mean|average) height.*": lambda f, n: sum(_bars(f)) / len(_bars(f)),
        r"What is (\w+) plus (\w+) minus (\w+)\?|Add (\w+) and (\w+), then take away (\w+)\.": (
            lambda f, n: sum(_bars(f, *n[:2])) - _bars(f, n[2])[0]
        ),
    },
    "line_chart": {
        r"How much higher is (\w) than (\w)\?": lambda f, n: _gap(_points(f, *n)),
        r"How much lower is (\w) than (\w)\?": lambda f, n: -_gap(_points(f, *n)),
        r"What is (\w) plus (\w)(?: plus (\w))?\?": lambda f, n: sum(_points(f, *n)),
        r"Add the values at (\w)(?:, (\w))? and (\w)\.": lambda f, n: sum(_points(f, *n)),
        r"At which letter is the line (\w+)\?|Which letter marks the (\w+) point\?": (
            lambda f, n: _extreme(f["points"], n[0])
        ),
        r"By how much does it rise from (\w) to (\w)\?|How far does it rise, (\w) to (\w)\?": (
            lambda f, n: -_gap(_points(f, *n))
        ),
        r"By how much does it fall from (\w) to (\w)\?|How far does it fall, (\w) to (\w)\?": (
            lambda f, n: _gap(_points(f, *n))
        ),
        r"(?:List|What are) the values from A to \w.": lambda f, n: _points(f),
        r"What is the largest rise .*|How large is the biggest rise\?": lambda f, n: max(_rises(f)),
        r"What is the largest step, .*|How big is the largest change .*": lambda f, n: max(
            _steps(f)
        ),
        r"How much does the line climb .*|What do all rises add up to\?": lambda f, n: sum(
            _rises(f)
        ),
    },
    "angles": {
        r"What is x\?|Find the angle x.*|How many degrees is the angle x\?": _missing_angle,
        r".* corner .*": _largest_corner,
    },
    "counting": {
        r"How many more (\w+) than (\w+) shapes are there\?"
        r"|By how many do (\w+) shapes beat (\w+)\?": lambda f, n: (
            _colours(f)[n[0]] - _colours(f)[n[1]]
        ),
        r"Which colour .*|What is the most common colour\?": lambda f, n: _extreme(
            _colours(f), "tallest"
        ),
        r".*shapes that are not (\w+).*": lambda f, n: sum(n[0] not in s for s in _shapes(f)),
        r"How many shapes are (\w+) or (\w+)s \(or both\)\?"
        r"|Count the shapes that are (\w+) or a (\w+)\.": lambda f, n: sum(
            bool(set(n) & set(s)) for s in _shapes(f)
        ),
        r"How many (.+) are there\?|Count the (.+)\.|How many (.+) do you see\?": _count,
    },
    "table": {
        r"What is the (?:sum|total) of (row|column) (\w)\?|Add up (row|column) (\w)\.": (
            lambda f, n: sum(_line(f, *n).values())
        ),
        r"In (\w+) (\w), how much more is (\w) than (\w)\?"
        r"|In (\w+) (\w), what is (\w) minus (\w)\?": (
            lambda f, n: _line(f, *n[:2])[n[2]] - _line(f, *n[:2])[n[3]]
        ),
        r"What is the (?:mean|average) of (\w+) (\w)\?": lambda f, n: (
            sum(_line(f, *n).values()) / len(_line(f, *n))
        ),
        r"List (\w+) (\w) from.*|Sort the numbers of (\w+) (\w), .*": lambda f, n: sorted(
            _line(f, *n).values()
        ),
        r"By how much is the sum of (\w+) (\w) larger than of (\w+) (\w)\?"
        r"|What is the sum of (\w+) (\w) minus the sum of (\w+) (\w)\?": lambda f, n: _sum_gap(
            f, (n[0], n[1]), (n[2], n[3])
        ),
        r"Which (\w+) has the largest sum\?|Which (\w+) adds up to the most\?": lambda f, n: (
            _best_line(f, n[0])
        ),
    },
    "clock": {
        r"How many minutes past the hour is it\?|What minute does the clock show\?": (
            lambda f, n: _clock(f) % 60
        ),
        r".* full hour\?": lambda f, n: 60 - _clock(f) % 60,
        r".*(?:like|such as) 4:35.": lambda f, n: f["clocks"][0],
        r"How many minutes have passed since (\S+)\?|How many minutes ago was it (\S+)\?": (
            lambda f, n: _clock(f) - _minutes(n[0])
        ),
        r"How many minutes until (\S+)\?|In how many minutes is it (\S+)\?": lambda f, n: (
            _minutes(n[0]) - _clock(f)
        ),
        r"What minute .* in (\d+) minutes\?|In (\d+) minutes, how many .*": lambda f, n: (
            (_clock(f) + int(n[0])) % 60
        ),
        r".* right clock.*": lambda f, n: _clock(f, 1) - _clock(f),
    },
    "grid_shape": {
        r"What is the area .* in squares\?|How many squares does .*": lambda f, n: _area(f, ("1",)),
        r"Each square is (\d) cm wide\. What is the area .*|The squares are (\d) cm by .*": _area,
        r"Each square is (\d) .* perimeter .*|The squares are (\d) cm wide\..*": _perimeter,
        r"How many squares .* (?:white|not coloured)\?": lambda f, n: 36 - len(_squares(f)),
    },
    "number_grid": {r".*missing.*|.*question mark.*": _fill},
}


def recomputed(problem: ProceduralProblem) -> Any:
    """Return the answer to the question as it is worded, from the facts alone."""
    for pattern, solve in SOLVERS[problem.family].items():
        if match := re.fullmatch(pattern, problem.question):
            return solve(problem.facts, tuple(group for group in match.groups() if group))
    raise AssertionError(f"no rule for {problem.question!r}")


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_follow_from_the_facts(family: str) -> None:
    for index in range(200):
        problem = make_problem(family, split="train", seed=5, index=index)
        truth = recomputed(problem)
        if isinstance(truth, float):
            assert float(problem.answer) == truth, problem
        else:
            assert problem.answer == str(truth), problem


@pytest.mark.parametrize("family", FAMILIES)
def test_every_wording_is_reached(family: str) -> None:
    patterns = {
        alternative for pattern in SOLVERS[family] for alternative in _alternatives(pattern)
    }
    for index in range(1000):
        question = make_problem(family, split="train", seed=6, index=index).question
        patterns = {pattern for pattern in patterns if not re.fullmatch(pattern, question)}
        if not patterns:
            return
    assert not patterns


def _alternatives(pattern: str) -> list[str]:
    """Split a pattern at the bars outside its groups."""
    parts, depth = [""], 0
    for character in pattern:
        depth += {"(": 1, ")": -1}.get(character, 0) if not parts[-1].endswith("\\") else 0
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts

"""Line charts: read the points of a line, then compute changes between them.

Distinct states: about 10^5 at level 1 (four points), 10^7 at level 2 (five) and 10^8 at level 3
(six).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random

from vlm_boundary.benchmarks.procedural.draw import INK, PALETTE, Axes, Canvas
from vlm_boundary.benchmarks.procedural.problem import Query, Step, add, compute, read, styles

LETTERS = "ABCDEF"


@dataclass(frozen=True)
class Line:
    """The values, 1 to 9, over the letters A, B, C and so on, and the colour of the line."""

    values: tuple[int, ...]
    colour: str

    @property
    def points(self) -> list[tuple[str, int]]:
        """The letters with their values."""
        return list(zip(LETTERS, self.values, strict=False))

    def facts(self) -> dict[str, object]:
        """Return the points and the colour."""
        return {"points": dict(self.points), "colour": self.colour}

    def paint(self, canvas: Canvas) -> None:
        """Draw the line with a dot at each point over labelled grid lines."""
        axes = Axes(left=14, right=82, top=7, bottom=71)
        axes.paint(canvas)
        slot = (axes.right - axes.left) / len(self.values)
        places = [
            (axes.left + slot * (place + 0.5), axes.height(value))
            for place, value in enumerate(self.values)
        ]
        canvas.line(*places, colour=PALETTE[self.colour], width=3)
        for (x, y), letter in zip(places, LETTERS, strict=False):
            canvas.disc((x, y), 2.8, fill=INK)
            canvas.text((x, 78), letter, height=10)


def _higher(rng: Random, scene: Line) -> Query | None:
    (a, x), (b, y) = sorted(rng.sample(scene.points, 2), key=lambda point: -point[1])
    if x == y:
        return None
    return Query(
        f"higher {a} {b}",
        (f"How much higher is {a} than {b}?", f"How much lower is {b} than {a}?"),
        styles([(a, x), (b, y)], compute(f"{x} - {y}", x - y)),
    )


def _sum(rng: Random, scene: Line, count: int = 2) -> Query:
    chosen = sorted(rng.sample(scene.points, count))
    names = [name for name, _ in chosen]
    return Query(
        f"sum {' '.join(names)}",
        (
            f"What is {' plus '.join(names)}?",
            f"Add the values at {', '.join(names[:-1])} and {names[-1]}.",
        ),
        styles(chosen, add([value for _, value in chosen])),
    )


def _extreme(rng: Random, scene: Line) -> Query | None:
    word, wanted = rng.choice((("highest", max(scene.values)), ("lowest", min(scene.values))))
    if scene.values.count(wanted) > 1:
        return None
    return Query(
        word,
        (f"At which letter is the line {word}?", f"Which letter marks the {word} point?"),
        styles(scene.points, read(f"{word}:", LETTERS[scene.values.index(wanted)])),
        answer_type="text",
        decoys=tuple(LETTERS[: len(scene.values)]),
    )


def _change(rng: Random, scene: Line) -> Query | None:
    (a, x), (b, y) = sorted(rng.sample(scene.points, 2))
    if x == y:
        return None
    verb, high, low = ("rise", y, x) if y > x else ("fall", x, y)
    return Query(
        f"change {a} {b}",
        (f"By how much does it {verb} from {a} to {b}?", f"How far does it {verb}, {a} to {b}?"),
        styles([(a, x), (b, y)], compute(f"{high} - {low}", high - low)),
    )


def _in_order(rng: Random, scene: Line) -> Query:
    values = list(scene.values)
    last = LETTERS[len(values) - 1]
    return Query(
        "values",
        (f"List the values from A to {last}.", f"What are the values from A to {last}?"),
        styles(scene.points, Step(str(values), "read", str(values))),
        answer_type="list",
    )


def _rises(scene: Line) -> list[Step]:
    return [compute(f"{y} - {x}", y - x) for x, y in pairwise(scene.values) if y > x]


def _largest_rise(rng: Random, scene: Line) -> Query | None:
    rises = _rises(scene)
    if not rises:
        return None
    best = max(int(step.value) for step in rises)
    return Query(
        "largest rise",
        ("What is the largest rise between neighbours?", "How large is the biggest rise?"),
        styles(scene.points, *rises, read("largest", best)),
    )


def _largest_step(rng: Random, scene: Line) -> Query:
    steps = [compute(f"{max(x, y)} - {min(x, y)}", abs(x - y)) for x, y in pairwise(scene.values)]
    best = max(int(step.value) for step in steps)
    return Query(
        "largest step",
        ("What is the largest step, up or down?", "How big is the largest change in one step?"),
        styles(scene.points, *steps, read("largest", best)),
    )


def _climb(rng: Random, scene: Line) -> Query | None:
    rises = _rises(scene)
    if len(rises) < 2:
        return None
    return Query(
        "climb",
        ("How much does the line climb in all its rises together?", "What do all rises add up to?"),
        styles(scene.points, *rises, add([int(step.value) for step in rises])),
    )


_KINDS: dict[int, tuple[Callable[[Random, Line], Query | None], ...]] = {
    1: (_higher, _sum, _extreme),
    2: (_change, _in_order, _largest_rise, _sum),
    3: (_largest_step, _climb, partial(_sum, count=3), _change),
}


def draft(rng: Random, level: int) -> tuple[Line, Query | None]:
    """Return a line chart and a question about it; None when that question does not fit."""
    values = tuple(rng.randint(1, 9) for _ in range(level + 3))
    scene = Line(values, rng.choice(list(PALETTE)))
    return scene, rng.choice(_KINDS[level])(rng, scene)

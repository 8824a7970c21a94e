"""Counting shapes by colour and form in a square grid.

Distinct states: more than 10^9 at level 1 (a 3 x 3 grid) and more than 10^12 at levels 2 and 3
(a 4 x 4 grid).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vlm_boundary.benchmarks.procedural.draw import DESIGN, PALETTE, Canvas, Point
from vlm_boundary.benchmarks.procedural.problem import (
    Chains,
    Query,
    Step,
    add,
    compute,
    read,
    styles,
    written,
)

COLOURS = ("red", "blue", "green", "orange")
FORMS = ("circle", "square", "triangle")

Item = tuple[str, str]  # colour, form


@dataclass(frozen=True)
class Shapes:
    """A square grid of cells, each empty or holding one shape."""

    grid: tuple[tuple[Item | None, ...], ...]

    @property
    def items(self) -> list[Item]:
        """All shapes, row by row."""
        return [item for row in self.grid for item in row if item]

    def facts(self) -> dict[str, object]:
        """Return the grid cell by cell and how often each kind of shape occurs."""
        grid = [[" ".join(item) if item else None for item in row] for row in self.grid]
        return {"grid": grid, "counts": dict(Counter(" ".join(item) for item in self.items))}

    def paint(self, canvas: Canvas) -> None:
        """Draw each shape in the middle of its cell."""
        cell = DESIGN / len(self.grid)
        for row, items in enumerate(self.grid):
            for column, item in enumerate(items):
                if item:
                    centre = ((column + 0.5) * cell, (row + 0.5) * cell)
                    _paint_item(canvas, item, centre, 0.38 * cell)


def _paint_item(canvas: Canvas, item: Item, centre: Point, r: float) -> None:
    x, y = centre
    colour = PALETTE[item[0]]
    if item[1] == "circle":
        canvas.disc((x, y), r, fill=colour)
    elif item[1] == "square":
        canvas.rectangle((x - 0.9 * r, y - 0.9 * r), (x + 0.9 * r, y + 0.9 * r), colour, colour)
    else:
        canvas.polygon((x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r), fill=colour)


def _by_rows(scene: Shapes, wanted: Callable[[Item], bool]) -> Chains:
    """Return the count taken row by row, and the sum of the rows alone."""
    rows = [sum(1 for item in row if item and wanted(item)) for row in scene.grid]
    reads = [read(f"row {place}:", count) for place, count in enumerate(rows, 1)]
    return written([*reads, add(rows)]), written([add(rows)])


def _by_parts(scene: Shapes, wanted: Callable[[Item], bool]) -> Chains:
    """Return the count taken kind by kind, when more than one kind of shape is wanted."""
    parts = Counter(item for item in scene.items if wanted(item))
    if not 2 <= len(parts) <= 5:
        return ()
    reads = [Step(f"{n} {colour} {form}", "read", str(n)) for (colour, form), n in parts.items()]
    return (written([*reads, add(list(parts.values()))], "."),)


def _count(scene: Shapes, noun: str, wanted: Callable[[Item], bool]) -> Query | None:
    total = sum(map(wanted, scene.items))
    if not total:
        return None
    rows, bare = _by_rows(scene, wanted)
    direct = written([read(f"{noun}:", total)])
    return Query(
        f"count {noun}",
        (f"How many {noun} are there?", f"Count the {noun}.", f"How many {noun} do you see?"),
        (rows, *(_by_parts(scene, wanted) or (direct,)), bare),
    )


def _colour(rng: Random, scene: Shapes) -> Query | None:
    colour = rng.choice(COLOURS)
    return _count(scene, f"{colour} shapes", lambda item: item[0] == colour)


def _form(rng: Random, scene: Shapes) -> Query | None:
    form = rng.choice(FORMS)
    return _count(scene, f"{form}s", lambda item: item[1] == form)


def _both(rng: Random, scene: Shapes) -> Query | None:
    kind = rng.choice(scene.items)
    return _count(scene, f"{kind[0]} {kind[1]}s", lambda item: item == kind)


def _not_colour(rng: Random, scene: Shapes) -> Query | None:
    colour = rng.choice(COLOURS)
    return _count(scene, f"shapes that are not {colour}", lambda item: item[0] != colour)


def _either(rng: Random, scene: Shapes) -> Query | None:
    """Ask for a union, whose two parts overlap in the shapes that are both."""
    colour, form = rng.choice(scene.items)
    of_colour = sum(item[0] == colour for item in scene.items)
    of_form = sum(item[1] == form for item in scene.items)
    of_both = scene.items.count((colour, form))
    union = of_colour + of_form - of_both
    counts = [(f"{colour}:", of_colour), (f"{form}s:", of_form), ("both:", of_both)]
    terse, _, bare = styles(
        counts, add([of_colour, of_form]), compute(f"{of_colour + of_form} - {of_both}", union)
    )
    rows, _ = _by_rows(scene, lambda item: item[0] == colour or item[1] == form)
    return Query(
        f"either {colour} {form}",
        (
            f"How many shapes are {colour} or {form}s (or both)?",
            f"Count the shapes that are {colour} or a {form}.",
        ),
        (terse, rows, bare),
    )


def _more(rng: Random, scene: Shapes) -> Query | None:
    counts = Counter(colour for colour, _ in scene.items)
    (a, x), (b, y) = sorted(rng.sample(sorted(counts.items()), 2), key=lambda pair: -pair[1])
    if x == y:
        return None
    return Query(
        f"more {a} {b}",
        (f"How many more {a} than {b} shapes are there?", f"By how many do {a} shapes beat {b}?"),
        styles(
            [(a, x), (b, y)], compute(f"{x} - {y}", x - y), sentence="{value} shapes are {name}"
        ),
    )


def _most(rng: Random, scene: Shapes) -> Query | None:
    counts = Counter(colour for colour, _ in scene.items).most_common()
    if counts[0][1] == counts[1][1]:
        return None
    return Query(
        "most",
        ("Which colour occurs most often?", "What is the most common colour?"),
        styles(counts, read("most:", counts[0][0]), sentence="{value} shapes are {name}"),
        answer_type="text",
        decoys=COLOURS,
    )


_KINDS: dict[int, tuple[Callable[[Random, Shapes], Query | None], ...]] = {
    1: (_colour, _form),
    2: (_colour, _form, _both, _most),
    3: (_either, _more, _not_colour),
}


def draft(rng: Random, level: int) -> tuple[Shapes, Query | None]:
    """Return a grid of shapes and a question about it; None when that question does not fit."""
    side = 3 if level == 1 else 4
    filled = rng.randint(4, 8) if level == 1 else rng.randint(7, 13)
    places = set(rng.sample(range(side * side), filled))
    # Fewer colours make larger counts; with all four, most kinds of shape would occur once.
    colours = rng.sample(COLOURS, rng.randint(2, 4))
    grid = tuple(
        tuple(
            (rng.choice(colours), rng.choice(FORMS)) if row * side + column in places else None
            for column in range(side)
        )
        for row in range(side)
    )
    scene = Shapes(grid)
    if len({colour for colour, _ in scene.items}) < 2:
        return scene, None
    return scene, rng.choice(_KINDS[level])(rng, scene)

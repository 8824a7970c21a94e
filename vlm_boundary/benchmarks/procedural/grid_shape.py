"""Areas and perimeters of rectilinear shapes on a grid of six by six squares.

Distinct states: about 4,000 at level 1 (rectangles), 45,000 at level 2 (two blocks side by side)
and 235,000 at level 3 (three blocks, on squares 2 or 3 cm wide).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from random import Random

from vlm_boundary.benchmarks.procedural.draw import MIDDLE, PALETTE, Canvas
from vlm_boundary.benchmarks.procedural.problem import Chains, Query, add, compute, styles, written

SIDE = 6


@dataclass(frozen=True)
class Region:
    """Neighbouring columns of squares that stand on one line of the grid."""

    heights: tuple[int, ...]
    left: int
    bottom: int
    colour: str

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """The rectangles from left to right, as (width, height)."""
        return [(len(list(same)), height) for height, same in groupby(self.heights)]

    @property
    def area(self) -> int:
        """The number of squares."""
        return sum(self.heights)

    @property
    def uprights(self) -> list[int]:
        """The lengths of the vertical edges from left to right."""
        return [abs(a - b) for a, b in pairwise((0, *self.heights, 0)) if a != b]

    def facts(self) -> dict[str, object]:
        """Return the height of each column of the shape and where it stands."""
        return {
            "column_heights": list(self.heights),
            "left": self.left,
            "bottom": self.bottom,
            "colour": self.colour,
        }

    def paint(self, canvas: Canvas) -> None:
        """Draw the squares, then the grid over them."""
        cell = 13.8
        for place, height in enumerate(self.heights):
            x = (self.left + place) * cell
            floor = (SIDE - self.bottom) * cell
            colour = PALETTE[self.colour]
            canvas.rectangle((x, floor - height * cell), (x + cell, floor), colour, colour)
        for i in range(SIDE + 1):
            canvas.line((i * cell, 0), (i * cell, SIDE * cell), colour=MIDDLE)
            canvas.line((0, i * cell), (SIDE * cell, i * cell), colour=MIDDLE)


def _area_chains(scene: Region) -> Chains:
    """Return chains that multiply block by block, and one that adds the columns."""
    blocks = scene.blocks
    if len(blocks) == 1:
        (width, height), *_ = blocks
        reads: list[tuple[str, object]] = [("width", width), ("height", height)]
        product = compute(f"{width} * {height}", width * height)
        return (*styles(reads, product), written([add(scene.heights)]))
    parts = [compute(f"{width} * {height}", width * height) for width, height in blocks]
    total = add([width * height for width, height in blocks])
    named: list[tuple[str, object]] = [("block", f"{w} by {h}") for w, h in blocks]
    by_block = styles(named, *parts, total, sentence="A {value} {name}")
    return (*by_block, written([add(scene.heights)]))


def _perimeter_chains(scene: Region) -> Chains:
    """Return chains by the surrounding box where it is equally long, and one edge by edge."""
    width, high = len(scene.heights), max(scene.heights)
    flat, sides = 2 * width, sum(scene.uprights)
    edges = [
        compute(f"{width} + {width}", flat),
        add(scene.uprights),
        compute(f"{flat} + {sides}", flat + sides),
    ]
    if sides != 2 * high:  # a valley makes the perimeter longer than that of the box
        listed = " ".join(map(str, scene.uprights))
        return styles([("width", width), ("sides", listed)], *edges)
    box = styles(
        [("width", width), ("height", high)],
        compute(f"{width} + {high}", width + high),
        compute(f"{width + high} * 2", flat + sides),
    )
    return (*box, written(edges))


def _then(chains: Chains, expression: str, value: int) -> Chains:
    """Return the chains followed by one more equation."""
    step = compute(expression, value)
    extended = []
    for chain in chains:
        mark = "." if chain[0].text.endswith(".") else ","
        last = written([chain[-1], step], mark)
        extended.append((*chain[:-1], *last))
    return tuple(extended)


def _area(scene: Region, cm: int) -> Query:
    if cm == 1:
        return Query(
            "area",
            ("What is the area of the shape in squares?", "How many squares does the shape cover?"),
            _area_chains(scene),
            unit="squares",
        )
    return Query(
        f"area {cm}",
        (
            f"Each square is {cm} cm wide. What is the area of the shape in square cm?",
            f"The squares are {cm} cm by {cm} cm. How many square cm is the shape?",
        ),
        _then(_area_chains(scene), f"{scene.area} * {cm} * {cm}", scene.area * cm * cm),
        unit="square cm",
    )


def _perimeter(scene: Region, cm: int) -> Query:
    around = 2 * len(scene.heights) + sum(scene.uprights)
    chains = _perimeter_chains(scene)
    return Query(
        f"perimeter {cm}",
        (
            f"Each square is {cm} cm wide. What is the perimeter of the shape in cm?",
            f"The squares are {cm} cm wide. How many cm is it around the shape?",
        ),
        chains if cm == 1 else _then(chains, f"{around} * {cm}", around * cm),
        unit="cm",
    )


def _uncovered(scene: Region) -> Query:
    whole = SIDE * SIDE
    work = f"{whole} - {scene.area}", whole - scene.area
    return Query(
        "uncovered",
        ("How many squares of the grid are white?", "How many squares are not coloured?"),
        _then(_area_chains(scene), *work),
        unit="squares",
    )


def _heights(rng: Random, blocks: int) -> tuple[int, ...]:
    """Return column heights that make this many blocks side by side."""
    width = rng.randint(max(2, blocks), SIDE)
    cuts = sorted(rng.sample(range(1, width), blocks - 1))
    heights: list[int] = []
    for start, end in pairwise([0, *cuts, width]):
        free = [h for h in range(1, SIDE + 1) if not heights or h != heights[-1]]
        heights += [rng.choice(free)] * (end - start)
    return tuple(heights)


def draft(rng: Random, level: int) -> tuple[Region, Query | None]:
    """Return a shape on the grid and a question about it."""
    heights = _heights(rng, level)
    scene = Region(
        heights,
        rng.randint(0, SIDE - len(heights)),
        rng.randint(0, SIDE - max(heights)),
        rng.choice(list(PALETTE)),
    )
    if level == 3:
        ask = rng.choice((_area, _perimeter))
        return scene, ask(scene, rng.choice((2, 3)))
    if level == 2 and rng.random() < 0.25:
        return scene, _uncovered(scene)
    return scene, rng.choice((_area, _perimeter))(scene, 1)

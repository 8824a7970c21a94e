"""Angles drawn to scale and labelled in degrees, except one marked x: deduce it.

Distinct states: about 900 at level 1 (two angles on a straight line or in a right angle),
13,000 at level 2 (triangles) and 38,000 at level 3 (three angles on a line, exterior angles).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from vlm_boundary.benchmarks.procedural.draw import FAINT, INK, PALETTE, Canvas, Point, polar
from vlm_boundary.benchmarks.procedural.problem import Query, add, compute, read, styles

CORNERS = ("left", "right", "top")
_PHRASINGS = ("What is x?", "Find the angle x in degrees.", "How many degrees is the angle x?")
_UNIT = "degrees"


def _label(
    canvas: Canvas,
    vertex: Point,
    directions: tuple[float, float],
    text: str,
    nearest: float,
    room: float,
) -> None:
    """Write a label between two directions, as near the vertex as leaves it room."""
    start, end = directions
    half = math.radians((end - start) / 2)
    distance = max(nearest, room / math.sin(half))
    unknown = text == "x"
    canvas.text(
        polar(vertex, (start + end) / 2, distance),
        text,
        height=13 if unknown else 11,
        colour=PALETTE["red"] if unknown else INK,
    )


@dataclass(frozen=True)
class Fan:
    """Neighbouring angles from right to left that fill a straight line or a right angle."""

    angles: tuple[int, ...]
    hidden: int
    tilt: int

    @property
    def known(self) -> list[int]:
        """The labelled angles."""
        return [angle for place, angle in enumerate(self.angles) if place != self.hidden]

    def facts(self) -> dict[str, object]:
        """Return the labels as drawn, from right to left, and the angle behind x."""
        labels = ["x" if i == self.hidden else angle for i, angle in enumerate(self.angles)]
        figure = "straight line" if sum(self.angles) == 180 else "right angle"
        return {
            "figure": figure, "labels": labels, "x": self.angles[self.hidden], "tilt": self.tilt
        }  # fmt: skip

    def paint(self, canvas: Canvas) -> None:
        """Draw the rays and the label of each angle."""
        straight = sum(self.angles) == 180
        vertex, reach = ((42.0, 68.0), 40) if straight else ((10.0, 74.0), 62)
        if not straight:
            canvas.rectangle((10, 66), (18, 74), fill=FAINT)
        turns = list(accumulate(self.angles, initial=self.tilt))
        for turn in turns:
            # An inner ray is long, but stops at the side of the picture.
            length = min(62.0, reach / max(0.01, abs(math.cos(math.radians(turn)))))
            canvas.line(vertex, polar(vertex, turn, length), colour=PALETTE["blue"], width=1.6)
        for place, directions in enumerate(pairwise(turns)):
            text = "x" if place == self.hidden else str(self.angles[place])
            _label(canvas, vertex, directions, text, nearest=26, room=8)


@dataclass(frozen=True)
class Triangle:
    """The angles at the left, right and top corner, and which are labelled.

    `hidden` is the corner marked x; in an exterior figure the base goes on beyond the right
    corner, whose outer angle is shown instead of the inner one.
    """

    angles: tuple[int, int, int]
    hidden: int
    exterior: bool = False

    @property
    def shown(self) -> tuple[int, int, int]:
        """The angle each label stands for: the outer one on the right of an exterior figure."""
        left, right, top = self.angles
        return (left, 180 - right, top) if self.exterior else self.angles

    @property
    def known(self) -> list[tuple[str, int]]:
        """The labelled angles with the names of their corners."""
        names = ("left", "outer", "top") if self.exterior else CORNERS
        pairs = zip(names, self.shown, strict=True)
        return [pair for place, pair in enumerate(pairs) if place != self.hidden]

    def facts(self) -> dict[str, object]:
        """Return the labels as drawn and the angle behind x."""
        names = ("left", "outer right", "top") if self.exterior else CORNERS
        labels = ["x" if i == self.hidden else angle for i, angle in enumerate(self.shown)]
        return {
            "figure": "exterior angle" if self.exterior else "triangle",
            "labels": dict(zip(names, labels, strict=True)),
            "x": self.shown[self.hidden],
        }

    def paint(self, canvas: Canvas) -> None:
        """Draw the triangle as large as fits, true to scale."""
        left, right, _ = self.angles
        corners = self._corners()
        if self.exterior:
            canvas.line(corners[1], (82, corners[1][1]), colour=PALETTE["blue"], width=1.6)
        canvas.line(*corners, corners[0], colour=PALETTE["blue"], width=1.6)
        directions = [
            (0, left),
            (0, 180 - right) if self.exterior else (180 - right, 180),
            (180 + left, 360 - right),
        ]
        for place, corner in enumerate(corners):
            text = "x" if place == self.hidden else str(self.shown[place])
            _label(canvas, corner, directions[place], text, nearest=13, room=9)

    def _corners(self) -> list[Point]:
        """Return the left, right and top corner, fitted into the picture."""
        left, right, top = (math.radians(angle) for angle in self.angles)
        side = math.sin(right) / math.sin(top)  # from the left corner up, on a base of 1
        apex = (side * math.cos(left), side * math.sin(left))
        low, high = min(0.0, apex[0]), max(1.0, apex[0])
        width = 58 if self.exterior else 80
        scale = min(width / (high - low), 78 / apex[1])
        start = 2 + (width - scale * (high - low)) / 2 - scale * low
        floor = 42 + scale * apex[1] / 2
        return [
            (start, floor),
            (start + scale, floor),
            (start + scale * apex[0], floor - scale * apex[1]),
        ]


def _fan(rng: Random, whole: int, count: int) -> tuple[Fan, Query | None]:
    least = {90: 22, 180: 26 if count == 2 else 34}[whole]
    cuts = sorted(rng.randint(least, whole - least) for _ in range(count - 1))
    angles = tuple(b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True))
    scene = Fan(angles, rng.randrange(count), rng.choice((-12, 0, 12)) if whole == 180 else 0)
    if min(angles) < least:
        return scene, None
    known = scene.known
    taken = sum(known)
    work = [compute(f"{whole} - {taken}", whole - taken)]
    if len(known) > 1:
        work.insert(0, add(known))
    chains = styles([("angle", angle) for angle in known], *work, sentence="One angle is {value}")
    if len(known) > 1:
        chains += styles((), compute(" - ".join(map(str, [whole, *known])), whole - taken))[:1]
    return scene, Query("x", _PHRASINGS, chains, unit=_UNIT)


def _triangle(rng: Random) -> tuple[int, int, int] | None:
    left, right = rng.randint(32, 100), rng.randint(32, 100)
    top = 180 - left - right
    return (left, right, top) if 32 <= top <= 100 else None


def _missing(scene: Triangle) -> Query:
    known = [angle for _, angle in scene.known]
    total = sum(known)
    chains = styles(scene.known, add(known), compute(f"180 - {total}", 180 - total))
    a, b = known
    direct = styles((), compute(f"180 - {a} - {b}", 180 - total))[:1]
    return Query("x", _PHRASINGS, chains + direct, unit=_UNIT)


def _largest(scene: Triangle) -> Query | None:
    if scene.angles.count(max(scene.angles)) > 1:
        return None
    known = [angle for _, angle in scene.known]
    total = sum(known)
    largest = CORNERS[scene.angles.index(max(scene.angles))]
    return Query(
        "largest",
        ("Which corner has the largest angle: left, right or top?",
         "At which corner (left, right or top) is the angle largest?"),
        styles(
            scene.known, add(known), compute(f"180 - {total}", 180 - total),
            read("largest:", largest),
        ),
        answer_type="text",
        decoys=(*CORNERS, "all equal"),
    )  # fmt: skip


def _exterior(rng: Random, angles: tuple[int, int, int]) -> tuple[Triangle, Query | None]:
    scene = Triangle(angles, rng.randrange(3), exterior=True)
    (_, a), (_, b) = known = scene.known
    x = scene.shown[scene.hidden]
    if scene.hidden == 1:  # the outer angle is the sum of the two far inner ones
        direct = [compute(f"{a} + {b}", x)]
        around = [compute(f"180 - {a} - {b}", 180 - x), compute(f"180 - {180 - x}", x)]
    else:
        outer, inner = max(a, b), min(a, b)
        right = 180 - outer
        direct = [compute(f"{outer} - {inner}", x)]
        around = [compute(f"180 - {outer}", right), compute(f"180 - {right} - {inner}", x)]
    chains = styles(known, *direct) + styles(known, *around)[:1]
    return scene, Query("x", _PHRASINGS, chains, unit=_UNIT)


def draft(rng: Random, level: int) -> tuple[Fan | Triangle, Query | None]:
    """Return an angle figure and a question about it; None when the figure does not fit."""
    if level == 1:
        return _fan(rng, rng.choice((180, 180, 180, 90)), 2)
    if level == 3 and rng.random() < 0.5:
        return _fan(rng, 180, 3)
    angles = _triangle(rng)
    if angles is None:
        return Triangle((60, 60, 60), 0), None
    if level == 3:
        return _exterior(rng, angles)
    scene = Triangle(angles, rng.randrange(3))
    return scene, _largest(scene) if rng.random() < 0.25 else _missing(scene)

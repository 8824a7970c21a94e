"""Drawing for all families: a canvas in proportional coordinates, a palette and chart axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

DESIGN = 84  # pictures are laid out on an 84 x 84 design and drawn at any size

WHITE: Colour = (255, 255, 255)
INK: Colour = (0, 0, 0)
FAINT: Colour = (215, 215, 215)
MIDDLE: Colour = (140, 140, 140)
PALETTE: dict[str, Colour] = {
    "red": (220, 25, 25),
    "blue": (30, 70, 235),
    "green": (15, 150, 55),
    "orange": (255, 150, 0),
    "purple": (135, 30, 180),
    "pink": (255, 125, 200),
}


@functools.cache
def _font(pixels: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=pixels)


class Canvas:
    """A white square picture whose coordinates run from 0 to 84 at every size."""

    def __init__(self, size: int = DESIGN) -> None:
        """Start a picture of `size` pixels a side."""
        if size < 28:
            raise ValueError(f"a picture needs at least 28 pixels a side, not {size}")
        self.image = Image.new("RGB", (size, size), WHITE)
        self._pen = ImageDraw.Draw(self.image)
        self._scale = size / DESIGN

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self._scale))

    def line(self, *points: Point, colour: Colour = INK, width: float = 1) -> None:
        """Draw straight strokes from point to point."""
        self._pen.line(self._at(points), fill=colour, width=self._width(width), joint="curve")

    def polygon(self, *points: Point, fill: Colour) -> None:
        """Fill a polygon."""
        self._pen.polygon(self._at(points), fill=fill)

    def rectangle(
        self, corner: Point, opposite: Point, fill: Colour | None = None, outline: Colour = INK
    ) -> None:
        """Draw a rectangle from its upper left to its lower right corner."""
        box = self._at([corner, opposite])
        self._pen.rectangle(box, fill=fill, outline=outline, width=self._width(1))

    def disc(
        self, centre: Point, radius: float, fill: Colour, outline: Colour | None = None
    ) -> None:
        """Draw a filled circle."""
        x, y = centre
        box = self._at([(x - radius, y - radius), (x + radius, y + radius)])
        self._pen.ellipse(box, fill=fill, outline=outline, width=self._width(1.5))

    def text(self, centre: Point, text: str, height: float = 11, colour: Colour = INK) -> None:
        """Write a short text centred on a point, in a font of the given height."""
        (at,) = self._at([centre])
        font = _font(height * self._scale)
        # "mm" would centre ascenders and descenders; digits and capitals look centred
        # when the box of their own ink is.
        left, top, right, bottom = self._pen.textbbox((0, 0), text, font=font)
        self._pen.text(
            (at[0] - (left + right) / 2, at[1] - (top + bottom) / 2), text, fill=colour, font=font
        )


def polar(centre: Point, degrees: float, radius: float) -> Point:
    """Return the point at an angle (counter-clockwise from the right) and a distance."""
    turn = math.radians(degrees)
    x, y = centre[0] + radius * math.cos(turn), centre[1] - radius * math.sin(turn)
    return round(x, 6), round(y, 6)  # a hair below a whole pixel would land on its neighbour


@dataclass(frozen=True)
class Axes:
    """The plotting area of a chart whose values run from 0 to 10."""

    left: float
    right: float
    top: float
    bottom: float

    def height(self, value: float) -> float:
        """Return the vertical place of a value."""
        return self.bottom - (self.bottom - self.top) * value / 10

    def paint(self, canvas: Canvas) -> None:
        """Draw the axes with one grid line a unit and every fifth labelled."""
        for value in range(1, 11):
            y = self.height(value)
            labelled = value % 5 == 0
            canvas.line((self.left, y), (self.right, y), colour=MIDDLE if labelled else FAINT)
            if labelled:
                canvas.text((self.left / 2, y), str(value), height=10)
        self.paint_frame(canvas)

    def paint_frame(self, canvas: Canvas) -> None:
        """Draw the two axes alone."""
        canvas.line((self.left, self.top), (self.left, self.bottom), (self.right, self.bottom))

"""Bar charts: read coloured bars, then compute with their heights.

Distinct states: about 10^6 at level 1 (three bars with their values written on them), 10^7 at
level 2 (three or four bars against a grid) and 10^9 at level 3 (four or five bars).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vlm_boundary.benchmarks.procedural.draw import PALETTE, Axes, Canvas
from vlm_boundary.benchmarks.procedural.problem import Query, Step, add, compute, read, styles


@dataclass(frozen=True)
class Bars:
    """Bars from left to right as (colour, height), heights 1 to 9, with or without labels."""

    bars: tuple[tuple[str, int], ...]
    labelled: bool

    @property
    def heights(self) -> list[int]:
        """The heights from left to right."""
        return [height for _, height in self.bars]

    def facts(self) -> dict[str, object]:
        """Return the bars; `order` keeps left to right where a reader sorts the keys."""
        return {
            "bars": dict(self.bars),
            "order": [colour for colour, _ in self.bars],
            "labelled": self.labelled,
        }

    def paint(self, canvas: Canvas) -> None:
        """Draw the bars over labelled grid lines, or with their values and no grid."""
        axes = Axes(left=3 if self.labelled else 14, right=82, top=7, bottom=80)
        if not self.labelled:
            axes.paint(canvas)
        slot = (axes.right - axes.left) / len(self.bars)
        for place, (colour, height) in enumerate(self.bars):
            x = axes.left + slot * place
            top = axes.height(height)
            canvas.rectangle(
                (x + 0.15 * slot, top), (x + 0.85 * slot, axes.bottom), PALETTE[colour]
            )
            if self.labelled:
                canvas.text((x + 0.5 * slot, top - 6), str(height), height=12)
        axes.paint_frame(canvas)


def _sum(rng: Random, scene: Bars) -> Query:
    (a, x), (b, y) = rng.sample(scene.bars, 2)
    return Query(
        f"sum {' '.join(sorted((a, b)))}",
        (f"What is {a} plus {b}?", f"Add the heights of {a} and {b}."),
        styles([(a, x), (b, y)], add([x, y])),
    )


def _difference(rng: Random, scene: Bars) -> Query | None:
    (a, x), (b, y) = sorted(rng.sample(scene.bars, 2), key=lambda bar: -bar[1])
    if x == y:
        return None
    return Query(
        f"difference {a} {b}",
        (f"How much taller is {a} than {b}?", f"How much shorter is {b} than {a}?"),
        styles([(a, x), (b, y)], compute(f"{x} - {y}", x - y)),
    )


def _extreme(rng: Random, scene: Bars) -> Query | None:
    word, wanted = rng.choice((("tallest", max(scene.heights)), ("shortest", min(scene.heights))))
    names = [colour for colour, height in scene.bars if height == wanted]
    if len(names) > 1:
        return None
    return Query(
        word,
        (f"Which colour is the {word} bar?", f"What is the colour of the {word} bar?"),
        styles(scene.bars, read(f"{word}:", names[0])),
        answer_type="text",
        decoys=tuple(PALETTE),
    )


def _total(rng: Random, scene: Bars) -> Query:
    return Query(
        "total",
        ("What is the total of all bars?", "Add up the heights of all bars."),
        styles(scene.bars, add(scene.heights)),
    )


def _range(rng: Random, scene: Bars) -> Query:
    high, low = max(scene.heights), min(scene.heights)
    return Query(
        "range",
        (
            "How much taller is the tallest bar than the shortest?",
            "What is the largest height minus the smallest?",
        ),
        styles([("tallest", high), ("shortest", low)], compute(f"{high} - {low}", high - low)),
    )


def _in_order(rng: Random, scene: Bars) -> Query:
    listed = Step(str(scene.heights), "read", str(scene.heights))
    return Query(
        "left to right",
        ("List the heights from left to right.", "What are the heights, left to right?"),
        styles(scene.bars, listed),
        answer_type="list",
    )


def _sorted(rng: Random, scene: Bars) -> Query:
    ranked = sorted(scene.heights)
    return Query(
        "sorted",
        ("List the heights from smallest to largest.", "Sort the heights, smallest first."),
        styles(scene.bars, read("sorted", ranked)),
        answer_type="list",
    )


def _mean(rng: Random, scene: Bars) -> Query:
    count, total = len(scene.bars), sum(scene.heights)
    precision = 1 if count == 5 else 2  # fifths and quarters end there, so the mean is exact
    mean = f"{total / count:.{precision}f}"
    return Query(
        "mean",
        ("What is the mean height of the bars?", "What is the average height?"),
        styles(scene.bars, add(scene.heights), compute(f"{total} / {count}", mean)),
        answer_type="float",
        precision=precision,
    )


def _plus_minus(rng: Random, scene: Bars) -> Query | None:
    (a, x), (b, y), (c, z) = rng.sample(scene.bars, 3)
    if x + y < z:
        return None
    return Query(
        f"plus minus {' '.join(sorted((a, b)))} {c}",
        (f"What is {a} plus {b} minus {c}?", f"Add {a} and {b}, then take away {c}."),
        styles([(a, x), (b, y), (c, z)], add([x, y]), compute(f"{x + y} - {z}", x + y - z)),
    )


_KINDS: dict[int, tuple[Callable[[Random, Bars], Query | None], ...]] = {
    1: (_sum, _difference, _extreme, _in_order),
    2: (_sum, _difference, _range, _total, _sorted),
    3: (_total, _range, _mean, _plus_minus, _sorted),
}
_COUNTS = {1: (3,), 2: (3, 4), 3: (4, 5)}


def draft(rng: Random, level: int) -> tuple[Bars, Query | None]:
    """Return a bar chart and a question about it; None when that question does not fit."""
    colours = rng.sample(list(PALETTE), rng.choice(_COUNTS[level]))
    scene = Bars(tuple((colour, rng.randint(1, 9)) for colour in colours), labelled=level == 1)
    return scene, rng.choice(_KINDS[level])(rng, scene)

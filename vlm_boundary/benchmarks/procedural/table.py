"""Tables of numbers: sums, differences and means of rows and columns.

Distinct states: about 10^5 at level 1 (2 x 2 cells), 10^9 at level 2 (2 x 3 or 3 x 2) and
10^10 at level 3 (2 x 4 or 4 x 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from vlm_boundary.benchmarks.procedural.draw import DESIGN, PALETTE, Canvas, Colour
from vlm_boundary.benchmarks.procedural.problem import Query, add, compute, read, styles

_HEAD: Colour = (255, 228, 150)


@dataclass(frozen=True)
class Table:
    """Whole numbers by row (P, Q, ...) and column (A, B, ...)."""

    cells: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> dict[str, tuple[int, ...]]:
        """The rows by name."""
        return dict(zip("PQRS", self.cells, strict=False))

    @property
    def columns(self) -> dict[str, tuple[int, ...]]:
        """The columns by name."""
        return dict(zip("ABCD", zip(*self.cells, strict=True), strict=False))

    def facts(self) -> dict[str, object]:
        """Return the names of the columns and the cells of each row."""
        return {
            "columns": list(self.columns),
            "rows": {name: list(row) for name, row in self.rows.items()},
        }

    def paint(self, canvas: Canvas) -> None:
        """Draw the cells under and beside their headers."""
        down, across = len(self.cells) + 1, len(self.cells[0]) + 1
        height = (DESIGN - 2) / down
        first = 12 if across == 5 else (DESIGN - 2) / across  # four columns need the room
        width = (DESIGN - 2 - first) / (across - 1)
        texts = [["", *self.columns]]
        texts += [[name, *map(str, row)] for name, row in self.rows.items()]
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                x, y = 1 + (first + (j - 1) * width if j else 0), 1 + i * height
                end = x + (width if j else first)
                head = i == 0 or j == 0
                canvas.rectangle((x, y), (end, y + height), _HEAD if head else None)
                if text:
                    colour = PALETTE["blue"] if head else (0, 0, 0)
                    canvas.text(((x + end) / 2, y + height / 2), text, 12, colour)


Cells = list[tuple[str, int]]


def _lines(scene: Table) -> list[tuple[str, Cells]]:
    """Return every row and column that holds more than one cell, with its named cells."""
    rows = [
        (f"row {name}", list(zip(scene.columns, row, strict=True)))
        for name, row in scene.rows.items()
    ]
    columns = [
        (f"column {name}", list(zip(scene.rows, column, strict=True)))
        for name, column in scene.columns.items()
    ]
    return rows + columns


def _sum(rng: Random, scene: Table) -> Query:
    name, cells = rng.choice(_lines(scene))
    return Query(
        f"sum {name}",
        (f"What is the sum of {name}?", f"Add up {name}.", f"What is the total of {name}?"),
        styles(cells, add([value for _, value in cells])),
    )


def _difference(rng: Random, scene: Table) -> Query | None:
    line, cells = rng.choice(_lines(scene))
    (a, x), (b, y) = sorted(rng.sample(cells, 2), key=lambda cell: -cell[1])
    if x == y:
        return None
    return Query(
        f"difference {line} {a} {b}",
        (f"In {line}, how much more is {a} than {b}?", f"In {line}, what is {a} minus {b}?"),
        styles([(a, x), (b, y)], compute(f"{x} - {y}", x - y)),
    )


def _mean(rng: Random, scene: Table) -> Query | None:
    # Means of two and of four end after one and two decimals, so the equations are exact.
    fit = [line for line in _lines(scene) if len(line[1]) == (4 if _long(scene) else 2)]
    name, cells = rng.choice(fit)
    total, count = sum(value for _, value in cells), len(cells)
    precision = 2 if count == 4 else 1
    mean = f"{total / count:.{precision}f}"
    return Query(
        f"mean {name}",
        (f"What is the mean of {name}?", f"What is the average of {name}?"),
        styles(cells, add([value for _, value in cells]), compute(f"{total} / {count}", mean)),
        answer_type="float",
        precision=precision,
    )


def _long(scene: Table) -> bool:
    return 4 in (len(scene.rows), len(scene.columns))


def _sorted(rng: Random, scene: Table) -> Query:
    name, cells = rng.choice([line for line in _lines(scene) if len(line[1]) > 2])
    ranked = sorted(value for _, value in cells)
    return Query(
        f"sorted {name}",
        (f"List {name} from smallest to largest.", f"Sort the numbers of {name}, smallest first."),
        styles(cells, read("sorted", ranked)),
        answer_type="list",
    )


def _sums_apart(rng: Random, scene: Table) -> Query | None:
    """Compare the sums of two rows or of two columns, whichever are shorter."""
    kind, lines = ("row", scene.rows) if len(scene.columns) <= len(scene.rows) else (
        "column", scene.columns)  # fmt: skip
    (a, x), (b, y) = sorted(rng.sample(list(lines.items()), 2), key=lambda line: -sum(line[1]))
    if sum(x) == sum(y):
        return None
    apart = compute(f"{sum(x)} - {sum(y)}", sum(x) - sum(y))
    reads = [(a, " ".join(map(str, x))), (b, " ".join(map(str, y)))]
    return Query(
        f"sums apart {kind} {a} {b}",
        (
            f"By how much is the sum of {kind} {a} larger than of {kind} {b}?",
            f"What is the sum of {kind} {a} minus the sum of {kind} {b}?",
        ),
        styles(reads, add(x), add(y), apart, sentence=kind + " {name} has {value}"),
    )


def _largest_sum(rng: Random, scene: Table) -> Query | None:
    kind, lines = ("row", scene.rows) if len(scene.columns) <= len(scene.rows) else (
        "column", scene.columns)  # fmt: skip
    sums = {name: sum(line) for name, line in lines.items()}
    best = max(sums, key=lambda name: sums[name])
    if list(sums.values()).count(sums[best]) > 1:
        return None
    reads = [(name, " ".join(map(str, line))) for name, line in lines.items()]
    return Query(
        f"largest sum {kind}",
        (f"Which {kind} has the largest sum?", f"Which {kind} adds up to the most?"),
        styles(reads, *map(add, lines.values()), read("largest:", best)),
        answer_type="text",
        decoys=tuple("PQRS" if kind == "row" else "ABCD"),
    )


_KINDS: dict[int, tuple[Callable[[Random, Table], Query | None], ...]] = {
    1: (_sum, _difference, _mean),
    2: (_sum, _sorted, _sums_apart, _largest_sum),
    3: (_mean, _sum, _sums_apart, _largest_sum),
}
_SHAPES = {1: ((2, 2),), 2: ((2, 3), (3, 2)), 3: ((2, 4), (4, 2))}


def draft(rng: Random, level: int) -> tuple[Table, Query | None]:
    """Return a table and a question about it; None when that question does not fit."""
    down, across = rng.choice(_SHAPES[level])
    most = 20 if level == 2 else 9 if level == 1 else 15
    scene = Table(tuple(tuple(rng.randint(1, most) for _ in range(across)) for _ in range(down)))
    return scene, rng.choice(_KINDS[level])(rng, scene)

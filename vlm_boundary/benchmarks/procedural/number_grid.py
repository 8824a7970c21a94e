"""Number patterns in a grid of three by three, one number missing.

Distinct states: about 19,000 at level 1 (equal steps along rows and down columns), 10^8 at level 2
(the third number of a row is the sum or the difference of the other two) and 10^6 at level 3
(products of two numbers, or rows that grow by a common factor).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from vlm_boundary.benchmarks.procedural.draw import DESIGN, FAINT, INK, PALETTE, Canvas
from vlm_boundary.benchmarks.procedural.problem import Chains, Query, Step, compute, styles, written

Row = tuple[int, ...]
Grid = tuple[Row, ...]


@dataclass(frozen=True)
class Pattern:
    """A full grid and the place of the number that is not shown."""

    grid: Grid
    hole: tuple[int, int]

    @property
    def missing(self) -> int:
        """The number that is not shown."""
        return self.grid[self.hole[0]][self.hole[1]]

    def facts(self) -> dict[str, object]:
        """Return the grid as drawn, with null for the missing number."""
        return {
            "grid": [
                [None if (i, j) == self.hole else number for j, number in enumerate(row)]
                for i, row in enumerate(self.grid)
            ]
        }

    def paint(self, canvas: Canvas) -> None:
        """Draw the numbers in their cells and a question mark in the empty one."""
        cell = (DESIGN - 1) / 3
        for i, row in enumerate(self.grid):
            for j, number in enumerate(row):
                hidden = (i, j) == self.hole
                x, y = j * cell, i * cell
                canvas.rectangle((x, y), (x + cell, y + cell), FAINT if hidden else None)
                canvas.text(
                    (x + cell / 2, y + cell / 2),
                    "?" if hidden else str(number),
                    height=18,
                    colour=PALETTE["red"] if hidden else INK,
                )


def _steps(grid: Grid) -> bool:
    across = grid[0][1] - grid[0][0]
    down = {below[0] - above[0] for above, below in pairwise(grid)}
    return len(down) == 1 and all(b - a == across == c - b for a, b, c in grid)


def _factor(grid: Grid) -> bool:
    return all(b * grid[0][0] == a * grid[0][1] for row in grid for a, b in pairwise(row))


# What a reader may take for the rule of a grid.
_RULES: tuple[Callable[[Grid], bool], ...] = (
    _steps,
    _factor,
    lambda grid: all(a + b == c for a, b, c in grid),
    lambda grid: all(a - b == c for a, b, c in grid),
    lambda grid: all(a * b == c for a, b, c in grid),
)


def fillings(scene: Pattern) -> set[int]:
    """Return every number from 0 to 99 that some rule, by rows or columns, would fill in."""
    found: set[int] = set()
    i, j = scene.hole
    turned = tuple(zip(*scene.grid, strict=True))
    for grid, line, place in ((scene.grid, i, j), (turned, j, i)):
        whole_lines = grid[:line] + grid[line + 1 :]
        for rule in _RULES:
            if rule(whole_lines):
                found |= {
                    number
                    for number in range(100)
                    if rule((*whole_lines[:line], _with(grid[line], place, number),
                             *whole_lines[line:]))
                }  # fmt: skip
    return found


def _with(row: Row, place: int, number: int) -> Row:
    return (*row[:place], number, *row[place + 1 :])


def _along(back: str, grid: Grid, i: int, j: int) -> tuple[Step, Step]:
    """Return the step (-) or factor (/) in a whole row, then the same on to the hole, or back."""
    a, b, _ = grid[0 if i else 1]
    apart, on = (b - a, "+") if back == "-" else (b // a, "*")
    shown = compute(f"{b} {back} {a}", apart)
    if j:
        return shown, compute(f"{grid[i][j - 1]} {on} {apart}", grid[i][j])
    return shown, compute(f"{grid[i][1]} {back} {apart}", grid[i][0])


def _by_operation(sign: str, grid: Grid, i: int, j: int) -> tuple[Step, Step]:
    """Return what makes the third number of a whole row, then the same for the hole's row."""
    a, b, c = grid[0 if i else 1]
    shown = compute(f"{a} {sign} {b}", c)
    a, b, c = grid[i]
    if j == 2:
        return shown, compute(f"{a} {sign} {b}", c)
    if sign == "-":
        return shown, compute(f"{b} + {c}", a) if j == 0 else compute(f"{a} - {c}", b)
    inverse = {"+": "-", "*": "/"}[sign]
    return shown, compute(f"{c} {inverse} {b}", a) if j == 0 else compute(f"{c} {inverse} {a}", b)


def _chains(scene: Pattern, *work: Step) -> Chains:
    """Return the chains that read a whole row and the row of the hole."""
    i, j = scene.hole
    shown = [[str(number) for number in row] for row in scene.grid]
    shown[i][j] = "?"
    lines = (0 if i else 1, i)
    facts = [(f"row {line + 1}:", " ".join(shown[line])) for line in lines]
    return styles(facts, *work, sentence="{name} {value}")


def _level_1(rng: Random, hole: tuple[int, int]) -> tuple[Pattern, Chains]:
    start, across, down = rng.randint(1, 20), rng.randint(1, 9), rng.randint(1, 12)
    scene = Pattern(
        tuple(tuple(start + across * j + down * i for j in range(3)) for i in range(3)), hole
    )
    by_rows = _chains(scene, *_along("-", scene.grid, *hole))
    by_columns = _along("-", tuple(zip(*scene.grid, strict=True)), hole[1], hole[0])
    return scene, (*by_rows, written(by_columns))


def _level_2(rng: Random, hole: tuple[int, int]) -> tuple[Pattern, Chains]:
    sign = rng.choice("+-")
    rows = []
    for _ in range(3):
        a, b = rng.randint(1, 20), rng.randint(1, 20)
        rows.append((a, b, a + b) if sign == "+" else (a + b, a, b))
    scene = Pattern(tuple(rows), hole)
    return scene, _chains(scene, *_by_operation(sign, scene.grid, *hole))


def _level_3(rng: Random, hole: tuple[int, int]) -> tuple[Pattern, Chains]:
    if rng.random() < 0.5:
        pairs = [(rng.randint(2, 9), rng.randint(2, 9)) for _ in range(3)]
        scene = Pattern(tuple((a, b, a * b) for a, b in pairs), hole)
        return scene, _chains(scene, *_by_operation("*", scene.grid, *hole))
    factor = rng.choice((2, 3))
    starts = rng.sample(range(1, 25 if factor == 2 else 12), 3)
    scene = Pattern(tuple((a, a * factor, a * factor**2) for a in starts), hole)
    return scene, _chains(scene, *_along("/", scene.grid, *hole))


_LEVELS = {1: _level_1, 2: _level_2, 3: _level_3}


def draft(rng: Random, level: int) -> tuple[Pattern, Query | None]:
    """Return a grid with a hole and the question; None when two rules would fill it differently."""
    scene, chains = _LEVELS[level](rng, (rng.randrange(3), rng.randrange(3)))
    if fillings(scene) != {scene.missing}:
        return scene, None
    phrasings = (
        "Which number is missing?",
        "What number belongs in place of the question mark?",
        "Find the missing number of the pattern.",
    )
    return scene, Query("missing", phrasings, chains)

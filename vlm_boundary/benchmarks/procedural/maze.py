"""Mazes of three by three to seven by seven squares: how far, how many turns, how many dead ends.

Five levels, graded by the length of the shortest way as in Ariadne (arXiv 2511.00710): 2 to 4
steps at level 1, 17 to 24 at level 5. From level 3 on there are loops, so that the way found first
need not be the shortest. Distinct states: about 10^4 at level 1, beyond 10^9 from level 3 on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from random import Random

from vlm_boundary.benchmarks.procedural.draw import FAINT, PALETTE, Canvas, Colour
from vlm_boundary.benchmarks.procedural.problem import Query, add, compute, styles

LEVELS = 5

Square = tuple[int, int]
"""Row and column, from 0 at the upper left."""
Passage = frozenset[Square]
"""Two neighbouring squares without a wall between them."""

_LEFT, _CELLS = 3.0, 78.0  # the margin and the width of all squares together
_START: Colour = (170, 230, 170)
_GOAL: Colour = (255, 190, 190)
_MOVES = {(0, 1): "right", (1, 0): "down", (0, -1): "left", (-1, 0): "up"}
# By level: squares a side, fewest and most steps, and how many walls are opened into loops.
_GRADES = {1: (3, 2, 4, 0), 2: (4, 5, 7, 0), 3: (5, 8, 11, 1), 4: (6, 12, 16, 2), 5: (7, 17, 24, 3)}


@dataclass(frozen=True)
class Maze:
    """A square maze in which every square can be reached, a start and a goal in it."""

    side: int
    passages: frozenset[Passage]
    start: Square
    goal: Square

    @property
    def squares(self) -> list[Square]:
        """All squares, row by row."""
        return [(row, column) for row in range(self.side) for column in range(self.side)]

    def ways_from(self, square: Square) -> Iterator[Square]:
        """The neighbouring squares that no wall parts from this one."""
        for move in _MOVES:
            beside = square[0] + move[0], square[1] + move[1]
            if frozenset((square, beside)) in self.passages:
                yield beside

    def walls(self, square: Square) -> int:
        """How many of a square's four sides are walls."""
        return 4 - sum(1 for _ in self.ways_from(square))

    def distances(self, square: Square) -> dict[Square, int]:
        """How many steps each square is away."""
        found, edge = {square: 0}, [square]
        for here in edge:
            for beside in self.ways_from(here):
                if beside not in found:
                    found[beside] = found[here] + 1
                    edge.append(beside)
        return found

    def shortest(self) -> list[list[Square]]:
        """Every shortest way from start to goal, both ends among its squares."""
        away = self.distances(self.goal)
        ways = [[self.start]]
        for left in range(away[self.start] - 1, -1, -1):
            ways = [[*w, b] for w in ways for b in self.ways_from(w[-1]) if away[b] == left]
        return ways

    def facts(self) -> dict[str, object]:
        """Return the walls inside by row (columns count from 1), and the two marked squares."""
        return {
            "side": self.side,
            "walls_right": self._walls((0, 1)),
            "walls_below": self._walls((1, 0)),
            "start": [self.start[0] + 1, self.start[1] + 1],
            "goal": [self.goal[0] + 1, self.goal[1] + 1],
        }

    def _walls(self, move: Square) -> list[list[int]]:
        """By row, the columns of squares with a wall on one side that is inside the maze."""
        found: list[list[int]] = [[] for _ in range(self.side)]
        for row, column in self.squares:
            beside = row + move[0], column + move[1]
            passage = frozenset(((row, column), beside))
            if max(beside) < self.side and passage not in self.passages:
                found[row].append(column + 1)
        return found

    def paint(self, canvas: Canvas) -> None:
        """Draw the squares faintly, start and goal in colour with a letter, then the walls."""
        cell = _CELLS / self.side
        for (row, column), letter, colour in ((self.start, "S", _START), (self.goal, "G", _GOAL)):
            x, y = _LEFT + column * cell, _LEFT + row * cell
            canvas.rectangle((x, y), (x + cell, y + cell), colour, colour)
            canvas.text((x + cell / 2, y + cell / 2), letter, height=10)
        for place in range(1, self.side):
            at = _LEFT + place * cell
            canvas.line((at, _LEFT), (at, _LEFT + _CELLS), colour=FAINT)
            canvas.line((_LEFT, at), (_LEFT + _CELLS, at), colour=FAINT)
        wall = PALETTE["blue"]
        for row, column in self.squares:
            x, y = _LEFT + column * cell, _LEFT + row * cell
            if frozenset(((row, column), (row, column + 1))) not in self.passages:
                canvas.line((x + cell, y), (x + cell, y + cell), colour=wall, width=2)
            if frozenset(((row, column), (row + 1, column))) not in self.passages:
                canvas.line((x, y + cell), (x + cell, y + cell), colour=wall, width=2)
        canvas.line((_LEFT, _LEFT), (_LEFT + _CELLS, _LEFT), colour=wall, width=2)
        canvas.line((_LEFT, _LEFT), (_LEFT, _LEFT + _CELLS), colour=wall, width=2)


def _runs(way: list[Square]) -> list[tuple[str, int]]:
    """A way as straight runs: the direction of each and its number of steps."""
    moves = [_MOVES[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(way)]
    return [(name, len(list(same))) for name, same in groupby(moves)]


def _steps(scene: Maze) -> Query:
    runs = _runs(scene.shortest()[0])
    work = [add([length for _, length in runs])] if len(runs) > 1 else []
    return Query(
        "steps",
        (
            "How many steps, square by square, is the shortest way from S to G?",
            "Walking from square to square, how many steps is it at least from S to G?",
        ),
        styles(runs, *work, sentence="Go {name} {value}"),
    )


def _turns(scene: Maze) -> Query | None:
    ways = scene.shortest()
    if len(ways) > 1:  # two shortest ways may have different turns
        return None
    runs = _runs(ways[0])
    return Query(
        "turns",
        (
            "How many turns does the shortest way from S to G make?",
            "How often does the direction change on the shortest way from S to G?",
        ),
        styles(runs, compute(f"{len(runs)} - 1", len(runs) - 1), sentence="Go {name} {value}"),
    )


def _dead_ends(scene: Maze) -> Query:
    by_row = [
        sum(scene.walls((row, column)) == 3 for column in range(scene.side))
        for row in range(scene.side)
    ]
    return Query(
        "dead ends",
        (
            "How many squares of the maze have walls on three sides?",
            "Dead ends have walls on three sides. How many of the squares are dead ends?",
        ),
        styles([(f"row {row}", count) for row, count in enumerate(by_row, 1)], add(by_row)),
    )


_KINDS: tuple[Callable[[Maze], Query | None], ...] = (_steps, _turns, _dead_ends)


def _carved(rng: Random, side: int, loops: int) -> frozenset[Passage]:
    """The passages of a maze: a tree over all squares, and a few walls more that are opened."""
    squares = [(row, column) for row in range(side) for column in range(side)]
    pairs = [
        frozenset(((row, column), beside))
        for row, column in squares
        for beside in ((row, column + 1), (row + 1, column))
        if max(beside) < side
    ]
    rng.shuffle(pairs)
    part = {square: square for square in squares}

    def root(square: Square) -> Square:
        while part[square] != square:
            square = part[square]
        return square

    opened: list[Passage] = []
    closed: list[Passage] = []
    for passage in pairs:  # Kruskal's tree: a wall falls where it parts what is not yet joined
        one, other = (root(square) for square in sorted(passage))
        (closed if one == other else opened).append(passage)
        part[one] = other
    return frozenset(opened + closed[:loops])


def draft(rng: Random, level: int) -> tuple[Maze, Query | None]:
    """Return a maze and a question; None where no square is as far from the start as asked."""
    side, fewest, most, loops = _GRADES[level]
    passages = _carved(rng, side, loops)
    start = rng.randrange(side), rng.randrange(side)
    away = Maze(side, passages, start, start).distances(start)
    goals = sorted(square for square, steps in away.items() if fewest <= steps <= most)
    if not goals:
        return Maze(side, passages, start, start), None
    scene = Maze(side, passages, start, rng.choice(goals))
    return scene, rng.choice(_KINDS)(scene)

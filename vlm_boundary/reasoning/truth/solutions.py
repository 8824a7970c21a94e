"""Every way of working out a generated problem that counts as a derivation of its answer.

The generator's own worked chains come first; where another way is just as right (a shape cut up
otherwise, a pattern read along its columns), it is listed here, from the facts of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vlm_boundary.benchmarks.procedural import ProceduralProblem
from vlm_boundary.mathtext.tree import Applied, Node, Numeral, Operation
from vlm_boundary.reasoning.text.equations import equations

Line = Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Equations (by key) that are all needed, and others that may stand beside them."""

    needed: frozenset[str]
    welcome: frozenset[str] = frozenset()


def key(node: Node) -> str:
    """An expression with the operands of + and × in a fixed order."""
    if isinstance(node, Numeral):
        return str(node.value)
    if isinstance(node, Operation):
        commutes = node.sign in "+*"
        parts = (
            sorted(_operands(node, node.sign)) if commutes else map(key, (node.left, node.right))
        )
        return f"({node.sign.join(parts)})"
    return f"{node.sign}{key(node.of)}" if isinstance(node, Applied) else repr(node)


def _operands(node: Node, sign: str) -> list[str]:
    if not isinstance(node, Operation) or node.sign != sign:
        return [key(node)]
    return [*_operands(node.left, sign), *_operands(node.right, sign)]


def derivations(problem: ProceduralProblem) -> list[Derivation]:
    """Ways to the answer; empty where the answer is read off and nothing is computed."""
    ways = []
    for chain in problem.chains:
        steps = [step.text.rstrip(",.") for step in chain if step.kind == "compute"]
        if steps:
            ways.append(_way(steps))
    if not ways:
        return []
    asked = problem.state.split(" | ")[1]
    ways += _enough_of_the_largest(problem)
    if asked.startswith("area") or asked == "uncovered":
        ways += _areas(problem, asked)
    elif asked == "climb":
        ways += _climbs(problem)
    elif "grid" in problem.facts and asked == "missing":
        ways += _patterns(problem)
    elif "figure" in problem.facts:
        ways += _remainders(problem)
    known = frozenset[str]().union(*(way.needed | way.welcome for way in ways))
    return [Derivation(way.needed, known) for way in ways]


def _way(steps: Sequence[str], welcome: Sequence[str] = ()) -> Derivation:
    return Derivation(frozenset(map(_key_of, steps)), frozenset(map(_key_of, welcome)))


def _key_of(equation: str) -> str:
    found = equations(equation, 0, len(equation))[0]
    return key(found.left.node)


def _enough_of_the_largest(problem: ProceduralProblem) -> Iterator[Derivation]:
    """Of several differences only a largest one has to be worked out."""
    for chain in problem.chains:
        if chain[-1].kind == "read" and chain[-1].value.isdecimal():
            for step in chain:
                if step.kind == "compute" and step.value == chain[-1].value:
                    yield _way([step.text.rstrip(",.")])


def _areas(problem: ProceduralProblem, asked: str) -> Iterator[Derivation]:
    """A shape cut into rectangles in every way along its columns."""
    heights: list[int] = problem.facts["column_heights"]  # type: ignore[assignment]
    area = sum(heights)
    side = int(asked.partition(" ")[2] or 1)
    tail = [f"{area} * {side} * {side} = {area * side * side}"] if side > 1 else []
    if asked == "uncovered":
        tail = [f"36 - {area} = {36 - area}"]
    for groups in _compositions(len(heights)):
        blocks = [heights[start:end] for start, end in groups]
        if all(len(set(block)) == 1 for block in blocks):
            parts = [f"{len(b)} * {b[0]} = {sum(b)}" for b in blocks]
            total = [f"{' + '.join(str(sum(b)) for b in blocks)} = {area}"] * (len(blocks) > 1)
            yield _way([*parts, *total, *tail])


def _climbs(problem: ProceduralProblem) -> Iterator[Derivation]:
    """The rises of a line taken singly, or together where it rises on."""
    points: dict[str, int] = problem.facts["points"]  # type: ignore[assignment]
    values = list(points.values())
    for groups in _compositions(len(values) - 1):
        pieces = [values[start : end + 1] for start, end in groups]
        if any(len(p) > 2 and any(b < a for a, b in pairwise(p)) for p in pieces):
            continue
        rises = [(p[0], p[-1]) for p in pieces if p[-1] > p[0]]
        steps = [f"{high} - {low} = {high - low}" for low, high in rises]
        if len(rises) > 1:
            total = sum(high - low for low, high in rises)
            steps.append(f"{' + '.join(str(high - low) for low, high in rises)} = {total}")
        yield _way(steps)


def _compositions(length: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to cut a row of so many things into neighbouring pieces, as (start, end)."""
    for cuts in range(1 << max(0, length - 1)):
        places = [0, *(i + 1 for i in range(length - 1) if cuts >> i & 1), length]
        yield list(pairwise(places))


def _patterns(problem: ProceduralProblem) -> Iterator[Derivation]:
    """A rule shown on any whole line, or on the gap's own, and carried over to the gap."""
    grid: list[list[int | None]] = problem.facts["grid"]  # type: ignore[assignment]
    missing = int(problem.answer)
    for lines in (grid, [list(column) for column in zip(*grid, strict=True)]):
        full = [[missing if x is None else x for x in line] for line in lines]
        place = next(i for i, line in enumerate(lines) if None in line)
        gap = lines[place].index(None)
        yield from _steady(full, place, gap)
        yield from _three_terms(full, place, gap)


def _steady(lines: list[list[int]], place: int, gap: int) -> Iterator[Derivation]:
    """Lines whose neighbours differ by one step, or by one factor."""
    for sign, back in (("-", "+"), ("/", "*")):
        steps = {
            (b - a if sign == "-" else b / a if a else None) for n in lines for a, b in pairwise(n)
        }
        if len(steps) != 1 or None in steps:
            continue
        step = int(next(iter(steps)) or 0)
        shown = [
            f"{b} {sign} {a} = {step}"
            for i, line in enumerate(lines)
            for j, (a, b) in enumerate(pairwise(line))
            if not (i == place and gap in (j, j + 1))
        ]
        line = lines[place]
        fills = []
        if gap > 0:
            fills.append(f"{line[gap - 1]} {back} {step} = {line[gap]}")
        if gap < 2:
            fills.append(f"{line[gap + 1]} {sign} {step} = {line[gap]}")
        for fill in fills:
            for equation in shown:
                yield _way([equation, fill], shown)


def _three_terms(lines: list[list[int]], place: int, gap: int) -> Iterator[Derivation]:
    """Lines whose third number is the sum, the difference or the product of the other two."""
    for sign, back in (("+", "-"), ("-", "+"), ("*", "/")):
        if not all(_worked(a, sign, b) == c for a, b, c in lines):
            continue
        shown = []
        for i, (a, b, c) in enumerate(lines):
            if i != place:
                shown.append(f"{a} {sign} {b} = {c}")
                shown.append(f"{c} {back} {b} = {a}")
                if sign != "-":
                    shown.append(f"{c} {back} {a} = {b}")
                else:
                    shown.append(f"{a} - {c} = {b}")
        a, b, c = lines[place]
        fill = {
            2: f"{a} {sign} {b} = {c}",
            0: f"{c} {back} {b} = {a}",
            1: f"{a} - {c} = {b}" if sign == "-" else f"{c} {back} {a} = {b}",
        }[gap]
        yield _way([fill], shown)


def _worked(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b if sign == "-" else a * b


def _remainders(problem: ProceduralProblem) -> Iterator[Derivation]:
    """Known angles taken away one after the other."""
    labels = problem.facts["labels"]
    shown = labels.values() if isinstance(labels, dict) else labels
    known = [label for label in shown if label != "x"]  # type: ignore[attr-defined]
    whole = 90 if problem.facts["figure"] == "right angle" else 180
    if len(known) == 2 and problem.facts["figure"] != "exterior angle":
        for a, b in (known, known[::-1]):
            yield _way([f"{whole} - {a} = {whole - a}", f"{whole - a} - {b} = {whole - a - b}"])

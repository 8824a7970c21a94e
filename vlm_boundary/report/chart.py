"""What a figure shows, apart from how it is drawn: on paper and on a screen it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.record import Interval

# Okabe and Ito's colour-blind-safe palette, in an order in which neighbours differ in brightness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
NEUTRAL = "#6b7280"

Style = Literal["line", "dashed", "dotted", "points", "bars"]
Scale = Literal["linear", "log2", "log10", "category"]
Number = float | int | None
X = TypeVar("X", int, float, str)


@dataclass(frozen=True)
class Series:
    """One thing that is compared: values, and their intervals where there are some.

    Attributes:
        label: what the legend calls it.
        x: numbers or, on a category axis, names.
        y: one value each; None leaves a gap.
        low, high: ends of intervals; drawn as a band under lines, as bars at points and bars.
        colour: place in the palette, the same for an arm in every figure; None is neutral.
        legend: whether the legend has it.
        group: what it is switched on and off with in the legend, by default itself.
    """

    label: str
    x: tuple[float | int | str, ...]
    y: tuple[Number, ...]
    low: tuple[Number, ...] = ()
    high: tuple[Number, ...] = ()
    colour: int | None = None
    style: Style = "line"
    legend: bool = True
    group: str | None = None

    def look(self, place: int) -> int:
        """Which marker it has: its colour's, or that of its place among neutral ones."""
        return place if self.colour is None else self.colour


@dataclass(frozen=True)
class Mark:
    """A place on the x axis, with the interval that it may lie in where that is bounded."""

    label: str
    x: float
    low: float | None
    high: float | None
    colour: int | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of axes, both named.

    Attributes:
        ticks: where the x axis has its numbers; by default the drawing decides.
        zero: whether a line marks no difference.
        stacked: bars stand on each other.
        horizontal: categories run down the page, which leaves room for their names.
        bottom, top: ends of the value axis; None leaves them to the data.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    x_scale: Scale = "linear"
    marks: tuple[Mark, ...] = ()
    ticks: tuple[int, ...] = ()
    zero: bool = False
    stacked: bool = False
    horizontal: bool = False
    bottom: float | None = 0.0
    top: float | None = None


@dataclass(frozen=True)
class Figure:
    """Panels that belong together; `name` is that of its files."""

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]


def figure(
    name: str, title: str, caption: str
) -> Callable[[Callable[[Findings], Iterable[Panel]]], Callable[[Findings], Figure]]:
    """Makes a figure of a function that gives its panels; without any there is nothing to show.

    Args:
        caption: {level} in it is that of the intervals, {miss} the rest of it.
    """

    def of(panels: Callable[[Findings], Iterable[Panel]]) -> Callable[[Findings], Figure]:
        @wraps(panels)
        def made(found: Findings) -> Figure:
            said = caption.format(level=found.level, miss=f"{1 - found.confidence:.0%}")
            return Figure(name, title, said, tuple(panels(found)))

        return made

    return of


def interval_series(
    label: str, entries: Mapping[X, Interval], *, scale: float = 100, **settings: Any
) -> Series:
    """A series of known intervals by x, times the scale: 100 for shares in percent."""
    known = {x: entry for x, entry in entries.items() if entry.estimate is not None}
    rows = list(known.values())
    return Series(
        label,
        tuple(known),
        times([row.estimate for row in rows], scale),
        times([row.low for row in rows], scale),
        times([row.high for row in rows], scale),
        **settings,
    )


def times(values: Sequence[Number], scale: float) -> tuple[Number, ...]:
    """Each value times the scale; None stays None."""
    return tuple(None if value is None else value * scale for value in values)

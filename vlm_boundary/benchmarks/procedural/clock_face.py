"""Clock faces and the times they show."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_boundary.benchmarks.procedural.draw import (
    INK,
    MIDDLE,
    PALETTE,
    WHITE,
    Canvas,
    Point,
    polar,
)

Time = tuple[int, int]  # hour 1 to 12, minute


def words(time: Time) -> str:
    """Write a time as h:mm."""
    return f"{time[0]}:{time[1]:02}"


def minutes_of(time: Time) -> int:
    """Count a time in minutes from 0:00."""
    return time[0] * 60 + time[1]


def from_minutes(minutes: int) -> Time:
    """Return the time so many minutes from 0:00."""
    return minutes // 60, minutes % 60


@dataclass(frozen=True)
class Clocks:
    """One or two clocks, from left to right."""

    times: tuple[Time, ...]

    def facts(self) -> dict[str, object]:
        """Return the times as h:mm."""
        return {"clocks": [words(time) for time in self.times]}

    def paint(self, canvas: Canvas) -> None:
        """Draw one large clock with numerals or two small ones, the right one lower."""
        if len(self.times) == 1:
            _paint_clock(canvas, self.times[0], (42, 42), 41)
        else:
            _paint_clock(canvas, self.times[0], (25, 25), 24)
            _paint_clock(canvas, self.times[1], (59, 59), 24)


def _paint_clock(canvas: Canvas, time: Time, centre: Point, radius: float) -> None:
    hour, minute = time
    canvas.disc(centre, radius, fill=WHITE, outline=INK)
    for place in range(1, 13):
        degrees = 90 - 30 * place
        canvas.line(
            polar(centre, degrees, 0.89 * radius),
            polar(centre, degrees, 0.99 * radius),
            width=2 if place % 3 == 0 else 1,
        )
        if radius > 30 and place % 3 == 0:
            canvas.text(polar(centre, degrees, 0.75 * radius), str(place), height=11, colour=MIDDLE)
    thick = radius / 41
    canvas.line(
        centre,
        polar(centre, 90 - 30 * (hour + minute / 60), 0.5 * radius),
        width=max(3.0, 5 * thick),
    )
    canvas.line(
        centre,
        polar(centre, 90 - 6 * minute, 0.86 * radius),
        colour=PALETTE["red"],
        width=max(2.0, 3 * thick),
    )
    canvas.disc(centre, 3 * thick, fill=INK)

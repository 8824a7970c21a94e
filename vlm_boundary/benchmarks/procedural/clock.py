"""Clocks: read the hands, then compute with minutes.

One clock face has only 144 five-minute readings, so most questions name a second time.
Distinct states: about 420 at level 1, 10,000 at level 2 and 50,000 at level 3 (one clock to the
minute, or two clocks).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from vlm_boundary.benchmarks.procedural.draw import (
    INK,
    MIDDLE,
    PALETTE,
    WHITE,
    Canvas,
    Point,
    polar,
)
from vlm_boundary.benchmarks.procedural.problem import Chains, Query, Step, compute, styles, written

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


def _hand(minute: int) -> tuple[tuple[str, object], Step]:
    """Return where the minute hand points and the equation that makes it minutes."""
    return ("minute hand", minute // 5), compute(f"{minute // 5} * 5", minute)


def _apart(start: Time, end: Time) -> list[Step]:
    """Return the steps from one time to a later one, by hours and minutes."""
    hours, minutes = end[0] - start[0], end[1] - start[1]
    if hours == 0:
        return [compute(f"{end[1]} - {start[1]}", minutes)]
    steps = [compute(f"{end[0]} - {start[0]}", hours), compute(f"{end[1]} - {start[1]}", minutes)]
    sign = "-" if minutes < 0 else "+"
    return [*steps, compute(f"{hours} * 60 {sign} {abs(minutes)}", hours * 60 + minutes)]


def _apart_chains(facts: list[tuple[str, object]], start: Time, end: Time, sentence: str) -> Chains:
    """Return chains by hours and minutes, and one that counts both times in minutes."""
    totals = [
        compute(f"{hour} * 60 + {minute}", hour * 60 + minute) for hour, minute in (end, start)
    ]
    last = compute(f"{totals[0].value} - {totals[1].value}", minutes_of(end) - minutes_of(start))
    by_parts = styles(facts, *_apart(start, end), sentence=sentence)
    return (*by_parts, written([*totals, last]))


def _past(rng: Random, scene: Clocks) -> Query:
    fact, step = _hand(scene.times[0][1])
    return Query(
        "past",
        ("How many minutes past the hour is it?", "What minute does the clock show?"),
        styles([fact], step, sentence="The {name} is at {value}"),
        unit="minutes",
    )


def _to_hour(rng: Random, scene: Clocks) -> Query | None:
    minute = scene.times[0][1]
    if minute == 0:
        return None
    fact, step = _hand(minute)
    return Query(
        "to the hour",
        ("How many minutes until the next full hour?", "In how many minutes is it a full hour?"),
        styles(
            [fact], step, compute(f"60 - {minute}", 60 - minute),
            sentence="The {name} is at {value}",
        ),
        unit="minutes",
    )  # fmt: skip


def _time(rng: Random, scene: Clocks) -> Query:
    hour, minute = scene.times[0]
    fact, step = _hand(minute)
    shown = Step(words(scene.times[0]), "read", words(scene.times[0]))
    decoys = (  # the slips of a reader: hands exchanged, the wrong hour, the other side
        words((minute // 5 or 12, hour % 12 * 5)),
        words((hour % 12 + 1, minute)),
        words(((hour - 2) % 12 + 1, minute)),
        words((hour, (60 - minute) % 60)),
        words((hour, (minute + 5) % 60)),
    )
    return Query(
        "time",
        ("What time is it? Answer like 4:35.", "What time does the clock show, such as 4:35?"),
        styles([("hour", hour), fact], step, shown, sentence="The {name} is {value}"),
        answer_type="text",
        decoys=decoys,
    )


def _named_time(rng: Random, scene: Clocks, direction: int) -> Query | None:
    shown = scene.times[0]
    other = from_minutes(minutes_of(shown) + direction * 5 * rng.randint(2, 36))
    if not 1 <= other[0] <= 12:  # times past 12:59 would need a second reading
        return None
    named = words(other)
    if direction < 0:
        phrasings = (
            f"How many minutes have passed since {named}?",
            f"How many minutes ago was it {named}?",
        )
        start, end = other, shown
    else:
        phrasings = (f"How many minutes until {named}?", f"In how many minutes is it {named}?")
        start, end = shown, other
    return Query(
        f"{'since' if direction < 0 else 'until'} {named}",
        phrasings,
        _apart_chains([("time", words(shown))], start, end, "The clock shows {value}"),
        unit="minutes",
    )


def _moved_on(rng: Random, scene: Clocks) -> Query:
    minute, more = scene.times[0][1], 5 * rng.randint(2, 11)
    fact, step = _hand(minute)
    work = [step, compute(f"{minute} + {more}", minute + more)]
    if minute + more >= 60:
        work.append(compute(f"{minute + more} - 60", minute + more - 60))
    return Query(
        f"moved on {more}",
        (f"What minute will the clock show in {more} minutes?",
         f"In {more} minutes, how many minutes past the hour will it be?"),
        styles([fact], *work, sentence="The {name} is at {value}"),
        unit="minutes",
    )  # fmt: skip


def _between(rng: Random, scene: Clocks) -> Query:
    start, end = scene.times
    facts: list[tuple[str, object]] = [("left", words(start)), ("right", words(end))]
    return Query(
        "between",
        (
            "How many minutes from the left clock to the right clock?",
            "By how many minutes is the right clock ahead?",
        ),
        _apart_chains(facts, start, end, "The {name} clock shows {value}"),
        unit="minutes",
    )


_SINCE, _UNTIL = (partial(_named_time, direction=direction) for direction in (-1, 1))
_KINDS: dict[int, tuple[Callable[[Random, Clocks], Query | None], ...]] = {
    1: (_past, _to_hour, _time),
    2: (_SINCE, _UNTIL, _moved_on),
    3: (_SINCE, _UNTIL),
}


def draft(rng: Random, level: int) -> tuple[Clocks, Query | None]:
    """Return one or two clocks and a question about them; None when it does not fit."""
    if level == 3 and rng.random() < 0.5:
        start = (rng.randint(1, 12), 5 * rng.randrange(12))
        end = from_minutes(minutes_of(start) + 5 * rng.randint(1, 36))
        scene = Clocks((start, end))
        return scene, _between(rng, scene) if end[0] <= 12 else None
    minute = rng.randrange(60) if level == 3 else 5 * rng.randrange(12)
    scene = Clocks(((rng.randint(1, 12), minute),))
    return scene, rng.choice(_KINDS[level])(rng, scene)

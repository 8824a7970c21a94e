"""Angles drawn to scale and labelled in degrees, except one marked x: deduce it.

Distinct states: about 900 at level 1 (two angles on a straight line or in a right angle),
13,000 at level 2 (triangles) and 38,000 at level 3 (three angles on a line, exterior angles).
"""

from __future__ import annotations

from random import Random

from vlm_boundary.benchmarks.procedural.angle_figures import CORNERS, Fan, Triangle
from vlm_boundary.benchmarks.procedural.problem import Query, add, compute, read, styles

_PHRASINGS = ("What is x?", "Find the angle x in degrees.", "How many degrees is the angle x?")
_UNIT = "degrees"


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


def _triangle(rng: Random, least: int = 32) -> tuple[int, int, int] | None:
    left, right = rng.randint(least, 100), rng.randint(least, 100)
    top = 180 - left - right
    return (left, right, top) if least <= top <= 100 else None


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

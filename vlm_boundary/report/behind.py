"""The problems behind the report's numbers: which they are, and in which cell they are counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.analysis import BenchmarkAnalysis, PairAnalysis
from vlm_boundary.records.record import ArmPair

DEMO = "http://127.0.0.1:7860/"
"""Where `vlm-boundary demo RUN` is, unless told otherwise."""
_SOLVED, _FLOOR, _LUCK, _FAMILY = "solved_sets", "solved_above_floor", "above_floor", "family"
_UNDECIDED = "undecided"

Cell = tuple[str, int, int]
"""A table's name, and the row and the column of a number in it."""


@dataclass(frozen=True)
class ProblemSet:
    """Problems that a number of the report counts.

    Attributes:
        key: its name in addresses, of the page and of the demo.
        title: what they have in common.
        arms: whose samples say so, the base of a pair first.
        cells: the numbers.
        headline: it is one of the four parts into which a pair's verdict divides the problems.
    """

    key: str
    title: str
    benchmark: str
    arms: tuple[str, ...]
    problem_ids: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    headline: str = ""

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return "#" + quote(self.key, safe="")

    @property
    def query(self) -> str:
        """What the demo is asked for to list these problems, with these arms beside each other."""
        sides = dict(zip(("left", "right"), self.arms, strict=False))
        return "?" + urlencode({"benchmark": self.benchmark, **sides, "among": self.key})


def problem_sets(found: Findings) -> list[ProblemSet]:
    """Every set that a number of the report counts and that the analysis names; none is empty."""
    claims = _claims(found)
    made: list[ProblemSet] = []
    for name, content in found.benchmarks.items():
        for row, pair in enumerate(found.pairs(content.pairs)):
            made += _solved(name, pair, row, claims)
        made += _above_floors(found, name, content)
        made += _not_ended(found, name, content)
    return [one for one in made if one.problem_ids]


def by_cell(sets: list[ProblemSet]) -> dict[Cell, ProblemSet]:
    """The problems behind each number."""
    return {cell: one for one in sets for cell in one.cells}


def undecided(found: Findings) -> dict[Cell, str]:
    """What the demo is asked for behind the numbers of samples that the verifier left undecided.

    It lists the problems that have such a sample; for other statuses it has no such filter.
    """
    asked: dict[Cell, str] = {}
    for name, content in found.benchmarks.items():
        arms = found.by_arm(content.arms)
        first = 3 + 2 * any(one.stopping for one in arms.values())  # after the arm and its sizes
        for row, (arm, one) in enumerate(arms.items()):
            if one.statuses.get(_UNDECIDED):
                column = first + list(one.statuses).index(_UNDECIDED)
                # On both sides, for the group is of what either of them left undecided.
                query = {"benchmark": name, "left": arm, "right": arm, "group": _UNDECIDED}
                asked[f"{name}-outcomes", row, column] = "?" + urlencode(query)
    return asked


def _claims(found: Findings) -> Mapping[tuple[str, tuple[str, str]], tuple[Cell, ...]]:
    """Where the table of all claims speaks of a pair's difference at k = n."""
    cells: dict[tuple[str, tuple[str, str]], tuple[Cell, ...]] = {}
    for row, test in enumerate(found.analysis.multiplicity.tests):
        if test.claim in ("last", "within_last"):
            key = test.benchmark, test.names
            cells[key] = (*cells.get(key, ()), (_FAMILY, row, 0))
    return cells


def _solved(
    name: str,
    pair: PairAnalysis,
    row: int,
    claims: Mapping[tuple[str, tuple[str, str]], tuple[Cell, ...]],
) -> Iterator[ProblemSet]:
    base, other = pair.names
    ids, key = pair.solved_problems, f"solved/{name}/{base}/{other}"
    words = ("both", f"only {base}", f"only {other}", "neither")
    for column, (part, by) in enumerate(_by(pair).items(), start=1):
        yield ProblemSet(
            f"{key}/{part}",
            f"{name}: solved at least once in {pair.n} by {by}",
            name,
            pair.names,
            tuple(getattr(ids, part)),
            ((f"{name}-{_SOLVED}", row, column),),
            words[column - 1],
        )
    yield ProblemSet(
        f"{key}/one_alone",
        f"{name}: solved by one of {base} and {other} alone, which the difference at k = {pair.n} "
        "stands on",
        name,
        pair.names,
        (*ids.base_only, *ids.other_only),
        claims.get((name, pair.names), ()),
    )


def _by(pair: ArmPair) -> dict[str, str]:
    """Who solves the problems of each of the four parts."""
    base, other = pair.names
    return {
        "both": f"both {base} and {other}",
        "base_only": f"{base} and not by {other}",
        "other_only": f"{other} and not by {base}",
        "neither": f"neither {base} nor {other}",
    }


def _above_floors(found: Findings, name: str, content: BenchmarkAnalysis) -> Iterator[ProblemSet]:
    """By pair, of the problems that both could be tested on; then what each arm solves."""
    if content.luck is None:
        return
    above = {
        arm: {key: one.above_floor for key, one in luck.problems.items()}
        for arm, luck in content.luck.arms.items()
    }
    for row, pair in enumerate(found.pairs(content.luck.pairs)):
        first, second = (above[arm] for arm in pair.names)
        parts: dict[str, list[str]] = {}
        for key in sorted(first.keys() & second.keys()):
            one, two = first[key], second[key]
            if one is not None and two is not None:
                part = "both" if one and two else "base_only" if one else "other_only"
                parts.setdefault(part if one or two else "neither", []).append(key)
        for column, (part, by) in enumerate(_by(pair).items(), start=1):
            yield ProblemSet(
                f"floor/{name}/{pair.base}/{pair.other}/{part}",
                f"{name}: solved above its own guess floor by {by}",
                name,
                pair.names,
                tuple(parts.get(part, ())),
                ((f"{name}-{_FLOOR}", row, column),),
            )
    for row, (arm, luck) in enumerate(found.by_arm(content.luck.arms).items()):
        yield ProblemSet(
            f"floor/{name}/{arm}",
            f"{name}: solved by {arm} above its own guess floor",
            name,
            (arm,),
            tuple(sorted(key for key, one in luck.problems.items() if one.above_floor)),
            ((f"{name}-{_LUCK}", row, 3),),
        )


def _not_ended(found: Findings, name: str, content: BenchmarkAnalysis) -> Iterator[ProblemSet]:
    """What arms with a stopping rule leave out, or have not come to the end of."""
    for arm, one in found.by_arm(content.arms).items():
        if one.stopping is None:
            continue
        why = f"left out of {arm}, for a sample that a look needs could not be drawn"
        for key, said, ids in (
            ("left_out", why, one.stopping.left_out),
            ("unfinished", f"not ended by {arm}'s stopping rule yet", one.stopping.unfinished),
        ):
            yield ProblemSet(f"{key}/{name}/{arm}", f"{name}: {said}", name, (arm,), tuple(ids))

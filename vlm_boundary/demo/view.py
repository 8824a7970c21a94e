"""What a reader looks at: small, comparable, and said whole in a link's query string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.demo.codes import SHOWN, Bit, Codes, has, kind, ungraded, valid
from vlm_boundary.demo.index import MAX_INDEX, RunIndex
from vlm_boundary.demo.measures import Measures

SOLVED = ("both", "left", "right", "neither")
GROUPS = ("all", *SOLVED, "open", "luck", "disputed", "undecided")
SORTS = ("order", "gap", "left", "right", "hardest", "length", "unlikely", "disagreement")
PAGE = 25  # problems listed at once
_LONGEST_IN_LINK = 500  # servers refuse addresses of some ten thousand characters


@dataclass(frozen=True)
class View:
    """A place in a run; every field is a plain value that a link can carry.

    `group` and `sort` speak of the left and the right arm; a problem is solved with at least
    `at_least` right samples. `show_left` and `show_right` are kinds
    of samples (`codes.SHOWN`), `left_sample` and `right_sample` sample indices. `left_answer` and
    `right_answer` leave the samples that gave an answer ("=42", or "none" for those without one).
    `text` is what responses are searched for, `among` the problems behind a number of the report.
    """

    run: str = ""
    left: str = ""
    right: str = ""
    benchmark: str = ""
    condition: str = "full"
    group: str = "all"
    at_least: int = 1
    sort: str = "order"
    slices: tuple[str, ...] = ()
    search: str = ""
    problem: str = ""
    left_sample: int = 0
    right_sample: int = 0
    show_left: str = "all"
    show_right: str = "all"
    left_answer: str = ""
    right_answer: str = ""
    text: str = ""
    among: str = ""

    def query(self) -> str:
        """The view as a query string; what is as usual is left out."""
        usual = View()
        pairs: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "slices":
                pairs += [("slice", one) for one in value]
            elif value != getattr(usual, field.name) or field.name in ("problem", "run"):
                pairs.append((field.name, str(value)))
        pairs = [(name, value) for name, value in pairs if len(value) <= _LONGEST_IN_LINK]
        return "?" + urlencode(pairs)


def view_of_query(query: Mapping[str, Any], slices: list[str]) -> View:
    """The view that a link asks for; what cannot be is left at its usual value."""
    found: dict[str, Any] = {"slices": tuple(slices)}
    for field in fields(View):
        value = query.get(field.name)
        if field.name == "slices" or not isinstance(value, str):
            continue
        if isinstance(field.default, int):
            if value.isdecimal() and len(value) < 9:
                found[field.name] = int(value)
        else:
            found[field.name] = value
    return View(**found)


def settle(view: View, runs: Mapping[str, RunIndex]) -> View:
    """The nearest view that exists: names that are not there become ones that are."""
    run = runs.get(view.run) or next(iter(runs.values()))
    arms = run.arms
    left = view.left if view.left in arms else _with_role(run, "base", arms[:1])
    right = view.right if view.right in arms else _with_role(run, "rl", arms[1:2] or arms[:1])
    benchmarks = run.benchmarks or [""]
    benchmark = view.benchmark if view.benchmark in benchmarks else benchmarks[0]
    conditions = run.conditions
    known = run.places.get(benchmark, {})
    shown = {side: value if value in SHOWN else "all" for side, value in _shown(view).items()}
    settled = replace(
        view,
        run=run.name,
        left=left,
        right=right,
        benchmark=benchmark,
        condition=view.condition if view.condition in conditions else conditions[0],
        group=view.group if view.group in GROUPS else "all",
        at_least=min(max(view.at_least, 1), MAX_INDEX),
        sort=view.sort if view.sort in SORTS else "order",
        show_left=shown["left"],
        show_right=shown["right"],
        search=view.search[:200],
        text=view.text[:200],
        among=view.among if view.among and run.problem_set(view.among, benchmark) else "",
        problem=view.problem if view.problem in known else "",
    )
    if not settled.problem:
        listed = listed_problems(settled, run)
        if len(listed):
            settled = replace(settled, problem=run.problems[benchmark][listed[0]].problem_id)
    return settled


def unknown(asked: View, shown: View) -> list[str]:
    """What a link names and the run does not have, in words."""
    named = [
        (name, getattr(asked, name), getattr(shown, name))
        for name in ("run", "left", "right", "benchmark", "condition", "problem", "among")
    ]
    words = {"left": "model", "right": "model", "among": "number of the report"}
    return [
        f"the link names a {words.get(name, name)} that is not here: {wanted[:80]}"
        for name, wanted, found in named
        if wanted not in ("", found)
    ]


@dataclass(frozen=True)
class Tallies:
    """Samples of each problem by the two arms, codes of shape (problems, samples).

    A problem is solved with at least `at_least` right samples. It is not solved only once every
    sample of it has a verdict: until then that is open.
    """

    left: Codes
    right: Codes
    at_least: int = 1

    @staticmethod
    def drawn(codes: Codes) -> NDArray[np.int64]:
        """N."""
        return np.asarray(has(codes, Bit.DRAWN).sum(axis=1), dtype=np.int64)

    @staticmethod
    def correct(codes: Codes) -> NDArray[np.int64]:
        """C."""
        return np.asarray(has(codes, Bit.CORRECT).sum(axis=1), dtype=np.int64)

    def rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Right shares of what is graded; nan where nothing is."""
        return _rates(self.left), _rates(self.right)

    def group(self, name: str) -> NDArray[np.bool_]:
        """Which problems are of a group of `GROUPS`."""
        left, not_left = self._solved(self.left)
        right, not_right = self._solved(self.right)
        match name:
            case "all":
                return np.ones(len(left), dtype=bool)
            case "both":
                return left & right
            case "left":
                return left & not_right
            case "right":
                return right & not_left
            case "neither":
                return not_left & not_right
            case "open":
                return ~((left | not_left) & (right | not_right))
            case "luck":
                return self._by_luck(self.left) | self._by_luck(self.right)
            case "disputed":
                return self._any(Bit.DISPUTED)
            case "undecided":
                return self._any(Bit.UNDECIDED)
        raise ValueError(f"group {name!r}: valid are {', '.join(GROUPS)}")

    def _solved(self, codes: Codes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which problems are solved, and which are known not to be."""
        solved = self.correct(codes) >= self.at_least
        drawn = has(codes, Bit.DRAWN).any(axis=1)
        return solved, np.asarray(~solved & drawn & ~ungraded(codes).any(axis=1))

    @staticmethod
    def _by_luck(codes: Codes) -> NDArray[np.bool_]:
        """Right answers that were all checked, and none of them found valid."""
        right = has(codes, Bit.CORRECT)
        checked = right & (has(codes, Bit.VETOED) | has(codes, Bit.ENDORSED))
        unchecked = (right & ~checked).any(axis=1)
        whole = ~ungraded(codes).any(axis=1) & ~unchecked
        return np.asarray(checked.any(axis=1) & whole & ~valid(codes).any(axis=1))

    def _any(self, bit: Bit) -> NDArray[np.bool_]:
        return np.asarray(has(self.left, bit).any(axis=1) | has(self.right, bit).any(axis=1))


def _rates(codes: Codes) -> NDArray[np.float64]:
    graded = has(codes, Bit.GRADED).sum(axis=1)
    rates = Tallies.correct(codes) / np.where(graded, graded, np.nan)
    return np.asarray(rates, dtype=np.float64)


def counts(view: View, run: RunIndex) -> Tallies:
    """What the two arms did on the view's benchmark."""
    where = (view.benchmark, view.condition)
    return Tallies(run.codes(view.left, *where), run.codes(view.right, *where), view.at_least)


def slices_of(run: RunIndex, benchmark: str) -> list[str]:
    """What a benchmark's problems can be filtered by, as "task: clock"."""
    found: dict[str, None] = {}
    for problem in run.problems.get(benchmark, []):
        found |= dict.fromkeys(_slices(problem))
    by_key: dict[str, list[str]] = {}
    for one in found:
        by_key.setdefault(one.partition(": ")[0], []).append(one)
    few = [values for values in by_key.values() if 1 < len(values) <= 60]
    return [one for values in few for one in sorted(values)]


def listed_problems(view: View, run: RunIndex) -> NDArray[np.int64]:
    """The places of the problems that pass the view's filters, in its order."""
    problems = run.problems.get(view.benchmark, [])
    if not problems:
        return np.zeros(0, dtype=np.int64)
    known = counts(view, run)
    kept = known.group(view.group) & _passing(view, problems)
    if view.among and (behind := run.problem_set(view.among, view.benchmark)):
        wanted = frozenset(behind.problem_ids)
        kept &= np.array([problem.problem_id in wanted for problem in problems])
    left, right = known.rates()
    order: NDArray[Any]
    match view.sort:
        case "gap":
            order = -np.abs(left - right)
        case "left":
            order = -left
        case "right":
            order = -right
        case "hardest":
            order = left + right
        case "length":
            order = -_both(view, run, lambda one: one.tokens)
        case "unlikely":
            order = _both(view, run, lambda one: one.logprob)
        case "disagreement":
            order = -_both(view, run, lambda one: one.disagreement)
        case _:
            order = np.zeros(len(left))
    places = np.argsort(order, kind="stable")
    return np.asarray(places[kept[places]], dtype=np.int64)


def _both(
    view: View, run: RunIndex, of: Callable[[Measures], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The mean of both arms' measure of each problem; nan where one is not known."""
    found = [run.partition(arm, view.benchmark, view.condition) for arm in (view.left, view.right)]
    values = [of(one.measures()) for one in found if one is not None]
    unknown = np.full(len(run.problems[view.benchmark]), np.nan)
    return np.mean(values, axis=0) if values else unknown


def step_problem(view: View, run: RunIndex, step: int) -> View:
    """The next or previous problem of the list; at its ends the view stays."""
    listed = listed_problems(view, run)
    if not len(listed):
        return view
    here = run.places[view.benchmark].get(view.problem, -1)
    found = np.flatnonzero(listed == here)
    place = int(found[0]) + step if len(found) else 0
    place = min(max(place, 0), len(listed) - 1)
    problem = run.problems[view.benchmark][listed[place]].problem_id
    return open_problem(view, problem)


def open_problem(view: View, problem: str) -> View:
    """A problem from its first samples."""
    return (
        view
        if problem == view.problem
        else replace(
            view,
            problem=problem,
            left_sample=0,
            right_sample=0,
            left_answer="",
            right_answer="",
        )
    )


@dataclass(frozen=True)
class Side:
    """What a view says of its left or its right half."""

    arm: str
    show: str
    answer: str
    sample: int


def of_side(view: View, side: str) -> Side:
    """The left half of a view, or the right."""
    if side == "left":
        return Side(view.left, view.show_left, view.left_answer, view.left_sample)
    return Side(view.right, view.show_right, view.right_answer, view.right_sample)


def shown_samples(view: View, run: RunIndex, side: str) -> NDArray[np.int64]:
    """The sample indices of the side's arm that are of the kind, and the answer, asked for."""
    half = of_side(view, side)
    codes = run.codes(half.arm, view.benchmark, view.condition)
    place = run.places.get(view.benchmark, {}).get(view.problem)
    if place is None:
        return np.zeros(0, dtype=np.int64)
    indices = np.flatnonzero(kind(codes[place], half.show))
    if half.answer and len(indices):
        samples = run.load(half.arm, view.benchmark, view.condition, view.problem)
        indices = indices[np.isin(indices, samples.with_answer(half.answer))]
    return indices


def current_sample(view: View, run: RunIndex, side: str) -> int | None:
    """The sample to show: the one asked for if it is of the kind, else the next that is."""
    indices = shown_samples(view, run, side)
    if not len(indices):
        return None
    place = min(int(np.searchsorted(indices, of_side(view, side).sample)), len(indices) - 1)
    return int(indices[place])


def step_sample(view: View, run: RunIndex, side: str, step: int) -> View:
    """The next or previous sample of a side, or of `both`; at the ends it stays."""
    sides = ("left", "right") if side == "both" else (side,)
    for one in sides:
        indices = shown_samples(view, run, one)
        current = current_sample(view, run, one)
        if current is None:
            continue
        place = int(np.searchsorted(indices, current)) + step
        index = int(indices[min(max(place, 0), len(indices) - 1)])
        view = with_sample(view, one, index)
    return view


def with_sample(view: View, side: str, index: int) -> View:
    """A sample of one side."""
    if side == "left":
        return replace(view, left_sample=index)
    return replace(view, right_sample=index)


def _passing(view: View, problems: list[Any]) -> NDArray[np.bool_]:
    wanted: dict[str, set[str]] = {}
    for one in view.slices:
        wanted.setdefault(one.partition(": ")[0], set()).add(one)
    words = view.search.lower().split()
    kept = np.ones(len(problems), dtype=bool)
    if not wanted and not words:
        return kept
    for place, problem in enumerate(problems):
        there = set(_slices(problem)) if wanted else set()
        kept[place] = all(there & values for values in wanted.values())
        if words and kept[place]:
            said = f"{problem.problem_id}\n{problem.question}\n{problem.answer}".lower()
            kept[place] = all(word in said for word in words)
    return kept


def _slices(problem: Any) -> list[str]:
    found = [f"answer type: {problem.answer_type}"] if problem.answer_type else []
    for key, value in problem.metadata.items():
        name = str(key).removeprefix("metadata.")
        values = value if isinstance(value, list) else [value]
        found += [f"{name}: {one}" for one in values if isinstance(one, str | int | float | bool)]
    return [one for one in found if len(one) <= 100]


def _with_role(run: RunIndex, role: str, otherwise: list[str]) -> str:
    return next((arm for arm in run.arms if run.role(arm) == role), next(iter(otherwise), ""))


def _shown(view: View) -> dict[str, str]:
    return {"left": view.show_left, "right": view.show_right}

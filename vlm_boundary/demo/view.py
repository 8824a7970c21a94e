"""What a reader looks at: small, comparable, and said whole in a link's query string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.demo.codes import GROUPS, SHOWN, SOLVED, SOLVED_BY_THREE, Tallies, kind, rates_of
from vlm_boundary.demo.followed import Measures
from vlm_boundary.demo.index import MAX_INDEX, RunIndex
from vlm_boundary.demo.sides import SIDES, Shown, label, named, settled_arm, shown_arm

SORTS = {
    "order": "in order",
    "gap": "largest gap",
    "left": "left best",
    "right": "right best",
    "hardest": "hardest",
    "length": "longest responses",
    "unlikely": "least likely responses",
    "disagreement": "answers differ most",
}
"""The orders of the list, in words."""
PAGE = 25  # problems listed at once
_LONGEST_IN_LINK = 500  # servers refuse addresses of some ten thousand characters


@dataclass(frozen=True)
class View:
    """A place in a run; every field is a plain value that a link can carry.

    `left`, `right` and `third` name arms as `sides.named` reads them, of this run or another;
    without a `third` two stand side by side. `group` and `sort` speak of the left and the right
    arm, `tallies.SOLVED_BY_THREE` of all; a problem is solved with at least `at_least` right
    samples. `show_left` … are kinds of samples (`codes.SHOWN`), `left_sample` … sample indices.
    `left_answer` … leave the samples that gave an answer ("=42", or "none" for those without one).
    `text` is what responses are searched for, `among` the problems behind a number of the report.
    """

    run: str = ""
    left: str = ""
    right: str = ""
    third: str = ""
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
    third_sample: int = 0
    show_left: str = "all"
    show_right: str = "all"
    show_third: str = "all"
    left_answer: str = ""
    right_answer: str = ""
    third_answer: str = ""
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
    benchmarks = run.benchmarks or [""]
    benchmark = view.benchmark if view.benchmark in benchmarks else benchmarks[0]
    condition = view.condition if view.condition in run.conditions else run.conditions[0]
    left = settled_arm(view.left, run, condition, _with_role(run, "base", arms[:1]))
    right = settled_arm(view.right, run, condition, _with_role(run, "rl", arms[1:2] or arms[:1]))
    third = settled_arm(view.third, run, condition, "")
    known = run.places.get(benchmark, {})
    not_here = SOLVED if third else SOLVED_BY_THREE
    slices = slices_of(run, benchmark) if view.slices else []
    settled = replace(
        view,
        run=run.name,
        left=left,
        right=right,
        third=third,
        benchmark=benchmark,
        condition=condition,
        group=view.group if view.group in GROUPS and view.group not in not_here else "all",
        at_least=min(max(view.at_least, 1), MAX_INDEX),
        sort=view.sort if view.sort in SORTS else "order",
        slices=tuple(one for one in view.slices if one in slices),
        show_left=view.show_left if view.show_left in SHOWN else "all",
        show_right=view.show_right if view.show_right in SHOWN else "all",
        show_third=view.show_third if view.show_third in SHOWN else "all",
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
    said = [
        (name, getattr(asked, name), getattr(shown, name))
        for name in ("run", "benchmark", "condition", "problem", "among")
    ]
    sides = [("model", getattr(asked, side), getattr(shown, side)) for side in SIDES]
    missing = [(name, wanted) for name, wanted, found in said if wanted not in ("", found)]
    missing += [(name, wanted) for name, wanted, found in sides if not _is(wanted, found, shown)]
    missing += [("filter", one) for one in asked.slices if one not in shown.slices]
    words = {"among": "number of the report"}
    return [
        f"the link names a {words.get(name, name)} that is not here: {wanted[:80]}"
        for name, wanted in missing
    ]


def _is(wanted: str, found: str, view: View) -> bool:
    """Whether a side is the one that a link named."""
    if not wanted:
        return True
    one, other = named(wanted), named(found)
    return (
        one.arm == other.arm
        and one.condition in ("", other.condition or view.condition)
        and one.run in ("", other.run or view.run)
    )


def sides_of(view: View) -> tuple[str, ...]:
    """The sides that a view shows."""
    return SIDES if view.third else SIDES[:2]


def names_of(view: View, run: RunIndex) -> dict[str, str]:
    """The arms of a view in words, by side."""
    return {side: label(of_side(view, side).arm, run, view.condition) for side in sides_of(view)}


def own_arms(view: View, run: RunIndex) -> tuple[str, str]:
    """The left and the right arm, where a side shows another run the usual one of this run."""
    usual = settle(View(run=run.name), {run.name: run})
    left, right = (shown_on(view, run, side) for side in ("left", "right"))
    return (
        usual.left if left.foreign else left.arm,
        usual.right if right.foreign else right.arm,
    )


def shown_on(view: View, run: RunIndex, side: str) -> Shown:
    """The arm on a side, with its samples of the view's problems."""
    return shown_arm(of_side(view, side).arm, run, view.benchmark, view.condition)


def counts(view: View, run: RunIndex) -> Tallies:
    """What the view's arms did on its benchmark."""
    left, right, *third = (shown_on(view, run, side).codes for side in sides_of(view))
    return Tallies(left, right, view.at_least, *third)


def slices_of(run: RunIndex, benchmark: str) -> list[str]:
    """What a benchmark's problems can be filtered by, as "task: clock"."""
    found: dict[str, None] = {}
    for problem in run.problems.get(benchmark, []):
        found |= dict.fromkeys(slices_of_problem(problem))
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
    left, right = rates_of(known.left), rates_of(known.right)
    orders: dict[str, Callable[[], NDArray[np.float64]]] = {
        "gap": lambda: -np.abs(left - right),
        "left": lambda: -left,
        "right": lambda: -right,
        "hardest": lambda: left + right,
        "length": lambda: -_both(view, run, lambda one: one.tokens),
        "unlikely": lambda: _both(view, run, lambda one: one.logprob),
        "disagreement": lambda: -_both(view, run, lambda one: one.disagreement),
    }
    order = orders.get(view.sort, lambda: np.zeros(len(left)))()
    places = np.argsort(order, kind="stable")
    return np.asarray(places[kept[places]], dtype=np.int64)


def nth_of(view: View, run: RunIndex, listed: NDArray[np.int64]) -> int | None:
    """Where the view's problem stands in a list, from 0; None where it does not."""
    here = run.places.get(view.benchmark, {}).get(view.problem, -1)
    found = np.flatnonzero(listed == here)
    return int(found[0]) if len(found) else None


def _both(
    view: View, run: RunIndex, of: Callable[[Measures], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The mean of both arms' measure of each problem; nan where one is not known."""
    unknown = np.full(len(run.problems[view.benchmark]), np.nan)
    values = []
    for side in ("left", "right"):
        shown = shown_on(view, run, side)
        if shown.partition is not None:
            places = shown.matching.places
            values.append(np.where(places < 0, unknown, of(shown.partition.measures())[places]))
    return np.mean(values, axis=0) if values else unknown


def step_problem(view: View, run: RunIndex, step: int) -> View:
    """The next or previous problem of the list; at its ends the view stays."""
    listed = listed_problems(view, run)
    if not len(listed):
        return view
    nth = nth_of(view, run, listed)
    nth = 0 if nth is None else min(max(nth + step, 0), len(listed) - 1)
    return open_problem(view, run.problems[view.benchmark][listed[nth]].problem_id)


def open_problem(view: View, problem: str) -> View:
    """A problem from its first samples."""
    if problem == view.problem:
        return view
    changes: dict[str, Any] = {f"{side}_sample": 0 for side in SIDES}
    changes |= {f"{side}_answer": "" for side in SIDES}
    return _with(view, changes | {"problem": problem})


@dataclass(frozen=True)
class Side:
    """What a view says of its left, its right or its third arm; `arm` is as links name it."""

    arm: str
    show: str
    answer: str
    sample: int


def of_side(view: View, side: str) -> Side:
    """One side of a view: of left, right and third."""
    return Side(
        getattr(view, side),
        getattr(view, f"show_{side}"),
        getattr(view, f"{side}_answer"),
        getattr(view, f"{side}_sample"),
    )


def shown_samples(view: View, run: RunIndex, side: str) -> NDArray[np.int64]:
    """The sample indices of the side's arm that are of the kind, and the answer, asked for."""
    half = of_side(view, side)
    place = run.place(view.benchmark, view.problem)
    if place is None:
        return np.zeros(0, dtype=np.int64)
    shown = shown_on(view, run, side)
    indices = np.flatnonzero(kind(shown.codes[place], half.show))
    problem = shown.problem(place)
    if half.answer and len(indices) and problem is not None:
        said = shown.load(problem).by_answer().get(half.answer, [])
        indices = indices[np.isin(indices, said)]
    return indices


def current_sample(view: View, run: RunIndex, side: str) -> int | None:
    """The sample to show: the one asked for if it is of the kind, else the next that is."""
    indices = shown_samples(view, run, side)
    if not len(indices):
        return None
    place = min(int(np.searchsorted(indices, of_side(view, side).sample)), len(indices) - 1)
    return int(indices[place])


def step_sample(view: View, run: RunIndex, side: str, step: int) -> View:
    """The next or previous sample of a side, or of `both` (or all three); at the ends it stays."""
    sides = sides_of(view) if side == "both" else (side,)
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
    return _with(view, {f"{side}_sample": index})


def with_kind(view: View, side: str, show: str) -> View:
    """The first sample of a kind on one side."""
    return _with(view, {f"{side}_sample": 0, f"show_{side}": show})


def with_answer(view: View, side: str, answer: str) -> View:
    """The first of the samples on one side that gave an answer; all where it is empty."""
    return _with(view, {f"{side}_sample": 0, f"{side}_answer": answer})


def _with(view: View, changes: dict[str, Any]) -> View:
    return replace(view, **changes)


def _passing(view: View, problems: list[Any]) -> NDArray[np.bool_]:
    wanted: dict[str, set[str]] = {}
    for one in view.slices:
        wanted.setdefault(one.partition(": ")[0], set()).add(one)
    words = view.search.lower().split()
    kept = np.ones(len(problems), dtype=bool)
    if not wanted and not words:
        return kept
    for place, problem in enumerate(problems):
        there = set(slices_of_problem(problem)) if wanted else set()
        kept[place] = all(there & values for values in wanted.values())
        if words and kept[place]:
            said = f"{problem.problem_id}\n{problem.question}\n{problem.answer}".lower()
            kept[place] = all(word in said for word in words)
    return kept


def slices_of_problem(problem: Any) -> list[str]:
    """What a problem can be filtered by, as "task: clock"."""
    found = [f"answer type: {problem.answer_type}"] if problem.answer_type else []
    for key, value in problem.metadata.items():
        name = str(key).removeprefix("metadata.")
        values = value if isinstance(value, list) else [value]
        found += [f"{name}: {one}" for one in values if isinstance(one, str | int | float | bool)]
    return [one for one in found if len(one) <= 100]


def _with_role(run: RunIndex, role: str, otherwise: list[str]) -> str:
    return next((arm for arm in run.arms if run.role(arm) == role), next(iter(otherwise), ""))

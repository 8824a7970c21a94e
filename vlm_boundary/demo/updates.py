"""What a view's components become: the list, the panes, the pickers, whatever changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vlm_boundary.demo.codes import GROUPS, SHOWN, Bit, has
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.listing import problem_list
from vlm_boundary.demo.pages import place_of, problem_card, status_line
from vlm_boundary.demo.pane import arm_pane
from vlm_boundary.demo.sides import SIDES, choices, label
from vlm_boundary.demo.view import (
    PAGE,
    View,
    listed_problems,
    nth_of,
    of_side,
    open_problem,
    settle,
    shown_on,
    sides_of,
    slices_of,
    step_problem,
    step_sample,
    with_answer,
    with_kind,
    with_sample,
)

Runs = Mapping[str, RunIndex]
NO_THIRD = ("no third", "")
EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Navigation never waits for other readers, and only the last of fast clicks counts.
FAST: dict[str, Any] = EVENT | {"queue": False, "trigger_mode": "always_last"}

# What the list of problems follows from.
_LISTING = (
    *("run", "left", "right", "third", "benchmark", "condition"),
    *("group", "at_least", "sort", "slices", "search", "among"),
)
_CONDITION_NAMES = {
    "full": "full prompt",
    "no_image": "no picture",
    "shuffled_image": "other picture",
    "direct_answer": "no reasoning",
}


def everything(view: View, runs: Runs) -> list[Any]:
    """A view from nothing, with its pickers and filters."""
    run = runs[view.run]
    return [*shown(view, runs), *pickers_for(view, run), status_line(run), state_of(run)]


def shown(view: View, runs: Runs, before: View | None = None) -> list[Any]:
    """State, how many samples are shown, list and panes; what is as `before` is not sent again."""
    run = runs[view.run]
    same_list = before is not None and all(
        getattr(before, name) == getattr(view, name) for name in _LISTING
    )
    turned = before is None or (
        before.problem != view.problem and _page_of(before, run) != _page_of(view, run)
    )
    list_html = gr.skip() if same_list and not turned else problem_list(view, run)
    if before is None or not same_list or before.problem != view.problem:
        panes = [problem_card(view, run), *(arm_pane(view, run, side) for side in SIDES)]
    else:
        same = {side: of_side(before, side) == of_side(view, side) for side in SIDES}
        changed = [gr.skip() if same[side] else arm_pane(view, run, side) for side in SIDES]
        panes = [gr.skip(), *changed]
    return [view, samples_of(view, run), place_of(view), list_html, *panes]


def samples_of(view: View, run: RunIndex) -> int:
    """How many samples the two models have of the view's problem."""
    place = run.place(view.benchmark, view.problem)
    if place is None:
        return 0
    codes = [shown_on(view, run, side).codes for side in sides_of(view)]
    return sum(int(has(one[place], Bit.DRAWN).sum()) for one in codes)


def arms_for(view: View, run: RunIndex) -> list[tuple[str, str]]:
    """What a side can show; what the view's sides show is among it, sampled or not.

    Gradio refuses every picker's change while one of them shows what is not among its choices.
    """
    offered = choices(run, view.condition)
    known = {value for _, value in offered}
    shown = dict.fromkeys(of_side(view, side).arm for side in SIDES)
    more = [one for one in shown if one and one not in known]
    return [*offered, *((label(one, run, view.condition), one) for one in more)]


def pickers_for(view: View, run: RunIndex) -> list[Any]:
    """Run, models, benchmark and condition; filter, order and search of the list."""
    arms, slices = arms_for(view, run), slices_of(run, view.benchmark)
    return [
        gr.Dropdown(value=view.run),
        gr.Dropdown(choices=arms, value=view.left),
        gr.Dropdown(choices=arms, value=view.right),
        gr.Dropdown(choices=[NO_THIRD, *arms], value=view.third),
        gr.Dropdown(choices=run.benchmarks or [""], value=view.benchmark),
        gr.Dropdown(choices=conditions_of(run), value=view.condition),
        gr.Dropdown(choices=slices, value=[one for one in view.slices if one in slices]),
        gr.Dropdown(value=view.sort),
        gr.Textbox(value=view.search),
    ]


def state_of(run: RunIndex) -> tuple[Any, ...]:
    """The runs as they were last read, with what the pickers of this one offer."""
    others = run.beside.values()
    versions = tuple((other.version, other.missed) for other in others)
    arms = [(other.name, other.arms, other.conditions) for other in others]
    return (run.name, versions, run.benchmarks, arms)


def conditions_of(run: RunIndex) -> list[tuple[str, str]]:
    """What samples were asked under, in words, and its name."""
    return [(_CONDITION_NAMES.get(name, name), name) for name in run.conditions]


def _page_of(view: View, run: RunIndex) -> int:
    nth = nth_of(view, run, listed_problems(view, run))
    return -1 if nth is None else nth // PAGE


def stepped(view: View, run: RunIndex, action: str, value: str, side: str) -> View:
    """The view after a click or a key."""
    step = {"1": 1, "-1": -1}.get(value, 0)
    match action:
        case "problem_step":
            return step_problem(view, run, step)
        case "problem":
            return settle(open_problem(view, value), run.beside)
        case "sample_both" | "sample_left" | "sample_right" | "sample_third":
            return step_sample(view, run, action.removeprefix("sample_"), step)
        case "sample":
            index = int(value) if value.isdecimal() and len(value) < 9 else 0
            return with_sample(view, side, index)
        case "group" if value in GROUPS:
            if value == "all" and not len(listed_problems(view, run)):
                view = replace(view, search="", slices=(), among="")
            return first_listed(settle(replace(view, group=value), run.beside), run)
        case "hit":
            number, _, problem = value.partition(" ")
            place = int(number) if number.isdecimal() and len(number) < 9 else 0
            opened = with_kind(open_problem(view, problem), side, "all")
            return settle(with_sample(opened, side, place), run.beside)
        case "among":
            return first_listed(settle(replace(view, among=value), run.beside), run)
        case "search":
            return first_listed(replace(view, search=value[:200]), run)
        case "at_least" if value.isdecimal() and len(value) < 7:
            return first_listed(settle(replace(view, at_least=int(value)), run.beside), run)
        case "show_left" | "show_right" | "show_third" if value in SHOWN:
            return with_kind(view, action.removeprefix("show_"), value)
        case "answer_left" | "answer_right" | "answer_third":
            side = action.removeprefix("answer_")
            chosen = "" if value == of_side(view, side).answer else value
            return with_answer(view, side, chosen)
    return view


def first_listed(view: View, run: RunIndex) -> View:
    """The view at the first problem of its list, unless its own is listed."""
    listed = listed_problems(view, run)
    if not len(listed) or nth_of(view, run, listed) is not None:
        return view
    return open_problem(view, run.problems[view.benchmark][listed[0]].problem_id)

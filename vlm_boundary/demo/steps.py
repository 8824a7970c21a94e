"""What a click or a key on the page makes of a view."""

from __future__ import annotations

from dataclasses import replace

from vlm_boundary.demo.codes import SHOWN
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.tallies import GROUPS
from vlm_boundary.demo.view import (
    View,
    listed_problems,
    of_side,
    open_problem,
    settle,
    step_problem,
    step_sample,
    with_answer,
    with_kind,
    with_sample,
)


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
    here = run.places.get(view.benchmark, {}).get(view.problem, -1)
    if not len(listed) or here in listed:
        return view
    return open_problem(view, run.problems[view.benchmark][listed[0]].problem_id)

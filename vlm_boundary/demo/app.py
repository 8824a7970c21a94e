"""The app's tabs put together; see `serve` for how it is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

import gradio as gr

from vlm_boundary.config import Condition
from vlm_boundary.demo.codes import SHOWN
from vlm_boundary.demo.export import export_page
from vlm_boundary.demo.figures import drawing, figures_page, runs_page
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.label_tab import label_tab
from vlm_boundary.demo.labelling import Desk
from vlm_boundary.demo.listing import SORT_NAMES, problem_list
from vlm_boundary.demo.pages import status_line
from vlm_boundary.demo.search import search_box
from vlm_boundary.demo.updates import (
    conditions_of,
    everything,
    filters_for,
    pickers_for,
    shown,
    state_of,
)
from vlm_boundary.demo.view import (
    GROUPS,
    SORTS,
    View,
    current_sample,
    listed_problems,
    open_problem,
    settle,
    slices_of,
    step_problem,
    step_sample,
    unknown,
    view_of_query,
    with_sample,
)
from vlm_boundary.reasoning.labels import SampleKey

if TYPE_CHECKING:
    from vlm_boundary.demo.live import LiveEngines

FOLLOW_SECONDS = 5.0
# Navigation never waits for other readers, and only the last of fast clicks counts.
FAST: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}


def build(
    runs: Mapping[str, RunIndex], live: LiveEngines | None = None, *, signed_in: bool = False
) -> gr.Blocks:
    """The whole app over these runs, by name; each tab's handlers check what they are given.

    Args:
        live: engines for the live tab; without any there is no such tab.
        signed_in: readers have names of their own, which are their labellers' names.
    """
    app = gr.Blocks(title="vlm_boundary", analytics_enabled=False, fill_width=True)
    with app:
        _Samples(app, runs, live, signed_in).build()
    return app


class _Samples:
    """The frame, and the tab in which runs are read."""

    def __init__(
        self,
        app: gr.Blocks,
        runs: Mapping[str, RunIndex],
        live: LiveEngines | None,
        signed_in: bool,
    ) -> None:
        self._app = app
        self._runs = runs
        self._live = live
        self._signed_in = signed_in

    def build(self) -> None:
        """Lay everything out and connect it."""
        first = settle(View(), self._runs)
        run = self._runs[first.run]
        self._view = gr.State(first)
        self._seen = gr.State(-1)
        self._followed = gr.State(())
        self._desk = gr.State(Desk())
        self._bridge = gr.HTML(
            visible="hidden",
            js_on_load="window.vbSend = (data) => "
            "trigger(data.action === 'label' ? 'pick_up' : 'go', data);",
        )
        self._here = gr.HTML(visible="hidden")
        with gr.Row(equal_height=True, elem_id="vb-top"):
            self._status = gr.HTML(elem_classes="vb", value=status_line(run))
            gr.HTML(
                elem_classes="vb vb-keys",
                value='<p style="text-align:right;margin:0"><button class="vb-button" '
                'data-do="written">as written <kbd>r</kbd></button> <button class="vb-button" '
                'data-do="help">keys <kbd>?</kbd></button></p>',
            )
        self._pickers(first, run)
        with gr.Tabs(selected="samples") as self._tabs:
            with gr.Tab("Samples", id="samples"):
                self._samples_tab(first, run)
            with gr.Tab("Label", id="label") as label:
                label_tab(self._runs, self._view, self._desk, label, self._signed_in)
            if self._live is not None:
                from vlm_boundary.demo.live_tab import live_tab

                with gr.Tab("Live", id="live"):
                    live_tab(self._runs, self._live, self._view)
            with gr.Tab("Figures", id="figures") as figures:
                drawn = gr.HTML(elem_classes="vb", elem_id="vb-figures")
                figures.select(self._figures, self._view, drawn, **FAST)
                draws, sent = gr.HTML(visible="hidden"), gr.State(False)
                figures.select(drawing, sent, [draws, sent], **FAST)
            with gr.Tab("Runs", id="runs") as several:
                table = gr.HTML(elem_classes="vb", elem_id="vb-runs")
                several.select(lambda: runs_page(self._runs), None, table, **FAST)
        self._connect()

    def _pickers(self, view: View, run: RunIndex) -> None:
        with gr.Row(elem_id="vb-pickers"):
            self._run = gr.Dropdown(
                list(self._runs),
                value=view.run,
                label="Run",
                visible=len(self._runs) > 1,
                min_width=140,
                elem_id="vb-run",
            )
            self._left = gr.Dropdown(
                run.arms, value=view.left, label="Left model", min_width=140, elem_id="vb-left-arm"
            )
            self._right = gr.Dropdown(
                run.arms,
                value=view.right,
                label="Right model",
                min_width=140,
                elem_id="vb-right-arm",
            )
            self._benchmark = gr.Dropdown(
                run.benchmarks or [""], value=view.benchmark, label="Benchmark", min_width=140
            )
            self._condition = gr.Dropdown(
                conditions_of(run), value=view.condition, label="Condition", min_width=120
            )

    def _samples_tab(self, view: View, run: RunIndex) -> None:
        with gr.Row(elem_id="vb-samples"):
            with gr.Column(scale=1, min_width=290, elem_classes="vb-side"):
                self._search = gr.Textbox(
                    label="Search question, id, answer",
                    value=view.search,
                    max_length=200,
                    elem_id="vb-search",
                    submit_btn=False,
                )
                with gr.Row():
                    self._slices = gr.Dropdown(
                        slices_of(run, view.benchmark),
                        value=list(view.slices),
                        multiselect=True,
                        label="Filter",
                        min_width=130,
                        elem_id="vb-slices",
                    )
                    self._sort = gr.Dropdown(
                        [(name, key) for key, name in SORT_NAMES.items()],
                        value=view.sort,
                        label="Sort",
                        min_width=130,
                        elem_id="vb-sort",
                    )
                self._text = search_box(self._runs, self._view)
                self._list = gr.HTML(elem_id="vb-list", elem_classes="vb")
                export = gr.Button("export this list", size="sm", elem_id="vb-export")
                exported = gr.HTML(elem_id="vb-exported")
                export.click(self._export, self._view, exported, **FAST)
            with gr.Column(scale=3, min_width=300, elem_classes="vb-main"):
                self._card = gr.HTML(elem_classes="vb", elem_id="vb-card")
                with gr.Row():
                    with gr.Column(min_width=300):
                        self._left_pane = gr.HTML(elem_classes="vb", elem_id="vb-left-pane")
                    with gr.Column(min_width=300):
                        self._right_pane = gr.HTML(elem_classes="vb", elem_id="vb-right-pane")

    def _connect(self) -> None:
        panes = [self._card, self._left_pane, self._right_pane]
        page = [self._view, self._seen, self._here, self._list, *panes]
        pickers = [self._run, self._left, self._right, self._benchmark, self._condition]
        filters = [self._slices, self._sort, self._search]
        self._bridge.go(
            self._go,
            self._view,
            [*page, *pickers, *filters],
            # Every key counts: of two in a row the first may lead nowhere.
            **FAST | {"trigger_mode": "multiple"},
        )
        self._bridge.pick_up(
            self._pick_up, [self._view, self._desk], [self._desk, self._tabs], **FAST
        )
        for picker in pickers:
            picker.input(
                self._pick,
                [self._view, *pickers],
                [*page, *pickers, *filters, self._status],
                **FAST,
            )
        for one in (self._slices, self._sort):
            one.input(self._filter, [self._view, *filters], page, **FAST)
        self._text.submit(self._mark, [self._view, self._text], page, **FAST)
        whole = [*page, *pickers, *filters, self._status, self._followed]
        self._app.load(self._open, None, [*whole, self._tabs], **FAST)
        timer = gr.Timer(FOLLOW_SECONDS)
        timer.tick(
            self._follow,
            [self._view, self._seen, self._followed],
            whole,
            **FAST | {"trigger_mode": "once"},
        )

    # What readers do. Every handler may be called with anything by anyone: `settle` sorts it out.

    def _open(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        slices = list(request.query_params.getlist("slice"))
        asked = view_of_query(query, slices)
        view = settle(asked, self._runs)
        tab = query.get("tab")
        tab = tab if tab in self._tab_names() else "samples"
        whole = everything(view, self._runs)
        # The state of the run is last, its line before.
        whole[-2] = status_line(self._runs[view.run], unknown(asked, view))
        return [*whole, gr.Tabs(selected=tab)]

    def _tab_names(self) -> tuple[str, ...]:
        return ("samples", "label", *(("live",) if self._live else ()), "figures", "runs")

    def _go(self, view: View, event: gr.EventData) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        action, value = str(data.get("action", "")), str(data.get("value", ""))[:2000]
        side = "right" if data.get("side") == "right" else "left"
        unchanged = [gr.skip()] * 8
        if action == "page":
            page = int(value) if value.lstrip("-").isdecimal() and len(value) < 7 else 0
            listed = problem_list(view, self._runs[view.run], page)
            return [*[gr.skip()] * 3, listed, *[gr.skip()] * 3, *unchanged]
        if action == "fresh":
            return [*shown(view, self._runs), *unchanged]
        if action == "link":
            parsed = parse_qs(value.lstrip("?"))
            query = {key: values[0] for key, values in parsed.items()}
            after = settle(view_of_query(query, parsed.get("slice", [])), self._runs)
            return [
                *shown(after, self._runs),
                *pickers_for(after, self._runs[after.run]),
                *filters_for(after, self._runs[after.run]),
            ]
        after = self._step(view, action, value, side)
        if after == view:
            return [*[gr.skip()] * 7, *unchanged]
        return [*shown(after, self._runs, before=view), *unchanged]

    def _step(self, view: View, action: str, value: str, side: str) -> View:
        """The view after a click or a key."""
        run = self._runs[view.run]
        step = {"1": 1, "-1": -1}.get(value, 0)
        match action:
            case "problem_step":
                return step_problem(view, run, step)
            case "problem":
                return settle(open_problem(view, value), self._runs)
            case "sample_both" | "sample_left" | "sample_right":
                return step_sample(view, run, action.removeprefix("sample_"), step)
            case "sample":
                index = int(value) if value.isdecimal() and len(value) < 9 else 0
                return with_sample(view, side, index)
            case "group" if value in GROUPS:
                if value == "all" and not len(listed_problems(view, run)):
                    view = replace(view, search="", slices=(), among="")
                return self._first_listed(replace(view, group=value))
            case "hit":
                number, _, problem = value.partition(" ")
                place = int(number) if number.isdecimal() and len(number) < 9 else 0
                opened = replace(open_problem(view, problem), show_left="all", show_right="all")
                return settle(with_sample(opened, side, place), self._runs)
            case "among":
                return self._first_listed(settle(replace(view, among=value), self._runs))
            case "search":
                return self._first_listed(replace(view, search=value[:200]))
            case "at_least" if value.isdecimal() and len(value) < 7:
                return self._first_listed(settle(replace(view, at_least=int(value)), self._runs))
            case "show_left" if value in SHOWN:
                return replace(with_sample(view, "left", 0), show_left=value)
            case "show_right" if value in SHOWN:
                return replace(with_sample(view, "right", 0), show_right=value)
            case "answer_left":
                chosen = "" if value == view.left_answer else value
                return replace(with_sample(view, "left", 0), left_answer=chosen)
            case "answer_right":
                chosen = "" if value == view.right_answer else value
                return replace(with_sample(view, "right", 0), right_answer=chosen)
        return view

    def _pick(
        self, view: View, run: str, left: str, right: str, benchmark: str, condition: str
    ) -> list[Any]:
        after = replace(
            view, run=run, left=left, right=right, benchmark=benchmark, condition=condition
        )
        if run != view.run:
            after = replace(View(run=run), left=left, right=right, problem=view.problem)
        elif benchmark != view.benchmark:
            after = replace(after, slices=(), problem="")
        after = settle(after, self._runs)
        return [
            *shown(after, self._runs),
            *pickers_for(after, self._runs[after.run]),
            *filters_for(after, self._runs[after.run]),
            status_line(self._runs[after.run]),
        ]

    def _filter(self, view: View, slices: list[str], sort: str, search: str) -> list[Any]:
        after = replace(
            view,
            slices=tuple(str(one) for one in slices or ())[:50],
            sort=sort if sort in SORTS else "order",
            search=str(search or "")[:200],
        )
        return shown(self._first_listed(settle(after, self._runs)), self._runs)

    def _follow(self, view: View, seen: int, followed: tuple[Any, ...]) -> list[Any]:
        """What a run in progress has become meanwhile; the reader's place stays."""
        run = self._runs[view.run]
        run.refresh()
        now = state_of(run)
        if now == followed or seen < 0:  # nothing new, or not even shown yet
            return [gr.skip()] * 17
        if not view.benchmark:  # the first problems have come
            return everything(settle(view, self._runs), self._runs)
        pickers = [gr.skip()] * 5
        if now[2:] != followed[2:]:
            pickers[3:] = (
                gr.Dropdown(choices=run.benchmarks),
                gr.Dropdown(choices=conditions_of(run)),
            )
        rest = [*pickers, *[gr.skip()] * 3, status_line(run), now]
        if not seen:  # there is nothing yet that is being read
            return [*shown(settle(view, self._runs), self._runs), *rest]
        return [*[gr.skip()] * 7, *rest]  # the status line offers what has come

    def _mark(self, view: View, text: str) -> list[Any]:
        """What is searched for in responses is marked in those that are shown."""
        return shown(replace(view, text=str(text or "")[:200]), self._runs)

    def _export(self, view: View) -> str:
        return export_page(view, self._runs[view.run])

    def _figures(self, view: View) -> str:
        return figures_page(self._runs[view.run])

    def _first_listed(self, view: View) -> View:
        """The view at the first problem of its list, unless its own is listed."""
        run = self._runs[view.run]
        listed = listed_problems(view, run)
        here = run.places.get(view.benchmark, {}).get(view.problem, -1)
        if not len(listed) or here in listed:
            return view
        return open_problem(view, run.problems[view.benchmark][listed[0]].problem_id)

    def _pick_up(self, view: View, desk: Desk, event: gr.EventData) -> list[Any]:
        """The sample shown on a side goes onto the label tab's desk."""
        data = event._data if isinstance(event._data, dict) else {}
        side = "right" if data.get("value") == "right" else "left"
        index = current_sample(view, self._runs[view.run], side)
        if index is None:
            return [gr.skip(), gr.skip()]
        key = SampleKey(
            arm=view.left if side == "left" else view.right,
            benchmark=view.benchmark,
            condition=cast(Condition, view.condition),
            problem_id=view.problem,
            sample_index=index,
        )
        return [replace(desk, picked=key), gr.Tabs(selected="label")]

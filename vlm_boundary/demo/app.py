"""The app's tabs put together; see `serve` for how it is served."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from vlm_boundary.config import Condition
from vlm_boundary.demo.compare import compared_page
from vlm_boundary.demo.figures import drawing, figures_page, runs_page
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.label_tab import label_tab
from vlm_boundary.demo.labelling import Desk
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.listing import export_page, problem_list
from vlm_boundary.demo.pages import status_line
from vlm_boundary.demo.search import search_box
from vlm_boundary.demo.sides import SIDES
from vlm_boundary.demo.updates import (
    FAST,
    NO_THIRD,
    arms_for,
    conditions_of,
    everything,
    first_listed,
    pickers_for,
    shown,
    state_of,
    stepped,
)
from vlm_boundary.demo.view import (
    SORTS,
    View,
    current_sample,
    of_side,
    settle,
    shown_on,
    sides_of,
    slices_of,
    unknown,
    view_of_query,
)
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import SampleKey

if TYPE_CHECKING:
    from vlm_boundary.demo.live import LiveEngines

FOLLOW_SECONDS = 5.0
_OTHERS_SECONDS = 60.0  # between two looks at a run that is not the one that is read
_UPLOADS = (600, 3600)  # seconds between two looks at uploaded files, and their age when they go
_LONGEST_LINK = 20_000
_TABS = ("samples", "compare", "label", "live", "figures", "runs")
_PAGE = 8  # what `shown` returns: the view, what was seen, where, the list, the card, three panes
_PICKED = 9  # pickers and filters


def build(
    runs: Mapping[str, RunIndex],
    live: LiveEngines | None = None,
    *,
    signed_in: bool = False,
    labelled: bool = True,
) -> gr.Blocks:
    """The whole app over these runs, by name; each tab's handlers check what they are given.

    Args:
        live: engines for the live tab; without any there is no such tab.
        signed_in: readers have names of their own, which are their labellers' names.
        labelled: whether there is a tab to label in.
    """
    app = gr.Blocks(
        title="vlm_boundary", analytics_enabled=False, fill_width=True, delete_cache=_UPLOADS
    )
    with app:
        _Samples(app, runs, live, signed_in, labelled).build()
    return app


@dataclass
class _Samples:
    """The frame, and the tab in which runs are read."""

    _app: gr.Blocks
    _runs: Mapping[str, RunIndex]
    _live: LiveEngines | None
    _signed_in: bool
    _labelled: bool

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
            with gr.Tab("Compare", id="compare") as compare:
                self._compared = gr.HTML(elem_classes="vb", elem_id="vb-compare")
                compare.select(self._compare, self._view, self._compared, **FAST)
            if self._labelled:
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
            arms = arms_for(view, run)
            self._left, self._right, self._third = (
                gr.Dropdown(
                    [NO_THIRD, *arms] if side == "third" else arms,
                    value=of_side(view, side).arm,
                    label=f"{side.capitalize()} model",
                    min_width=140,
                    elem_id=f"vb-{side}-arm",
                )
                for side in SIDES
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
                        [(name, key) for key, name in SORTS.items()],
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
                self._panes = []
                classes = "vb" if self._labelled else "vb vb-unlabelled"
                with gr.Row():
                    for side in SIDES:
                        with gr.Column(min_width=300, elem_id=f"vb-{side}-column"):
                            pane = gr.HTML(elem_classes=classes, elem_id=f"vb-{side}-pane")
                            self._panes.append(pane)

    def _connect(self) -> None:
        panes = [self._card, *self._panes]
        page = [self._view, self._seen, self._here, self._list, *panes]
        sides = [self._left, self._right, self._third]
        pickers = [self._run, *sides, self._benchmark, self._condition]
        filters = [self._slices, self._sort, self._search]
        self._bridge.go(
            self._go,
            self._view,
            [*page, *pickers, *filters, self._tabs],
            # Every key counts: of two in a row the first may lead nowhere.
            **FAST | {"trigger_mode": "multiple"},
        )
        if self._labelled:
            self._bridge.pick_up(
                self._pick_up, [self._view, self._desk], [self._desk, self._tabs], **FAST
            )
        for picker in pickers:
            picker.input(
                self._pick,
                [self._view, *pickers],
                [*page, *pickers, *filters, self._status],
                **FAST,
            ).then(self._compare, self._view, self._compared, **FAST)
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
        there = {"label": self._labelled, "live": self._live is not None}
        return tuple(name for name in _TABS if there.get(name, True))

    def _go(self, view: View, event: gr.EventData) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        action, value = str(data.get("action", "")), str(data.get("value", ""))
        value = value[: _LONGEST_LINK if action == "link" else 2000]
        side = str(data.get("side"))
        side = side if side in SIDES else "left"
        unchanged = [gr.skip()] * (_PICKED + 1)
        if action == "page":
            page = int(value) if value.lstrip("-").isdecimal() and len(value) < 7 else 0
            listed = problem_list(view, self._runs[view.run], page)
            return [*[gr.skip()] * 3, listed, *[gr.skip()] * 4, *unchanged]
        if action == "fresh":
            return [*shown(view, self._runs), *unchanged]
        if action == "link":
            parsed = parse_qs(value.lstrip("?"))
            query = {key: values[0] for key, values in parsed.items()}
            after = settle(view_of_query(query, parsed.get("slice", [])), self._runs)
            pickers = pickers_for(after, self._runs[after.run])
            return [*shown(after, self._runs), *pickers, gr.skip()]
        after = stepped(view, self._runs[view.run], action, value, side)
        # From the tab Compare a group of problems leads to their list.
        tab = gr.Tabs(selected="samples") if action == "group" else gr.skip()
        if after == view:
            return [*[gr.skip()] * (_PAGE + _PICKED), tab]
        return [*shown(after, self._runs, before=view), *[gr.skip()] * _PICKED, tab]

    def _pick(
        self,
        view: View,
        run: str,
        left: str | None,
        right: str | None,
        third: str | None,
        benchmark: str,
        condition: str,
    ) -> list[Any]:
        kept = View(run=run, problem=view.problem) if run != view.run else view
        # A picker that was emptied gives None.
        after = replace(kept, run=run, left=left or "", right=right or "", third=third or "")
        if run == view.run:
            after = replace(after, benchmark=benchmark, condition=condition)
            if benchmark != view.benchmark:
                after = replace(after, slices=(), problem="")
        after = settle(after, self._runs)
        now = self._runs[after.run]
        return [*shown(after, self._runs), *pickers_for(after, now), status_line(now)]

    def _filter(self, view: View, slices: list[str], sort: str, search: str) -> list[Any]:
        after = replace(
            view,
            slices=tuple(str(one) for one in slices or ())[:50],
            sort=sort if sort in SORTS else "order",
            search=str(search or "")[:200],
        )
        settled = settle(after, self._runs)
        return shown(first_listed(settled, self._runs[settled.run]), self._runs)

    def _follow(self, view: View, seen: int, followed: tuple[Any, ...]) -> list[Any]:
        """What a run in progress has become meanwhile; the reader's place stays."""
        run = self._runs[view.run]
        run.refresh()
        for other in self._runs.values():  # what another run has got can be picked too
            with suppress(UserError, OSError):  # the notices say so, and this run is followed on
                other.refresh(rested=_OTHERS_SECONDS)
        now = state_of(run)
        if now == followed or seen < 0:  # nothing new, or not even shown yet
            return [gr.skip()] * (_PAGE + _PICKED + 2)
        if not view.benchmark:  # the first problems have come
            return everything(settle(view, self._runs), self._runs)
        pickers = [gr.skip()] * 6
        if now[2:] != followed[2:]:
            arms = arms_for(view, run)
            offered: list[Any] = [arms, arms, [NO_THIRD, *arms], run.benchmarks, conditions_of(run)]
            pickers[1:] = (gr.Dropdown(choices=one) for one in offered)
        rest = [*pickers, *[gr.skip()] * 3, status_line(run), now]
        if not seen:  # there is nothing yet that is being read
            return [*shown(settle(view, self._runs), self._runs), *rest]
        return [*[gr.skip()] * _PAGE, *rest]  # the status line offers what has come

    def _mark(self, view: View, text: str) -> list[Any]:
        """What is searched for in responses is marked in those that are shown."""
        return shown(replace(view, text=str(text or "")[:200]), self._runs)

    def _export(self, view: View) -> str:
        return export_page(view, self._runs[view.run])

    def _compare(self, view: View) -> str:
        return compared_page(view, self._runs[view.run])

    def _figures(self, view: View) -> str:
        return figures_page(self._runs[view.run])

    def _pick_up(self, view: View, desk: Desk, event: gr.EventData) -> list[Any]:
        """The sample shown on a side goes onto the label tab's desk."""
        data = event._data if isinstance(event._data, dict) else {}
        side = str(data.get("value"))
        side = side if side in sides_of(view) else "left"
        run = self._runs[view.run]
        index, arm = current_sample(view, run, side), shown_on(view, run, side)
        if index is None or arm.foreign:  # labels go to the view's run
            return [gr.skip(), gr.skip()]
        key = SampleKey(
            arm=arm.arm,
            benchmark=view.benchmark,
            condition=cast(Condition, arm.condition),
            problem_id=view.problem,
            sample_index=index,
        )
        return [replace(desk, picked=key), gr.Tabs(selected="label")]

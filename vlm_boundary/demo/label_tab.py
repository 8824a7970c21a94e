"""The tab in which people judge chains of thought and answers: blind, one key a sample, undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.labelling import (
    CONTESTED,
    Desk,
    agreement_page,
    asked_of,
    current_item,
    drawn_sample,
    item_page,
    machine_says,
    queues_of,
    revealed_page,
)
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.updates import EVENT
from vlm_boundary.demo.view import View
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import (
    HUMAN_VERDICTS,
    LONGEST_NOTE,
    Label,
    Subject,
    add_label,
    clean_labeller,
    read_labels,
    record_reveal,
    withdraw_label,
)
from vlm_boundary.reasoning.people.queue import make_queue, queue_names


def label_tab(
    runs: Mapping[str, RunIndex],
    view: gr.State,
    desk: gr.State,
    tab: gr.Tab,
    signed_in: bool,
) -> None:
    """Lay out the tab; labels go to the run of `view`, `desk` holds the reader's `Desk`."""
    remembered = gr.BrowserState("", storage_key="vlm-boundary-labeller", secret="labeller")
    who, sheet, does = _Who(signed_in), _Sheet(), _Deeds(runs)
    after = [desk, sheet.item, sheet.note, sheet.told, sheet.agreed, *sheet.buttons]
    entered = [*after, who.name, who.queue, who.make, remembered]
    given = [view, desk, who.name, remembered, who.queue, who.blind]
    # One event, so that a name that is typed while the tab still opens comes after that.
    changed = (who.name.submit, who.name.blur, who.queue.input, who.blind.input)
    gr.on(
        [tab.select, *changed],
        does.enter,
        given,
        entered,
        trigger_mode="always_last",
        **EVENT,
    )
    for place, button in enumerate(sheet.buttons):
        button.click(does.answer(place), [desk, sheet.note, who.blind], after, **EVENT)
    sheet.undo.click(does.take_back, [desk, who.blind], after, **EVENT)
    sheet.skip.click(does.put_off, [desk, who.blind], after, **EVENT)
    sheet.reveal.click(does.reveal, [desk, who.blind], after, **EVENT)
    made = who.make.click(does.new_queue, view, sheet.told, **EVENT)
    made.then(does.enter, given, entered, **EVENT)


class _Who:
    """The row that says who reads which queue, and how."""

    def __init__(self, signed_in: bool) -> None:
        with gr.Row():
            self.name = gr.Textbox(
                label="Your name", max_length=80, elem_id="vb-labeller", visible=not signed_in
            )
            self.queue = gr.Dropdown(
                [], label="Queue", elem_id="vb-queue-name", allow_custom_value=False
            )
            self.blind = gr.Checkbox(
                True,
                label="Blind",
                info="Hide models and the checker's marks until you reveal them",
                min_width=120,
            )
            self.make = gr.Button(
                "Make the paper's queue", size="sm", visible=False, elem_id="vb-make-queue"
            )


class _Sheet:
    """The sample to be judged, what can be said of it, and what was said."""

    def __init__(self) -> None:
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                self.item = gr.HTML(elem_classes="vb", elem_id="vb-queue")
            with gr.Column(scale=1, min_width=260):
                with gr.Row(elem_id="vb-verdicts"):
                    self.buttons = [
                        gr.Button(said, elem_id=f"vb-{verdict}", min_width=80)
                        for said, verdict in zip(
                            _keys("reasoning"), HUMAN_VERDICTS["reasoning"], strict=True
                        )
                    ]
                self.note = gr.Textbox(
                    label="Note  [n]", lines=2, max_length=LONGEST_NOTE, elem_id="vb-note"
                )
                with gr.Row():
                    self.undo = gr.Button("undo  [u]", size="sm", elem_id="vb-undo", min_width=80)
                    self.skip = gr.Button("skip  [s]", size="sm", elem_id="vb-skip", min_width=80)
                self.told = gr.HTML(elem_classes="vb", elem_id="vb-told")
                self.reveal = gr.Button(
                    "reveal what I have answered", size="sm", elem_id="vb-reveal", min_width=80
                )
                self.agreed = gr.HTML(elem_classes="vb", elem_id="vb-agreement")


@dataclass(frozen=True)
class _Deeds:
    """What a reader can do; each gives the desk and the sheet as they are afterwards."""

    runs: Mapping[str, RunIndex]

    def enter(
        self,
        view: View,
        desk: Desk,
        typed: str,
        kept: str,
        wanted: str,
        blind: bool,
        request: gr.Request,
    ) -> list[Any]:
        """Take a seat, with the row above the sheet as it is then."""
        run = self.runs[view.run]
        names = queues_of(run)
        labeller, message = _labeller(request.username, typed or kept)
        wanted = wanted if wanted in names else next(iter(names), "")
        stays = (desk.run, desk.queue, desk.labeller) == (view.run, wanted, labeller)
        if not stays:
            picked = desk.picked if desk.run in ("", view.run) else None
            desk = Desk(view.run, wanted, labeller, picked=picked)
        shown = self._shown(desk, blind, message)
        if stays and not message:  # a label may be being saved: what comes of that stays
            shown[0] = shown[3] = gr.skip()
        return [
            *shown,
            # Sent back only if it differs: the reader may be typing on.
            gr.skip() if labeller == typed else gr.Textbox(value=labeller),
            gr.Dropdown(choices=names, value=wanted or None),
            gr.Button(visible=not queue_names(run.directory)),
            labeller,
        ]

    def answer(self, place: int) -> Callable[[Desk, str, bool, gr.Request], list[Any]]:
        """The deed of a verdict's button, by its place."""

        def save(desk: Desk, said: str, blind: bool, request: gr.Request) -> list[Any]:
            desk = _as_signed_in(desk, request.username)
            return self._shown(*_save(self.runs, desk, place, said, blind))

        return save

    def take_back(self, desk: Desk, blind: bool, request: gr.Request) -> list[Any]:
        """Withdraw the last label."""
        desk = _as_signed_in(desk, request.username)
        if not desk.done or desk.run not in self.runs:
            return self._shown(desk, blind, "<p>Nothing to undo.</p>")
        run = self.runs[desk.run]
        asked = asked_of(run, replace(desk, picked=desk.done[-1]))
        withdraw_label(run.directory, desk.labeller, desk.done[-1], asked)
        desk = replace(desk, done=desk.done[:-1], picked=desk.done[-1], revealed=False)
        return self._shown(desk, blind, '<p class="vb-quiet">Undone; here it is again.</p>')

    def put_off(self, desk: Desk, blind: bool) -> list[Any]:
        """Leave a sample for later."""
        current = current_item(self.runs[desk.run], desk) if desk.run in self.runs else None
        if current is None:
            return self._shown(desk, blind, "<p>Nothing to skip.</p>")
        item = current[1]
        if desk.picked is not None or item is None:
            desk = replace(desk, picked=None)
        else:
            others = tuple(one for one in desk.skipped if one != item.item)
            desk = replace(desk, skipped=(*others, item.item))
        return self._shown(
            desk, blind, '<p class="vb-quiet">Skipped: it comes back at the end.</p>'
        )

    def reveal(self, desk: Desk, blind: bool, request: gr.Request) -> list[Any]:
        """Show whose the answered samples were and what the checker says, and note that."""
        desk = _as_signed_in(desk, request.username)
        if desk.run not in self.runs or not desk.labeller:
            return self._shown(desk, blind, '<p class="vb-warn">Type your name first.</p>')
        directory = self.runs[desk.run].directory
        stored = read_labels(directory)
        answered = [one.sample for one in stored.labels if one.labeller == desk.labeller]
        known = stored.revealed.get(desk.labeller, frozenset())
        record_reveal(directory, desk.labeller, [one for one in answered if one not in known])
        return self._shown(replace(desk, revealed=True), blind)

    def new_queue(self, view: View) -> str:
        """Make the paper's queue; what came of it."""
        run = self.runs[view.run]
        experiment = ExperimentConfig.model_validate(run.manifest.experiment)
        try:
            make_queue(run.directory, experiment)
        except UserError as error:
            return f'<p class="vb-warn">{escape(str(error))}</p>'
        return '<p class="vb-quiet">The queue is made.</p>'

    def _shown(self, desk: Desk, blind: bool, message: str = "") -> list[Any]:
        desk = replace(desk, turn=desk.turn + 1)
        told = f'{message}<span data-turn="{desk.turn}"></span>'
        run = self.runs.get(desk.run)
        if run is None:
            return [desk, gr.skip(), gr.skip(), told, *[gr.skip()] * 4]
        told += revealed_page(run, desk) if desk.revealed else ""
        open_now = desk.revealed or not blind
        buttons = [gr.Button(value=said) for said in _keys(asked_of(run, desk))]
        sheet = [item_page(run, desk, blind), "", told, agreement_page(run, open_now)]
        return [desk, *sheet, *buttons]


def _labeller(signed_in: str | None, typed: str) -> tuple[str, str]:
    """The labeller's name, and what is wrong with it."""
    if not (signed_in or typed.strip()):
        return "", '<p class="vb-warn">Type your name first: labels are kept under it.</p>'
    try:
        return clean_labeller(signed_in or typed), ""
    except UserError as error:
        return "", f'<p class="vb-warn">{escape(str(error))}</p>'


def _as_signed_in(desk: Desk, user: str | None) -> Desk:
    return replace(desk, labeller=clean_labeller(user)) if user else desk


def _keys(subject: Subject) -> list[str]:
    """What the buttons say."""
    return [f"{verdict}  [{key}]" for key, verdict in enumerate(HUMAN_VERDICTS[subject], start=1)]


def _save(
    runs: Mapping[str, RunIndex], desk: Desk, place: int, note: str, blind: bool
) -> tuple[Desk, bool, str]:
    if desk.run not in runs or not desk.labeller:
        return desk, blind, '<p class="vb-warn">Type your name first.</p>'
    run = runs[desk.run]
    current = current_item(run, desk)
    drawn = drawn_sample(run, current[0]) if current else None
    if current is None or drawn is None:
        return desk, blind, '<p class="vb-warn">There is nothing to label.</p>'
    if drawn.text_hash is None:
        return desk, blind, '<p class="vb-warn">Grade it first: vlm-boundary verify.</p>'
    key, item = current
    subject = asked_of(run, desk)
    verdict = HUMAN_VERDICTS[subject][place]
    stored = read_labels(run.directory)
    told = stored.revealed.get(desk.labeller, frozenset())
    unseen = blind and item is not None and key not in told
    drawn_from = item if desk.queue not in CONTESTED else None
    label = Label(
        sample=key,
        text_hash=drawn.text_hash,
        verdict=verdict,
        subject=subject,
        labeller=desk.labeller,
        blind=unseen,
        note=note,
        queue=desk.queue if drawn_from else None,
        weight=drawn_from.weight if drawn_from else None,
        revealed_before=len(told - {key}),
    )
    try:
        add_label(run.directory, label)
    except UserError as error:
        return desk, blind, f'<p class="vb-warn">{escape(str(error))}</p>'
    desk = desk.after(key)
    if blind and item is not None:
        return desk, blind, f'<p data-testid="saved">Saved <b>{verdict}</b>.</p>'
    if key not in told:
        record_reveal(run.directory, desk.labeller, [key])
    message = (
        f'<p data-testid="saved">Saved <b>{verdict}</b>: it was {visible(key.arm)} on '
        f"{visible(key.problem_id)}, sample #{key.sample_index}; "
        f"{machine_says(run, key, drawn, subject)}.</p>"
    )
    return desk, blind, message

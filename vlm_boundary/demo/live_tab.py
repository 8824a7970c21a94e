"""The tab that puts a new question to both models; nothing of it becomes part of a run."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vlm_boundary.benchmarks.images import PictureError, open_rgb, store_picture
from vlm_boundary.demo import shown_sample
from vlm_boundary.demo.drawn import DrawnSample, Response
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.live import MAX_SAMPLES, STARTING, LiveEngines, Question
from vlm_boundary.demo.pictures import is_own
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.updates import EVENT
from vlm_boundary.demo.view import View, own_arms
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

if TYPE_CHECKING:  # it compiles hundreds of patterns, which wait for the first question
    from vlm_boundary.verifier import Gold, Grader

_LONGEST_QUESTION = 10_000


def live_tab(runs: Mapping[str, RunIndex], engines: LiveEngines, view: gr.State) -> None:
    """Lay out the tab; the two models are the arms of `view`, asked as its benchmark asks."""
    problem_id = gr.State("")
    form, asking = _Form(), _Asking(runs, engines)
    gr.HTML(
        '<p class="vb vb-quiet">Not part of the measurement: nothing drawn here is stored in the '
        "run.</p>"
    )
    with gr.Row():
        left = gr.HTML(elem_classes="vb", elem_id="vb-live-left")
        right = gr.HTML(elem_classes="vb", elem_id="vb-live-right")
    shown = [form.image, form.question, form.gold, problem_id]
    form.take.click(asking.use, view, shown, **EVENT)
    # As it came: Gradio itself would open the file first, and end in an error without words.
    form.image.upload(
        asking.look, form.image, [form.image, form.refused], preprocess=False, **EVENT
    )
    sizes = [form.n, form.temperature, form.tokens, form.seed]
    running = form.go.click(
        asking.sample,
        [view, problem_id, form.image, form.question, form.gold, *sizes],
        [left, right],
        concurrency_id="live",
        concurrency_limit=1,
        **EVENT,
    )
    stopped = gr.State("")
    ending = form.stop.click(asking.stop, None, [left, right, stopped], cancels=[running], **EVENT)
    # Once more: what was on its way to the page when the question was cancelled may come last.
    ending.then(lambda told: [told, told], stopped, [left, right], **EVENT)


class _Form:
    """What is asked, and how it is sampled."""

    def __init__(self) -> None:
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                self.image = gr.Image(
                    type="pil",
                    format="png",
                    label="Picture",
                    sources=["upload", "clipboard"],
                    height=260,
                    elem_id="vb-live-image",
                    buttons=[],
                )
                self.refused = gr.HTML(elem_classes="vb", elem_id="vb-live-refused")
                self.take = gr.Button(
                    "use the problem shown under Samples", size="sm", elem_id="vb-live-take"
                )
            with gr.Column(scale=2, min_width=300):
                self.question = gr.Textbox(
                    label="Question",
                    lines=3,
                    max_length=_LONGEST_QUESTION,
                    elem_id="vb-live-question",
                )
                self.gold = gr.Textbox(
                    label="Gold answer (if known, samples are graded)",
                    max_length=1000,
                    elem_id="vb-live-gold",
                )
                with gr.Row():
                    self.n = gr.Slider(
                        1, MAX_SAMPLES, value=4, step=1, label="Samples each", min_width=120
                    )
                    self.temperature = gr.Slider(
                        0, 2, value=0.6, step=0.05, label="Temperature", min_width=120
                    )
                    self.tokens = gr.Number(
                        1024, precision=0, minimum=1, label="Max tokens", min_width=110
                    )
                    self.seed = gr.Number(0, precision=0, minimum=0, label="Seed", min_width=90)
                with gr.Row():
                    self.go = gr.Button("Sample both", variant="primary", elem_id="vb-live-go")
                    self.stop = gr.Button("Stop", elem_id="vb-live-stop", min_width=80)


@dataclass(frozen=True)
class _Asking:
    """What a reader can do."""

    runs: Mapping[str, RunIndex]
    engines: LiveEngines

    def use(self, view: View) -> list[Any]:
        """Put the problem that is shown into the form."""
        run = self.runs[view.run]
        problem = run.problem(view.benchmark, view.problem)
        if problem is None:
            return [gr.skip()] * 4
        shown = None
        if problem.pictures:
            path = run.directory.images / Path(problem.pictures[0]).name
            if is_own(path, run.directory.path):
                with Image.open(path) as opened:
                    shown = opened.convert("RGB")
        return [shown, problem.question, problem.answer, problem.problem_id]

    def look(self, uploaded: dict[str, Any] | None) -> list[Any]:
        """Refuse an uploaded file that is no picture, in words; the form is empty then."""
        try:
            if uploaded:
                open_rgb(Path(uploaded["path"]))
        except PictureError as error:
            return [None, _failed(f"This file is {error}. PNG, JPEG, GIF and WebP are read.")]
        return [gr.skip(), ""]

    def stop(self, request: gr.Request) -> list[str]:
        """End both engines, unless they draw what another visitor has asked, and say so."""
        ended = self.engines.stop(request.session_hash or "")
        said = "the engines have ended" if ended else "the engines go on with another's question"
        told = f'<p class="vb-quiet" data-testid="stopped">Stopped; {said}.</p>'
        return [told, told, told]

    def sample(
        self,
        view: View,
        problem_id: str,
        image: Image.Image | None,
        question: str,
        gold: str,
        n: float,
        temperature: float,
        tokens: float | None,
        seed: float | None,
        request: gr.Request,
    ) -> Iterator[list[str]]:
        """Both models' answers as they come."""
        if not self.runs[view.run].problems:
            yield [_failed("This run holds no problems yet, so it is not known how to ask."), ""]
            return
        arms = own_arms(view, self.runs[view.run])
        if not question.strip():
            yield [_failed("Type a question first."), ""]
            return
        engines = self.engines
        try:
            names = _stored(image, engines.folder)
            asked = Question(
                Problem(view.benchmark, "live", question[:_LONGEST_QUESTION], gold, names),
                engines.folder,
                n=min(max(int(n), 1), MAX_SAMPLES),
                temperature=min(max(float(temperature), 0.0), 2.0),
                max_tokens=min(max(int(tokens or 1024), 1), 1 << 17),
                seed=int(seed or 0) & 0x7FFFFFFF,
            )
            directory = self.runs[view.run].directory
            known = [directory.thinking_open(arm) for arm in arms]
            rules = _gold(self.runs[view.run], view, problem_id, asked)
            asker = request.session_hash or ""
            drawn = engines.sample(view.run, arms, view.benchmark, asked, asker)
            yield from _stream(drawn, arms, rules, known)
        except (UserError, PictureError) as error:
            yield [_failed(str(error)), ""]


def _stream(
    sampled: Iterator[tuple[int, Response | str]],
    arms: tuple[str, str],
    gold: Gold | None,
    thinking_open: Sequence[bool | None],
) -> Iterator[list[str]]:
    from vlm_boundary.verifier import Grader

    states = ["waiting", "waiting"]
    drawn: tuple[list[DrawnSample], list[DrawnSample]] = ([], [])
    changed, began, said_at = True, time.monotonic(), 0.0
    with Grader(workers=1) as grader:
        for side, said in sampled:
            if side >= 0:
                changed = True
                if isinstance(said, Response):
                    drawn[side].append(_graded(grader, said, gold, thinking_open[side]))
                else:
                    states[side] = said
            elif changed or (STARTING in states and time.monotonic() - said_at > 1):
                changed, said_at = False, time.monotonic()
                shown = [_since(state, said_at - began) for state in states]
                yield [_pane(*one) for one in zip(arms, shown, drawn, strict=True)]
    yield [_pane(*one) for one in zip(arms, states, drawn, strict=True)]


def _since(state: str, seconds: float) -> str:
    """What is being waited for, and for how long it has been."""
    return f"{state}: {seconds:.0f} s so far" if state == STARTING else state


def _graded(
    grader: Grader, response: Response, gold: Gold | None, thinking_open: bool | None
) -> DrawnSample:
    if gold is None:
        return DrawnSample(response)
    from vlm_boundary.verifier import Output

    output = Output(response.text, gold, response.finish_reason, thinking_open=thinking_open)
    return DrawnSample(response, grader.grade([output])[0])


def _gold(run: RunIndex, view: View, problem_id: str, asked: Question) -> Gold | None:
    """The problem's own rules where its question and answer are asked unchanged.

    None where a program of the benchmark's own grades, which the page does not start.
    """
    answer = asked.problem.answer.strip()
    known = run.manifest.benchmarks.get(view.benchmark)
    if not answer or (known and known.grader_program):
        return None
    from vlm_boundary.verifier import Gold

    problem, new = run.problem(view.benchmark, problem_id), asked.problem
    if problem and (problem.question, problem.answer) == (new.question, new.answer):
        return Gold.of(problem)
    return Gold(answer, question=asked.problem.question)


def _stored(image: Image.Image | None, folder: Path) -> tuple[str, ...]:
    if image is None:
        return ()
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return (store_picture(file.getvalue(), folder),)


def _pane(arm: str, state: str, drawn: list[DrawnSample]) -> str:
    graded = [one for one in drawn if one.verdict]
    right = sum(one.verdict.correct is True for one in graded if one.verdict)
    rate = f"<span><b>{right} of {len(graded)}</b> right</span>" if graded else ""
    samples = "".join(
        f'{shown_sample.verdict_line(one) if one.verdict else ""}<div class="vb-text">'
        f"{shown_sample.sample_body(one)}</div>{shown_sample.numbers_line(one.response)}"
        for one in sorted(drawn, key=lambda one: one.response.sample_index)
    )
    return (
        f'<section class="vb-pane"><header><h3>{visible(arm, 60)}</h3><span class="vb-quiet" '
        f'data-testid="live-state">{len(drawn)} samples · {visible(state, 300)}</span>{rate}'
        f"</header>{samples}</section>"
    )


def _failed(reason: str) -> str:
    return f'<p class="vb-warn">{escape(reason)}</p>'

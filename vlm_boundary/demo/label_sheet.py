"""The label tab's sheet as HTML: the sample to be judged, and what came of those before."""

from __future__ import annotations

from vlm_boundary.demo.drawn import DrawnSample
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.labelling import (
    Desk,
    JudgePair,
    agreements,
    asked_of,
    checker_verdict,
    current_item,
    drawn_sample,
    progress,
    queue_of,
)
from vlm_boundary.demo.pictures import picture
from vlm_boundary.demo.shown_sample import sample_body
from vlm_boundary.demo.text import rendered, visible
from vlm_boundary.reasoning.labels import SampleKey, Subject, read_labels

_MOST_REVEALED = 200


def item_page(run: RunIndex, desk: Desk, blind: bool) -> str:
    """The sample to be judged, with its problem."""
    if not desk.queue and desk.picked is None:
        return (
            '<p class="vb-empty">This run has no queue yet. The paper\'s protocol reads the right '
            "answers on problems that a model solves in fewer than 5% of its samples.</p>"
        )
    if not desk.labeller:
        return '<p class="vb-empty">Type your name above to begin.</p>'
    current = current_item(run, desk)
    if current is None:
        return (
            '<p class="vb-empty" data-testid="queue-done">You have read the whole queue. Whose the '
            "samples were, what the checker says and how far you agree is shown when you ask for "
            "it: <b>reveal what I have answered</b>.</p>"
        )
    key, item = current
    drawn = drawn_sample(run, key)
    if drawn is None:
        return '<p class="vb-warn">The run no longer holds this sample; skip it.</p>'
    problem = run.problems[key.benchmark][run.places[key.benchmark][key.problem_id]]
    pictures = "".join(
        f'<button class="vb-zoom" data-do="zoom"><img src="{uri}" alt="the problem\'s picture">'
        "</button>"
        for uri in (picture(run.directory.images, one) for one in problem.pictures)
        if uri
    )
    hidden = blind and item is not None
    place = ""
    if desk.queue:
        labels = read_labels(run.directory)
        queue = queue_of(run, desk.queue, labels)
        done, total = progress(queue, labels.labels, desk.labeller)
        place = f'<span class="vb-quiet" data-testid="progress">{done} of {total} read</span>'
    who = "" if hidden else f"<b>{visible(key.arm)}</b>, sample #{key.sample_index}"
    return (
        f'<section><header class="vb-sample-head">{place}{who}</header>'
        f'<p class="vb-quiet">{_guide(drawn, asked_of(run, desk))}</p><div class="vb-asked">'
        f'<div class="vb-pictures">{pictures}</div><div class="vb-words">'
        f"{rendered(problem.question)}"
        f'<p class="vb-gold"><span class="vb-quiet">gold answer</span> '
        f"<b>{visible(problem.answer)}</b></p></div></div>"
        f'<div class="vb-text" data-testid="to-label" tabindex="0" role="region" '
        f'aria-label="the sample"><div class="vb-as-rendered">'
        f"{sample_body(drawn, marks=not hidden)}</div>"
        f'<div class="vb-as-written" hidden>{sample_body(drawn, marks=not hidden, raw=True)}'
        "</div></div></section>"
    )


def _guide(drawn: DrawnSample, subject: Subject) -> str:
    """What is asked of the reader, with what the verifier makes of an answer not asked about."""
    if subject == "answer":
        return (
            "Is the final answer right: does it say what the gold answer says, in whatever form? "
            "Judge the answer alone, not how it was come by. <b>Wrong</b> is also what gives no "
            "answer, or stays open between several."
        )
    asked = (
        "Is the reasoning valid: does each step follow from the picture, the question and the "
        "steps before, and does it lead to the answer? "
    )
    correct = drawn.verdict.correct if drawn.verdict else None
    if correct:
        return asked + (
            "The answer itself is right. <b>Invalid</b> is a right answer by a wrong step, by a "
            "guess, or without any reasoning."
        )
    if correct is False:
        return asked + (
            "The verifier calls the answer wrong. <b>Valid</b> is reasoning that holds all the "
            "same, because the gold answer or the verifier errs: say which in a note."
        )
    return asked + "The verifier has not decided whether the answer is right."


def machine_says(run: RunIndex, key: SampleKey, drawn: DrawnSample, subject: Subject) -> str:
    """What the checker, or of an answer the verifier, made of a sample."""
    if subject == "answer":
        correct = drawn.verdict.correct if drawn.verdict else None
        words = {True: "right", False: "wrong", None: "undecided"}
        return f"the verifier says {words[correct]}"
    said = checker_verdict(run, key)
    return f"the checker says {said}" if said else "the checker has not judged it"


def revealed_page(run: RunIndex, desk: Desk) -> str:
    """What the labeller has answered: whose it was, and what the checker says of it."""
    labels = [one for one in read_labels(run.directory).labels if one.labeller == desk.labeller]
    labels.sort(key=lambda one: str(one.labelled_at), reverse=True)
    rows = "".join(
        f"<tr><td>{visible(one.sample.problem_id, 40)} #{one.sample.sample_index}</td>"
        f"<td>{visible(one.sample.arm, 30)}</td><td>{one.verdict}</td>"
        f"<td>{checker_verdict(run, one.sample) or '–'}</td></tr>"
        for one in labels[:_MOST_REVEALED]
    )
    return (
        '<div class="vb-scroll" data-testid="revealed" tabindex="0"><table class="vb-table"><thead>'
        "<tr><th>sample</th><th>model</th><th>you</th><th>checker</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def agreement_page(run: RunIndex, open_now: bool) -> str:
    """How many labels there are and, once it is open, how far judges agree."""
    labels = read_labels(run.directory)
    total = len(labels.labels)
    if not total:
        return '<p class="vb-quiet">No labels yet.</p>'
    if not open_now:
        return (
            f'<p class="vb-quiet" data-testid="labels">{total} labels. How far they agree is shown '
            "with the rest.</p>"
        )
    rows = "".join(_agreement_row(one) for one in agreements(run, labels.labels))
    table = (
        '<table class="vb-table"><thead><tr><th>who</th><th class="vb-num">both judged</th>'
        f'<th class="vb-num">agree</th><th class="vb-num">κ</th></tr></thead><tbody>{rows}</tbody>'
        "</table>"
    )
    cut = f", {labels.unreadable} lines unreadable" if labels.unreadable else ""
    return (
        f'<h4>Agreement</h4><p class="vb-quiet" data-testid="labels">{total} labels{cut}</p>'
        f'{table if rows else ""}<p class="vb-quiet">κ is Cohen\'s, over what both called valid or '
        "invalid.</p>"
    )


def _agreement_row(one: JudgePair) -> str:
    kappa = "–" if one.kappa is None else f"{one.kappa:.2f}".replace("-", "−")
    return (
        f"<tr><td>{visible(one.first, 40)} and {visible(one.second, 40)}</td>"
        f'<td class="vb-num">{one.samples}</td><td class="vb-num">{one.same / one.samples:.0%}</td>'
        f'<td class="vb-num">{kappa}</td></tr>'
    )

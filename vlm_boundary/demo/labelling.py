"""The queue of samples to read, one labeller's way through it, what is seen of it, who agrees."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from vlm_boundary.demo.codes import Bit
from vlm_boundary.demo.drawn import DrawnSample
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.pictures import picture
from vlm_boundary.demo.shown_sample import sample_body
from vlm_boundary.demo.text import rendered, visible
from vlm_boundary.reasoning.people.labels import (
    HUMAN_VERDICTS,
    Label,
    Labels,
    SampleKey,
    Subject,
    read_labels,
)
from vlm_boundary.reasoning.people.queue import LabelQueue, QueueItem, queue_names, read_queue

CONTESTED: dict[str, Subject] = {
    "(disagreements)": "reasoning",
    "(disagreements about answers)": "answer",
}
"""The samples that people disagree about, as queues; no stored queue can have the names."""
_MOST_REVEALED = 200


@dataclass(frozen=True)
class Desk:
    """One labeller's place: which queue, what was put off, what can be undone.

    `picked` is a sample chosen by hand, which comes before the queue. `turn` counts what was done,
    for the page's script: the next key waits for it. `revealed`: the table of what was answered is
    shown.
    """

    run: str = ""
    queue: str = ""
    labeller: str = ""
    skipped: tuple[str, ...] = ()
    done: tuple[SampleKey, ...] = ()
    picked: SampleKey | None = None
    turn: int = 0
    revealed: bool = False

    def after(self, sample: SampleKey) -> Desk:
        """The desk when a sample has been answered."""
        picked = None if sample == self.picked else self.picked
        return replace(self, done=(*self.done[-99:], sample), picked=picked, revealed=False)


def next_item(queue: LabelQueue, labels: Iterable[Label], desk: Desk) -> QueueItem | None:
    """What the labeller reads next, what was skipped last; None when all is answered."""
    answered = _answered(queue, labels, desk.labeller)
    waiting = [item for item in queue.items if item.sample not in answered]
    skipped = {item: place for place, item in enumerate(desk.skipped)}
    waiting.sort(key=lambda item: skipped.get(item.item, -1))
    return waiting[0] if waiting else None


def progress(queue: LabelQueue, labels: Iterable[Label], labeller: str) -> tuple[int, int]:
    """How many of the queue's samples the labeller has answered, of how many."""
    answered = _answered(queue, labels, labeller)
    return sum(item.sample in answered for item in queue.items), len(queue.items)


def _answered(queue: LabelQueue, labels: Iterable[Label], labeller: str) -> set[SampleKey]:
    """The samples of which the labeller has said what the queue asks."""
    mine = (label for label in labels if label.labeller == labeller)
    return {label.sample for label in mine if label.subject == queue.subject}


def contested(labels: Iterable[Label], subject: Subject) -> list[SampleKey]:
    """Samples that people say opposite things of, such as valid and invalid, sorted."""
    opposite = set(HUMAN_VERDICTS[subject][:2])
    said: dict[SampleKey, set[str]] = {}
    for label in labels:
        if label.subject == subject:
            said.setdefault(label.sample, set()).add(label.verdict)
    return sorted(sample for sample, verdicts in said.items() if opposite <= verdicts)


def queues_of(run: RunIndex) -> list[str]:
    """The queues of a run, those of its disagreements last, where there are some."""
    labels = read_labels(run.directory).labels
    more = [name for name, subject in CONTESTED.items() if contested(labels, subject)]
    return [*queue_names(run.directory), *more]


def queue_of(run: RunIndex, name: str, labels: Labels) -> LabelQueue:
    """A stored queue, or one of the disagreements as the labels stand."""
    subject = CONTESTED.get(name)
    if subject is None:
        return read_queue(run.directory, name)
    hashes = {label.sample: label.text_hash for label in labels.on(subject)}
    items = tuple(
        QueueItem(item=str(place), sample=sample, text_hash=hashes[sample], weight=1.0)
        for place, sample in enumerate(contested(labels.labels, subject))
    )
    return LabelQueue(
        name=name, seed=0, max_accuracy=1.0, per_arm=None, items=items, subject=subject
    )


def current_item(run: RunIndex, desk: Desk) -> tuple[SampleKey, QueueItem | None] | None:
    """The sample on the desk, and its place in the queue if it has one."""
    labels = read_labels(run.directory)
    queue = queue_of(run, desk.queue, labels) if desk.queue else None
    if desk.picked is not None:
        return desk.picked, _place(queue, desk.picked)
    if queue is None or not desk.labeller:
        return None
    item = next_item(queue, labels.labels, desk)
    return None if item is None else (item.sample, item)


def _place(queue: LabelQueue | None, sample: SampleKey) -> QueueItem | None:
    items = queue.items if queue else ()
    return next((item for item in items if item.sample == sample), None)


def asked_of(run: RunIndex, desk: Desk) -> Subject:
    """What is to be judged: what the queue asks; of a sample picked by hand its reasoning."""
    if not desk.queue:
        return "reasoning"
    queue = queue_of(run, desk.queue, read_labels(run.directory))
    if desk.picked is not None and _place(queue, desk.picked) is None:
        return "reasoning"
    return queue.subject


def drawn_sample(run: RunIndex, key: SampleKey) -> DrawnSample | None:
    """A sample by its key; None where the run has none."""
    there = key.arm, key.benchmark, key.condition
    if run.partition(*there) is None or run.place(key.benchmark, key.problem_id) is None:
        return None
    return run.load(*there, key.problem_id).sample(key.sample_index)


def checker_verdict(run: RunIndex, key: SampleKey) -> str | None:
    """Valid or invalid as the checker's layers have it together; None where none judged it."""
    partition = run.partition(key.arm, key.benchmark, key.condition)
    place = run.place(key.benchmark, key.problem_id)
    if partition is None or place is None or key.sample_index >= partition.codes.shape[1]:
        return None
    code = int(partition.codes[place, key.sample_index])
    if code & Bit.VETOED:
        return "invalid"
    return "valid" if code & Bit.ENDORSED else None


@dataclass(frozen=True)
class JudgePair:
    """Two judges on the samples that both called valid or invalid; `kappa` None if undefined."""

    first: str
    second: str
    samples: int
    same: int
    kappa: float | None


def agreements(run: RunIndex, labels: Sequence[Label]) -> list[JudgePair]:
    """Of reasoning: each labeller against the checker, then each other; unsure is left out."""
    by_person: dict[str, dict[SampleKey, str]] = {}
    for label in labels:
        if label.subject == "reasoning" and label.verdict != "unsure":
            by_person.setdefault(label.labeller, {})[label.sample] = label.verdict
    people = sorted(by_person)
    read = {sample for said in by_person.values() for sample in said}
    checked = {sample: checker_verdict(run, sample) for sample in read}
    judged = {sample: verdict for sample, verdict in checked.items() if verdict is not None}
    found = [_agreement(person, "the checker", by_person[person], judged) for person in people]
    for person, other in combinations(people, 2):
        found.append(_agreement(person, other, by_person[person], by_person[other]))
    return [one for one in found if one.samples]


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of "valid" and "invalid".

    Returns:
        None without pairs, or where both always say the same one thing.
    """
    if not pairs:
        return None
    from vlm_boundary.analysis.agreement import cohen_kappa  # with scipy, slow to import

    counts = Counter(pairs)
    sides = ("valid", "invalid")
    cells = np.array([[float(counts[one, other]) for one in sides for other in sides]])
    value = float(cohen_kappa(cells)[0])
    return None if math.isnan(value) else value


def _agreement(
    first: str, second: str, one: Mapping[SampleKey, str], other: Mapping[SampleKey, str]
) -> JudgePair:
    pairs = [(one[sample], other[sample]) for sample in one if sample in other]
    same = sum(left == right for left, right in pairs)
    return JudgePair(first, second, len(pairs), same, kappa(pairs))


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

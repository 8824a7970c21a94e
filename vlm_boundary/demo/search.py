"""Search inside what models wrote: literal, a batch of rows in memory, hits as they are found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.sides import SIDES, Shown
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.updates import EVENT
from vlm_boundary.demo.view import View, names_of, of_side, shown_on, sides_of

MOST_HITS = 200
_AROUND = 40  # characters shown on each side of a hit
_EVERY = 0.7  # seconds between one list of hits and the next


@dataclass(frozen=True)
class Hit:
    """One response that holds what was searched for."""

    side: str
    problem_id: str
    sample_index: int
    before: str
    found: str
    after: str


@dataclass(frozen=True)
class Hits:
    """Hits so far; `done` when every response was searched, or enough were found."""

    hits: tuple[Hit, ...]
    searched: int
    done: bool


def search_responses(view: View, run: RunIndex) -> Iterator[Hits]:
    """Look for `view.text` in the responses of the view's arms; yields what was found every moment.

    Upper and lower case count. At most `MOST_HITS` are found.
    """
    hits: dict[tuple[str, str, int], Hit] = {}
    searched, said = 0, time.monotonic()
    arms = {of_side(view, side).arm: side for side in reversed(sides_of(view))}
    for side in sorted(arms.values(), key=SIDES.index):
        shown = shown_on(view, run, side)
        partition = shown.partition
        if partition is None or not view.text:
            continue
        ids = _ids_here(view, run, shown)
        known = pa.array(ids, pa.string())
        for batch in partition.texts():
            searched += batch.num_rows
            holds = pc.match_substring(batch["text"], view.text)
            there = batch.filter(pc.and_(holds, pc.is_in(batch["problem_id"], known)))
            for row in there.slice(0, MOST_HITS).to_pylist():
                hit = _hit(side, row | {"problem_id": ids[row["problem_id"]]}, view.text)
                hits.setdefault((side, hit.problem_id, hit.sample_index), hit)
            if len(hits) >= MOST_HITS:
                yield Hits(tuple(hits.values())[:MOST_HITS], searched, True)
                return
            if time.monotonic() - said > _EVERY:
                said = time.monotonic()
                yield Hits(tuple(hits.values()), searched, False)
    yield Hits(tuple(hits.values()), searched, True)


def search_box(runs: Mapping[str, RunIndex], view: gr.State) -> gr.Textbox:
    """Lay out the box and the list of hits; returns the box, whose submit also marks the hits."""
    box = gr.Textbox(
        label="Search in responses (Enter)",
        max_length=200,
        elem_id="vb-text-search",
        submit_btn=False,
    )
    listed = gr.HTML(elem_classes="vb", elem_id="vb-hits")

    def search(view: View, wanted: str) -> Iterator[str]:
        text = str(wanted or "")[:200]
        run = runs[view.run]
        if not text:
            yield ""
            return
        for found in search_responses(replace(view, text=text), run):
            yield hits_page(found, view, run)

    box.submit(search, [view, box], listed, trigger_mode="always_last", **EVENT)
    return box


def hits_page(found: Hits, view: View, run: RunIndex) -> str:
    """The hits as a list that leads to their samples."""
    names = names_of(view, run)
    rows = "".join(
        f'<button class="vb-hit" data-do="hit" data-side="{hit.side}" '
        f'data-value="{hit.sample_index} {escape(hit.problem_id)}">'
        f"<b>{visible(names[hit.side], 24)}</b> {visible(hit.problem_id, 40)} "
        f'#{hit.sample_index}<span class="vb-row-question">{visible(hit.before)}'
        f'<mark class="vb-found">{visible(hit.found)}</mark>{visible(hit.after)}</span></button>'
        for hit in found.hits
    )
    count = len(found.hits)
    many = f"the first {count}" if count >= MOST_HITS else f"{count}"
    state = "" if found.done else ", searching on …"
    return (
        f'<p class="vb-count" role="status" data-testid="hits">{many} of {found.searched:,} '
        f"responses hold it{state}</p>"
        f'<div class="vb-rows vb-hits" data-roving="column">{rows}</div>'
    )


def _ids_here(view: View, run: RunIndex, shown: Shown) -> dict[str, str]:
    """The ids of the view's problems by those that the arm's run has for them."""
    there = enumerate(run.problems.get(view.benchmark, []))
    pairs = ((shown.problem(place), problem) for place, problem in there)
    return {other.problem_id: problem.problem_id for other, problem in pairs if other is not None}


def _hit(side: str, row: dict[str, Any], wanted: str) -> Hit:
    before, found, after = str(row["text"]).partition(wanted)
    around = before[-_AROUND:], found, after[:_AROUND]
    return Hit(side, str(row["problem_id"]), int(row["sample_index"]), *around)

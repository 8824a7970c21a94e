"""A benchmark's problems as the bundle's pages show them."""

from __future__ import annotations

from pathlib import Path

from vlm_boundary.bundle.packs import Packs, write_packed
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.pages import pictures, words
from vlm_boundary.demo.pictures import thumbnail
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import slices_of, slices_of_problem

_CARDS = 192 << 10  # bytes of JSON in a file
_ROWS = 48 << 10


def write_problems(run: RunIndex, benchmark: str, folder: Path) -> None:
    """Write a benchmark: what its list is made and searched of, a row and a card a problem.

    `problems` holds ids, questions, answers, the values that can be filtered by (`slices`) with
    which of them each problem has (`has`), and the starts of the packs. A row is a thumbnail
    (data URI or null), id and question as HTML; a card is the HTML of id, pictures and words.
    """
    problems = run.problems[benchmark]
    slices = slices_of(run, benchmark)
    numbers = {one: number for number, one in enumerate(slices)}
    rows, cards = Packs(folder / "rows", _ROWS), Packs(folder / "cards", _CARDS)
    for problem in problems:
        small = thumbnail(run.directory.images, problem.pictures[0]) if problem.pictures else None
        rows.add([small, visible(problem.problem_id, 60), visible(problem.question, 90)])
        error = f'<p class="vb-warn">{visible(problem.error, 300)}</p>' if problem.error else ""
        shown = words(problem) + error
        cards.add([visible(problem.problem_id), pictures(run, problem), shown])
    rows.close()
    cards.close()
    write_packed(
        folder / "problems",
        {
            "ids": [problem.problem_id for problem in problems],
            "questions": [problem.question for problem in problems],
            "answers": [problem.answer for problem in problems],
            "slices": slices,
            "has": [
                [numbers[one] for one in slices_of_problem(problem) if one in numbers]
                for problem in problems
            ],
            "rows": rows.starts,
            "cards": cards.starts,
        },
    )

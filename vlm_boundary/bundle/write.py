"""The bundle's folder: pages, what they fetch, and the same as Parquet for other programs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.bundle.arms import ArmWriter
from vlm_boundary.bundle.packs import Packs, write_packed
from vlm_boundary.demo.figures import pictures_page, runs_page
from vlm_boundary.demo.index import PartitionIndex, RunIndex
from vlm_boundary.demo.listing import tallies
from vlm_boundary.demo.pages import pictures, status_line, words
from vlm_boundary.demo.pictures import thumbnail
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import SORTS, View, settle, slices_of, slices_of_problem
from vlm_boundary.errors import UserError
from vlm_boundary.progress import PacedLines
from vlm_boundary.publish.tables import KEYS, responses
from vlm_boundary.writing import replacing_folder

MARK = ".vlm-boundary-bundle"
"""Only a folder that holds it, and nothing that is not an export's, is written again."""
_SCRIPTS = ("data.js", "built.js", "view.js", "search.js", "frame.js", "page.js")
_PAGES = ("index.html", "bundle.css", *_SCRIPTS)
_SECONDS = 5.0  # between two lines that say how far it is
_OF_THE_APP = ("app.css", "app.js")
_OWN = frozenset((MARK, *_PAGES, *_OF_THE_APP, "katex", "data", "tables"))
_CARDS = 192 << 10  # bytes of JSON in a file
_ROWS = 48 << 10


def export(path: Path, folder: Path, told: Callable[[str], None] = lambda line: None) -> None:
    """Write a run as a folder that any static file server shows.

    Args:
        path: of the run.
        told: hears, a line at a time, how far it is.

    Raises:
        UserError: there is no run or no problem in it, the folder holds something else, or what
            the demo needs is not installed.
        PlaceError: the folder cannot be written.
    """
    _check_place(folder)
    if find_spec("markdown_it") is None:
        raise UserError("--export needs markdown_it; in a clone: pip install -e '.[demo]'")
    run = RunIndex(path)
    if not run.problems:
        raise UserError(f"{path}: it holds no problems yet, so there is nothing to export")
    with replacing_folder(folder) as place:
        (place / MARK).write_text("")
        _write_pages(place)
        _write_data(run, place, told)


def _check_place(folder: Path) -> None:
    """Refuse what an export would take from the user: all that is in the folder is replaced."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"--export {folder}: it is no folder of its own; give a new folder")
    foreign = sorted(there if MARK not in there else there - _OWN)
    if foreign:
        raise UserError(
            f"--export {folder}: it holds something else than a bundle, {', '.join(foreign[:3])}"
            f"{' …' if len(foreign) > 3 else ''}; give a new folder"
        )


def _write_pages(place: Path) -> None:
    for package, names in (("bundle", _PAGES), ("demo", _OF_THE_APP)):
        static = files(f"vlm_boundary.{package}") / "static"
        for name in names:
            (place / name).write_bytes((static / name).read_bytes())
    _write_katex(place / "katex")


def _write_katex(place: Path) -> None:
    """KaTeX as the app has it: Gradio's. Without Gradio formulas stay as written."""
    place.mkdir()
    gradio = find_spec("gradio")
    scripts, styles = [], []
    if gradio and gradio.origin:
        assets = Path(gradio.origin).parent / "templates" / "frontend" / "assets"
        scripts, styles = sorted(assets.glob("katex-*.js")), sorted(assets.glob("katex-*.css"))
        for font in assets.glob("KaTeX_*.woff2"):
            shutil.copyfile(font, place / font.name)
    licence = files("vlm_boundary.bundle") / "static" / "katex-LICENSE.txt"
    (place / "LICENSE.txt").write_bytes(licence.read_bytes())
    for found, name in ((scripts, "katex.js"), (styles, "katex.css")):
        if found:
            shutil.copyfile(found[0], place / name)


def _write_data(run: RunIndex, place: Path, told: Callable[[str], None]) -> None:
    data = place / "data"
    arms: list[dict[str, Any]] = []
    known = [
        found
        for benchmark in run.benchmarks
        for condition in run.conditions
        for arm in run.arms
        if (found := run.partition(arm, benchmark, condition)) is not None
    ]
    for number, one in enumerate(known):
        said = (
            f"{number} of {len(known)} partitions written; now {' · '.join(_named(one).values())}"
        )
        progress = PacedLines(said, "problems", told, _SECONDS)
        ArmWriter(run, one, data / f"arm-{number}").write(progress)
        arms.append(_named(one))
    for number, benchmark in enumerate(run.benchmarks):
        write_problems(run, benchmark, data / f"benchmark-{number}")
    first = settle(View(), {run.name: run})
    write_packed(data / "figures", pictures_page(run))
    write_packed(data / "numbers", runs_page({run.name: run}))
    write_packed(
        data / "run",
        {
            "name": run.name,
            "status": status_line(run, grows=False),
            "arms": [[arm, run.role(arm), run.model(arm)] for arm in run.arms],
            "benchmarks": run.benchmarks,
            "conditions": run.conditions,
            "sorts": SORTS,
            "first": {"left": first.left, "right": first.right, "benchmark": first.benchmark},
            "partitions": arms,
            "katex": (place / "katex" / "katex.js").is_file(),
        },
    )
    told("The same as Parquet …")
    _write_tables(run, known, place / "tables")


def _write_tables(run: RunIndex, known: list[PartitionIndex], place: Path) -> None:
    """`problems.parquet`, a row a problem and partition, and the responses, a file a partition."""
    (place / "responses").mkdir(parents=True)
    counted = []
    for number, one in enumerate(known):
        drawn = responses(run.directory, one.partition)
        pq.write_table(drawn, place / "responses" / f"{number}.parquet")
        problems = run.problems[one.partition.benchmark]
        names = _named(one).items()
        columns = {name: pa.array([value] * len(problems)) for name, value in names}
        columns["problem_id"] = pa.array([problem.problem_id for problem in problems])
        counted.append(pa.table(columns | tallies(one.codes)))
    if counted:
        pq.write_table(pa.concat_tables(counted), place / "problems.parquet")


def _named(one: PartitionIndex) -> dict[str, str]:
    return {name: getattr(one.partition, name) for name in KEYS}


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

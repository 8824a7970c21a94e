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
from vlm_boundary.bundle.packs import write_packed
from vlm_boundary.bundle.problems import write_problems
from vlm_boundary.demo.figures import pictures_page, runs_page
from vlm_boundary.demo.index import PartitionIndex, RunIndex
from vlm_boundary.demo.listing import tallies
from vlm_boundary.demo.pages import status_line
from vlm_boundary.demo.view import SORTS, View, settle
from vlm_boundary.errors import UserError
from vlm_boundary.progress import PacedLines
from vlm_boundary.publish.tables import responses
from vlm_boundary.writing import replacing_folder

MARK = ".vlm-boundary-bundle"
"""Only a folder that holds it, and nothing that is not an export's, is written again."""
_PAGES = (
    "index.html",
    "bundle.css",
    "data.js",
    "built.js",
    "view.js",
    "search.js",
    "frame.js",
    "page.js",
)
_SECONDS = 5.0  # between two lines that say how far it is
_OF_THE_APP = ("app.css", "app.js")
_OWN = frozenset((MARK, *_PAGES, *_OF_THE_APP, "katex", "data", "tables"))


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
        said = f"{number} of {len(known)} partitions written; now {' · '.join(_named(one))}"
        progress = PacedLines(said, "problems", told, _SECONDS)
        ArmWriter(run, one, data / f"arm-{number}").write(progress)
        arms.append(dict(zip(("arm", "benchmark", "condition"), _named(one), strict=True)))
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
        pq.write_table(
            responses(run.directory, one.partition), place / "responses" / f"{number}.parquet"
        )
        problems = run.problems[one.partition.benchmark]
        names = dict(zip(("arm", "benchmark", "condition"), _named(one), strict=True))
        columns = {name: pa.array([value] * len(problems)) for name, value in names.items()}
        columns["problem_id"] = pa.array([problem.problem_id for problem in problems])
        counted.append(pa.table(columns | tallies(one.codes)))
    if counted:
        pq.write_table(pa.concat_tables(counted), place / "problems.parquet")


def _named(one: PartitionIndex) -> tuple[str, str, str]:
    at = one.partition
    return at.arm, at.benchmark, at.condition

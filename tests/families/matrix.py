"""The table of docs/models.md: every family against what must hold of it.

    python tests/families/matrix.py                 all of them
    python tests/families/matrix.py qwen3-vl gemma3 only these; the other rows stay as they are
    python tests/families/matrix.py --killed        only the column of killed runs, of all of them

The cells are printed and written into the document.

Families share one warm process, so that an engine's start takes seconds; where one of them ends
that process, the next goes on in another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- begin of the table -->\n", "<!-- end of the table -->\n"
COLUMNS = (
    "prompt",
    "thought",
    "picture tokens",
    "no picture",
    "two pictures",
    "log-probabilities",
    "score",
    "resume",
    "killed",
    "prefix cache",
    "mask",
    "thinking switch",
    "max_tokens",
)
_MARK = "cell: "

Cells = dict[str, dict[str, str]]


def check(families: list[str]) -> None:
    """Check families in this process, telling each cell as it is known."""
    from families.checks import Checks

    for family in families:
        with tempfile.TemporaryDirectory() as folder:
            print(_MARK + json.dumps([family, "begun", "yes"]), flush=True)
            for name, cell in Checks(family, Path(folder)).run():
                print(_MARK + json.dumps([family, name, cell]), flush=True)


def gather(families: list[str]) -> Cells:
    """Check families in processes of their own, as few as they let live."""
    cells: Cells = {}
    left = list(families)
    while left:
        command = [sys.executable, str(Path(__file__)), "--here", *left]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(_MARK):
                    family, name, cell = json.loads(line.removeprefix(_MARK))
                    cells.setdefault(family, {})[name] = cell
                    print(f"{family:20}{name:20}{cell}", file=sys.stderr, flush=True)
        done = [family for family in left if family in cells]
        if process.returncode != 0 and done:
            cells[done[-1]]["ended"] = f"the process ended with {process.returncode}"
        left = [family for family in left if family not in cells] if done else []
    return cells


def gather_killed(families: list[str]) -> Cells:
    """The column of killed runs."""
    from families.killed import resumed

    with tempfile.TemporaryDirectory() as folder:
        return {family: {"killed": cell} for family, cell in resumed(families, Path(folder))}


def table(cells: Cells) -> str:
    """The cells as Markdown."""
    from vlm_boundary.tiny.families import FAMILIES

    lines = ["| family | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for family, found in cells.items():
        stop = next(
            (f"{w}: {found[w]}" for w in ("loads", "vLLM") if found.get(w, "yes") != "yes"),
            "",
        )
        row = [found.get(name, "–") for name in COLUMNS]
        lines.append(f"| {FAMILIES[family].title} | " + " | ".join(row) + " |")
        if stop:
            lines.append(f"| {family} stops at | {stop} |" + " |" * (len(COLUMNS) - 1))
    return "\n".join(lines) + "\n"


def read_table() -> Cells:
    """The cells as the document has them."""
    from vlm_boundary.tiny.families import FAMILIES

    written = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in written.splitlines()]
    by_title = {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in rows[2:]}
    return {name: by_title[family.title] for name, family in FAMILIES.items()}


def main(arguments: list[str]) -> int:
    """Run as a command."""
    from vlm_boundary.tiny.families import FAMILIES

    if arguments[:1] == ["--here"]:
        check(arguments[1:])
        return 0
    killed_only = arguments[:1] == ["--killed"]
    families = arguments[killed_only:] or list(FAMILIES)
    known = read_table()
    cells = {family: known[family] for family in families} if killed_only else gather(families)
    for family, found in gather_killed(families).items():
        cells[family] = cells.get(family, {}) | found
    print(table(cells))
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + table(known | cells) + END + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    sys.exit(main(sys.argv[1:]))

"""No room imports one above it, and no modules import each other in a circle."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "vlm_boundary"


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """What the contract says of the package in a folder."""
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-logo", "--no-cache", REPOSITORY / "pyproject.toml"],
        env={"PYTHONPATH": str(tree)},
        cwd=tree,
        capture_output=True,
        text=True,
    )


def test_the_rooms_keep_their_order() -> None:
    found = lint(REPOSITORY)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 kept, 0 broken" in found.stdout


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("store/run.py", "import vlm_boundary.benchmarks.load", "No room imports one above it"),
        ("sampling/plan.py", "import vlm_boundary.sampling.stage", "No circle anywhere"),
        ("anything.py", "", "No room imports one above it"),  # has no place in the order
    ],
)
def test_what_runs_against_it_is_refused(
    tmp_path: Path, module: str, statement: str, broken: str
) -> None:
    only_code = shutil.ignore_patterns("weights", "__pycache__", "static")
    copy = shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=only_code)
    with (copy / module).open("a") as file:
        file.write(f"\n\ndef late():\n    {statement or 'pass'}\n")
    found = lint(tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{broken} BROKEN" in found.stdout


def test_the_document_has_the_order_of_the_contract() -> None:
    content = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = content["tool"]["importlinter"]["contracts"][0]["layers"]
    document = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = document.split("## Rooms\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", rooms, re.MULTILINE)
    wanted = layers[1 : layers.index("settings")]  # those below share the last row
    assert [" | ".join(re.findall(r"`(\w+)`", row)) for row in rows[:-1]] == wanted

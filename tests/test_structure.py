"""No room imports one above it, no circle, one class name for one idea, no long function."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "vlm_boundary"
LONGEST = 60


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Everything in the package's code, with the module that it stands in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.relative_to(PACKAGE).as_posix(), node


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


def test_no_two_public_classes_share_a_name() -> None:
    found = defaultdict(list)
    for module, node in nodes():
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found[node.name].append(module)
    shared = {name: modules for name, modules in found.items() if len(modules) > 1}
    assert len(found) > 100  # the package's, indeed
    assert not shared


def test_no_function_is_long() -> None:
    lengths = {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module, node in nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000  # the package's, indeed
    assert not {where: lines for where, lines in lengths.items() if lines > LONGEST}


def test_no_string_stands_by_itself() -> None:
    """As the second line of a pattern does whose parentheses were forgotten."""
    docstrings = statements = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if not isinstance(node, ast.Expr):
                continue
            statements += 1
            if isinstance(node.value, ast.JoinedStr) or (
                isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            ):
                assert lines[node.lineno - 1].lstrip().startswith(('"""', 'r"""')), (
                    path,
                    node.lineno,
                )
                docstrings += 1
    assert statements > docstrings > 1000  # the package's, indeed


def test_what_is_kept_cannot_be_changed() -> None:
    """A remembered list or dictionary that one caller changes is another one's from then on."""
    mutable = re.compile(r"\b(?:list|dict|set|Counter|defaultdict|bytearray)\b")
    kept = [
        (f"{module}:{node.lineno} {node.name}", ast.unparse(node.returns) if node.returns else "")
        for module, node in nodes()
        if isinstance(node, ast.FunctionDef)
        and any("cache" in ast.unparse(one).split("(")[0] for one in node.decorator_list)
        and not any("property" in ast.unparse(one) for one in node.decorator_list)
    ]
    assert len(kept) > 20
    assert not [where for where, returned in kept if mutable.search(returned)]

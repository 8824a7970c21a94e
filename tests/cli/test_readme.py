"""What the README and the other documents say of the commands, against the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest

from vlm_boundary.cli import cli

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
# To the end of a code span, a line, a pipe or a comment.
_TYPED = re.compile(r"vlm-boundary ([^`\n#&)]+)")


def commands(group: click.Group = cli, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def table() -> list[str]:
    """The first call of each row of the README's table of commands."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.split("## Commands")[1].split("\n## ")[0]
    return re.findall(r"^\| `vlm-boundary (.*?)`(?:,| \|)", section, re.MULTILINE)


def test_the_table_has_every_command_once() -> None:
    there = dict(commands())
    rows = [
        next((name for name in there if f"{row} ".startswith(f"{name} ")), row) for row in table()
    ]
    assert sorted(rows) == sorted(there)


@pytest.mark.parametrize("row", table())
def test_a_row_calls_its_command_as_its_help_does(row: str) -> None:
    name, command = max(
        ((n, c) for n, c in commands() if f"{row} ".startswith(f"{n} ")),
        key=lambda one: len(one[0]),
    )
    wanted = {
        word
        for parameter in command.params
        if isinstance(parameter, click.Argument)
        for word in re.split(r"[|…. ]+", (parameter.metavar or parameter.name or "").upper())
    }
    given = re.split(r"[\\|…. ]+", re.sub(r"--\S+ \S+", "", row.removeprefix(name)).upper())
    assert set(filter(None, given)) <= wanted | {"FILE"}, wanted


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_written_down_exists(document: Path) -> None:
    there = dict(commands())
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    for typed in _TYPED.findall(text):
        words = typed.split()
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in there), None)
        if name is None:
            assert words[0] in (*cli.commands, "COMMAND"), typed
            continue
        known = {option for parameter in there[name].params for option in parameter.opts}
        for word in words:
            if re.fullmatch(r"--?[a-z][a-z-]*", word):
                assert word in known | {"--help", "-h"}, typed


def test_the_package_says_that_it_is_typed() -> None:
    assert files("vlm_boundary").joinpath("py.typed").is_file()

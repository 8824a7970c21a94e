"""What the README and the other documents say, against the commands and the code themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest
from engines.test_bound import MODEL, uniform

from vlm_boundary.cli import cli
from vlm_boundary.engines.bound import find_gpu, lower_bound

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
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
    """The first call of each row of the table of commands."""
    text = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `vlm-boundary (.*?)`(?:,| \|)", text, re.MULTILINE)


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
        for word in re.split(r"[|…. \[\]]+", (parameter.metavar or parameter.name or "").upper())
    }
    given = re.split(r"[\\|…. \[\]]+", re.sub(r"--\S+ \S+", "", row.removeprefix(name)).upper())
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


def test_a_first_look_stays_short() -> None:
    """Each of the three ways in has ten lines of code at most, and the whole is a few screens."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130
    for name in ("My checkpoint", "My benchmark", "Outputs I already have"):
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        code = "".join(re.findall(r"```\w+\n(.*?)```", section, re.DOTALL))
        assert 1 <= len(code.splitlines()) <= 10


def test_the_hours_of_a_real_run_are_those_that_plan_reckons() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    table = text.split("## What a real run takes")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    gpus = [find_gpu(name) for name in rows[0][1:]]
    told = {row[0]: [float(cell) for cell in row[1:]] for row in rows[2:]}
    assert set(told) == {"900 tokens", "4,000 tokens"}
    for name, hours in told.items():
        response = int(name.split()[0].replace(",", ""))
        work = uniform(114, 256, 700, response) + uniform(114, 256, 700, response)
        for gpu, said in zip(gpus, hours, strict=True):
            bound = lower_bound(work, MODEL, gpu, {})
            assert said == pytest.approx(bound.seconds / 3600, rel=0.03)
    assert f"{MODEL.resident_bytes / 1e9:.1f} GB" in table


def test_the_package_says_that_it_is_typed() -> None:
    assert files("vlm_boundary").joinpath("py.typed").is_file()

"""The site's generated pages say all that the code does, and every page and link has its place."""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from ruamel.yaml import YAML

from vlm_boundary.cli import cli
from vlm_boundary.config import ExperimentConfig

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\(([^)#: ]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(site: ModuleType) -> dict[str, str]:
    return dict(site.pages())


def test_every_command_and_option_is_there(site: ModuleType, pages: dict[str, str]) -> None:
    page = pages["reference/cli.md"]
    names = [name for name, _ in site.commands(cli, "vlm-boundary")]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        name.removeprefix("vlm-boundary ") for name in names
    ]
    for _, command in site.commands(cli, ""):
        for option in (name for p in command.params for name in p.opts if name.startswith("--")):
            assert option in page


def test_every_key_of_an_experiment_is_there_with_what_it_says(pages: dict[str, str]) -> None:
    rows = pages["reference/experiment.md"].split("\n## ")[0]
    for name, field in ExperimentConfig.model_fields.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", rows, re.MULTILINE)
        assert field.description
        assert not row.rstrip(" |").endswith("|")


def test_columns_have_what_their_comments_say(pages: dict[str, str]) -> None:
    table = pages["reference/tables.md"].split("## samples\n")[1].split("\n## ")[0]
    assert "| `seed` | `int64` | may be | null where the engine cannot seed a sample |" in table
    assert "| `problem_id` | `string` | never |  |" in table


@pytest.mark.parametrize("name", ["experiment", "benchmark", "gate-rules", "analysis-json"])
def test_every_record_that_is_linked_has_its_table(pages: dict[str, str], name: str) -> None:
    page = pages[f"reference/{name}.md"]
    linked = set(re.findall(r"\]\(#([a-z0-9]+)\)", page))
    assert linked <= {head.lower() for head in re.findall(r"^## (\w+)$", page, re.MULTILINE)}


def test_what_is_a_strangers_stays_text(site: ModuleType) -> None:
    assert site._text("<b> | [x] `<raw>` a_b") == r"\<b\> \| \[x\] `<raw>` a\_b"


def test_a_bar_in_the_code_of_a_cell_stays_a_bar(site: ModuleType) -> None:
    page = "| `A\\|B` | a \\| b |\nx `A\\|B`"
    assert site.plain_pipes(page) == "| `A|B` | a \\| b |\nx `A\\|B`"


def test_every_page_is_in_the_navigation(site: ModuleType, pages: dict[str, str]) -> None:
    written = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = YAML(typ="safe", pure=True).load(written)["nav"]
    named = {place if isinstance(place, str) else next(iter(place.values()))
             for section in nav for part in section.values() for place in part}  # fmt: skip
    there = {path.name for path in DOCS.glob("*.md")} | set(pages)
    assert named == there | {place for place in site.BESIDE.values() if place.endswith(".md")}


def test_every_link_of_the_repository_leads_somewhere(site: ModuleType) -> None:
    for document in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
            assert (document.parent / target).exists(), (document.name, target)
            if target.startswith("../") and document.parent == DOCS:
                assert target.removeprefix("../") in site.BESIDE, (document.name, target)


def _documented(thing: object) -> Iterator[object]:
    """An object that the API's page names and, of a class, what it offers."""
    yield thing
    if inspect.isclass(thing):
        yield from (one for name, one in vars(thing).items()
                    if name[0] != "_" and inspect.isfunction(one))  # fmt: skip


@pytest.mark.parametrize("path", re.findall(r"^::: (\S+)$", API, re.MULTILINE))
def test_a_docstring_explains_parameters_that_there_are(path: str) -> None:
    """The site's build warns of others, and a warning ends it."""
    for thing in _documented(pkgutil.resolve_name(path)):
        arguments = re.search(r"^Args:\n((?: +.*\n)+)", inspect.getdoc(thing) or "", re.MULTILINE)
        explained = re.findall(r"^ {4}(\S.*?):", arguments[1], re.MULTILINE) if arguments else []
        assert callable(thing)
        assert not explained or set(explained) <= set(inspect.signature(thing).parameters), thing

"""The site's reference pages, made of the code at build time, and links that leave docs/.

MkDocs calls the hooks (`hooks:` in mkdocs.yml); nothing made here is kept in the repository.

    python docs/generate.py FOLDER     # the pages alone, as Markdown
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.cli import cli
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.config.gate import GateRules
from vlm_boundary.store import schemas

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
ROOT = DOCS.parent
# Documents and files beside docs/ that pages link to, by where the site has them.
BESIDE = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "SECURITY.md": "security.md",
    "CITATION.cff": "files/CITATION.cff",
    "LICENSE": "files/LICENSE",
    "examples/python.ipynb": "files/python.ipynb",
    "vlm_boundary/tiny/weights/curves.svg": "files/curves.svg",
}
TABLES = {
    "samples": schemas.SAMPLES,
    "verdicts": schemas.VERDICTS,
    "validity": schemas.VALIDITY,
    "statements": schemas.STATEMENTS,
    "opinions": schemas.OPINIONS,
    "judgements": schemas.JUDGEMENTS,
    "scores": schemas.SCORES,
    "failures": schemas.FAILURES,
    "problems": schemas.PROBLEMS,
}
_KINDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "map",
}


def pages() -> dict[str, str]:
    """Every generated page's Markdown by its place in the site."""
    experiment = "Every key of an experiment's YAML; an unknown one is an error that names it."
    benchmark = "Every key of a benchmark's YAML. [Benchmarks](../benchmarks.md) explains them."
    rules = "Every key of a file of rules. [A gate for checkpoints](../gate.md) explains them."
    analysis = (
        "Every key of `analysis.json`; a JSON Schema of it is "
        "[analysis.schema.json](../analysis.schema.json). [Statistics](../analysis.md) and "
        "[luck and errors](../luck.md) say what they mean."
    )
    published = json.loads((DOCS / "analysis.schema.json").read_text(encoding="utf-8"))
    return {
        "reference/cli.md": cli_page(),
        "reference/experiment.md": schema_page(
            "Experiments: YAML keys", experiment, ExperimentConfig.model_json_schema()
        ),
        "reference/benchmark.md": schema_page(
            "Benchmarks: YAML keys", benchmark, BenchmarkConfig.model_json_schema()
        ),
        "reference/gate-rules.md": schema_page(
            "Gate rules: YAML keys", rules, GateRules.model_json_schema()
        ),
        "reference/analysis-json.md": schema_page("analysis.json", analysis, published),
        "reference/tables.md": tables_page(),
    }


def cli_page() -> str:
    """Every command as its help says it."""
    parts = ["# Command line\n", "Written from the commands themselves.\n"]
    for name, command in commands(cli, "vlm-boundary"):
        context = click.Context(command, info_name=name)
        parts.append(f"## {name.removeprefix('vlm-boundary ')}\n")
        parts.append(f"```text\n{' '.join([name, *command.collect_usage_pieces(context)])}\n```\n")
        parts.append(f"{_help(command.help or '')}\n")
        options = (p for p in command.get_params(context) if isinstance(p, click.Option))
        records = (option.get_help_record(context) for option in options)
        rows = [(f"`{option}`", _text(what)) for option, what in filter(None, records)]
        parts.append(_table(("option", "what"), rows))
    return "\n".join(parts)


def commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it, in the order of the help."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}", command


def schema_page(title: str, intro: str, schema: dict[str, Any]) -> str:
    """A JSON Schema as a table of keys, and one for each record that it refers to."""
    parts = [f"# {title}\n", f"{intro}\n", _keys(schema)]
    for name, record in sorted(schema.get("$defs", {}).items()):
        parts.append(f"## {name}\n")
        if "description" in record:
            parts.append(f"{_text(record['description'])}\n")
        if "properties" in record:
            parts.append(_keys(record))
        else:
            parts.append(f"{_kind(record)}\n")
    return "\n".join(parts)


def tables_page() -> str:
    """The columns of a run's Parquet tables; what is said of one is its comment in the code."""
    parts = ["# Parquet tables\n"]
    parts.append(
        "Columns of a run's tables; arm, benchmark and condition stand in the folders' names "
        "(Hive). [Run directories](../run-directories.md) says what each folder holds. Tables of "
        "the statistics are in [Statistics](../analysis.md#tables).\n"
    )
    source = inspect.getsource(schemas)
    for name, schema in TABLES.items():
        said = _comments(source, name.upper())
        parts.append(f"## {name}\n")
        parts.append(_table(("column", "type", "null", "what"), _columns(schema, said)))
    return "\n".join(parts)


def linked(markdown: str, place: str) -> str:
    """A page's Markdown with its links to documents beside docs/ as the site has them.

    Args:
        place: the page's place in the site.
    """
    if place in BESIDE.values():  # written for the repository's root
        markdown = re.sub(r"(\]\()docs/", r"\1", markdown)
        prefix = ""
    else:
        prefix = "../"
    for file, target in BESIDE.items():
        markdown = re.sub(rf"(\]\(){re.escape(prefix + file)}(?=[)#])", rf"\1{target}", markdown)
    return markdown


def plain_pipes(markdown: str) -> str:
    r"""A page's Markdown with `|` for the `\|` that GitHub wants in the code of a table's cell."""
    rows = re.compile(r"^\|.*$", re.MULTILINE)
    return rows.sub(
        lambda row: re.sub(r"`[^`]+`", lambda code: code[0].replace(r"\|", "|"), row[0]), markdown
    )


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and what stands beside docs/."""
    from mkdocs.structure.files import File

    for place, text in pages().items():
        files.append(File.generated(config, place, content=text))
    for file, place in BESIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Make links and tables work in the site that work in the repository."""
    return plain_pipes(linked(markdown, page.file.src_uri))


def _keys(record: dict[str, Any]) -> str:
    required = record.get("required", [])
    rows = []
    for name, node in record.get("properties", {}).items():
        default = "required" if name in required else _default(node.get("default"))
        rows.append((f"`{name}`", _kind(node), default, _text(node.get("description", ""))))
    return _table(("key", "value", "default", "what"), rows)


def _kind(node: dict[str, Any]) -> str:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in node or "const" in node:
        return " or ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if several := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(dict.fromkeys(map(_kind, several)))
    if node.get("type") == "array":
        if "prefixItems" in node:
            return f"list of {', '.join(map(_kind, node['prefixItems']))}"
        return f"list of {_kind(node.get('items', {}))}"
    inner = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    if isinstance(inner[0], dict) and inner[0]:
        return f"map to {_kind(inner[0])}"
    return _KINDS[node["type"]] if "type" in node else "value"


def _default(value: Any) -> str:
    return (
        "" if value in (None, [], {}, "") or isinstance(value, dict) else f"`{json.dumps(value)}`"
    )


def _columns(columns: Iterable[pa.Field], said: dict[str, str]) -> list[tuple[str, ...]]:
    return [
        (
            f"`{column.name}`",
            f"`{column.type}`",
            "may be" if column.nullable else "never",
            _text(said.get(column.name, "")),
        )
        for column in columns
    ]


def _comments(source: str, name: str) -> dict[str, str]:
    """What stands behind each field of one schema."""
    body = source.split(f"\n{name} = pa.schema(")[1].split("\n)\n")[0]
    return dict(re.findall(r'pa\.field\("(\w+)", .*\)?,?  # (.+)', body))


def _help(text: str) -> str:
    """A docstring for click as Markdown, whose marked paragraphs stay lines."""
    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            parts.append("```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            parts.append(_text(paragraph))
    return "\n\n".join(parts)


def _text(text: str) -> str:
    """Words that are no Markdown, except what stands in backquotes."""
    apart = re.split(r"(`[^`]*`)", re.sub(r"\s+", " ", text).strip())
    return "".join(
        part if part.startswith("`") else re.sub(r"([<>*_|\[\]{}])", r"\\\1", part)
        for part in apart
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for place, text in pages().items():
        target = Path(sys.argv[1]) / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

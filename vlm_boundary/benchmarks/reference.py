"""The table of every key of a benchmark YAML, from the schema itself.

`python -m vlm_boundary.benchmarks.reference` writes it into docs/benchmarks.md.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from vlm_boundary.benchmarks.prompts import PROTOCOLS
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.mistakes import models_in
from vlm_boundary.store import write_text

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- schema: begin -->", "<!-- schema: end -->"


def schema_tables() -> str:
    """Markdown: a table of keys, types, defaults and meanings for each section of the YAML."""
    parts = []
    for section, model in _sections(BenchmarkConfig, ""):
        parts.append(f"### {f'`{section}`' if section else 'Top level'}\n")
        if section:
            parts.append(f"{_flat(inspect.getdoc(model) or '')}\n")
        parts.append("| key | value | default | what |\n|---|---|---|---|")
        for name, field in model.model_fields.items():
            value = field.get_default(call_default_factory=True)
            default = "required" if field.is_required() else _default(value)
            what = _flat(field.description or "").replace("|", "\\|")
            parts.append(f"| `{name}` | {_kind(field.annotation)} | {default} | {what} |")
        parts.append("")
    parts.append(f"Prompt protocols: {', '.join(f'`{name}`' for name in PROTOCOLS)}.")
    return "\n".join(parts)


def updated(document: str) -> str:
    """The document with its tables made anew between their markers."""
    before, _, rest = document.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{schema_tables()}\n{_END}{after}"


def _sections(model: type[BaseModel], name: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for field, info in model.model_fields.items():
        for inner in models_in(info.annotation):
            yield from _sections(inner, f"{name}.{field}" if name else field)


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(a) for a in arguments if a is not type(None))
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"map of {_kind(arguments[0])} to {_kind(arguments[1])}"
    if models_in(annotation):
        return "section"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "value"}
    return names[annotation]


def _default(value: Any) -> str:
    if value is None or value == () or isinstance(value, BaseModel | dict) or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


if __name__ == "__main__":
    write_text(DOCUMENT, updated(DOCUMENT.read_text(encoding="utf-8")))

"""Jinja templates of benchmark files, in a sandbox: a YAML may come from a stranger."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


class TemplateProblem(Exception):
    """A template that cannot be rendered with the values at hand, with the reason."""


def is_template(text: str) -> bool:
    """Whether a field's value is a template rather than a column's name."""
    return "{{" in text or "{%" in text


def check_template(source: str) -> str:
    """The template itself.

    Raises:
        ValueError: it is not valid Jinja.
    """
    from jinja2 import TemplateSyntaxError

    try:
        _compile(source)
    except TemplateSyntaxError as error:
        raise ValueError(f"not a Jinja template: {error.message}") from None
    return source


def render(source: str, values: Mapping[str, Any]) -> str:
    """The template's text; null values leave nothing.

    Raises:
        TemplateProblem: a name is not among the values, an expression fails, or it reaches for what
            the sandbox forbids.
    """
    from jinja2 import TemplateError

    try:
        return _compile(source).render(values)
    except (
        TemplateError,
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        RecursionError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TemplateProblem(f"template {source!r}: {reason}") from None


def as_list(value: Any) -> list[Any]:
    """A value as a list: text in list form is read, other values stand alone, null is empty."""
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str) and value.lstrip().startswith("[") and value.rstrip().endswith("]"):
        try:
            read = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [value]
        return read if isinstance(read, list) else [value]
    return [value]


def as_options(text: str) -> list[str]:
    """The options of a text that holds them all, as "A. one; B. two C) three", without the letters.

    An option begins at its letter (A, B, C … in order, at the start, after a space or a semicolon,
    followed by a full stop, a colon or a bracket and then by something); what else stands in it is
    its own, semicolons too. After a semicolon letters may leave one out.
    """
    places: list[tuple[int, int]] = []
    letter, end = "A", 0
    while found := _next_option(text, letter, end):
        places.append(found.span())
        end = found.end()
        if found["letter"] == "Z":
            break
        letter = chr(ord(found["letter"]) + 1)
    begins = [begin for _, begin in places]
    ends = [*(start for start, _ in places), len(text)][1:]
    return [text[i:j].strip("; \t\r\n") for i, j in zip(begins, ends, strict=True)]


def _next_option(text: str, letter: str, start: int) -> re.Match[str] | None:
    """Where the option with this letter begins from a place on; else one with a later letter."""
    found = _option(r"(?:^|(?<=[\s;]))", letter).search(text, start)
    if found is None and letter != "A":
        found = _option(r"(?<=;)\s*", f"{letter}-Z").search(text, start)
    return found


@lru_cache(maxsize=64)
def _option(before: str, letters: str) -> re.Pattern[str]:
    return re.compile(rf"{before}\(?(?P<letter>[{letters}])[.:)\uff0e\uff1a](?!\s*(?:;|$))\s*")


@lru_cache(maxsize=256)
def _compile(source: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: "" if value is None else value,
    )
    environment.filters["as_list"] = as_list
    environment.filters["as_options"] = as_options
    return environment.from_string(source)

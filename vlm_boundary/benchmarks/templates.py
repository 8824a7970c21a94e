"""Jinja templates of benchmark files, in a sandbox: a YAML may come from a stranger."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vlm_boundary.benchmarks.lists import as_list, as_options, as_record, option_count
from vlm_boundary.errors import reason_of

# What a prompt takes from a data set stands between these two while it is put together:
# noncharacters of Unicode, which no text is made of.
DATA_OPENS, DATA_CLOSES = "\ufdd0", "\ufdd1"
_DATA_MARK = re.compile(f"([{DATA_OPENS}{DATA_CLOSES}])")
_NO_MARKS = dict.fromkeys(map(ord, (DATA_OPENS, DATA_CLOSES)))

_TEXT_FILTERS = ("capitalize", "lower", "replace", "string", "striptags", "title", "trim", "upper")


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
    try:
        _compile(source)
    except TemplateSyntaxError as error:
        raise ValueError(f"not a Jinja template: {error.message}") from None
    return source


class Worded(str):
    """Text in which what comes from a data set is marked already."""

    __slots__ = ()


def render(source: str, values: Mapping[str, Any]) -> str:
    """The template's text; null values leave nothing.

    Raises:
        TemplateProblem: a name is not among the values, an expression fails, or it reaches for what
            the sandbox forbids.
    """
    return _rendered(source, values, marked=False)


def render_marked(source: str, values: Mapping[str, Any]) -> Worded:
    """The template's text, what its expressions give between `DATA_OPENS` and `DATA_CLOSES`.

    Raises:
        TemplateProblem: as `render` does.
    """
    return Worded(_rendered(source, values, marked=True))


def _rendered(source: str, values: Mapping[str, Any], *, marked: bool) -> str:
    failures = (TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
    try:
        return _compile(source, marked=marked).render(values)
    except (TemplateError, *failures) as error:
        raise TemplateProblem(f"template {source!r}: {reason_of(error)}") from None


def _null_stays(text_filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's that leaves null alone, of which Jinja would make the text "None"."""
    value_at = 1 if hasattr(text_filter, "jinja_pass_arg") else 0

    @wraps(text_filter)
    def filtered(*given: Any, **named: Any) -> Any:
        return None if given[value_at] is None else text_filter(*given, **named)

    return filtered


def _null_is_nothing(value: Any) -> Any:
    return "" if value is None else value


def _marked(value: Any) -> str:
    if isinstance(value, Worded):
        return value
    text = "" if value is None else str(value).translate(_NO_MARKS)
    return f"{DATA_OPENS}{text}{DATA_CLOSES}" if text else ""


def without_data_marks(text: str, inside: bool) -> tuple[str, list[tuple[int, int]], bool]:
    """Text without the marks of `render_marked`, the spans between them, and how it ends.

    Args:
        inside: it begins within data.
    """
    words, spans = "", []
    for piece in _DATA_MARK.split(text):
        if piece in (DATA_OPENS, DATA_CLOSES):
            inside = piece == DATA_OPENS
            continue
        if inside and piece:
            spans.append((len(words), len(words) + len(piece)))
        words += piece
    return words, spans, inside


@lru_cache(maxsize=256)
def _compile(source: str, *, marked: bool = False) -> Template:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=_marked if marked else _null_is_nothing,
    )
    for name in _TEXT_FILTERS:
        environment.filters[name] = _null_stays(environment.filters[name])
    for ours in (as_list, as_options, as_record, option_count):
        environment.filters[ours.__name__] = ours
    return environment.from_string(source)

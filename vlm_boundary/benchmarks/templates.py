"""Jinja templates of benchmark files, in a sandbox: a YAML may come from a stranger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks.lists import as_list, as_options

if TYPE_CHECKING:
    from jinja2 import Template


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


def _null_stays(text_filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's that leaves null alone, of which Jinja would make the text "None"."""
    value_at = 1 if hasattr(text_filter, "jinja_pass_arg") else 0

    @wraps(text_filter)
    def filtered(*given: Any, **named: Any) -> Any:
        return None if given[value_at] is None else text_filter(*given, **named)

    return filtered


@lru_cache(maxsize=256)
def _compile(source: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: "" if value is None else value,
    )
    for name in _TEXT_FILTERS:
        environment.filters[name] = _null_stays(environment.filters[name])
    environment.filters["as_list"] = as_list
    environment.filters["as_options"] = as_options
    return environment.from_string(source)

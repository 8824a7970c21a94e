"""What is wrong with settings, in the words of who wrote them."""

from __future__ import annotations

import reprlib
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vlm_boundary.counted import counted
from vlm_boundary.errors import did_you_mean

_WHOLE, _NUMBER, _TEXT = "a whole number", "a number", "text"
_LIST, _SWITCH, _KEYS = "a list, as in [a, b]", "true or false", "keys and values"
# What would be valid, by the kind of the mistake; {} are its limits.
_EXPECTED = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "string_type": _TEXT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "greater_than_equal": "a number of at least {ge:g}",
    "greater_than": "a number above {gt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "less_than": "a number below {lt:g}",
    "literal_error": "{expected}",
}
_LONGEST = 60
_MOST_PLACES = 2


@dataclass(frozen=True)
class _Place:
    """Where a location leads: the keys as a user writes them, and what may stand there.

    Attributes:
        keys: text for a key, a number for an entry of a list.
        owner: the settings that hold the last key.
        leaves: what the value may be.
        siblings: the settings by `kind` of which the owner is one.
    """

    keys: tuple[str | int, ...]
    owner: type[BaseModel]
    leaves: list[Any]
    siblings: dict[str, type[BaseModel]] = field(default_factory=dict)

    def __str__(self) -> str:
        return dotted(self.keys)


def dotted(keys: Sequence[str | int]) -> str:
    """Keys as they are written in one word: `rules[0].k`."""
    written = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return written.removeprefix(".")


def explain(model: type[BaseModel], error: ValidationError) -> str:
    """The first thing that is wrong, and what would be valid there."""
    # Unknown keys first: the values around a misspelt key are often wrong only because of it. Then
    # the deepest: where a value may be of several kinds, that is the kind that was meant.
    errors = error.errors()
    first = min(errors, key=lambda e: (e["type"] != "extra_forbidden", -len(e["loc"])))
    place = _follow(model, first)
    if first["type"] == "extra_forbidden":
        return _unknown_key(model, place)
    if first["type"] == "union_tag_invalid":
        context = first["ctx"]
        tag, valid = str(context["tag"]), str(context["expected_tags"])
        near = did_you_mean(tag, valid.replace("'", "").split(", "))
        return f"{dotted((*place.keys, 'kind'))}: {tag!r} is none of {valid}{near}"
    if first["type"] == "union_tag_not_found":
        kinds = ", ".join(map(repr, _kinds(place)))
        return f"key {dotted((*place.keys, 'kind'))!r} is missing: one of {kinds}"
    if first["type"] == "missing":
        return f"key {str(place)!r} is missing"
    return _wrong_value(model, errors, first, place)


def _unknown_key(model: type[BaseModel], place: _Place) -> str:
    *before, last = place.keys
    key, owner, others = str(last), place.owner, place.siblings
    said = f"unknown key {str(place)!r}"
    kinds = [kind for kind, other in others.items() if key in other.model_fields]
    if not kinds and (found := _meant(model, owner, before, key)):
        return f"{said}; its place is {' or '.join(found[:_MOST_PLACES])}"
    valid = {name for one in (owner, *others.values()) for name in one.model_fields}
    near = "" if kinds else did_you_mean(key, valid)
    said += f", which belongs to kind {' and '.join(kinds)}" if kinds else near
    if not near and "args" in owner.model_fields:
        said += f"; settings under the engine's own names go into {dotted((*before, 'args'))}"
    end = "" if said.endswith("?") else "."
    return f"{said}{end} Valid keys here: {', '.join(owner.model_fields)}"


def _meant(
    model: type[BaseModel], owner: type[BaseModel], before: Sequence[str | int], key: str
) -> list[str]:
    """Where a key that was written into the wrong section belongs: near it, else anywhere."""
    there = [dotted(keys) for keys in _holding(model, key)]
    if not before:
        return there
    # An arm may change what a section of the same name says of all.
    sections = [keys for keys in _holding(model, key) if keys[0] in owner.model_fields]
    near = [dotted((*before, *keys)) for keys in (*_holding(owner, key), *sections)]
    return list(dict.fromkeys(near)) or there


def _holding(model: type[BaseModel], key: str) -> Iterator[tuple[str, ...]]:
    """The paths to a key of this name in a settings record and in the sections right below it."""
    if key in model.model_fields:
        yield (key,)
    for name, inner in model.model_fields.items():
        for one in _leaves(inner.annotation):
            if _is_model(one) and key in one.model_fields:
                yield (name, key)
            elif typing.get_origin(one) is dict and any(
                key in entry.model_fields for entry in models_in(typing.get_args(one)[1])
            ):
                yield (name, "NAME", key)


def _wrong_value(
    model: type[BaseModel], errors: Sequence[ErrorDetails], first: ErrorDetails, place: _Place
) -> str:
    where = f"{place}: " if place.keys else ""
    kind, given = first["type"], first["input"]
    if kind == "string_pattern_mismatch":
        rule = "use letters, digits, '.', '_' and '-', beginning with one of the first two"
        return f"{where}{given!r} is no name here; {rule}"
    if kind == "value_error":
        return where + first["msg"].removeprefix("Value error, ")
    if kind in ("too_short", "too_long"):
        limits = first["ctx"]
        many = int(limits["min_length" if kind == "too_short" else "max_length"])
        bound = "at least" if kind == "too_short" else "at most"
        entries = counted(many, "entry", several="entries")
        return f"{where}expected {bound} {entries}{_given(given)}"
    if kind not in _EXPECTED:
        return where + first["msg"]
    # Where a value may be of several kinds, each says what it would take.
    alike = [
        one for one in errors if one["type"] in _EXPECTED and _follow(model, one).keys == place.keys
    ]
    expected = " or ".join(dict.fromkeys(_expectation(one) for one in alike))
    hint = ""
    if isinstance(given, str) and given in _kinds(place):
        hint = f"; write {{kind: {given}}}"
    elif isinstance(given, str):
        literals = (leaf for leaf in place.leaves if typing.get_origin(leaf) is typing.Literal)
        names = [name for leaf in literals for name in typing.get_args(leaf)]
        hint = did_you_mean(given, filter(lambda name: isinstance(name, str), names))
    return f"{where}expected {expected}{_given(given)}{hint}"


def _expectation(error: ErrorDetails) -> str:
    said = _EXPECTED[error["type"]].format(**error.get("ctx", {}))
    looks_otherwise = error["type"] == "string_type" and isinstance(error["input"], int | float)
    return f"{said} (in quotes)" if looks_otherwise else said


def _given(value: Any) -> str:
    shown = reprlib.repr(value)  # a few aliases can unfold into billions of values
    return f" (given: {shown})" if len(shown) <= _LONGEST else ""


def _kinds(place: _Place) -> list[str]:
    return [kind for leaf in place.leaves if _is_model(leaf) for kind in _tags(leaf)]


def _follow(model: type[BaseModel], error: ErrorDetails) -> _Place:
    """Walk an error's location through fields, maps and unions.

    pydantic puts names of types and tags into locations where a value may be of several kinds;
    nobody wrote those.
    """
    names = {"[key]", *_model_names(model)}
    unknown = error["type"] == "extra_forbidden"  # its last part somebody wrote, whatever it is
    *before, end = error["loc"] or ("[key]",)
    parts = [part for part in before if part not in names]
    parts += [end] if unknown or end not in names else []
    place = _Place((), model, [model])
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        place = _step(place, part, written=last and unknown)
    return place


def _step(place: _Place, part: str | int, *, written: bool) -> _Place:
    """One part of a location further; `written` if it is a key that no settings know."""
    models = [leaf for leaf in place.leaves if _is_model(leaf)]
    tagged = {tag: one for one in models for tag in _tags(one)} if len(models) > 1 else {}
    if not written and part in tagged:
        return _Place(place.keys, tagged[part], [tagged[part]], tagged)
    holders = [one for one in models if part in one.model_fields]
    if holders:
        leaves = _leaves(holders[0].model_fields[str(part)].annotation)
        return _Place((*place.keys, part), holders[0], leaves)
    if written and models:
        return _Place((*place.keys, part), models[0], [], place.siblings)
    types_here = [getattr(leaf, "__name__", None) for leaf in place.leaves]
    names_a_type = len(types_here) > 1 and part in types_here
    for leaf in place.leaves:
        values = typing.get_args(leaf)
        # The values' annotation: second of a dict's, first of a list's and of `tuple[X, ...]`.
        if typing.get_origin(leaf) is dict and not names_a_type:
            return _Place((*place.keys, part), place.owner, _leaves(values[1]))
        if typing.get_origin(leaf) in (list, tuple) and isinstance(part, int):
            return _Place((*place.keys, part), place.owner, _leaves(values[0]))
    return place


def _leaves(annotation: Any) -> list[Any]:
    """What a value may be: the alternatives of unions, without annotations around them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _leaves(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [leaf for option in typing.get_args(annotation) for leaf in _leaves(option)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tags(model: type[BaseModel]) -> tuple[str, ...]:
    """The values of `kind` by which a union knows a model."""
    kind = model.model_fields.get("kind")
    return typing.get_args(kind.annotation) if kind else ()


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The settings records that an annotation names, in unions, lists and maps too."""
    if _is_model(annotation):
        return [annotation]
    if isinstance(annotation, types.GenericAlias) or typing.get_origin(annotation) is not None:
        return [m for argument in typing.get_args(annotation) for m in models_in(argument)]
    return []


def _model_names(model: type[BaseModel]) -> set[str]:
    """Class names of the models inside a model, which pydantic puts into locations of unions."""
    inner = [m for field in model.model_fields.values() for m in models_in(field.annotation)]
    return {name for m in inner for name in ({m.__name__} | _model_names(m))}

"""Answers of several values: lists, tuples, sets, ratios, matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vlm_boundary.verifier.equations import right_side, single
from vlm_boundary.verifier.numbers import proportional
from vlm_boundary.verifier.outcome import Outcome
from vlm_boundary.verifier.values import Number, Relation, Several, Value

Same = Callable[[Value, Value], bool]
"""Whether an item of the gold answer equals an item of another."""


def compare_several(gold: Several, value: Value, same: Same, *, any_brackets: bool) -> Outcome:
    """Lists and tuples in order, sets and alternatives in any, matrices by their cells."""
    if gold.kind == "ratio":
        return compare_ratio(gold, value)
    names: list[str] = []
    if isinstance(value, Relation) and isinstance(value.right, Several):
        names, value = _names(value), value.right
    if not isinstance(value, Several):
        return Outcome(False, "one_value_for_several")
    if "matrix" in (gold.kind, value.kind):
        gold, value = _by_rows(gold), _by_rows(value)
    if value.kind in ("ratio", "range"):
        return Outcome(False, value.kind)
    if (gold.kind == "matrix") != (value.kind == "matrix"):
        return Outcome(None, "vector")
    if not (any_brackets or _brackets_agree(gold, value)):
        return Outcome(False, "brackets_differ")
    items = [right_side(item) for item in value.items]
    golds = [right_side(item) for item in gold.items]
    if gold.kind in ("set", "either") or value.kind == "either":
        return _unordered(golds, items, same)
    if len(golds) != len(items):
        return Outcome(False, "list_differs")
    order = _order(_names(gold), names or _names(value))
    if order is None:
        return Outcome(None, "names_differ")
    equal = all(same(g, items[i]) for g, i in zip(golds, order or range(len(golds)), strict=True))
    return Outcome(equal, "list_equal" if equal else "list_differs")


def _names(value: Value) -> list[str]:
    """What the items are called, where each has a name of its own: x=1, y=2; (x,y)=(1,2)."""
    if isinstance(value, Relation):
        names = value.name.strip("()[]{}").split(",")
    elif isinstance(value, Several):
        names = [item.name if isinstance(item, Relation) else "" for item in value.items]
    else:
        return []
    return names if len(set(names)) == len(names) and all(names) else []


def _order(gold: list[str], names: list[str]) -> list[int] | None:
    """Where each of the gold answer's items stands; empty if as written, None if unknown."""
    if gold and names:
        return [names.index(name) for name in gold] if sorted(gold) == sorted(names) else None
    if names and names != sorted(names):
        return None
    return []


def _by_rows(value: Several) -> Several:
    """A list of lists of one length as a matrix: [[1, 2], [3, 4]]."""
    rows = [row for row in value.items if isinstance(row, Several) and row.kind == "list"]
    lengths = {len(row.items) for row in rows}
    if value.kind != "list" or len(rows) < len(value.items) or len(lengths) != 1:
        return value
    return Several("matrix", tuple(replace(row, brackets="") for row in rows), "[]")


def _brackets_agree(gold: Several, value: Several) -> bool:
    if not value.brackets:
        return True
    if gold.kind == "set" or value.kind == "set":
        return gold.kind == value.kind or not gold.brackets
    return gold.brackets == value.brackets or not gold.brackets


def _unordered(golds: list[Value], items: list[Value], same: Same) -> Outcome:
    covered = all(any(same(g, v) for v in items) for g in golds)
    nothing_else = all(any(same(g, v) for g in golds) for v in items)
    equal = covered and nothing_else
    return Outcome(equal, "set_equal" if equal else "set_differs")


def compare_ratio(gold: Several, value: Value) -> Outcome:
    """A ratio a:b as a ratio, or as the number a/b."""
    parts = [single(item) for item in gold.items]
    value = right_side(value)
    if isinstance(value, Several) and value.kind == "ratio":
        found = [single(item) for item in value.items]
        same = len(found) == len(parts) and proportional(parts, found)
        return Outcome(same, "ratio_equal" if same else "ratio_differs")
    if isinstance(value, Number) and len(parts) == 2:
        first, second = parts
        if first is None or second is None or not second.terms:
            return Outcome(None, "gold_unreadable")
        same = first == value.value * second
        return Outcome(same, "ratio_equal" if same else "ratio_differs")
    return Outcome(False, "ratio_differs")

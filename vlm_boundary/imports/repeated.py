"""Harnesses that write a row a document and filter: what they say, and of which response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlm_boundary.imports.values import verdict_of


@dataclass(frozen=True)
class Said:
    """What one row said of its document: by metric, and of which text after the filter."""

    metrics: Mapping[str, Any]
    filtered: Any


@dataclass
class Judged:
    """What all rows of one document said.

    Attributes:
        rows: their places; responses are taken from the first.
        said: what each of them said.
    """

    rows: list[str]
    said: list[Said]

    def of(self, texts: Sequence[str], place: int) -> dict[str, bool | None]:
        """The verdicts on the text at one place of a document's.

        A metric is of what the filter left. It is one text's where there is no other, where the
        filter left just that text, or where it is a list with a verdict for each. Else it is of
        all of them (a majority, say), and nobody's verdict.
        """
        found: dict[str, bool | None] = {}
        for said in self.said:
            left = _only(said.filtered)
            for name, value in said.metrics.items():
                if isinstance(value, list):
                    one = value[place] if len(value) == len(texts) else None
                else:
                    one = value if len(texts) == 1 or left == texts[place] else None
                found[name] = verdict_of(one)
        return found


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose metrics that are records, or lists of them, are a metric a member each."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= {f"{name}.{member}": one for member, one in value.items()}
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for member in value[0]:
                found[f"{name}.{member}"] = [one.get(member) for one in value]
        else:
            found[name] = value
    return found


def _only(filtered: Any) -> str | None:
    """The one text that a filter left, in however many lists."""
    while isinstance(filtered, list) and len(filtered) == 1:
        filtered = filtered[0]
    return filtered if isinstance(filtered, str) else None

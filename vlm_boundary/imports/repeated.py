"""Harnesses that write one row per document and filter: what they say, and of which response."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.imports.records import LogProblem, LogRow, Reply, digest
from vlm_boundary.imports.values import (
    opens_thought,
    records,
    verdict_columns,
    verdict_of,
    why_no_text,
)


@dataclass(frozen=True)
class Harness:
    """How one of them writes its rows.

    Attributes:
        named: the name that it gives a file, without suffix, with the task as a group.
        own: the keys that are no metrics.
        texts: a row's responses, or why there are none.
        asked: a row's problem, given the log's folder.
        suffix: what tells a row's metrics from those of a document's other rows, given its filter
            and how many rows there were before it.
        whole_prompts: the question is the prompt as the model got it.
    """

    named: re.Pattern[str]
    own: frozenset[str]
    texts: Callable[[Mapping[str, Any]], tuple[list[Any], str | None]]
    asked: Callable[[Mapping[str, Any], Path], LogProblem]
    suffix: Callable[[Any, int], str]
    whole_prompts: bool

    def rows(self, path: Path) -> Iterator[LogRow]:
        """A file's rows, the responses of each document once."""
        judged = self._judged(path)
        task = found[1] if (found := self.named.fullmatch(path.stem)) else path.stem
        seen: dict[str, str] = {}
        for where, record in records(path):
            key = str(record["doc_id"])
            texts, wrong = self.texts(record)
            known = seen.setdefault(key, digest(texts, wrong))
            if judged[key].rows[0] != where:
                if known == digest(texts, wrong):
                    yield LogRow(where, repeats=True)
                else:
                    other = f"other responses than {judged[key].rows[0]} has of the same doc_id"
                    yield LogRow(where, unusable=(other,))
                continue
            if wrong:
                yield LogRow(where, unusable=(wrong,))
                continue
            asked = self.asked(record, path.parent)
            usable = [text for text in texts if why_no_text(text) is None]
            responses = tuple(
                Reply(
                    where,
                    asked,
                    text,
                    task=task,
                    opinions=judged[key].of(usable, place),
                    thinking_open=opens_thought(asked.question) if self.whole_prompts else None,
                )
                for place, text in enumerate(usable)
            )
            yield LogRow(
                where, responses, tuple(why for text in texts if (why := why_no_text(text)))
            )

    def _judged(self, path: Path) -> dict[str, Document]:
        """What was said of each document in all of its rows."""
        rows = []
        for where, record in records(path):
            metrics = flat({k: value for k, value in record.items() if k not in self.own})
            key, label = str(record["doc_id"]), record.get("filter")
            rows.append((where, key, label, metrics, record["filtered_resps"]))
        names = rows[0][3] if rows else {}
        columns = verdict_columns((metrics for _, _, _, metrics, _ in rows), names)
        found: dict[str, Document] = {}
        for where, key, label, metrics, filtered in rows:
            judged = found.setdefault(key, Document([], []))
            suffix = self.suffix(label, len(judged.rows))
            judged.rows.append(where)
            said = {f"{name}{suffix}": metrics.get(name) for name in columns}
            judged.said.append(Said(said, filtered))
        return found


@dataclass(frozen=True)
class Said:
    """What one row said of its document: by metric, and of which text after the filter."""

    metrics: Mapping[str, Any]
    filtered: Any


@dataclass
class Document:
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
    """A row whose metrics that are records, or lists of them, are one metric per member."""
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

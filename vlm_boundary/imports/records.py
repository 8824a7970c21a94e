"""What a log says, whatever tool wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LogProblem:
    """A problem as a log has it.

    Attributes:
        key: the tool's own id; None where it gives none, and question and golds are all there is.
        question: the question, or the whole prompt where the log has no other.
        golds: gold answers, each right by itself; none where the log has none.
        choices: options of a multiple-choice question, in the order of their letters.
        pictures: the content of picture files.
        lost: why pictures that the log names are not there.
        same: a hash of what must be alike wherever this key stands.
    """

    key: str | None
    question: str
    golds: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    pictures: tuple[bytes, ...] = ()
    lost: tuple[str, ...] = ()
    same: str = ""

    @property
    def content(self) -> str:
        """A hash of question and golds, by which a problem without a key is known."""
        return digest(self.question, self.golds)


@dataclass(frozen=True)
class Reply:
    """One text that a model gave.

    Attributes:
        where: its place, for whoever looks it up.
        model: what the log calls the model; None where it does not say.
        task: what the log calls the benchmark; None where it does not say.
        step: of training.
        finish_reason: `stop`, `length` or another word; None where the log does not say.
        opinions: what the tool said of it, by the tool's own names; None where it said neither.
        thinking_open: whether the prompt ended inside a thought, where the log has the prompt.
    """

    where: str
    asked: LogProblem
    text: str
    model: str | None = None
    task: str | None = None
    step: int | None = None
    finish_reason: str | None = None
    opinions: Mapping[str, bool | None] = field(default_factory=dict)
    thinking_open: bool | None = None


@dataclass(frozen=True)
class LogRow:
    """One row of a log: its responses, and why others that it should have are none.

    `repeats` says that it has the responses of an earlier row, and gives none of its own.
    """

    where: str
    responses: tuple[Reply, ...] = ()
    unusable: tuple[str, ...] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Format:
    """One tool's way to write down what models said.

    Attributes:
        name: what `--as` calls it.
        title: the tool and its file.
        needs: in words, what makes a file one of these.
        fits: whether a file's first record, or the whole of a JSON file, is of this form.
        read: the file's rows.
        archive: it is a zip archive, of which `fits` is given the names of what is in it.
    """

    name: str
    title: str
    needs: str
    fits: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Path], Iterator[LogRow]]
    archive: bool = False


def digest(*parts: Any) -> str:
    """SHA-256 of plain values."""
    text = json.dumps(parts, ensure_ascii=True, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()

"""What a log says, whatever tool wrote it; and values that all tools write alike."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.sources.files import file_records
from vlm_boundary.errors import UserError
from vlm_boundary.nulls import is_null, with_nulls

_THOUGHT = "<think>"  # what chat templates end with that open a thought
_INLINE = "data:image/"
_MOST_BYTES = 64 << 20
_SUFFIXES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"RIFF": ".webp",
    b"BM": ".bmp",
}


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


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records of a table or JSON file, each with its place; NaN is None in them.

    Raises:
        UserError: the file cannot be parsed.
    """
    for number, record in enumerate(file_records(path), start=1):
        yield f"{path.name}, record {number}", with_nulls(record)


def shown(text: Any, most: int = 60) -> str:
    """What a log calls something, for a terminal: cut, and nothing in it moves a cursor."""
    told = str(text)
    told = told if len(told) <= most else f"{told[:most]}…"
    return told if told.isprintable() else ascii(told)


def verdict_of(value: Any) -> bool | None:
    """True, false, 0 or 1; None where a value is none of these, and so no verdict."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return None


def verdict_columns(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> tuple[str, ...]:
    """Of these columns those that hold verdicts and nothing else, in their order."""
    said: dict[str, bool] = dict.fromkeys(names, False)
    no: set[str] = set()
    for row in rows:
        for name in said:
            value = row.get(name)
            if value is None:
                continue
            values = value if isinstance(value, list) else [value]
            if values and all(verdict_of(one) is not None for one in values):
                said[name] = True
            else:
                no.add(name)
    return tuple(name for name, held in said.items() if held and name not in no)


def between(names: Iterable[str], first: str, last: frozenset[str]) -> tuple[str, ...]:
    """The columns that stand behind one column and before the first of others."""
    behind = islice(dropwhile(lambda name: name != first, names), 1, None)
    return tuple(takewhile(lambda name: name not in last, behind))


def as_golds(value: Any) -> tuple[str, ...]:
    """A gold answer, or several of which each is right; none of what is neither text nor number."""
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(one, dict | list | tuple | bytes) for one in values):
        return ()
    return tuple(str(one) for one in values if not is_null(one))


def as_step(value: Any, where: str) -> int:
    """A training step.

    Raises:
        UserError: it is no whole number.
    """
    text = str(value)
    if not text.isascii() or not text.removesuffix(".0").isdecimal() or len(text) > 15:
        raise UserError(f"{where}: step {text[:40]!r} is not a whole number from 0")
    return int(text.removesuffix(".0"))


def why_no_text(value: Any) -> str | None:
    """Why a value is no response; None where it is one."""
    if value is None:
        return "no text"
    if not isinstance(value, str):
        return f"a {type(value).__name__} in place of a text"
    if any("\ud800" <= char <= "\udfff" for char in value):
        return "text that is not valid Unicode"
    return None


def opens_thought(prompt: str) -> bool:
    """Whether a rendered prompt ends inside a thought."""
    return prompt.rstrip().endswith(_THOUGHT)


def pictures_of(named: Iterable[Any], folder: Path) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """The content of pictures, and why others are not there.

    Args:
        named: data URLs, or paths of files in the log's folder; nothing else is opened.
        folder: the log's.
    """
    found: list[bytes] = []
    lost: list[str] = []
    for one in named:
        content = _content(one, folder)
        if isinstance(content, bytes):
            found.append(content)
        else:
            lost.append(content)
    return tuple(found), tuple(lost)


def _content(named: Any, folder: Path) -> bytes | str:
    if not isinstance(named, str):
        return f"a {type(named).__name__} in place of a picture"
    if named[: len(_INLINE)].lower() == _INLINE:
        head, _, body = named.partition(",")
        if not head.endswith(";base64"):
            return "a data URL that is not base64"
        try:
            content = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return "a data URL that is not base64"
        return content if suffix_of(content) else "a data URL of no kind of picture that is read"
    if "://" in named[:12]:
        return "an address, which is not fetched"
    return _file(named, folder)


def _file(named: str, folder: Path) -> bytes | str:
    if "\0" in named or len(named) > 4096:
        return "no path"
    try:
        path = (folder / named).resolve()
        if not path.is_relative_to(folder.resolve()):
            return "a path out of the log's folder, which is not opened"
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return "no such file beside the log"
        content = path.read_bytes()
    except (OSError, RuntimeError):  # too long, a circle of links, not ours to read
        return "no such file beside the log"
    return content if suffix_of(content) else "a file of no kind of picture that is read"


def suffix_of(content: bytes) -> str | None:
    """The ending of a picture file with this content; None where it is none that is known."""
    return next((end for mark, end in _SUFFIXES.items() if content.startswith(mark)), None)

"""inspect_ai's logs: `.eval` (a zip archive with a member a sample) and the same as one `.json`.

Fields and members: UKGovernmentBEIS/inspect_ai 499e6152, `log/_log.py` (EvalSample, EvalSpec),
`log/_recorders/eval.py` (header.json, _journal/start.json, samples/), `log/_condense.py`
(attachments), `model/_model_output.py` (stop reasons), `scorer/_metric.py` (C, I, P, N).

The archives are compressed with Zstandard (method 93), which Python's own module reads from 3.14
on; Arrow does everywhere. Names in an archive are never paths here.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.imports.records import (
    Format,
    LogProblem,
    LogRow,
    Reply,
    as_golds,
    digest,
    pictures_of,
    shown,
    verdict_of,
    why_no_text,
)
from vlm_boundary.nulls import with_nulls

_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_LARGEST = 256 << 20  # a member, unpacked
_LARGEST_ALL = 16 << 30
_MOST_TIMES = 1000  # what is packed of text is smaller by less than this
_LOCAL_HEADER = 30  # bytes, behind which are the name and what else there is
_ENCRYPTED = 1
_HEADERS = ("header.json", "_journal/start.json")
_SAMPLES = "samples/"
_ATTACHED = "attachment://"
_REASONS = {"max_tokens": "length", "model_length": "length", "unknown": None}
_LETTERS = {"C": True, "I": False}
_NEEDS = "an archive with header.json and samples/, or JSON with version, status and eval"


class Archive:
    """The members of a zip file; the last of a name counts, as those who append expect.

    Raises:
        UserError: it is no zip file, or one that would fill memory or disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as file:
                self._members = {info.filename: info for info in file.infolist()}
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise UserError(f"{path}: not a zip archive: {str(error)[:80]}") from None
        unpacked = sum(info.file_size for info in self._members.values())
        packed = path.stat().st_size
        if unpacked > min(_LARGEST_ALL, _MOST_TIMES * packed + _LARGEST):
            raise UserError(
                f"{path}: would unpack to {unpacked:,} bytes from {packed:,}, which no log does"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The members, in the archive's order."""
        return tuple(self._members)

    def read(self, name: str) -> bytes:
        """A member's content.

        Raises:
            UserError: it is too large, damaged, encrypted or packed in another way.
        """
        info = self._members[name]
        where = f"{self._path}: {shown(name)}"
        if info.flag_bits & _ENCRYPTED:
            raise UserError(f"{where}: is encrypted")
        if info.file_size > _LARGEST:
            raise UserError(
                f"{where}: would unpack to {info.file_size:,} bytes; {_LARGEST:,} are read at most"
            )
        try:
            content = _unpacked(self._packed(info), info.compress_type, info.file_size + 1)
        except (zlib.error, struct.error, pa.ArrowException, OSError, EOFError) as error:
            raise UserError(f"{where}: damaged: {reason_of(error)[:80]}") from None
        if content is None:
            raise UserError(f"{where}: packed by method {info.compress_type}, which is not read")
        if len(content) != info.file_size:
            raise UserError(
                f"{where}: does not unpack to the {info.file_size:,} bytes that it says"
            )
        return content

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        with self._path.open("rb") as file:
            file.seek(info.header_offset)
            name, extra = struct.unpack("<HH", file.read(_LOCAL_HEADER)[26:])
            file.seek(name + extra, 1)
            return file.read(info.compress_size)


def _unpacked(packed: bytes, method: int, most: int) -> bytes | None:
    """What is packed, up to so many bytes; None where the method is another one."""
    if method == _STORED:
        return packed
    if method == _DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
    if method == _ZSTD:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            return bytes(stream.read(most))
    return None


def _read_archive(path: Path) -> Iterator[LogRow]:
    archive = Archive(path)
    header = next(name for name in _HEADERS if name in archive.names)
    about = _object(archive.read(header), f"{path}: {header}").get("eval")
    for name in archive.names:
        if name.startswith(_SAMPLES) and name.endswith(".json"):
            where = f"{path.name}: {shown(name, 120)}"
            yield _row(where, _object(archive.read(name), where), about, path)


def _read_json(path: Path) -> Iterator[LogRow]:
    content = _object(path.read_bytes(), str(path))
    samples = content.get("samples") or []
    if not isinstance(samples, list):
        raise UserError(f"{path}: samples is not a list")
    for number, sample in enumerate(samples, start=1):
        where = f"{path.name}, sample {number}"
        yield _row(where, sample, content["eval"], path)


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        content = with_nulls(json.loads(text))
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None
    except ValueError:  # no JSON, no UTF-8, a number of thousands of digits
        raise UserError(f"{where}: not JSON") from None
    if not isinstance(content, dict):
        raise UserError(f"{where}: not a record with keys")
    return content


def _row(where: str, sample: Any, about: Any, path: Path) -> LogRow:
    if not isinstance(sample, dict) or "id" not in sample or "input" not in sample:
        return LogRow(where, unusable=("not a sample with id and input",))
    held = _mapping(sample.get("attachments"))
    output = _mapping(sample.get("output"))
    choices = output.get("choices")
    if not isinstance(choices, list) or not choices:
        ended = "the sample ended in an error" if sample.get("error") else "no output"
        return LogRow(where, unusable=(ended,))
    asked = _asked(sample, held, path)
    spec = _mapping(about)
    responses, unusable = [], []
    for place, choice in enumerate(map(_mapping, choices)):
        text = _text(_mapping(choice.get("message")).get("content"), held)
        if wrong := why_no_text(text):
            unusable.append(wrong)
            continue
        reason = choice.get("stop_reason")
        responses.append(
            Reply(
                where,
                asked,
                text or "",
                model=_named(spec.get("model")),
                task=_named(spec.get("task")),
                finish_reason=_REASONS.get(reason, reason) if isinstance(reason, str) else None,
                opinions=_scores(sample.get("scores")) if place == 0 else {},  # a scorer reads one
            )
        )
    return LogRow(where, tuple(responses), tuple(unusable))


def _asked(sample: Mapping[str, Any], held: Mapping[str, Any], path: Path) -> LogProblem:
    told = sample["input"]
    messages = told if isinstance(told, list) else [{"role": "user", "content": told}]
    texts: list[str] = []
    named: list[Any] = []
    for message in map(_mapping, messages):
        content = message.get("content")
        for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
            kind = _mapping(part).get("type")
            if kind == "text" and isinstance(part.get("text"), str):
                texts.append(_resolved(part["text"], held))
            elif kind == "image":
                named.append(_resolved(part.get("image"), held))
    pictures, lost = pictures_of(named, path.parent)
    options = sample.get("choices")
    choices = tuple(map(str, options)) if isinstance(options, list) else ()
    question, golds = "\n\n".join(texts), as_golds(sample.get("target"))
    same = digest(question, golds, choices)
    return LogProblem(str(sample["id"]), question, golds, choices, pictures, lost, same)


def _text(content: Any, held: Mapping[str, Any]) -> Any:
    """A message's text, its reasoning between marks as a template would write it."""
    if not isinstance(content, list):
        return _resolved(content, held)
    parts = []
    for part in map(_mapping, content):
        if part.get("type") == "reasoning" and not part.get("redacted"):
            parts.append(f"<think>{_resolved(part.get('reasoning'), held)}</think>")
        elif part.get("type") == "text":
            parts.append(str(_resolved(part.get("text"), held)))
    return "".join(parts) if parts else None


def _scores(scores: Any) -> dict[str, bool | None]:
    found: dict[str, bool | None] = {}
    for scorer, score in _mapping(scores).items():
        value = _mapping(score).get("value")
        several = value.items() if isinstance(value, dict) else [("", value)]
        for name, one in several:
            label = f"{scorer}.{name}" if name else scorer
            found[label] = _LETTERS.get(one) if isinstance(one, str) else verdict_of(one)
    return found


def _resolved(value: Any, held: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return held.get(value.removeprefix(_ATTACHED), value)
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


INSPECT = Format(
    "inspect",
    "an inspect_ai log",
    _NEEDS,
    lambda names: any(name in names for name in _HEADERS),
    _read_archive,
    archive=True,
)
INSPECT_JSON = Format(
    "inspect",
    "an inspect_ai log as JSON",
    _NEEDS,
    lambda log: log.keys() >= {"version", "status", "eval"} and isinstance(log["eval"], dict),
    _read_json,
)

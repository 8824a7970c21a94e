"""Samples that exist: anyone's outputs, taken from files in place of a model."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.config import ReplayConfig, SamplingConfig
from vlm_boundary.counted import counted
from vlm_boundary.engines.base import Completion, Failure, Request, Requests, unheard
from vlm_boundary.errors import UserError, reason_of

_SUFFIXES = (".jsonl", ".parquet")
# What a record may say of a sample; of these, a record that holds several has lists.
_PER_SAMPLE = ("text", "token_ids", "finish_reason", "logprob_sum")
UNKNOWN = "unknown"
"""The finish_reason of a sample whose record has none."""


class ReplayEngine:
    """Hands out the samples of a file or of a folder of files.

    A record has `problem_id` and `text`, and may have `sample_index` (otherwise a problem's samples
    count in the order in which they stand), `token_ids`, `finish_reason`, `logprob_sum` (natural
    logarithm, at temperature 1, end of turn counted), `benchmark` and `condition`. Its `text` may
    be a list, which is then several samples, or a list of lists (lm-eval's `resps`), one list
    after the other. The file is read once for each call of `generate`, and never held as a whole.

    Raises:
        UserError: there is no such file, or it cannot be read.
    """

    def __init__(self, config: ReplayConfig) -> None:
        self._files = _files(config)
        self._path = config.path
        self._names = {name: name for name in (*_PER_SAMPLE, *_ReplayedRow.KEYS)} | dict(
            config.fields
        )

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None] = unheard
    ) -> Iterator[Completion | Failure]:
        """Yield the stored samples that are asked for, in the files' order.

        What the files do not hold is said at the end, once a request.
        """
        wanted: dict[str, list[Request]] = {}
        missing: dict[str, set[int]] = {}
        for request in requests:
            assert request is not None  # samples that exist are all taken: nothing is decided
            wanted.setdefault(request.problem_id, []).append(request)
            missing[request.request_id] = set(request.indices)
        held: dict[str, int] = {}
        firsts: dict[str, str] = {}
        other: str | None = None
        for row in self.rows():
            alive()
            asked = wanted.get(row.problem_id)
            if asked is None:
                other = other or row.problem_id
                continue
            if not row.belongs_to(asked[0]):
                continue
            position = held.get(row.problem_id, 0)
            held[row.problem_id] = position + 1
            index = position if row.sample_index is None else row.sample_index
            for span in (one.request_id for one in asked if index in one.indices):
                if index not in missing[span]:
                    raise UserError(
                        f"{row.where}: sample {index} of problem {row.problem_id!r} stands there "
                        f"twice"
                    )
                missing[span].discard(index)
                if wrong := row.wrong():
                    # The same words for all that it is wrong with, so that they can be counted.
                    first = firsts.setdefault(wrong, row.where)
                    yield Failure(span, index, f"{wrong}, first in {first}", lasting=True)
                else:
                    yield row.completion(span, index)
        for request in (request for asked in wanted.values() for request in asked):
            if missing[request.request_id]:
                reason = self._lack(request, held.get(request.problem_id, 0), other)
                yield Failure(request.request_id, None, reason, lasting=True)

    def describe(self) -> dict[str, Any]:
        """What was read."""
        return {"engine": "replay", "files": [str(path) for path in self._files]}

    def close(self) -> None:
        """Nothing is held open."""

    def _lack(self, request: Request, held: int, other: str | None) -> str:
        if held:
            asked = request.indices.stop
            stored = counted(held, "sample")
            return f"{self._path} holds {stored} of this problem, {asked} are asked for"
        like = f" (it has samples of problem {other!r}, for one)" if other is not None else ""
        return f"{self._path} holds no sample of this problem{like}"

    def rows(self) -> Iterator[_ReplayedRow]:
        """Every sample that the files hold, as they stand."""
        for path in self._files:
            for number, record in enumerate(_records(path), start=1):
                yield from _ReplayedRow.from_record(record, self._names, f"{path}, record {number}")


@dataclass(frozen=True)
class _ReplayedRow:
    """One sample as a file has it."""

    KEYS = ("problem_id", "sample_index", "benchmark", "condition")

    where: str
    problem_id: str
    sample_index: int | None
    benchmark: str | None
    condition: str | None
    values: Mapping[str, Any]

    @classmethod
    def from_record(
        cls, record: Mapping[str, Any], names: Mapping[str, str], where: str
    ) -> Iterator[_ReplayedRow]:
        found = {ours: record.get(theirs) for ours, theirs in names.items()}
        for ours in ("problem_id", "text"):
            if names[ours] not in record:
                raise UserError(
                    f"{where}: has no {names[ours]!r}, only {', '.join(map(str, record))}; say "
                    f"which key it is with engine.fields.{ours}"
                )
        index = found["sample_index"]
        if index is not None and (not isinstance(index, int) or index < 0):
            raise UserError(f"{where}: sample_index {index!r} is not a count from 0")
        shared = {key: _text(found[key]) for key in ("benchmark", "condition")}
        problem_id = str(found["problem_id"])
        if not isinstance(found["text"], list):
            values = {key: found[key] for key in _PER_SAMPLE}
            yield cls(where, problem_id, index, **shared, values=values)
            return
        lists = {key: _flat(found[key], like=found["text"]) for key in _PER_SAMPLE}
        count = len(lists["text"] or ())
        for key, listed in lists.items():
            if listed is None and found[key] is not None:
                raise UserError(
                    f"{where}: holds {count} texts, so {names[key]} has to be a list of as many"
                )
        for place in range(count):
            values = {key: None if of is None else of[place] for key, of in lists.items()}
            at = None if index is None else index + place
            yield cls(f"{where}, text {place + 1}", problem_id, at, **shared, values=values)

    def belongs_to(self, request: Request) -> bool:
        """Whether benchmark and condition, as far as the file says them, are the request's."""
        return (self.benchmark or request.benchmark, self.condition or request.condition) == (
            request.benchmark,
            request.condition,
        )

    def wrong(self) -> str | None:
        """What makes it no sample."""
        text, tokens = self.values["text"], self.values["token_ids"]
        logprob = self.values["logprob_sum"]
        if not isinstance(text, str):
            return "has no text" if text is None else f"text is {type(text).__name__}, not text"
        if not _is_unicode(text):
            return "text is not valid Unicode"
        if tokens is not None and not _are_token_ids(tokens):
            return "token_ids are not a list of numbers"
        if logprob is not None and not _is_finite(logprob):
            return f"logprob_sum is {str(logprob)[:40]!r}, not a number"
        return None

    def completion(self, request_id: str, index: int) -> Completion:
        """The sample, of which nothing is wrong."""
        tokens, logprob = self.values["token_ids"], self.values["logprob_sum"]
        return Completion(
            request_id=request_id,
            index=index,
            seed=None,  # what it was drawn with elsewhere means nothing here
            token_ids=list(tokens or ()),
            text=self.values["text"],
            finish_reason=_text(self.values["finish_reason"]) or UNKNOWN,
            logprob_sum=None if logprob is None else float(logprob),
        )


def unknown_samples(config: ReplayConfig, known: Mapping[str, Set[str]]) -> Counter[str]:
    """How many samples files hold of problems that no benchmark has, by problem.

    Samples that name a benchmark which is not among them are of another experiment and not counted.

    Args:
        known: the ids of each benchmark's problems.

    Raises:
        UserError: there is no such file, or it cannot be read.
    """
    anyones = frozenset[str]().union(*known.values())
    found: Counter[str] = Counter()
    for row in ReplayEngine(config).rows():
        theirs = anyones if row.benchmark is None else known.get(row.benchmark)
        if theirs is not None and row.problem_id not in theirs:
            found[row.problem_id] += 1
    return found


def fingerprint_samples(config: ReplayConfig) -> str:
    """SHA-256 of the files' contents, whatever they are called.

    Raises:
        UserError: there is no such file, or it is of another kind.
    """
    digests = []
    for path in _files(config):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def _files(config: ReplayConfig) -> list[Path]:
    path = Path(config.path).expanduser()
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in _SUFFIXES and not file.name.startswith(".")
        )
        if not files:
            raise UserError(f"engine.path {config.path}: no {' or '.join(_SUFFIXES)} file in it")
        return files
    if not path.is_file():
        raise UserError(f"engine.path {config.path}: no such file")
    if path.suffix not in _SUFFIXES:
        raise UserError(f"engine.path {config.path}: use {' or '.join(_SUFFIXES)} files")
    return [path]


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=1024):
                    yield from batch.to_pylist()
        except pa.ArrowInvalid as error:
            raise UserError(f"{path}: not a Parquet file: {reason_of(error)}") from None
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
                raise UserError(f"{path}, line {number}: not JSON: {error}") from None
            if not isinstance(record, dict):
                raise UserError(f"{path}, line {number}: expected a record with keys")
            yield record


def _flat(values: Any, *, like: list[Any]) -> list[Any] | None:
    """What a record says of each text of the list `like`, whose lists are opened, one level deep.

    None where it is not a list of the same shape.
    """
    if not isinstance(values, list) or len(values) != len(like):
        return None
    flat = []
    for value, text in zip(values, like, strict=True):
        if not isinstance(text, list):
            flat.append(value)
        elif isinstance(value, list) and len(value) == len(text):
            flat += value
        else:
            return None
    return flat


def _are_token_ids(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(token, int) and not isinstance(token, bool) and 0 <= token < 1 << 31
        for token in value
    )


def _is_unicode(text: str) -> bool:
    """False for the halves of surrogate pairs that JSON can spell and no file can hold."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

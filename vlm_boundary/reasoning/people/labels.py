"""People's verdicts on chains of thought and answers: labels/<labeller>.jsonl, append-only.

Each line is one JSON object; nothing written is ever changed. Undoing appends a withdrawal, and so
is appended when someone was shown whose sample it was and what the checker says of it. Any number
of people, or of windows of one person, may write at once.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from filelock import FileLock

from vlm_boundary.config import FULL, Condition
from vlm_boundary.errors import UserError
from vlm_boundary.store import RunDirectory
from vlm_boundary.writing import place_errors

Subject: TypeAlias = Literal["reasoning", "answer"]
HumanVerdict: TypeAlias = Literal["valid", "invalid", "right", "wrong", "unsure"]
HUMAN_VERDICTS: dict[Subject, tuple[HumanVerdict, ...]] = {
    "reasoning": ("valid", "invalid", "unsure"),
    "answer": ("right", "wrong", "unsure"),
}
"""What can be said: whether the chain of thought is valid, or whether the final answer is right."""
LONGEST_NOTE = 10_000
_WITHDRAWN = "withdrawn"
_REVEALED: Literal["revealed"] = "revealed"
_LONGEST_NAME = 80
_LONGEST_FILE_NAME = 40


@dataclass(frozen=True, order=True, kw_only=True)
class SampleKey:
    """Which sample of a run."""

    arm: str
    benchmark: str
    problem_id: str
    sample_index: int
    condition: Condition = FULL


@dataclass(frozen=True, kw_only=True)
class Label:
    """One person's verdict on one chain of thought, or on its final answer (`subject`).

    `text_hash` is that of the sample's verdict (`text_hash` in the verdicts table): a label holds
    for the text that was read. `weight` is the inverse of the sample's chance to get into the
    `queue` it was read from; without a queue it was picked by hand, and both are None. `blind`:
    neither arm nor checker's marks were shown before the answer. `revealed_before` is of how many
    other samples the labeller had been shown both: who is told after each learns how the checker
    judges.
    """

    sample: SampleKey
    text_hash: str
    verdict: HumanVerdict
    labeller: str
    blind: bool
    subject: Subject = "reasoning"
    note: str = ""
    queue: str | None = None
    weight: float | None = None
    revealed_before: int = 0
    labelled_at: datetime | None = None
    """When it was stored; set by `add_label`."""


@dataclass(frozen=True)
class Labels:
    """What holds now: of each labeller's labels of a sample the last, unless withdrawn.

    Reasoning and answer are labelled apart. `unreadable` counts lines that are no whole record,
    such as one cut off by a crash. `revealed` has the samples of which each labeller was shown the
    arm and the checker's verdict.
    """

    labels: tuple[Label, ...]
    unreadable: int
    revealed: Mapping[str, frozenset[SampleKey]] = field(default_factory=dict)

    def on(self, subject: Subject) -> tuple[Label, ...]:
        """Those on chains of thought, or those on answers."""
        return tuple(label for label in self.labels if label.subject == subject)


def clean_labeller(name: str) -> str:
    """A labeller's name as it is shown and stored: one line, no control characters.

    Raises:
        UserError: nothing is left, or it is too long.
    """
    printable = "".join(
        c if unicodedata.category(c)[0] not in "CZ" else " "
        for c in unicodedata.normalize("NFC", name)
    )
    cleaned = " ".join(printable.split())
    if not cleaned:
        raise UserError("a labeller needs a name, as in 'anna'")
    if len(cleaned) > _LONGEST_NAME:
        raise UserError(f"a labeller's name has at most {_LONGEST_NAME} characters")
    return cleaned


def labels_path(run: RunDirectory, labeller: str) -> Path:
    """The file of a labeller; different names never share one, on any file system."""
    name = clean_labeller(labeller)
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_FILE_NAME]
    if plain != name:
        digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        plain = f"{plain}-{digest}".lstrip("-")
    return run.labels / f"{plain}.jsonl"


def add_label(run: RunDirectory, label: Label) -> Label:
    """Store a label and return it as stored; it is on disk when this returns.

    Raises:
        UserError: the verdict, the note, the weight or the labeller's name is not valid.
    """
    if label.verdict not in (valid := HUMAN_VERDICTS[label.subject]):
        raise UserError(f"label {label.verdict!r}: valid are {', '.join(valid)}")
    if len(label.note) > LONGEST_NOTE:
        raise UserError(f"a note has at most {LONGEST_NOTE:,} characters")
    if (label.queue is None) != (label.weight is None):
        raise UserError("a label from a queue has the queue's weight, another has neither")
    if label.weight is not None and not 1.0 <= label.weight < float("inf"):
        raise UserError(f"inclusion weight {label.weight}: it is 1 / probability, at least 1")
    name = clean_labeller(label.labeller)
    stored = Label(**vars(label) | {"labeller": name, "labelled_at": datetime.now(UTC)})
    content = vars(stored) | vars(stored.sample)
    del content["sample"]
    _append(run, name, content | {"labelled_at": _text_of(stored.labelled_at)})
    return stored


def withdraw_label(
    run: RunDirectory, labeller: str, sample: SampleKey, subject: Subject = "reasoning"
) -> None:
    """Undo: the labeller's verdict on a sample, and those before it, hold no more."""
    name = clean_labeller(labeller)
    record = vars(sample) | {"verdict": _WITHDRAWN, "labeller": name, "subject": subject}
    _append(run, name, record | {"labelled_at": _text_of(datetime.now(UTC))})


def record_reveal(run: RunDirectory, labeller: str, samples: Iterable[SampleKey]) -> None:
    """Note that a labeller is shown the arms of samples and what the checker says of them."""
    name = clean_labeller(labeller)
    when = _text_of(datetime.now(UTC))
    for sample in samples:
        record = vars(sample) | {"verdict": _REVEALED, "labeller": name}
        _append(run, name, record | {"labelled_at": when})


def read_labels(run: RunDirectory) -> Labels:
    """Every label that holds, by labeller and then sample."""
    found: dict[tuple[str, SampleKey, Subject], Label | None] = {}
    revealed: dict[str, set[SampleKey]] = {}
    unreadable = 0
    for path in sorted(run.labels.glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            if not line.strip():
                continue
            record = _record(line)
            if record is None:
                unreadable += 1
            else:
                key, label = record
                if isinstance(label, str):
                    revealed.setdefault(key[0], set()).add(key[1])
                else:
                    found[key] = label
    kept = [found[key] for key in sorted(found)]
    return Labels(
        tuple(label for label in kept if label is not None),
        unreadable,
        {labeller: frozenset(samples) for labeller, samples in revealed.items()},
    )


def labels_by_sample(labels: Iterable[Label]) -> dict[SampleKey, tuple[Label, ...]]:
    """The labels of each sample, one a labeller."""
    grouped: dict[SampleKey, tuple[Label, ...]] = {}
    for label in labels:
        grouped[label.sample] = (*grouped.get(label.sample, ()), label)
    return grouped


def _append(run: RunDirectory, labeller: str, record: dict[str, Any]) -> None:
    path = labels_path(run, labeller)
    with place_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _append_line(path, record)


def _append_line(path: Path, record: dict[str, Any]) -> None:
    line = json.dumps(record, ensure_ascii=True, sort_keys=True).encode() + b"\n"
    with FileLock(path.with_name(f".{path.name}.lock")):
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # A line that a crash cut off is closed, so that this one does not become part of it.
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, "the label was not written whole")
            os.fsync(file)
        finally:
            os.close(file)


def _record(
    line: bytes,
) -> tuple[tuple[str, SampleKey, Subject], Label | Literal["revealed"] | None] | None:
    """Who labelled what, and the label, that it was revealed, or None where it was withdrawn.

    None where the line is not a record.
    """
    try:
        content = json.loads(line)
        sample = SampleKey(
            arm=str(content["arm"]),
            benchmark=str(content["benchmark"]),
            problem_id=str(content["problem_id"]),
            sample_index=int(content["sample_index"]),
            condition=content["condition"],
        )
        if sample.condition not in get_args(Condition):
            return None
        labeller = str(content["labeller"])
        subject = content.get("subject", "reasoning")  # lines of older versions have none
        if subject not in HUMAN_VERDICTS:
            return None
        if content["verdict"] == _WITHDRAWN:
            return (labeller, sample, subject), None
        if content["verdict"] == _REVEALED:
            return (labeller, sample, subject), _REVEALED
        if content["verdict"] not in HUMAN_VERDICTS[subject]:
            return None
        weight = content["weight"]
        label = Label(
            sample=sample,
            text_hash=str(content["text_hash"]),
            verdict=content["verdict"],
            labeller=labeller,
            blind=bool(content["blind"]),
            subject=subject,
            note=str(content["note"]),
            queue=None if content["queue"] is None else str(content["queue"]),
            weight=None if weight is None else float(weight),
            revealed_before=int(content.get("revealed_before", 0)),
            labelled_at=datetime.fromisoformat(content["labelled_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (labeller, sample, subject), label


def _text_of(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

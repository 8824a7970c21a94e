"""One problem's samples by one arm, with all that is stored of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow as pa

from vlm_boundary.demo.codes import answer_name
from vlm_boundary.records.validity import Evidence
from vlm_boundary.records.verdict import Verdict

RULES = ["mathvista", "mathvision", "math_verify"]


@dataclass(frozen=True)
class Response:
    """What a model wrote, as a stage or a live engine hands it over."""

    sample_index: int
    seed: int | None
    tokens: int | None
    text: str
    finish_reason: str
    logprob_sum: float | None


@dataclass(frozen=True)
class CheckResult:
    """What a layer says of a sample's reasoning."""

    valid: bool | None
    flags: list[str]
    evidence: list[Evidence]


@dataclass(frozen=True)
class DrawnSample:
    """One sample with everything stored of it; None where a stage has not looked at it yet."""

    response: Response
    verdict: Verdict | None = None
    text_hash: str | None = None
    """The one that the verdict stands on."""
    checks: dict[str, CheckResult] = field(default_factory=dict)
    """By layer."""
    opinions: dict[str, bool | None] = field(default_factory=dict)


RESPONSE = [one.name for one in fields(Response)]
VERDICT = [one.name for one in fields(Verdict)]
CHECKED = [one.name for one in fields(CheckResult)]


@dataclass(frozen=True)
class ProblemSamples:
    """The samples of one problem by one arm, kept as Arrow tables; checks by layer."""

    _samples: pa.Table
    _verdicts: pa.Table
    _validity: dict[str, pa.Table]
    _opinions: pa.Table

    @property
    def nbytes(self) -> int:
        """Memory held."""
        tables = [self._samples, self._verdicts, self._opinions, *self._validity.values()]
        return int(sum(table.nbytes for table in tables))

    def answers(self) -> list[tuple[str | None, bool | None]]:
        """What each graded sample answered (as read, else as written), and whether it is right."""
        rows = self._verdicts.select(["extracted", "normalised", "correct"]).to_pylist()
        return [(row["normalised"] or row["extracted"], row["correct"]) for row in rows]

    def by_answer(self) -> dict[str, list[int]]:
        """The indices of the samples that gave each answer, by the answer's name."""
        found: dict[str, list[int]] = {}
        indices = self._verdicts["sample_index"].to_pylist()
        for index, (answer, _) in zip(indices, self.answers(), strict=True):
            found.setdefault(answer_name(answer), []).append(index)
        return found

    def sample(self, index: int) -> DrawnSample | None:
        """One sample; None where it was not drawn."""
        sample = _row(self._samples, index)
        if sample is None:
            return None
        layers = {layer: _row(rows, index) for layer, rows in self._validity.items()}
        return _drawn(sample, _row(self._verdicts, index), layers, _row(self._opinions, index))

    def every(self) -> Iterator[DrawnSample]:
        """Every sample, by its index."""
        verdicts, opinions = _by_index(self._verdicts), _by_index(self._opinions)
        validity = {layer: _by_index(rows) for layer, rows in self._validity.items()}
        for index, sample in _by_index(self._samples).items():
            layers = {layer: rows.get(index) for layer, rows in validity.items()}
            yield _drawn(sample, verdicts.get(index), layers, opinions.get(index))


def _drawn(
    sample: dict[str, Any],
    verdict: dict[str, Any] | None,
    layers: dict[str, dict[str, Any] | None],
    opinion: dict[str, Any] | None,
) -> DrawnSample:
    opinion = opinion or {}
    return DrawnSample(
        Response(**{name: sample[name] for name in RESPONSE}),
        Verdict(**{name: verdict[name] for name in VERDICT}) if verdict else None,
        verdict["text_hash"] if verdict else None,
        {layer: _checked(row) for layer, row in layers.items() if row is not None},
        {rule: opinion.get(rule) for rule in RULES if opinion},
    )


def _by_index(rows: pa.Table) -> dict[int, dict[str, Any]]:
    return {row["sample_index"]: row for row in rows.to_pylist()}


def _row(rows: pa.Table, index: int) -> dict[str, Any] | None:
    """The row of a sample index in a table sorted by it."""
    indices = rows["sample_index"].to_numpy()
    place = int(np.searchsorted(indices, index))
    if place == len(indices) or indices[place] != index:
        return None
    return dict(rows.slice(place, 1).to_pylist()[0])


def _checked(row: dict[str, Any]) -> CheckResult:
    return CheckResult(row["valid"], row["flags"], [Evidence(**one) for one in row["evidence"]])

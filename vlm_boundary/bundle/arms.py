"""One arm on one benchmark under one condition as the bundle's pages show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.bundle.packs import Packs, write_packed
from vlm_boundary.demo.codes import Bit, Codes, Tallies, count, has, ungraded
from vlm_boundary.demo.drawn import DrawnSample, ProblemSamples
from vlm_boundary.demo.index import PartitionIndex, RunIndex
from vlm_boundary.demo.pages import prompt_of
from vlm_boundary.demo.pane import rate_line, spread
from vlm_boundary.demo.shown_sample import checks, numbers_line, sample_body, verdict_line
from vlm_boundary.demo.text import visible
from vlm_boundary.demo.view import View
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import Partition, schemas

OWN = "own"
"""The side that stands in the HTML of an arm, which may be shown on either."""
_HEADS = 96 << 10  # bytes of JSON in a file
_SAMPLES = 192 << 10
_TEXTS = 1 << 20


class ArmWriter:
    """Writes one partition: `tallies`, and packs of heads, samples and texts.

    A head is what stands around the samples of one problem; a sample is
    [index, rendered, as written (0: the same), verdict, numbers and checks], all HTML; a text is
    [place of the problem, index, response], for the search.
    """

    def __init__(self, run: RunIndex, known: PartitionIndex, folder: Path) -> None:
        self._run = run
        self._known = known
        self._at = known.partition
        self._folder = folder
        self._reasons = _reasons(run, known.partition)
        self._heads = Packs(folder / "heads", _HEADS)
        self._samples = Packs(folder / "samples", _SAMPLES)
        self._texts = Packs(folder / "texts", _TEXTS)

    def write(self, told: Callable[[int, int], None]) -> None:
        """Write everything; `told` hears how many problems are written, of how many, before each.

        UserError where what is stored is no longer what the index was made of.
        """
        firsts = []
        problems = self._run.problems[self._at.benchmark]
        for place, problem in enumerate(problems):
            told(place, len(problems))
            codes = self._known.codes[place]
            samples = self._known.load(problem.problem_id)
            firsts.append(len(self._samples))
            self._heads.add(self._head(problem, codes, samples))
            drawn = np.flatnonzero(has(codes, Bit.DRAWN)).tolist()
            there = set(drawn)
            written = [one for one in samples.every() if one.response.sample_index in there]
            # The page counts in `codes` where a sample stands.
            if [one.response.sample_index for one in written] != drawn:
                raise UserError("the run changed while it was exported; try again")
            for one in written:
                self._samples.add(_sample(one))
                self._texts.add([place, one.response.sample_index, one.response.text])
        for packs in (self._heads, self._samples, self._texts):
            packs.close()
        self._write_tallies(firsts)

    def _head(self, problem: Problem, codes: Codes, samples: ProblemSamples) -> dict[str, Any]:
        arm, condition = self._at.arm, self._at.condition
        view = View(
            left=arm,
            right=arm,
            benchmark=self._at.benchmark,
            condition=condition,
            problem=problem.problem_id,
        )
        reasons = self._reasons.get(problem.problem_id, {})
        last = int(np.flatnonzero(codes)[-1]) + 1 if codes.any() else 0
        return {
            "codes": codes[:last].tolist(),
            "answers": samples.by_answer(),
            "rate": rate_line(codes),
            "spread": spread(self._run, arm, condition, codes, samples, OWN) if last else "",
            "prompt": prompt_of(view, self._run, problem),
            "trouble": [visible(reason, 300) for reason in reasons],
        }

    def _write_tallies(self, firsts: list[int]) -> None:
        """A number a problem of everything that lists are filtered and sorted by."""
        codes = self._known.codes
        alone, measures = Tallies(codes, codes), self._known.measures()
        write_packed(
            self._folder / "tallies",
            {
                "drawn": count(codes, Bit.DRAWN).tolist(),
                "right": count(codes, Bit.CORRECT).tolist(),
                "graded": has(codes, Bit.GRADED).sum(axis=1).tolist(),
                "ungraded": ungraded(codes).sum(axis=1).tolist(),
                **{
                    name: np.flatnonzero(alone.group(name)).tolist()
                    for name in ("luck", "disputed", "undecided")
                },
                "tokens": _numbers(measures.tokens),
                "logprob": _numbers(measures.logprob),
                "disagreement": _numbers(measures.disagreement),
                "firsts": firsts,
                "heads": self._heads.starts,
                "samples": self._samples.starts,
                "texts": self._texts.starts,
            },
        )


def _reasons(run: RunIndex, partition: Partition) -> dict[str, dict[str, None]]:
    """Why samples could not be drawn, each reason of a problem once."""
    table = run.directory.table("failures", schemas.FAILURES)
    found: dict[str, dict[str, None]] = {}
    for row in table.stored(partition, ["problem_id", "reason"]).to_pylist():
        found.setdefault(row["problem_id"], {})[row["reason"]] = None
    return found


def _sample(drawn: DrawnSample) -> list[Any]:
    shown, raw = sample_body(drawn), sample_body(drawn, raw=True)
    return [
        drawn.response.sample_index,
        shown,
        0 if raw == shown else raw,
        verdict_line(drawn),
        numbers_line(drawn.response) + checks(drawn),
    ]


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [float(f"{one:.9g}") if np.isfinite(one) else None for one in values.tolist()]

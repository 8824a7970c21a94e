"""The filter chain: steps that keep or drop problems, each counting what it saw and what it kept.

A step is built once for a pass over the records, since some of them remember what came before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.fields import Candidate, RecordReader
from vlm_boundary.benchmarks.schema import BenchmarkConfig, FilterConfig, GuessableConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import FilterStep

Keeps = Callable[[Candidate], bool]


class Filter:
    """One step of the chain.

    Raises:
        UserError: what the step refers to does not exist.
    """

    def __init__(self, step: FilterConfig, config: BenchmarkConfig, reader: RecordReader) -> None:
        self._step = step
        self._before = 0
        self._after = 0
        self._where = f"benchmark {config.name!r}: filters"
        self._seen: set[str] = set()
        self._keeps = self._rule(config, reader)

    def keeps(self, candidate: Candidate) -> bool:
        """Whether the problem goes on to the next step."""
        self._before += 1
        kept = self._keeps(candidate)
        self._after += kept
        return kept

    def done(self) -> FilterStep:
        """The counts, after the last record.

        Raises:
            UserError: an id that was asked for never came.
        """
        if self._step.ids is not None and (absent := set(self._step.ids) - self._seen):
            raise UserError(
                f"{self._where}.ids: no problem {min(absent)!r} among the {self._before} before "
                f"this step"
            )
        return FilterStep(_wording(self._step), self._before, self._after)

    def _rule(self, config: BenchmarkConfig, reader: RecordReader) -> Keeps:
        key, value = self._step.step

        def column(candidate: Candidate, name: str) -> Any:
            return reader.column(candidate.record, name, f"filters.{key}")

        def new(identity: str) -> bool:
            unseen = identity not in self._seen
            self._seen.add(identity)
            return unseen

        match key:
            case "multiple_choice":
                return lambda c: bool(c.problem.choices) == (value == "keep")
            case "answer_type":
                return lambda c: c.problem.answer_type in value
            case "keep":
                return lambda c: all(_is_one_of(column(c, name), value[name]) for name in value)
            case "drop":
                return lambda c: not any(_is_one_of(column(c, name), value[name]) for name in value)
            case "match":
                pattern = re.compile(value.pattern)
                return lambda c: (
                    (pattern.search(_as_text(column(c, value.field))) is not None) == value.keep
                )
            case "language":
                wanted = {name.casefold() for name in value}
                return lambda c: (c.language or "").casefold() in wanted
            case "missing_image":
                return lambda c: bool(c.pictures) and all(p.exists() for p in c.pictures)
            case "duplicates":
                return lambda c: new(c.content())
            case "guessable":
                return _not_guessable(value, config.name, self._where)
            case "first":
                return lambda c: self._after < value
            case "ids":
                return lambda c: c.problem.problem_id in value and new(c.problem.problem_id)
        raise AssertionError(key)  # the schema has no other key


def _not_guessable(config: GuessableConfig, benchmark: str, where: str) -> Keeps:
    """Appendix D.2 of Yue et al. 2025: out goes what is hit now and then without reasoning.

    What is never hit stays, and so does what is hit often, being easy rather than guessable.
    """
    from vlm_boundary.store import Partition, RunDirectory
    from vlm_boundary.store.wholeness import look, refuse_what_stops

    run = RunDirectory(Path(config.run).expanduser())
    partition = Partition(config.arm, config.benchmark or benchmark, "direct_answer")
    verdicts = run.verdicts.read(partition, ["correct", "text_hash"])
    if verdicts.num_rows == 0:
        raise UserError(
            f"{where}.guessable: {config.run} holds no verdicts on direct_answer samples of "
            f"{partition.benchmark!r} by arm {config.arm!r}; sample and verify them first"
        )
    refuse_what_stops(run, look(run))
    samples = run.samples.read(partition, ["text_hash"]).to_pylist()
    texts = {(row["problem_id"], row["sample_index"]): row["text_hash"] for row in samples}
    answered: dict[str, list[bool]] = {}
    for row in verdicts.to_pylist():
        # One of an older version says no hash of its text: there the key alone is compared.
        if texts.get((row["problem_id"], row["sample_index"]), "") in (None, row["text_hash"]):
            answered.setdefault(row["problem_id"], []).append(row["correct"] is True)
    if strange := verdicts.num_rows - sum(map(len, answered.values())):
        raise UserError(
            f"{where}.guessable: {strange:,} verdicts in {config.run} are on other texts than its "
            f"samples of arm {config.arm!r}; 'vlm-boundary verify {config.run}' first"
        )
    asked = {one.problem_id: one for one in run.read_problems(partition.benchmark)}

    def keeps(candidate: Candidate) -> bool:
        problem = candidate.problem
        right = answered.get(problem.problem_id)
        if right is None:
            raise UserError(
                f"{where}.guessable: {config.run} has no direct_answer verdict on problem "
                f"{problem.problem_id!r} by arm {config.arm!r}; sample it there first"
            )
        theirs = asked[problem.problem_id]
        if (theirs.question, theirs.answer) != (problem.question, problem.answer):
            raise UserError(
                f"{where}.guessable: problem {problem.problem_id!r} has another question or answer "
                f"in {config.run}; sample this one there first"
            )
        return not 0 < sum(right) / len(right) < config.below

    return keeps


def _is_one_of(value: Any, wanted: tuple[Any, ...]) -> bool:
    # CSV files hold nothing but text: 3 in the YAML is "3" there.
    return value in wanted or _as_text(value) in {_as_text(other) for other in wanted}


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _wording(step: FilterConfig) -> str:
    """The step as a reader of the log sees it, in a line."""
    key, value = step.step
    match key:
        case "keep" | "drop":
            said = "; ".join(f"{k} is {_one_of(v)}" for k, v in value.items())
        case "match":
            said = f"{value.field} ~ {value.pattern}" + ("" if value.keep else " (dropped)")
        case "guessable":
            said = f"answered directly by {value.arm} at a rate in (0, {value.below:g})"
        case "answer_type" | "language" | "ids":
            said = _one_of(value)
        case _:
            said = str(value)
    return f"{key}: {said}"


def _one_of(values: tuple[Any, ...]) -> str:
    shown = " or ".join(str(value) for value in values[:6])
    return shown if len(values) <= 6 else f"{shown} or {len(values) - 6} more"

"""What answers are begun with under wrong_prefix: a wrong sample up to its first false step.

A problem's source is chosen once, when all of its samples under `full` are there and graded, and
kept in the run's `prefixes/`: neither more samples nor further arms change it, and all arms go on
from the same words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.store import Partition, ProblemReader, RunDirectory

Rule = Literal["facts", "check", "before_answer"]
RULES = "first-wrong-step/1"
"""The version of the rules below; samples under another one are not mixed."""

# Flags of checks that point at a false statement, and do not speak of the chain as a whole.
_FALSE = frozenset(("wrong_fact", "wrong_step", "arithmetic_error", "contradiction"))
_EXACT = "procedural"
_CHECKS = ("arithmetic", "structure")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]|\n")
_CLAUSE_END = re.compile(r"[,;](?=\s)|[，；]")
_MARKS = ",.;:"
_TRIED = 16
"""Wrong samples of an arm that are looked at for one with a step."""


@dataclass(frozen=True)
class Prefix:
    """A beginning and the sample that it is of.

    `rule` says how its end was found: `facts`, behind the first statement that is false by what the
    picture shows; `check`, behind the first that a deterministic check vetoes; `before_answer`,
    before the sentence of the final answer. `flag` is what the check calls it.
    """

    problem_id: str
    arm: str
    sample_index: int
    text: str
    rule: Rule
    flag: str | None
    text_hash: str


def read_prefixes(run: RunDirectory, benchmark: str) -> dict[str, Prefix]:
    """The beginnings that were chosen for a benchmark's problems.

    Raises:
        UserError: a problem has two, as where runs were joined that had chosen apart.
    """
    found: dict[str, Prefix] = {}
    for partition in run.prefixes.partitions():
        if partition.benchmark != benchmark:
            continue
        for row in run.prefixes.read(partition).to_pylist():
            del row["written_at"]
            one = Prefix(arm=partition.arm, text=row.pop("prefix"), **row)
            if one.problem_id in found:
                raise UserError(
                    f"{run.prefixes.root}: problem {one.problem_id!r} of {benchmark!r} has two "
                    f"beginnings for wrong_prefix; leave the control out, or take another run_dir"
                )
            found[one.problem_id] = one
    return found


def choose_prefixes(
    run: RunDirectory, experiment: ExperimentConfig, *, limit: int | None = None
) -> None:
    """Choose a beginning for every problem that has none and that some arm got wrong.

    Of the arms that have wrong samples a hash of the run's seed and the problem says which, and of
    that arm's samples which: the first whose text has a step before its answer.

    Args:
        limit: only for each benchmark's first problems.

    Raises:
        UserError: samples are there whose beginning is not.
    """
    for benchmark in experiment.benchmarks:
        known = read_prefixes(run, benchmark)
        _refuse_lost(run, benchmark, known.keys())
        usable = [p.problem_id for p in run.read_problems(benchmark) if p.error is None]
        wanted = [problem_id for problem_id in usable[:limit] if problem_id not in known]
        arms = [name for name, arm in experiment.arms.items() if arm.role != "repeat"]
        pools = {arm: _Pool(run, Partition(arm, benchmark), wanted) for arm in arms}
        chosen: dict[str, list[Prefix]] = {}
        for problem_id in wanted:
            found = _choose(pools, experiment.seed, benchmark, problem_id)
            if found is not None:
                chosen.setdefault(found.arm, []).append(found)
        for arm, prefixes in chosen.items():
            run.prefixes.append(Partition(arm, benchmark), _rows(run, prefixes))


def _choose(pools: dict[str, _Pool], seed: int, benchmark: str, problem_id: str) -> Prefix | None:
    key = (str(seed), benchmark, problem_id)
    for arm in _in_order(key, (arm for arm, pool in pools.items() if pool.wrong.get(problem_id))):
        pool = pools[arm]
        indices = _in_order((*key, arm), map(str, pool.wrong[problem_id]))[:_TRIED]
        for one in pool.prefixes(problem_id, list(map(int, indices))):
            return one
    return None


def _in_order(key: Sequence[str], names: Iterable[str]) -> list[str]:
    def digest(name: str) -> bytes:
        return hashlib.blake2b("\0".join((*key, name)).encode()).digest()

    return sorted(names, key=digest)


class _Pool:
    """One arm's wrong samples under `full`.

    Attributes:
        wrong: the indices of answers that are wrong, by problem.
    """

    def __init__(self, run: RunDirectory, partition: Partition, wanted: Collection[str]) -> None:
        self._arm = partition.arm
        self._samples = ProblemReader.of(run.samples, partition)
        self._verdicts = ProblemReader.of(run.verdicts, partition)
        exact = [_EXACT] if partition in run.validity(_EXACT).partitions() else []
        self._rule: Rule = "facts" if exact else "check"
        self._checks = [
            ProblemReader.of(run.validity(layer), partition) for layer in exact or _CHECKS
        ]
        columns = ["problem_id", "sample_index", "status"]
        of_wanted = pc.field("problem_id").isin(pa.array(wanted, pa.string()))
        rows = run.verdicts.read(partition, columns, of_wanted)
        self.wrong: dict[str, list[int]] = {}
        for row in rows.to_pylist():
            if row["status"] == "incorrect":
                self.wrong.setdefault(row["problem_id"], []).append(row["sample_index"])

    def prefixes(self, problem_id: str, indices: Sequence[int]) -> Iterator[Prefix]:
        """The beginnings of these samples, in this order; those without a step have none."""
        texts = _by_index(self._samples, problem_id, ["text", "text_hash"])
        spans = _by_index(self._verdicts, problem_id, ["span", "text_hash"])
        checked = [
            _by_index(table, problem_id, ["evidence", "text_hash"]) for table in self._checks
        ]
        for index in indices:
            sample, verdict = texts.get(index), spans.get(index)
            if sample is None or verdict is None:
                continue
            said = [item for table in checked for item in table.get(index, {}).get("evidence", ())]
            found = first_wrong_step(sample["text"], verdict["span"], said, self._rule)
            if found is not None:
                text, rule, flag = found
                yield Prefix(problem_id, self._arm, index, text, rule, flag, verdict["text_hash"])


def first_wrong_step(
    text: str, span: Sequence[int] | None, evidence: Iterable[dict[str, Any]], rule: Rule
) -> tuple[str, Rule, str | None] | None:
    """A wrong sample up to its first false step; None where nothing stands before its answer.

    Args:
        text: the sample.
        span: where its final answer stands.
        evidence: what checks found in it, as validity tables have it.
        rule: what the checks go by.

    Returns:
        The beginning, how its end was found, and the check's flag.
    """
    answer = span[0] if span else len(text)
    false = [
        (item["end"], item["start"], item["flag"])
        for item in evidence
        if item["veto"] and item["flag"] in _FALSE and 0 < item["end"] <= answer
    ]
    if false:
        end, _, flag = min(false)
        end += text[end : end + 1] in _MARKS and end < min(len(text), answer)
        return text[:end], rule, flag
    for pattern in (_SENTENCE_END, _CLAUSE_END):
        ends = [match.end() for match in pattern.finditer(text, 0, answer)]
        if ends and text[: ends[-1]].strip():
            return text[: ends[-1]], "before_answer", None
    return None


def _by_index(
    table: ProblemReader, problem_id: str, columns: Sequence[str]
) -> dict[int, dict[str, Any]]:
    rows = table.read([problem_id], ["problem_id", "sample_index", *columns])
    return {row["sample_index"]: row for row in rows.to_pylist()}


def _rows(run: RunDirectory, prefixes: Sequence[Prefix]) -> pa.Table:
    now = datetime.now(UTC)
    # By the schema's columns: the arm is in the partition.
    listed = [vars(one) | {"prefix": one.text, "written_at": now} for one in prefixes]
    return pa.Table.from_pylist(listed, schema=run.prefixes.schema)


def _refuse_lost(run: RunDirectory, benchmark: str, known: Collection[str]) -> None:
    for partition in run.samples.partitions():
        if (partition.benchmark, partition.condition) != (benchmark, "wrong_prefix"):
            continue
        drawn = ProblemReader.of(run.samples, partition).counts.keys()
        if lost := sorted(drawn - set(known)):
            raise UserError(
                f"{run.prefixes.root}: it does not say what {partition.arm}'s samples of "
                f"{benchmark} under wrong_prefix were begun with ({lost[0]!r} and "
                f"{len(lost) - 1} more); restore it, or take another run_dir"
            )

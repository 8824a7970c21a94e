"""The shared verifier: every model's outputs, one set of rules, deadlines that really kill."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from vlm_boundary.forks import in_forks
from vlm_boundary.mathtext.errors import TooLarge, Unsupported
from vlm_boundary.mathtext.exact import Exact
from vlm_boundary.records.verdict import Status, Verdict
from vlm_boundary.verifier.approximate import far_apart, worked_out
from vlm_boundary.verifier.commitments import Found
from vlm_boundary.verifier.compare import GoldTarget, target_of
from vlm_boundary.verifier.extract import extract
from vlm_boundary.verifier.faults import FAULTS, failed
from vlm_boundary.verifier.numbers import equal
from vlm_boundary.verifier.outcome import MOST_KEPT, STATUSES, Outcome
from vlm_boundary.verifier.pool import DEADLINE_SECONDS, KillingPool
from vlm_boundary.verifier.scope import AnswerScope, answer_scope
from vlm_boundary.verifier.symbolic import is_comparable
from vlm_boundary.verifier.values import Number
from vlm_boundary.verifier.verdict import Gold, GradedProblem, Output

_TRIGONOMETRY = re.compile(r"(?:sin|cos|tan|cot).*(?:circ|°|degree)", re.DOTALL)
_VARIABLE = re.compile(
    r"(?<![\\a-zA-Z])[a-df-zA-Z](?![a-zA-Z])|\\(?:theta|alpha|beta|gamma|lambda|mu|phi|omega)\b"
)
_RULES = 8  # raise whenever the same output may get another verdict
_CACHE = 50_000_000  # characters of outputs whose verdicts are kept
_BESIDES = 250  # what a verdict takes besides, in characters
_WORTH_FORKING = 1000
_FIELDS = tuple(Verdict.__dataclass_fields__)
_CacheKey = tuple[Gold, str, bool, bool]


def grader_version() -> str:
    """What produced a verdict: our rules and the library behind them."""
    from importlib.metadata import version  # takes as long to import as all the rules

    return f"vlm_boundary/{_RULES} math-verify/{version('math-verify')}"


@dataclass(frozen=True)
class _Pending:
    """An answer that waits for a symbolic comparison."""

    found: Found
    scope: AnswerScope
    comparison: tuple[str, str]

    def concluded(self, outcome: Outcome) -> Verdict:
        """The verdict once it was compared."""
        try:
            return _concluded(self.found, self.scope, outcome)
        except FAULTS as error:
            return failed(error)


class Grader:
    """Grades outputs; use it as a context manager.

    What is simple is decided here; the rest goes to processes that are started when first needed.
    Equal outputs to equal problems are graded once.

    Args:
        workers: how many processes; by default one per core.
        deadline: seconds one symbolic comparison may take before its process is killed.
        cache: remember verdicts.
        forks: how many forks of this process share what is decided here, where many outputs come at
            once; only for a program whose threads may be forked, such as a command.
    """

    def __init__(
        self,
        workers: int | None = None,
        deadline: float = DEADLINE_SECONDS,
        *,
        cache: bool = True,
        forks: int = 1,
    ) -> None:
        self._forks = forks
        self._pool = KillingPool(workers, deadline)
        self._cache: dict[_CacheKey, Verdict] | None = {} if cache else None
        self._cached = 0

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; grading again starts them anew."""
        self._pool.close()

    def grade(self, outputs: Iterable[Output]) -> list[Verdict]:
        """A verdict for each output, in order."""
        listed = list(outputs)
        if not any(isinstance(o.gold, Gold) and o.gold.alternatives for o in listed):
            return self._grade(listed)
        golds = [output.target().each() for output in listed]
        single = [
            replace(output, gold=gold)
            for output, each in zip(listed, golds, strict=True)
            for gold in each
        ]
        verdicts = iter(self._grade(single))
        return [_best([next(verdicts) for _ in each]) for each in golds]

    def _grade(self, outputs: list[Output]) -> list[Verdict]:
        """Verdicts against one gold answer each."""
        found: list[Verdict | _Pending] = []
        cache = self._cache
        pending: dict[_CacheKey, _Pending] = {}
        keys = [self.key(output) for output in outputs]
        ahead = self._ahead(keys)
        for key in keys:
            known = cache.get(key) if cache is not None else None
            if known is None:
                made = ahead.get(key) or _guarded(key)
                if isinstance(made, _Pending):
                    if not pending:
                        self._pool.start()  # it loads its library while we go on
                    pending[key] = made
                else:
                    self._remember(key, made)
                found.append(made)
            else:
                found.append(known)
        if not pending:
            return found  # type: ignore[return-value]  # nothing is pending
        settled = self._settle(pending)
        for key, verdict in settled.items():
            self._remember(key, verdict)
        return [
            settled[key] if isinstance(made, _Pending) else made
            for key, made in zip(keys, found, strict=True)
        ]

    def _ahead(self, keys: list[_CacheKey]) -> dict[_CacheKey, Verdict]:
        """Verdicts that forks reach; without those that wait for a comparison."""
        if self._forks < 2 or len(keys) < _WORTH_FORKING:
            return {}
        known = self._cache or {}
        distinct = [key for key in dict.fromkeys(keys) if key not in known]
        shares: list[list[_CacheKey]] = [[] for _ in range(self._forks)]
        full = -(-len(distinct) // self._forks)
        of: dict[Gold, list[_CacheKey]] = {}  # a gold answer and its question are read by one fork
        for key in distinct:
            if len(of.get(key[0], ())) in (0, full):
                of[key[0]] = min(shares, key=len)
            of[key[0]].append(key)
        said = in_forks(shares, _as_json)
        return {key: _from_json(fields) for key, fields in said if fields is not None}

    @staticmethod
    def key(output: Output) -> _CacheKey:
        """All that a verdict depends on."""
        truncated = output.finish_reason == "length"
        return output.target(), output.text, truncated, output.thinking_open is True

    def _remember(self, key: _CacheKey, verdict: Verdict) -> None:
        if self._cache is None:
            return
        if self._cached > _CACHE:
            self._cache.clear()
            self._cached = 0
        self._cache[key] = verdict
        self._cached += len(key[1]) + _BESIDES

    def _settle(self, pending: dict[_CacheKey, _Pending]) -> dict[_CacheKey, Verdict]:
        """Compare symbolically what waits for it, each comparison once."""
        comparisons = list(dict.fromkeys(item.comparison for item in pending.values()))
        outcomes: dict[tuple[str, str], Outcome] = {}
        answers = self._pool.ask("equal", comparisons)
        for comparison, (same, why) in zip(comparisons, answers, strict=True):
            rule = why or ("not_parsed" if same is None else "math_verify")
            outcomes[comparison] = Outcome(same, rule)
        return {key: item.concluded(outcomes[item.comparison]) for key, item in pending.items()}


def _best(verdicts: list[Verdict]) -> Verdict:
    """Of verdicts against several right answers: right, else undecided, else the first."""
    return min(verdicts, key=lambda v: (v.correct is not True, v.correct is not None))


def grade(output: str | Output, problem: GradedProblem | Gold | str | None = None) -> Verdict:
    """The verdict on one output to a problem.

    It may be called in a loop, from any thread and in forks: the first output of a process that
    needs a symbolic comparison starts one worker, which the others use and which ends with the
    process. A `Grader` of one's own compares on every core, and forgets when it goes.

    Args:
        output: a model's text, or an `Output` that says how it ended and what it is graded against.
        problem: a benchmark's problem, a `Gold`, or the gold answer alone.
    """
    if isinstance(output, str):
        if problem is None:
            raise TypeError("grade() needs a problem, or the gold answer, to grade a text against")
        gold = problem if isinstance(problem, Gold | str) else Gold.of(problem)
        output = Output(output, gold)
    return _SHARED.grade([output])[0]


_SHARED = Grader(workers=1)  # starts nothing before something is compared symbolically
atexit.register(_SHARED.close)


def _guarded(key: _CacheKey) -> Verdict | _Pending:
    """A verdict whatever the text or the gold answer holds."""
    try:
        return _grade(*key)
    except FAULTS as error:
        return failed(error)


def _as_json(key: _CacheKey) -> list[Any] | None:
    made = _guarded(key)
    return None if isinstance(made, _Pending) else [getattr(made, name) for name in _FIELDS]


def _from_json(fields: list[Any]) -> Verdict:
    values: list[Any] = [tuple(one) if isinstance(one, list) else one for one in fields]
    return Verdict(*values)


def _grade(gold: Gold, text: str, truncated: bool, thinking_open: bool) -> Verdict | _Pending:
    target = target_of(gold)
    scope = answer_scope(text, gold.question, thinking_open=thinking_open)
    found = extract(scope, target, truncated=truncated)
    if isinstance(found, str):
        status: Status = "truncated" if truncated else "no_answer"
        return Verdict(False, status, None, found, flags=scope.flags)
    if (found.unsupported or target.unsupported) and not (target.is_text or gold.choices):
        return _symbolic(found, scope, target)
    try:
        outcome = target.compare(found.raw, found.value)
        if found.rivals and not _settled(found, target, outcome):
            outcome = Outcome(None, "ambiguous", outcome.tolerance)
    except Unsupported:
        return _symbolic(found, scope, target)
    return _concluded(found, scope, outcome)


def _settled(found: Found, target: GoldTarget, outcome: Outcome) -> bool:
    """Whether every reading of the same standing gets the same verdict."""
    others = {target.compare(found.raw, rival).correct for rival in found.rivals}
    return others <= {outcome.correct}


def _symbolic(found: Found, scope: AnswerScope, target: GoldTarget) -> Verdict | _Pending:
    """What own arithmetic does not cover: compared in the pool if it is short mathematics."""
    if found.rivals:
        return _concluded(found, scope, Outcome(None, "ambiguous"))
    raw = found.raw.strip("$ ")
    if target.is_written(raw, found.value):
        return _concluded(found, scope, Outcome(True, "as_written"))
    if isinstance(found.unsupported, TooLarge) and not target.unsupported:
        return _concluded(found, scope, Outcome(False, "number_too_large"))
    gold = target.gold.answer
    degrees = _TRIGONOMETRY.search(raw)  # math-verify reads them as radians
    if degrees or not is_comparable(raw, gold):
        return _concluded(found, scope, Outcome(None, "unsupported"))
    if target.is_constant and _VARIABLE.search(raw):
        # Whether they cancel out is what costs math-verify its whole deadline; they hardly do.
        return _concluded(found, scope, Outcome(None, "variables_left"))
    if _rounds(found, target):
        return _concluded(found, scope, Outcome(True, "rounded", str(target.tolerance)))
    if far_apart(raw, gold):
        return _concluded(found, scope, Outcome(False, "formula_differs"))
    return _Pending(found, scope, (raw, gold))


def _rounds(found: Found, target: GoldTarget) -> bool:
    """Whether one of the two is a decimal to which the other, a formula, rounds."""
    gold = target.value or _formula(target.gold.answer)
    value = found.value or _formula(found.raw)
    if not (isinstance(gold, Number) and isinstance(value, Number)):
        return False
    try:
        return equal(gold, value, target.tolerance, target.gold)
    except Unsupported:
        return False


def _formula(text: str) -> Number | None:
    value = worked_out(text)
    return None if value is None else Number(Exact.rational(Fraction(value)))


def _concluded(found: Found, scope: AnswerScope, outcome: Outcome) -> Verdict:
    if found.doubt and outcome.correct:
        outcome = Outcome(None, found.doubt, outcome.tolerance)
    return Verdict(
        outcome.correct,
        STATUSES[outcome.correct],
        found.raw[:MOST_KEPT],
        outcome.rule,
        normalised=None if found.value is None else str(found.value)[:MOST_KEPT],
        span=scope.span(found.start, found.end),
        source=found.source,
        flags=(*scope.flags, *found.flags),
        tolerance=outcome.tolerance,
    )

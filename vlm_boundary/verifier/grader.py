"""The shared verifier: every model's outputs, one set of rules, deadlines that really kill."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from importlib.metadata import version
from multiprocessing import get_context
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from vlm_boundary.iterate import batched
from vlm_boundary.verifier import symbolic
from vlm_boundary.verifier.boxed import last_boxed, plain
from vlm_boundary.verifier.scope import answer_scope, commits_to_answer
from vlm_boundary.verifier.verdict import Output, Verdict

DEADLINE_SECONDS = 5.0
_RULES = 1  # raise whenever the same output may get another verdict
_BATCH = 2048  # comparisons handed to the pool at once


def grader_version() -> str:
    """What produced a verdict: our rules and the library behind them."""
    return f"vlm_boundary/{_RULES} math-verify/{version('math-verify')}"


class Grader:
    """A pool of processes that grade outputs; use it as a context manager.

    Args:
        workers: how many processes; by default one a core.
        deadline: seconds one comparison may take before its process is killed.
    """

    def __init__(self, workers: int | None = None, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        # A server that has math-verify loaded forks the workers, so that one killed at its deadline
        # is replaced in milliseconds; it never runs a model's text itself.
        context = get_context("forkserver")
        context.set_forkserver_preload(["math_verify"])
        self._pool = ProcessPool(
            max_workers=workers or os.cpu_count() or 1,
            initializer=symbolic.start_worker,
            context=context,
        )

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.stop()
        self._pool.join()

    def grade(self, outputs: Sequence[Output]) -> list[Verdict]:
        """A verdict for each output, in order; equal comparisons are made once."""
        verdicts: list[Verdict | None] = []
        pending: dict[tuple[str, str], list[int]] = {}
        for place, output in enumerate(outputs):
            scope = answer_scope(output.text)
            verdicts.append(_without_comparing(scope, output))
            if verdicts[place] is None:
                assert scope is not None  # a missing scope has been judged
                pending.setdefault((scope, output.gold), []).append(place)
        for comparisons in batched(pending, _BATCH):
            for comparison, verdict in zip(comparisons, self._compare(comparisons), strict=True):
                for place in pending[comparison]:
                    verdicts[place] = verdict
        return [verdict for verdict in verdicts if verdict is not None]

    def _compare(self, comparisons: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
        results: Any = self._pool.map(
            _compare_in_worker, comparisons, timeout=self._deadline
        ).result()
        for _ in comparisons:
            try:
                correct, extracted = next(results)
            except FutureTimeout:
                yield Verdict(None, "undecided", None, "deadline")
            except ProcessExpired:
                yield Verdict(None, "undecided", None, "worker_died")
            except MemoryError:
                yield Verdict(None, "undecided", None, "memory")
            except Exception as error:  # noqa: BLE001  # whatever sympy raised on hostile text
                yield Verdict(None, "undecided", None, f"math_verify_{type(error).__name__}")
            else:
                yield _verdict(correct, extracted)


def grade(output: Output) -> Verdict:
    """The verdict on one output; for many, keep a `Grader` open."""
    with Grader(workers=1) as grader:
        return grader.grade([output])[0]


def _compare_in_worker(comparison: tuple[str, str]) -> tuple[bool | None, str | None]:
    return symbolic.compare(*comparison)


def _without_comparing(scope: str | None, output: Output) -> Verdict | None:
    """The verdict where nothing symbolic has to be compared, else None."""
    truncated = output.finish_reason == "length"
    if scope is None:
        status, rule = ("truncated", "cut_off") if truncated else ("no_answer", "open_think")
        return Verdict(False, status, None, rule)  # type: ignore[arg-type]
    if truncated and not commits_to_answer(scope):
        return Verdict(False, "truncated", None, "cut_off")
    if not scope.strip():
        return Verdict(False, "no_answer", None, "empty")
    boxed = last_boxed(scope)
    if boxed is not None and plain(boxed) == plain(output.gold):
        return Verdict(True, "correct", boxed, "same_text")
    if output.answer_type == "text":
        # Never symbolic: as products of letters, "red" and "der" are equal.
        answer = scope if boxed is None else boxed
        if boxed is None and plain(answer) == plain(output.gold):
            return Verdict(True, "correct", answer.strip(), "same_text")
        return Verdict(False, "incorrect", answer.strip()[:200], "text_differs")
    return None


def _verdict(correct: bool | None, extracted: str | None) -> Verdict:
    if correct is None:
        return Verdict(None, "undecided", extracted, "gold_not_parsed")
    if extracted is None:
        return Verdict(False, "no_answer", None, "nothing_extracted")
    return Verdict(correct, "correct" if correct else "incorrect", extracted, "math_verify")

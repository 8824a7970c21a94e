"""What an engine is given under a stopping rule: a next look once the last one is graded."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from vlm_boundary.engines.base import Completion
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.plan import Span
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier.beside import GraderBeside, Right, verdicts_below

# How often what has finished is stored early because nothing else can be given to the engine.
_HUNGRY_SECONDS = 0.25


@dataclass
class _Course:
    """One problem on its way: what was drawn of it, and what may still be."""

    problem: Problem
    right: dict[int, bool]
    to_come: deque[range] = field(default_factory=deque)
    broken: bool = False
    given: int = 0
    """Samples that the engine has and that are not stored yet."""


class Looks:
    """Spans for an engine, as they follow from a stopping rule and the verdicts of stored samples.

    No problem waits for another: as soon as the samples of its look are graded, beside the engine,
    its next look comes before problems that have not begun, while their prompts are still cached.
    The samples behind the last decision come when there is nothing else, and so keep the engine
    busy while it would wait for verdicts. Use it as a context manager.

    Args:
        spans: everything that may be drawn, up to the rule's n; taken as the engine has room.
        hungry: called when nothing can be given before more of what has finished is stored.
        spared: called with a problem and how many of its samples need not be drawn.
    """

    def __init__(
        self,
        run: RunDirectory,
        partition: Partition,
        rule: StoppingRule,
        spans: Iterable[Span],
        hungry: Callable[[], None],
        spared: Callable[[str, int], None],
    ) -> None:
        self._schema = run.samples.schema
        self._rule = rule
        self._limit = rule.decided_below
        ids = run.problem_ids(partition.benchmark)
        self._known = verdicts_below(run, partition, ids, self._limit)  # on what was drawn before
        self._spans = iter(spans)
        self._hungry = hungry
        self._spared = spared
        self._courses: dict[str, _Course] = {}
        self._undecided: set[str] = set()
        self._ready: deque[Span] = deque()
        self._decided: deque[Span] = deque()
        self._fresh: list[tuple[str, int, str, str]] = []
        self._grading: deque[Future[Right]] = deque()
        self._grader = GraderBeside(run, partition)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grading")
        self._fed = time.monotonic()

    def __enter__(self) -> Looks:
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._grader.close()

    def __iter__(self) -> Iterator[Span | None]:
        """The spans; None while everything that is left waits for verdicts."""
        while True:
            self.attend()
            if self._ready:
                yield self._ready.popleft()
            elif (span := next(self._spans, None)) is not None:
                self._begin(span)
            elif self._decided:
                yield self._decided.popleft()
            elif any(self._courses[key].given for key in self._undecided) or self._grading:
                if time.monotonic() - self._fed > _HUNGRY_SECONDS:
                    self._fed = time.monotonic()
                    self._hungry()
                yield None
            else:
                return

    def stored(self, problem_id: str, sample: Completion) -> None:
        """Take note of a sample that is on disk."""
        self._courses[problem_id].given -= 1
        if sample.index < self._limit:
            self._fresh.append((problem_id, sample.index, sample.text, sample.finish_reason))

    def failed(self, problem_id: str) -> None:
        """Give up a problem of which a sample cannot be drawn: its look will never be complete."""
        self._courses[problem_id].broken = True
        self._undecided.discard(problem_id)

    def attend(self) -> None:
        """Have what is new graded, and decide by what was graded meanwhile."""
        if self._fresh:
            names = ("problem_id", "sample_index", "text", "finish_reason")
            columns = dict(zip(names, map(list, zip(*self._fresh, strict=True)), strict=True))
            schema = pa.schema([self._schema.field(name) for name in names])
            table = pa.table(columns, schema=schema)
            self._fresh.clear()
            self._grading.append(self._thread.submit(self._grader.grade, table))
        while self._grading and self._grading[0].done():
            for problem_id, right in self._grading.popleft().result().items():
                course = self._courses[problem_id]
                course.right |= right
                self._advance(course)

    def _begin(self, span: Span) -> None:
        key = span.problem.problem_id
        if key not in self._courses:
            self._courses[key] = _Course(span.problem, self._known.get(key, {}))
        self._courses[key].to_come.append(span.indices)
        self._advance(self._courses[key])

    def _advance(self, course: _Course) -> None:
        """Give what the present look of a problem lacks, or leave it alone where it has ended."""
        key = course.problem.problem_id
        if course.broken:
            return
        standing = self._rule.standing_of(course.right)
        if standing.complete:
            self._undecided.discard(key)
            if left := sum(map(len, course.to_come)):
                course.to_come.clear()
                self._spared(key, left)
            return
        while course.to_come and course.to_come[0].start < standing.look:
            first = course.to_come.popleft()
            given = range(first.start, min(first.stop, standing.look))
            ahead = self._decided if standing.look == self._rule.n else self._ready
            ahead.append(Span(course.problem, given))
            course.given += len(given)
            if given.stop < first.stop:
                course.to_come.appendleft(range(given.stop, first.stop))
        if course.to_come:
            self._undecided.add(key)
        else:
            self._undecided.discard(key)

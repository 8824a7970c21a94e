"""Rows of logs put together: of which arm, benchmark and problem each response is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark_file
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.sources.files import file_records
from vlm_boundary.errors import UserError
from vlm_boundary.imports.records import LogProblem, Reply, shown
from vlm_boundary.imports.sources import Source, Sources
from vlm_boundary.records.problem import Problem
from vlm_boundary.settings import validate
from vlm_boundary.verifier.verdict import Gold

_SHOWN = 60
_FIELDS = ("id", "question", "answer")
_PICTURES = ("images", "image")
_MARK = re.compile(r"<image(?:_\d{1,2})?>")


@dataclass(frozen=True)
class Placed:
    """A response under the names that it gets here."""

    arm: str
    benchmark: str
    problem_id: str
    index: int
    response: Reply


@dataclass
class ArmFacts:
    """What is known of one arm when everything is read.

    Attributes:
        label: of the model, or of the training run of which it is a step.
        model: what the log calls it.
        origin: what told the label: the user, the log, or the place of a file.
        counts: responses of each problem, by benchmark.
        opened: responses whose prompt ended inside a thought, did not, or is not known.
        reasons: finish reasons; None where the log has none.
        files: what it was read from, by the hash of the content.
    """

    label: str
    model: str
    origin: str
    step: int | None
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    opened: Counter[bool | None] = field(default_factory=Counter)
    reasons: Counter[str | None] = field(default_factory=Counter)
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """The largest number of responses of a problem."""
        return max(count for counts in self.counts.values() for count in counts.values())


@dataclass
class Gathered:
    """What was read so far; complete once `placed` has come to its end.

    Attributes:
        rows: rows of all files.
        used: those with responses.
        repeats: those that say again what another says.
        lost: what is unusable, by its place, with the reason.
        tasks: what the log calls the benchmark that a data file is of.
        problems: by benchmark and id, as first met, with where that was.
    """

    sources: Sources
    benchmark: str
    data: DataFile | None = None
    rows: int = 0
    used: int = 0
    repeats: int = 0
    responses: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)
    rows_lost: int = 0
    arms: dict[str, ArmFacts] = field(default_factory=dict)
    tasks: dict[str, str | None] = field(default_factory=dict)
    problems: dict[str, dict[str, tuple[LogProblem, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def placed(self) -> Iterator[Placed]:
        """Every response, under the names that it gets.

        Raises:
            UserError: a file cannot be read, or one problem is two things in two places.
        """
        for source in self.sources.files:
            for row in source.form.read(source.path):
                self.rows += 1
                self.repeats += row.repeats
                where = f"{source.path.parent}/{row.where}"
                self.lost += [(where, why) for why in row.unusable]
                found = [
                    (problem_id, response)
                    for response in row.responses
                    if (problem_id := self._matched(response.asked, source.path, where)) is not None
                ]
                self.used += bool(found)
                self.rows_lost += not (found or row.repeats)
                for problem_id, response in found:
                    yield self._place(source, problem_id, response)
        if not self.responses:
            raise UserError(_nothing(self))
        self._refuse_uneven()

    def _matched(self, asked: LogProblem, log: Path, where: str) -> str | None:
        """The problem's id; None where the data file that is named has no such problem."""
        if self.data is None:
            return asked.key if asked.key is not None else asked.content[:16]
        problem_id, why = self.data.match(asked, log)
        if problem_id is None:
            self.lost.append((where, why))
        return problem_id

    def _place(self, source: Source, problem_id: str, response: Reply) -> Placed:
        label, origin = _label(source, response)
        step = response.step
        arm = label if step is None else f"{label}-step-{step}" if source.arm else f"step-{step}"
        facts = self.arms.setdefault(arm, ArmFacts(label, response.model or label, origin, step))
        if facts.origin != origin:
            raise UserError(
                f"{source.path}: its arm would be called {arm}, as that of {facts.origin} is; name "
                f"them, as in one={source.path}"
            )
        twin = facts.files.setdefault(source.content, source.path)
        if twin != source.path:
            raise UserError(
                f"{source.path}: holds just what {twin} holds, and both are of {arm}; name one"
            )
        first = self.tasks.setdefault(self.benchmark, response.task)
        if self.data and response.task != first:
            raise UserError(
                f"{source.path}: is of {shown(response.task)}, and others are of {shown(first)}; "
                f"--problems FILE is of one benchmark: import them apart"
            )
        benchmark = self.benchmark if self.data or response.task is None else name_of(response.task)
        self._know(benchmark, problem_id, response)
        index = facts.counts[benchmark][problem_id]
        facts.counts[benchmark][problem_id] += 1
        facts.opened[response.thinking_open] += 1
        facts.reasons[response.finish_reason] += 1
        self.responses += 1
        return Placed(arm, benchmark, problem_id, index, response)

    def _know(self, benchmark: str, problem_id: str, response: Reply) -> None:
        asked = response.asked
        known, where = self.problems[benchmark].setdefault(problem_id, (asked, response.where))
        if self.data is None and known.same != asked.same:
            raise UserError(
                f"{response.where}: problem {problem_id[:_SHOWN]!r} has another question or gold "
                f"there than in {where}; these are not logs of one benchmark"
            )

    def _refuse_uneven(self) -> None:
        """Without ids one text may be two problems: then it is met more often, here or there."""
        if self.data is not None:
            return
        runs: dict[str, list[ArmFacts]] = defaultdict(list)
        for facts in self.arms.values():
            if facts.step is not None:
                runs[facts.label].append(facts)
        for steps in runs.values():
            for benchmark, known in self.problems.items():
                for problem_id, (asked, where) in known.items():
                    held = {one.step: one.counts[benchmark][problem_id] for one in steps}
                    if asked.key is None and len(set(held.values())) > 1:
                        raise UserError(_uneven(asked, where, held))


def _label(source: Source, response: Reply) -> tuple[str, str]:
    """A name for the model or the training run, and what told it.

    Where neither the user nor the log says one, it is the folder's, which harnesses name after the
    model and trainers after the run; of a lone file without task and step it is the file's own.
    """
    if told := source.arm or response.model:
        return name_of(told), told
    apart = response.step is None and response.task is None
    place = source.path.resolve() if apart else source.path.resolve().parent
    return name_of(place.stem if apart else place.name), str(place)


def _uneven(asked: LogProblem, where: str, held: dict[int | None, int]) -> str:
    (few, less), *_, (many, more) = sorted(held.items(), key=lambda one: (one[1], one[0] or 0))
    words = " ".join(asked.question.split())[-_SHOWN:]
    return (
        f"{where}: a problem ({words!r}) has {less} responses at step {few} and {more} at step "
        f"{many}; these dumps have no ids, so that it may be two problems, or other ones were "
        f"drawn at each step; name the data file with --problems FILE, or give one step alone"
    )


def _nothing(gathered: Gathered) -> str:
    files = ", ".join(str(source.path) for source in gathered.sources.files[:3])
    if not gathered.lost:
        return f"{files}: there are no rows"
    where, why = gathered.lost[0]
    return f"{files}: none of {gathered.rows:,} rows has a response; the first: {where}: {why}"


def name_of(text: str) -> str:
    """A name for tables and folders."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:100].rstrip("._-") or "log"


class DataFile:
    """A benchmark's YAML, or a data file with the columns id, question, answer and perhaps images.

    Attributes:
        keys: what a benchmark YAML says to read it.

    Raises:
        UserError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.suffix in (".yaml", ".yml"):
            config = load_benchmark_file(str(path))
            self.keys: dict[str, Any] = {"include": str(path.resolve())}
            self.filters = config.model_dump(mode="json", exclude_none=True)["filters"]
        else:
            self.keys, self.filters = _keys(path), []
            config = validate(BenchmarkConfig, self.keys | {"name": "data"}, where=str(path))
        self._by_id: dict[str, Problem] = {}
        self._by_answer: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._keys_of: dict[Path, dict[str, str]] = defaultdict(dict)  # by log
        self._found: dict[tuple[str | None, str], tuple[str | None, str]] = {}
        for candidate in Scan(config):
            problem = candidate.problem
            self._by_id[problem.problem_id] = problem
            words = _words(problem.question)
            self._by_answer[_words(problem.answer)].append((problem.problem_id, words))

    @property
    def problem_ids(self) -> tuple[str, ...]:
        """All problems that it has."""
        return tuple(self._by_id)

    def golds(self) -> dict[str, Gold]:
        """The gold answer of each problem that has one."""
        return {key: Gold.of(one) for key, one in self._by_id.items() if one.answer}

    def match(self, asked: LogProblem, log: Path) -> tuple[str | None, str]:
        """The id of the problem that was asked; None and the reason where it is not just one.

        It is the one whose id is the log's own, if question and gold are alike there: a harness
        counts documents from 0, and a data set may count from 1. Without that it is the problem
        whose question stands in the prompt, whole, and whose gold answer is the log's where the
        log has one; of questions of which one contains the other, the longest. Two ids of one log
        are never one problem; another log may count otherwise.
        """
        key = (asked.key, asked.content)
        if key not in self._found:
            self._found[key] = self._one(asked)
        found, why = self._found[key]
        if found is None or asked.key is None:
            return found, why
        if self._keys_of[log].setdefault(found, asked.key) != asked.key:
            return None, f"{self._path} has one problem for two ids of the log"
        return found, ""

    def _one(self, asked: LogProblem) -> tuple[str | None, str]:
        if asked.key is None:
            return self._by_text(asked)
        unlike = self._unlike(asked.key, asked)
        found = self._by_text(asked)[0] if unlike else asked.key
        return (None, unlike) if found is None else (found, "")

    def _unlike(self, key: str, asked: LogProblem) -> str:
        """Why the problem with the log's id is not what was asked; nothing where it is."""
        problem = self._by_id.get(key)
        if problem is None:
            return f"{self._path} has no problem with the id that the log has"
        answers = {_words(problem.answer), *map(_words, problem.grading.alternatives)}
        if asked.golds and problem.answer and not answers & set(map(_words, asked.golds)):
            return f"{self._path} has another gold under the id that the log has"
        if asked.question and _words(problem.question) not in _words(asked.question):
            return f"{self._path} has another question under the id that the log has"
        return ""

    def _by_text(self, asked: LogProblem) -> tuple[str | None, str]:
        golds = list(map(_words, asked.golds)) or list(self._by_answer)
        prompt = _words(asked.question)
        fits = {
            problem_id: question
            for gold in golds
            for problem_id, question in self._by_answer.get(gold, ())
            if question and question in prompt
        }
        longest = [
            one
            for one, question in fits.items()
            if not any(question in other and question != other for other in fits.values())
        ]
        if len(longest) == 1:
            return longest[0], ""
        if not longest:
            return None, f"{self._path} has no problem with this question and gold"
        return None, f"{self._path} has {len(longest)} problems with this question and gold"


def _keys(path: Path) -> dict[str, Any]:
    """How to read a data file, by the columns that it must have."""
    first = next(file_records(path), None) if path.is_file() else None
    if first is None:
        raise UserError(f"{path}: there is no such file, or it has no records")
    missing = [name for name in _FIELDS if name not in first]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(missing)}; a data file has id, question, answer and "
            f"perhaps images; for any other write a benchmark YAML, which says where these are"
        )
    fields: dict[str, Any] = {"problem_id": "id", "question": "question", "answer": "answer"}
    pictures = next((name for name in _PICTURES if name in first), None)
    if pictures is not None:
        fields["image"] = pictures
    return {
        "dataset_path": str(path.resolve()),
        "fields": fields,
        "prompt": {"user": "{{ question }}"},
    }


def _words(text: str) -> str:
    """A text without marks of pictures, its blanks alike."""
    return " ".join(_MARK.sub(" ", text).split())

"""The data file that a user names for logs without ids, golds or pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark_file
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.sources.files import file_records
from vlm_boundary.errors import UserError
from vlm_boundary.imports.records import LogProblem
from vlm_boundary.records.problem import Problem
from vlm_boundary.settings import validate
from vlm_boundary.verifier.verdict import Gold

_FIELDS = ("id", "question", "answer")
_PICTURES = ("images", "image")
_MARK = re.compile(r"<image(?:_\d{1,2})?>")


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

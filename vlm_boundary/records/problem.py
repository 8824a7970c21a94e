"""One problem of an image benchmark, as every later stage sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

AnswerType = Literal["integer", "float", "list", "expression", "text"]
ANSWER_TYPES: tuple[str, ...] = get_args(AnswerType)

NumericRule = Literal["exact", "absolute", "relative", "decimals"]
LetterRule = Literal["one", "set"]


@dataclass(frozen=True)
class Grading:
    """How answers to one problem are compared with its gold answer, as its benchmark declares.

    `numeric` says when two numbers are equal: `exact`; `absolute` or `relative`, within `tolerance`
    (a relative tolerance is a fraction of the gold answer); `decimals`, after both are rounded to
    `decimals` places. `letters` says that the gold answer is an option's letter (`one`), or several
    in any order (`set`). `alternatives` are further gold answers, each right by itself. `chance` is
    the probability that one blind guess is right, where the benchmark declares it.
    """

    numeric: NumericRule = "exact"
    tolerance: float | None = None
    decimals: int | None = None
    letters: LetterRule | None = None
    alternatives: tuple[str, ...] = ()
    chance: float | None = None


@dataclass(frozen=True)
class Problem:
    """A question with its pictures and its gold answer.

    `pictures` are file names in the run directory's `images/` folder, each the SHA-256 of the
    file's bytes with its format's suffix. `error` says why a problem cannot be put to a model; such
    a problem is kept, counted and shown, and never sampled. `description` says in words what the
    pictures show, for the conditions that show it. `prefix` is what an answer begins with under
    wrong_prefix; no stored problem has one.
    """

    benchmark: str
    problem_id: str
    question: str
    answer: str
    pictures: tuple[str, ...] = ()
    answer_type: AnswerType | None = None
    unit: str | None = None
    precision: int | None = None
    choices: tuple[str, ...] = ()
    grading: Grading = Grading()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    description: str | None = None
    prefix: str = ""

    def content_hash(self) -> str:
        """SHA-256 of what is asked: question, pictures and answer.

        The grading rule is left out: under another one the same samples are graded again; and so is
        the description, which few conditions show.
        """
        content = (
            self.problem_id,
            self.question,
            self.pictures,
            self.answer,
            self.answer_type,
            self.unit,
            self.precision,
            self.choices,
            self.error,
        )
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def grading_hash(problems: Iterable[Problem]) -> str:
    """SHA-256 over how the problems' answers are graded, whatever their order."""
    rules = sorted(
        (problem.problem_id, json.dumps(asdict(problem.grading))) for problem in problems
    )
    return hashlib.sha256(json.dumps(rules, ensure_ascii=False).encode()).hexdigest()


def dataset_hash(problems: Iterable[Problem]) -> str:
    """SHA-256 over the problems' content, whatever their order."""
    digests = sorted(problem.content_hash() for problem in problems)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def description_hash(problems: Iterable[Problem]) -> str:
    """SHA-256 over the words for the problems' pictures, whatever their order."""
    said = sorted((problem.problem_id, problem.description) for problem in problems)
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

"""One problem of an image benchmark, as every later stage sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

AnswerType = Literal["integer", "float", "text", "list", "expression"]
ANSWER_TYPES: tuple[str, ...] = get_args(AnswerType)


@dataclass(frozen=True)
class Problem:
    """A question with its pictures and its gold answer.

    `pictures` are file names in the run directory's `images/` folder, each the SHA-256 of the
    file's bytes with its format's suffix. `error` says why a problem cannot be put to a model; such
    a problem is kept, counted and shown, and never sampled.
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
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    def content_hash(self) -> str:
        """SHA-256 of everything a verdict depends on: question, pictures and answer."""
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


def dataset_hash(problems: list[Problem]) -> str:
    """SHA-256 over the problems' content, whatever their order."""
    digests = sorted(problem.content_hash() for problem in problems)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()

"""The verifier on drawn responses: what RL is rewarded by, and what progress is watched with."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Any

from vlm_boundary.tiny.data import DrawnProblems
from vlm_boundary.tiny.rollout import Rollout, sample
from vlm_boundary.verifier import Grader, Output

_CHUNK = 48  # problems sampled at once


class Rewarder:
    """The project's verifier on samples; use it as a context manager."""

    def __init__(self) -> None:
        self._grader = Grader(workers=1)

    def __enter__(self) -> Rewarder:
        return self

    def __exit__(self, *error: object) -> None:
        self._grader.close()

    def rewards(self, problems: DrawnProblems, samples: list[list[Rollout]]) -> list[list[float]]:
        """1 for each sample whose final answer the verifier finds right, else 0."""
        outputs = [
            Output(s.text, problem.answer, "stop" if s.ended else "length", problem.answer_type)
            for problem, group in zip(problems.problems, samples, strict=True)
            for s in group
        ]
        right = [1.0 if v.correct else 0.0 for v in self._grader.grade(outputs)]
        size = len(samples[0])
        return [right[i : i + size] for i in range(0, len(right), size)]

    def accuracy(
        self,
        model: Any,
        problems: DrawnProblems,
        *,
        seed: int,
        count: int = 1,
        max_tokens: int = 96,
    ) -> dict[str, Any]:
        """Share of right samples, over all problems and by family."""
        right: dict[str, list[float]] = defaultdict(list)
        for part, rewards in self.graded(model, problems, count, seed, max_tokens):
            for problem, group in zip(part.problems, rewards, strict=True):
                right[problem.family] += group
        families = {family: fmean(values) for family, values in right.items()}
        whole = fmean([value for values in right.values() for value in values])
        return {"accuracy": whole, "families": families}

    def graded(
        self, model: Any, problems: DrawnProblems, count: int, seed: int, max_tokens: int
    ) -> list[tuple[DrawnProblems, list[list[float]]]]:
        """Draw and grade `count` samples per problem, in parts of the problems."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        model.eval()
        chunk = max(1, _CHUNK * 8 // count)
        parts = []
        for start in range(0, len(problems), chunk):
            part = problems.take(range(start, min(start + chunk, len(problems))))
            drawn = sample(model, part, count, max_tokens=max_tokens, generator=generator)
            parts.append((part, self.rewards(part, drawn)))
        return parts

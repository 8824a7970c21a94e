"""Visual-maths problems drawn by our own code, deterministic and held out by content.

    >>> problem = make_problem("bar_chart", split="test", seed=0, index=17)
    >>> problem.question, problem.answer, problem.draw(84).size

Each problem carries the facts in its picture and worked chains of reasoning. The chains come
in a fixed order: terse first, then in sentences, then the work alone, then other ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from random import Random

from vlm_boundary.benchmarks.procedural import (
    angles,
    bar_chart,
    clock,
    counting,
    grid_shape,
    line_chart,
    maze,
    number_grid,
    table,
)
from vlm_boundary.benchmarks.procedural.problem import (
    ProceduralProblem,
    Query,
    Scene,
    Split,
    Step,
    caption,
    description,
)
from vlm_boundary.records.problem import AnswerType

__all__ = [
    "ALL_FAMILIES",
    "FAMILIES",
    "ProceduralProblem",
    "Step",
    "caption",
    "description",
    "make_problem",
    "problems",
]


_DRAFTS: dict[str, Callable[[Random, int], tuple[Scene, Query | None]]] = {
    "bar_chart": bar_chart.draft,
    "line_chart": line_chart.draft,
    "angles": angles.draft,
    "counting": counting.draft,
    "table": table.draft,
    "clock": clock.draft,
    "grid_shape": grid_shape.draft,
    "number_grid": number_grid.draft,
    "maze": maze.draft,
}
ALL_FAMILIES: tuple[str, ...] = tuple(_DRAFTS)
FAMILIES = ALL_FAMILIES[:-1]
"""The families that are drawn where none are named: a later one must be asked for by name, so that
the benchmark stays what it was."""

_LEVELS = dict.fromkeys(FAMILIES, 3) | {"maze": maze.LEVELS}

_TEST_SHARE = 5  # one state in five is held out
_CHOICE_RATE = 0.17  # of the problems that can have choices, so that about 15% of all do
_PATIENCE = 1_000  # repeated states in a row before a family counts as used up


def make_problem(family: str, *, split: Split, seed: int, index: int) -> ProceduralProblem:
    """Make one problem, the same whenever the arguments are the same.

    Scenes and questions are drawn until one falls in the split, so a training problem never
    has the content of a test problem.
    """
    if family not in ALL_FAMILIES:
        raise ValueError(f"no procedural family {family!r}; there are {', '.join(ALL_FAMILIES)}")
    if split not in ("train", "test"):
        raise ValueError(f"the split is 'train' or 'test', not {split!r}")
    name = f"{family}-{split}-{seed}-{index}"
    rng = Random(_number(name))
    level = rng.randint(1, _LEVELS[family])
    while True:
        scene, question = _DRAFTS[family](rng, level)
        if question is not None:
            facts = scene.facts()
            state = f"{family} | {question.key} | {json.dumps(facts, sort_keys=True)}"
            held_out = _number(state) % _TEST_SHARE == 0  # whatever seed and index lead to it
            if held_out == (split == "test"):
                break
    choices = _choices(rng, question) if rng.random() < _CHOICE_RATE else ()
    return ProceduralProblem(
        problem_id=name,
        family=family,
        split=split,
        seed=seed,
        index=index,
        level=level,
        question=rng.choice(question.phrasings),
        answer=question.answer,
        question_type="multi_choice" if choices else "free_form",
        # MathVista calls the answer to every multiple-choice question a text.
        answer_type="text" if choices else question.answer_type,
        unit=question.unit,
        precision=None if choices else question.precision,
        choices=choices,
        facts=facts,
        chains=tuple(dict.fromkeys(question.chains)),  # two ways may come to the same steps
        state=state,
        scene=scene,
    )


def problems(
    *, split: Split, seed: int, count: int, families: Sequence[str] = FAMILIES
) -> Iterator[ProceduralProblem]:
    """Yield problems from each family in turn, no two of the same state.

    An index whose state came before is passed over, so every problem is still the one that
    `make_problem` gives for its own index.
    """
    if not families and count > 0:
        raise ValueError("no families to draw problems from")
    seen: set[str] = set()
    following = dict.fromkeys(families, 0)
    for place in range(count):
        family = families[place % len(families)]
        first = following[family]
        for index in range(first, first + _PATIENCE):
            problem = make_problem(family, split=split, seed=seed, index=index)
            if problem.state not in seen:
                break
        else:
            raise ValueError(
                f"{family} ran out of distinct {split} problems: problem {place + 1} of {count} "
                f"would repeat one; ask for fewer problems or more families"
            )
        following[family] = index + 1
        seen.add(problem.state)
        yield problem


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _choices(rng: Random, question: Query) -> tuple[str, ...]:
    """Return the answer among three wrong choices, or nothing where choices do not suit."""
    kind: AnswerType = question.answer_type
    if kind == "list":
        return ()
    if kind == "text":
        pool = [decoy for decoy in question.decoys if decoy != question.answer]
    else:
        pool = _near(question.answer, question.precision or 0)
    pool = list(dict.fromkeys(pool))
    if len(pool) < 3:
        return ()
    choices = [question.answer, *rng.sample(pool, 3)]
    rng.shuffle(choices)
    return tuple(choices)


def _near(answer: str, precision: int) -> list[str]:
    """Return numbers around an answer, written as it is and none below zero."""
    step = {0: 1.0, 1: 0.5, 2: 0.25}[precision]
    shifted = (float(answer) + step * k for k in range(-6, 7) if k)
    return [f"{number:.{precision}f}" for number in shifted if number >= 0]

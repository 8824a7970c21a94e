"""The controls: the same problems with another picture, other words, or without one of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.benchmarks.altered import KINDS, Alteration
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.prefixes import read_prefixes
from vlm_boundary.store import RunDirectory

# Scripts without spaces between words count a character as one.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")


@dataclass(frozen=True)
class Rules:
    """What a condition goes by besides the problems and the seed.

    `strength` is how much a picture is altered, `family` the metadata that problems of one kind
    share, `placeholder` what marks pictures in questions, and `prefixes` what answers begin with,
    by problem.
    """

    strength: float | None = None
    family: str | None = None
    placeholder: str | None = None
    prefixes: Mapping[str, str] = field(default_factory=dict)


def rules_of(
    run: RunDirectory, benchmark: BenchmarkConfig, condition: Condition, strength: float | None
) -> Rules:
    """What a condition goes by on a benchmark, with the run's beginnings.

    Raises:
        UserError: a problem has two beginnings.
    """
    begun = condition == "wrong_prefix"
    chosen = read_prefixes(run, benchmark.name) if begun else {}
    return Rules(
        strength=strength,
        family=benchmark.family,
        placeholder=benchmark.images.placeholder,
        prefixes={problem_id: one.text for problem_id, one in chosen.items()},
    )


def problems_under(
    run: RunDirectory,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    condition: Condition,
) -> list[Problem]:
    """A run's problems of a benchmark as a condition shows them; see `shown_under`."""
    rules = rules_of(run, benchmark, condition, experiment.strength(condition))
    return shown_under(run.read_problems(benchmark.name), condition, experiment.seed, rules)


def alteration_of(condition: Condition, seed: int, strength: float | None) -> Alteration | None:
    """What a condition does to pictures; None where it leaves them as they are."""
    kind = next((kind for kind in KINDS if kind == condition), None)
    return None if kind is None or strength is None else Alteration(kind, strength, seed)


def shown_under(
    problems: Sequence[Problem], condition: Condition, seed: int, rules: Rules | None = None
) -> list[Problem]:
    """The problems as a condition shows them; those that it cannot show carry an error.

    Under `shuffled_image` every problem has the pictures of another one with as many of them, and
    under `misleading_caption` the description of another one of its family, the same for every arm:
    it depends on the run's seed and on the benchmark alone. Altered pictures have other names;
    whoever shows them makes them, as `Alteration.store` does.
    """
    rules = rules or Rules()
    if condition == "shuffled_image":
        return _shuffled(problems, seed)
    if condition == "misleading_caption":
        return _misled(problems, seed, rules.family)
    shown = _ONE_BY_ONE.get(condition)
    if shown is not None:
        return [one if one.error else shown(one, rules) for one in problems]
    alteration = alteration_of(condition, seed, rules.strength)
    if alteration is not None:
        return [one if one.error else _altered(one, alteration) for one in problems]
    return list(problems)


def first_half(question: str, placeholder: str | None = None) -> str | None:
    """The first half of a question's words, its picture marks left out; None below two words."""
    if placeholder is not None:
        question = re.sub(placeholder, "", question).strip()
    words = list(_WORD.finditer(question))
    return question[: words[len(words) // 2 - 1].end()] if len(words) > 1 else None


def _without_picture(problem: Problem, rules: Rules) -> Problem:
    if problem.pictures:
        return problem  # the prompt leaves them out
    return replace(problem, error="no picture to leave out")


def _described(problem: Problem, rules: Rules) -> Problem:
    if not problem.pictures:
        return replace(problem, error="no picture to describe")
    if problem.description is None:
        return replace(problem, error="no description of its picture")
    return problem


def _half(problem: Problem, rules: Rules) -> Problem:
    half = first_half(problem.question, rules.placeholder)
    if half is None:
        return replace(problem, error="a question of fewer than two words has no half")
    return replace(problem, question=half)


def _begun(problem: Problem, rules: Rules) -> Problem:
    prefix = rules.prefixes.get(problem.problem_id)
    if prefix is None:
        return replace(problem, error="no wrong sample with a step to begin with")
    return replace(problem, prefix=prefix)


_ONE_BY_ONE: Mapping[Condition, Callable[[Problem, Rules], Problem]] = {
    "no_image": _without_picture,
    "described": _described,
    "described_with_image": _described,
    "half_question": _half,
    "wrong_prefix": _begun,
}


def _altered(problem: Problem, alteration: Alteration) -> Problem:
    if not problem.pictures:
        return replace(problem, error="no picture to alter")
    return replace(problem, pictures=tuple(map(alteration.name, problem.pictures)))


def _shuffled(problems: Sequence[Problem], seed: int) -> list[Problem]:
    by_count: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.error is None:
            by_count.setdefault(len(problem.pictures), []).append(problem)
    lack = "no other problem with as many pictures"
    return _exchanged(problems, by_count.values(), seed, "pictures", lack)


def _misled(problems: Sequence[Problem], seed: int, family: str | None) -> list[Problem]:
    shown = [one if one.error else _described(one, Rules()) for one in problems]
    families: dict[str, list[Problem]] = {}
    for problem in shown:
        if problem.error is None:
            kind = "" if family is None else str(problem.metadata.get(family))
            families.setdefault(kind, []).append(problem)
    lack = "no other problem of its kind has another description"
    return _exchanged(shown, families.values(), seed, "description", lack)


def _exchanged(
    problems: Sequence[Problem], groups: Collection[list[Problem]], seed: int, part: str, lack: str
) -> list[Problem]:
    """Every problem with a part of the next of its group that has another, if there is one."""
    of = attrgetter(part)
    found: dict[str, Problem] = {}
    for same in groups:
        # Around a ring in an order that only the seed knows, each gets its neighbour's.
        ring = sorted(same, key=lambda one: _digest(seed, one.problem_id))
        # Backwards and twice around: whoever has what the next one has takes that one's donor.
        for place in reversed(range(2 * len(ring))):
            problem, after = ring[place % len(ring)], ring[(place + 1) % len(ring)]
            donor = after if of(after) != of(problem) else found.get(after.problem_id)
            if donor is not None:
                found[problem.problem_id] = donor

    def exchanged(problem: Problem) -> Problem:
        if problem.error is not None:
            return problem
        donor = found.get(problem.problem_id)
        return replace(problem, **({"error": lack} if donor is None else {part: of(donor)}))

    return list(map(exchanged, problems))


def _digest(seed: int, problem_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{problem_id}".encode()).digest()

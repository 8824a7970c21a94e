"""What the base is taught to write: many styles, and slips at a declared rate.

A response is a worked chain of the generator, or part of one, and a final answer. Slips are made
from the right chain and carried through, so that a slipped response is as consistent as a right
one: only the picture tells them apart.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import Literal

from vlm_boundary.benchmarks.procedural.problem import Chain, ProceduralProblem, Step, caption

MAX_CHAIN = 76  # characters; longer chains would not fit into the tokens that RL and users allow

Slip = Literal["misread", "arithmetic", "stop", "guess"]

CAPTION_QUESTION = "Describe the picture."
PHRASES = ("The answer is {}.", "Answer: {}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Mixture:
    """Shares of the ways a response is written; each group is relative to its own sum."""

    described: float
    """All that the picture shows, then equations: the words of `caption`, then of a chain."""
    terse: float
    """Facts and equations, comma by comma: the generator's first chain."""
    other: float
    """Any other of the generator's chains: sentences, work only, another way round."""
    answer_only: float
    boxed: float
    """The answer in \\boxed{}, which the verifier reads for every type of answer."""
    phrased: float
    """The answer in words, which it reads for numbers only."""
    slips: Mapping[Slip, float]
    """How often a response goes wrong, and how; what is left of 1 is right."""


BROAD = Mixture(
    described=0.7,
    terse=0.1,
    other=0.1,
    answer_only=0.1,
    boxed=0.75,
    phrased=0.25,
    slips={"misread": 0.1, "arithmetic": 0.1, "stop": 0.06, "guess": 0.04},
)
CLEAN = Mixture(described=1, terse=0, other=0, answer_only=0, boxed=1, phrased=0, slips={})

Guesses = Mapping[tuple[str, int, str], list[str]]
"""Answers seen, by what a solver who does not look still knows of a problem."""


def guesses(problems: Iterable[ProceduralProblem]) -> Guesses:
    """The answers of these problems, for slips that guess a likely one."""
    seen: dict[tuple[str, int, str], list[str]] = {}
    for problem in problems:
        seen.setdefault(_kind(problem), []).append(problem.answer)
    return seen


def response(rng: Random, problem: ProceduralProblem, mixture: Mixture, likely: Guesses) -> str:
    """Write one response to a problem, in a style and with or without a slip, by the shares."""
    styles = {"described": mixture.described, "terse": mixture.terse, "other": mixture.other}
    style = _draw(rng, styles | {"answer": mixture.answer_only})
    steps = () if style == "answer" else _chain(rng, problem, style)
    answer = problem.answer
    shares: dict[str, float] = {name: share for name, share in mixture.slips.items()}
    slip = _draw(rng, shares | {"none": 1 - sum(shares.values())})
    if slip == "guess":
        steps, answer = (), rng.choice(likely[_kind(problem)])
    elif slip != "none" and steps:
        steps = _slipped(rng, steps, slip, problem, likely)
        answer = steps[-1].value
    elif slip != "none":
        answer = _near(rng, answer, rng.choice(likely[_kind(problem)]))
    ending = _draw(rng, {"boxed": mixture.boxed, "phrased": mixture.phrased})
    return _written(rng, steps, answer, ending)


def _written(rng: Random, steps: Chain, answer: str, ending: str) -> str:
    work = " ".join(step.text for step in steps).rstrip(",.")
    if ending == "boxed":
        return f"{work} \\boxed{{{answer}}}".lstrip()
    phrase = rng.choice(PHRASES).format(answer)
    return f"{work}. {phrase}" if work else phrase


def _chain(rng: Random, problem: ProceduralProblem, style: str) -> Chain:
    if style == "described":
        shown = caption(problem)
        equations = (chain for chain in problem.chains if chain[0].kind == "compute")
        work = next(equations, min(problem.chains, key=_length))
        return (Step(f"{shown},", "read", shown), *work)
    short = [chain for chain in problem.chains if _length(chain) <= MAX_CHAIN]
    first, *others = short or [min(problem.chains, key=_length)]
    return rng.choice(others) if style == "other" and others else first


def _length(chain: Chain) -> int:
    return sum(len(step.text) + 1 for step in chain) - 1


def _slipped(
    rng: Random, steps: Chain, slip: str, problem: ProceduralProblem, likely: Guesses
) -> Chain:
    """The chain with a slip; where it offers no place for that slip, it guesses at the end."""
    described = steps[0].value == caption(problem)  # no answer by itself
    if slip == "stop" and len(steps) > 1 + described:
        return steps[: rng.randrange(1 + described, len(steps))]
    kind = "read" if slip == "misread" else "compute"
    places = [i for i, s in enumerate(steps) if s.kind == kind and _NUMBER.search(s.value)]
    if not places and slip == "misread":  # work only: a fact is misread into an equation
        places = [i for i, s in enumerate(steps) if s.kind == "compute"][:1]
    if not places:
        return (*steps[:-1], _with_value(steps[-1], rng.choice(likely[_kind(problem)])))
    place = rng.choice(places)
    step = steps[place]
    if slip == "misread":
        wrong = _misread(rng, step)
    else:
        wrong = _with_value(step, _near(rng, step.value, step.value))
    pairs = zip(_numbers(step), _numbers(wrong), strict=False)
    changed = {old: new for old, new in pairs if old != new}
    later = [_carried(step, changed) for step in steps[place + 1 :]]
    if later and later[-1].value == problem.answer and not _NUMBER.search(problem.answer):
        later[-1] = _with_value(later[-1], rng.choice(likely[_kind(problem)]))
    return (*steps[:place], wrong, *later)


def _misread(rng: Random, step: Step) -> Step:
    """The step with one number of its fact, or of its equation's left side, misread."""
    if step.kind == "compute":
        left, _, _ = step.text.partition(" = ")
        return _worked(step, _other_number(rng, left))
    return _with_value(step, _other_number(rng, step.value))


def _carried(step: Step, changed: dict[str, str]) -> Step:
    """The step worked out from the changed numbers; what it changes in turn is noted."""
    if step.kind == "read":
        return _with_value(step, _substituted(step.value, changed))
    left, _, _ = step.text.partition(" = ")
    new = _worked(step, _substituted(left, changed))
    if new.value != step.value:
        changed[step.value] = new.value
    return new


def _substituted(text: str, changed: Mapping[str, str]) -> str:
    pending = dict(changed)  # each once: the same number elsewhere is another fact
    return _NUMBER.sub(lambda match: pending.pop(match[0], match[0]), text)


def _worked(step: Step, left: str) -> Step:
    """The equation with this left side and what it really comes to."""
    try:
        value = _plain_number(_evaluate(ast.parse(left, mode="eval").body))
    except (SyntaxError, ValueError, ZeroDivisionError):
        return step  # not an expression of numbers alone
    mark = step.text[-1] if step.text[-1] in ",." else ""
    return replace(step, text=f"{left} = {value}{mark}", value=value)


def _evaluate(node: ast.expr) -> Fraction:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    raise ValueError("not an expression of numbers alone")


def _plain_number(value: Fraction) -> str:
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def _with_value(step: Step, value: str) -> Step:
    """The step saying another value in the place of its own."""
    before, found, after = step.text.rpartition(step.value)
    return replace(step, text=before + value + after, value=value) if found else step


def _numbers(step: Step) -> list[str]:
    left, equals, _ = step.text.partition(" = ")
    if equals:
        return [*_NUMBER.findall(left), step.value]
    return _NUMBER.findall(step.value)


def _other_number(rng: Random, text: str) -> str:
    """The text with one of its numbers changed into a near one."""
    matches = list(_NUMBER.finditer(text))
    if not matches:
        return text
    match = rng.choice(matches)
    return text[: match.start()] + _near(rng, match[0], match[0]) + text[match.end() :]


def _near(rng: Random, number: str, otherwise: str) -> str:
    """A number near this one, never below zero; `otherwise` where it is not a plain number."""
    if not _NUMBER.fullmatch(number):
        return otherwise
    shift = rng.choice((-10, -2, -1, -1, -1, 1, 1, 1, 2, 10))
    moved = Fraction(number) + shift
    return _plain_number(moved if moved >= 0 else Fraction(number) + abs(shift))


def _kind(problem: ProceduralProblem) -> tuple[str, int, str]:
    return problem.family, problem.level, problem.answer_type


def _draw(rng: Random, shares: Mapping[str, float]) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]

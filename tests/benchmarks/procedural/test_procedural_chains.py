"""Every chain is short, ends in the answer and computes truly."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable
from fractions import Fraction

import pytest

from vlm_boundary.benchmarks.procedural import FAMILIES, ProceduralProblem, Step, make_problem

OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value_of(expression: str) -> Fraction:
    """Evaluate whole numbers joined by + - * /, and nothing else."""

    def walk(node: ast.expr) -> Fraction:
        match node:
            case ast.BinOp(left, op, right):
                return OPERATIONS[type(op)](walk(left), walk(right))
            case ast.Constant(int(number)):
                return Fraction(number)
        raise AssertionError(f"not arithmetic: {expression}")

    return walk(ast.parse(expression, mode="eval").body)


@functools.cache
def sample(family: str) -> list[ProceduralProblem]:
    return [make_problem(family, split="train", seed=2, index=index) for index in range(250)]


@pytest.mark.parametrize("family", FAMILIES)
def test_chains_are_true_and_end_in_the_answer(family: str) -> None:
    for problem in sample(family):
        assert len(problem.chains) >= 2
        assert len(set(problem.chains)) == len(problem.chains)
        for chain in problem.chains:
            assert len(" ".join(step.text for step in chain)) <= 120
            assert chain[-1].value == problem.answer
            assert chain[-1].text.endswith(problem.answer)
            for step in chain:
                _check(step, last=step is chain[-1])


def _check(step: Step, last: bool) -> None:
    text = step.text if last else step.text[:-1]
    assert last or step.text[-1] in ",."
    if step.kind == "read":
        assert step.value in text
        return
    expression, result = text.split(" = ")
    assert value_of(expression) == Fraction(result), step
    assert step.value == result


@pytest.mark.parametrize(("family", "key"), [("bar_chart", "bars"), ("line_chart", "points")])
def test_what_a_chain_reads_is_in_the_picture(family: str, key: str) -> None:
    for problem in sample(family):
        facts = problem.facts[key]
        assert isinstance(facts, dict)
        for chain in problem.chains:
            for step in chain:
                if match := re.fullmatch(r"(\w+) (?:is )?(\d+)[,.]", step.text):
                    name = match[1] if match[1] in facts else match[1].lower()
                    extremes = {"tallest": max(facts.values()), "shortest": min(facts.values())}
                    assert int(match[2]) == (facts | extremes)[name]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_computed_number_comes_from_somewhere(family: str) -> None:
    """Chains that read first use only numbers they read, computed, were asked or may know."""
    known = {"2", "5", "12", "36", "60", "90", "180"}
    for problem in sample(family):
        for chain in problem.chains:
            if chain[0].kind == "compute":
                continue
            have = known | set(re.findall(r"\d+", problem.question.replace(":0", ":")))
            for step in chain:
                if step.kind == "compute":
                    left = set(re.findall(r"\d+", step.text.split(" = ")[0]))
                    counts = {str(n) for n in range(10)}  # how many things there are to average
                    assert left <= have | counts, (chain, step)
                have |= set(re.findall(r"\d+", step.value.replace(":0", ":")))


def test_the_first_chains_are_terse_then_sentences_then_work_alone() -> None:
    for problem in sample("bar_chart"):
        terse, sentences = problem.chains[:2]
        assert terse[0].text.endswith(",")
        assert sentences[0].text.endswith(".")

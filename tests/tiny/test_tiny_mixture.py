import ast
import re
from dataclasses import replace
from random import Random

import pytest

from vlm_boundary.benchmarks.procedural import ProceduralProblem, caption, problems
from vlm_boundary.tiny.mixture import BROAD, CLEAN, Mixture, guesses, response
from vlm_boundary.tiny.recipes import RL
from vlm_boundary.tiny.sequences import response_ids
from vlm_boundary.verifier import Grader, Output


@pytest.fixture(scope="module")
def drawn() -> list[ProceduralProblem]:
    return [p for p in problems(split="train", seed=77, count=400) if not p.choices]


def _verdicts(
    drawn: list[ProceduralProblem], mixture: Mixture
) -> tuple[list[str], list[bool | None]]:
    rng, likely = Random(1), guesses(drawn)
    texts = [response(rng, problem, mixture, likely) for problem in drawn]
    outputs = [
        Output(text, problem.answer, "stop", problem.answer_type)
        for text, problem in zip(texts, drawn, strict=True)
    ]
    with Grader(workers=1) as grader:
        return texts, [verdict.correct for verdict in grader.grade(outputs)]


def test_every_clean_response_is_right_and_short(drawn: list[ProceduralProblem]) -> None:
    texts, right = _verdicts(drawn, CLEAN)
    assert all(right)
    assert max(map(len, response_ids(texts))) <= RL.max_tokens
    assert all(t.startswith(caption(p)) for t, p in zip(texts, drawn, strict=True))


def test_broad_responses_are_wrong_about_as_often_as_declared(
    drawn: list[ProceduralProblem],
) -> None:
    _, right = _verdicts(drawn, BROAD)
    share = sum(map(bool, right)) / len(right)
    slipped = sum(BROAD.slips.values())
    # Some slips come out right all the same; a text answer in words does not count as one.
    assert 1 - slipped - 0.12 < share < 1 - slipped + 0.1


def test_an_arithmetic_slip_is_carried_through_the_steps_after_it(
    drawn: list[ProceduralProblem],
) -> None:
    rng, likely = Random(2), guesses(drawn)
    mixture = replace(CLEAN, described=0, terse=1, slips={"misread": 1.0})
    wrong = 0
    for problem in drawn:
        text = response(rng, problem, mixture, likely)
        for left, value in re.findall(r"([-+*/ \d.]*\d) = (-?[\d.]*\d)", text):
            assert _worth(left) == pytest.approx(float(value), abs=0.006), text
        wrong += f"\\boxed{{{problem.answer}}}" not in text
    assert wrong > 0.7 * len(drawn)


def test_captions_are_short_and_say_what_is_asked_about(drawn: list[ProceduralProblem]) -> None:
    for problem in drawn:
        assert 3 <= len(caption(problem)) <= 75, caption(problem)


def _worth(expression: str) -> float:
    tree = ast.parse(expression.strip(), mode="eval")
    return float(eval(compile(tree, "", "eval")))  # noqa: S307

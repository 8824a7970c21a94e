"""The records of the procedural benchmark: a problem, its worked chains, its picture in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from PIL import Image

from vlm_boundary.benchmarks.procedural.draw import DESIGN, Canvas
from vlm_boundary.records.problem import AnswerType

Split = Literal["train", "test"]
QuestionType = Literal["free_form", "multi_choice"]
_SHOWN = ("bars", "points", "labels", "grid", "rows", "clocks", "column_heights")


@dataclass(frozen=True)
class Step:
    """One step of a worked chain: a fact taken from the picture, or an equation.

    The text of every step but a chain's last ends in a comma or a full stop, so that the
    steps joined by spaces read as one line; apart from that mark, the text of a "compute"
    step is a bare equation, and `value` is what it comes to.
    """

    text: str
    kind: Literal["read", "compute"]
    value: str


Chain = tuple[Step, ...]
Chains = tuple[Chain, ...]


def read(name: str, value: object) -> Step:
    """Return the step that takes one named fact from the picture."""
    return Step(f"{name} {value}", "read", str(value))


def compute(expression: str, value: object) -> Step:
    """Return the step that works out one expression."""
    return Step(f"{expression} = {value}", "compute", str(value))


def add(values: Sequence[int]) -> Step:
    """Return the step that adds the values up."""
    return compute(" + ".join(map(str, values)), sum(values))


def written(steps: Sequence[Step], mark: str = ",") -> Chain:
    """Return the steps as one chain, with the mark after each step but the last."""
    *body, last = steps
    return (*(Step(step.text + mark, step.kind, step.value) for step in body), last)


def styles(
    facts: Sequence[tuple[str, object]], *work: Step, sentence: str = "{name} is {value}"
) -> Chains:
    """Return the same solution in the styles of a solver: terse, in sentences, and work only."""
    short = [read(name, value) for name, value in facts]
    long = [
        Step(_capital(sentence.format(name=name, value=value)), "read", str(value))
        for name, value in facts
    ]
    chains = [written([*short, *work]), written([*long, *work], ".")]
    if work:
        chains.append(written(work))
    return tuple(dict.fromkeys(chains))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class Scene(Protocol):
    """What a picture shows; its facts determine every pixel."""

    def facts(self) -> dict[str, object]:
        """Return the contents of the picture as JSON values."""

    def paint(self, canvas: Canvas) -> None:
        """Draw the scene."""


@dataclass(frozen=True)
class Query:
    """A question about a scene, before it is phrased or given choices.

    `key` names the question apart from its phrasing: two questions with the same key about
    the same scene ask the same thing. The answer is what every chain ends in.
    """

    key: str
    phrasings: tuple[str, ...]
    chains: Chains
    answer_type: AnswerType = "integer"
    unit: str | None = None
    precision: int | None = None
    decoys: tuple[str, ...] = ()  # wrong choices for a text answer

    @property
    def answer(self) -> str:
        """The value of the last step."""
        return self.chains[0][-1].value


@dataclass(frozen=True)
class ProceduralProblem:
    """One problem of the benchmark: a question, its picture and its ground truth.

    `state` determines the picture and what is asked of it, whatever the phrasing and whether
    or not choices are offered; it decides the split.
    """

    problem_id: str
    family: str
    split: Split
    seed: int
    index: int
    level: int
    question: str
    answer: str
    question_type: QuestionType
    answer_type: AnswerType
    unit: str | None
    precision: int | None
    choices: tuple[str, ...]
    facts: Mapping[str, object] = field(hash=False)
    chains: Chains
    state: str
    scene: Scene = field(repr=False)

    def draw(self, size: int = DESIGN) -> Image.Image:
        """Draw the picture as a square RGB image of `size` pixels a side."""
        canvas = Canvas(size)
        self.scene.paint(canvas)
        return canvas.image

    def record(self) -> dict[str, object]:
        """Return the problem in MathVista's form, as JSON values, without the image."""
        return {
            "pid": self.problem_id,
            "question": self.question,
            "answer": self.answer,
            "question_type": self.question_type,
            "answer_type": self.answer_type,
            "unit": self.unit,
            "precision": self.precision,
            "choices": list(self.choices) or None,
            "metadata": {
                "source": "procedural",
                "task": self.family,
                "category": "math-targeted-vqa",
                "language": "english",
                "split": self.split,
                "seed": self.seed,
                "index": self.index,
                "level": self.level,
                "state": self.state,
                "facts": dict(self.facts),
                "chains": [
                    [{"text": s.text, "kind": s.kind, "value": s.value} for s in chain]
                    for chain in self.chains
                ],
            },
        }


def description(problem: ProceduralProblem) -> str:
    """What the picture shows, whole: the caption, or all facts as JSON where a family has none."""
    if any(key in _SHOWN for key in problem.facts):
        return caption(problem)
    return json.dumps(dict(problem.facts))


def caption(problem: ProceduralProblem) -> str:
    """What the picture shows, in short: every number or label, or the initials of each shape."""
    shown = next(value for key, value in problem.facts.items() if key in _SHOWN)
    text = json.dumps(shown, separators=(" ", " ")).replace("null", "-")
    # "green circle" as gc: a grid of them would be longer than any other response.
    text = re.sub(r'"(\w)\w+ (\w)\w+"', r"\1\2", text)
    return re.sub(r'["{}]', "", text)

"""What a model is asked under each condition, kept word for word, of two benchmarks.

`python -m benchmarks.test_condition_prompts` (in tests/) writes it anew; look at what changed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from benchmarks.making import png, write

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark, messages
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.prompts import SAYING, PromptConfig, prompt_hash
from vlm_boundary.config import Condition
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import Rules, shown_under

KEPT = Path(__file__).with_name("condition_prompts.json")
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
# Two of MATH-V's own records (MIT), and a description as a template over their columns.
MATHVISION = [
    {
        "id": "4",
        "question": "How many different digits can you find in this picture?\n<image1>",
        "options": [],
        "answer": "6",
        "level": 1,
        "subject": "counting",
        "decoded_image": "4.png",
    },
    {
        "id": "5",
        "question": "Which number do you have to write in the last daisy?\n<image1>",
        "options": [],
        "answer": "61",
        "level": 2,
        "subject": "arithmetic",
        "decoded_image": "5.png",
    },
]
DESCRIBED = {"fields": {"description": "a drawing about {{ subject }}, of level {{ level }}"}}


def benchmark(name: str, folder: Path) -> BenchmarkConfig:
    if name == "procedural":
        return load_benchmark(name)
    for record in MATHVISION:
        (folder / str(record["decoded_image"])).write_bytes(png())
    path = write(folder, "testmini.jsonl", MATHVISION)
    return load_benchmark(name, DESCRIBED | {"dataset_path": str(path)})


def problems_of(config: BenchmarkConfig) -> list[Problem]:
    """The problems, their pictures by made-up names."""
    return [
        replace(found.problem, pictures=tuple(f"{row}.png" for _ in found.pictures))
        for row, found in enumerate(Scan(config))
    ]


def asked(config: BenchmarkConfig, problems: list[Problem], condition: Condition) -> Any:
    first = problems[0].problem_id
    prefixes = {first: "First I see 7, 7 + 4 = 12,"}
    rules = Rules(0.5, config.family, config.images.placeholder, prefixes)
    shown = shown_under(problems, condition, 0, rules)[0]
    assert shown.error is None
    turns = messages(shown, config.worded(), config.images, condition)
    for part in (part for turn in turns for part in turn["content"] if isinstance(part, dict)):
        part.pop("data", None)
    return [*turns, {"prefix": shown.prefix}] if shown.prefix else turns


def all_asked(name: str) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        config = benchmark(name, Path(folder))
        problems = problems_of(config)
        return {condition: asked(config, problems, condition) for condition in CONDITIONS}


@pytest.mark.parametrize("name", ["procedural", "mathvision-testmini"])
def test_every_condition_asks_as_it_is_kept(name: str) -> None:
    assert all_asked(name) == json.loads(KEPT.read_text())[name]


@pytest.mark.parametrize("condition", sorted(SAYING))
def test_a_description_is_shown_whatever_the_template_has_a_place_for(
    condition: Condition,
) -> None:
    config = load_benchmark("procedural")
    problem = replace(
        problems_of(config)[0], pictures=("a", "b"), question="Of <p> and <p>,\nwhich?"
    )
    marked = config.images.model_copy(update={"placeholder": "<p>", "position": "in_text"})
    for user in ("{{ question }}", "{{ images }}\n{{ text }}", "{{ text }}"):
        prompt = PromptConfig(user=user)
        for images in (config.images, marked):
            (turn,) = messages(problem, prompt, images, condition)
            words = "".join(part.get("text", "") for part in turn["content"])
            assert words.count(f"The picture shows: {problem.description}\n") == 1
            shown = [part["image"] for part in turn["content"] if part["type"] == "image"]
            assert shown == ([] if condition == "described" else ["a", "b"])


@pytest.mark.parametrize("condition", sorted(SAYING))
@pytest.mark.parametrize(
    "prompt",
    [
        PromptConfig(user="{{ text }}"),
        PromptConfig(user="{{ images }}{{ question }}"),
        PromptConfig(system="{{ question }}", user="{{ text }}"),
        PromptConfig(user="{{ text }}", instruction="Look: {{ images }}", placement="user_prefix"),
        PromptConfig(user="{{ question | trim | upper }}"),
    ],
)
@pytest.mark.parametrize("description", ["a bar of 3", "a \ufdd0bar\ufdd1 \ufdd2of\ufdd3 \0003\0"])
def test_a_description_is_shown_once_whatever_question_and_template_say(
    condition: Condition, prompt: PromptConfig, description: str
) -> None:
    config = load_benchmark("procedural")
    question = "Is it \ufdd2so\ufdd3: The picture shows: a bar of 3\nYes?"
    problem = replace(problems_of(config)[0], question=question, description=description)
    for described in ("The picture shows: {{ description }}\n", " {{ description }} "):
        asks = prompt.model_copy(update={"described": described})
        turns = messages(problem, asks, config.images, condition)
        words = "".join(
            part if isinstance(part, str) else part.get("text", "")
            for turn in turns
            for part in turn["content"]
        ).lower()
        asked_for = words.count("is it so: the picture shows: a bar of 3\nyes?")
        assert words.count("a bar of 3") == asked_for + 1
        assert not set(words) & set("\0\ufdd0\ufdd1\ufdd2\ufdd3")


def test_only_prompts_that_show_a_description_depend_on_how_it_is_worded() -> None:
    images = load_benchmark("procedural").images
    one, other = PromptConfig(), PromptConfig(described="It shows {{ description }}. ")
    for condition in CONDITIONS:
        same = prompt_hash(one, images, condition) == prompt_hash(other, images, condition)
        assert same == (condition not in SAYING)


if __name__ == "__main__":
    kept = {name: all_asked(name) for name in ("procedural", "mathvision-testmini")}
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

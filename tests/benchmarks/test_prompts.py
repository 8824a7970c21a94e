"""Prompts: pictures first, the protocol's words, nothing a template could do beyond that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vlm_boundary.benchmarks import (
    PROTOCOLS,
    ImagesConfig,
    PromptConfig,
    messages,
    pictures_shown,
    prompt_hash,
    resolve_prompt,
)
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.benchmarks.validation import left_out
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

PROBLEM = Problem("b", "1", "What is x?\n<image1>", "3", pictures=("a.png",), unit="cm")
PICTURE = {"type": "image", "image": "a.png"}
MARKED = ImagesConfig(placeholder=r"<image(\d+)>")
IN_TEXT = ImagesConfig(placeholder=r"<image(\d+)>", position="in_text")
THINK = (
    "You FIRST think about the reasoning process as an internal monologue and then provide the "
    "final answer. The reasoning process MUST BE enclosed within <think> </think> tags. The final "
    "answer MUST BE put in \\boxed{}."
)


def shape(content: list[dict[str, Any]]) -> list[str]:
    """Content parts in short: a picture's file name in brackets, or the text."""
    return [f"[{p['image']}]" if p["type"] == "image" else p["text"] for p in content]


def test_the_papers_prompt_is_word_for_word() -> None:
    """Figure 26 of arXiv 2504.13837."""
    system, user = messages(PROBLEM, resolve_prompt("easyr1-paper"), MARKED)
    assert system == {
        "role": "system",
        "content": "You are Qwen, created by Alibaba Cloud. You are a helpful assistant. You FIRST "
        "think about the reasoning process as an internal monologue and then provide the final "
        "answer. The reasoning process MUST BE enclosed within <think> </think> tags. The final "
        "answer MUST BE put in \\boxed{}.",
    }
    assert user["content"] == [PICTURE, {"type": "text", "text": "What is x?", "data": [(0, 10)]}]


def test_a_placeholder_stays_unless_it_is_declared() -> None:
    (user,) = messages(PROBLEM, PromptConfig(), ImagesConfig())
    assert user["content"][-1]["text"] == "What is x?\n<image1>"


def test_templates_see_the_problems_fields() -> None:
    (user,) = messages(PROBLEM, PromptConfig(user="{{ question }} ({{ unit }})"), MARKED)
    assert user["content"][-1]["text"] == "What is x? (cm)"


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(TemplateProblem, match="'answer' is undefined"):
        messages(PROBLEM, PromptConfig(user="{{ answer }}"), ImagesConfig())


def test_a_template_cannot_reach_into_python() -> None:
    with pytest.raises(TemplateProblem, match="unsafe"):
        messages(PROBLEM, PromptConfig(user="{{ question.__class__.__mro__ }}"), ImagesConfig())


def test_an_unknown_protocol_lists_the_known() -> None:
    with pytest.raises(UserError, match="boxed"):
        resolve_prompt("cot")


@pytest.mark.parametrize(
    ("protocol", "system", "user"),
    [
        ("easyr1-v1", THINK, ["[a.png]", "What is x?"]),
        ("easyr1-v2", None, [f"{THINK} ", "[a.png]", "What is x?"]),
        ("easyr1-v3", None, ["[a.png]", f"What is x? {THINK}"]),
        (
            "boxed",
            None,
            [
                "[a.png]",
                "What is x?\nPlease reason step by step, and put your final answer within "
                "\\boxed{}.",
            ],
        ),
        ("mathvista-query", None, ["[a.png]", "Question: What is x? (Unit: cm)"]),
    ],
)
def test_where_the_instruction_stands(protocol: str, system: str | None, user: list[str]) -> None:
    *before, last = messages(PROBLEM, resolve_prompt(protocol), MARKED)
    assert [turn["content"] for turn in before] == ([system] if system else [])
    assert shape(last["content"]) == user


def test_r1v_asks_for_answer_tags() -> None:
    (user,) = messages(PROBLEM, resolve_prompt("r1v"), MARKED)
    text = user["content"][-1]["text"]
    assert text.startswith("What is x? A conversation between User and Assistant.")
    assert text.endswith("<think> reasoning process here </think><answer> answer here </answer>")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"answer_type": "integer"},
            "Hint: Please answer the question requiring an integer answer and provide the final "
            "value, e.g., 1, 2, 3, at the end.\nQuestion: How much?",
        ),
        (
            {"answer_type": "float", "precision": 1, "unit": "g"},
            "Hint: Please answer the question requiring a floating-point number with one decimal "
            "place and provide the final value, e.g., 1.2, 1.3, 1.4, at the end.\n"
            "Question: How much? (Unit: g)",
        ),
        (
            {"answer_type": "float", "precision": 2},
            "Hint: Please answer the question requiring a floating-point number with two decimal "
            "places and provide the final value, e.g., 1.23, 1.34, 1.45, at the end.\n"
            "Question: How much?",
        ),
        (
            {"answer_type": "list"},
            "Hint: Please answer the question requiring a Python list as an answer and provide the "
            "final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.\nQuestion: How much?",
        ),
        (
            {"answer_type": "text", "choices": ("red", "blue")},
            "Hint: Please answer the question and provide the correct option letter, e.g., A, B, "
            "C, D, at the end.\nQuestion: How much?\nChoices:\n(A) red\n(B) blue",
        ),
    ],
)
def test_the_query_of_mathvista(changes: dict[str, Any], expected: str) -> None:
    """As MathVista's own `query` column words it."""
    problem = replace(Problem("b", "1", "How much?", "3"), **changes)
    (user,) = messages(problem, resolve_prompt("mathvista-query"), ImagesConfig())
    assert shape(user["content"]) == [expected]


@pytest.mark.parametrize(
    ("question", "pictures", "first", "in_text"),
    [
        (
            "See <image1> and <image2>.",
            2,
            ["[0]", "[1]", "See  and ."],
            ["See ", "[0]", " and ", "[1]", "."],
        ),
        ("<image2> before <image1>", 2, ["[0]", "[1]", "before"], ["[1]", " before ", "[0]"]),
        # MATH-V: one composite picture, several marks.
        ("<image1> on <image2>\n<image3>", 1, ["[0]", "on"], ["[0]", " on"]),
        ("no mark", 1, ["[0]", "no mark"], ["[0]", "no mark"]),
        ("twice <image1> <image1>", 1, ["[0]", "twice"], ["twice ", "[0]"]),
        ("none <image1>", 0, ["none"], ["none"]),
    ],
)
def test_several_pictures_stand_first_or_in_their_places(
    question: str, pictures: int, first: list[str], in_text: list[str]
) -> None:
    problem = Problem("b", "1", question, "3", pictures=tuple(map(str, range(pictures))))
    for images, expected in ((MARKED, first), (IN_TEXT, in_text)):
        turns = messages(problem, PromptConfig(), images)
        assert shape(turns[-1]["content"]) == expected
        assert [f"[{name}]" for name in pictures_shown(turns)] == [
            part for part in expected if part.startswith("[")
        ]


def test_marks_without_numbers_go_in_order() -> None:
    problem = Problem("b", "1", "<image>a<image>b", "3", pictures=("x", "y"))
    images = ImagesConfig(placeholder="<image>", position="in_text")
    assert shape(messages(problem, PromptConfig(), images)[-1]["content"]) == [
        "[x]",
        "a",
        "[y]",
        "b",
    ]


def test_a_question_cannot_forge_a_picture() -> None:
    problem = Problem("b", "1", "\0000\000 and \0001\000", "3", pictures=("x",))
    assert shape(messages(problem, PromptConfig(), ImagesConfig())[-1]["content"]) == [
        "[x]",
        "0 and 1",
    ]


def test_a_template_without_pictures_has_them_first() -> None:
    turns = messages(PROBLEM, PromptConfig(user="Q: {{ text }}"), MARKED)
    assert shape(turns[-1]["content"]) == ["[a.png]", "Q: What is x?"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_control_conditions_have_their_prompts(protocol: str) -> None:
    prompt = resolve_prompt(protocol)
    said = {
        condition: str(messages(PROBLEM, prompt, MARKED, condition))
        for condition in ("full", "no_image", "shuffled_image", "direct_answer")
    }
    assert said["shuffled_image"] == said["full"]
    assert "'image'" not in said["no_image"]
    assert "is not shown" in said["no_image"]
    assert "without any reasoning" in said["direct_answer"]
    for word in ("<think>", "step by step"):
        assert word not in said["direct_answer"]
    assert all("What is x?" in words for words in said.values())


def test_what_the_wording_depends_on_changes_its_hash() -> None:
    prompt = resolve_prompt("boxed")
    hashes = {
        prompt_hash(prompt, MARKED),
        prompt_hash(prompt, IN_TEXT),
        prompt_hash(prompt, MARKED, "direct_answer"),
        prompt_hash(prompt.model_copy(update={"placement": "user_prefix"}), MARKED),
    }
    assert len(hashes) == 4
    assert prompt_hash(prompt, MARKED) == prompt_hash(prompt, MARKED, "shuffled_image")


# -------------------------------------------------------------------- pictures marked by options

OPTIONS = PromptConfig(user="{{ question }}{% for o in choices %}\n({{ o }}){% endfor %}")
MMMU = replace(
    PROBLEM,
    question="Which is like <image1>?",
    choices=("<image2>", "<image3>", "none"),
    pictures=("a", "b", "c"),
)


def test_pictures_stand_in_the_options_that_mark_them() -> None:
    """As MMMU's; they came before the question, and the options were empty of them."""
    (user,) = messages(MMMU, OPTIONS, IN_TEXT)
    assert shape(user["content"]) == [
        "Which is like ",
        "[a]",
        "?\n(",
        "[b]",
        ")\n(",
        "[c]",
        ")\n(none)",
    ]
    unnumbered = replace(MMMU, question="Like <image>?", choices=("<image>", "<image>"))
    images = ImagesConfig(placeholder="<image>", position="in_text")
    (user,) = messages(unnumbered, OPTIONS, images)
    assert shape(user["content"]) == ["Like ", "[a]", "?\n(", "[b]", ")\n(", "[c]", ")"]


def test_pictures_of_options_are_no_pictures_of_the_question() -> None:
    prompt = PromptConfig(user="{{ images }}{{ text }} {{ choices | join(', ') }}")
    (user,) = messages(MMMU, prompt, IN_TEXT)
    assert shape(user["content"]) == ["[a]", "Which is like ? ", "[b]", ", ", "[c]", ", none"]


def test_every_picture_is_shown_where_the_prompt_has_no_options() -> None:
    (user,) = messages(MMMU, PromptConfig(), IN_TEXT)
    assert shape(user["content"]) == ["[b]", "[c]", "Which is like ", "[a]", "?"]


@pytest.mark.parametrize(
    ("images", "condition", "choices"),
    [(MARKED, "full", MMMU.choices), (IN_TEXT, "no_image", MMMU.choices)],
)
def test_an_option_is_never_left_empty(images: ImagesConfig, condition: Any, choices: Any) -> None:
    (user,) = messages(MMMU, OPTIONS, images, condition)[-1:]
    text = "".join(part.get("text", "") for part in user["content"])
    assert all(f"({choice})" in text for choice in choices)
    again = replace(MMMU, choices=("<image1>", "<image9>"))
    (user,) = messages(again, OPTIONS, IN_TEXT)
    assert "".join(shape(user["content"])).endswith("(<image1>)\n(<image9>)")


def test_an_option_cannot_make_pictures_of_its_own() -> None:
    """A NUL stands for pictures while templates are rendered; other columns may hold one."""
    problem = replace(PROBLEM, choices=("\x007\x00",), metadata={"x": "\x007\x00"})
    prompt = PromptConfig(user="{{ question }} {{ choices[0] }} {{ metadata.x }}")
    (user,) = messages(problem, prompt, MARKED)
    assert [part["type"] for part in user["content"]] == ["image", "text"]


# ------------------------------------------------------------------ what a prompt leaves out

TWO = replace(PROBLEM, question="Is <image1> <image2>?", pictures=("a", "b"))
LIKE = replace(PROBLEM, choices=("red", "blue"))


@pytest.mark.parametrize(
    ("problem", "prompt", "images", "says"),
    [
        (PROBLEM, "easyr1-paper", MARKED, None),
        (PROBLEM, "mathvista-query", MARKED, None),
        (TWO, "boxed", IN_TEXT, None),
        (replace(TWO, pictures=("a",)), "boxed", IN_TEXT, "does not have: <image2>"),
        (replace(TWO, pictures=()), "boxed", MARKED, "does not have: <image1>"),
        (replace(TWO, pictures=()), "boxed", ImagesConfig(), "does not have: <image1>"),
        (replace(TWO, pictures=("a",)), "boxed", MARKED, None),  # one may show several
        (replace(MMMU, pictures=("a", "b")), "mathvista-query", IN_TEXT, "not have: <image3>"),
        (PROBLEM, PromptConfig(user="Solve it."), MARKED, "does not show the question"),
        (PROBLEM, PromptConfig(user="{{ images }}"), MARKED, "does not show the question"),
        (PROBLEM, PromptConfig(user="{{ question | upper }}"), MARKED, None),
        (PROBLEM, PromptConfig(user="{{ question.split('is')[1] }}"), MARKED, None),
        (replace(PROBLEM, question=""), PromptConfig(user="Solve it."), MARKED, None),
        (PROBLEM, PromptConfig(user="{{ metadata.query }}"), MARKED, "cannot be made"),
        (
            replace(PROBLEM, metadata={"query": "Hint: …\nWhat is  x?"}),
            PromptConfig(user="{{ metadata.query }}"),
            MARKED,
            None,
        ),
        (LIKE, "boxed", MARKED, "does not show the options"),
        (LIKE, "mathvista-query", MARKED, None),
        (replace(LIKE, choices=("a", "is")), "easyr1-paper", MARKED, "does not show the options"),
        (replace(LIKE, question="Is it red or blue?"), "boxed", MARKED, None),
        (replace(LIKE, choices=("A", "B", "(C)")), "boxed", MARKED, None),
    ],
)
def test_what_a_prompt_leaves_out_is_said(
    problem: Problem, prompt: str | PromptConfig, images: ImagesConfig, says: str | None
) -> None:
    found = left_out(problem, resolve_prompt(prompt), images)
    assert (found is None) == (says is None), found
    assert (says or "") in (found or "")


def of_data(content: list[dict[str, Any]]) -> list[str]:
    """What of a turn's text comes from the data set."""
    return [p["text"][a:b] for p in content if p["type"] == "text" for a, b in p.get("data", [])]


def test_a_prompt_says_what_of_it_comes_from_the_data_set() -> None:
    problem = replace(
        PROBLEM, question="Is <image1> {{ x }}?", choices=("<|im_end|>", "2"), metadata={"a": "M"}
    )
    prompt = PromptConfig(
        system="Say <think> {{ metadata.a }}.",
        user="Q: {{ question | trim }} ({{ hint }})",
        hints={"choices": "one of {{ choices | join(', ') }}"},
        instruction="End.",
    )
    system, user = messages(problem, prompt, IN_TEXT)
    assert shape(system["content"]) == ["Say <think> M."]
    assert of_data(system["content"]) == ["M"]
    assert shape(user["content"]) == ["Q: Is ", "[a.png]", " {{ x }}? (one of <|im_end|>, 2) End."]
    assert of_data(user["content"]) == ["Is ", " {{ x }}?", "<|im_end|>, 2"]


def test_no_question_can_claim_to_be_the_protocols_own_words() -> None:
    problem = replace(PROBLEM, question="a\ufdd1<|im_end|>\ufdd0b", pictures=())
    (user,) = messages(problem, PromptConfig(user="{{ question }}"), MARKED)
    assert shape(user["content"]) == ["a<|im_end|>b"]
    assert of_data(user["content"]) == ["a<|im_end|>b"]

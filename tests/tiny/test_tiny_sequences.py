from typing import Any

import pytest
from required import needs

torch = needs("torch")

from vlm_boundary.benchmarks import ImagesConfig, load_benchmark
from vlm_boundary.benchmarks.prompts import resolve_prompt
from vlm_boundary.config import Condition
from vlm_boundary.tiny import rollout, sequences
from vlm_boundary.tiny.architecture import build_model, build_processor
from vlm_boundary.tiny.data import DrawnProblems


@pytest.fixture(scope="module")
def drawn() -> DrawnProblems:
    return DrawnProblems.draw(seed=5, size=6)


@pytest.fixture(scope="module")
def model() -> Any:
    return build_model(3).eval()


@pytest.fixture(scope="module")
def processed(drawn: DrawnProblems) -> Any:
    processor = build_processor()
    prompts = [
        processor.apply_chat_template(
            [
                {
                    "role": "user",
                    "content": [{"type": "image"}, {"type": "text", "text": problem.question}],
                }
            ],
            tokenize=False,
            add_generation_prompt=True,
        )
        for problem in drawn.problems
    ]
    return processor(
        text=prompts,
        images=[problem.draw(84) for problem in drawn.problems],
        return_tensors="pt",
        padding=True,
        padding_side="left",
    )


@pytest.mark.parametrize("condition", ["no_image", "described"])
def test_prompts_without_a_picture_are_read_as_transformers_reads_them(
    drawn: DrawnProblems, model: Any, condition: Condition
) -> None:
    asked = drawn.under(condition)
    prompts = [sequences.problem_prompt(problem, condition) for problem in drawn.problems]
    assert all(sequences.IMAGE not in prompt for prompt in prompts)
    generator = torch.Generator().manual_seed(0)
    samples = rollout.sample(model, asked, 2, max_tokens=20, generator=generator)
    responses = [s.ids for group in samples for s in group]
    owners = [place for place, group in enumerate(samples) for _ in group]
    with torch.no_grad():
        scores, rows = sequences.group_scores(model, asked, responses, owners)
        for row, (owner, ids) in enumerate(zip(owners, responses, strict=True)):
            whole = torch.tensor([[*prompts[owner], *ids]])
            logits = model(input_ids=whole).logits[0, len(prompts[owner]) - 1 : -1]
            theirs = logits.float().log_softmax(-1)
            torch.testing.assert_close(scores[rows == row], theirs, atol=1e-4, rtol=0)


def test_pictures_and_descriptions_share_a_batch(drawn: DrawnProblems, model: Any) -> None:
    seen = [sequences.problem_prompt(problem, "full") for problem in drawn.problems[:3]]
    told = [sequences.problem_prompt(problem, "described") for problem in drawn.problems[3:]]
    responses = sequences.response_ids(["1 + 1 = 2", "7", "red", "12", "", "x"])
    mixed = [told[0], seen[0], seen[1], told[1], seen[2], told[2]]
    with torch.no_grad():
        features = sequences.encode(model, drawn.pictures[:3])
        scores, rows = sequences.response_scores(model, features, mixed, responses)
        for row, (prompt, response) in enumerate(zip(mixed, responses, strict=True)):
            own = features[[seen.index(prompt)]] if prompt in seen else None
            alone, _ = sequences.response_scores(model, own, [prompt], [response])
            torch.testing.assert_close(scores[rows == row], alone, atol=1e-4, rtol=0)


def test_training_words_its_prompts_as_the_shipped_benchmark_does() -> None:
    benchmark = load_benchmark("procedural")
    assert resolve_prompt(benchmark.prompt) == sequences.PROMPT
    assert benchmark.images == ImagesConfig()


def test_pixels_and_prompts_are_the_processor_s(drawn: DrawnProblems, processed: Any) -> None:
    assert processed.image_grid_thw.tolist() == [[1, 6, 6]] * len(drawn)
    ours = sequences.patches(drawn.pictures)
    torch.testing.assert_close(ours, processed.pixel_values, atol=1e-5, rtol=0)
    for problem, ids, mask in zip(
        drawn.problems, processed.input_ids, processed.attention_mask, strict=True
    ):
        assert sequences.prompt_ids(problem.question) == tuple(ids[mask.bool()].tolist())


def test_samples_come_from_the_model_as_transformers_runs_it(
    drawn: DrawnProblems, model: Any, processed: Any
) -> None:
    generator = torch.Generator().manual_seed(0)
    samples = rollout.sample(model, drawn, 3, max_tokens=20, generator=generator)
    responses = [s.ids for group in samples for s in group]
    owners = [place for place, group in enumerate(samples) for _ in group]
    with torch.no_grad():
        ours, rows = sequences.group_scores(model, drawn, responses, owners)
        logits = model(**processed).logits[:, -1].float().log_softmax(-1)
    first = [int((rows == row).nonzero()[0, 0]) for row in range(len(responses))]
    torch.testing.assert_close(ours[first], logits[owners], atol=1e-4, rtol=0)


def test_both_ways_of_scoring_agree(drawn: DrawnProblems, model: Any) -> None:
    texts = ["1 + 1 = 2 \\boxed{2}", "\\boxed{7}", "red 3", "Answer: 12", "", "x"]
    responses = sequences.response_ids(texts)
    with torch.no_grad():
        prompts = [sequences.prompt_ids(problem.question) for problem in drawn.problems]
        features = sequences.encode(model, drawn.pictures)
        one, rows = sequences.response_scores(model, features, prompts, responses)
        same = [tuple(ids) for ids in responses]
        other, their_rows = sequences.group_scores(model, drawn, same, list(range(6)))
    assert rows.tolist() == their_rows.tolist()
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)

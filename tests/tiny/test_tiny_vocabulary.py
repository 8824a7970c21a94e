"""The merges that come with the package are those that its code learns."""

import pytest
from required import needs

needs("transformers")

from vlm_boundary.benchmarks.procedural import FAMILIES, make_problem
from vlm_boundary.tiny.architecture import MERGES, VOCAB_SIZE, build_processor, token_id
from vlm_boundary.tiny.vocabulary import learn_merges


def test_the_merges_are_learned_anew_as_they_are() -> None:
    assert list(MERGES) == learn_merges()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_words_of_a_question_are_tokens_and_digits_stay_apart(family: str) -> None:
    tokenizer = build_processor().tokenizer
    problem = make_problem(family, split="train", seed=2, index=0)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(problem.question).input_ids)
    assert len(tokens) < len(problem.question) / 2
    assert all(len(token) == 1 for token in tokens if any(c.isdigit() for c in token))


@pytest.mark.parametrize(
    "text", ["12.5", "Größe 数 🙂", "\\boxed{-3}", "a  b\n\nc\t", "<|im_end|>"]
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    tokenizer = build_processor().tokenizer
    assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_the_tokens_that_mean_something_have_fixed_ids() -> None:
    tokenizer = build_processor().tokenizer
    assert len(tokenizer) == VOCAB_SIZE
    for token in ("<|endoftext|>", "<|im_end|>", "<|image_pad|>"):
        assert tokenizer.convert_tokens_to_ids(token) == token_id(token)

"""The words of the embedded checkpoints: byte pairs merged until each of them is one token.

Digits stay apart, one token each, as in the Qwen tokenizers. `python -m
vlm_boundary.tiny.vocabulary` learns the merges anew and writes `merges.txt` beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from vlm_boundary.benchmarks.procedural import FAMILIES, caption, make_problem
from vlm_boundary.tiny.architecture import split_into_words
from vlm_boundary.tiny.mixture import CAPTION_QUESTION, PHRASES

MERGES_FILE = Path(__file__).with_name("merges.txt")

_PROBLEMS = 600  # of each family
_RARE = 20  # a pair met less often is no word of the benchmark
_ENOUGH = 4096  # never reached: rare pairs end the learning


def learn_merges() -> list[str]:
    """Merges of byte pairs, the commonest first, from what training asks and teaches to write."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split_into_words()
    trainer = trainers.BpeTrainer(
        vocab_size=_ENOUGH,
        min_frequency=_RARE,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def _texts() -> Iterator[str]:
    for family in FAMILIES:
        for index in range(_PROBLEMS):
            problem = make_problem(family, split="train", seed=1, index=index)
            yield from (problem.question, caption(problem), CAPTION_QUESTION, "user", "assistant")
            yield from (" ".join(step.text for step in chain) for chain in problem.chains)
            yield from (phrase.format(problem.answer) for phrase in (r" \boxed{{{}}}", *PHRASES))


if __name__ == "__main__":
    MERGES_FILE.write_text("".join(f"{merge}\n" for merge in learn_merges()), encoding="utf-8")

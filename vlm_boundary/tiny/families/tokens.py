"""Small tokenizers of the two kinds in use, with a family's own special tokens.

Both write any text: by bytes (GPT-2's way: Qwen, GLM, InternVL, Mistral's tekken, SmolLM), or by
characters with bytes for what is missing (SentencePiece's way: Gemma).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlm_boundary.tiny.architecture import MERGES


def byte_level(
    tokenizer_class: Any,
    special: Sequence[str],
    *,
    plain: Sequence[str] = (),
    named: Mapping[str, str] | None = None,
    **roles: str | None,
) -> Any:
    """A tokenizer that writes text byte by byte, with one token for each word of `tiny`.

    Args:
        tokenizer_class: one of transformers' byte-level classes, or None for the bare backend.
        special: control tokens.
        plain: further tokens of their own that are no control tokens, such as <think>.
        named: those that a processor looks up by a name, such as image_token.
        roles: eos_token, pad_token and the like.
    """
    from tokenizers import AddedToken, pre_tokenizers

    # Sorted, because ByteLevel.alphabet() comes in an order that changes between processes.
    vocab = {symbol: i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    for token in (*special, *plain):
        vocab[token] = len(vocab)
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    extra: Any = dict(named) if named else list(special)
    settings = {"unk_token": None, "extra_special_tokens": extra, **roles}
    if tokenizer_class is None:
        tokenizer = _bare_byte_level(vocab, merges, settings)
    else:
        tokenizer = tokenizer_class(vocab=vocab, merges=merges, **settings)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])
    return tokenizer


def _bare_byte_level(vocab: dict[str, int], merges: list[Any], settings: dict[str, Any]) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, **settings)


def character_level(special: Sequence[str], named: Mapping[str, str]) -> Any:
    """Gemma's kind: characters, bytes for those that it lacks, and ▁ for a blank."""
    from tokenizers import AddedToken
    from transformers import GemmaTokenizer

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *special]
    lines = ["\n" * count for count in range(1, 7)]  # tokens of their own, as in Gemma
    words += [*lines, *(f"<0x{byte:02X}>" for byte in range(256))]
    words += ["▁", *(chr(code) for code in range(33, 127))]
    vocab = {word: place for place, word in enumerate(words)}
    tokenizer = GemmaTokenizer(vocab=vocab, merges=[], extra_special_tokens=dict(named))
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in lines])
    return tokenizer

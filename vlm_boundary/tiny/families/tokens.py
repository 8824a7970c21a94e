"""Small tokenizers of the two kinds in use, with a family's own special tokens.

Both write any text: by bytes (GPT-2's way: Qwen, GLM, InternVL, Mistral's tekken, SmolLM), or by
characters with bytes for what is missing (SentencePiece's way: Gemma).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from vlm_boundary.tiny.architecture import byte_vocabulary, split_into_words


def byte_level(
    kind: str | None,
    special: Sequence[str],
    *,
    plain: Sequence[str] = (),
    named: Mapping[str, str] = MappingProxyType({}),
    behind: Sequence[str] = (),
    roles: Mapping[str, str],
) -> Any:
    """A tokenizer that writes text byte by byte, with one token for each word of `tiny`.

    Args:
        kind: the name of one of transformers' byte-level classes, or None for the bare backend.
        special: control tokens.
        plain: further tokens of their own that are no control tokens, such as <think>.
        named: control tokens that a processor looks up by a name, such as image_token.
        behind: control tokens behind all those.
        roles: eos_token, pad_token and the like.
    """
    import transformers as hf
    from tokenizers import AddedToken

    special = (*special, *named.values(), *behind)
    vocab, merges = byte_vocabulary((*special, *plain))
    extra: Any = dict(named) or list(special)
    settings = {"unk_token": None, "extra_special_tokens": extra, **roles}
    if kind is None:
        tokenizer = _bare_byte_level(vocab, merges, settings)
    else:
        tokenizer = getattr(hf, kind)(vocab=vocab, merges=merges, **settings)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])
    return tokenizer


def _bare_byte_level(vocab: dict[str, int], merges: list[Any], settings: dict[str, Any]) -> Any:
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    backend.pre_tokenizer = split_into_words()
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, **settings)


def character_level(special: Sequence[str], named: Mapping[str, str]) -> Any:
    """Gemma's kind: characters, bytes for those that it lacks, and ▁ for a blank."""
    from tokenizers import AddedToken
    from transformers import GemmaTokenizer

    special = (*special, *named.values())
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *special]
    lines = ["\n" * count for count in range(1, 7)]  # tokens of their own, as in Gemma
    words += [*lines, *(f"<0x{byte:02X}>" for byte in range(256))]
    words += ["▁", *(chr(code) for code in range(33, 127))]
    vocab = {word: place for place, word in enumerate(words)}
    tokenizer = GemmaTokenizer(vocab=vocab, merges=[], extra_special_tokens=dict(named))
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in lines])
    return tokenizer

"""What a tiny checkpoint of any family is made of, its tokenizer, and how it is put together.

Tokenizers are of the two kinds in use, with a family's own special tokens. Both write any text: by
bytes (GPT-2's way: Qwen, GLM, InternVL, Mistral's tekken, SmolLM), or by characters with bytes for
what is missing (SentencePiece's way: Gemma).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlm_boundary.tiny.architecture import byte_vocabulary, split_into_words

_TEMPLATES = Path(__file__).with_name("templates")
MAX_POSITIONS = 4096
ROPE = {"rope_type": "default", "rope_theta": 10_000.0}
LINEAR = {  # linear attention in three layers of four
    "head_dim": 32,
    "num_hidden_layers": 4,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
}
TOWER = {"hidden_size": 64, "intermediate_size": 96}
MERGING = TOWER | {"depth": 2, "num_heads": 2, "out_hidden_size": 128}
ENDS_TURN = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
THOUGHT = ("<think>", "</think>")

Settings = Mapping[str, Any]
"""Arguments of one of transformers' classes."""


@dataclass(frozen=True)
class Family:
    """A family; `thinks` says that its chat template opens a thought by default.

    Attributes:
        classes: what the names of its configuration, its model and its processor begin with.
        chat: its chat template, the family's conventions in our own words.
        tokenizer: makes its tokenizer.
        tokens: special tokens, by what its configuration calls their ids.
        vision: its vision tower.
        parts: of its processor, besides the tokenizer: class and settings.
        text: its language model, besides what all have.
        by_tokenizer: what of its language model follows from the tokenizer.
        config: the rest of its configuration.
        processor: the rest of its processor's settings.
        reads: what its processor's name begins with, where that is not `classes`.
        ends: the tokens that end its answers, where they are more than the tokenizer's one.
        on_hub: with what the names of its vision tower's weights begin here, and with what in the
            family's published checkpoints, where vLLM knows only those.
    """

    title: str
    classes: str
    chat: str
    tokenizer: Callable[[], Any]
    tokens: Mapping[str, str]
    vision: Settings
    parts: Mapping[str, tuple[str, Settings]]
    text: Settings = field(default_factory=dict)
    by_tokenizer: Callable[[Any], Settings] = lambda tokenizer: {}
    config: Settings = field(default_factory=dict)
    processor: Settings = field(default_factory=dict)
    reads: str = ""
    ends: tuple[str, ...] = ()
    on_hub: tuple[str, str] | None = None
    thinks: bool = False

    def build(self) -> tuple[Any, Any]:
        """A model with whatever weights it is made with, and its processor."""
        import transformers as hf

        tokenizer = self.tokenizer()
        ids = tokenizer.convert_tokens_to_ids
        config = getattr(hf, f"{self.classes}Config")(
            text_config={**_text_sizes(tokenizer), **self.text, **self.by_tokenizer(tokenizer)},
            vision_config=self.vision,
            **{name: ids(token) for name, token in self.tokens.items()},
            **self.config,
        )
        model = getattr(hf, f"{self.classes}ForConditionalGeneration")(config)
        template = (_TEMPLATES / f"{self.chat}.jinja").read_text(encoding="utf-8")
        processor = getattr(hf, f"{self.reads or self.classes}Processor")(
            tokenizer=tokenizer,
            chat_template=template.removesuffix("\n"),
            **{
                role: getattr(hf, kind)(**settings) for role, (kind, settings) in self.parts.items()
            },
            **self.processor,
        )
        model.generation_config.eos_token_id = ids(self.ends) or tokenizer.eos_token_id
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        return model, processor


def _text_sizes(tokenizer: Any) -> dict[str, Any]:
    """A language model of two layers; four heads of 32, the narrowest that vLLM has on a CPU."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": MAX_POSITIONS,
        "tie_word_embeddings": False,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


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
    from tokenizers import AddedToken, Tokenizer, decoders, models

    special = (*special, *named.values(), *behind)
    vocab, merges = byte_vocabulary((*special, *plain))
    extra: Any = dict(named) or list(special)
    settings = {"unk_token": None, "extra_special_tokens": extra, **roles}
    if kind is None:
        backend = Tokenizer(models.BPE(vocab=vocab, merges=merges))
        backend.pre_tokenizer = split_into_words()
        backend.decoder = decoders.ByteLevel()
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_object=backend, **settings)
    else:
        tokenizer = getattr(hf, kind)(vocab=vocab, merges=merges, **settings)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])
    return tokenizer


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

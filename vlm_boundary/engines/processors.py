"""A checkpoint's processor, loaded with or without code of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError

# Under which names processors and configurations tell the tokens that stand for what is no text.
_PLACES = (
    "image_token_id",
    "image_token_index",
    "video_token_id",
    "video_token_index",
    "audio_token_id",
    "audio_token_index",
)

_ANY_WORDS = "How many are there?"

# Where a checkpoint names Python files of its own that transformers is to run.
_NAMES_CODE = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
)


def load_processor(folder: Path, *, trust_remote_code: bool = False) -> Any:
    """The checkpoint's processor, or its tokenizer where it has no more.

    Raises:
        UserError: it needs code of its own that is not trusted, or cannot be loaded.
    """
    try:
        from transformers import AutoProcessor
    except ImportError as error:
        raise UserError(
            f"transformers, which reads a checkpoint's chat template and pictures, cannot be "
            f"imported ({error}); 'vlm-boundary doctor' says what is missing"
        ) from None
    try:
        processor = AutoProcessor.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except (ValueError, ImportError, OSError, AttributeError, KeyError, TypeError) as error:
        refuse_untrusted_code(folder, trust_remote_code=trust_remote_code)
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{folder}: transformers does not load its processor: {reason}") from error
    refuse_wordless(getattr(processor, "tokenizer", processor), folder)
    return processor


def refuse_wordless(tokenizer: Any, folder: Path) -> None:
    """Refuse a tokenizer without words, as transformers makes one where its files are missing.

    Every prompt would be made of control tokens alone.

    Raises:
        UserError: it is one.
    """
    if len(set(tokenizer(_ANY_WORDS, add_special_tokens=False).input_ids)) < 2:
        raise UserError(
            f"{folder}: its tokenizer knows no words, so that prompts would be empty; copy the "
            f"base model's tokenizer files (tokenizer.json and what is beside it)"
        )


def refuse_untrusted_code(folder: Path, *, trust_remote_code: bool) -> None:
    """Say what is missing where a checkpoint that does not load brings code of its own.

    Raises:
        UserError: it does, and the code is not trusted.
    """
    if trust_remote_code:
        return
    for name in _NAMES_CODE:
        if read_json(folder / name).get("auto_map"):
            raise UserError(
                f"{folder}: {name} wants Python code of the checkpoint's own to be run, which is "
                f"not done unasked; read that code, and if you trust it set trust_remote_code: "
                f"true for that arm, or give 'benchmarks preview' --trust-remote-code"
            )


def read_json(path: Path) -> dict[str, Any]:
    """One of a checkpoint's files; nothing where it is missing, or no JSON object.

    Raises:
        UserError: it is not valid JSON.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    return content if isinstance(content, dict) else {}


def has_states(folder: Path, *, trust_remote_code: bool) -> bool:
    """Whether layers of the model keep a state in place of keys and values, as Qwen3.5's do."""
    from transformers import AutoConfig

    try:
        # Said either way: unsaid, transformers asks at the terminal.
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except ValueError:
        return False  # transformers does not know it, or its code is not trusted
    return "linear_attention" in (getattr(config.get_text_config(), "layer_types", None) or ())


def place_ids(processor: Any, folder: Path) -> list[int]:
    """The tokens that stand for pictures, video and sound in a prompt."""
    config = read_json(folder / "config.json")
    found = {config.get(name) for name in _PLACES}
    found |= {getattr(processor, name, None) for name in _PLACES}
    return sorted({place for place in found if isinstance(place, int) and place >= 0})

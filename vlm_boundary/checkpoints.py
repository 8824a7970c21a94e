"""Checkpoints as users name them, resolved to a folder on disk and an identity."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary import tiny
from vlm_boundary.errors import UserError

# Beyond this many bytes a file's fingerprint reads evenly spaced blocks, not all of it.
_WHOLE_FILE = 4 << 20
_BLOCKS = 64
_BLOCK = _WHOLE_FILE // _BLOCKS


@dataclass(frozen=True)
class Checkpoint:
    """A model folder and what identifies it.

    `identity` is the hub commit, or a fingerprint of a local folder's weights, configuration and
    tokenizer. `note` is what the folder says of itself for reports.
    """

    folder: Path
    identity: str
    chat_template_hash: str
    note: str | None


def resolve_checkpoint(model: str, revision: str | None = None) -> Checkpoint:
    """Find a checkpoint given as `tiny:NAME`, a local folder or a hub id (then downloaded).

    Raises:
        UserError: there is no such model, or the folder is not one.
    """
    if model.startswith(tiny.PREFIX):
        folder = tiny.find(model.removeprefix(tiny.PREFIX))
        return _local(folder, model)
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise UserError(f"{model}: a local folder has no revision; drop {revision!r}")
        return _local(path.resolve(), model)
    if path.exists():
        raise UserError(f"{model}: is a file; name the folder with config.json in it")
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise UserError(f"{model}: no such model folder (a hub id has the form owner/name)")
    return _hub(model, revision)


def _local(folder: Path, model: str) -> Checkpoint:
    _check_folder(folder, model)
    return Checkpoint(
        folder, _fingerprint(folder), _chat_template_hash(folder, model), _note(folder)
    )


def _hub(model: str, revision: str | None) -> Checkpoint:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = Path(
            snapshot_download(
                model,
                revision=revision,
                allow_patterns=["*.json", "*.safetensors", "*.jinja", "*.txt", "*.model"],
            )
        )
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{model}: not a folder here, and not from the hub: {reason}") from None
    _check_folder(folder, model)
    # The cache keeps a snapshot under its commit.
    return Checkpoint(folder, folder.name, _chat_template_hash(folder, model), _note(folder))


def _check_folder(folder: Path, model: str) -> None:
    if not (folder / "config.json").is_file():
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "nothing"
        raise UserError(
            f"{model}: not a model folder: no config.json (it holds {found}); a Hugging Face "
            f"checkpoint has config.json, *.safetensors and its tokenizer"
        )
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"{model}: no *.safetensors weights beside config.json")
    if not (folder / "tokenizer_config.json").is_file():
        raise UserError(f"{model}: no tokenizer_config.json; copy the base model's tokenizer files")


def _chat_template_hash(folder: Path, model: str) -> str:
    """SHA-256 of the chat template, wherever this checkpoint's writer put it."""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return hashlib.sha256(jinja.read_bytes()).hexdigest()
    for name in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
        template = _json(folder / name).get("chat_template")
        if template:
            text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
            return hashlib.sha256(text.encode()).hexdigest()
    raise UserError(f"{model}: has no chat template; copy chat_template.jinja from the base model")


def _note(folder: Path) -> str | None:
    note = _json(folder / "vlm_boundary.json").get("note")
    return str(note) if note else None


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    return content if isinstance(content, dict) else {}


def _fingerprint(folder: Path) -> str:
    """A hash of what the checkpoint computes, without reading all of a large one."""
    digest = hashlib.sha256()
    names = ("*.safetensors", "*.json", "*.jinja", "*.txt")
    for path in sorted({path for pattern in names for path in folder.glob(pattern)}):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= _WHOLE_FILE:
                digest.update(file.read())
                continue
            for block in range(_BLOCKS):
                file.seek((size - _BLOCK) * block // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()

"""Checkpoints as users name them, resolved to a folder on disk and an identity."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from vlm_boundary import tiny
from vlm_boundary.engines.processors import read_json
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.records.manifest import Checkpoint
from vlm_boundary.sharded import merged_folder

# Beyond this many bytes a file's fingerprint reads evenly spaced blocks, not all of it.
_WHOLE_FILE = 4 << 20
_BLOCKS = 64
_BLOCK = _WHOLE_FILE // _BLOCKS

# The files that make a checkpoint what it is, weights first.
_WEIGHTS = "*.safetensors"
_FILES = (_WEIGHTS, "*.json", "*.jinja", "*.txt", "*.model")
_CODE = "*.py"
_ADAPTER = "adapter_config.json"


def resolve_checkpoint(
    model: str,
    revision: str | None = None,
    *,
    base: str | None = None,
    chat_template: str | None = None,
    weights: bool = True,
    trust_remote_code: bool = False,
) -> Checkpoint:
    """Find a checkpoint given as `tiny:NAME`, a local folder or a hub id (then downloaded).

    A LoRA adapter is resolved together with its base. A folder of a trainer's shards leads to the
    model that was merged from them, or to the command that merges them.

    Args:
        base: the checkpoint under a LoRA adapter, in place of the one that the adapter names.
        chat_template: a Jinja file in place of the checkpoint's own.
        weights: whether they are needed; if not, none are downloaded, nor missed.
        trust_remote_code: Python code that the checkpoint brings may run; it is then a part of what
            identifies it.

    Raises:
        UserError: there is no such model, the folder is not one, or it has no chat template.
    """
    files = _FILES + ((_CODE,) if trust_remote_code else ())
    folder, identity = _find(model, revision, files, weights)
    template = _read_template(chat_template) if chat_template is not None else None
    if not (folder / _ADAPTER).is_file():
        if base is not None:
            raise UserError(f"{model}: not a LoRA adapter (no {_ADAPTER}), so base has no effect")
        _check_folder(folder, model, weights)
        template = template or _own_template(folder) or _no_template(model)
        found = Checkpoint(folder, identity, template, _note(folder))
    else:
        found = _with_adapter(model, folder, identity, base, template, files, weights)
    return replace(found, trust_remote_code=trust_remote_code)


def _with_adapter(
    model: str,
    adapter: Path,
    identity: str,
    base: str | None,
    template: str | None,
    files: tuple[str, ...],
    weights: bool,
) -> Checkpoint:
    if weights and not (adapter / "adapter_model.safetensors").is_file():
        raise UserError(
            f"{model}: a LoRA adapter without adapter_model.safetensors; pickled weights are never "
            f"loaded, save it again with safe_serialization=True"
        )
    named = base or read_json(adapter / _ADAPTER).get("base_model_name_or_path")
    if not named:
        raise UserError(f"{model}: a LoRA adapter that names no base model; set the arm's base")
    try:
        folder, base_identity = _find(str(named), None, files, weights)
    except UserError as error:
        raise UserError(
            f"{model}: base of the LoRA adapter: {error}; set the arm's base to where it is"
        ) from None
    if (folder / _ADAPTER).is_file():
        raise UserError(f"{model}: its base {named} is a LoRA adapter itself; merge that one first")
    _check_folder(folder, str(named), weights)
    if template is None:
        own, theirs = _own_template(adapter), _own_template(folder)
        if own and theirs and own != theirs:
            raise UserError(
                f"{model}: the adapter's chat template differs from its base's; say which holds "
                f"with the arm's chat_template"
            )
        template = own or theirs or _no_template(model)
    note = _note(adapter) or _note(folder)
    return Checkpoint(folder, f"{base_identity}+lora:{identity}", template, note, adapter)


def _find(
    model: str, revision: str | None, files: tuple[str, ...], weights: bool
) -> tuple[Path, str]:
    """Where a model's files are, and their identity."""
    if model.startswith(tiny.PREFIX):
        folder = tiny.find(model.removeprefix(tiny.PREFIX))
        return folder, _fingerprint(folder, files)
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise UserError(f"{model}: a local folder has no revision; drop {revision!r}")
        folder = merged_folder(path.resolve())
        return folder, _fingerprint(folder, files)
    if path.exists():
        raise UserError(f"{model}: is a file; name the folder with config.json in it")
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise UserError(f"{model}: no such model folder (a hub id has the form owner/name)")
    return _from_hub(model, revision, files, weights)


def _from_hub(
    model: str, revision: str | None, files: tuple[str, ...], weights: bool
) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    try:
        patterns = [pattern for pattern in files if weights or pattern != _WEIGHTS]
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=patterns))
    except LocalEntryNotFoundError:  # not cached either
        raise UserError(
            f"{model}: not a folder here, and huggingface.co cannot be reached; name a folder on "
            f"this machine, or see to the network"
        ) from None
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = reason_of(error)
        raise UserError(f"{model}: not a folder here, and not from the hub: {reason}") from None
    return folder, folder.name  # the cache keeps a snapshot under its commit


def _check_folder(folder: Path, model: str, weights: bool) -> None:
    if not (folder / "config.json").is_file():
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "nothing"
        raise UserError(
            f"{model}: not a model folder: no config.json (it holds {found}); a Hugging Face "
            f"checkpoint has config.json, *.safetensors and its tokenizer"
        )
    if weights and not any(folder.glob(_WEIGHTS)):
        pickled = next(folder.glob("*.bin"), None)
        hint = f"; {pickled.name} is pickled and never loaded: save it again" if pickled else ""
        raise UserError(f"{model}: no *.safetensors weights beside config.json{hint}")
    if not (folder / "tokenizer_config.json").is_file():
        raise UserError(f"{model}: no tokenizer_config.json; copy the base model's tokenizer files")


def _own_template(folder: Path) -> str | None:
    """A folder's chat template, wherever its writer put it; the processor's before the text's."""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return jinja.read_text(encoding="utf-8")
    for name in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
        template = read_json(folder / name).get("chat_template")
        if isinstance(template, list):  # several by name
            template = {entry.get("name"): entry.get("template") for entry in template}
        if isinstance(template, dict):
            template = template.get("default")
        if isinstance(template, str) and template:
            return template
    return None


def _no_template(model: str) -> NoReturn:
    raise UserError(
        f"{model}: has no chat template; copy chat_template.jinja from the base model, or set the "
        f"arm's chat_template to a Jinja file"
    )


def _read_template(path: str) -> str:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"chat_template {path}: cannot be read: {error}") from None
    if not text.strip():
        raise UserError(f"chat_template {path}: is empty")
    return text


def _note(folder: Path) -> str | None:
    note = read_json(folder / "vlm_boundary.json").get("note")
    return str(note) if note else None


def _fingerprint(folder: Path, files: tuple[str, ...]) -> str:
    """A hash of what the checkpoint computes, without reading all of a large one."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in files for path in folder.glob(pattern)}):
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

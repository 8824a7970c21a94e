"""A checkpoint's folder without its weights: configuration, tokenizer and processor suffice."""

from __future__ import annotations

from pathlib import Path

from vlm_boundary import tiny
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.errors import UserError


def configuration_folder(model: str, revision: str | None) -> Path:
    """The folder of a checkpoint; of a hub id everything but the weights is downloaded.

    Raises:
        UserError: there is no such model.
    """
    here = model.startswith((tiny.PREFIX, ".", "/", "~")) or Path(model).exists()
    if here or model.count("/") != 1:
        return resolve_checkpoint(model, revision).folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    patterns = ["*.json", "*.jinja", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{model}: not a folder here, and not from the hub: {reason}") from None

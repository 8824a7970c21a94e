"""The embedded checkpoints: small enough to run anywhere, named `tiny:NAME` wherever a model is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from uuid import uuid4

from vlm_boundary.errors import UserError
from vlm_boundary.writing import cache_folder

PREFIX = "tiny:"
WEIGHTS = Path(__file__).parent / "weights"
_UNTRAINED = re.compile(r"untrained-(\d{1,6})")


def find(name: str) -> Path:
    """The folder of an embedded checkpoint.

    `untrained-SEED`, made on first use, has random weights and guesses numbers: it exercises the
    whole pipeline and knows nothing, so whatever it gets right is luck. Any other name is that of a
    folder that came with the package.

    Raises:
        UserError: there is no embedded checkpoint of that name.
    """
    if name in trained():
        return WEIGHTS / name
    match = _UNTRAINED.fullmatch(name)
    if match is None:
        names = ", ".join(f"{PREFIX}{known}" for known in (*trained(), "untrained-SEED"))
        raise UserError(f"no embedded checkpoint {PREFIX}{name}; there is {names}")
    folder = cache_folder("tiny") / f"{name}-{_recipe()}"
    if not folder.is_dir():
        _make_untrained(int(match[1]), folder)
    return folder


def trained() -> list[str]:
    """The names of the trained checkpoints in the package."""
    return sorted(path.parent.name for path in WEIGHTS.glob("*/model.safetensors"))


def _recipe() -> str:
    """What the cached files follow from: other code gives other files."""
    sources = ("architecture.py", "merges.txt")
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in sources)
    return hashlib.sha256(code).hexdigest()[:12]


def _make_untrained(seed: int, folder: Path) -> None:
    from vlm_boundary.tiny.architecture import GUESSER_NOTE, build_guesser, save_checkpoint

    # Renamed when whole, so that processes that start together never load half a checkpoint.
    temporary = folder.with_name(f".{uuid4().hex}.tmp")
    save_checkpoint(build_guesser(seed), temporary, note=GUESSER_NOTE)
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # not merely another process that was faster
            raise

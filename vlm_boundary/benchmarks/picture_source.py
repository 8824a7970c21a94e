"""Where a record's picture is, and its bytes once somebody asks for them."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vlm_boundary.benchmarks.images import PictureError

MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class PictureSource:
    """A picture as its record gives it: bytes, base64 text, a path, or a data set's image record.

    `roots` are the folders that a path cannot leave; a relative one starts in the first.
    """

    value: Any
    encoding: Literal["path", "base64"]
    roots: tuple[Path, ...]

    def read(self) -> bytes:
        """The picture's bytes, not yet decoded.

        Raises:
            PictureError: there is no such picture, it is too large, or the path leaves the folder.
        """
        value = self.value
        if isinstance(value, Mapping):  # datasets.Image(decode=False)
            content, path = value.get("bytes"), value.get("path")
            value = path if content is None else content
            if isinstance(value, str):
                return _read(self._path(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return _limited(bytes(value))
        if not isinstance(value, str) or not value:
            raise PictureError(f"expected a picture or its path, found {type(value).__name__}")
        if value.startswith("data:"):
            return _decode(value.partition(",")[2])
        if self.encoding == "base64":
            return _decode(value)
        return _read(self._path(value))

    def file(self) -> Path | None:
        """The file that the picture is read from; None where the record holds it, or names none."""
        value = self.value
        if isinstance(value, Mapping):
            value = value.get("path") if value.get("bytes") is None else None
        elif self.encoding == "base64" or (isinstance(value, str) and value.startswith("data:")):
            value = None
        try:
            return self._path(value) if isinstance(value, str) else None
        except PictureError:
            return None

    def exists(self) -> bool:
        """Whether there is something to read; it need not be a picture."""
        value = self.value
        if isinstance(value, Mapping):
            value = value.get("path") if value.get("bytes") is None else value["bytes"]
            if isinstance(value, str):
                return self._is_file(value)
        if isinstance(value, str) and self.encoding == "path" and not value.startswith("data:"):
            return self._is_file(value)
        return bool(value)

    def _is_file(self, name: str) -> bool:
        try:
            return self._path(name).is_file()
        except PictureError:
            return False

    def _path(self, name: str) -> Path:
        if not name:
            raise PictureError("the picture's path is empty")
        if name.startswith(("http://", "https://")):
            raise PictureError("the picture is a web address; download it and give its path")
        root = self.roots[0]
        try:
            path = (root / name).resolve()
            inside = any(path.is_relative_to(folder.resolve()) for folder in self.roots)
        except (OSError, ValueError, RuntimeError):  # NUL bytes, circles of links
            raise PictureError(f"{_short(name)} is not a path") from None
        if not inside:
            raise PictureError(f"picture path {_short(name)} leaves {root}")
        return path


def _read(path: Path) -> bytes:
    try:
        if not path.exists():
            raise PictureError(f"picture {path} does not exist")
        if not path.is_file():  # reading a pipe or a device might never end
            raise PictureError(f"picture {path} is not a file")
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"picture {path} is larger than {MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PictureError(f"picture {_short(str(path))} cannot be read: {reason}") from None


def _decode(text: str) -> bytes:
    try:
        return _limited(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        raise PictureError("the picture is not valid base64") from None


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise PictureError(f"the picture is larger than {MAX_BYTES >> 20} MiB")
    return data


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")

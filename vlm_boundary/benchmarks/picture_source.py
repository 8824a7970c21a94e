"""Where a record's picture is, and its bytes once somebody asks for them."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from vlm_boundary.benchmarks.archive import has_member, is_archive, read_member
from vlm_boundary.benchmarks.download import downloaded
from vlm_boundary.benchmarks.images import PictureError

MAX_BYTES = 256 << 20
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class PictureSource:
    """A picture as its record gives it: bytes, base64 text, a path, or a data set's image record.

    `roots` are the folders that a path cannot leave; a relative one starts in the first. The first
    may be an archive, whose members the paths then are. Web addresses are fetched on `download`.
    """

    value: Any
    encoding: Literal["path", "base64"]
    roots: tuple[Path, ...]
    download: bool = False

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
                return self._named(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return _limited(bytes(value))
        if not isinstance(value, str) or not value:
            raise PictureError(f"expected a picture or its path, found {type(value).__name__}")
        if _is_data(value):
            return _decode(unquote(value.partition(",")[2]))
        if self.encoding == "base64" and not _is_address(value):
            return _decode(value)
        return self._named(value)

    def file(self) -> Path | None:
        """The file that the picture is read from; None where the record holds it, or names none."""
        value = self.value
        if isinstance(value, Mapping):
            value = value.get("path") if value.get("bytes") is None else None
        elif self.encoding == "base64" or (isinstance(value, str) and _is_data(value)):
            value = None
        if not isinstance(value, str) or _is_address(value):
            return None
        if is_archive(self.roots[0]):
            return self.roots[0]
        try:
            return self._path(value)
        except PictureError:
            return None

    def exists(self) -> bool:
        """Whether there is something to read; it need not be a picture."""
        value = self.value
        if isinstance(value, Mapping):
            value = value.get("path") if value.get("bytes") is None else value["bytes"]
            if isinstance(value, str):
                return self._is_file(value)
        if isinstance(value, str) and (
            _is_address(value) or (self.encoding == "path" and not _is_data(value))
        ):
            return self._is_file(value)
        return bool(value)

    def _named(self, name: str) -> bytes:
        """The picture of a path or a web address."""
        if _is_address(name):
            if not self.download:
                raise PictureError(
                    "the picture is a web address; say images: {download: true}, or download it "
                    "and give its path"
                )
            return downloaded(name.strip())
        if is_archive(self.roots[0]):
            return read_member(self.roots[0], name, MAX_BYTES)
        return _read(self._path(name))

    def _is_file(self, name: str) -> bool:
        try:
            if _is_address(name):
                return bool(self.download and downloaded(name.strip()))
            if is_archive(self.roots[0]):
                return has_member(self.roots[0], name)
            return self._path(name).is_file()
        except PictureError:
            return False

    def _path(self, name: str) -> Path:
        if not name:
            raise PictureError("the picture's path is empty")
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
    """Base64 of either alphabet, with its padding or without."""
    packed = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return _limited(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        raise PictureError("the picture is not valid base64") from None


def _is_data(value: str) -> bool:
    return value[:40].lstrip().lower().startswith("data:")


def _is_address(value: str) -> bool:
    return value[:40].lstrip().lower().startswith(("http://", "https://"))


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise PictureError(f"the picture is larger than {MAX_BYTES >> 20} MiB")
    return data


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")

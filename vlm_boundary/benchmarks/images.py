"""Pictures: read as bytes, kept by content, opened late."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import Any
from uuid import uuid4

from PIL import Image, ImageOps, UnidentifiedImageError


class PictureError(Exception):
    """A picture that cannot be used, with the reason; it concerns one problem only."""


def read_picture(value: Any, root: Path) -> bytes:
    """The bytes of a picture given as bytes, a path under `root`, or a data set's image record.

    Raises:
        PictureError: there is no such picture, or the path leaves the folder.
    """
    if isinstance(value, dict):  # datasets.Image(decode=False)
        if value.get("bytes") is not None:
            return bytes(value["bytes"])
        value = value.get("path")
        if isinstance(value, str) and os.path.isabs(value):
            # The data set library's own cache, not a path out of the data.
            return _read(Path(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not isinstance(value, str) or not value:
        raise PictureError(f"expected a picture or its path, found {type(value).__name__}")
    path = (root / value).resolve()
    if not path.is_relative_to(root.resolve()):
        raise PictureError(f"picture path {value!r} leaves {root}")
    return _read(path)


def store_picture(data: bytes, folder: Path) -> str:
    """Keep a picture under its content's name, once; returns the file name.

    Raises:
        PictureError: the bytes are not a picture that can be decoded.
    """
    suffix = _check(data)
    name = f"{hashlib.sha256(data).hexdigest()}.{suffix}"
    path = folder / name
    if not path.exists():
        temporary = folder / f".{uuid4().hex}.tmp"
        temporary.write_bytes(data)
        temporary.replace(path)
    return name


def open_rgb(path: Path) -> Image.Image:
    """A picture as a model sees it: upright, in RGB, transparency over white.

    Raises:
        PictureError: the file cannot be decoded.
    """
    try:
        with _decoding(), Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if "A" in upright.getbands() or "transparency" in upright.info:
                layers = upright.convert("RGBA")
                white = Image.new("RGBA", layers.size, (255, 255, 255, 255))
                return Image.alpha_composite(white, layers).convert("RGB")
            return upright.convert("RGB")
    except _DECODING_ERRORS as error:
        raise PictureError(f"not a picture that can be decoded: {error}") from None


_DECODING_ERRORS = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,  # Pillow's PNG reader
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def _decoding() -> warnings.catch_warnings:
    """Pillow only warns of pictures up to twice its safe size; here they are refused."""
    context = warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning)
    return context


def _check(data: bytes) -> str:
    try:
        with _decoding(), Image.open(io.BytesIO(data)) as picture:
            picture.load()
            return (picture.format or "img").lower()
    except _DECODING_ERRORS as error:
        reason = str(error).replace(repr(data), "")[:200]
        raise PictureError(f"not a picture that can be decoded: {reason}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(f"picture {path} does not exist") from None
    except OSError as error:
        raise PictureError(f"picture {path} cannot be read: {error.strerror}") from None

"""Pictures: what a benchmark YAML can say of them; decoded by one set of rules, kept by content."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field, model_validator

from vlm_boundary.config import Pattern, Settings
from vlm_boundary.errors import reason_of
from vlm_boundary.writing import replacing

# What Pillow decodes by itself: formats that start other programs (EPS) are not among them.
_FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
# Formats of deep grey that do not say which value is white.
_FREELY_SCALED = ("TIFF",)
MAX_ASPECT_RATIO = 200  # qwen-vl-utils and the Qwen-VL processors refuse more
_NOT_DECODED = "not a picture that can be decoded"
_DECODING_ERRORS = (
    OSError,
    SyntaxError,  # Pillow's PNG reader
    ValueError,
    EOFError,
    RuntimeError,  # its AVIF reader
    struct.error,  # its TIFF reader
    LookupError,
    ArithmeticError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ImagesConfig(Settings):
    """How pictures are read, and what the model sees of them."""

    encoding: Literal["path", "base64"] = "path"
    """What text in the image column is; `data:` addresses are read in either case."""
    missing_columns: Literal["error", "skip"] = "error"
    """Of several columns in fields.image, those that a record does not have at all: a mistake, or
    passed over as empty ones are. One of them must be there."""
    download: bool = False
    """Fetch pictures that are web addresses, once, into this machine's cache; addresses inside
    private networks are refused."""
    placeholder: Pattern | None = None
    """Regular expression of picture marks in question and options, as in `<image(\\d+)>`."""
    position: Literal["first", "in_text"] = "first"
    """Pictures before the text, or where their marks stand: by number where the expression has a
    group, else in order. A question's other marks are removed; an option's stay as text."""
    min_pixels: int | None = Field(default=None, ge=1)
    """Smaller pictures are enlarged to this many pixels (families that take pixels only); by
    default the checkpoint's own number, or max_pixels where that is less."""
    max_pixels: int | None = Field(default=None, ge=1)
    """Larger pictures are reduced to this many pixels (families that take pixels only); by default
    the checkpoint's own number, or min_pixels where that is more."""
    max_tokens: int | None = Field(default=None, ge=1)
    """At most so many tokens per picture, in the words of each family: as pixels (Qwen-VL, GLM-V),
    as its nearest smaller number of tokens (Gemma 4), as tiles (InternVL, Idefics3, SmolVLM), as
    the longer side (Mistral 3)."""

    @model_validator(mode="after")
    def _ordered(self) -> ImagesConfig:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is larger than max_pixels")
        if self.position == "in_text" and self.placeholder is None:
            raise ValueError("position in_text needs the placeholder's regular expression")
        return self

    @property
    def budget(self) -> PictureBudget:
        """What a picture may be."""
        return PictureBudget(self.min_pixels, self.max_pixels, self.max_tokens)


class PictureError(Exception):
    """A picture that cannot be used, with the reason; it concerns one problem only."""


class UnreadablePicture(PictureError):
    """What cannot be decoded; of a stored file, that was checked, it can be mended."""


@dataclass(frozen=True)
class PixelBudget:
    """How the Qwen-VL families size a picture: multiples of `factor`, within these pixels."""

    factor: int
    min_pixels: int
    max_pixels: int


@dataclass(frozen=True)
class PictureBudget:
    """What a benchmark allows a picture; None leaves it to the checkpoint.

    `min_pixels` and `max_pixels` are for families that take pixels, `max_tokens` is for all.
    """

    min_pixels: int | None = None
    max_pixels: int | None = None
    max_tokens: int | None = None

    @property
    def given(self) -> dict[str, int]:
        """What it says, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


ANY_SIZE = PictureBudget()


def store_picture(data: bytes, folder: Path) -> str:
    """Keep a picture under its content's name, once; returns the file name.

    Raises:
        PictureError: the bytes are not a picture that can be decoded.
    """
    with _opened(io.BytesIO(data)) as picture:
        picture.load()
        suffix = (picture.format or "img").lower()
    name = f"{hashlib.sha256(data).hexdigest()}.{suffix}"
    path = folder / name
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    return name


def open_rgb(source: Path | bytes) -> Image.Image:
    """A picture as a model sees it: first frame, upright, in RGB, transparency over white.

    Raises:
        PictureError: it cannot be decoded.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    with _opened(file) as opened:
        upright = ImageOps.exif_transpose(opened)
        if upright.mode.startswith(("I", "F")):
            upright = _shallow(upright, by_values=opened.format in _FREELY_SCALED)
        return _rgb(upright)


def fit(picture: Image.Image, budget: PixelBudget) -> Image.Image:
    """The picture at the size that a Qwen-VL model sees, by qwen-vl-utils' rules (bicubic).

    Raises:
        PictureError: one side is more than 200 times the other.
    """
    size = fitted_size(*picture.size, budget)
    return picture if size == picture.size else picture.resize(size)


def fitted_size(width: int, height: int, budget: PixelBudget) -> tuple[int, int]:
    """Width and height after `smart_resize` of qwen-vl-utils 0.0.14.

    Raises:
        PictureError: one side is more than 200 times the other.
    """
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise PictureError(
            f"{width} by {height} pixels: one side is more than {MAX_ASPECT_RATIO} times the other"
        )
    factor = budget.factor
    fitted = [max(factor, round(side / factor) * factor) for side in (width, height)]
    if math.prod(fitted) > budget.max_pixels:
        shrink = math.sqrt(width * height / budget.max_pixels)
        # At least one patch: far too small a budget would otherwise leave nothing.
        fitted = [
            max(factor, math.floor(side / shrink / factor) * factor) for side in (width, height)
        ]
    elif math.prod(fitted) < budget.min_pixels:
        grow = math.sqrt(budget.min_pixels / (width * height))
        fitted = [math.ceil(side * grow / factor) * factor for side in (width, height)]
    return fitted[0], fitted[1]


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those of the formats that this build of Pillow has."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextmanager
def _opened(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """An open picture; what goes wrong with it in there is a PictureError."""
    # Pillow only warns of pictures up to twice its safe size; here they are refused.
    bomb = Image.DecompressionBombWarning
    try:
        with (
            warnings.catch_warnings(action="error", category=bomb),
            Image.open(file, formats=_formats()) as opened,
        ):
            yield opened
    except UnidentifiedImageError:
        raise UnreadablePicture(f"{_NOT_DECODED}: of no format that is known") from None
    except _DECODING_ERRORS as error:
        raise UnreadablePicture(f"{_NOT_DECODED}: {reason_of(error)[:200]}") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        white = Image.new("RGBA", layers.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layers).convert("RGB")
    return picture.convert("RGB")


def _shallow(picture: Image.Image, *, by_values: bool) -> Image.Image:
    """Grey of 16 bits and more in 8, which Pillow's own conversion would cut off at 255.

    Args:
        by_values: 32-bit integers and floats have white where their values have their end: the
            first of 1, 255 and 65,535 that none exceeds by more than a tenth, unless the largest is
            below a sixteenth of it; then, and beyond those, it is the largest. Else it is 65,535.
    """
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32), posinf=0, neginf=0)
    clear = values == picture.info["transparency"] if "transparency" in picture.info else None
    black, white = 0.0, 65_535.0
    if by_values and not picture.mode.startswith("I;16"):
        black, largest = min(values.min(), 0.0), values.max()
        if -black <= largest / 10:  # rounding, as of a filter
            black = 0.0
        whites = (1.0, 255.0, 65_535.0) if black == 0 else ()
        white = next((most for most in whites if largest <= 1.1 * most), largest)
        if largest < white / 16:
            white = largest
    if white == 65_535:
        grey = values / 256
    else:
        grey = np.rint((values - black) * (255 / max(white - black, 1e-30)))
    shallow = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if clear is not None:
        shallow.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
    return shallow

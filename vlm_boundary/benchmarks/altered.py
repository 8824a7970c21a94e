"""Pictures made worse on purpose, by a stated strength: the same whenever and wherever."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from PIL import Image, ImageFilter

from vlm_boundary.benchmarks.images import open_rgb
from vlm_boundary.writing import replacing

Kind: TypeAlias = Literal["blurred", "cropped", "noised", "rotated"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Alteration:
    """What is done to pictures.

    `strength` is, of `blurred`, the Gaussian's standard deviation as a share of the shorter side;
    of `cropped`, the share of the area that is painted white around a window that keeps its place;
    of `noised`, the weight of uniform noise that is mixed in; of `rotated`, degrees anticlockwise,
    on a canvas that holds all of it. Only crops and noise depend on `seed`.
    """

    kind: Kind
    strength: float
    seed: int

    def name(self, picture: str) -> str:
        """The file name of a picture when altered, which no other picture and strength has.

        Args:
            picture: its own file name, by its content.
        """
        return f"{self._digest(picture).hex()}.png"

    def of(self, picture: str, opened: Image.Image) -> Image.Image:
        """A picture in RGB as it is shown."""
        return _ALTER[self.kind](opened, self.strength, self._digest(picture))

    def store(self, picture: str, folder: Path) -> None:
        """Keep an altered picture beside the one that it is made of, once.

        Raises:
            PictureError: that one cannot be decoded.
        """
        path = folder / self.name(picture)
        if path.exists() and path.stat().st_size:  # an empty one, a full disk may have left
            return
        altered = self.of(picture, open_rgb(folder / picture))
        with replacing(path) as temporary:
            altered.save(temporary, format="PNG")

    def _digest(self, picture: str) -> bytes:
        said = (self.kind, repr(float(self.strength)), str(self.seed), Path(picture).stem)
        return hashlib.sha256("\0".join(said).encode()).digest()


def _blurred(picture: Image.Image, strength: float, key: bytes) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(strength * min(picture.size)))


def _cropped(picture: Image.Image, strength: float, key: bytes) -> Image.Image:
    side = math.sqrt(1 - strength)
    width, height = (max(1, round(length * side)) for length in picture.size)
    # Two halves of the digest say where the window is.
    left = int.from_bytes(key[:8], "big") % (picture.width - width + 1)
    top = int.from_bytes(key[8:16], "big") % (picture.height - height + 1)
    window = (left, top, left + width, top + height)
    shown = Image.new("RGB", picture.size, _WHITE)
    shown.paste(picture.crop(window), window)
    return shown


def _noised(picture: Image.Image, strength: float, key: bytes) -> Image.Image:
    bytes_needed = 3 * picture.width * picture.height
    noise = Image.frombytes("RGB", picture.size, hashlib.shake_256(key).digest(bytes_needed))
    return Image.blend(picture, noise, strength)


def _rotated(picture: Image.Image, strength: float, key: bytes) -> Image.Image:
    bicubic = Image.Resampling.BICUBIC
    return picture.rotate(strength, resample=bicubic, expand=True, fillcolor=_WHITE)


_ALTER: dict[Kind, Callable[[Image.Image, float, bytes], Image.Image]] = {
    "blurred": _blurred,
    "cropped": _cropped,
    "noised": _noised,
    "rotated": _rotated,
}

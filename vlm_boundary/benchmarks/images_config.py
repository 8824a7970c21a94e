"""What a benchmark YAML can say of its pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.config import Pattern, Settings


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

"""What a benchmark YAML can say of its pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vlm_boundary.config import Pattern, Settings


class ImagesConfig(Settings):
    """How pictures are read, and what the model sees of them."""

    encoding: Literal["path", "base64"] = "path"
    """What text in the image column is; `data:` addresses are read in either case."""
    missing_columns: Literal["error", "skip"] = "error"
    """Of several columns in fields.image, those that a record does not have at all: a mistake, or
    passed over as empty ones are. One of them must be there."""
    placeholder: Pattern | None = None
    """Regular expression of picture marks in question and options, as in `<image(\\d+)>`."""
    position: Literal["first", "in_text"] = "first"
    """Pictures before the text, or where their marks stand: by number where the expression has a
    group, else in order. A question's other marks are removed; an option's stay as text."""
    min_pixels: int | None = Field(default=None, ge=1)
    """Smaller pictures are enlarged to this many pixels (Qwen-VL families only); by default the
    checkpoint's own number, or max_pixels where that is less."""
    max_pixels: int | None = Field(default=None, ge=1)
    """Larger pictures are reduced to this many pixels (Qwen-VL families only); by default the
    checkpoint's own number, or min_pixels where that is more."""

    @model_validator(mode="after")
    def _ordered(self) -> ImagesConfig:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is larger than max_pixels")
        if self.position == "in_text" and self.placeholder is None:
            raise ValueError("position in_text needs the placeholder's regular expression")
        return self

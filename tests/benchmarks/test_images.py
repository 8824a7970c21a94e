"""Pictures as a model sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vlm_boundary.benchmarks.images import PictureError, open_rgb

RED = (255, 0, 0)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "x.png")
    assert open_rgb(tmp_path / "x.png").getpixel((1, 1)) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_lies_over_white(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([0, 0, 255] + [0] * 765)
    picture.save(tmp_path / "x.png", transparency=0)
    assert open_rgb(tmp_path / "x.png").getpixel((1, 1)) == (255, 255, 255)


def test_a_photograph_on_its_side_is_turned(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), "white")
    exif = picture.getexif()
    exif[0x0112] = 6  # shown a quarter turn clockwise
    picture.save(tmp_path / "x.jpg", exif=exif)
    assert open_rgb(tmp_path / "x.jpg").size == (20, 40)


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "I;16"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "x.tiff")
    assert open_rgb(tmp_path / "x.tiff").mode == "RGB"


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, (0, 0, 255))]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert open_rgb(tmp_path / "x.gif").getpixel((1, 1)) == RED


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("hello")
    with pytest.raises(PictureError, match="can be decoded"):
        open_rgb(tmp_path / "x.png")

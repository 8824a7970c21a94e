"""Pictures altered on purpose: the same for the same picture, strength and seed, and as stated."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlm_boundary.benchmarks import load_benchmark
from vlm_boundary.benchmarks.altered import KINDS, Alteration, Kind
from vlm_boundary.benchmarks.images import open_rgb, store_picture
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.config.base import STRENGTHS

GOLDEN = Path(__file__).with_name("altered")
"""The first procedural problem's picture under each condition, at its default strength, seed 0."""


@pytest.fixture(scope="module")
def picture() -> bytes:
    return next(iter(Scan(load_benchmark("procedural")))).pictures[0].read()


@pytest.mark.parametrize("kind", KINDS)
def test_each_condition_shows_the_picture_that_is_kept(
    tmp_path: Path, picture: bytes, kind: Kind
) -> None:
    name = store_picture(picture, tmp_path)
    alteration = Alteration(kind, STRENGTHS[kind][0], 0)
    alteration.store(name, tmp_path)
    made, kept = (open_rgb(f) for f in (tmp_path / alteration.name(name), GOLDEN / f"{kind}.png"))
    assert made.size == kept.size == (84, 84)
    # Filters may round otherwise in another Pillow; crops and noise are exact.
    most = 2 if kind in ("blurred", "rotated") else 0
    apart = np.abs(np.asarray(made, np.int16) - np.asarray(kept, np.int16))
    assert apart.max() <= most
    assert np.abs(np.asarray(made, np.int16) - np.asarray(open_rgb(picture), np.int16)).max() > 50


def test_the_name_follows_from_picture_kind_and_strength_and_the_seed() -> None:
    ways = [
        Alteration("blurred", 0.02, 0),
        Alteration("blurred", 0.03, 0),
        Alteration("noised", 0.02, 0),
        Alteration("noised", 0.02, 1),
    ]
    names = {way.name(picture) for way in ways for picture in ("a.png", "b.png")}
    assert len(names) == 8
    assert Alteration("blurred", 0.02, 0).name("a.png") in names


def test_a_crop_keeps_its_share_in_place_and_paints_the_rest_white() -> None:
    grey = Image.new("RGB", (200, 100), (90, 90, 90))
    shown = np.asarray(Alteration("cropped", 0.36, 3).of("a.png", grey))
    kept = (shown == 90).all(axis=2)
    assert kept.mean() == pytest.approx(0.64, abs=0.001)
    assert (shown[~kept] == 255).all()
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    assert (len(rows), len(columns)) == (80, 160)


def test_noise_is_mixed_in_by_its_weight_and_a_turn_holds_all_of_the_picture() -> None:
    grey = Image.new("RGB", (60, 40), (100, 100, 100))
    noised = np.asarray(Alteration("noised", 0.25, 0).of("a.png", grey), np.float64)
    assert noised.min() >= 75 - 1
    assert noised.max() <= 75 + 0.25 * 255 + 1
    assert noised.std() == pytest.approx(0.25 * 255 / 12**0.5, rel=0.05)
    assert Alteration("rotated", 90, 0).of("a.png", grey).size == (40, 60)
    turned = Alteration("rotated", 45, 0).of("a.png", grey)
    assert turned.width > 60
    assert turned.getpixel((0, 0)) == (255, 255, 255)


def test_a_picture_that_was_made_stays_unless_it_is_empty(tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.new("RGB", (30, 30), "red").save(data, format="PNG")
    name = store_picture(data.getvalue(), tmp_path)
    alteration = Alteration("blurred", 0.1, 0)
    alteration.store(name, tmp_path)
    path = tmp_path / alteration.name(name)
    path.write_bytes(b"kept")
    alteration.store(name, tmp_path)
    assert path.read_bytes() == b"kept"
    path.write_bytes(b"")
    alteration.store(name, tmp_path)
    assert open_rgb(path).size == (30, 30)

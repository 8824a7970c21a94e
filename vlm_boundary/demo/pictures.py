"""Pictures of a run as data URIs: decoded and encoded anew, and never from outside the run.

A run is a stranger's folder, and a link in it may lead anywhere.
"""

from __future__ import annotations

import base64
import io
import re
from functools import lru_cache
from pathlib import Path

from vlm_boundary.benchmarks.images import PictureError, open_rgb

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*\.[0-9A-Za-z]{1,8}")
_THUMBNAIL = 72
_LARGEST = 1600
_EXACT_UP_TO = 640 * 640  # pixels


def is_own(path: Path, run: Path) -> bool:
    """Whether it is a file that lies in the run: no link, and behind none that leads out of it."""
    return path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(run.resolve())


@lru_cache(maxsize=2048)
def thumbnail(folder: Path, name: str) -> str | None:
    """A small picture out of a run's `images` as a data URI; None where there is none."""
    return _encoded(folder, name, _THUMBNAIL)


@lru_cache(maxsize=8)
def picture(folder: Path, name: str) -> str | None:
    """As `thumbnail`, at most 1,600 pixels wide or high."""
    return _encoded(folder, name, _LARGEST)


def _encoded(folder: Path, name: str, side: int) -> str | None:
    if not _NAME.fullmatch(name):
        return None
    path = folder / name
    if not is_own(path, folder.parent):
        return None
    try:
        opened = open_rgb(path)
    except PictureError:
        return None
    opened.thumbnail((side, side))
    file = io.BytesIO()
    if side == _THUMBNAIL:
        opened.save(file, "WEBP", quality=70)
    elif opened.width * opened.height <= _EXACT_UP_TO:
        opened.save(file, "WEBP", lossless=True)
    else:  # a photograph without loss would be megabytes
        opened.save(file, "WEBP", quality=90)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"

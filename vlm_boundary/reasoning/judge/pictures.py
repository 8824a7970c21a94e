"""What catches a judge that does not look: problems with blank or another problem's pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from PIL import Image

from vlm_boundary.benchmarks.images import open_rgb, store_picture
from vlm_boundary.reasoning.judge.probe import PictureEdit
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import shown_under
from vlm_boundary.store import RunDirectory


def with_edited_pictures(
    run: RunDirectory, problems: Sequence[Problem], edit: PictureEdit, seed: int
) -> dict[str, Problem]:
    """The problems with other pictures, by id; those that have none to change are left out."""
    usable = [problem for problem in problems if problem.error is None and problem.pictures]
    if edit == "blank_picture":
        return {p.problem_id: replace(p, pictures=_blank(run, p.pictures)) for p in usable}
    if edit == "shuffled_picture":
        shown = shown_under(usable, "shuffled_image", seed)
        return {problem.problem_id: problem for problem in shown if problem.error is None}
    assert_never(edit)


def _blank(run: RunDirectory, pictures: tuple[str, ...]) -> tuple[str, ...]:
    """White pictures of the same sizes."""
    names = []
    for name in pictures:
        content = io.BytesIO()
        Image.new("RGB", open_rgb(run.images / name).size, "white").save(content, format="PNG")
        names.append(store_picture(content.getvalue(), run.images))
    return tuple(names)

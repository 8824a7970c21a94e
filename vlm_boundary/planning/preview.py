"""A sheet of a benchmark's first problems: pictures and prompts exactly as a model gets them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_boundary.benchmarks.fields import Candidate
from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.prompts import (
    PromptConfig,
    messages,
    pictures_shown,
)
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.config import Condition
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.errors import UserError
from vlm_boundary.pages import page_template
from vlm_boundary.records.manifest import FilterStep
from vlm_boundary.records.problem import Problem
from vlm_boundary.store import write_text
from vlm_boundary.writing import replacing

if TYPE_CHECKING:
    from PIL import Image

    from vlm_boundary.engines.chat import ChatRenderer, TemplateArgs


@dataclass(frozen=True)
class Seen:
    """A picture before and after it is sized for the model: (width, height) each, and its PNG."""

    size: tuple[int, int]
    fitted: tuple[int, int]
    png: bytes

    @property
    def address(self) -> str:
        """The picture as a data: address."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Card:
    """One problem as the sheet shows it; `error` says why it cannot be put to a model."""

    problem: Problem
    pictures: tuple[Seen, ...] = ()
    prompt: str = ""
    tokens: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a preview found."""

    records: int
    problems: int
    filter_log: tuple[FilterStep, ...]
    cards: tuple[Card, ...]


def make_preview(
    config: BenchmarkConfig,
    chat: ChatRenderer,
    *,
    limit: int,
    condition: Condition = "full",
    template_args: TemplateArgs | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Preview:
    """Read the whole benchmark for its counts, and its first problems for a closer look.

    Args:
        template_args: what the chat template is told beside the turns.

    Raises:
        UserError: the benchmark cannot be read, or its prompt's templates fail.
    """
    prompt = config.worded()
    scan = Scan(config)
    cards: list[Card] = []
    problems = 0
    for candidate in scan:
        if problems < limit:
            cards.append(_card(candidate, config, prompt, chat, condition, template_args or {}))
        problems += 1
        progress(problems)
    return Preview(scan.records, problems, scan.filter_log, tuple(cards))


def write_preview(
    preview: Preview, config: BenchmarkConfig, path: Path, *, model: str, condition: Condition
) -> None:
    """Write the sheet: one HTML file that opens without a network."""
    page = page_template("vlm_boundary.planning", "preview.html.j2").render(
        config=config,
        preview=preview,
        model=model,
        condition=condition,
        source=config.dataset_path or "drawn by this package",
        grading=config.grading.model_dump(exclude_none=True),
    )
    write_text(path, page)


def save_pictures(preview: Preview, folder: Path) -> int:
    """Write the pictures as the model sees them, as PNG files; returns how many."""
    count = 0
    for row, card in enumerate(preview.cards):
        for place, picture in enumerate(card.pictures):
            with replacing(folder / f"{row:03d}-{place}.png") as temporary:
                temporary.write_bytes(picture.png)
            count += 1
    return count


def _card(
    candidate: Candidate,
    config: BenchmarkConfig,
    prompt: PromptConfig,
    chat: ChatRenderer,
    condition: Condition,
    template_args: TemplateArgs,
) -> Card:
    problem = candidate.problem
    try:
        opened = [open_rgb(picture.read()) for picture in candidate.pictures]
        rule = chat.pictures(config.images.budget)
        fitted = [rule.fit(picture) for picture in opened]
    except PictureError as error:
        return Card(problem, error=problem.error or str(error))
    # Named by their places, which is all that a prompt needs to know of them.
    named = replace(problem, pictures=tuple(str(place) for place in range(len(fitted))))
    try:
        turns = messages(named, prompt, config.images, condition)
    except TemplateProblem as error:
        raise UserError(
            f"benchmark {config.name!r}: prompt, problem {problem.problem_id!r}: {error}"
        ) from None
    shown = [int(name) for name in pictures_shown(turns)]
    try:
        length, _ = chat.prompt_tokens(
            turns, [fitted[i] for i in shown], template_args, **rule.options
        )
        text = chat.prompt_text(turns, template_args)
    except PromptUnusable as error:
        return Card(problem, error=problem.error or str(error))
    return Card(
        problem,
        pictures=tuple(_seen(opened[i], fitted[i]) for i in shown),
        prompt=text,
        tokens=length,
        error=problem.error,
    )


def _seen(opened: Image.Image, fitted: Image.Image) -> Seen:
    png = io.BytesIO()
    fitted.save(png, format="PNG")
    return Seen(opened.size, fitted.size, png.getvalue())

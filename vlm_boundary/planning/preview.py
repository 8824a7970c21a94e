"""A sheet of a benchmark's first problems: pictures and prompts exactly as a model gets them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_boundary.benchmarks.fields import Candidate
from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.benchmarks.load import Scan
from vlm_boundary.benchmarks.prompts import messages, pictures_shown
from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.config import STRENGTHS, Condition
from vlm_boundary.engines.base import PromptUnusable
from vlm_boundary.errors import UserError
from vlm_boundary.pages import page_template
from vlm_boundary.records.manifest import FilterStep
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.conditions import Rules, alteration_of, shown_under
from vlm_boundary.store import write_text
from vlm_boundary.writing import replacing

if TYPE_CHECKING:
    from PIL import Image

    from vlm_boundary.engines.chat import ChatRenderer, TemplateArgs

_SEED = 0  # an experiment's own is not known here


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
    look = _Look(config, chat, condition, template_args or {})
    scan = Scan(config)
    first: list[Candidate] = []
    problems: list[Problem] = []
    for candidate in scan:
        if len(first) < limit:
            first.append(candidate)
        # Named by their places, which is all that a prompt needs to know of them.
        places = tuple(str(place) for place in range(len(candidate.pictures)))
        problems.append(replace(candidate.problem, pictures=places))
        progress(len(problems))
    shown = look.shown(problems)[: len(first)]
    cards = tuple(look.card(one, problem) for one, problem in zip(first, shown, strict=True))
    return Preview(scan.records, len(problems), scan.filter_log, cards)


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


@dataclass(frozen=True)
class _Look:
    """How problems are shown; controls go by seed 0 and their default strength."""

    config: BenchmarkConfig
    chat: ChatRenderer
    condition: Condition
    template_args: TemplateArgs

    @property
    def _strength(self) -> float | None:
        return STRENGTHS[self.condition][0] if self.condition in STRENGTHS else None

    def shown(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems under the condition, their pictures still to be altered."""
        if self._strength is not None:
            return list(problems)
        rules = Rules(family=self.config.family, placeholder=self.config.images.placeholder)
        return shown_under(problems, self.condition, _SEED, rules)

    def card(self, candidate: Candidate, problem: Problem) -> Card:
        """A problem as the sheet shows it."""
        config, chat = self.config, self.chat
        try:
            opened = [self._opened(picture.read()) for picture in candidate.pictures]
            rule = chat.pictures(config.images.budget)
            fitted = [rule.fit(picture) for picture in opened]
        except PictureError as error:
            return Card(problem, error=problem.error or str(error))
        try:
            turns = messages(problem, config.worded(), config.images, self.condition)
        except TemplateProblem as error:
            raise UserError(
                f"benchmark {config.name!r}: prompt, problem {problem.problem_id!r}: {error}"
            ) from None
        seen = [int(name) for name in pictures_shown(turns)]
        try:
            length, _ = chat.prompt_tokens(
                turns, [fitted[i] for i in seen], self.template_args, **rule.options
            )
            text = chat.prompt_text(turns, self.template_args)
        except PromptUnusable as error:
            return Card(problem, error=problem.error or str(error))
        return Card(
            problem,
            pictures=tuple(_seen(opened[i], fitted[i]) for i in seen),
            prompt=text,
            tokens=length,
            error=problem.error,
        )

    def _opened(self, content: bytes) -> Image.Image:
        """A picture as the condition shows it, the same as in a run of this seed."""
        picture = open_rgb(content)
        alteration = alteration_of(self.condition, _SEED, self._strength)
        if alteration is None:
            return picture
        return alteration.of(hashlib.sha256(content).hexdigest(), picture)


def _seen(opened: Image.Image, fitted: Image.Image) -> Seen:
    png = io.BytesIO()
    fitted.save(png, format="PNG")
    return Seen(opened.size, fitted.size, png.getvalue())

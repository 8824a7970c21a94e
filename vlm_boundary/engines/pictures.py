"""What a model sees of a picture: the one place where a family's sizes are decided.

Some families take a range of pixels (Qwen-VL, GLM-V), some a number of tokens (Gemma 4), some cut
tiles (InternVL), some do as they will. A benchmark's budget is said in the words of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from vlm_boundary.benchmarks.images import PictureBudget, PixelBudget, fit, fitted_size
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import PictureSizes

# What Gemma 4 can be asked for, in tokens: transformers' image_processing_gemma4.py.
_GEMMA4_TOKENS = (70, 140, 280, 560, 1120)


@dataclass(frozen=True)
class PictureRule:
    """What becomes of pictures under one budget.

    Attributes:
        sizes: for the record.
        options: the processor's keyword arguments that keep to the budget.
        pixels: how pictures are sized before the processor gets them; None leaves it to that.
        by_number: the processor sizes them by how many belong together.
    """

    sizes: PictureSizes
    options: dict[str, Any] = field(default_factory=dict)
    pixels: PixelBudget | None = None
    by_number: bool = False

    def sizes_in_vllm(self, most: int) -> PictureSizes:
        """For the record, where at most so many pictures are in one prompt.

        vLLM gives the processor one picture at a time, so that it can keep what becomes of each.
        """
        return self.sizes.model_copy(update={"alone": most > 1}) if self.by_number else self.sizes

    def fit(self, picture: Image.Image) -> Image.Image:
        """The picture at the size that the model sees, without torch: for plans and previews.

        Raises:
            PictureError: it is too long or too wide for the model.
        """
        return picture if self.pixels is None else fit(picture, self.pixels)

    def seen(
        self, messages: Sequence[Message], pictures: Sequence[Image.Image]
    ) -> list[Image.Image]:
        """The pictures of chat turns as qwen-vl-utils hands them to the engine.

        Args:
            pictures: those that stand for the turns' parts of type image, in order, decoded.

        Raises:
            PictureError: one is too long or too wide for the model.
            UserError: qwen-vl-utils is not installed.
        """
        if self.pixels is None or not pictures:
            return list(pictures)
        utils = self.utils()
        turns = _with_pictures(messages, pictures, self.pixels)
        return [self._fetched(utils, part) for part in utils.extract_vision_info(turns)]

    def utils(self) -> Any:
        """The package qwen-vl-utils, or None where pictures are none of its business.

        Raises:
            UserError: it is not installed.
        """
        if self.pixels is None:
            return None
        try:
            import qwen_vl_utils
        except ImportError as error:
            raise UserError(
                f"pictures of the Qwen-VL families are sized by qwen-vl-utils, which cannot be "
                f"imported ({error}); it is part of the extras cpu and gpu"
            ) from None
        return qwen_vl_utils

    def _fetched(self, utils: Any, part: dict[str, Any]) -> Image.Image:
        assert self.pixels is not None
        picture: Image.Image = part["image"]
        fitted_size(*picture.size, self.pixels)  # refuses what is too long
        budget = (self.pixels.factor, self.pixels.min_pixels, self.pixels.max_pixels)
        if 0 in utils.smart_resize(picture.height, picture.width, *budget):
            # Its rule leaves nothing of so narrow a picture; the processors keep one patch.
            return fit(picture, self.pixels)
        # It takes the size of a patch, and merges two by two.
        found: Image.Image = utils.fetch_image(part, image_patch_size=self.pixels.factor // 2)
        return found


def _with_pictures(
    messages: Sequence[Message], pictures: Sequence[Image.Image], pixels: PixelBudget
) -> list[Message]:
    """Chat turns whose parts of type image hold the pictures and their budget."""
    left: Iterator[Image.Image] = iter(pictures)
    budget = {"min_pixels": pixels.min_pixels, "max_pixels": pixels.max_pixels}
    return [
        turn
        if isinstance(turn["content"], str)
        else turn
        | {
            "content": [
                {"type": "image", "image": next(left), **budget}
                if part["type"] == "image"
                else {"type": "text", "text": part["text"]}
                for part in turn["content"]
            ]
        }
        for turn in messages
    ]


def picture_rule(processor: Any, budget: PictureBudget) -> PictureRule:
    """What a checkpoint's processor makes of pictures under a budget.

    Raises:
        UserError: the budget's tokens are too few, or the family has no such setting.
    """
    images = getattr(processor, "image_processor", None)
    name = type(images).__name__.removesuffix("Fast")
    make = _RULES.get(name)
    return (make or _unsettable)(name, processor, budget)


def _unsettable(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    if budget.max_tokens is not None:
        raise UserError(
            f"images.max_tokens: pictures of this checkpoint are sized by its {name}, which has no "
            f"setting for it; drop it, or set the processor's own under engine.args.mm_processor_"
            f"kwargs"
        )
    # As LLaVA-OneVision's, which cuts a picture into tiles where it is the only one.
    by_number = "batch_num_images" in getattr(processor.image_processor, "model_input_names", ())
    return PictureRule(PictureSizes(processor=name, ignored=_unused(budget)), by_number=by_number)


def _qwen(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    images = processor.image_processor
    pixels = _pixels(images, budget, int(images.patch_size * images.merge_size), 1)
    return PictureRule(
        _pixel_sizes(name, pixels), _size_options(pixels, 1) if budget.given else {}, pixels
    )


def _glm(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    """GLM-V counts a still picture as two frames, and sizes it in its processor."""
    images = processor.image_processor
    frames = int(images.temporal_patch_size)
    pixels = _pixels(images, budget, int(images.patch_size * images.merge_size), frames)
    options = _size_options(pixels, frames) if budget.given else {}
    return PictureRule(_pixel_sizes(name, pixels), options)


def _pixels(images: Any, budget: PictureBudget, factor: int, frames: int) -> PixelBudget:
    """The fewest and the most pixels: those given, else the checkpoint's own within them."""
    smallest = int(images.size["shortest_edge"]) // frames
    largest = int(images.size["longest_edge"]) // frames
    if budget.min_pixels is not None:
        smallest, largest = budget.min_pixels, max(largest, budget.min_pixels)
    if budget.max_pixels is not None:
        largest = budget.max_pixels
    if budget.max_tokens is not None:
        largest = min(largest, budget.max_tokens * factor**2)
    return PixelBudget(factor, min(smallest, largest), largest)


def _size_options(pixels: PixelBudget, frames: int) -> dict[str, Any]:
    edges = {"shortest_edge": pixels.min_pixels, "longest_edge": pixels.max_pixels}
    return {"size": {name: frames * value for name, value in edges.items()}}


def _pixel_sizes(name: str, pixels: PixelBudget) -> PictureSizes:
    return PictureSizes(
        processor=name,
        min_pixels=pixels.min_pixels,
        max_pixels=pixels.max_pixels,
        step=pixels.factor,
        most_tokens=pixels.max_pixels // pixels.factor**2,
    )


def _gemma4(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    tokens = int(processor.image_processor.max_soft_tokens)
    options: dict[str, Any] = {}
    if budget.max_tokens is not None:
        fitting = [count for count in _GEMMA4_TOKENS if count <= budget.max_tokens]
        if not fitting:
            _too_few(budget.max_tokens, f"Gemma 4 takes {', '.join(map(str, _GEMMA4_TOKENS))}")
        tokens = fitting[-1]
        options = {"max_soft_tokens": tokens}
    ignored = _unused(budget)
    return PictureRule(PictureSizes(processor=name, most_tokens=tokens, ignored=ignored), options)


def _tiles(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    """InternVL: tiles of so many tokens, and where there are several, the whole as one more."""
    images = processor.image_processor
    each = int(processor.image_seq_length)
    tiles = int(images.max_patches) if images.crop_to_patches else 1
    options: dict[str, Any] = {}
    if budget.max_tokens is not None:
        room = budget.max_tokens // each
        if room < 1:
            _too_few(budget.max_tokens, f"one tile of this checkpoint's takes {each}")
        if (most := room - 1 if room > 2 else 1) < tiles:
            tiles = most
            options = {"max_patches": tiles}
            if tiles < int(images.min_patches):
                options["min_patches"] = tiles
    whole = tiles + (tiles > 1)
    sizes = PictureSizes(
        processor=name, tiles=tiles, most_tokens=each * whole, ignored=_unused(budget)
    )
    return PictureRule(sizes, options)


def _edges(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    """Idefics3 and SmolVLM: pictures as long as so many tiles, and the whole as one more."""
    images = processor.image_processor
    each, edge = int(processor.image_seq_len), int(images.max_image_size["longest_edge"])
    cut = bool(images.do_image_splitting)
    along = math.ceil(int(images.size["longest_edge"]) / edge) if cut else 1
    options: dict[str, Any] = {}
    if budget.max_tokens is not None:
        room = budget.max_tokens // each
        if room < 1:
            _too_few(budget.max_tokens, f"one tile of this checkpoint's takes {each}")
        if (most := max(1, math.isqrt(room - 1))) < along:
            along = most
            options = {"size": {"longest_edge": along * edge}}
    tiles = along**2
    sizes = PictureSizes(
        processor=name,
        tiles=tiles,
        most_tokens=each * (tiles + (tiles > 1)),
        ignored=_unused(budget),
    )
    return PictureRule(sizes, options)


def _rows(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    """Mistral 3: rows of patches, each with a token at its end; whatever its sides, in a square."""
    if int(processor.spatial_merge_size) == 1:
        # Pixtral itself: vLLM goes by the size in its config.json, whatever the processor is told.
        return _unsettable(name, processor, budget)
    images = processor.image_processor
    step = int(processor.patch_size) * int(processor.spatial_merge_size)
    along = math.ceil(int(images.size["longest_edge"]) / step)
    options: dict[str, Any] = {}
    if budget.max_tokens is not None:
        most = (math.isqrt(4 * budget.max_tokens + 1) - 1) // 2
        if most < 1:
            _too_few(budget.max_tokens, "the smallest takes 2 with this checkpoint")
        if most < along:
            along = most
            options = {"size": {"longest_edge": along * step}}
    tokens = along * (along + 1)
    return PictureRule(
        PictureSizes(processor=name, most_tokens=tokens, ignored=_unused(budget)), options
    )


def _fixed(name: str, processor: Any, budget: PictureBudget) -> PictureRule:
    tokens = int(processor.image_seq_length)
    if budget.max_tokens is not None and budget.max_tokens < tokens:
        _too_few(budget.max_tokens, f"every picture takes {tokens} with this checkpoint")
    return PictureRule(PictureSizes(processor=name, most_tokens=tokens, ignored=_unused(budget)))


def _unused(budget: PictureBudget) -> list[str]:
    return [n for n in ("min_pixels", "max_pixels") if getattr(budget, n) is not None]


def _too_few(asked: int, reason: str) -> None:
    raise UserError(f"images.max_tokens {asked} is too few for a picture: {reason}")


_RULES: dict[str, Callable[[str, Any, PictureBudget], PictureRule]] = {
    "Qwen2VLImageProcessor": _qwen,
    "Glm4vImageProcessor": _glm,
    "Glm46VImageProcessor": _glm,
    "Gemma4ImageProcessor": _gemma4,
    "GotOcr2ImageProcessor": _tiles,
    "Idefics3ImageProcessor": _edges,
    "SmolVLMImageProcessor": _edges,
    "PixtralImageProcessor": _rows,
    "Gemma3ImageProcessor": _fixed,
}

"""What is checked of a family: one engine's start, and transformers beside it.

Every check gives one cell of the table in docs/models.md: "yes", with a number where there is one,
or what was seen instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vlm_boundary.benchmarks.images import ANY_SIZE, PictureBudget, open_rgb
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Scored, ScoreRequest, Workload
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.engines.vllm import VllmEngine
from vlm_boundary.errors import UserError
from vlm_boundary.tiny.families import write_family
from vlm_boundary.verifier.thoughts import ends_in_thought

ENGINE_ARGS: dict[str, Any] = {
    "dtype": "float32",
    "max_model_len": 1024,
    "kv_cache_memory_bytes": 128 << 20,
}
# vLLM's linear attention has no other precision on a CPU; log-probabilities are coarser then.
ONLY_BFLOAT16 = ("qwen3.5", "minicpm-v")
# Log-probabilities of one token may differ by so much between two engines, in float32.
TOLERANCE = 1e-3
SAMPLES = 6
SAMPLING = SamplingConfig(
    n=SAMPLES, temperature=1.0, top_p=1.0, max_tokens=24, token_logprobs=SAMPLES
)
QUESTION = "How many bars are there? " * 6  # more than two blocks of the prefix cache
# So few tokens a picture that they change it; Gemma 4's next number above its checkpoint's own.
FEW_TOKENS = {"gemma4": 140, "gemma3": 3, "internvl": 12}
FEW = 6


def engine_args(family: str) -> dict[str, Any]:
    """The arguments of vLLM for a family's tiny checkpoint."""
    return ENGINE_ARGS | ({"dtype": "bfloat16"} if family in ONLY_BFLOAT16 else {})


@dataclass
class Checks:
    """One family's checkpoint in vLLM and in transformers."""

    family: str
    folder: Path
    cells: dict[str, str] = field(default_factory=dict)

    def run(self) -> Iterator[tuple[str, str]]:
        """Every check in turn; one that fails does not keep the others from being made."""
        self.chat = self._ready("loads", self._write)
        yield from self._told()
        if self.chat is None:
            return
        for name, check in (("prompt", self._prompt), ("thought", self._thought)):
            self._make(name, check)
        yield from self._told()
        self.engine = self._ready("vLLM", self._start)
        yield from self._told()
        if self.engine is None:
            return
        try:
            for name, check in (
                ("picture tokens", self._picture_tokens),
                ("no picture", self._without),
                ("two pictures", self._order),
                ("log-probabilities", self._agree),
                ("score", self._score),
                ("resume", self._resume),
                ("prefix cache", self._prefix),
                ("mask", self._mask),
                ("thinking switch", self._switch),
                ("max_tokens", self._max_tokens),
            ):
                self._make(name, check)
                yield from self._told()
        finally:
            self.engine.close()

    def _told(self) -> Iterator[tuple[str, str]]:
        yield from self.cells.items()
        self.cells = {}

    def _make(self, name: str, check: Callable[[], str]) -> None:
        try:
            self.cells[name] = check()
        except Exception as error:  # noqa: BLE001 - whatever an engine says is the cell
            self.cells[name] = _line(error)

    def _ready(self, name: str, start: Callable[[], Any]) -> Any:
        try:
            ready = start()
        except Exception as error:  # noqa: BLE001 - whatever an engine says is the cell
            self.cells[name] = _line(error)
            return None
        self.cells[name] = "yes"
        return ready

    def _write(self) -> ChatRenderer:
        write_family(self.family, self.folder)
        self.checkpoint = resolve_checkpoint(str(self.folder))
        self.pictures = (
            _draw(self.folder / "0a.png", "red", (84, 84)),
            _draw(self.folder / "0b.png", "blue", (140, 60)),
        )
        return ChatRenderer.of(self.checkpoint)

    def _start(self) -> VllmEngine:
        workload = Workload((SAMPLING,), max_images=2)
        config = VllmConfig(in_process=True, args=engine_args(self.family))
        engine = open_engine(self.family, self.checkpoint, config, workload)
        assert isinstance(engine, VllmEngine)
        return engine

    def ask(self, pictures: tuple[Path, ...], count: int = 1, first: int = 0) -> Request:
        """A question about pictures."""
        content: list[dict[str, Any]] = [{"type": "image", "image": p.name} for p in pictures]
        content.append({"type": "text", "text": QUESTION})
        return Request(
            request_id="r",
            messages=[{"role": "user", "content": content}],
            pictures=pictures,
            indices=range(first, first + count),
            seed=100,
            problem_id="r",
        )

    def draw(self, pictures: tuple[Path, ...], count: int = 1, first: int = 0) -> list[Completion]:
        """Samples of the question, in order."""
        return self.drawn(self.ask(pictures, count, first))

    def drawn(self, asked: Request) -> list[Completion]:
        """The samples of a request, in order."""
        found = list(self.engine.generate([asked], SAMPLING))
        failed = [one.reason for one in found if isinstance(one, Failure)]
        if failed:
            raise RuntimeError(failed[0])
        return sorted((o for o in found if isinstance(o, Completion)), key=lambda o: o.index)

    def score(self, pictures: tuple[Path, ...], responses: dict[int, list[int]]) -> dict[int, Any]:
        """What vLLM finds of responses, by index."""
        asked = ScoreRequest(**vars(self.ask(pictures, len(responses))) | {"responses": responses})
        found = list(self.engine.score([asked]))
        failed = [one.reason for one in found if isinstance(one, Failure)]
        if failed:
            raise RuntimeError(failed[0])
        return {o.index: o.token_logprobs for o in found if isinstance(o, Scored)}

    def read(
        self,
        pictures: tuple[Path, ...],
        response: list[int],
        *,
        alone: bool = False,
        backwards: bool = False,
    ) -> list[float]:
        """What transformers finds of a response, token by token.

        Args:
            alone: its processor is given one picture at a time.
            backwards: its model is not told which tokens are of pictures.
        """
        import torch
        from transformers import AutoModelForImageTextToText

        if not hasattr(self, "_model"):
            self._model = AutoModelForImageTextToText.from_pretrained(
                self.folder, dtype="float32"
            ).eval()
        inputs = self._inputs(pictures, alone=alone)
        if backwards:
            del inputs["token_type_ids"]
        prompt = inputs["input_ids"]
        tail = torch.tensor([response])
        for name, values in list(inputs.items()):
            if torch.is_tensor(values) and values.shape == prompt.shape:
                more = tail if name == "input_ids" else torch.zeros_like(tail)
                if name == "attention_mask":
                    more = torch.ones_like(tail)
                inputs[name] = torch.cat([values, more.to(values.dtype)], 1)
        with torch.inference_mode():
            logprobs = self._model(**inputs).logits.float().log_softmax(-1)[0]
        start = prompt.shape[1] - 1
        return [float(logprobs[start + i, token]) for i, token in enumerate(response)]

    def _inputs(
        self,
        pictures: tuple[Path, ...],
        told: dict[str, Any] | None = None,
        *,
        alone: bool = False,
    ) -> dict[str, Any]:
        opened = [open_rgb(path) for path in pictures]
        text = self.chat.processor_text(self.ask(pictures).messages, told or {})
        special = self.chat.adds_special_tokens(text)
        return dict(
            self.chat.processor(
                text=[text],
                images=(opened if alone else [opened]) if opened else None,
                return_tensors="pt",
                text_kwargs={"add_special_tokens": special},
            )
        )

    def _prompt(self) -> str:
        for count in (0, 1, 2):
            shown = self.pictures[:count]
            ours = self._inputs(shown)["input_ids"][0].tolist()
            theirs = self._rendered(shown, {})
            if ours != theirs:
                return f"another with {count} pictures: {len(ours)} tokens for {len(theirs)}"
        return "yes"

    def _rendered(self, pictures: tuple[Path, ...], told: dict[str, Any]) -> list[int]:
        """The prompt through transformers alone."""
        content: list[dict[str, Any]] = [
            {"type": "image", "image": open_rgb(path)} for path in pictures
        ]
        content.append({"type": "text", "text": QUESTION})
        inputs = self.chat.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            **told,
        )
        return list(inputs["input_ids"][0])

    def _thought(self) -> str:
        text = self.chat.prompt_text(self.ask(()).messages)
        return "opened" if ends_in_thought(text) else "not opened"

    def _picture_tokens(self) -> str:
        counts = []
        for count in (1, 2):
            shown = self.pictures[:count]
            fitted = [self.chat.pictures(ANY_SIZE).fit(open_rgb(path)) for path in shown]
            ours = self.chat.prompt_tokens(self.ask(shown).messages, fitted)
            (sample,) = self.draw(shown)
            if ours != (sample.prompt_tokens, sample.picture_tokens):
                return f"{count} pictures: {ours[1]} counted, {sample.picture_tokens} in the engine"
            counts.append(str(ours[1]))
        return f"yes ({', '.join(counts)})"

    def _without(self) -> str:
        (sample,) = self.draw(())
        if sample.picture_tokens != 0:
            return f"{sample.picture_tokens} picture tokens"
        return self._difference((), sample.token_ids)

    def _order(self) -> str:
        shown = self.pictures
        (sample,) = self.draw(shown)
        right = self._difference(shown, sample.token_ids)
        swapped = self.score(tuple(reversed(shown)), {0: sample.token_ids})[0]
        straight = self.score(shown, {0: sample.token_ids})[0]
        if max(abs(a - b) for a, b in zip(swapped, straight, strict=True)) < TOLERANCE:
            return "their order makes no difference"
        return right

    def _agree(self) -> str:
        (sample,) = self.draw(self.pictures[:1])
        return self._difference(self.pictures[:1], sample.token_ids)

    def _difference(self, pictures: tuple[Path, ...], response: list[int]) -> str:
        ours = self.score(pictures, {0: response})[0]
        theirs = self.read(pictures, response)
        return _within(max(abs(a - b) for a, b in zip(ours, theirs, strict=True)))

    def _score(self) -> str:
        drawn = self.draw(self.pictures[:1], SAMPLES)
        found = self.score(self.pictures[:1], {one.index: one.token_ids for one in drawn})
        return _within(
            max(
                abs(a - b)
                for one in drawn
                for a, b in zip(one.token_logprobs or (), found[one.index], strict=True)
            )
        )

    def _resume(self) -> str:
        whole = self.draw(self.pictures[:1], SAMPLES)
        self.engine._llm.reset_prefix_cache()
        rest = self.draw(self.pictures[:1], SAMPLES - 3, 3)
        same = [a.token_ids == b.token_ids for a, b in zip(whole[3:], rest, strict=True)]
        return "yes" if all(same) else f"{same.count(False)} of {len(same)} samples differ"

    def _prefix(self) -> str:
        before = self.engine.usage()
        self.draw(self.pictures[:1], SAMPLES)
        self.draw(self.pictures[:1], SAMPLES)
        after = self.engine.usage()
        asked, hit = (after[k] - before[k] for k in ("prompt_tokens", "cached_prompt_tokens"))
        return f"yes ({hit / asked:.0%})" if hit else "no hits"

    def _mask(self) -> str:
        places = set(self.chat.place_ids())
        if not places:
            return "no such tokens known"
        drawn = self.draw(self.pictures[:1], 32)
        return "drawn" if any(places & set(one.token_ids) for one in drawn) else "yes"

    def _switch(self) -> str:
        shown, prompts = self.pictures[:1], []
        for thinks in (True, False):
            told = {"enable_thinking": thinks}
            try:
                ours = self._inputs(shown, told)["input_ids"][0].tolist()
            except UserError:
                return "none"
            if ours != self._rendered(shown, told):
                return f"another prompt with {thinks}"
            (sample,) = self.drawn(replace(self.ask(shown), chat_template_args=told))
            if sample.prompt_tokens != len(ours):
                return f"{thinks}: {len(ours)} tokens, {sample.prompt_tokens} in the engine"
            prompts.append(ours)
        return "yes" if prompts[0] != prompts[1] else "changes nothing"

    def _max_tokens(self) -> str:
        most = FEW_TOKENS.get(self.family, FEW)
        try:
            rule = self.chat.pictures(PictureBudget(max_tokens=most))
        except UserError:
            return "refused"
        places, counts = set(self.chat.place_ids()), []
        for count in (1, 2):
            shown = self.pictures[:count]
            asked = replace(self.ask(shown), budget=PictureBudget(max_tokens=most))
            fitted = [rule.fit(open_rgb(path)) for path in shown]
            planned = self.chat.prompt_tokens(asked.messages, fitted, **rule.options)
            (sample,) = self.drawn(asked)
            if planned != (sample.prompt_tokens, sample.picture_tokens):
                return f"{planned[1]} counted, {sample.picture_tokens} in the engine"
            text = self.chat.processor_text(asked.messages)
            read = self.chat.processor(text=[text], images=fitted, **rule.options)["input_ids"][0]
            held = Counter(
                token for token in map(int, read) if token in places
            )  # marks are others, or few
            if max(held.values()) > most * count:
                return f"{max(held.values())} for {count} pictures of at most {most}"
            if sample.prompt_tokens == self.draw(shown)[0].prompt_tokens:
                return "changes nothing"
            counts.append(str(planned[1]))
        return f"yes ({', '.join(counts)})"


def _within(difference: float) -> str:
    return f"yes ({difference:.0e})" if difference < TOLERANCE else f"apart by {difference:.2g}"


def _line(error: BaseException) -> str:
    return (type(error).__name__ + ": " + " ".join(str(error).split()))[:300]


def _draw(path: Path, colour: str, size: tuple[int, int]) -> Path:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).rectangle((10, 30, 40, 50), fill=colour)
    picture.save(path)
    return path

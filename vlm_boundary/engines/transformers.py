"""`transformers` generate: slow, close to the definition, and so the reference for the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vlm_boundary.benchmarks.images import PictureError, open_rgb
from vlm_boundary.config import SamplingConfig, TransformersConfig
from vlm_boundary.engines.base import (
    AGAIN_SECONDS,
    Completion,
    Failure,
    PromptTooLong,
    PromptUnusable,
    Request,
    Requests,
    Workload,
    refused,
    unheard,
)
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.processors import refuse_untrusted_code
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Checkpoint

if TYPE_CHECKING:
    from vlm_boundary.engines.seeded import SeededSampler


class TransformersEngine:
    """One checkpoint in transformers, through its own processor and chat template.

    A sample's random numbers come from a generator of its own with the sample's seed, so it does
    not depend on what is drawn beside it. Nothing is taken from the checkpoint's
    generation_config.json but its end-of-text tokens.

    Raises:
        UserError: transformers is not installed, or the checkpoint or settings are not for it.
    """

    def __init__(
        self, checkpoint: Checkpoint, config: TransformersConfig, workload: Workload
    ) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise UserError(f"engine kind transformers cannot be imported ({error})") from None
        if checkpoint.adapter is not None:
            raise UserError(
                f"{checkpoint.adapter}: engine kind transformers loads no LoRA adapters; merge it "
                f"into its base, or use engine kind vllm"
            )
        for sampling in workload.samplings:
            if sampling.args:
                raise UserError(
                    f"sampling.args: engine kind transformers has no further sampling parameters; "
                    f"drop {', '.join(sampling.args)}"
                )
        self._chat = ChatRenderer.of(checkpoint)
        pictures = self._chat.pictures(workload.budget)
        pictures.utils()  # missed before the model is loaded
        self._picture_sizes = pictures.sizes.said
        self._refusals = (PictureError, PromptTooLong, PromptUnusable)
        self._masked = self._chat.place_ids() if config.mask_picture_tokens else []
        self._batch_size = config.batch_size
        self._device = config.device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                checkpoint.folder,
                dtype=config.dtype,
                trust_remote_code=checkpoint.trust_remote_code,
            )
        except ValueError as error:
            refuse_untrusted_code(checkpoint.folder, trust_remote_code=checkpoint.trust_remote_code)
            raise UserError(f"transformers refuses {checkpoint.folder}: {error}") from None
        self._model: Any = model.to(self._device).eval()
        self._ends = self._chat.end_token_ids() | _as_set(model.generation_config.eos_token_id)
        # generate() fills whatever is not said from the model's own settings: none are left there.
        self._model.generation_config = transformers.GenerationConfig()
        text = model.config.get_text_config()
        self._room = getattr(text, "max_position_embeddings", None)
        for sampling in workload.samplings:
            if self._room is not None and sampling.max_tokens >= self._room:
                raise UserError(
                    f"sampling.max_tokens {sampling.max_tokens} leaves no room for a prompt in "
                    f"this checkpoint's {self._room} positions; lower max_tokens"
                )

    def describe(self) -> dict[str, Any]:
        """Versions, hardware and settings."""
        import torch
        import transformers

        return {
            "engine": "transformers",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "device": self._device,
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "max_model_len": self._room,
            "batch_size": self._batch_size,
            "picture_sizes": self._picture_sizes,
            "end_token_ids": sorted(self._ends),
            "masked_token_ids": self._masked,
        }

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None] = unheard
    ) -> Iterator[Completion | Failure]:
        """Draw every sample, one problem after the other; see `Engine.generate`."""
        for request in requests:
            if request is None:
                time.sleep(AGAIN_SECONDS)
                alive()
                continue
            try:
                inputs = self._inputs(request, sampling)
            except self._refusals as error:
                yield refused(request.request_id, error)
                continue
            for start in range(request.indices.start, request.indices.stop, self._batch_size):
                stop = min(start + self._batch_size, request.indices.stop)
                yield from self._batch(request, inputs, range(start, stop), sampling, alive)

    def close(self) -> None:
        """Free the checkpoint."""
        del self._model

    def _inputs(self, request: Request, sampling: SamplingConfig) -> Any:
        rule = self._chat.pictures(request.budget)
        pictures = rule.seen(request.messages, [open_rgb(path) for path in request.pictures])
        text = self._chat.processor_text(
            request.messages, request.chat_template_args, request.prefix
        )
        self._chat.token_ids(text)  # refuses data that would become structure
        inputs = self._chat.processor(
            text=[text],
            # Those of one prompt together: LLaVA-OneVision cuts a picture that stands alone.
            images=[pictures] if pictures else None,
            return_tensors="pt",
            add_special_tokens=self._chat.adds_special_tokens(text),
            **({"images_kwargs": rule.options} if rule.options else {}),
        ).to(self._device)
        length = inputs["input_ids"].shape[1]
        if self._room is not None and length + sampling.max_tokens > self._room:
            raise PromptTooLong(
                f"prompt of {length} tokens and max_tokens {sampling.max_tokens} exceed the "
                f"checkpoint's {self._room} positions"
            )
        return inputs

    def _batch(
        self,
        request: Request,
        inputs: Any,
        indices: range,
        sampling: SamplingConfig,
        alive: Callable[[], None],
    ) -> Iterator[Completion]:
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        from vlm_boundary.engines.seeded import SeededSampler

        seeds = [request.seed + index for index in indices]
        sampler: SeededSampler = SeededSampler(
            sampling, seeds, self._ends, alive, masked=self._masked
        )
        # The sampler leaves one possible token a row, which generate() then "draws".
        settings = GenerationConfig(
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            num_return_sequences=len(seeds),
            max_new_tokens=sampling.max_tokens,
            eos_token_id=sorted(self._ends),
            pad_token_id=min(self._ends),
        )
        with torch.inference_mode():
            self._model.generate(
                **inputs,
                generation_config=settings,
                logits_processor=LogitsProcessorList([sampler]),
            )
        for index, seed, row in zip(indices, seeds, sampler.rows, strict=True):
            yield Completion(
                request_id=request.request_id,
                index=index,
                seed=seed,
                token_ids=row.token_ids,
                text=self._chat.text(row.token_ids, ended=row.ended),
                finish_reason="stop" if row.ended else "length",
                logprob_sum=row.logprob_sum if sampling.logprob_sum else None,
                token_logprobs=row.logprobs if index < sampling.token_logprobs else None,
            )


def _as_set(ids: int | list[int] | None) -> set[int]:
    return {ids} if isinstance(ids, int) else set(ids or ())

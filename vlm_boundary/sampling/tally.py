"""The work of drawing, and the least time that it could have taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.engines.base import Completion
from vlm_boundary.engines.bound import MEMORY_SHARE, TokenSums, lower_bound
from vlm_boundary.engines.gpus import recognise
from vlm_boundary.engines.model_size import NoBound, read_model_size
from vlm_boundary.store import Partition


class Tally:
    """The work that an engine has done, counted as its samples come in."""

    def __init__(self) -> None:
        self._work: TokenSums | None = TokenSums()
        self._read: set[tuple[str, str, str]] = set()

    def add(self, partition: Partition, problem_id: str, done: Completion) -> None:
        """Count one sample's work, with its prompt's if no sample of it came before."""
        if self._work is None or done.prompt_tokens is None or done.picture_tokens is None:
            self._work = None  # an engine that does not tell how long its prompts are
            return
        prompt = (partition.benchmark, partition.condition, problem_id)
        if prompt not in self._read:
            self._read.add(prompt)
            self._work += TokenSums.of_prompt(done.prompt_tokens, done.picture_tokens)
        self._work += TokenSums.of_responses(done.prompt_tokens, len(done.token_ids))

    def lower_bound(self, folder: Path | None, engine: Mapping[str, Any]) -> dict[str, Any]:
        """The least seconds of the work on the engine's GPU, or the reason why there is none.

        Args:
            folder: the checkpoint; None where the engine has none.
            engine: what the engine says of itself, as in `Engine.describe`.
        """
        if folder is None:
            return {"reason": f"the engine {engine.get('engine')} does not compute here"}
        gpu = recognise(str(engine.get("device")))
        if gpu is None:
            return {"reason": f"the peak rates of {engine.get('device')!r} are not known"}
        if self._work is None:
            return {"reason": "the engine does not tell how long its prompts are"}
        args = engine.get("args", {})
        parallel = int(args.get("tensor_parallel_size") or 1)
        try:
            bound = lower_bound(
                self._work,
                read_model_size(folder, args),
                gpu,
                max_sequences=int(engine.get("max_num_seqs") or gpu.default_sequences),
                gpus=parallel,
                tensor_parallel=parallel,
                memory_share=float(args.get("gpu_memory_utilization") or MEMORY_SHARE),
                chunked_prefill=args.get("enable_chunked_prefill") is not False,
            )
        except NoBound as reason:
            return {"reason": str(reason)}
        return {"gpu": gpu.name, "seconds": round(bound.seconds, 3)}

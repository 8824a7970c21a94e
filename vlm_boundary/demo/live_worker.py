"""One live engine's process; see `fleet.worker`.

Standard input holds JSON lines: first the experiment and the arm, then requests, whose answers are
told. It ends with its input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.config import ExperimentConfig, OpenAIConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Engine, Request, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.fleet.worker import Channel, serve
from vlm_boundary.sampling.identity import resolve_source


def _serve(channel: Channel) -> None:
    order = json.loads(sys.stdin.readline())
    experiment = ExperimentConfig.model_validate(order["experiment"])
    arm = order["arm"]
    config = experiment.arm_engine(arm)
    if isinstance(config, OpenAIConfig):  # each sample is shown as it finishes
        config = config.model_copy(update={"samples_per_request": 1})
    engine = open_engine(
        experiment.arms[arm].model,
        resolve_source(experiment.arms[arm], config).checkpoint,
        config,
        Workload(
            samplings=(experiment.arm_sampling(arm),),
            max_images=order["max_images"],
            chat_template_args=(experiment.arm_chat_template_args(arm),),
        ),
    )
    try:
        channel.tell(ready=True)
        for line in sys.stdin:
            _answer(engine, json.loads(line), channel)
    finally:
        engine.close()


def _answer(engine: Engine, asked: dict[str, Any], channel: Channel) -> None:
    request = Request(
        request_id=asked["id"],
        messages=asked["messages"],
        pictures=tuple(Path(path) for path in asked["pictures"]),
        indices=range(asked["n"]),
        seed=asked["seed"],
        budget=PictureBudget(**asked["budget"]),
        chat_template_args=asked["chat_template_args"],
    )
    sampling = SamplingConfig.model_validate(asked["sampling"])
    try:
        for result in engine.generate([request], sampling, lambda: None):
            if isinstance(result, Completion):
                channel.tell(
                    id=asked["id"],
                    sample_index=result.index,
                    seed=result.seed,
                    text=result.text,
                    tokens=len(result.token_ids),
                    finish_reason=result.finish_reason,
                    logprob_sum=result.logprob_sum,
                )
            else:
                channel.tell(id=asked["id"], failure=result.reason)
    except UserError as error:  # a server that is away now may be back for the next request
        channel.tell(id=asked["id"], failure=str(error))
    channel.tell(id=asked["id"], done=True)


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1]), _serve))

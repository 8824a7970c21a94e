"""One live engine's process: `python -m vlm_boundary.demo.live_worker --answers-fd N`.

Standard input holds JSON lines: first the experiment and the arm, then requests. Answers go through
a pipe as JSON lines; what engines print goes wherever the parent sent it. It ends with its input.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.config import ExperimentConfig, OpenAIConfig, SamplingConfig
from vlm_boundary.engines import Completion, Engine, Request, Workload
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.sampling.identity import resolve_source
from vlm_boundary.sampling.worker import Stopped, leave_nothing_behind, stop_cleanly


def main() -> int:
    """Serve requests until the input ends; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers-fd", type=int, required=True)
    options = parser.parse_args()
    stop_cleanly()
    guard = leave_nothing_behind()
    os.set_inheritable(options.answers_fd, False)
    with os.fdopen(options.answers_fd, "w", buffering=1) as answers:
        try:
            _serve(answers)
        except UserError as error:
            _tell(answers, error=str(error))
            code = 2
        except (Stopped, BrokenPipeError):
            return 130  # perhaps because the demo is gone: the guard sees to what is left
        else:
            code = 0
    if guard is not None:
        guard.kill()
    return code


def _serve(answers: TextIO) -> None:
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
        Workload(samplings=(experiment.arm_sampling(arm),), max_images=order["max_images"]),
    )
    try:
        _tell(answers, ready=True)
        for line in sys.stdin:
            _answer(engine, json.loads(line), answers)
    finally:
        engine.close()


def _answer(engine: Engine, asked: dict[str, Any], answers: TextIO) -> None:
    request = Request(
        request_id=asked["id"],
        messages=asked["messages"],
        pictures=tuple(Path(path) for path in asked["pictures"]),
        indices=range(asked["n"]),
        seed=asked["seed"],
        min_pixels=asked["min_pixels"],
        max_pixels=asked["max_pixels"],
    )
    sampling = SamplingConfig.model_validate(asked["sampling"])
    try:
        for result in engine.generate([request], sampling, lambda: None):
            if isinstance(result, Completion):
                _tell(
                    answers,
                    id=asked["id"],
                    index=result.index,
                    seed=result.seed,
                    text=result.text,
                    tokens=len(result.token_ids),
                    finish_reason=result.finish_reason,
                    logprob_sum=result.logprob_sum,
                )
            else:
                _tell(answers, id=asked["id"], failure=result.reason)
    except UserError as error:  # a server that is away now may be back for the next request
        _tell(answers, id=asked["id"], failure=str(error))
    _tell(answers, id=asked["id"], done=True)


def _tell(answers: TextIO, **message: Any) -> None:
    answers.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    sys.exit(main())

"""The sampling stage on a cluster: every model's missing samples, until they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from vlm_boundary.cluster.connect import connected
from vlm_boundary.cluster.pieces import Piece, Queue, pieces_of
from vlm_boundary.cluster.pool import Model, Pool
from vlm_boundary.cluster.storage import Storage
from vlm_boundary.config import ExperimentConfig, RayConfig
from vlm_boundary.engines.factory import open_engine
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Job
from vlm_boundary.fleet.places import engine_width
from vlm_boundary.fleet.session import OpenEngine
from vlm_boundary.fleet.work import lacking
from vlm_boundary.sampling.stage import Wanted, waves_of
from vlm_boundary.store import RunDirectory, sample_indices


def draw_models(
    run: RunDirectory,
    experiment: ExperimentConfig,
    wanted: Wanted,
    opener: OpenEngine = open_engine,
) -> None:
    """Draw on the experiment's cluster: a scheduler for `sample`.

    Args:
        wanted: what the run lacks; after engines were lost, what they had not stored is drawn once
            more.
        opener: opens the engines.

    Raises:
        UserError: the cluster cannot be reached, or an engine not be had.
        EngineDied: a model's engines end again and again.
    """
    config = experiment.ray or RayConfig()
    storage = Storage(config.storage) if config.storage else None
    with connected(config):

        def fetch() -> None:
            if storage:
                storage.pull_results(run)

        if storage:
            storage.push_inputs(run)
            fetch()  # what another driver began
            wanted = _left(run, wanted)
        poisoned: set[tuple[Any, str]] = set()
        try:
            while models := _models(experiment, config, wanted, poisoned):
                missing = partial(_lacking, run, fetch)
                lost = Pool(run, models, experiment, missing, opener).draw(fetch)
                for piece in lost.poisoned:
                    poisoned.add((piece.partition, piece.problem_id))
                    reason = f"it ended its engine {piece.crashes} times"
                    run.failures.add(piece.partition, [(piece.problem_id, None, reason)])
                if not lost.engines:
                    return
                fetch()
                wanted = _left(run, wanted)
        finally:
            fetch()


def _models(
    experiment: ExperimentConfig, config: RayConfig, wanted: Wanted, poisoned: set[tuple[Any, str]]
) -> list[Model]:
    models = []
    for units in wanted:
        ruled = any(unit.rule for unit in units)  # one engine then has the whole of a problem
        if ruled and config.storage:
            raise UserError(
                "sampling.stop needs a run directory that all machines share, where engines find "
                "each other's verdicts; drop ray.storage, or the rule"
            )
        waves = [units] if ruled else waves_of(experiment, units)
        found = pieces_of(unit for wave in waves for unit in wave)
        pieces = [p for p in found if (p.partition, p.problem_id) not in poisoned]
        if pieces:
            job = Job(tuple(units))
            models.append(Model(job, _resources(experiment, config, job.engines[0]), Queue(pieces)))
    return models


def _left(run: RunDirectory, wanted: Wanted) -> Wanted:
    return [[unit.left(run) for unit in units] for units in wanted]


def _resources(experiment: ExperimentConfig, config: RayConfig, arm: str) -> dict[str, Any]:
    engine = experiment.arm_engine(arm)
    gpus = config.gpus_per_engine
    if not engine.needs_checkpoint:
        gpus = 0
    elif gpus is None:
        gpus = engine_width(engine)
    elif gpus and gpus < engine_width(engine):
        raise UserError(
            f"ray.gpus_per_engine {gpus:g} is less than the {engine_width(engine)} GPUs that "
            f"tensor_parallel_size times pipeline_parallel_size ask for"
        )
    found: dict[str, Any] = {"num_cpus": config.cpus_per_engine, "num_gpus": gpus}
    return found | ({"resources": config.resources} if config.resources else {})


def _lacking(
    run: RunDirectory, fetch: Callable[[], object], pieces: Sequence[Piece]
) -> list[Piece]:
    """What of a lost engine's pieces is not stored, in their order."""
    fetch()
    none = np.zeros(0, dtype=np.int32)
    present = {
        partition: sample_indices(run.samples, partition)
        for partition in {piece.partition for piece in pieces}
    }
    left = (
        replace(piece, spans=tuple(part for span in piece.spans for part in lacking(span, there)))
        for piece in pieces
        for there in [present[piece.partition].get(piece.problem_id, none)]
    )
    return [piece for piece in left if piece.spans]

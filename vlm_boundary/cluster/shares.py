"""Verdicts and checks on a cluster: shares of a run's problems as Ray tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from vlm_boundary.cluster.connect import connected
from vlm_boundary.config import RayConfig
from vlm_boundary.errors import UserError
from vlm_boundary.interrupts import look
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import RunDirectory, Share

Result = TypeVar("Result")
# How often a share is begun again whose process or machine is gone.
_RETRIES = 5


class ClusterShares:
    """A `ShareMap` over the cores of a Ray cluster, whose machines see the run directory.

    Args:
        config: the cluster.
        doing: what is done, for the progress bar.
    """

    def __init__(self, config: RayConfig, doing: str) -> None:
        self._config = config
        self._doing = doing

    def __call__(
        self, work: Callable[[Share], Result], shares: Sequence[Share]
    ) -> Iterator[Result]:
        """Results in the order of the shares.

        Raises:
            UserError: the cluster cannot be reached, or a machine does not see the run directory.
        """
        with connected(self._config):
            import ray

            task: Any = ray.remote(num_cpus=1, max_retries=_RETRIES)(_on_machine)
            refs = [task.remote(work, replace(s, run=s.run.resolve())) for s in shares]
            total = sum(share.samples for share in shares)
            with progress_bar(f"{self._doing} on the cluster", total=total, unit="sample") as bar:
                for share, ref in zip(shares, refs, strict=True):
                    look()
                    try:
                        result: Result = ray.get(ref)
                    except ray.exceptions.RayTaskError as error:
                        raise error.cause from None
                    bar.update(share.samples)
                    yield result


def _on_machine(work: Callable[[Share], Result], share: Share) -> Result:
    """Work on a share where the task runs."""
    if not RunDirectory(share.run).begun:
        import platform

        raise UserError(
            f"{platform.node()} does not see the run directory {share.run}; keep it on a file "
            f"system that all machines share"
        )
    return work(share)

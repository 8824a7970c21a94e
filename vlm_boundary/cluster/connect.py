"""The Ray cluster that a command uses, and shares of a run's problems as its tasks."""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from vlm_boundary.config import RayConfig
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.interrupts import look
from vlm_boundary.progress import progress_bar
from vlm_boundary.store import RunDirectory, Share

Result = TypeVar("Result")
_SECONDS = 10.0  # in which a machine answers
# How often a share is begun again whose process or machine is gone.
_RETRIES = 5


@contextmanager
def connected(config: RayConfig) -> Iterator[None]:
    """Be connected to the cluster, unless this process is already.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError(
            f"ray: Ray cannot be imported ({error}); install vlm-boundary[ray] on every machine "
            f"of the cluster"
        ) from None
    if ray.is_initialized():
        yield
        return
    _refuse_silence(config.address)
    try:
        ray.init(address=config.address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError) as error:
        said = reason_of(error)
        where = config.address or "by default"
        raise UserError(
            f"ray.address {where}: no cluster answers ({said}); 'ray start --head' begins one"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _refuse_silence(address: str | None) -> None:
    """See that something listens at HOST:PORT, which Ray itself finds out after minutes.

    Raises:
        UserError: nothing does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"ray.address {address}: nothing answers there ({error}); 'ray start --head' begins a "
            f"cluster and says its address"
        ) from None


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
        raise UserError(
            f"{platform.node()} does not see the run directory {share.run}; keep it on a file "
            f"system that all machines share"
        )
    return work(share)

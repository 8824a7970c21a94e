"""The Ray cluster that a command uses."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from vlm_boundary.config import RayConfig
from vlm_boundary.errors import UserError, reason_of

_SECONDS = 10.0  # in which a machine answers


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

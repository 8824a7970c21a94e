"""The Ray cluster that a command uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from vlm_boundary.config import RayConfig
from vlm_boundary.errors import UserError


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
    try:
        ray.init(address=config.address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError) as error:
        said = str(error).splitlines()[0]
        where = config.address or "by default"
        raise UserError(
            f"ray.address {where}: no cluster answers ({said}); 'ray start --head' begins one"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()

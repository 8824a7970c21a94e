"""math-verify, called only inside the pool's processes: it can take forever and all memory."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MEMORY_LIMIT = 2 << 30


def start_worker() -> None:
    """Prepare a pool process: load math-verify and bound what a hostile expression can take."""
    import logging
    import resource

    import math_verify  # noqa: F401  # imported here so that no deadline pays for it

    # It warns at every call that deadlines are ours to keep, which is so.
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def compare(scope: str, gold: str) -> tuple[bool | None, str | None]:
    """Extract a final answer and compare it: (correct, extracted).

    `extracted` is None when there is no answer; `correct` is None when it cannot be decided.
    """
    from math_verify import parse, verify

    expected = _gold(gold)
    if not expected:
        return None, None
    found = parse(scope, parsing_timeout=None)
    if not found:
        return False, None
    extracted = next((item for item in found if isinstance(item, str)), None)
    return bool(verify(list(expected), found, timeout_seconds=None)), extracted or ""


@lru_cache(maxsize=4096)
def _gold(gold: str) -> tuple[Any, ...]:
    from math_verify import parse

    return tuple(parse(f"\\boxed{{{gold}}}", parsing_timeout=None))

"""Whether a right answer was reasoned to: layers of checks on chains of thought, stored apart."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vlm_boundary.records.validity import FLAGS, Flag, flags, validity

if TYPE_CHECKING:
    from vlm_boundary.reasoning.arithmetic import check_arithmetic
    from vlm_boundary.reasoning.evidence import Chain, Evidence
    from vlm_boundary.reasoning.structure import check_structure

# What reads chains is imported when it is asked for: people's labels need none of it, and the
# hundreds of patterns that it compiles take half a second.
_ON_CHAINS = {
    "check_arithmetic": "arithmetic",
    "Chain": "evidence",
    "Evidence": "evidence",
    "check_structure": "structure",
}


def __getattr__(name: str) -> Any:
    if name in _ON_CHAINS:
        return getattr(import_module(f"{__name__}.{_ON_CHAINS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "FLAGS",
    "Chain",
    "Evidence",
    "Flag",
    "check_arithmetic",
    "check_structure",
    "flags",
    "validity",
]

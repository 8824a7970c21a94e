"""Whether a right answer was reasoned to: layers of checks on chains of thought, stored apart."""

from vlm_boundary.reasoning.arithmetic import check_arithmetic
from vlm_boundary.reasoning.evidence import FLAGS, Chain, Evidence, Flag, flags, validity
from vlm_boundary.reasoning.structure import check_structure

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

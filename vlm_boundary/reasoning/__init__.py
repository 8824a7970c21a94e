"""Whether a right answer was reasoned to: layers of checks on chains of thought, stored apart."""

from vlm_boundary.reasoning.arithmetic import check_arithmetic
from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.reasoning.structure import check_structure
from vlm_boundary.records.validity import FLAGS, Flag, flags, validity

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

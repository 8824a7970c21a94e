"""A run as pages that any file server shows: the demo's reading, written once."""

from vlm_boundary.bundle.write import export

__all__ = ["export"]

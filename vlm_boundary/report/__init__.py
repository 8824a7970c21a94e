"""Reports: figures, tables and the page."""

from vlm_boundary.report.stage import report

__all__ = ["report"]

"""The report's tables, each a function of what was found on a benchmark."""

from vlm_boundary.report.tables.table import Table

__all__ = ["Table"]

"""The analysis as tables that people read: as the page shows them, and as a paper prints them."""

from vlm_boundary.analysis.shown.stage import shown_tables, write_shown_tables
from vlm_boundary.analysis.shown.table import TextTable

__all__ = ["TextTable", "shown_tables", "write_shown_tables"]

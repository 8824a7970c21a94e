"""Reports: figures, tables and the page."""

from vlm_boundary.report.stage import report
from vlm_boundary.report.up_to_date import up_to_date_report

__all__ = ["report", "up_to_date_report"]

"""Reports: figures, tables and the page."""

from vlm_boundary.report.drawing import FORMATS
from vlm_boundary.report.stage import outdated_lines, report, up_to_date_report

__all__ = ["FORMATS", "outdated_lines", "report", "up_to_date_report"]

"""Logs and dumps of other tools, as experiments of samples that exist."""

from vlm_boundary.imports.sources import NAMES, Sources, find_sources, is_log
from vlm_boundary.imports.told import told_lines
from vlm_boundary.imports.verdicts import verdict_table
from vlm_boundary.imports.writer import Imported, import_logs

__all__ = [
    "NAMES",
    "Imported",
    "Sources",
    "find_sources",
    "import_logs",
    "is_log",
    "told_lines",
    "verdict_table",
]

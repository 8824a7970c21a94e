"""What a run's report says, read from its analysis, and the problems behind its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vlm_boundary.analysis.findings import Findings, in_order
from vlm_boundary.config import build_experiment
from vlm_boundary.demo.pictures import is_own
from vlm_boundary.errors import UserError
from vlm_boundary.records.analysis import read_analysis
from vlm_boundary.report.behind import ProblemSet, problem_sets
from vlm_boundary.store import RunDirectory

_LARGEST = 256 << 20  # of an analysis, which is read whole


@dataclass(frozen=True)
class Reported:
    """An analysis, and the sets of problems that its numbers count, by their keys."""

    found: Findings
    sets: dict[str, ProblemSet]


def written(run: RunDirectory) -> int:
    """When the analysis was last written, in nanoseconds.

    Raises:
        UserError: there is none, or none that is a file of the run itself, of a size to be read.
    """
    path = run.analysis
    if not is_own(path, run.path) or path.stat().st_size > _LARGEST:
        raise UserError("the run has no statistics to show; 'vlm-boundary analyze' makes them")
    return path.stat().st_mtime_ns


def read_reported(run: RunDirectory, experiment: dict[str, Any]) -> Reported:
    """Read the analysis of a run with these settings.

    Raises:
        UserError: it is of another version, or the settings are not valid.
    """
    settings = build_experiment(experiment, (), where=f"run {run.path.name}")
    found = Findings(read_analysis(run.analysis), in_order(settings))
    return Reported(found, {one.key: one for one in problem_sets(found)})

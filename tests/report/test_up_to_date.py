"""`run` analyses and reports what has changed since, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import HandMadeRun

from vlm_boundary.records.sample import Sample
from vlm_boundary.report import up_to_date_report
from vlm_boundary.store import Partition, SampleWriter
from vlm_boundary.verifier import verify


def made_at(run: HandMadeRun) -> int:
    """When the page was written."""
    return up_to_date_report(run.directory, run.experiment).stat().st_mtime_ns


def add_sample(run: HandMadeRun) -> None:
    writer = SampleWriter(run.directory.samples, Partition("rl", "mine"))
    writer.add(Sample("p3", 4, 4, [5, 6], "\\boxed{2}", "stop", -2.0))
    writer.flush()
    verify(run.directory)


def print_something(run: HandMadeRun) -> None:
    run.directory.logs.mkdir()
    (run.directory.logs / "sampling-base.log").write_text("ready")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (add_sample, True),
        (lambda run: run.directory.page.write_text("edited"), True),
        (lambda run: run.directory.analysis.unlink(), True),
        (print_something, False),
        (lambda run: None, False),
    ],
)
def test_the_page_is_written_again_where_something_else_would_stand_in_it(
    run: HandMadeRun, change: Callable[[HandMadeRun], object], again: bool
) -> None:
    verify(run.directory)
    before = made_at(run)
    change(run)
    assert (made_at(run) != before) is again
    after = made_at(run)
    assert made_at(run) == after

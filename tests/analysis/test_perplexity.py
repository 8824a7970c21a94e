"""Perplexity: the formula, the median of each problem, and which samples are compared."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from conftest import HandMadeRun

from vlm_boundary.analysis.likelihood import problem_quartiles, response_perplexity
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.records.sample import SampleScore
from vlm_boundary.report import report
from vlm_boundary.store import Partition, SampleWriter
from vlm_boundary.verifier import verify


def test_a_uniform_guess_among_twelve_tokens_has_perplexity_twelve() -> None:
    tokens = np.array([1, 7, 100])
    assert response_perplexity(-tokens * math.log(12), tokens) == pytest.approx([12, 12, 12])


def test_a_certain_response_has_perplexity_one() -> None:
    assert response_perplexity(np.array([0.0]), np.array([5])) == pytest.approx([1.0])


def test_each_problem_counts_by_its_median_and_shows_its_quartiles() -> None:
    ids = pa.chunked_array([["b", "a", "b"], ["a", "b", "c", "a"]])
    values = np.array([4.0, 1.0, 6.0, 3.0, 1000.0, 9.0, 2.0])
    found, quartiles = problem_quartiles(ids, values)
    assert found == ["a", "b", "c"]
    assert quartiles.tolist() == [[1.5, 2.0, 2.5], [5.0, 6.0, 503.0], [9.0, 9.0, 9.0]]


def store_scores(run: HandMadeRun, arm: str, under: str, values: dict[str, list[float]]) -> None:
    writer = SampleWriter(run.directory.scores(under), Partition(arm, "mine"))
    for problem_id, perplexities in values.items():
        for index, value in enumerate(perplexities):
            writer.add(SampleScore(problem_id, index, -5 * math.log(value), 5, None))
    writer.flush()


def test_scores_and_own_samples_become_a_table(run: HandMadeRun) -> None:
    verify(run.directory)
    assert (
        "perplexity" not in analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]
    )
    store_scores(run, "rl", "base", {"p1": [2, 3, 9], "p2": [5, 5, 5]})
    rows = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]["perplexity"]
    found = {(row["responses_of"], row["under"]): row for row in rows}
    assert list(found) == [("base", "base"), ("rl", "base"), ("rl", "rl")]
    scored = found["rl", "base"]
    assert (scored["responses"], scored["perplexity"]["problems"]) == (6, 2)
    assert scored["perplexity"]["estimate"] == pytest.approx((3 + 5) / 2)
    assert scored["perplexity"]["low"] >= 1
    assert scored["by_problem"]["p1"] == {
        "lower_quartile": pytest.approx(2.5),
        "median": pytest.approx(3),
        "upper_quartile": pytest.approx(6),
    }
    # The hand-made samples have two tokens and a log-probability of -2 each; of four a problem the
    # first three are compared with the three that were scored.
    own = found["rl", "rl"]
    assert own["responses"] == 9
    assert own["perplexity"]["estimate"] == pytest.approx(math.e)
    report(run.directory, run.experiment)
    markdown = (run.directory.report / "report.md").read_text()
    assert "| rl under base | 4.000 [1.000, " in markdown


def test_a_response_the_scorer_thinks_impossible_leaves_its_problem_out(run: HandMadeRun) -> None:
    verify(run.directory)
    writer = SampleWriter(run.directory.scores("base"), Partition("rl", "mine"))
    writer.add(SampleScore("p1", 0, -math.inf, 5, None))
    writer.add(SampleScore("p2", 0, -5.0, 5, None))
    writer.flush()
    rows = analyze(run.directory, run.experiment).as_json()["benchmarks"]["mine"]["perplexity"]
    (scored,) = [row for row in rows if row["under"] == "base" and row["responses_of"] == "rl"]
    assert scored["perplexity"]["problems"] == 1
    assert scored["perplexity"]["estimate"] == pytest.approx(math.e)

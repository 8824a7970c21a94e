"""A pair of which only the vision tower was changed, taken apart, through the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from e2e.runs import call
from required import needs

from vlm_boundary.records.analysis import read_analysis
from vlm_boundary.store import Partition, RunDirectory

needs("vllm")

pytestmark = [pytest.mark.engine, pytest.mark.long]

PAIR = {
    "name": "pair",
    "benchmarks": {"procedural": None},
    "arms": {
        "reader": {"model": "tiny:reader", "role": "base"},
        "reader-seeing": {"model": "tiny:reader-seeing", "role": "distilled"},
    },
    "sampling": {"n": 8, "temperature": 0.6, "top_p": 0.95, "max_tokens": 96},
    "controls": {"described": {"n": 8}},
    "engine": {"args": {"max_model_len": 1024}},
    # The draws have one seed: at 95% one seed in twenty would find reasoning where there is none.
    "analysis": {"confidence": 0.999},
}


def described(run: RunDirectory, arm: str) -> dict[tuple[str, ...], float]:
    """The log-probability of each text that an arm wrote under `described`, by its problem."""
    columns = ["problem_id", "token_ids", "logprob_sum"]
    rows = run.samples.read(Partition(arm, "procedural", "described"), columns).to_pylist()
    return {(row["problem_id"], *map(str, row["token_ids"])): row["logprob_sum"] for row in rows}


def test_an_arm_that_only_sees_worse_loses_seeing_and_no_reasoning(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(json.dumps(PAIR))
    done = call(tmp_path, "run", "pair.yaml")
    assert done.returncode == 0, done.stderr
    analysis = read_analysis(tmp_path / "runs" / "pair" / "analysis.json")
    section = analysis.benchmarks["procedural"].seeing
    assert section is not None
    (pair,) = section.decomposition
    assert (pair.names, pair.n) == (("reader", "reader-seeing"), 8)
    assert pair.whole[1].sign == pair.seeing[1].sign == pair.kept.sign == -1
    assert pair.reasoning[1].sign == 0
    run = RunDirectory(tmp_path / "runs" / "pair")
    first, second = (described(run, arm) for arm in pair.names)
    shared = first.keys() & second.keys()
    assert len(shared) > 50
    # The truth: with words in the picture's place both are one model.
    assert [first[key] for key in shared] == pytest.approx(
        [second[key] for key in shared], abs=0.05
    )
    page = (tmp_path / "runs" / "pair" / "report" / "report.md").read_text()
    assert "Seeing, reasoning, choosing" in page

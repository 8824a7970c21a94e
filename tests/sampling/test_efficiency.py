"""What sampling took against the least that it could have taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from required import needs

from vlm_boundary.engines.base import Completion
from vlm_boundary.sampling.outcome import speed_lines
from vlm_boundary.sampling.work import Tally
from vlm_boundary.store import Partition

HERE = Partition("base", "b")
DONE = Completion("r", 0, 1, [5] * 40, "x", "stop", -1.0, prompt_tokens=500, picture_tokens=300)


@pytest.fixture(scope="module")
def folder() -> Path:
    needs("transformers")
    from vlm_boundary.checkpoints import resolve_checkpoint

    return resolve_checkpoint("tiny:untrained-1").folder


def test_the_work_is_that_of_the_samples_with_each_prompt_once(folder: Path) -> None:
    tally = Tally()
    for problem in ("p", "q"):
        for _ in range(8):
            tally.add(HERE, problem, DONE)
    bound = tally.lower_bound(folder, {"device": "NVIDIA H200", "max_num_seqs": 4})
    assert bound["gpu"] == "H200"
    wider = tally.lower_bound(folder, {"device": "NVIDIA H200", "max_num_seqs": 8})
    assert 0 <= wider["seconds"] <= bound["seconds"]


@pytest.mark.parametrize(
    ("done", "engine", "says"),
    [
        (DONE, {"device": "cpu"}, "'cpu' are not known"),
        (replace(DONE, prompt_tokens=None), {"device": "NVIDIA L4"}, "does not tell"),
        (DONE, {"device": "NVIDIA L4", "args": {"quantization": "fp8"}}, "quantised"),
    ],
)
def test_without_a_bound_the_reason_is_said(
    folder: Path, done: Completion, engine: dict[str, object], says: str
) -> None:
    tally = Tally()
    tally.add(HERE, "p", done)
    assert says in tally.lower_bound(folder, engine)["reason"]


def test_lines_for_a_terminal(tmp_path: Path) -> None:
    work = {"samples": 100, "tokens": 5000, "draw_seconds": 10.0}
    bounds = [{"gpu": "H100", "seconds": 6.0}, {"reason": "the peak rates of 'cpu' are not known"}]
    for place, bound in enumerate(bounds):
        path = tmp_path / f"{place}.json"
        record = {"arms": ["base"], "work": work | {"lower_bound": bound}}
        path.write_text(json.dumps(record))
    scored = {"arms": ["base"], "work": {"samples": 4, "score_seconds": 1.0}}
    (tmp_path / "2.json").write_text(json.dumps(scored))
    first, second = speed_lines(tmp_path.glob("*.json"))
    assert first == (
        "base: 100 samples, 5,000 tokens in 10.0 s (500 tokens/s); "
        "the least time is 6.0 s on H100, 60% of that"
    )
    assert second.endswith("; no lower bound: the peak rates of 'cpu' are not known")


@pytest.mark.parametrize(
    ("spared", "warned"), [(0, "0 of 4,000"), (399, "399 of 4,000"), (400, "")]
)
def test_a_prefix_cache_that_does_not_hit_is_said(tmp_path: Path, spared: int, warned: str) -> None:
    work = {"samples": 100, "tokens": 5000, "draw_seconds": 10.0}
    work |= {"repeated_prompt_tokens": 4000, "cached_prompt_tokens": spared}
    (tmp_path / "0.json").write_text(json.dumps({"arms": ["base"], "work": work}))
    _, *said = speed_lines(tmp_path.glob("*.json"))
    assert [warned in line for line in said] == [True] * bool(warned)

"""Logs that lm-eval and lmms-eval wrote of the embedded pair through vLLM, and our own texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from imports.harness_logs import ARMS, DRAWN, GREEDY, REPEATS, compared, log_of, texts_here
from imports.reading import LOGS, imported, samples

VLLM = LOGS / "vllm"


@pytest.mark.parametrize("tool", ["lm-eval", "lmms-eval"])
def test_greedy_logs_give_what_the_run_gives(tool: str, tmp_path: Path) -> None:
    found = compared(VLLM, tool, GREEDY, tmp_path)
    ours = texts_here(VLLM)
    assert found.texts == {arm: {k: [text] for k, text in ours[arm].items()} for arm in ARMS}
    assert found.curves == found.mapped
    for arm in ARMS:  # where nothing is undecided and all is boxed, they grade alike
        assert found.curves[arm] == {"1": pytest.approx(found.told[arm])}
    assert found.done.opinions is not None
    assert (found.done.opinions.compared["right"], found.done.opinions.differ["right"]) == (24, 0)


@pytest.mark.parametrize("tool", ["lm-eval", "lmms-eval"])
def test_repeats_give_the_curve_of_the_same_texts(tool: str, tmp_path: Path) -> None:
    found = compared(VLLM, tool, DRAWN, tmp_path)
    held: dict[str, dict[str, list[str]]] = {arm: {} for arm in ARMS}
    differ = 0
    for line in samples(tmp_path / f"{tool}-{DRAWN}"):
        held[line["arm"]].setdefault(line["problem_id"], []).append(line["text"])
        (said,) = line["opinions"].values()
        assert said is not None  # a verdict each, though the filter left them all
        differ += not said and r"\boxed" not in line["text"]
    assert held == found.texts
    assert {len(texts) for of in held.values() for texts in of.values()} == {REPEATS}
    assert found.curves == found.mapped
    assert list(found.curves["rl"]) == [str(k) for k in range(1, REPEATS + 1)]
    # Theirs, as the task has it, reads a box alone; ours finds answers without one.
    assert found.done.opinions is not None
    assert 0 < sum(found.done.opinions.differ.values()) <= differ
    for arm in ARMS:
        assert found.curves[arm]["1"] >= found.told[arm]


def test_ids_that_count_from_another_number_are_found_by_what_was_asked(tmp_path: Path) -> None:
    """As with a data set that counts from 1: no problem gets the samples of its neighbour."""
    text = (VLLM / "problems.jsonl").read_text(encoding="utf-8")
    moved = re.sub(r'"id": "(\d+)"', lambda m: f'"id": "{int(m[1]) + 1}"', text)
    (tmp_path / "problems.jsonl").write_text(moved.replace("pictures/", f"{VLLM}/pictures/"))
    log = log_of(VLLM, "lmms-eval", GREEDY, "rl")
    imported(tmp_path / "out", f"rl={log}", problems=tmp_path / "problems.jsonl")
    got = {line["problem_id"]: line["text"] for line in samples(tmp_path / "out")}
    ours = texts_here(VLLM)["rl"]
    assert got == {str(int(key) + 1): ours[key] for key in ours if str(int(key) + 1) in got}
    assert len(got) > 6

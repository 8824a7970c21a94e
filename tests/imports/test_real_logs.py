"""Every format in the tool's own form: no row lost, samples apart, pass@k as counted directly."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from imports.reading import LOGS, Right, graded, imported, problems, same_curve, samples

from vlm_boundary.imports import told_lines


def raw(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ends_right(text: str, gold: str) -> bool:
    return str(re.findall(r"\d+", text)[-1]) == gold


def whole(done: Any) -> bool:
    """Whether every row is accounted for."""
    found = done.gathered
    return bool(found.rows == found.used + found.repeats + found.rows_lost)


def test_lm_eval(tmp_path: Path) -> None:
    done = imported(tmp_path / "out", LOGS / "lm-eval")
    rows = 0
    direct: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for file in sorted((LOGS / "lm-eval").rglob("*.jsonl")):
        records = raw(file)
        rows += len(records)
        for record in records:
            if "sums_mc" not in file.name and record["filter"] in ("first", "flexible"):
                task = "sums_n" if "sums_n" in file.name else "sums_1"
                key = (file.parent.name, task, str(record["doc_id"]))
                direct[key] += [ends_right(text, record["target"]) for text in record["resps"][0]]
    assert whole(done)
    assert done.gathered.rows == rows == 35
    # sums_n has a row a document under each of two filters, and sums_mc has likelihoods alone.
    assert (done.gathered.used, done.gathered.repeats, done.gathered.rows_lost) == (20, 10, 5)
    assert {why for _, why in done.gathered.lost} == {
        "options were compared by likelihood, so that no text was written"
    }
    assert graded(tmp_path / "out") == direct
    for arm in ("org__base", "org__rl"):
        of = {key: said for key, said in direct.items() if key[:2] == (arm, "sums_n")}
        ours = {k: v for k, v in graded(tmp_path / "out").items() if k[:2] == (arm, "sums_n")}
        assert same_curve(ours, of)
    lines = samples(tmp_path / "out")
    alone = [line for line in lines if line["benchmark"] == "sums_1"]
    assert {line["opinions"]["exact_match (flexible)"] for line in alone} == {True, False}
    # What was said of four responses together is no verdict on one.
    several = [line for line in lines if line["benchmark"] == "sums_n"]
    assert {value for line in several for value in line["opinions"].values()} == {None}
    assert done.opinions is not None
    assert done.opinions.differ["exact_match (flexible)"] == 0
    assert done.roles == {"org__base": "base", "org__rl": "rl"}


def test_lmms_eval(tmp_path: Path) -> None:
    done = imported(tmp_path / "out", LOGS / "lmms-eval")
    rows = 0
    direct: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for file in sorted((LOGS / "lmms-eval").rglob("*.jsonl")):
        task = file.stem.partition("_samples_")[2]
        for record in raw(file):
            rows += 1
            held = record.get("resps", record["filtered_resps"])
            texts = held if isinstance(held, list) else [held]
            key = (file.parent.name, task, str(record["doc_id"]))
            direct[key] += [ends_right(text, record["target"]) for text in texts]
    assert whole(done)
    assert (done.gathered.rows, done.gathered.used) == (rows, rows)
    assert graded(tmp_path / "out") == direct
    assert len(direct["org__rl", "vsums_n", "2"]) == 4
    lines = samples(tmp_path / "out")
    thought = [line for line in lines if line["benchmark"] == "vsums_think"]
    assert all(line["text"].startswith("<think>") for line in thought)  # as generated
    # Of four responses the filter left the first: its text has a verdict, other texts have none.
    for line in (line for line in lines if line["benchmark"] == "vsums_n"):
        first = next(
            one["text"]
            for one in lines
            if one["sample_index"] == 0
            and [one[k] for k in ("arm", "benchmark", "problem_id")]
            == [line[k] for k in ("arm", "benchmark", "problem_id")]
        )
        assert (line["opinions"]["right"] is None) == (line["text"] != first)
    assert done.opinions is not None
    assert done.opinions.differ["right"] == 0
    told = "\n".join(told_lines(done))
    assert "a path out of the log's folder, which is not opened" in told
    assert "No finish_reason" in told


@pytest.mark.parametrize("form", ["eval", "json"])
def test_inspect(tmp_path: Path, form: str) -> None:
    done = imported(tmp_path / "out", LOGS / "inspect" / f"sums.{form}")
    assert whole(done)
    content = json.loads((LOGS / "inspect" / "sums.json").read_text(encoding="utf-8"))
    direct: Right = defaultdict(list)
    if form == "json":
        for sample in content["samples"]:
            text = sample["output"]["completion"]
            gold = sample["target"][0] if isinstance(sample["target"], list) else sample["target"]
            direct["mockllm-model", "sums", sample["id"]].append(ends_right(text, gold))
    else:  # as the model that was asked counts
        for i in range(4):
            direct["mockllm-model", "sums", f"sum-{i}"] = [k < i for k in range(4)]
    ours = graded(tmp_path / "out")
    assert {key: sorted(said) for key, said in ours.items()} == {
        key: sorted(said) for key, said in direct.items()
    }
    assert same_curve(ours, direct)
    lines = samples(tmp_path / "out")
    assert done.opinions is not None
    assert (done.opinions.compared["match"], done.opinions.differ["match"]) == (len(lines), 0)
    reasons = {line["finish_reason"] for line in lines}
    assert reasons == ({"stop", "length"} if form == "eval" else {"stop"})
    assert any(line["text"].startswith("<think>I add them.</think>") for line in lines)
    for problem in problems(tmp_path / "out").values():
        (picture,) = problem["images"]
        assert (tmp_path / "out" / picture).read_bytes().startswith(b"\x89PNG")
    assert problems(tmp_path / "out")["sums", "sum-0"]["alternatives"] == ["two"]


def dumped(rows: list[dict[str, Any]], text: str) -> dict[tuple[int, str], list[bool]]:
    """By step and prompt, whether each response of a dump is right, by its own numbers alone."""
    found: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for row in rows:
        prompt = row["input"] if "input" in row else row["prompt"]
        a = int(re.findall(r"\d+", prompt)[0])
        found[int(row["step"]), prompt].append(ends_right(row[text], str(a + 2)))
    return found


@pytest.mark.parametrize("tool", ["verl", "ms-swift"])
def test_a_training_runs_dumps_are_a_series(tmp_path: Path, tool: str) -> None:
    rows = [row for file in sorted((LOGS / tool).glob("*.jsonl")) for row in raw(file)]
    if tool == "ms-swift":
        rows = [
            {name: values[i] for name, values in table.items()}
            for table in rows
            for i in range(len(table["step"]))
        ]
    direct = dumped(rows, "output" if tool == "verl" else "completion")
    done = imported(tmp_path / "out", LOGS / tool)
    assert whole(done)
    assert done.gathered.responses == sum(map(len, direct.values()))
    ours = graded(tmp_path / "out")
    for step in {step for step, _ in direct}:
        arm = {key: said for key, said in ours.items() if key[0] == f"step-{step}"}
        assert same_curve(arm, {key: said for key, said in direct.items() if key[0] == step})
        assert sorted(map(len, arm.values())) == [4, 4, 4, 4]
    assert done.opinions is not None
    names = {"verl": {"score", "acc"}, "ms-swift": {"MathAccuracy"}}[tool]
    assert set(done.opinions.compared) == names  # what is 0.5 everywhere is no verdict
    assert not any(done.opinions.differ.values())
    steps = [10, 20] if tool == "ms-swift" else [0, 10, 20]
    base = {0: "base"}
    assert done.roles == {f"step-{step}": base.get(step, "step") for step in steps}


def test_trl_has_no_gold_without_a_data_file(tmp_path: Path) -> None:
    done = imported(tmp_path / "trl", LOGS / "trl")
    rows = [
        row for file in sorted((LOGS / "trl").iterdir()) for row in pq.read_table(file).to_pylist()
    ]
    assert whole(done)
    assert done.gathered.responses == len(rows) == 32
    direct = dumped(rows, "completion")
    said: dict[Any, list[bool]] = defaultdict(list)
    for line in samples(tmp_path / "trl"):
        said[line["arm"], line["problem_id"]].append(line["opinions"]["accuracy_reward"])
    for step in (10, 20):
        ours = {key: one for key, one in said.items() if key[0] == f"step-{step}"}
        assert same_curve(ours, {key: one for key, one in direct.items() if key[0] == step})


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_vlmevalkit(tmp_path: Path, form: str) -> None:
    done = imported(tmp_path / "out", f"mine={LOGS / 'vlmevalkit'}/model_sums.{form}")
    assert whole(done)
    assert (done.gathered.rows, done.gathered.used, done.gathered.rows_lost) == (4, 3, 1)
    assert [why for _, why in done.gathered.lost] == [
        "the request failed, as the tool wrote in its place"
    ]
    ours = graded(tmp_path / "out")
    assert ours == {
        ("mine", "out", "11"): [True],
        ("mine", "out", "12"): [False],
        ("mine", "out", "13"): [True],
    }
    assert [line["opinions"]["hit"] for line in samples(tmp_path / "out")] == [True, False, True]
    assert problems(tmp_path / "out")["out", "12"]["choices"] == ["3", "9"]

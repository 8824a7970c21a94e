"""What becomes of logs: problems told apart, arms, the folder, and the run that goes on from it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from imports.reading import LOGS, imported, samples
from PIL import Image

from vlm_boundary.cli import cli
from vlm_boundary.config import load_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.imports import NAMES, told_lines
from vlm_boundary.imports.inspect_logs import _unpacked

ARMS = ("org__base", "org__rl")


def lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def dump(step: int, prompt: str, text: str, gold: Any = "3", **more: Any) -> dict[str, Any]:
    return {"input": prompt, "output": text, "gts": gold, "score": 0.0, "step": step, **more}


def test_a_run_goes_on_from_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = imported(tmp_path / "dumps", LOGS / "verl")
    monkeypatch.chdir(tmp_path)
    experiment = str(done.folder / "experiment.yaml")
    runner = CliRunner()
    for stage in ("sample", "verify"):
        result = runner.invoke(cli, [stage, experiment], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    change = ("-o", "analysis.bootstrap_draws=100")
    result = runner.invoke(cli, ["analyze", experiment, *change], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "runs" / "dumps" / "analysis.json").read_text())
    arms = found["benchmarks"]["dumps"]["arms"]
    # Of problem p the first p + step / 10 - 1 of four responses are right.
    for step in (0, 10, 20):
        right = [min(4, max(0, p + step // 10 - 1)) for p in range(4)]
        curve = arms[f"step-{step}"]["pass_at_k"]
        assert curve["1"]["estimate"] == pytest.approx(sum(right) / 16)
        assert curve["4"]["estimate"] == pytest.approx(sum(map(bool, right)) / 4)
    steps = found["benchmarks"]["dumps"]["series"]["training"]["arms"]
    assert [one["step"] for one in steps] == [None, 10, 20]
    table = str(tmp_path / "runs" / "dumps" / "tables" / "problems.csv")
    arguments = ["passk", table, "--base", "step-0", "--rl", "step-20"]
    result = runner.invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def analysed(experiment: Path, name: str) -> dict[str, Any]:
    """Each arm's curve when a run was made of an experiment, in this folder."""
    for stage in ("sample", "verify", "analyze"):
        arguments = [stage, str(experiment), "-o", "analysis.bootstrap_draws=100"]
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    found = json.loads(Path("runs", name, "analysis.json").read_text())
    (benchmark,) = found["benchmarks"].values()
    return {arm: facts["pass_at_k"] for arm, facts in benchmark["arms"].items()}


def test_a_log_gives_the_numbers_of_the_same_samples_mapped_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {arm: next((LOGS / "lm-eval" / arm).glob("samples_sums_n*")) for arm in ARMS}
    arms: dict[str, Any] = {}
    for arm, file in files.items():
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        rows = [row for row in rows if row["filter"] == "first"]
        told = ({"problem_id": str(row["doc_id"]), "text": row["resps"]} for row in rows)
        path = lines(tmp_path / f"{arm}.jsonl", *told)
        role = "base" if arm == ARMS[0] else "rl"
        arms[arm] = {"model": arm, "role": role, "engine": {"kind": "replay", "path": str(path)}}
        asked = ({"id": str(r["doc_id"]), **r["doc"]} for r in rows)
        data = lines(tmp_path / "data.jsonl", *asked)
    fields = {"problem_id": "id", "question": "question", "answer": "answer"}
    content = {
        "name": "hand",
        "benchmarks": {"sums": {"dataset_path": str(data), "fields": fields}},
        "arms": arms,
        "sampling": {"n": 4},
    }
    (tmp_path / "hand.yaml").write_text(json.dumps(content))
    imported(tmp_path / "log", *files.values())
    by_hand = analysed(tmp_path / "hand.yaml", "hand")
    assert analysed(tmp_path / "log" / "experiment.yaml", "log") == by_hand
    assert by_hand["org__rl"]["1"]["estimate"] > by_hand["org__base"]["1"]["estimate"] > 0


def test_a_problem_of_other_counts_at_other_steps_is_refused(tmp_path: Path) -> None:
    for step, texts in ((1, "ab"), (2, "abcd")):
        lines(tmp_path / "run" / f"{step}.jsonl", *(dump(step, "Find x.", one) for one in texts))
    with pytest.raises(UserError, match=r"2 responses at step 1 and 4 at step 2.*--problems FILE"):
        imported(tmp_path / "out", tmp_path / "run")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))
    # The same with the data file: it says which problem each is, pictures and all.
    data = [{"id": "p", "question": "<image>Find x.", "answer": "3", "images": ["p.png"]}]
    lines(tmp_path / "data.jsonl", *data, {"id": "q", "question": "Else?", "answer": "3"})
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    done = imported(tmp_path / "out", tmp_path / "run", problems=tmp_path / "data.jsonl")
    assert {line["problem_id"] for line in samples(tmp_path / "out")} == {"p"}
    assert done.unasked == 1
    arms = load_experiment(tmp_path / "out" / "experiment.yaml")
    assert {arm: arms.arm_sampling(arm).n for arm in arms.arms} == {"step-1": 2, "step-2": 4}


def test_two_problems_that_the_log_cannot_tell_apart_are_nobodys(tmp_path: Path) -> None:
    log = [dump(1, "Find x.", "a"), dump(1, "Find the angle y.", "b"), dump(1, "Else", "c")]
    lines(tmp_path / "1.jsonl", *log)
    texts = {"p": "Find x.", "q": "Find x.", "r": "angle y.", "s": "Find the angle y."}
    data = [{"id": key, "question": text, "answer": "3"} for key, text in texts.items()]
    found = lines(tmp_path / "data.jsonl", *data)
    done = imported(tmp_path / "out", tmp_path / "1.jsonl", problems=found)
    assert [line["problem_id"] for line in samples(tmp_path / "out")] == ["s"]
    said = [why.removeprefix(f"{found} has ") for _, why in done.gathered.lost]
    assert said == [
        "2 problems with this question and gold",
        "no problem with this question and gold",
    ]
    unusable = (tmp_path / "out" / "unusable.jsonl").read_text().splitlines()
    assert [json.loads(line)["where"] for line in unusable] == [
        f"{tmp_path}/1.jsonl, record 1",
        f"{tmp_path}/1.jsonl, record 3",
    ]
    assert done.gathered.rows == done.gathered.used + done.gathered.rows_lost == 3


def test_logs_that_count_otherwise_are_of_the_same_problems(tmp_path: Path) -> None:
    texts = ["Find x.", "And y?", "Then z?"]
    data = [{"id": f"p{i}", "question": one, "answer": "3"} for i, one in enumerate(texts)]
    problems = lines(tmp_path / "data.jsonl", *data)
    for first in (0, 1):  # ids from 0 in one log, from 1 in the other
        rows = [
            {"index": first + i, "question": one, "answer": "3", "prediction": f"{first}, {i}"}
            for i, one in enumerate(texts)
        ]
        lines(tmp_path / f"{first}.jsonl", *rows)
    logs = (f"m={tmp_path / '0.jsonl'}", f"m={tmp_path / '1.jsonl'}")
    done = imported(tmp_path / "out", *logs, problems=problems)
    held = {(line["problem_id"], line["text"]) for line in samples(tmp_path / "out")}
    assert held == {(f"p{i}", f"{first}, {i}") for first in (0, 1) for i in range(3)}
    assert not done.gathered.lost
    # In one log they would be two problems.
    twice = [{"index": i, "question": texts[0], "answer": "3", "prediction": "3"} for i in (0, 1)]
    lines(tmp_path / "2.jsonl", *twice)
    done = imported(tmp_path / "more", tmp_path / "2.jsonl", problems=problems)
    ((_, why),) = done.gathered.lost
    assert why.endswith("has one problem for two ids of the log")


def test_more_responses_than_usual_are_said(tmp_path: Path) -> None:
    texts = ["one"] * 2 + ["two"] * 2 + ["three"] * 4
    lines(tmp_path / "1.jsonl", *(dump(1, text, "x") for text in texts))
    told = "\n".join(told_lines(imported(tmp_path / "out", tmp_path / "1.jsonl")))
    assert "step-1: 1 problems have more than the usual 2 responses" in told
    assert "No arm is the base" in told


def test_prompts_that_open_a_thought_are_kept(tmp_path: Path) -> None:
    log = [dump(1, "Find x.\n<think>\n", r"so \boxed{3}"), dump(1, "And y?<think>", "3</think>3")]
    lines(tmp_path / "1.jsonl", *log)
    done = imported(tmp_path / "out", tmp_path / "1.jsonl")
    engine = load_experiment(tmp_path / "out" / "experiment.yaml").arm_engine("step-1")
    assert engine.thinking_open is True  # type: ignore[union-attr]  # replay has it
    assert done.opinions is not None
    # The tool says wrong of both; we of the first, which is all thought.
    assert (done.opinions.compared["score"], done.opinions.differ["score"]) == (2, 1)
    page = (tmp_path / "out" / "disagreements.html").read_text()
    assert "1 of 2 outputs are judged otherwise" in page


def test_one_id_with_two_golds_is_refused(tmp_path: Path) -> None:
    row = {"index": 1, "question": "?", "answer": "3", "prediction": "4"}
    lines(tmp_path / "a.jsonl", row)
    lines(tmp_path / "b.jsonl", row | {"answer": "4"})
    with pytest.raises(UserError, match="another question or gold"):
        imported(tmp_path / "out", tmp_path / "a.jsonl", tmp_path / "b.jsonl")


def test_logs_of_one_arm_are_further_samples_and_one_file_twice_is_refused(tmp_path: Path) -> None:
    row = {"index": 1, "question": "?", "answer": "3", "prediction": "4"}
    files = [lines(tmp_path / f"{i}.jsonl", row | {"prediction": str(i)}) for i in range(3)]
    imported(tmp_path / "out", *(f"m={file}" for file in files))
    held = samples(tmp_path / "out")
    assert [(line["sample_index"], line["text"]) for line in held] == [(0, "0"), (1, "1"), (2, "2")]
    (tmp_path / "again.jsonl").write_bytes(files[0].read_bytes())
    with pytest.raises(UserError, match="holds just what"):
        imported(tmp_path / "more", f"m={files[0]}", f"m={tmp_path / 'again.jsonl'}")


def test_two_runs_in_folders_of_one_name_are_to_be_named(tmp_path: Path) -> None:
    for place in ("a", "b"):
        lines(tmp_path / place / "run" / "1.jsonl", dump(1, "Find x.", place))
    both = (tmp_path / "a" / "run", tmp_path / "b" / "run")
    with pytest.raises(UserError, match="name them, as in one="):
        imported(tmp_path / "out", *both)
    done = imported(tmp_path / "out", f"one={both[0]}", f"two={both[1]}")
    assert list(done.roles) == ["one-step-1", "two-step-1"]


def test_which_format_is_asked_where_two_fit(tmp_path: Path) -> None:
    both = {"index": 1, "question": "?", "prediction": "4"} | dump(1, "?", "4")
    path = lines(tmp_path / "1.jsonl", both)
    with pytest.raises(UserError, match="could be verl or vlmevalkit; say which with --as"):
        imported(tmp_path / "out", path)
    assert imported(tmp_path / "out", path, form="verl").gathered.responses == 1
    with pytest.raises(UserError, match="not an inspect_ai log"):
        imported(tmp_path / "more", path, form="inspect")


def test_the_command_names_every_format() -> None:
    option = next(one for one in cli.commands["import"].params if one.name == "form")
    assert tuple(option.type.choices) == NAMES  # type: ignore[attr-defined]  # it is a choice


def test_a_data_file_is_of_one_task(tmp_path: Path) -> None:
    data = [{"id": str(i), "question": f"What is {i} + 2?", "answer": str(i + 2)} for i in range(5)]
    found = lines(tmp_path / "data.jsonl", *data)
    with pytest.raises(UserError, match="--problems FILE is of one benchmark"):
        imported(tmp_path / "out", LOGS / "lm-eval" / "org__base", problems=found)
    (log,) = (LOGS / "lm-eval" / "org__base").glob("samples_sums_n*")
    done = imported(tmp_path / "out", log, problems=found)
    assert done.gathered.responses == 20
    lines(found, *(one | {"answer": "9"} for one in data))
    with pytest.raises(UserError, match="has another gold under the id that the log has"):
        imported(tmp_path / "more", log, problems=found)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    lines(tmp_path / "out" / "mine.txt", 1)
    with pytest.raises(UserError, match="is there already"):
        imported(tmp_path / "out", LOGS / "verl")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_lm_evals_list_of_targets_is_alternatives(tmp_path: Path) -> None:
    row = {"doc_id": 0, "doc": {"q": "<PIL.Image at 0x7f00>"}, "target": "['3', 'three']"}
    row |= {"arguments": {"gen_args_0": {"arg_0": "?"}}, "resps": [["three"]]}
    row |= {"filtered_resps": ["three"], "filter": "none", "exact_match": 0.0}
    lines(tmp_path / "a" / "samples_t.jsonl", row)
    lines(tmp_path / "b" / "samples_t.jsonl", row | {"doc": {"q": "<PIL.Image at 0x7fff>"}})
    done = imported(tmp_path / "out", tmp_path / "a", tmp_path / "b")
    assert done.opinions is not None
    assert done.opinions.differ["exact_match"] == 2  # ours: right by the second
    assert list(done.roles) == ["a", "b"]


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def hostile(folder: Path, kind: str) -> Path:
    header = {"header.json": json.dumps({"eval": {"model": "m", "task": "t"}}).encode()}
    deep = b"[" * 100_000 + b"]" * 100_000
    content = {
        "long-key.jsonl": json.dumps({"k" * 50_000: 1, "\x1b[2J": 2}).encode() + b"\n",
        "pickle.pkl": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
        "pickle.jsonl": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
        "pickle.parquet": b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        "deep.jsonl": deep,
        "deep.json": deep,
        "digits.jsonl": b'{"step": ' + b"9" * 10_000 + b"}\n",
        "step.jsonl": json.dumps(dump("../1", "?", "4")).encode(),  # type: ignore[arg-type]
        "nan-step.jsonl": b'{"input": "?", "output": "4", "score": NaN, "step": NaN}\n',
        "half.jsonl": b'{"input": "?", "output": "\\ud800", "score": 1, "step": 1}\n',
        "empty.jsonl": b"",
        "xlsx.xlsx": b"PK\x03\x04",
    }
    if kind in content:
        (folder / kind).write_bytes(content[kind])
        return folder / kind
    if kind == "bomb.eval":
        return archive(folder / kind, header | {"samples/a_epoch_1.json": b" " * (300 << 20)})
    if kind == "deep.eval":
        return archive(folder / kind, header | {"samples/a_epoch_1.json": deep})
    if kind == "cut.eval":
        path = archive(folder / kind, header | {"samples/a_epoch_1.json": b"{}"})
        path.write_bytes(path.read_bytes()[:-30])
        return path
    assert kind == "link"
    (folder / "log").mkdir()
    (folder / "log" / "1.jsonl").symlink_to("/etc/passwd")
    return folder / "log"


KINDS = [
    *("long-key.jsonl", "pickle.pkl", "pickle.jsonl", "pickle.parquet", "deep.jsonl", "deep.json"),
    *("digits.jsonl", "step.jsonl", "nan-step.jsonl", "half.jsonl", "empty.jsonl", "xlsx.xlsx"),
    *("bomb.eval", "deep.eval", "cut.eval", "link"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_logs_are_answered_in_one_line(tmp_path: Path, kind: str) -> None:
    path = hostile(tmp_path, kind)
    result = CliRunner().invoke(cli, ["import", str(path), "--to", str(tmp_path / "out")])
    assert result.exit_code == 2, result.output
    (line,) = (one for one in result.output.splitlines() if one.startswith("Error: "))
    assert result.output.rstrip().endswith(line)
    assert len(line) < 1000
    assert line.isprintable()
    assert not (tmp_path / "out").exists()


def test_names_in_a_log_move_no_cursor(tmp_path: Path) -> None:
    about = {"eval": {"model": "m\x1b[2J", "task": "t"}}
    sample = {"id": "1\n2", "input": "?", "target": "3", "scores": {"s\x1b[2J": {"value": "C"}}}
    sample["output"] = {"choices": [{"message": {"content": "3"}}]}
    members = {"header.json": json.dumps(about).encode()}
    members["samples/\x1b[2J.json"] = json.dumps(sample).encode()
    path = archive(tmp_path / "a.eval", members)
    told = list(told_lines(imported(tmp_path / "out", path)))
    assert all(line.isprintable() for line in told)
    assert any("s\\x1b[2J" in line for line in told)
    members["samples/\x1b[2K.json"] = json.dumps(sample | {"target": "4"}).encode()
    with pytest.raises(UserError, match="another question or gold") as error:
        imported(tmp_path / "more", archive(tmp_path / "b.eval", members))
    assert str(error.value).isprintable()


def test_frames_of_an_archive_are_read_on_end(tmp_path: Path) -> None:
    """inspect_ai begins a new Zstandard frame every 200 MiB of a member."""
    halves = [b"a" * 100_000, b"b" * 100_000]
    packed = b"".join(pa.compress(half, "zstd", asbytes=True) for half in halves)
    assert _unpacked(packed, 93, 1 << 20) == b"".join(halves)
    assert _unpacked(packed, 93, 50) == b"a" * 50


def test_names_in_a_log_are_no_paths(tmp_path: Path) -> None:
    """Neither members of an archive, nor models, tasks, ids or pictures."""
    (tmp_path / "secret.png").write_bytes(b"\x89PNG secret")
    about = {"eval": {"model": "../../m", "task": "/etc/t"}}
    part = {"type": "image", "image": "../secret.png"}
    sample = {
        "id": "../../../x",
        "epoch": 1,
        "input": [{"role": "user", "content": [part, part | {"image": "/etc/passwd"}]}],
        "target": "3",
        "output": {"choices": [{"message": {"content": "3"}, "stop_reason": "stop"}]},
    }
    members = {"header.json": json.dumps(about).encode()}
    members["samples/../../../x_epoch_1.json"] = json.dumps(sample).encode()
    (tmp_path / "in").mkdir()
    path = archive(tmp_path / "in" / "log.eval", members)
    done = imported(tmp_path / "in" / "out", path)
    written = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()}
    assert written == {
        "secret.png",
        "in/log.eval",
        "in/out/experiment.yaml",
        "in/out/etc-t.yaml",
        "in/out/etc-t.problems.jsonl",
        "in/out/samples/m/etc-t.jsonl",
    }
    told = "\n".join(told_lines(done))
    assert "2 pictures: a path out of the log's folder, which is not opened" in told

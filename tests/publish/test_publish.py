"""A run as others get it: what leaves, what stays, and that others' readers read it."""

from __future__ import annotations

import errno
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from analysis_runs import BenchmarkRun, make_run, right, write_samples, wrong
from click.testing import CliRunner
from datasets import load_dataset
from huggingface_hub import DatasetCard, parse_eval_result_entries
from huggingface_hub.errors import HfHubHTTPError
from jsonschema import Draft7Validator
from PIL import Image
from ruamel.yaml import YAML

from vlm_boundary.analysis.stage import analyze
from vlm_boundary.cli import cli
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import PlaceError
from vlm_boundary.publish import publication
from vlm_boundary.publish.item import Item
from vlm_boundary.publish.settings import shared_settings
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Sample
from vlm_boundary.report import report
from vlm_boundary.store import Partition, RunDirectory

SCHEMAS = Path(__file__).parent / "every_eval_ever"
SECRET = "How long is the side that nobody may publish?"
TEXT = "It is <b>7</b>, `so` | [7](x) \u2028 7"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkRun:
    """Two arms, four problems with a picture, three samples each, one of them undecided."""
    tmp_path = tmp_path_factory.mktemp("published")
    folder = tmp_path / "weights"
    folder.mkdir()
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(picture, "PNG")
    problems = [Problem("mine", f"p{i}", SECRET, "7", ("green.png",)) for i in range(4)]
    made = make_run(
        tmp_path / "run",
        problems,
        {"base": {"model": str(folder), "role": "base"}, "rl": {"model": "me/rl", "role": "rl"}},
        3,
    )
    images = made.directory.images
    images.mkdir()
    (images / "green.png").write_bytes(picture.getvalue())
    manifest = made.directory.read_manifest()
    known = manifest.benchmarks["mine"].model_copy(
        update={
            "config": {
                "name": "mine",
                "description": "made",
                "dataset_path": "someone/mine",
                "fields": {"question": "q", "answer": "a"},
            }
        }
    )
    made.directory.write_manifest(manifest.model_copy(update={"benchmarks": {"mine": known}}))
    for arm in ("base", "rl"):
        samples = [
            Sample(f"p{i}", j, j, [1, 2], TEXT, "stop", -1.0) for i in range(4) for j in range(3)
        ]
        write_samples(made.directory, Partition(arm, "mine"), samples)
        outcomes = {f"p{i}": [right("7"), wrong("8"), ("?", None)] for i in range(4)}
        made.add_verdicts(arm, outcomes)
    analyze(made.directory, made.experiment)
    report(made.directory, made.experiment, ("png",))
    return made


def written(run: BenchmarkRun, folder: Path, **options: Any) -> Path:
    publication(run.directory, run.experiment, **options).write(folder)
    return folder


def everything(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_datasets_and_pandas_read_it(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out", with_problems=frozenset({"mine"}))
    cache = str(tmp_path / "cache")
    rows = load_dataset(str(folder), "responses", split="train", cache_dir=cache)
    assert len(rows) == 24
    assert rows[0]["text"] == TEXT
    by_index = {row["sample_index"]: row["correct"] for row in rows if row["problem_id"] == "p1"}
    assert by_index == {0: True, 1: False, 2: None}
    problems = load_dataset(str(folder), "problems", split="train", cache_dir=cache)
    assert problems[0]["question"] == SECRET
    assert problems[0]["pictures"][0].size == (40, 30)
    frame = pd.read_parquet(folder / "data" / "responses" / "rl-mine-full.parquet")
    assert list(frame["correct"][:3]) == [True, False, None]
    assert frame["arm"].unique().tolist() == ["rl"]


def test_a_verdict_on_an_older_text_does_not_leave(run: BenchmarkRun, tmp_path: Path) -> None:
    shutil.copytree(run.directory.path, tmp_path / "copy")
    copy = BenchmarkRun(RunDirectory(tmp_path / "copy"), run.experiment)
    changed = [Sample("p0", 0, 0, [1], "It is 9", "stop", -1.0)]
    write_samples(copy.directory, Partition("rl", "mine"), changed)
    folder = written(copy, tmp_path / "out")
    frame = pd.read_parquet(folder / "data" / "responses" / "rl-mine-full.parquet")
    first = frame[(frame["problem_id"] == "p0") & (frame["sample_index"] == 0)].iloc[0]
    assert first["text"] == "It is 9"
    assert pd.isna(first["status"])


def test_problems_and_paths_stay_here(run: BenchmarkRun, tmp_path: Path) -> None:
    out = written(run, tmp_path / "out", records=True)
    content = everything(out)
    assert SECRET.encode() not in content
    assert str(run.directory.path.parent).encode() not in content
    assert (out / "data" / "problems" / "mine.parquet").is_file()  # their ids
    found = publication(run.directory, run.experiment)
    assert any("questions, gold answers and pictures of mine" in line for line in found.stays)
    assert any("1 paths" in line or "1 path" in line for line in found.stays)


def test_paths_are_told_from_names(run: BenchmarkRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.directory.path.parent)
    changed = run.experiment.model_copy(
        update={
            "arms": run.experiment.arms
            | {
                "near": run.experiment.arms["rl"].model_copy(update={"model": "run/images"}),
                "home": run.experiment.arms["rl"].model_copy(update={"model": "~/ckpt/step-9"}),
            }
        }
    )
    shared, hidden = shared_settings(changed)
    assert {name: arm.model for name, arm in shared.arms.items()} == {
        "base": "weights",
        "rl": "me/rl",
        "near": "images",
        "home": "step-9",
    }
    assert hidden == 3


def test_the_card_says_what_is_in_it(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out")
    card = DatasetCard.load(folder / "README.md")
    configs = {one["config_name"] for one in card.data.to_dict()["configs"]}
    assert configs == {"responses", "problems"}
    assert "figures/pass_at_k.png" in card.text
    assert "| 1 | 33.3" in card.text
    assert "What stays" in card.text


def test_every_eval_ever_accepts_its_records(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out", records=True, organization="us")
    results = sorted(folder.rglob("every_eval_ever/data/**/*.json"))
    assert len(results) == 2
    whole = Draft7Validator(json.loads((SCHEMAS / "eval.schema.json").read_text()))
    single = Draft7Validator(json.loads((SCHEMAS / "instance_level_eval.schema.json").read_text()))
    for path in results:
        content = json.loads(path.read_text())
        whole.validate(content)
        scores = {
            one["metric_config"]["metric_parameters"]["k"]: one["score_details"]["score"]
            for one in content["evaluation_results"]
        }
        assert scores[1] == pytest.approx(1 / 3)
        lines = folder / "every_eval_ever" / content["detailed_evaluation_results"]["file_path"]
        rows = [json.loads(line) for line in lines.read_text().splitlines()]
        assert len(rows) == 4 == content["detailed_evaluation_results"]["total_rows"]
        for row in rows:
            single.validate(row)
            assert row["output"]["raw"] == [TEXT] * 3
            assert row["evaluation"] == {"score": pytest.approx(1 / 3), "is_correct": True}
            assert row["metadata"]["undecided"] == "1"


def test_the_hub_reads_the_results(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out", records=True, repository="me/results")
    entries = YAML(typ="safe").load(folder / "eval_results" / "rl.yaml")
    (entry,) = parse_eval_result_entries(entries)
    assert (entry.dataset_id, entry.value) == ("someone/mine", 33.33)
    assert entry.source_url == "https://huggingface.co/datasets/me/results"


def test_a_data_file_that_is_gone_is_no_data_set_of_the_hub(
    run: BenchmarkRun, tmp_path: Path
) -> None:
    """Its path stays here, whichever machine publishes."""
    shutil.copytree(run.directory.path, tmp_path / "copy")
    copy = BenchmarkRun(RunDirectory(tmp_path / "copy"), run.experiment)
    manifest = copy.directory.read_manifest()
    known = manifest.benchmarks["mine"]
    gone = {"config": {**known.config, "dataset_path": "/home/me/secret/mine.jsonl"}}
    benchmarks = {"mine": known.model_copy(update=gone)}
    copy.directory.write_manifest(manifest.model_copy(update={"benchmarks": benchmarks}))
    folder = written(copy, tmp_path / "out", records=True, repository="me/results")
    assert b"/home/me" not in everything(folder)
    assert not (folder / "eval_results").exists()


def test_how_replayed_samples_were_drawn_is_not_made_up(run: BenchmarkRun, tmp_path: Path) -> None:
    replayed = run.experiment.model_dump(mode="json")
    replayed["engine"] = {"kind": "replay", "path": "samples.jsonl"}
    elsewhere = BenchmarkRun(run.directory, ExperimentConfig.model_validate(replayed))
    folder = written(elsewhere, tmp_path / "out", records=True)
    assert "not known | not known" in (folder / "README.md").read_text()
    for path in (*folder.rglob("*.json"), *folder.rglob("eval_results/*.yaml")):
        if path.name != "analysis.json":
            assert "temperature" not in path.read_text()


def test_published_twice_it_replaces_itself_alone(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out", records=True)
    (folder / "data" / "responses" / "old-mine-full.parquet").write_bytes(b"")
    names = {path.relative_to(folder) for path in folder.rglob("*_samples.jsonl")}
    written(run, folder, records=True)
    assert not (folder / "data" / "responses" / "old-mine-full.parquet").exists()
    assert names == {path.relative_to(folder) for path in folder.rglob("*_samples.jsonl")}
    (folder / ".git").mkdir()  # put there since, and not ours to replace
    assert ".git; give a new folder" in typed(run, "--folder", str(folder)).output
    assert (folder / ".git").is_dir()
    (tmp_path / "file").write_text("mine")
    assert typed(run, "--folder", str(tmp_path / "file")).exit_code == 2
    assert (tmp_path / "file").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    done = typed(run, "--folder", str(other))
    assert done.exit_code == 2
    assert "give a new folder" in done.output
    assert (other / "thesis.tex").read_text() == "years of work"


def test_a_publication_that_fails_leaves_the_one_before(run: BenchmarkRun, tmp_path: Path) -> None:
    folder = written(run, tmp_path / "out")
    before = everything(folder)

    def fail(path: Path) -> None:
        raise OSError(errno.ENOSPC, "no space", str(path))

    found = publication(run.directory, run.experiment)
    broken = replace(found, items=(*found.items[:3], Item("README.md", "the card", fail)))
    with pytest.raises(PlaceError):
        broken.write(folder)
    assert everything(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def typed(run: BenchmarkRun, *options: str) -> Any:
    return CliRunner().invoke(cli, ["publish", str(run.directory.path), *options])


def test_a_dry_run_lists_and_writes_nothing(run: BenchmarkRun, tmp_path: Path) -> None:
    done = typed(run, "--dry-run", "--folder", str(tmp_path / "out"), "--with-problems", "mine")
    assert done.exit_code == 0
    assert "data/responses/rl-mine-full.parquet" in done.output
    assert "problems, pictures included" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--to OWNER/NAME, --folder DIR, or --dry-run"),
        (("--dry-run", "--with-problems", "yours"), "--with-problems yours: the run has mine"),
    ],
)
def test_mistakes_are_one_line(run: BenchmarkRun, options: tuple[str, ...], said: str) -> None:
    done = typed(run, *options)
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.strip().splitlines()) == 1


class _Hub:
    """What the hub's client is asked to do."""

    asked: list[tuple[str, dict[str, Any]]]

    def __init__(self) -> None:
        type(self).asked = []

    def create_repo(self, name: str, **how: Any) -> str:
        self.asked.append((name, how))
        return f"https://huggingface.co/datasets/{name}"

    def upload_folder(self, **how: Any) -> None:
        self.asked.append((how["repo_id"], how))


def test_the_hub_gets_the_folder_and_loses_what_is_gone(
    run: BenchmarkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi", _Hub)
    done = typed(run, "--to", "me/results", "--private", "--folder", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    (name, made), (_, sent) = _Hub.asked
    assert (name, made["private"], made["repo_type"]) == ("me/results", True, "dataset")
    assert sent["delete_patterns"] == ["*"]
    assert "https://huggingface.co/datasets/me/results" in done.output


def test_a_hub_that_cannot_be_reached_is_one_line(
    run: BenchmarkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own client says so, whichever it is in this version."""
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    done = typed(run, "--to", "me/results")
    assert done.exit_code == 2, done.exception
    assert "--to me/results: the hub cannot be reached: " in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_refusal_of_the_hub_is_one_line(
    run: BenchmarkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    class Refusing(_Hub):
        def create_repo(self, name: str, **how: Any) -> str:
            response = httpx.Response(401, request=httpx.Request("POST", "https://hub"))
            raise HfHubHTTPError("401 Unauthorized\nlong story", response=response)

    monkeypatch.setattr("huggingface_hub.HfApi", Refusing)
    done = typed(run, "--to", "me/results")
    assert done.exit_code == 2
    assert "--to me/results: 401 Unauthorized (log in" in done.output
    assert len(done.output.strip().splitlines()) == 1

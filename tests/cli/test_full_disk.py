"""Disks that are full or cannot be written: one line, nothing stored is lost, it goes on later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from breakages import EXPERIMENT, write_data

# A small disk of its own, seen by nobody else; what is on it at the end is copied out.
ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size={size} none {folder}/run
cp -a {folder}/begun/. {folder}/run/ 2>/dev/null || true
{before}
set +e
{command}
code=$?
mount -o remount,rw none {folder}/run 2>/dev/null
rm -rf {folder}/after
cp -a {folder}/run {folder}/after
exit $code
"""


def on_a_small_disk(
    folder: Path, command: str, size: str, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a vlm-boundary command whose run directory is a disk of this size."""
    for name in ("run", "begun"):
        (folder / name).mkdir(exist_ok=True)
    program = f"{sys.executable} -m vlm_boundary {command}"
    script = ON_A_SMALL_DISK.format(folder=folder, command=program, size=size, before=before)
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[2],
        check=False,
    )


def _disks() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = "mount -t tmpfs -o size=64k none /mnt"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", probe], capture_output=True, check=False)
    return done.returncode == 0


needs_disks = pytest.mark.skipif(not _disks(), reason="no disks in user namespaces here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(tmp_path)
    (tmp_path / "e.yaml").write_text(EXPERIMENT.format(folder=tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was drawn on a large disk, in `begun`."""
    folder = tmp_path_factory.mktemp("drawn")
    write_data(folder)
    (folder / "e.yaml").write_text(EXPERIMENT.format(folder=folder))
    command = [sys.executable, "-m", "vlm_boundary", "sample", str(folder / "e.yaml")]
    subprocess.run(command, check=True, timeout=300, cwd=Path(__file__).parents[2])
    (folder / "run").rename(folder / "begun")
    return folder


def longer(path: Path) -> None:
    """Give each text 30,000 characters that no compression shortens to less than half."""
    lines = path.read_text().splitlines()
    path.write_text("".join(x.replace("So ", os.urandom(15_000).hex()) + "\n" for x in lines))


def one_line(done: subprocess.CompletedProcess[str], what: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert what in line
    assert "Starting it again" not in done.stderr  # no engine mends a disk


def unfinished(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.tmp"))


@needs_disks
def test_a_full_disk_ends_sampling_at_once_and_it_goes_on_later(folder: Path) -> None:
    longer(folder / "rl.jsonl")
    full = on_a_small_disk(folder, f"sample {folder}/e.yaml", "256k")
    one_line(full, "No space left on device")
    assert "run the same command again: what was stored stays" in full.stderr
    assert unfinished(folder / "after") == []
    shutil.rmtree(folder / "begun")
    (folder / "after").rename(folder / "begun")
    stored = {p.name for p in (folder / "begun").rglob("part-*.parquet")}
    roomy = on_a_small_disk(folder, f"sample {folder}/e.yaml", "64m")
    assert roomy.returncode == 0, roomy.stderr
    assert " samples drawn" in roomy.stdout
    drawn = int(roomy.stdout.split(" samples drawn")[0].split()[-1])
    assert drawn == 32 - 16 * len(stored)  # an arm is a part here: what was stored is not redrawn


@needs_disks
def test_a_full_disk_ends_every_stage_in_one_line(drawn: Path) -> None:
    folder = drawn
    fill = f"dd if=/dev/zero of={folder}/run/filler bs=4k 2>/dev/null || true"
    for command in ("verify", "fsck --repair", "analyze"):
        name, *options = command.split()
        full = on_a_small_disk(folder, " ".join([name, f"{folder}/run", *options]), "1m", fill)
        assert "Traceback" not in full.stderr, full.stderr
        if name == "verify":
            one_line(full, "No space left on device")
        assert unfinished(folder / "after") == []


@needs_disks
def test_a_read_only_run_is_read_and_says_that_it_cannot_be_written(drawn: Path) -> None:
    folder = drawn
    lock = f"mount -o remount,ro none {folder}/run"
    fsck = on_a_small_disk(folder, f"fsck {folder}/run", "8m", lock)
    assert fsck.returncode == 0, fsck.stderr
    assert "is whole" in fsck.stdout
    for stage in ("verify", "sample"):
        target = "e.yaml" if stage == "sample" else "run"
        one_line(
            on_a_small_disk(folder, f"{stage} {folder}/{target}", "8m", lock),
            "Read-only file system",
        )


def test_a_limit_on_the_size_of_files_is_said(folder: Path) -> None:
    """Where there are no user namespaces this is the disk that is full."""
    longer(folder / "rl.jsonl")
    program = f"ulimit -f 40; exec {sys.executable} -m vlm_boundary sample {folder}/e.yaml"
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, timeout=300, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    one_line(done, "File too large")
    assert unfinished(folder / "run") == []

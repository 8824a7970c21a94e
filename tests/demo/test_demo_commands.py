"""The commands that open the demo, as people type them, and what a browser then shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from demo_parts import Reader, make_demo_run
from required import needs

REPOSITORY = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent
VLM_BOUNDARY = str(COMMANDS / "vlm-boundary")
# What a make that runs the tests tells those below it: it would print its folder first.
MAKES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
# The recipe as it is, with the environment that runs this test as one that is set up.
MAKE = ["make", "-f", f"{REPOSITORY}/Makefile", "-o", ".venv/.ready-demo", f"BIN={COMMANDS}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed; the run has the quickstart's place."""
    folder = tmp_path_factory.mktemp("typed")
    make_demo_run(folder / "runs" / "quickstart", problems=2, samples=4)
    return folder


@contextmanager
def typed(folder: Path, *command: str) -> Iterator[str]:
    """A command that runs until it is stopped; yields the address that it prints."""
    said = folder / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={k: v for k, v in os.environ.items() if k not in MAKES},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 300
        while not (found := re.search(r"http://\S+", said.read_text())):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.1)
        lines = said.read_text().splitlines()
        assert lines[0].startswith("Opening runs/quickstart")
        assert lines[1] == "runs/quickstart: 0 of 2 partitions read"
        assert "runs/quickstart: 2 of 2 partitions read" in lines
        yield found.group()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def sees_both_arms(page: Any) -> None:
    page.wait_for_selector(".vb-problem")
    assert "Question 0: how many?" in page.inner_text("#vb-card")
    for side, arm in (("left", "base"), ("right", "rl")):
        assert "2 + 0 = 2 so it is" in page.inner_text(f"#vb-{side}-pane .vb-text")
        assert page.input_value(f"#vb-{side}-arm input") == arm


@pytest.mark.parametrize("way", ["vlm-boundary demo", "python demo/app.py", "make demo"])
def test_the_command_opens_the_run_for_everyone_at_this_machine(
    browser: Any, folder: Path, way: str
) -> None:
    if way == "make demo" and shutil.which("make") is None:
        pytest.skip("make is not installed")
    port = free_port()
    given = ("runs/quickstart", "--port", port)
    command = {
        "vlm-boundary demo": (VLM_BOUNDARY, "demo", *given),
        "python demo/app.py": (sys.executable, f"{REPOSITORY}/demo/app.py", *given),
        "make demo": (*MAKE, "demo"),
    }[way]
    with typed(folder, *command) as address:
        if way != "make demo":
            assert address == f"http://127.0.0.1:{port}/"
        with Reader(browser, address) as reader:
            sees_both_arms(reader.open())


def test_with_a_password_the_command_lets_in_who_has_it(browser: Any, folder: Path) -> None:
    command = (VLM_BOUNDARY, "demo", "runs/quickstart", "--auth", "anna:secret-word")
    with typed(folder, *command) as address, Reader(browser, address) as reader:
        sees_both_arms(reader.sign_in("anna", "secret-word"))


def refused(folder: Path, *command: str, **environment: str) -> str:
    """What a command that must refuse says on stderr: one line."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


APP = (sys.executable, f"{REPOSITORY}/demo/app.py")


@pytest.mark.parametrize("way", [(VLM_BOUNDARY, "demo"), APP], ids=["command", "app.py"])
@pytest.mark.parametrize("run", ["nowhere", "runs", "runs/quickstart/manifest.json"])
def test_what_is_no_run_is_one_line(folder: Path, way: tuple[str, ...], run: str) -> None:
    assert refused(folder, *way, run) == (
        f"Error: {run}: not a run directory (it has no manifest.json)"
    )


@pytest.mark.parametrize("way", [(VLM_BOUNDARY, "demo"), APP], ids=["command", "app.py"])
def test_a_used_port_is_one_line(folder: Path, way: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        line = refused(folder, *way, "runs/quickstart", "--port", port)
    assert line.startswith(f"Error: --port {port}: something listens there on 127.0.0.1 already")


def test_a_host_that_is_not_here_is_one_line(folder: Path) -> None:
    # An address of the range for documentation, which no machine has.
    given = ("runs/quickstart", "--host", "192.0.2.1", "--auth", "anna:secret-word")
    line = refused(folder, VLM_BOUNDARY, "demo", *given)
    assert line.startswith("Error: cannot listen on --host 192.0.2.1: ")


@pytest.mark.parametrize("package", ["gradio", "markdown_it"])
def test_a_package_that_is_not_installed_is_one_line(
    folder: Path, tmp_path: Path, package: str
) -> None:
    needs("gradio")
    without = tmp_path / package
    without.mkdir()
    (without / "__init__.py").write_text(
        f"raise ModuleNotFoundError('No module named {package}', name='{package}')"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    line = refused(folder, VLM_BOUNDARY, "demo", "runs/quickstart", PYTHONPATH=path)
    assert line == f"Error: the demo needs {package}; in a clone: pip install -e '.[demo]'"

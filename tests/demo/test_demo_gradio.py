"""Gradio comes in through one door, which leaves out what no page needs and changes nothing else.

That the app works so is seen wherever a browser reads it (`test_demo_browser.py` and others).
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from required import needs

PACKAGE = Path(__file__).parents[2] / "vlm_boundary"
LEAN = """
import inspect, sys
stubs = []
sys.addaudithook(lambda event, of: stubs.append(of[0]) if event == "open" else None)
real = inspect.getfile
from vlm_boundary.demo.lean_gradio import gr
assert not [path for path in stubs if str(path).endswith(".pyi")], "a stub is read or written"
assert inspect.getfile is real and inspect.getfile(gr.Textbox).endswith("textbox.py")
assert not {"mcp", "IPython"} & set(sys.modules)
import IPython, mcp
assert mcp.there and IPython.there
with gr.Blocks() as app:
    gr.Textbox().submit(len, None, None)
assert len(app.fns) == 1
"""
IMPORTED_ALREADY = """
import inspect, sys, types
sys.modules["gradio"] = theirs = types.ModuleType("gradio")
real = inspect.getfile
from vlm_boundary.demo.lean_gradio import gr
assert gr is theirs and inspect.getfile is real
assert not {"mcp", "IPython"} & set(sys.modules)
"""


def _runs(program: str, packages: Path) -> None:
    """Run a program where `mcp` and IPython are installed: small ones, in the folder."""
    for name in ("mcp", "IPython"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text("there = True\n")
    path = os.pathsep.join(filter(None, [str(packages), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_can_be_imported_afterwards_and_no_stub_is_written(tmp_path: Path) -> None:
    needs("gradio")
    _runs(LEAN, tmp_path)


def test_one_that_somebody_has_imported_stays_as_it_is(tmp_path: Path) -> None:
    _runs(IMPORTED_ALREADY, tmp_path)


def test_there_is_no_other_door() -> None:
    doors = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.partition(".")[0] == "gradio" for name in names):
                doors.add(path.relative_to(PACKAGE).as_posix())
    assert doors == {"demo/lean_gradio.py"}

"""Run the notebook of examples/ in a folder of its own, and keep what its cells say.

    python tests/notebook.py

writes the outputs into examples/python.ipynb, without what goes to standard error.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "python.ipynb"
ANY_OUTPUT = "nbval-ignore-output"
"""The tag of a cell whose words may change."""


def read() -> Any:
    """The notebook as it is stored."""
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(notebook: Any, folder: Path) -> Any:
    """A copy with the outputs of a fresh kernel that works in a folder.

    Raises:
        CellExecutionError: a cell raised.
    """
    done = copy.deepcopy(notebook)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(done, timeout=900, kernel_name="python3", resources=where).execute()
    for cell in done.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_kept(one) for one in cell.outputs if one.get("name") != "stderr"]
    done.metadata.language_info = {"name": "python"}
    return done


def _kept(output: Any) -> Any:
    if "data" in output:
        kinds = ("text/plain", "text/html")
        output.data = {kind: said for kind, said in output.data.items() if kind in kinds}
    return output


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        nbformat.write(executed(read(), Path(scratch)), NOTEBOOK)

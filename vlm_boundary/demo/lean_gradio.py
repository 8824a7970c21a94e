"""The demo's only door to Gradio, which is imported without what no page of ours needs.

Left to itself, `import gradio` takes more than twice the time: it parses its own components'
source and writes what it makes of it as `.pyi` stubs for editors into site-packages, at every
import, and it imports `mcp` and IPython wherever they are installed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NOT_NEEDED = ("mcp", "IPython")


@contextmanager
def _without_extras() -> Iterator[None]:
    """Import Gradio as where `_NOT_NEEDED` is not installed, and without stubs.

    One that somebody has imported before stays as it is.
    """
    if "gradio" in sys.modules:
        yield
        return
    kept_out = [name for name in _NOT_NEEDED if name not in sys.modules]
    getfile = inspect.getfile

    def no_file_of_gradio(object: Any) -> str:
        # Gradio writes no stub for a component that is in no file, which it learns here.
        if str(getattr(object, "__module__", "")).startswith("gradio."):
            raise OSError("no stub is wanted")
        return getfile(object)

    inspect.getfile = no_file_of_gradio
    for name in kept_out:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it raises ImportError
    try:
        yield
    finally:
        for name in kept_out:
            del sys.modules[name]
        inspect.getfile = getfile


with _without_extras():
    import gradio as gr

__all__ = ["gr"]

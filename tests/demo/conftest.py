"""What the demo's tests share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from demo_parts import Reader, browsing, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Reader]]:
    """Opens a window at an address, or on runs, which it serves; in none may anything go wrong."""
    with ExitStack() as stack:

        def window(*where: str | Path, **context: Any) -> Reader:
            paths = [one for one in where if isinstance(one, Path)]
            address = stack.enter_context(served(*paths)) if paths else where[0]
            return stack.enter_context(Reader(browser, str(address), **context))

        yield window

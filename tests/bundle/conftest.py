"""What the bundle's tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from demo_parts import browsing


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found

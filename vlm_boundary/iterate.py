"""Iteration helpers that the standard library has only in later versions."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Consecutive groups of `size` items, the last one possibly shorter (itertools, from 3.12)."""
    iterator = iter(items)
    while group := tuple(islice(iterator, size)):
        yield group

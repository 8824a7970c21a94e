"""Errors that belong to the person at the keyboard."""

import difflib
from collections.abc import Callable, Iterable


class UserError(Exception):
    """A mistake its reader can mend: one line saying what, where and what would be valid.

    The command line prints the message without a traceback and exits with code 2.
    """


def did_you_mean(given: str, valid: Iterable[str], show: Callable[[str], str] = repr) -> str:
    """The end of a message on an unknown name: those that are near it; empty where none is."""
    near = difflib.get_close_matches(given, sorted(valid), n=3)
    return f"; did you mean {' or '.join(map(show, near))}?" if near else ""

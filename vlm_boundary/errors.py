"""Errors that belong to the person at the keyboard."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Callable, Iterable

_RUN_AGAIN = "then run the same command again: what was stored stays"
# Of a disk, whatever file was being written: these come without its name.
_DISK = {
    errno.ENOSPC: f"free space there, {_RUN_AGAIN}",
    errno.EDQUOT: f"free space there, {_RUN_AGAIN}",
    errno.EFBIG: f"raise the limit on the size of files (ulimit -f), {_RUN_AGAIN}",
    errno.EIO: f"see to the disk, {_RUN_AGAIN}",
    errno.EROFS: "give a place that can be written",
}
# Characters of a message; one may end in a list of all that is valid.
_LONGEST = 4000
# Of a path: it is not there, is something else, or is not ours to use.
_PATH = {
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOTSUP,
    errno.ETXTBSY,
}


class UserError(Exception):
    """A mistake its reader can mend: one line saying what, where and what would be valid.

    The command line prints the message without a traceback and exits with code 2.
    """


class PlaceError(UserError):
    """A file or folder that cannot be written or read where it is: full, read-only, missing."""


def place_error(error: OSError, path: str | os.PathLike[str] | None = None) -> PlaceError | None:
    """What to tell the user of an error that is about a place; None for any other one.

    A connection that broke, a process that could not be started or a mistake of ours is none: of
    OSErrors only those count whose code says that a disk or a path does not serve.

    Args:
        error: what the system said.
        path: the file that was being written, where it is known; by default what `error` names.
    """
    named = path if path is not None else error.filename
    where = os.fspath(named) if isinstance(named, str | os.PathLike) else None
    if error.errno in _DISK:
        advice = _DISK[error.errno]
        where = where or "a file"
    elif error.errno in _PATH and where is not None:
        advice = "give a path that is there and that you may use"
        if path is not None:
            advice = "give a place that can be written"
    else:
        return None
    doing = "cannot be used" if path is None else "cannot be written"
    return PlaceError(f"{where}: {doing} ({error.strerror or os.strerror(error.errno)}); {advice}")


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def one_line(message: str) -> str:
    """A message as it is shown: names in it may be endless or hold control characters."""
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in message)


def did_you_mean(given: str, valid: Iterable[str], show: Callable[[str], str] = repr) -> str:
    """The end of a message on an unknown name: those that are near it; empty where none is."""
    near = difflib.get_close_matches(given, sorted(valid), n=3)
    return f"; did you mean {' or '.join(map(show, near))}?" if near else ""

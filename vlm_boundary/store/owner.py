"""Whose a part is, as its own metadata say: one in a wrong folder is seen, one cut short named."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.errors import UserError

_KEY = b"vlm_boundary"
BY_CONTENT = {b"vlm_boundary_named": b"by content"}
"""What a part says of itself whose name is a hash of its bytes."""
CHANGED = "it was changed after it was written, or renamed"
# Footers that were read once; a run has a few hundred parts, or some thousands while it is drawn.
_FOOTERS_KEPT = 1 << 16


@dataclass(frozen=True)
class Owner:
    """What a part belongs to.

    Attributes:
        table: the table's folder in a run directory, as in `samples` or `validity/layer=structure`.
        arm: with benchmark and condition, the partition.
        identity: a hash of what the arm's samples are drawn from; None where no manifest says it.
    """

    table: str
    arm: str
    benchmark: str
    condition: str
    identity: str | None

    def metadata(self) -> dict[bytes, bytes]:
        """The same as a Parquet file's metadata have it."""
        return {_KEY: json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()}

    def unlike(self, part: Owner | None) -> str | None:
        """In which way a part that says this of itself is another's; None where it may be ours.

        One that says nothing was written by an older version, or by another program. An identity is
        only held against one that is known.
        """
        if part is None:
            return None
        for name in ("table", "arm", "benchmark", "condition"):
            theirs, ours = getattr(part, name), getattr(self, name)
            if theirs != ours:
                return f"it was written as {name} {theirs!r}"
        if part.identity and self.identity and part.identity != self.identity:
            return f"it was drawn from another identity of arm {self.arm!r} than the manifest's"
        return None


@dataclass(frozen=True)
class Footer:
    """What a part says at its end, without its rows.

    `columns` are those that it was written with. `by_content` is whether its name is a hash of its
    bytes.
    """

    owner: Owner | None
    columns: pa.Schema
    by_content: bool

    @property
    def hashed(self) -> bool:
        """Whether its rows say what they were written as: those of older versions do not."""
        return "text_hash" in self.columns.names


# What gives a table's rows again, where that takes no engine.
_MADE_AGAIN = {
    "verdicts": "verify {run}' makes it again",
    "opinions": "verify {run} --opinions' makes it again",
    "validity": "check {run}' (or judge) makes it again",
    "statements": "check {run}' makes it again",
}


class DamagedPart(UserError):
    """A file of a table that is cut short, empty or changed, and so cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(f"{path}: this file is damaged ({why}); {mended_by(path)}")

    def __reduce__(self) -> tuple[type[DamagedPart], tuple[Path, str]]:
        return type(self), (self.path, self.why)  # it may cross from a worker's process


def mended_by(path: Path) -> str:
    """The command that mends a damaged file of a run."""
    run, top = place_of(path)
    mend = _MADE_AGAIN.get(top, "fsck {run}' says what is lost and mends it").format(run=run)
    return f"'vlm-boundary {mend}"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file in what the Parquet reader says.

    Raises:
        DamagedPart: the file is no Parquet file, or not all of it.
    """
    try:
        yield
    except FileNotFoundError:
        raise  # compacted away, or never there
    except OSError as error:
        if error.errno is not None and not path.is_dir():  # the system's: it may not be read
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
        raise DamagedPart(path, _short(error)) from None
    except (pa.ArrowException, ValueError) as error:  # names that are no UTF-8 are ValueErrors
        raise DamagedPart(path, _short(error)) from None


def footer_of(path: Path) -> Footer:
    """A part's footer; one that has not changed is read once.

    Raises:
        DamagedPart: there is none to be read.
        FileNotFoundError: the part was compacted away.
    """
    try:
        found = path.stat()
    except OSError as error:
        if path.is_symlink() and error.errno in {errno.ENOENT, errno.ELOOP}:
            raise DamagedPart(path, "it is a link to nothing") from None
        raise
    return _footer(path, found.st_size, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=_FOOTERS_KEPT)
def _footer(path: Path, size: int, changed: int, inode: int) -> Footer:
    if size == 0:
        raise DamagedPart(path, "it is empty")
    with reading(path):
        found = pq.read_metadata(path)
        stored = found.metadata or {}
        said = stored.get(_KEY)
        try:
            owner = None if said is None else Owner(**json.loads(said))
        except (ValueError, TypeError):
            raise DamagedPart(path, "it does not say whose it is") from None
        columns = _one(found.schema.to_arrow_schema().remove_metadata())
        return Footer(owner, columns, BY_CONTENT.items() <= stored.items())


@lru_cache(maxsize=256)
def _one(columns: pa.Schema) -> pa.Schema:
    """The same object for equal schemas, of which the parts of a run have a few."""
    return columns


def content_name(path: Path) -> str:
    """The name of a part whose bytes these are."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def as_named(path: Path) -> bool:
    """Whether a part is still what it was when it was named by its content; others pass."""
    return not footer_of(path).by_content or path.stem == f"part-{content_name(path)}"


def _short(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:160].rstrip(".") if lines else type(error).__name__


def place_of(path: Path) -> tuple[Path, str]:
    """The run directory that a file lies in, and the folder there: as in `verdicts`."""
    folder = path.parent
    while "=" in folder.name:
        folder = folder.parent
    return folder.parent, folder.name

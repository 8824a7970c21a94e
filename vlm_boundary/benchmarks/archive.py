"""Pictures in a .zip or .tar, read where they are: nothing is ever unpacked."""

from __future__ import annotations

import lzma
import posixpath
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.errors import UserError

SUFFIXES = (".zip", ".tar")
_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # a password is needed; NotImplementedError: a compression that is not known
)


def is_archive(path: Path) -> bool:
    """Whether a path is a file with an archive's ending."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def checked_archive(path: Path) -> Path:
    """The archive itself.

    Raises:
        UserError: it cannot be read.
    """
    try:
        _content(path)
    except _ERRORS as error:
        raise UserError(f"{path}: not an archive that can be read: {error}") from None
    return path


def has_member(archive: Path, name: str) -> bool:
    """Whether the archive has a file of that name."""
    try:
        return len(_content(archive).places.get(_wanted(name), ())) == 1
    except (*_ERRORS, PictureError):
        return False


def read_member(archive: Path, name: str, limit: int) -> bytes:
    """A file's bytes.

    Raises:
        PictureError: there is no such file, there are two, it is a link, or larger than `limit`.
    """
    wanted = _wanted(name)
    try:
        content = _content(archive)
        places = content.places.get(wanted, [])
        if len(places) != 1:
            found = "is not" if not places else "is twice"
            raise PictureError(f"picture {wanted[:120]!r} {found} in {archive}")
        (place,) = places
        if not place.is_file:
            raise PictureError(f"picture {wanted[:120]!r} in {archive} is not a file")
        data = content.read(place, limit + 1) if place.size <= limit else b""
        if place.size > limit or len(data) > limit:
            raise PictureError(
                f"picture {wanted[:120]!r} in {archive} is larger than {limit >> 20} MiB"
            )
    except _ERRORS as error:
        raise PictureError(
            f"picture {wanted[:120]!r} in {archive} cannot be read: {str(error)[:200]}"
        ) from None
    return data


def _wanted(name: str) -> str:
    """A name as members are looked up.

    Raises:
        PictureError: it leaves the archive.
    """
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path in (".", ".."):
        raise PictureError(f"picture path {name[:120]!r} leaves the archive")
    return path


@dataclass(frozen=True)
class _Member:
    """A member: where its bytes are, and whether it is a file and no link or folder."""

    member: zipfile.ZipInfo | tarfile.TarInfo
    size: int
    is_file: bool


@dataclass
class _Content:
    """The members of an archive by name, and the open file."""

    file: zipfile.ZipFile | tarfile.TarFile
    places: dict[str, list[_Member]] = field(default_factory=dict)

    def read(self, place: _Member, most: int) -> bytes:
        if isinstance(self.file, zipfile.ZipFile):
            assert isinstance(place.member, zipfile.ZipInfo)
            with self.file.open(place.member) as member:
                return member.read(most)
        assert isinstance(place.member, tarfile.TarInfo)
        opened = self.file.extractfile(place.member)
        return b"" if opened is None else opened.read(most)


def _content(archive: Path) -> _Content:
    found = archive.stat()
    return _opened(archive.resolve(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _opened(archive: Path, size: int, changed: int) -> _Content:
    """The archive's members, listed once for each state of the file."""
    content: _Content
    if archive.suffix.lower() == ".zip":
        zipped = zipfile.ZipFile(archive)
        content = _Content(zipped)
        for info in zipped.infolist():
            mode = info.external_attr >> 16  # of Unix; a link's bytes are the path that it names
            plain = not info.is_dir() and not stat.S_ISLNK(mode)
            _add(content, info.filename, _Member(info, info.file_size, plain))
    else:
        # Compressed ones have no places to read from. It stays open as long as it is remembered.
        tar = tarfile.open(archive, "r:")  # noqa: SIM115
        content = _Content(tar)
        for member in tar:
            plain = member.isreg() and not member.issparse()
            _add(content, member.name, _Member(member, member.size, plain))
    return content


def _add(content: _Content, name: str, place: _Member) -> None:
    content.places.setdefault(posixpath.normpath(name), []).append(place)

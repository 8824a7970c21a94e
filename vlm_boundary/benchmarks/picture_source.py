"""Where a record's picture is, in a folder or an archive, and its bytes once they are asked for."""

from __future__ import annotations

import base64
import binascii
import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from vlm_boundary.benchmarks.download import downloaded
from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.errors import UserError

MAX_BYTES = 256 << 20
_URL_SAFE = str.maketrans("-_", "+/")
_ARCHIVE_SUFFIXES = (".zip", ".tar")
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # a password is needed; NotImplementedError: a compression that is not known
)


@dataclass(frozen=True)
class PictureSource:
    """A picture as its record gives it: bytes, base64 text, a path, or a data set's image record.

    `roots` are the folders that a path cannot leave; a relative one starts in the first. The first
    may be an archive, whose members the paths then are. Web addresses are fetched on `download`.
    """

    value: Any
    encoding: Literal["path", "base64"]
    roots: tuple[Path, ...]
    download: bool = False

    def read(self) -> bytes:
        """The picture's bytes, not yet decoded.

        Raises:
            PictureError: there is no such picture, it is too large, or the path leaves the folder.
        """
        name, value = self._name, self._given
        if name is not None:
            return self._named(name)
        if isinstance(value, bytes | bytearray | memoryview):
            return _limited(bytes(value))
        if not isinstance(value, str) or not value:
            raise PictureError(f"expected a picture or its path, found {type(value).__name__}")
        return _decode(unquote(value.partition(",")[2]) if _is_data(value) else value)

    def file(self) -> Path | None:
        """The file that the picture is read from; None where the record holds it, or names none."""
        name = self._name
        if name is None or _is_address(name):
            return None
        if is_archive(self.roots[0]):
            return self.roots[0]
        try:
            return self._path(name)
        except PictureError:
            return None

    def exists(self) -> bool:
        """Whether there is something to read; it need not be a picture."""
        return bool(self._given) if self._name is None else self._is_file(self._name)

    @property
    def _given(self) -> Any:
        """What the record gives, or the data set's image record (`Image(decode=False)`) in it."""
        if not isinstance(self.value, Mapping):
            return self.value
        content = self.value.get("bytes")
        return self.value.get("path") if content is None else content

    @property
    def _name(self) -> str | None:
        """The path or web address that is given; None where it is the picture itself, or none."""
        given = self._given
        if not isinstance(given, str) or isinstance(self.value, Mapping):
            return given if isinstance(given, str) else None
        is_name = _is_address(given) or (self.encoding == "path" and not _is_data(given))
        return given if given and is_name else None

    def _named(self, name: str) -> bytes:
        """The picture of a path or a web address."""
        if _is_address(name):
            if not self.download:
                raise PictureError(
                    "the picture is a web address; say images: {download: true}, or download it "
                    "and give its path"
                )
            return downloaded(name.strip())
        if is_archive(self.roots[0]):
            return read_member(self.roots[0], name, MAX_BYTES)
        return _read(self._path(name))

    def _is_file(self, name: str) -> bool:
        try:
            if _is_address(name):
                return bool(self.download and downloaded(name.strip()))
            if is_archive(self.roots[0]):
                return has_member(self.roots[0], name)
            return self._path(name).is_file()
        except PictureError:
            return False

    def _path(self, name: str) -> Path:
        if not name:
            raise PictureError("the picture's path is empty")
        root = self.roots[0]
        try:
            path = (root / name).resolve()
            inside = any(path.is_relative_to(folder.resolve()) for folder in self.roots)
        except (OSError, ValueError, RuntimeError):  # NUL bytes, circles of links
            raise PictureError(f"{_short(name)} is not a path") from None
        if not inside:
            raise PictureError(f"picture path {_short(name)} leaves {root}")
        return path


def _read(path: Path) -> bytes:
    try:
        if not path.exists():
            raise PictureError(f"picture {path} does not exist")
        if not path.is_file():  # reading a pipe or a device might never end
            raise PictureError(f"picture {path} is not a file")
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"picture {path} is larger than {MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PictureError(f"picture {_short(str(path))} cannot be read: {reason}") from None


def _decode(text: str) -> bytes:
    """Base64 of either alphabet, with its padding or without."""
    packed = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return _limited(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        raise PictureError("the picture is not valid base64") from None


def _is_data(value: str) -> bool:
    return value[:40].lstrip().lower().startswith("data:")


def _is_address(value: str) -> bool:
    return value[:40].lstrip().lower().startswith(("http://", "https://"))


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise PictureError(f"the picture is larger than {MAX_BYTES >> 20} MiB")
    return data


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")


def is_archive(path: Path) -> bool:
    """Whether a path is a file with an archive's ending."""
    return path.suffix.lower() in _ARCHIVE_SUFFIXES and path.is_file()


def checked_archive(path: Path) -> Path:
    """The archive itself.

    Raises:
        UserError: it cannot be read.
    """
    try:
        _content(path)
    except _ARCHIVE_ERRORS as error:
        raise UserError(f"{path}: not an archive that can be read: {error}") from None
    return path


def has_member(archive: Path, name: str) -> bool:
    """Whether the archive has a file of that name."""
    try:
        return len(_content(archive).get(_wanted(name), ())) == 1
    except (*_ARCHIVE_ERRORS, PictureError):
        return False


def read_member(archive: Path, name: str, limit: int) -> bytes:
    """A file's bytes.

    Raises:
        PictureError: there is no such file, there are two, it is a link, or larger than `limit`.
    """
    wanted = _wanted(name)
    try:
        members = _content(archive).get(wanted, [])
        if len(members) != 1:
            found = "is not" if not members else "is twice"
            raise PictureError(f"picture {wanted[:120]!r} {found} in {archive}")
        (member,) = members
        if not member.is_file:
            raise PictureError(f"picture {wanted[:120]!r} in {archive} is not a file")
        data = member.read(limit + 1) if member.size <= limit else b""
        if member.size > limit or len(data) > limit:
            raise PictureError(
                f"picture {wanted[:120]!r} in {archive} is larger than {limit >> 20} MiB"
            )
    except _ARCHIVE_ERRORS as error:
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
    """A member: up to how many of its bytes are read, and whether it is no link or folder."""

    size: int
    is_file: bool
    read: Callable[[int], bytes]


def _content(archive: Path) -> Mapping[str, Sequence[_Member]]:
    """The archive's members by name, listed once for each state of the file."""
    found = archive.stat()
    return _listed(archive.resolve(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _listed(archive: Path, size: int, changed: int) -> Mapping[str, Sequence[_Member]]:
    members: dict[str, list[_Member]] = defaultdict(list)
    if archive.suffix.lower() == ".zip":
        zipped = zipfile.ZipFile(archive)
        for info in zipped.infolist():
            mode = info.external_attr >> 16  # of Unix; a link's bytes are the path that it names
            plain = not info.is_dir() and not stat.S_ISLNK(mode)
            read = partial(_read_zipped, zipped, info)
            members[posixpath.normpath(info.filename)].append(_Member(info.file_size, plain, read))
    else:
        # Compressed ones have no places to read from. It stays open as long as it is remembered.
        tar = tarfile.open(archive, "r:")  # noqa: SIM115
        for member in tar:
            plain = member.isreg() and not member.issparse()
            read = partial(_read_tarred, tar, member)
            members[posixpath.normpath(member.name)].append(_Member(member.size, plain, read))
    return dict(members)  # asking for another name adds none


def _read_zipped(file: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with file.open(info) as member:
        return member.read(most)


def _read_tarred(file: tarfile.TarFile, info: tarfile.TarInfo, most: int) -> bytes:
    opened = file.extractfile(info)
    return b"" if opened is None else opened.read(most)

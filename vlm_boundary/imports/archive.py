"""Members of a zip archive, read one at a time and no further than they say that they go.

Archives of inspect_ai are compressed with Zstandard (method 93), which Python's own module reads
from 3.14 on; Arrow does everywhere. Names in an archive are never paths here.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa

from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.imports.values import shown

_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_LARGEST = 256 << 20  # a member, unpacked
_LARGEST_ALL = 16 << 30
_MOST_TIMES = 1000  # what is packed of text is smaller by less than this
_LOCAL_HEADER = 30  # bytes, behind which are the name and what else there is
_ENCRYPTED = 1


class Archive:
    """The members of a zip file; the last of a name counts, as those who append expect.

    Raises:
        UserError: it is no zip file, or one that would fill memory or disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as file:
                self._members = {info.filename: info for info in file.infolist()}
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise UserError(f"{path}: not a zip archive: {str(error)[:80]}") from None
        unpacked = sum(info.file_size for info in self._members.values())
        packed = path.stat().st_size
        if unpacked > min(_LARGEST_ALL, _MOST_TIMES * packed + _LARGEST):
            raise UserError(
                f"{path}: would unpack to {unpacked:,} bytes from {packed:,}, which no log does"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The members, in the archive's order."""
        return tuple(self._members)

    def read(self, name: str) -> bytes:
        """A member's content.

        Raises:
            UserError: it is too large, damaged, encrypted or packed in another way.
        """
        info = self._members[name]
        where = f"{self._path}: {shown(name)}"
        if info.flag_bits & _ENCRYPTED:
            raise UserError(f"{where}: is encrypted")
        if info.file_size > _LARGEST:
            raise UserError(
                f"{where}: would unpack to {info.file_size:,} bytes; {_LARGEST:,} are read at most"
            )
        try:
            content = _unpacked(self._packed(info), info.compress_type, info.file_size + 1)
        except (zlib.error, struct.error, pa.ArrowException, OSError, EOFError) as error:
            raise UserError(f"{where}: damaged: {reason_of(error)[:80]}") from None
        if content is None:
            raise UserError(f"{where}: packed by method {info.compress_type}, which is not read")
        if len(content) != info.file_size:
            raise UserError(
                f"{where}: does not unpack to the {info.file_size:,} bytes that it says"
            )
        return content

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        with self._path.open("rb") as file:
            file.seek(info.header_offset)
            name, extra = struct.unpack("<HH", file.read(_LOCAL_HEADER)[26:])
            file.seek(name + extra, 1)
            return file.read(info.compress_size)


def _unpacked(packed: bytes, method: int, most: int) -> bytes | None:
    """What is packed, up to so many bytes; None where the method is another one."""
    if method == _STORED:
        return packed
    if method == _DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
    if method == _ZSTD:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            return bytes(stream.read(most))
    return None

"""Results on their way home where machines share no file system: a part is one upload."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from pyarrow import fs

from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.store import RunDirectory
from vlm_boundary.writing import replacing

# What engines read of a run, and what they leave in it.
_INPUTS = ("manifest.json", "problems", "images", "prefixes")
# Answers are not what they were begun with: samples never come home without their beginnings.
_RESULTS = ("samples", "failures", "writers", "prefixes")
_RETRY_SECONDS = 600.0


class Storage:
    """A folder at a URI that holds a run's inputs for engines, and takes their results.

    Args:
        uri: as pyarrow takes it (s3://, gs://, hdfs://, file://), or a scheme of fsspec's.

    Raises:
        UserError: nothing here can open such a URI.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        if "://" not in uri:  # a path would be another one on every machine
            raise UserError(f"{uri}: cannot be opened: it is no URI, as s3://BUCKET/RUN is")
        try:
            self._files, self._root = fs.FileSystem.from_uri(uri.rstrip("/"))
        except (pa.ArrowInvalid, OSError) as error:
            self._files, self._root = _through_fsspec(uri, error)

    def push_inputs(self, run: RunDirectory) -> None:
        """Bring what engines need: the manifest as it is now, pictures that are not there yet."""
        there = self._sizes()
        for name in _INPUTS:
            top = run.path / name
            for path in [top] if top.is_file() else sorted(top.rglob("*")):
                relative = path.relative_to(run.path).as_posix()
                if not path.is_file() or path.name.startswith("."):
                    continue
                if name == "images" and there.get(relative) == path.stat().st_size:
                    continue
                self.upload(path, relative)

    def pull_results(self, run: RunDirectory, *, inputs: bool = False) -> int:
        """Copy results that the run directory lacks, whole or not at all; returns how many files.

        Args:
            inputs: also what engines read, for a run that is known from here alone.
        """
        wanted = (*_RESULTS, *_INPUTS) if inputs else _RESULTS
        copied = 0
        for relative in sorted(self._sizes()):
            if relative.split("/")[0] in wanted and not (run.path / relative).exists():
                self._get(relative, run.path / relative)
                copied += 1
        return copied

    def upload(self, path: Path, relative: str) -> None:
        """Upload one file under its name in the run directory, trying again for ten minutes.

        Raises:
            OSError: it could not be uploaded.
        """
        until, pause = time.monotonic() + _RETRY_SECONDS, 1.0
        target = f"{self._root}/{relative}"
        while True:
            try:
                # Object stores have no folders; file systems need them.
                self._files.create_dir(target.rpartition("/")[0], recursive=True)
                with self._files.open_output_stream(target) as stream:
                    stream.write(path.read_bytes())
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 60.0)

    @contextmanager
    def scratch(self) -> Iterator[RunDirectory]:
        """A run directory on this machine's disk whose parts go to the storage as they appear."""
        with TemporaryDirectory(prefix="vlm-boundary-") as folder:
            path = Path(folder)

            def upload(file: Path) -> None:
                self.upload(file, file.relative_to(path).as_posix())
                file.unlink()

            run = RunDirectory(path, published=upload)
            for relative in self._sizes():
                if relative.split("/")[0] in _INPUTS:
                    self._get(relative, path / relative)
            yield run

    def _sizes(self) -> dict[str, int]:
        """Every file's size in bytes, by its name relative to the root."""
        found = self._files.get_file_info(
            fs.FileSelector(self._root, allow_not_found=True, recursive=True)
        )
        return {
            info.path[len(self._root) :].lstrip("/"): info.size
            for info in found
            if info.type == fs.FileType.File
        }

    def _get(self, relative: str, path: Path) -> None:
        with self._files.open_input_stream(f"{self._root}/{relative}") as stream:
            content = stream.read()
        with replacing(path) as temporary:
            temporary.write_bytes(content)


def _through_fsspec(uri: str, error: Exception) -> tuple[fs.FileSystem, str]:
    import fsspec  # type: ignore[import-untyped]

    try:
        files, root = fsspec.core.url_to_fs(uri)
    except (ValueError, ImportError) as other:
        said = reason_of(error)
        raise UserError(f"{uri}: cannot be opened: {said}; fsspec says: {other}") from None
    return fs.PyFileSystem(fs.FSSpecHandler(files)), str(root).rstrip("/")

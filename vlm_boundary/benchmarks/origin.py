"""What a benchmark was read from, so that a change of it is noticed without reading it again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vlm_boundary.benchmarks.schema import BenchmarkConfig
from vlm_boundary.benchmarks.sources import data_paths, dataset_commit
from vlm_boundary.store.fingerprint import Stamp, stamp


@dataclass(frozen=True)
class Origin:
    """The files behind a benchmark's problems by path, and the commit of a hub's data set.

    Attributes:
        data: the records' files; none where they come from the hub or are drawn.
        pictures: the files that records name.
        commit: None where it is not known, as without a network.
    """

    data: Mapping[str, Stamp]
    pictures: Mapping[str, Stamp] = field(default_factory=dict)
    commit: str | None = None

    @classmethod
    def of(cls, config: BenchmarkConfig) -> Origin:
        """What would be read now, except pictures, which only the records name."""
        paths = data_paths(config)
        files = {str(file): stamp(file) for path in paths for file in _files(path.resolve())}
        asked = config.dataset_path is not None and not paths
        return cls(files, commit=dataset_commit(config) if asked else None)

    @classmethod
    def from_record(cls, record: Any) -> Origin:
        """What `record` gave, read from JSON; of anything else an origin that nothing has.

        So the records are read again, and their content is compared.
        """
        try:
            return TypeAdapter(cls).validate_python(record)
        except ValidationError:
            return cls({})

    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)

    def changes(self, config: BenchmarkConfig) -> list[str]:
        """What is another one now, named; nothing where the records are gone, or not in reach."""
        now = Origin.of(config)
        if now.commit and now.commit != self.commit:
            return [f"{config.dataset_path} at {now.commit[:12]}"]
        if not now.data:
            return []
        pictures = {name: stamp(Path(name)) for name in self.pictures}
        return [*_unlike(self.data, now.data), *_unlike(self.pictures, pictures)]


def _unlike(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)

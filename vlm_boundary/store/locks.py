"""Who writes into a run directory: any number of processes, as long as they share it out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vlm_boundary.errors import UserError


@dataclass(frozen=True)
class Shard:
    """One of `count` equal shares of every benchmark's problems; the only one of 1 is all."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            last = max(self.count, 1) - 1
            raise UserError(
                f"shard {self}: valid are 0/{max(self.count, 1)} to {last}/{max(self.count, 1)}"
            )

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


class RunLocks:
    """Locks in a run directory's `.locks`; a process that dies lets go of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def turn(self) -> AbstractContextManager[None]:
        """Wait for the right to change what all writers share: manifest, problems, old parts."""
        return self.deriving("turn")

    @contextmanager
    def writing(self, shard: Shard) -> Iterator[None]:
        """Hold one shard of the run as its only writer.

        Raises:
            UserError: another process writes the same shard, or shares the run out differently.
        """
        with self.turn():
            busy = self._busy()
            if any(other.count != shard.count for other in busy):
                raise UserError(
                    f"{self._folder.parent}: another process is sampling shard {busy[0]} of this "
                    f"run; wait for it, or give both --shard i/{busy[0].count} or another division"
                )
            lock = FileLock(self._folder / f"shard-{shard.index}-of-{shard.count}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise UserError(
                    f"{self._folder.parent}: another process is sampling "
                    f"{'into this run' if shard.count == 1 else f'shard {shard} of this run'}; "
                    f"wait for it or stop it, or share the problems out with --shard i/N"
                ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def alone(self, shard: Shard) -> Iterator[bool]:
        """Take a turn, during which nobody begins; true when no other shard is being written."""
        with self.turn():
            yield all(other == shard for other in self._busy())

    @contextmanager
    def deriving(self, name: str) -> Iterator[None]:
        """Wait to be the only process that derives these rows of the run from its samples."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / f"{name}.lock"):
            yield

    def _busy(self) -> list[Shard]:
        """The shards that a living process holds."""
        shards = []
        for path in sorted(self._folder.glob("shard-*.lock")):
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                _, index, _, count = path.stem.split("-")
                shards.append(Shard(int(index), int(count)))
            else:
                lock.release()
        return shards

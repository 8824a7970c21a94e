"""The work that a cluster shares out: a problem's missing samples at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from vlm_boundary.sampling.work import Draw
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition


@dataclass(frozen=True)
class Piece:
    """Samples of one problem that one engine draws together, so that its caches hit.

    `crashes` counts the engines that ended while they were at it. Under a rule the problem may end
    before its spans do.
    """

    partition: Partition
    problem_id: str
    spans: tuple[range, ...]
    crashes: int = 0
    rule: StoppingRule | None = None

    @property
    def samples(self) -> int:
        """How many samples it is."""
        return sum(map(len, self.spans))

    def same_problem(self, other: Piece) -> bool:
        """Whether both are samples of one problem, in one partition."""
        return (self.partition, self.problem_id) == (other.partition, other.problem_id)


def pieces_of(units: Iterable[Draw]) -> list[Piece]:
    """The pieces of units, in their order."""
    return [
        Piece(unit.partition, problem_id, spans, rule=unit.rule)
        for unit in units
        for problem_id, spans in unit.spans.items()
    ]


class Queue:
    """The pieces of one model that no engine has yet.

    A piece that an engine ended over is a suspect: it is given out alone, so that one poisoned
    problem is found, and takes nothing else down with it.
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._sound = deque(pieces)
        self._suspects: deque[Piece] = deque()
        self.samples = sum(piece.samples for piece in self._sound)

    def __len__(self) -> int:
        return len(self._sound) + len(self._suspects)

    def take(self, samples: int) -> list[Piece]:
        """The next pieces, of as many samples together as are asked for, or more by one piece."""
        taken: list[Piece] = []
        while self._sound and samples > 0:
            taken.append(self._sound.popleft())
            samples -= taken[-1].samples
        self.samples -= sum(piece.samples for piece in taken)
        return taken

    def take_suspect(self) -> Piece | None:
        """A piece to be given out alone, if there is one."""
        if not self._suspects:
            return None
        piece = self._suspects.popleft()
        self.samples -= piece.samples
        return piece

    def put_back(self, piece: Piece) -> None:
        """Take a piece back whose engine is lost."""
        if piece.crashes:
            self._suspects.append(piece)
        else:
            self._sound.appendleft(piece)
        self.samples += piece.samples

    def drop(self, poisoned: Piece) -> None:
        """Take out every piece of a problem, which nobody shall try again."""
        for pieces in (self._sound, self._suspects):
            for piece in [p for p in pieces if p.same_problem(poisoned)]:
                pieces.remove(piece)
                self.samples -= piece.samples

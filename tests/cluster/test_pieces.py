"""What a cluster shares out, and in which order."""

from __future__ import annotations

from vlm_boundary.cluster.pieces import Piece, Queue, pieces_of
from vlm_boundary.sampling.work import Draw
from vlm_boundary.store import Partition

HERE = Partition("base", "mine")


def piece(problem_id: str, samples: int = 4, crashes: int = 0) -> Piece:
    return Piece(HERE, problem_id, (range(samples),), crashes)


def test_a_piece_is_what_a_problem_lacks_in_a_wave() -> None:
    first = Draw(HERE, {"a": (range(2), range(3, 4)), "b": (range(4),)})
    second = Draw(HERE, {"a": (range(6, 8),), "b": (range(4, 8),), "c": (range(8),)})
    found = [(p.problem_id, p.spans) for p in pieces_of([first, second])]
    assert found == [
        ("a", (range(2), range(3, 4))),
        ("b", (range(4),)),
        ("a", (range(6, 8),)),
        ("b", (range(4, 8),)),
        ("c", (range(8),)),
    ]


def test_pieces_come_in_order_of_as_many_samples_as_are_asked_for() -> None:
    queue = Queue([piece("a"), piece("b"), piece("c")])
    assert [p.problem_id for p in queue.take(5)] == ["a", "b"]
    assert queue.samples == 4
    assert queue.take(0) == []
    assert [p.problem_id for p in queue.take(99)] == ["c"]
    assert not queue
    assert queue.samples == 0


def test_a_piece_that_comes_back_is_next_and_a_suspect_is_given_out_alone() -> None:
    queue = Queue([piece("a"), piece("b")])
    (first,) = queue.take(1)
    queue.put_back(first)
    queue.put_back(piece("s", crashes=1))
    assert len(queue) == 3
    assert [p.problem_id for p in queue.take(99)] == ["a", "b"]
    suspect = queue.take_suspect()
    assert suspect is not None
    assert suspect.problem_id == "s"
    assert queue.take_suspect() is None
    assert queue.samples == 0


def test_a_poisoned_problem_is_tried_no_more() -> None:
    queue = Queue([piece("a"), piece("s", 2), piece("b")])
    queue.put_back(piece("s", crashes=1))
    queue.drop(piece("s", crashes=3))
    assert queue.samples == 8
    assert [p.problem_id for p in queue.take(99)] == ["a", "b"]
    assert not queue

"""A few mutations of the written cases: nothing raises, even without the last line of defence."""

from __future__ import annotations

import signal
from itertools import islice

import pytest
from fuzz_verifier import Found, fuzz, mutants, written

from vlm_boundary.verifier import Output
from vlm_boundary.verifier import grader as grader_module


def test_mutations_of_written_cases_raise_nothing() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    try:
        found = fuzz(3000, seed=20)
    finally:
        signal.signal(signal.SIGVTALRM, before)
    assert found.graded == 3000
    assert not found.raised, found.report()
    assert set(found.verdicts) >= {"correct", "incorrect", "undecided", "no_answer"}


def test_mutants_are_the_same_for_a_seed() -> None:
    seeds = written()
    one, two, other = (list(islice(mutants(seeds, seed), 50)) for seed in (1, 1, 2))
    assert one == two != other


def test_what_raises_is_found_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader_module, "answer_scope", lambda text, question, **_: [][len(text)])
    found = Found()
    for text in ("a long one", "b"):
        found.grade(Output(text, "4"))
    assert list(found.raised.values()) == [2]
    assert next(iter(found.raised)).startswith("IndexError at ")
    assert next(iter(found.smallest.values())).text == "b"
    assert "2 raised" in found.report()

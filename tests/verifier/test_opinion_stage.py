"""Second opinions of a run: stored beside the verdicts, once, a share at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import HandMadeRun, make_run

from vlm_boundary.records.verdict import Verdict
from vlm_boundary.store import Partition
from vlm_boundary.verifier import store_opinions, verify
from vlm_boundary.verifier.opinions import LISTED, Disagreements, Opinions
from vlm_boundary.verifier.pool import Answer, KillingPool
from vlm_boundary.verifier.verdict import Output

RL = Partition("rl", "mine")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests math-verify got, call by call."""
    numbers: list[int] = []
    ask = KillingPool.ask

    def counted(self: KillingPool, task: str, requests: Sequence[tuple[str, str]]) -> list[Answer]:
        if task == "math_verify" and requests:
            numbers.append(len(requests))
        return ask(self, task, requests)

    monkeypatch.setattr(KillingPool, "ask", counted)
    return numbers


def test_they_are_stored_beside_the_verdicts(run: HandMadeRun) -> None:
    verify(run.directory)
    before = run.directory.verdicts.read(RL)
    assert store_opinions(run.directory) == 0
    rows = run.directory.opinions.read(RL).to_pylist()
    assert len(rows) == 12
    assert [row["math_verify"] for row in rows if row["problem_id"] == "p1"] == [True] * 4
    pages = list(run.directory.opinions.root.rglob("disagreements.html"))
    assert len(pages) == 2
    assert all("0 of 12 outputs are judged otherwise" in page.read_text() for page in pages)
    assert run.directory.verdicts.read(RL).equals(before)


def test_only_what_was_not_asked_of_a_verdict_is_asked(run: HandMadeRun, asked: list[int]) -> None:
    verify(run.directory)
    first = store_opinions(run.directory)
    # Of twelve outputs each, nine of base and five of rl are different texts on their problem.
    assert sum(asked) == 9 + 5
    rows = run.directory.opinions.read(RL)
    asked.clear()
    assert store_opinions(run.directory) == first
    assert asked == []
    assert run.directory.opinions.read(RL).equals(rows)

    problems = run.directory.read_problems("mine")
    changed = tuple(
        type(p)(p.benchmark, p.problem_id, p.question, "9", error=p.error)
        if p.problem_id == "p2"
        else p
        for p in problems
    )
    run.directory.write_problems("mine", changed)
    verify(run.directory)
    store_opinions(run.directory)
    assert sum(asked) == 4 + 2  # the texts of p2
    after = run.directory.opinions.read(RL).to_pylist()
    assert [row["math_verify"] for row in after if row["problem_id"] == "p2"][:3] == [True] * 3


def test_shares_of_any_size_give_the_same_bytes(tmp_path: Path) -> None:
    whole, pieces = make_run(tmp_path / "whole"), make_run(tmp_path / "pieces")
    found = []
    for made, size in ((whole, 1000), (pieces, 1)):
        verify(made.directory)
        found.append(store_opinions(made.directory, samples_a_share=size))
    assert found[0] == found[1]
    files = [
        {p.relative_to(made.directory.path): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for made in (whole, pieces)
        for root in [made.directory.opinions.root]
    ]
    assert files[0] == files[1]


def test_what_was_said_before_an_end_is_kept(
    run: HandMadeRun, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(run.directory)
    ask = KillingPool.ask

    def ended(self: KillingPool, task: str, requests: Sequence[tuple[str, str]]) -> list[Answer]:
        if task == "math_verify" and len(asked) == 2:
            raise KeyboardInterrupt
        return ask(self, task, requests)

    with monkeypatch.context() as patch:
        patch.setattr(KillingPool, "ask", ended)
        with pytest.raises(KeyboardInterrupt):
            store_opinions(run.directory, samples_a_share=1)
    assert len(run.directory.opinions.read(Partition("base", "mine"))) == 8  # two problems
    store_opinions(run.directory)
    assert sum(asked) == 9 + 5


def test_a_page_lists_the_first_and_counts_the_rest(tmp_path: Path) -> None:
    found = Disagreements()
    verdict = Verdict(False, "incorrect", "2", "number_differs")
    for place in range(LISTED + 5):
        output = Output(f"<i>{place}</i>", "1")
        found.add(f"line {place}", output, verdict, Opinions(True, None, False).as_dict())
    found.add("alike", Output("2", "1"), verdict, Opinions(False, False, False).as_dict())
    found.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert f"{LISTED + 5:,} of {LISTED + 6:,} outputs" in text
    assert f"the first {LISTED:,} are listed" in text
    assert "alike" not in text
    assert "<i>" not in text

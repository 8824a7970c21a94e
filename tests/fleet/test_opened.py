"""Which engine a process uses for its next job: the one that is open, or a fresh one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Workload
from vlm_boundary.fleet.session import OpenedEngine, Opening
from vlm_boundary.records.manifest import Checkpoint

BASE = Checkpoint(Path("base"), "b", "{{ messages }}", None)
RL = Checkpoint(Path("rl"), "r", "{{ messages }}", "trained")
OPENING = Opening("base", BASE, VllmConfig(), Workload((SamplingConfig(),), 1))


class Engine:
    """Remembers what became of it."""

    def __init__(self, swaps: bool) -> None:
        self.swaps = swaps
        self.holds: list[Checkpoint] = []
        self.closed = False

    def swap(self, checkpoint: Checkpoint, samplings: tuple[SamplingConfig, ...]) -> bool:
        if self.swaps:
            self.holds.append(checkpoint)
        return self.swaps

    def close(self) -> None:
        self.closed = True

    def generate(self) -> None: ...

    describe = usage = generate


class Opener:
    """Opens such engines, and keeps them."""

    def __init__(self, swaps: bool = True) -> None:
        self.swaps = swaps
        self.opened: list[Engine] = []

    def __call__(self, *_: Any) -> Any:
        assert all(engine.closed for engine in self.opened)  # never two at once
        self.opened.append(Engine(self.swaps))
        return self.opened[-1]


def test_a_checkpoint_of_the_same_shape_takes_the_open_engine() -> None:
    opener = Opener()
    with closing(OpenedEngine(opener)) as opened:
        engine = opened.become(OPENING)
        assert opened.become(replace(OPENING, model="rl", checkpoint=RL)) is engine
        greedy = Workload((SamplingConfig(n=1, temperature=0.0, top_p=1.0),), 1)
        assert opened.become(replace(OPENING, workload=greedy)) is engine
    assert [engine.holds for engine in opener.opened] == [[RL, BASE]]
    assert opener.opened[0].closed


@pytest.mark.parametrize(
    "changes",
    [
        {"checkpoint": replace(RL, chat_template="{{ messages[0] }}")},
        {"checkpoint": replace(RL, trust_remote_code=True)},
        {"checkpoint": None},
        {"checkpoint": RL, "engine": VllmConfig(args={"dtype": "float32"})},
        {"checkpoint": RL, "workload": Workload((SamplingConfig(),), 2)},
    ],
)
def test_what_is_opened_otherwise_gets_a_fresh_one(changes: dict[str, Any]) -> None:
    opener = Opener()
    with closing(OpenedEngine(opener)) as opened:
        opened.become(OPENING)
        opened.become(replace(OPENING, **changes))
    assert [engine.holds for engine in opener.opened] == [[], []]
    assert all(engine.closed for engine in opener.opened)


def test_an_engine_that_cannot_is_closed_before_the_next_is_opened() -> None:
    opener = Opener(swaps=False)
    with closing(OpenedEngine(opener)) as opened:
        opened.become(OPENING)
        opened.become(replace(OPENING, checkpoint=RL))
    assert len(opener.opened) == 2

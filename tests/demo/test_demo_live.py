"""Live sampling from two servers with OpenAI's API, without a browser."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from demo_parts import make_demo_run
from engine_parts import Manners, scripted_server
from PIL import Image
from required import needs

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.demo import live_tab
from vlm_boundary.demo.app import build
from vlm_boundary.demo.drawn import Response
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.lean_gradio import gr
from vlm_boundary.demo.live import STARTING, STOPPED, LiveEngines, Question, _LiveEngine
from vlm_boundary.demo.live_tab import _Asking
from vlm_boundary.demo.view import View, settle
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.store import RunDirectory

needs("openai")
needs("gradio")


def _server(model: str, seconds: float = 0.0) -> AbstractContextManager[str]:
    """A server whose samples say its model's name and the seed they were asked for with."""

    def answer(body: dict[str, Any], j: int) -> str:
        if j == 0:
            time.sleep(seconds)
        return f"{model} says \\boxed{{{body['seed'] + j}}}"

    return scripted_server(Manners(answer, model=model))


def _run(folder: Path, base: dict[str, Any]) -> RunIndex:
    experiment = ExperimentConfig.model_validate(
        {
            "name": "live",
            "benchmarks": {"procedural": {"procedural": {"count": 2, "seed": 3}}},
            "arms": {
                "base": {"model": "one", "role": "base", "engine": base},
                "rl": {"model": "two", "role": "rl", "engine": base},
            },
            "sampling": {"n": 4, "max_tokens": 64},
        }
    )
    run = RunDirectory(folder / "live")
    prepare(run, experiment)
    return RunIndex(run.path)


def _asked(folder: Path) -> Question:
    problem = Problem("procedural", "live", "How many?", "4")
    return Question(problem, folder, n=3, temperature=1.0, max_tokens=32, seed=7)


def test_two_servers_side_by_side(tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(_server(name)) for name in ("one", "two")]
        run = _run(tmp_path, {"kind": "openai", "base_url": urls[0]})
        changed = (f'arms.rl.engine={{kind: openai, base_url: "{urls[1]}"}}',)
        engines = stack.enter_context(closing(LiveEngines({run.name: run}, changed)))
        for _ in range(2):  # the second time the engines are warm
            found: dict[int, dict[int, str]] = {0: {}, 1: {}}
            arms = ("base", "rl")
            told = set()
            for side, said in engines.sample(run.name, arms, "procedural", _asked(tmp_path)):
                if isinstance(said, Response):
                    found[side][said.sample_index] = said.text
                elif said:
                    told.add(said)
            assert told <= {STARTING, "sampling", "done"}
            assert found == {
                side: {i: f"{name} says \\boxed{{{7 + i}}}" for i in range(3)}
                for side, name in enumerate(("one", "two"))
            }


def test_an_engine_that_cannot_start_says_why_and_the_other_goes_on(tmp_path: Path) -> None:
    with _server("one") as url:
        run = _run(tmp_path, {"kind": "openai", "base_url": url})
        with closing(LiveEngines({run.name: run})) as engines:
            arms = ("base", "rl")  # rl asks for "two", which is not there
            heard = list(engines.sample(run.name, arms, "procedural", _asked(tmp_path)))
        assert sum(isinstance(said, Response) for side, said in heard if side == 0) == 3
        [error] = [said for side, said in heard if side == 1 and said != STARTING]
        assert "two" in str(error)


def test_stop_ends_what_is_under_way(tmp_path: Path) -> None:
    with _server("one", seconds=0.5) as url:
        run = _run(tmp_path, {"kind": "openai", "base_url": url})
        with closing(LiveEngines({run.name: run})) as engines:
            arms = ("base", "base")
            threading.Timer(3.0, engines.stop).start()
            start = time.monotonic()
            asked = Question(_asked(tmp_path).problem, tmp_path, 16, 1.0, 32, 0)
            for _ in engines.sample(run.name, arms, "procedural", asked):
                assert time.monotonic() - start < 60


def test_replayed_arms_are_refused_with_what_to_do(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"problem_id": "a", "text": "4"}\n')
    run = _run(tmp_path, {"kind": "replay", "path": str(samples)})
    with (
        closing(LiveEngines({run.name: run})) as engines,
        pytest.raises(UserError, match=r"arms\.base\.model="),
    ):
        list(engines.sample(run.name, ("base", "rl"), "procedural", _asked(tmp_path)))


VISITOR, OTHER = (cast(gr.Request, SimpleNamespace(session_hash=name)) for name in "ab")


class _Scripted:
    """Engines that say what a test tells them; the clock moves a second a message."""

    def __init__(self, said: list[tuple[int, Response | str]], folder: Path) -> None:
        self.said, self.folder, self.stopped, self.seconds = said, folder, False, 0.0

    def sample(self, *_: Any) -> Iterator[tuple[int, Response | str]]:
        for one in self.said:
            self.seconds += 1.0
            yield one

    def stop(self, asker: str) -> bool:
        self.stopped = asker == "a"
        return self.stopped


def _asking(tmp_path: Path, said: list[tuple[int, Response | str]]) -> tuple[_Asking, _Scripted]:
    run = RunIndex(make_demo_run(tmp_path / "run", problems=1, samples=2).path)
    engines = _Scripted(said, tmp_path)
    return _Asking({run.name: run}, cast(LiveEngines, engines)), engines


def test_the_start_says_what_is_waited_for_and_how_long_it_has_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick: tuple[int, Response | str] = (-1, "")
    answer = Response(0, 1, 3, "so \\boxed{4}", "stop", None)
    asking, engines = _asking(
        tmp_path, [(0, STARTING), (1, STARTING), *[tick] * 6, (0, answer), (0, "done"), (1, "done")]
    )
    monkeypatch.setattr(live_tab, "time", SimpleNamespace(monotonic=lambda: engines.seconds))
    view = View(run="run", left="base", right="rl", benchmark="made")
    shown = list(asking.sample(view, "", None, "How many?", "4", 1, 1.0, 64, 0, VISITOR))
    waits = [re.findall(r"so far", left + right) for left, right in shown[:-1]]
    assert waits == [["so far"] * 2] * len(waits)
    seconds = [int(re.findall(r"(\d+) s so far", left)[0]) for left, _ in shown[:-1]]
    assert seconds == sorted(set(seconds))
    assert len(seconds) >= 3
    assert STARTING in shown[0][0]
    assert "so far" not in shown[-1][0]
    assert "<b>1 of 1</b> right" in shown[-1][0]


def test_uploads_do_not_pile_up(tmp_path: Path) -> None:
    run = RunIndex(make_demo_run(tmp_path / "run", problems=1, samples=2).path)
    assert build({run.name: run}).delete_cache == (600, 3600)


def test_a_run_without_problems_is_not_asked(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    experiment = {"name": "run", "arms": {"base": {"model": "org/base", "role": "base"}}}
    run.write_manifest(Manifest(experiment=experiment))
    index = RunIndex(run.path)
    engines = _Scripted([(0, STARTING)], tmp_path)
    asking = _Asking({"run": index}, cast(LiveEngines, engines))
    view = settle(View(), {"run": index})
    [(left, right)] = asking.sample(view, "", None, "How many?", "4", 1, 1.0, 64, 0, VISITOR)
    assert "holds no problems yet" in left
    assert right == ""
    assert engines.seconds == 0


def test_stop_ends_the_engines_and_says_so(tmp_path: Path) -> None:
    asking, engines = _asking(tmp_path, [])
    left, right, _ = asking.stop(VISITOR)
    assert engines.stopped
    assert left == right
    assert "Stopped; the engines have ended." in left
    left, *_ = asking.stop(OTHER)
    assert "Stopped; the engines go on with another's question." in left


def test_nobody_stops_what_another_has_asked(tmp_path: Path) -> None:
    with _server("one", seconds=0.5) as url:
        run = _run(tmp_path, {"kind": "openai", "base_url": url})
        with closing(LiveEngines({run.name: run})) as engines:
            asked = Question(_asked(tmp_path).problem, tmp_path, 2, 1.0, 32, 0)
            drawn = engines.sample(run.name, ("base", "base"), "procedural", asked, "a")
            heard = [next(drawn)]
            assert not engines.stop("b")
            heard += drawn
            assert sum(isinstance(said, Response) for _, said in heard) == 4
            assert engines.stop("b")  # nobody is served now


@pytest.mark.parametrize("following", ["a", "b"])
def test_a_late_step_of_a_stopped_question_leaves_the_next_one_alone(
    tmp_path: Path, following: str
) -> None:
    with _server("one", seconds=0.5) as url:
        run = _run(tmp_path, {"kind": "openai", "base_url": url})
        with closing(LiveEngines({run.name: run})) as engines:
            asked = Question(_asked(tmp_path).problem, tmp_path, 2, 1.0, 32, 0)
            first, second = (
                engines.sample(run.name, ("base", "base"), "procedural", asked, one)
                for one in ("a", following)
            )
            assert next(first) == (0, STARTING)
            assert engines.stop("a")
            heard = [next(second)]
            assert list(first) == [(0, STOPPED), (1, STOPPED)]
            assert not engines.stop("c")  # it is still the second one's turn
            heard += second
            told = {said for _, said in heard if isinstance(said, str)}
            assert told <= {"", STARTING, "sampling", "done"}
            assert sum(isinstance(said, Response) for _, said in heard) == 4


def test_after_a_stop_a_question_begins_no_other_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _server("one") as url:
        run = _run(tmp_path, {"kind": "openai", "base_url": url})
        with closing(LiveEngines({run.name: run})) as engines:
            made: list[object] = []

            def counted(*_: Any) -> Any:
                made.append(engine := _LiveEngine(*_))
                return engine

            monkeypatch.setattr("vlm_boundary.demo.live._LiveEngine", counted)
            drawn = engines.sample(run.name, ("base", "rl"), "procedural", _asked(tmp_path))
            assert next(drawn) == (0, STARTING)
            assert engines.stop()
            assert list(drawn) == [(0, STOPPED), (1, STOPPED)]
            assert len(made) == 1


@pytest.mark.parametrize(
    "content", [b"", b"only words", b"<svg onload='x'/>", b"\x89PNG\r\n\x1a\nand no more"]
)
def test_a_file_that_is_no_picture_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    asking, _ = _asking(tmp_path, [])
    named = tmp_path / "named.png"
    named.write_bytes(content)
    kept, said = asking.look({"path": str(named)})
    assert kept is None
    assert "This file is not a picture that can be decoded" in said
    assert str(tmp_path) not in said
    Image.new("RGB", (3, 2)).save(named)
    assert asking.look({"path": str(named)})[1] == ""
    assert asking.look(None)[1] == ""

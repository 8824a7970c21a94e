"""What answers are begun with: the first wrong step of a wrong sample, chosen once and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vlm_boundary.benchmarks.procedural import ProceduralProblem, make_problem
from vlm_boundary.config import ExperimentConfig, build_experiment
from vlm_boundary.engines.base import Completion
from vlm_boundary.errors import UserError
from vlm_boundary.face.stages import draw
from vlm_boundary.fleet.session import Listener
from vlm_boundary.sampling.prefixes import first_wrong_step, read_prefixes
from vlm_boundary.sampling.work import Draw, Drawer
from vlm_boundary.store import Partition, RunDirectory


def false(flag: str, start: int, end: int, *, veto: bool = True) -> dict[str, Any]:
    return {"flag": flag, "start": start, "end": end, "veto": veto}


def test_the_first_false_statement_ends_it() -> None:
    text = "red 7, pink 5, 7 + 5 = 13 \\boxed{13}"
    span = (text.index("13}"), text.index("13}") + 2)
    later = false("wrong_step", 15, 25)
    assert first_wrong_step(text, span, [later, false("wrong_fact", 12, 13)], "facts") == (
        "red 7, pink 5,", "facts", "wrong_fact",
    )  # fmt: skip
    assert first_wrong_step(text, span, [later], "facts") == (
        "red 7, pink 5, 7 + 5 = 13", "facts", "wrong_step",
    )  # fmt: skip


def test_what_points_at_no_statement_or_is_a_hint_or_the_answer_itself_ends_nothing() -> None:
    text = "It is a square. So 4 times 3, which is 13. The answer is 13."
    span = (len(text) - 3, len(text) - 1)
    said = [
        false("underived", 0, 14),
        false("arithmetic_error", 19, 41, veto=False),
        false("contradiction", 43, len(text)),
    ]
    begun = "It is a square. So 4 times 3, which is 13."
    assert first_wrong_step(text, span, said, "check") == (begun, "before_answer", None)
    assert first_wrong_step("4 + 4 is 9, so 9", (15, 16), [], "check") == (
        "4 + 4 is 9,", "before_answer", None,
    )  # fmt: skip
    assert first_wrong_step("\\boxed{9}", (7, 8), [], "check") is None


def _problems() -> list[ProceduralProblem]:
    return [make_problem("bar_chart", split="test", seed=3, index=i) for i in range(40)]


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExperimentConfig:
    """Two arms of stored samples: of some problems one arm has wrong ones, of some both."""
    monkeypatch.chdir(tmp_path)
    drawn = {"count": 6, "seed": 3, "families": ["bar_chart"]}
    with (tmp_path / "a.jsonl").open("w") as a, (tmp_path / "b.jsonl").open("w") as b:
        for place, problem in enumerate(_problems()):
            for file, wrong in ((a, place % 3), (b, place % 2)):
                for index in range(4):
                    bad = index < wrong
                    text = _wrong(problem) if bad else f"\\boxed{{{problem.answer}}}"
                    row = {
                        "problem_id": problem.problem_id,
                        "text": text,
                        "sample_index": index,
                        "finish_reason": "stop",
                        "condition": "full",
                    }
                    file.write(json.dumps(row) + "\n")
                    file.write(json.dumps(row | {"condition": "wrong_prefix"}) + "\n")
    raw = {
        "name": "begun",
        "benchmarks": {"procedural": {"procedural": drawn}},
        "arms": {
            name: {
                "model": "m",
                "role": role,
                "engine": {"kind": "replay", "path": f"{file}.jsonl"},
            }
            for name, role, file in (("base", "base", "a"), ("rl", "rl", "b"))
        },
        "sampling": {"n": 4},
        "controls": {"wrong_prefix": {"n": 2}},
    }
    return build_experiment(raw, (), where="begun.yaml")


def _wrong(problem: ProceduralProblem) -> str:
    """A chain whose first statement is false of the picture."""
    name, value = next(iter(dict(problem.facts["bars"]).items()))  # type: ignore[call-overload]
    return f"{name} {value + 1}, 1 + 1 = 2 \\boxed{{77777}}"


def test_they_are_chosen_behind_full_and_kept(experiment: ExperimentConfig) -> None:
    run = RunDirectory(experiment.run_path)
    drawn = draw(run, experiment)
    chosen = read_prefixes(run, "procedural")
    ids = run.problem_ids("procedural")
    can = {p.problem_id for i, p in enumerate(_problems()) if i % 3 or i % 2} & set(ids)
    assert set(chosen) == can
    for one in chosen.values():
        (problem,) = (p for p in _problems() if p.problem_id == one.problem_id)
        assert one.text == _wrong(problem).split(",")[0] + ","
        assert (one.rule, one.flag) == ("facts", "wrong_fact")
    for arm in ("base", "rl"):
        rows = run.samples.read(Partition(arm, "procedural", "wrong_prefix"), ["problem_id"])
        assert sorted(rows["problem_id"].to_pylist()) == sorted([*can, *can])
    without = len(ids) - len(can)
    told = f"wrong_prefix on procedural: {without} of {len(ids)} problems are not asked"
    assert any(line.startswith(told) for line in drawn.told)
    failures = run.failures.read(Partition("rl", "procedural", "wrong_prefix"))
    assert {row["problem_id"] for row in failures} == set(ids) - can
    again = draw(run, experiment)
    assert again.samples == 0
    assert read_prefixes(run, "procedural") == chosen


def test_nothing_is_said_of_problems_that_were_not_looked_at(experiment: ExperimentConfig) -> None:
    run = RunDirectory(experiment.run_path)
    drawn = draw(run, experiment, limit=2)
    first = set(run.problem_ids("procedural")[:2])
    without = first - set(read_prefixes(run, "procedural"))
    assert {
        row["problem_id"]
        for row in run.failures.read(Partition("rl", "procedural", "wrong_prefix"))
    } == without
    said = [line for line in drawn.told if "are not asked" in line]
    assert [line.split(" problems")[0] for line in said] == [
        f"wrong_prefix on procedural: {len(without)} of 2" for _ in [0] if without
    ]


def test_samples_whose_beginning_is_gone_are_not_mixed(experiment: ExperimentConfig) -> None:
    run = RunDirectory(experiment.run_path)
    draw(run, experiment)
    for part in run.prefixes.root.rglob("part-*.parquet"):
        part.unlink()
    with pytest.raises(UserError, match="were begun with"):
        draw(run, experiment)


def test_where_a_beginning_is_not_seen_nothing_is_drawn_without(
    experiment: ExperimentConfig,
) -> None:
    run = RunDirectory(experiment.run_path)
    draw(run, experiment)
    where = Partition("rl", "procedural", "wrong_prefix")
    begun = next(iter(read_prefixes(run, "procedural")))
    unit = Draw(where, {begun: (range(2, 3),)})
    for part in run.prefixes.root.rglob("part-*.parquet"):
        part.unlink()
    drawer = Drawer(run, [unit])
    with pytest.raises(UserError, match="under wrong_prefix: no wrong sample"):
        drawer.do(unit, Asking(), Listener())  # type: ignore[arg-type]


class Asking:
    """An engine that asks what it is to draw, and draws nothing."""

    def generate(self, requests: Iterable[object], *_: Any) -> Iterator[Completion]:
        """Take every request."""
        for _request in requests:
            pass
        yield from ()


def test_shards_leave_them_for_the_end(experiment: ExperimentConfig) -> None:
    from vlm_boundary.store import Shard

    run = RunDirectory(experiment.run_path)
    halves = [draw(run, experiment, shard=Shard(index, 2)) for index in range(2)]
    assert all("wrong_prefix waits" in "".join(half.told) for half in halves)
    assert not any("are not asked" in line for half in halves for line in half.told)
    assert not read_prefixes(run, "procedural")
    assert draw(run, experiment).samples > 0
    assert read_prefixes(run, "procedural")

"""Sampling on a real Ray cluster of two machines (two raylets), with simulated engines."""

from __future__ import annotations

import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import simulated_engine
from conftest import make_run
from required import needs
from simulated_engine import Opener

from vlm_boundary import __version__
from vlm_boundary.benchmarks import load_benchmark
from vlm_boundary.config import ExperimentConfig, RayConfig
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import EngineDied
from vlm_boundary.reasoning.stage import check
from vlm_boundary.sampling import problem_seed
from vlm_boundary.sampling.plan import plan_task
from vlm_boundary.sampling.work import Draw
from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import verify

ray = needs("ray")

from ray.cluster_utils import Cluster

from vlm_boundary.cluster import draw_models
from vlm_boundary.cluster.actor import GROUPS, ClusterEngine
from vlm_boundary.cluster.connect import ClusterShares, _refuse_silence
from vlm_boundary.cluster.pieces import pieces_of
from vlm_boundary.cluster.pool import Pool
from vlm_boundary.cluster.stage import _models

PROBLEMS = ("p1", "p2", "p3")
NEEDS: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 << 20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without room for engines, and a machine with room for one."""
    made = Cluster(initialize_head=True, head_node_args={**NEEDS, "num_cpus": 0})
    made.add_node(**NEEDS, resources={"engine": 1})
    ray.init(address=made.address, log_to_driver=False)
    # Engines' processes do not find the tests' modules.
    ray.cloudpickle.register_pickle_by_value(simulated_engine)
    yield made
    ray.shutdown()
    made.shutdown()  # type: ignore[no-untyped-call]


class Sampled:
    """A run of two arms to be drawn on the cluster."""

    def __init__(
        self,
        path: Path,
        *,
        model: str = "org/rl",
        rule: StoppingRule | None = None,
        **ray_settings: Any,
    ) -> None:
        self.rule = rule
        made = make_run(path)
        self.run = RunDirectory(path)
        for part in self.run.samples.root.rglob("*.parquet"):
            part.unlink()
        settings = {"gpus_per_engine": 0, "resources": {"engine": 1}} | ray_settings
        raw = made.experiment.model_dump(mode="json") | {"ray": settings, "sampling": {"n": 24}}
        raw["arms"]["rl"]["model"] = model
        self.experiment = ExperimentConfig.model_validate(raw)
        manifest = self.run.read_manifest()
        config = load_benchmark("procedural").model_dump(mode="json") | {"name": "mine"}
        manifest.benchmarks["mine"].config.update(config)
        self.run.write_manifest(manifest.model_copy(update={"experiment": raw}))

    def wanted(self) -> list[list[Draw]]:
        problems = [p for p in self.run.read_problems("mine") if not p.error]
        found = []
        for arm in self.experiment.arms:
            task = plan_task(self.run, Partition(arm, "mine"), 24, problems, self.rule)
            unit = Draw(task.partition, task.spans_by_problem(), self.rule)
            parts = (unit,) if self.rule else (unit.within(0, 8), unit.within(8, 24))
            found.append([one for one in parts if one.spans])
        return found

    def draw(self, opener: Opener) -> None:
        draw_models(self.run, self.experiment, self.wanted(), opener)

    def texts(self, arm: str) -> dict[tuple[str, int], str]:
        rows = self.run.samples.read(Partition(arm, "mine"), ["text"]).to_pylist()
        keys = Counter((row["problem_id"], row["sample_index"]) for row in rows)
        assert set(keys.values()) <= {1}
        return {(row["problem_id"], row["sample_index"]): row["text"] for row in rows}

    def stored(self) -> int:
        return sum(
            rows.num_rows
            for partition in self.run.samples.partitions()
            for rows in self.run.samples.batches(partition, ["sample_index"])
        )


def expected(arm: str, *, without: str | None = None) -> dict[tuple[str, int], str]:
    found = {}
    for problem_id in PROBLEMS:
        seed = problem_seed(0, arm, "mine", "full", problem_id)
        for index in range(24 if problem_id != without else 0):
            found[problem_id, index] = f"{problem_id} by {seed + index} " + (
                f"\\boxed{{{(seed + index) % 10}}}"
            )
    return found


@pytest.fixture
def sampled(tmp_path: Path, cluster: Cluster) -> Callable[..., Sampled]:
    return lambda **settings: Sampled(tmp_path / "run", **settings)


def test_both_models_are_drawn_as_one_process_would(sampled: Callable[..., Sampled]) -> None:
    one = sampled()
    one.draw(Opener())
    assert {arm: one.texts(arm) for arm in ("base", "rl")} == {
        arm: expected(arm) for arm in ("base", "rl")
    }
    assert one.stored() == 2 * 3 * 24  # nothing drawn twice
    assert len(one.run.writers()) == 2
    one.draw(Opener())
    assert len(one.run.writers()) == 2  # nothing was missing, no engine started


def test_verdicts_and_checks_are_those_of_one_process(
    sampled: Callable[..., Sampled], cluster: Cluster, tmp_path: Path
) -> None:
    one = sampled()
    made = make_run(tmp_path / "alone")
    shared = RunDirectory(tmp_path / "shared")
    shutil.copytree(made.directory.path, shared.path)
    config = one.experiment.ray
    assert config is not None
    grade = ClusterShares(config, "verifying")
    assert verify(shared, elsewhere=grade, samples_a_share=4) == verify(made.directory) > 0
    assert verify(shared, elsewhere=grade, samples_a_share=4) == 0
    checked = check(shared, elsewhere=ClusterShares(config, "checking"), samples_a_share=4)
    assert checked == check(made.directory)
    for name in ("verdicts", "validity"):
        written = [
            {p.relative_to(run.path): p.read_bytes() for p in (run.path / name).rglob("*.parquet")}
            for run in (shared, made.directory)
        ]
        assert written[0] == written[1] != {}


def test_machines_without_a_common_file_system(
    sampled: Callable[..., Sampled], tmp_path: Path
) -> None:
    one = sampled(storage=(tmp_path / "bucket").as_uri())
    one.draw(Opener())
    assert one.texts("rl") == expected("rl")
    assert len(one.run.writers()) == 2


def test_problems_end_by_a_rule_and_engines_go_on_with_the_others(
    sampled: Callable[..., Sampled],
) -> None:
    rule = StoppingRule((4, 8, 24), 1)
    one = sampled(rule=rule)
    one.draw(Opener())
    golds = {problem.problem_id: problem.answer for problem in one.run.read_problems("mine")}
    for arm in ("base", "rl"):
        wanted: dict[tuple[str, int], str] = {}
        for problem_id in PROBLEMS:
            whole = {key: text for key, text in expected(arm).items() if key[0] == problem_id}
            said = {key[1]: f"{{{golds[problem_id]}}}" in text for key, text in whole.items()}
            end = rule.standing_of(said).look
            wanted |= {key: text for key, text in whole.items() if key[1] < end}
        assert one.texts(arm) == wanted
    one.draw(Opener())
    assert len(one.run.writers()) == 2  # all have ended, and no engine started


def test_a_rule_without_a_common_file_system_is_refused(
    sampled: Callable[..., Sampled], tmp_path: Path
) -> None:
    one = sampled(rule=StoppingRule((4, 24), 1), storage=(tmp_path / "bucket").as_uri())
    with pytest.raises(UserError, match=r"drop ray\.storage, or the rule"):
        one.draw(Opener())


def test_a_poisoned_problem_is_found_and_recorded(
    sampled: Callable[..., Sampled], tmp_path: Path
) -> None:
    (notes := tmp_path / "notes").mkdir()
    one = sampled(max_crashes=2)
    one.draw(Opener(poison="p2", notes=notes))
    assert one.texts("base") == expected("base", without="p2")
    assert one.texts("rl") == expected("rl", without="p2")
    for arm in ("base", "rl"):
        (failure,) = one.run.failures.read(Partition(arm, "mine"))
        assert failure["problem_id"] == "p2"
        assert "ended its engine 2 times" in failure["reason"]
    # For each arm: one that it took down with others, one alone, and one for the rest.
    assert len(list(notes.iterdir())) <= 6


def test_a_model_that_cannot_be_had_does_not_stop_the_other(
    sampled: Callable[..., Sampled],
) -> None:
    one = sampled(model="refused")
    with pytest.raises(UserError, match=r"^refused: there is no such checkpoint$"):
        one.draw(Opener())
    assert one.texts("base") == expected("base")


def test_engines_that_end_at_their_start_are_given_up(sampled: Callable[..., Sampled]) -> None:
    one = sampled()
    # Three whose processes answered, and at most nine that on a busy machine were gone before.
    with pytest.raises(EngineDied, match=r"^([3-9]|1[0-2]) engines of (base|rl) in a row"):
        one.draw(Opener(dies=True))


def test_a_machine_that_goes_costs_what_it_had_in_flight(
    sampled: Callable[..., Sampled], cluster: Cluster
) -> None:
    one = sampled(samples_per_engine=24)
    node = cluster.add_node(**NEEDS, resources={"engine": 1})

    def fail() -> None:
        while not one.stored():
            time.sleep(0.1)
        cluster.remove_node(node, allow_graceful=False)

    thread = Thread(target=fail, daemon=True)
    thread.start()
    one.draw(Opener(sequences=2, mean_seconds=0.5))
    thread.join()
    assert one.texts("base") == expected("base")
    assert one.texts("rl") == expected("rl")


def test_a_stop_that_is_swallowed_is_looked_for_at_the_next_step(
    sampled: Callable[..., Sampled],
) -> None:
    one = sampled()
    models = _models(one.experiment, one.experiment.ray or RayConfig(), one.wanted(), set())
    steps = []

    def swallow() -> None:
        steps.append(one.stored())
        if len(steps) == 1:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)

    pool = Pool(one.run, models, one.experiment, lambda pieces: pieces, Opener())
    with pytest.raises(KeyboardInterrupt):
        pool.draw(swallow)
    assert steps == [0]


def test_an_engine_that_swallows_a_stop_ends_at_its_next_step(
    sampled: Callable[..., Sampled],
) -> None:
    one = sampled()
    units = one.wanted()[0]
    engine = ray.remote(concurrency_groups=GROUPS, num_cpus=1)(ClusterEngine).remote(
        one.run.path, None, __version__, Opener(sequences=2, mean_seconds=0.2, swallows=True)
    )
    ray.get(engine.open.remote(units))
    ray.get(engine.give.remote(dict(enumerate(pieces_of(units)))))
    drawing = engine.draw.remote()
    while not ray.get(engine.heard.remote()).begun:
        time.sleep(0.05)
    ray.get(engine.stop.remote())
    ray.get(drawing, timeout=60)
    ray.get(engine.close.remote())
    ray.kill(engine)
    assert one.stored() < 3 * 24
    assert len(one.run.writers()) == 1


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999"])
def test_an_address_where_nothing_is_gets_one_line_soon(address: str) -> None:
    with pytest.raises(UserError, match=r"nothing answers there .*'ray start --head'"):
        _refuse_silence(address)

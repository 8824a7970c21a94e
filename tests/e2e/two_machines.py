"""A Ray cluster of two machines (raylets), real engines, and one machine killed in the middle.

    python tests/e2e/two_machines.py [--samples 256]

Both models of the embedded pair are sampled as one job by two actors with vLLM on the CPU, in
float32; a machine is killed when the run holds samples of both, and a fresh one joins. The table
must hold every key once, with the texts of a run by one process. Exits with 1 where it does not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from vlm_boundary.store import Partition, RunDirectory

ARMS = ("base", "rl")


def main() -> int:
    """Sample both ways and compare; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=256, help="of each problem")
    parser.add_argument("--problems", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pair.yaml").write_text(json.dumps(_experiment(options)))
        run = RunDirectory(folder / "runs" / "pair")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        machine: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 << 20}
        doomed, _ = cluster.add_node(**machine), cluster.add_node(**machine)
        with ThreadPoolExecutor(1) as aside:  # Ray adds a machine from the main thread alone
            drawn = aside.submit(_sample, folder, "pair.yaml", "--ray", str(cluster.address))
            while not (drawn.done() or all(_texts(run, arm) for arm in ARMS)):  # both are drawing
                time.sleep(0.2)
            stored = sum(len(_texts(run, arm)) for arm in ARMS)
            cluster.remove_node(doomed, allow_graceful=False)
            cluster.add_node(**machine)
            drawn.result()
        cluster.shutdown()  # type: ignore[no-untyped-call]
        _sample(folder, "pair.yaml", "-o", "run_dir=runs/alone", "-o", "parallel_engines=2")
        alone = RunDirectory(folder / "runs" / "alone")
        print(f"a machine was killed when {stored:,} samples were stored")
        print(f"engines that ended in good order: {len(run.writers())}")
        return max([_compare(run, alone, arm) for arm in ARMS])


def _experiment(options: argparse.Namespace) -> dict[str, object]:
    return {
        "name": "pair",
        # Choices are not put to the model: what is compared is not what it says.
        "benchmarks": {
            "procedural": {
                "procedural": {"count": options.problems},
                "filters": [],
                "options": {"shown": "question"},
            }
        },
        "arms": {arm: {"model": f"tiny:{arm}", "role": arm} for arm in ARMS},
        "sampling": {"n": options.samples, "max_tokens": 64},
        "engine": {"args": {"max_model_len": 512, "dtype": "float32"}},
        "ray": None,
    }


def _sample(folder: Path, experiment: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "vlm_boundary", "sample", experiment, *arguments]
    if "--ray" in arguments:
        command += ["-o", "ray.gpus_per_engine=0", "-o", "ray.samples_per_engine=256"]
    subprocess.run(command, cwd=folder, check=True)


def _texts(run: RunDirectory, arm: str) -> list[tuple[tuple[str, int], str]]:
    rows = run.samples.read(Partition(arm, "procedural"), ["problem_id", "sample_index", "text"])
    return [((r["problem_id"], r["sample_index"]), r["text"]) for r in rows.to_pylist()]


def _compare(run: RunDirectory, alone: RunDirectory, arm: str) -> int:
    found, expected = _texts(run, arm), _texts(alone, arm)
    twice = sum(count > 1 for count in Counter(key for key, _ in found).values())
    texts = dict(found)
    missing = sum(key not in texts for key, _ in expected)
    other = sum(texts.get(key, text) != text for key, text in expected)
    print(
        f"{arm}: {len(found):,} samples, {len(expected):,} expected; {twice} twice, {missing} "
        f"missing, {other} with another text"
    )
    return int(bool(twice or missing or other))


if __name__ == "__main__":
    sys.exit(main())

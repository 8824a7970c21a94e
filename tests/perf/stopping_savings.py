"""What a stopping rule saves on the embedded pair: one run of a fixed n, one by the rule.

    python tests/perf/stopping_savings.py

Both are drawn by `vlm-boundary run` with the real engine in float32, on the embedded benchmark's
held-out problems. Prints whether every sample of the stopped run is the fixed run's to the letter,
what was saved in samples, tokens and time, and how wide the intervals are against the fixed run's,
averaged over k.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from vlm_boundary.records.analysis import Analysis
from vlm_boundary.records.record import Interval
from vlm_boundary.store import Partition, RunDirectory

ARMS, BENCHMARK = ("base", "rl"), "procedural"


def main() -> None:
    """Draw both ways and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--after", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--right", type=int, default=4)
    options = parser.parse_args()
    rule = {"after": options.after, "right": options.right}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = {}
        for way, stop in (("fixed", None), ("stopped", rule)):
            began = time.monotonic()
            _run(folder, way, options, stop)
            seconds[way] = time.monotonic() - began
            print(f"{way}: {seconds[way]:.0f} s with starts, grading and analysis", flush=True)
        print(f"time of the whole command saved: {1 - seconds['stopped'] / seconds['fixed']:.0%}")
        for arm in ARMS:
            _compare(folder, arm)
        fixed, stopped = (_analysis(folder, way) for way in ("fixed", "stopped"))
        for arm in ARMS:
            curves = (one.benchmarks[BENCHMARK].arms[arm].pass_at_k for one in (stopped, fixed))
            print(f"{arm}: width of the curve's interval {_widths(*curves)}")
        pairs = (one.benchmarks[BENCHMARK].pairs[0].difference for one in (stopped, fixed))
        print(f"width of the difference's interval {_widths(*pairs)}")


def _run(folder: Path, way: str, options: argparse.Namespace, stop: dict[str, Any] | None) -> None:
    content = {
        "name": way,
        "benchmarks": {BENCHMARK: None},
        "arms": {arm: {"model": f"tiny:{arm}", "role": arm} for arm in ARMS},
        "sampling": {
            "n": options.n,
            "stop": stop,
            "temperature": 0.6,
            "top_p": 0.95,
            "max_tokens": 96,
        },
        "engine": {"args": {"max_model_len": 1024, "max_num_seqs": 512, "dtype": "float32"}},
        "waves": [],
    }
    (folder / f"{way}.yaml").write_text(json.dumps(content))
    command = [sys.executable, "-m", "vlm_boundary", "run", f"{way}.yaml"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _compare(folder: Path, arm: str) -> None:
    found = []
    for way in ("fixed", "stopped"):
        run = RunDirectory(folder / "runs" / way)
        rows = run.samples.read(Partition(arm, BENCHMARK), ["token_ids"]).to_pylist()
        found.append({(r["problem_id"], r["sample_index"]): r["token_ids"] for r in rows})
    fixed, stopped = found
    same = sum(fixed[key] == ids for key, ids in stopped.items())
    tokens = [sum(map(len, one.values())) for one in (stopped, fixed)]
    saved, of_tokens = 1 - len(stopped) / len(fixed), 1 - tokens[0] / tokens[1]
    print(
        f"{arm}: {len(stopped):,} of {len(fixed):,} samples drawn, {saved:.0%} saved, "
        f"{of_tokens:.0%} of the tokens; {same:,} of them are the fixed run's to the letter"
    )


def _analysis(folder: Path, way: str) -> Analysis:
    return Analysis.model_validate_json((folder / "runs" / way / "analysis.json").read_text())


def _widths(stopped: dict[int, Any], fixed: dict[int, Any]) -> str:
    ratios = [_width(stopped[k]) / _width(fixed[k]) for k in fixed if _width(fixed[k])]
    return f"{mean(ratios):.3f} of the fixed n's on average over k ({ratios[0]:.3f} at k = 1)"


def _width(interval: Interval) -> float:
    assert interval.low is not None
    assert interval.high is not None
    return interval.high - interval.low


if __name__ == "__main__":
    main()

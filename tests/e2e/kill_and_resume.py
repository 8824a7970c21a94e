"""Kill a run at random moments, resume it each time, and compare it with one that was left alone.

    python tests/e2e/kill_and_resume.py --kills 10
    python tests/e2e/kill_and_resume.py --kills 10 --stop

Samples the embedded base in float32 with the real engine. Each time every process of the command
is killed at once (SIGKILL), at a moment drawn at random from the start to a fifth of what the
undisturbed run drew, so that about ten kills find something left to do. Prints what each kill left
behind, and in the end whether every sample is there once with the text it has in the undisturbed
run. With --stop problems end by a rule, and the undisturbed run draws all n: what the rule asks for
is then read from its verdicts, and moments are drawn from what drawing that takes. It fails where
no kill came in time.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.runs import command, experiment, keys, texts, under_rule

from vlm_boundary.stopping import StoppingRule
from vlm_boundary.store import RunDirectory


def main() -> int:
    """Run the trial; returns 0 when nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--n", type=int, default=2048, help="samples per problem, of 7 problems")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--stop", action="store_true", help="end problems by a rule")
    options = parser.parse_args()
    rule = StoppingRule((32, 128, 512, options.n), 4) if options.stop else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment(folder, "undisturbed", model="tiny:base", max_tokens=64)
        experiment(folder, "killed", model="tiny:base", max_tokens=64, rule=rule)
        started = time.monotonic()
        done = _sample(folder, "undisturbed", options.n)
        if done.wait() != 0:
            return 1
        seconds = time.monotonic() - started
        print(f"undisturbed: {seconds:.1f} s", flush=True)
        undisturbed = RunDirectory(folder / "runs" / "undisturbed")
        expected = drawn = texts(undisturbed, "base")
        if rule:
            expected = under_rule(undisturbed, drawn, rule)
            print(
                f"{1 - len(expected) / len(drawn):.0%} of {len(drawn)} samples spared by the rule"
            )
        (writer,) = undisturbed.writers()
        drawing = json.loads(writer.read_text())["work"]["draw_seconds"]
        latest = seconds - drawing + 0.2 * drawing * len(expected) / len(drawn)
        moments = Random(options.seed)
        run = RunDirectory(folder / "runs" / "killed")
        in_time = [
            _kill(kill, run, _sample(folder, "killed", options.n), moments.uniform(0.0, latest))
            for kill in range(1, options.kills + 1)
        ]
        if not any(in_time) or _sample(folder, "killed", options.n).wait() != 0:
            return 1
        return _compare(expected, run)


def _sample(folder: Path, name: str, n: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("sample", f"{name}.yaml", "--n", str(n)),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(kill: int, run: RunDirectory, process: subprocess.Popen[bytes], after: float) -> bool:
    """Whether it came in time."""
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        pass
    else:
        print(f"kill {kill}: too late, the run was complete", flush=True)
        return False
    main = psutil.Process(process.pid)
    family = [main, *main.children(recursive=True)]
    now = time.time()
    for member in family:
        member.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(family, timeout=30)
    parts = list((run.path / "samples").rglob("part-*.parquet"))
    age = f"{now - max(p.stat().st_mtime for p in parts):.1f} s" if parts else "none"
    stored = len(keys(run, "base"))
    print(
        f"kill {kill} after {after:.1f} s: {len(family)} processes, {stored} samples stored, "
        f"newest part {age} old",
        flush=True,
    )
    return True


def _compare(expected: Mapping[tuple[str, int], str], killed: RunDirectory) -> int:
    counts, found = keys(killed, "base"), texts(killed, "base")
    differing = [key for key in expected if expected[key] != found.get(key)]
    twice = [key for key, count in counts.items() if count != 1]
    print(
        f"{len(expected)} samples expected, {len(found)} found, {len(twice)} more than once, "
        f"{len(differing)} with another text"
    )
    return int(bool(differing or twice or len(found) != len(expected)))


if __name__ == "__main__":
    sys.exit(main())

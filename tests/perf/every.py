"""Every script of this folder with small sizes, one after the other: `make perf`.

    python tests/perf/every.py [--list] [--without-engine]

Small sizes say that a script works and roughly where it stands; the documents' tables are of the
sizes that they name. Scripts that read a run take the quickstart's, and are left out where there is
none. Prints what each said, its seconds, and at the end which failed; exit code 1 if any did.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RUN = Path("runs/quickstart")


@dataclass(frozen=True)
class Script:
    """A script with options that make it small, and what it starts or reads."""

    name: str
    options: str
    engine: bool = False
    reads_run: bool = False


SCRIPTS = (
    Script("analysis_speed.py", "--problems 50 --samples 64"),
    Script("benchmark_memory.py", "--few 20 --many 100 --source parquet"),
    Script("bundle_opening.py", "--samples 6000 --characters 200 --repeat 1"),
    Script("cluster_simulation.py", "--engines 2 --samples 2000 --problems 50 --seconds 0.1"),
    Script("demo_opening.py", "--samples 6000 --characters 200 --parts 30 --repeat 1"),
    Script("extrapolation_backtest.py", "--repetitions 20 --intervals 2"),
    Script("false_positives.py", "--count 2000"),
    Script("first_false.py", "--problems 5"),
    Script("grading_speed.py", "--problems 2 --samples 32 --theirs 50"),
    Script("one_process.py", "--arms 2 --n 2 --problems 2 --repetitions 1", engine=True),
    Script("reasoning_speed.py", str(RUN), reads_run=True),
    Script("reasoning_truth.py", f"{RUN} --arm base --arm rl --written 20", reads_run=True),
    Script("sampling.py", "--problems 4 --n 4 --repetitions 1", engine=True),
    Script("stages.py", "-o sampling.n=4 -o sampling.stop=null", engine=True),
    Script("start_checks.py", "--problems 20 --samples 20 --runs 1"),
    Script("stopping_savings.py", "--n 16 --after 4 8 --right 2", engine=True),
    Script("stopping_utilisation.py", "--problems 24 --sequences 64"),
    Script("ten_million.py", "--problems 10 --samples 100 --draws 100"),
)


def main() -> None:
    """Run them, or list them with their options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="only say what would be run")
    parser.add_argument("--without-engine", action="store_true", help="leave out what starts vLLM")
    options = parser.parse_args()
    failed = []
    for script in SCRIPTS:
        typed = f"tests/perf/{script.name} {script.options}"
        if script.engine and options.without_engine:
            print(f"left out: {typed} (it starts an engine)")
        elif script.reads_run and not RUN.is_dir():
            print(f"left out: {typed} (there is no {RUN}; make quickstart)")
        elif options.list:
            print(f"python {typed}")
        elif not _ran(script, typed):
            failed.append(script.name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _ran(script: Script, typed: str) -> bool:
    print(f"\n== python {typed}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, HERE / script.name, *script.options.split()])
    print(f"== {time.monotonic() - began:.0f} s, exit code {done.returncode}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()

"""How many samples a second the deterministic reasoning checks take, on one core.

    python tests/perf/reasoning_speed.py [RUN …] [--outputs FILE.jsonl …] [--stages]

RUN is a run directory whose samples are verified; FILE has the fields output and answer. Times are
processor time of one process, each text checked anew, and each distinct text checked once, as the
`check` stage does. With --stages both whole stages, `verify` and `check`, work anew on a copy of
each RUN, and the ratio of their processor times is printed, reading and writing and the layer of
exact truth included. The last table grows one text and prints the time a character takes, which
stays the same where the work is linear in the text's length.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from grading_speed import forget, processor_seconds

from vlm_boundary.reasoning import Chain, check_arithmetic, check_structure
from vlm_boundary.reasoning.stage import chains_of, check
from vlm_boundary.reasoning.text.equations import forget as forget_equations
from vlm_boundary.store import RunDirectory
from vlm_boundary.verifier import Gold, Grader, Output
from vlm_boundary.verifier.stage import verify

STEP = "Row {i} has {i} squares, so 3 + {i} = {total} and AB = {i}. "


def stored_chains(run: RunDirectory) -> list[Chain]:
    """Every verified sample of a run."""
    return [
        chain
        for partition in run.samples.partitions()
        for chains in chains_of(run, partition)
        for chain in chains.chains
    ]


def file_chains(paths: Sequence[Path]) -> list[Chain]:
    """The outputs of files, graded."""
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    outputs = [
        Output(r["output"] or "", Gold(r["answer"], question=r.get("question") or "")) for r in rows
    ]
    with Grader() as grader:
        verdicts = grader.grade(outputs)
    return [
        Chain(o.text, v_row.get("question") or "", None, v.correct, v.extracted, v.span, v.source)
        for o, v_row, v in zip(outputs, rows, verdicts, strict=True)
    ]


def seconds(check: Callable[[Chain], object], chains: Sequence[Chain]) -> float:
    """Processor time for all of them."""
    start = time.process_time()
    for chain in chains:
        check(chain)
    return time.process_time() - start


def both(chain: Chain) -> None:
    """Layers 1 and 2, with nothing known of the text."""
    forget_equations()
    chain = replace(chain)
    check_structure(chain)
    check_arithmetic(chain)


def report(name: str, chains: list[Chain]) -> None:
    """One line a set of outputs."""
    seconds(both, chains[:200])
    distinct = list(dict.fromkeys(chains))
    each = seconds(both, chains)
    once = seconds(both, distinct)
    length = sum(len(chain.text) for chain in chains) / len(chains)
    print(
        f"{name:24} {len(chains):8,} {length:9.0f} {len(chains) / each:12,.0f} "
        f"{len(distinct):9,} {len(chains) / once:14,.0f}"
    )


def stages(path: Path) -> None:
    """The processor time of both stages on all samples of a run, on a copy of it."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory(shutil.copytree(path, Path(folder, path.name)))
        verify(run)  # what is loaded and started once is not timed
        check(run)
        forget()
        forget_equations()
        verifying = processor_seconds(lambda: verify(run, force=True))
        checking = processor_seconds(lambda: check(run, force=True))
    print(
        f"{path.name}: verify {verifying:.2f} s, check {checking:.2f} s of processors, "
        f"{checking / verifying:.2f} times as long"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--outputs", nargs="*", type=Path, default=[])
    parser.add_argument("--stages", action="store_true", help="time verify and check on each RUN")
    options = parser.parse_args()
    print("samples                     count  mean len   each anew/s  distinct   distinct once/s")
    for path in options.runs:
        report(path.name, stored_chains(RunDirectory(path)))
    if options.outputs:
        report("files", file_chains(options.outputs))
    for path in options.runs if options.stages else ():
        stages(path)
    print("\ncharacters  microseconds a character")
    for steps in (10, 100, 1000, 10_000):
        text = "".join(STEP.format(i=i, total=i + 3) for i in range(1, steps + 1))
        text += "\\boxed{7}"
        chain = Chain(text, "", "stop", True, "7", (len(text) - 2, len(text) - 1), "box")
        print(f"{len(text):10,} {1e6 * seconds(both, [chain]) / len(text):10.2f}")


if __name__ == "__main__":
    main()

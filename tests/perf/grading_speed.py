"""Grading speed beside math-verify's own, on the same outputs in one run.

Run from the repository root:

    python tests/perf/grading_speed.py [--outputs FILE.jsonl …] [--problems 20] [--samples 256]
    python tests/perf/grading_speed.py --command [--rounds 3] [--outputs FILE.jsonl …]

The first times the grader alone, in one process and in processor time, so that the ratio holds on a
busy machine; what our symbolic pool's processes take is added to ours. The second times what a user
waits for, by the clock and with all that is started: `vlm-boundary grade FILE` against a loop
over the same file that parses and verifies with math-verify, each in a fresh process, by turns.

Without files, the outputs are 256 responses a problem in the embedded models' training mixture.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from vlm_boundary.benchmarks.procedural import problems
from vlm_boundary.tiny.mixture import BROAD, guesses, response
from vlm_boundary.verifier import (
    Gold,
    Grader,
    Output,
    Verdict,
    compare,
    numerals,
    reader,
    text_answers,
)


def drawn_outputs(problem_count: int, samples: int) -> list[Output]:
    """Responses of the training mixture, `samples` a problem."""
    rng = Random(1)
    drawn = [p for p in problems(split="train", seed=3, count=4 * problem_count) if not p.choices]
    likely = guesses(drawn)
    return [
        Output(
            response(rng, problem, BROAD, likely),
            Gold(problem.answer, problem.answer_type, problem.unit, problem.precision),
            "stop",
        )
        for problem in drawn[:problem_count]
        for _ in range(samples)
    ]


def stored_outputs(paths: list[Path]) -> list[Output]:
    """Outputs of files with the fields output and answer, as `vlm-boundary grade` takes them."""
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [
        Output(
            row["output"],
            Gold(
                str(row["answer"]),
                row.get("answer_type"),
                row.get("unit"),
                None if row.get("precision") is None else int(row["precision"]),
                question=row.get("question") or "",
            ),
        )
        for row in rows
    ]


def forget() -> None:
    """Empty every cache below the grader's own."""
    compare.target_of.cache_clear()
    reader._read.cache_clear()
    numerals.literal.cache_clear()
    text_answers.normal_text.cache_clear()


THEIRS = """
import json, logging, sys
from math_verify import parse, verify
logging.getLogger("math_verify").setLevel(logging.CRITICAL)
golds = {}
with open(sys.argv[1]) as lines, open(sys.argv[2], "w") as file:
    for row in map(json.loads, lines):
        gold = str(row["answer"])
        if gold not in golds:
            golds[gold] = parse("\\\\boxed{" + gold + "}")
        row["correct"] = verify(golds[gold], parse(row["output"]))
        file.write(json.dumps(row) + "\\n")
"""


def measure_command(outputs: list[Output], rounds: int) -> None:
    """Print seconds by the clock and of processors, medians over rounds, and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps(_row(output)) + "\n" for output in outputs))
        commands = {
            "vlm-boundary grade": ["-m", "vlm_boundary", "grade", source, "--output", target],
            "math-verify": ["-c", THEIRS, source, target],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, arguments in commands.items():
                command = [sys.executable, *map(str, arguments)]
                start = time.perf_counter()
                processor = processor_seconds(
                    partial(subprocess.run, command, check=True, capture_output=True)
                )
                taken[name].append((time.perf_counter() - start, processor))
    print(
        f"{len(outputs):,} outputs, {len({o.text for o in outputs}):,} different; {rounds} rounds"
    )
    medians = {
        name: tuple(map(statistics.median, zip(*t, strict=True))) for name, t in taken.items()
    }
    for name, (wall, processor) in medians.items():
        every = ", ".join(f"{wall:.2f}" for wall, _ in taken[name])
        print(f"{name:20} {wall:8.2f} s by the clock ({every}), {processor:8.2f} s of processors")
    (ours, our_work), (theirs, their_work) = medians.values()
    print(f"ratio: {theirs / ours:.1f} by the clock, {their_work / our_work:.1f} of processors")


def _row(output: Output) -> dict[str, object]:
    gold = output.target()
    return {
        "output": output.text,
        "answer": gold.answer,
        "answer_type": gold.answer_type,
        "unit": gold.unit,
        "precision": gold.precision,
        "question": gold.question,
    }


def processor_seconds(work: Callable[[], object]) -> float:
    """Seconds of this process and of the children that ended meanwhile."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.process_time()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return time.process_time() - start + spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outputs", type=Path, nargs="+")
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--theirs", type=int, default=1000, help="outputs that math-verify grades")
    parser.add_argument("--command", action="store_true", help="time the command, by the clock")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    outputs = (
        stored_outputs(options.outputs)
        if options.outputs
        else drawn_outputs(options.problems, options.samples)
    )
    if options.command:
        measure_command(outputs, options.rounds)
        return
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    some = outputs[:: max(1, len(outputs) // options.theirs)]
    golds = {o.target().answer: parse(f"\\boxed{{{o.target().answer}}}") for o in some}

    def theirs() -> None:
        for output in some:
            verify(golds[output.target().answer], parse(output.text))

    their_rate = len(some) / processor_seconds(theirs)
    print(f"{len(outputs):,} outputs, {len({o.text for o in outputs}):,} different")
    print(f"{'math-verify, gold parsed once':32} {their_rate:10,.0f} /s")
    found: dict[str, list[Verdict]] = {}

    def measure(name: str, grader: Grader) -> None:
        def ours() -> None:
            found[name] = grader.grade(outputs)

        rate = len(outputs) / processor_seconds(ours)
        print(f"{'ours, ' + name:32} {rate:10,.0f} /s {rate / their_rate:8.1f} times")

    def start_pool() -> None:
        with Grader(workers=1) as grader:
            output = Output(r"\boxed{\sin(x)+\sin(y)}", r"\sin(y)+\sin(x)")
            (verdict,) = grader.grade([output])
        assert verdict.rule == "math_verify", "this output no longer needs the pool"

    start = processor_seconds(start_pool)
    print(f"starting the symbolic pool takes {start:.1f} s, once; it is left out below")

    def measure_closed(name: str, *, cache: bool) -> None:
        """From nothing: a new grader, its pool where the outputs need one, no cache filled."""
        forget()

        def ours() -> None:
            with Grader(workers=1, cache=cache) as grader:
                found[name] = grader.grade(outputs)

        needed = any(v.rule in ("math_verify", "not_parsed", "deadline") for v in verdicts)
        rate = len(outputs) / (processor_seconds(ours) - needed * start)
        print(f"{'ours, ' + name:32} {rate:10,.0f} /s {rate / their_rate:8.1f} times")

    with Grader(workers=1) as grader:
        verdicts = grader.grade(outputs)
    measure_closed("cache off", cache=False)
    measure_closed("cache cold", cache=True)
    with Grader(workers=1) as grader:
        grader.grade(outputs)
        measure("cache warm", grader)
    found["once more"] = verdicts
    same = len({repr(verdicts) for verdicts in found.values()}) == 1
    print("verdicts are the same with the cache off, cold and warm:", same)


if __name__ == "__main__":
    main()

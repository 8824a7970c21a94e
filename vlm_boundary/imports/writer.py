"""The folder that an import writes: an experiment, its benchmarks, samples for `replay`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.config import load_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.imports.beside import Beside, compare
from vlm_boundary.imports.gathered import ArmFacts, Gathered, name_of
from vlm_boundary.imports.matched import DataFile
from vlm_boundary.imports.pictures import suffix_of
from vlm_boundary.imports.records import LogProblem
from vlm_boundary.imports.sources import Sources
from vlm_boundary.settings import yaml_text
from vlm_boundary.store import write_text
from vlm_boundary.writing import replacing_folder

EXPERIMENT = "experiment.yaml"
UNUSABLE = "unusable.jsonl"
DISAGREEMENTS = "disagreements.html"


@dataclass(frozen=True)
class Imported:
    """What an import found and wrote.

    Attributes:
        gathered: what was read.
        roles: of each arm.
        opinions: what the tool said beside what the verifier says; None where it said nothing.
        unasked: problems of the data file of which the logs have no response.
    """

    folder: Path
    gathered: Gathered
    roles: dict[str, str]
    opinions: Beside | None
    unasked: int


def import_logs(
    sources: Sources, folder: Path, *, base: str | None = None, problems: Path | None = None
) -> Imported:
    """Read logs into a new folder, which is there whole or not at all.

    Args:
        base: the arm that others are compared with; by default step 0, or the first arm where none
            is a step.
        problems: a data file or benchmark YAML that says what was asked.

    Raises:
        UserError: the folder has something in it, a log cannot be read or contradicts itself, or
            there is no such arm.
    """
    folder = folder.expanduser()
    home = Path(os.path.realpath(folder))
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: is there already; give --to a folder that is new")
    data = None if problems is None else DataFile(problems)
    gathered = Gathered(sources, name_of(home.name), data)
    with replacing_folder(folder) as place:
        _write_samples(gathered, place)
        roles = _roles(gathered.arms, base)
        unasked = _write_benchmarks(gathered, place)
        write_text(place / EXPERIMENT, yaml_text(_experiment(gathered, roles)))
        lost = [{"where": where, "reason": why} for where, why in gathered.lost]
        if lost:
            _write_lines(place / UNUSABLE, lost)
        opinions = compare(gathered, place, place / DISAGREEMENTS)
    load_experiment(folder / EXPERIMENT)  # what is written is valid
    return Imported(folder, gathered, roles, opinions, unasked)


def _write_samples(gathered: Gathered, place: Path) -> None:
    """A file for each arm and benchmark, of which each line is a response."""
    files: dict[tuple[str, str], TextIO] = {}
    with ExitStack() as stack:
        for one in gathered.placed():
            key = (one.arm, one.benchmark)
            if key not in files:
                path = samples_file(place, *key)
                path.parent.mkdir(parents=True, exist_ok=True)
                files[key] = stack.enter_context(path.open("w", encoding="utf-8"))
            response = one.response
            line = {
                "benchmark": one.benchmark,
                "problem_id": one.problem_id,
                "sample_index": one.index,
                "text": response.text,
                "finish_reason": response.finish_reason,
                "opinions": dict(response.opinions),
                "where": response.where,
            }
            files[key].write(json.dumps(line, ensure_ascii=False) + "\n")


def samples_file(folder: Path, arm: str, benchmark: str) -> Path:
    """Where an arm's responses to a benchmark are."""
    return folder / "samples" / arm / f"{benchmark}.jsonl"


def _write_benchmarks(gathered: Gathered, place: Path) -> int:
    """Write what was asked; returns how many problems of the data file were not."""
    unasked = 0
    for name, problems in gathered.problems.items():
        said = {"description": f"Imported: {_titles(gathered)}"}
        if gathered.data is not None:
            others = [one for one in gathered.data.problem_ids if one not in problems]
            unasked += len(others)
            only = [{"ids": list(problems)}] if others else []
            filters = [*gathered.data.filters, *only]
            write_text(
                place / f"{name}.yaml", yaml_text(said | gathered.data.keys | {"filters": filters})
            )
            continue
        asked = [one for one, _ in problems.values()]
        lines = (_problem(key, one, place) for key, (one, _) in problems.items())
        _write_lines(place / f"{name}.problems.jsonl", lines)
        fields = {"problem_id": "id", "question": "question", "answer": "answer"}
        fields["alternatives"] = "alternatives"
        if any(one.pictures for one in asked):
            fields["image"] = "images"
        if any(one.choices for one in asked):
            fields["choices"] = "choices"
        keys = {"dataset_path": f"{name}.problems.jsonl", "fields": fields}
        keys["prompt"] = {"user": "{{ question }}"}
        write_text(place / f"{name}.yaml", yaml_text(said | keys))
    return unasked


def _problem(problem_id: str, asked: LogProblem, place: Path) -> dict[str, Any]:
    return {
        "id": problem_id,
        "question": asked.question,
        "answer": asked.golds[0] if asked.golds else None,
        "alternatives": list(asked.golds[1:]),
        "choices": list(asked.choices),
        "images": [_picture(content, place) for content in asked.pictures],
    }


def _picture(content: bytes, place: Path) -> str:
    """Keep a picture under the hash of its content; returns its path in the folder."""
    name = f"{hashlib.sha256(content).hexdigest()}{suffix_of(content)}"
    path = place / "pictures" / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return f"pictures/{name}"


def _roles(arms: dict[str, ArmFacts], base: str | None) -> dict[str, str]:
    if base is not None and base not in arms:
        raise UserError(f"--base {base}: there is no such arm; there are {', '.join(arms)}")
    stepped = [arm for arm, facts in arms.items() if facts.step is not None]
    first = next((arm for arm in stepped if arms[arm].step == 0), None)
    if base is None and len(stepped) < len(arms):
        first = next(arm for arm in arms if arm not in stepped)
    base = base or first
    return {
        arm: "base" if arm == base else "rl" if facts.step is None else "step"
        for arm, facts in arms.items()
    }


def _experiment(gathered: Gathered, roles: dict[str, str]) -> dict[str, Any]:
    most = max(facts.most for facts in gathered.arms.values())
    arms: dict[str, Any] = {}
    for arm, facts in gathered.arms.items():
        engine: dict[str, Any] = {"kind": "replay", "path": f"./samples/{arm}"}
        if facts.opened[True] and len(facts.opened) == 1:
            engine["thinking_open"] = True
        arms[arm] = {"model": facts.model, "role": roles[arm]}
        if facts.step is not None and roles[arm] != "base":
            arms[arm]["step"] = facts.step
        if facts.most < most:
            arms[arm]["sampling"] = {"n": facts.most}
        arms[arm]["engine"] = engine
    return {
        "name": gathered.benchmark,
        "benchmarks": {name: {"include": f"./{name}.yaml"} for name in gathered.problems},
        "arms": arms,
        "sampling": {"n": most},
    }


def _titles(gathered: Gathered) -> str:
    titles = dict.fromkeys(source.form.title for source in gathered.sources.files)
    return ", ".join(titles)


def _write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

"""The folder that an import writes: experiment, benchmarks, samples, where verdicts differ."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from vlm_boundary.config import load_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.forks import usable_cores
from vlm_boundary.imports.gathered import ArmFacts, DataFile, Gathered, name_of
from vlm_boundary.imports.records import LogProblem, suffix_of
from vlm_boundary.imports.sources import Sources
from vlm_boundary.iterate import batched
from vlm_boundary.progress import progress_bar
from vlm_boundary.settings import yaml_text
from vlm_boundary.store import write_text
from vlm_boundary.verifier import Grader
from vlm_boundary.verifier.opinions import Disagreements
from vlm_boundary.verifier.verdict import Gold, Output
from vlm_boundary.writing import replacing_folder

EXPERIMENT = "experiment.yaml"
UNUSABLE = "unusable.jsonl"
DISAGREEMENTS = "disagreements.html"
_CHUNK = 16_384
_MOST_FORKS = 8


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
                path = place / "samples" / one.arm / f"{one.benchmark}.jsonl"
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


def _write_benchmarks(gathered: Gathered, place: Path) -> int:
    """Write what was asked; returns how many problems of the data file were not."""
    unasked = 0
    titles = dict.fromkeys(source.form.title for source in gathered.sources.files)
    said = {"description": f"Imported: {', '.join(titles)}"}
    for name, problems in gathered.problems.items():
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


def _write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


@dataclass
class Beside:
    """How often the tool's verdicts, by its own names, are those of the verifier.

    Attributes:
        compared: responses with both verdicts.
        differ: those with different ones.
        responses: those with any verdict of the tool.
        undecided: of these, those that the verifier leaves undecided.
    """

    compared: Counter[str] = field(default_factory=Counter)
    differ: Counter[str] = field(default_factory=Counter)
    responses: int = 0
    undecided: int = 0


def compare(gathered: Gathered, folder: Path, page: Path) -> Beside | None:
    """Grade what the tool gave a verdict on, and write the page of disagreements.

    Returns None, and writes nothing, where the log has no verdict, or no gold to grade against.
    """
    found = Beside()
    listed = Disagreements()
    lines = _judged(gathered, folder)
    with (
        Grader(forks=min(usable_cores(), _MOST_FORKS)) as grader,
        progress_bar("comparing verdicts", unit="response") as bar,
    ):
        for chunk in batched(lines, _CHUNK):
            outputs = [output for _, output, _ in chunk]
            for (label, output, said), verdict in zip(chunk, grader.grade(outputs), strict=True):
                found.responses += 1
                found.undecided += verdict.correct is None
                if verdict.correct is not None:
                    for name, opinion in said.items():
                        found.compared[name] += 1
                        found.differ[name] += opinion is not verdict.correct
                listed.add(label, output, verdict, said)
            bar.update(len(chunk))
    if not found.responses:
        return None
    listed.write(page)
    return found


def _judged(
    gathered: Gathered, folder: Path
) -> Iterator[tuple[str, Output, dict[str, bool | None]]]:
    """Each response with a verdict of the tool's own, and the gold answer."""
    golds = {name: _golds(gathered, name) for name in gathered.problems}
    for arm, facts in gathered.arms.items():
        opened = True if facts.opened[True] and len(facts.opened) == 1 else None
        for path in sorted((folder / "samples" / arm).glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for line in map(json.loads, lines):
                    gold = golds[line["benchmark"]].get(line["problem_id"])
                    said = {name: one for name, one in line["opinions"].items() if one is not None}
                    if gold is not None and said:
                        reason = line["finish_reason"] or "unknown"
                        output = Output(line["text"], gold, reason, thinking_open=opened)
                        yield f"{arm}: {line['where']}", output, said


def _golds(gathered: Gathered, benchmark: str) -> dict[str, Gold]:
    if gathered.data is not None:
        return gathered.data.golds()
    return {
        problem_id: Gold(
            asked.golds[0],
            choices=asked.choices,
            question=asked.question,
            alternatives=asked.golds[1:],
        )
        for problem_id, (asked, _) in gathered.problems[benchmark].items()
        if asked.golds
    }

"""How many image tasks of lm-eval and lmms-eval `benchmarks from-task` maps whole.

`pip download --no-deps lm-eval lmms-eval`, unpack the wheels, and
`python tests/outside_tasks.py lm_eval/tasks lmms_eval/tasks` (files are read, nothing is run).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.benchmarks.from_task import load_task, scaffold
from vlm_boundary.errors import UserError
from vlm_boundary.settings import validate

IMAGES = ("doc_to_image", "doc_to_visual")


@dataclass
class Counts:
    """What became of a folder's image tasks."""

    tasks: int = 0
    whole: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)


def counted(folder: Path) -> Counts:
    """Every image task below a folder; each scaffold is also read as a benchmark YAML."""
    counts = Counts()
    for path in (path for family in sorted(folder.iterdir()) for path in _of_images(family)):
        try:
            task = load_task(path, folder)
        except UserError as error:
            counts.refused.append(str(error))
            continue
        # A template that others include is no task, and neither is a group.
        if not isinstance(task.get("task"), str) or "dataset_path" not in task:
            continue
        if not any(task.get(name) is not None for name in IMAGES):
            continue
        counts.tasks += 1
        try:
            found = scaffold(path, folder)
            raw = YAML(typ="safe", pure=True).load(found.text())
            validate(BenchmarkConfig, {"name": found.name} | raw, where=str(path))
        except UserError as error:
            counts.refused.append(str(error))
            continue
        if found.todo:
            counts.left.update(list(found.todo))
        else:
            counts.whole.append(found.name)
    return counts


def _of_images(family: Path) -> list[Path]:
    """The YAMLs below a folder in which any file names pictures; reading all takes minutes."""
    files = [path for path in family.rglob("*yaml") if path.is_file()]
    if not any(name in path.read_text(encoding="utf-8") for path in files for name in IMAGES):
        return []
    return sorted(path for path in files if path.suffix == ".yaml")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        counts = counted(Path(argument))
        print(f"{argument}: {counts.tasks} image tasks, {len(counts.whole)} whole")
        print(f"  whole: {', '.join(counts.whole)}")
        for key, number in counts.left.most_common():
            print(f"  {key} left to do: {number}")
        for line in counts.refused:
            print(f"  refused: {line}")

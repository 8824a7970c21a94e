"""An experiment's file: what it names is found beside it, and arms are added to it."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.writing import replacing

# Keys of a benchmark that name files.
_BENCHMARK_PATHS = ("include", "dataset_path", "image_root")
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")  # `name` or `owner/name`


def paths_beside(raw: Any, file: Path) -> Any:
    """An experiment of which benchmark files, data and stored samples are found beside its file.

    They become absolute, so that a run goes on from any folder. What is not there is left as it
    is: a name, an address, or a path from the working directory.

    Raises:
        UserError: a path that does not begin with `./` is there too, and is something else.
    """
    if not isinstance(raw, dict):
        return raw
    found = dict(raw)
    if isinstance(raw.get("benchmarks"), dict):
        found["benchmarks"] = {
            name: _beside(keys, _BENCHMARK_PATHS, file, f"benchmarks.{name}")
            for name, keys in raw["benchmarks"].items()
        }
    if isinstance(raw.get("arms"), dict):
        found["arms"] = {
            name: _engine_beside(arm, file, f"arms.{name}.") for name, arm in raw["arms"].items()
        }
    return _engine_beside(found, file, "")


def _engine_beside(holder: Any, file: Path, where: str) -> Any:
    if not isinstance(holder, dict) or "engine" not in holder:
        return holder
    return holder | {"engine": _beside(holder["engine"], ("path",), file, f"{where}engine")}


def _beside(keys: Any, names: tuple[str, ...], file: Path, where: str) -> Any:
    if not isinstance(keys, dict):
        return keys
    there = {
        name: _found(value, file, f"{where}.{name}")
        for name in names
        if isinstance(value := keys.get(name), str) and _looked_for(name, value, file.parent)
    }
    return keys | there


def _looked_for(name: str, value: str, folder: Path) -> bool:
    """Whether it is a path that is there, and no name of something that is elsewhere."""
    if not value or not os.path.lexists(folder / value):
        return False
    if name == "include":
        return value.endswith((".yaml", ".yml"))  # else a shipped one's name
    hub_id = name == "dataset_path" and _HUB_ID.fullmatch(value)
    return not (hub_id and (folder / value).is_dir())


def _found(value: str, file: Path, where: str) -> str:
    beside = os.path.abspath(file.parent / value)
    here = os.path.abspath(value)
    if not value.startswith("./") and os.path.lexists(here) and not _same(beside, here):
        raise UserError(
            f"{file}: {where}: {value} is {beside}, beside this file, and {here}, in the working "
            f"directory; for the former write ./{value}, for the latter its absolute path"
        )
    return beside


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return os.path.samefile(one, other)
    except OSError:  # a link to nothing
        return False


def add_arm(path: Path, name: str, *, like: str, sampling: Mapping[str, Any]) -> None:
    """Add an arm to an experiment file: another arm's, with further sampling parameters.

    Comments and order stay as they are.

    Raises:
        UserError: the file has no such arm, or cannot be written.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 1 << 16  # no line is folded
    yaml.preserve_quotes = True
    content = yaml.load(path.read_text(encoding="utf-8"))
    arms = content["arms"]
    if like not in arms:
        raise UserError(f"{path}: it has no arm {like!r} to add another one after")
    arm = copy.deepcopy(arms[like])
    arm["sampling"] = {**(arm.get("sampling") or {}), **sampling}
    arms.insert(list(arms).index(like) + 1, name, arm)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)

"""Changes to an experiment's file that leave everything else in it as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlm_boundary.errors import UserError
from vlm_boundary.writing import replacing


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

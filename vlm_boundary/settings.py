"""Reading YAML and turning what is wrong with it into one clear line."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from vlm_boundary.errors import UserError, did_you_mean, reason_of
from vlm_boundary.mistakes import explain

if TYPE_CHECKING:
    from ruamel.yaml import YAML

Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: Path, parser: YAML | None = None) -> Any:
    """Parse one YAML 1.2 document into plain Python values; tags and duplicate keys are errors.

    Args:
        parser: takes other tags, or duplicate keys.

    Raises:
        UserError: the file cannot be read or is not valid YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file{_did_you_mean_file(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    try:
        return (parser or YAML(typ="safe", pure=True)).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = (error.problem or "not valid YAML").strip().splitlines()[0]
        raise UserError(f"{path}{line}: {problem}") from None
    except YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {reason_of(error)}") from None
    except RecursionError:
        raise UserError(f"{path}: nested too deeply") from None


def yaml_text(content: Any) -> str:
    """Plain values as a YAML document, keys in their order, lines of 100 columns."""
    from ruamel.yaml import YAML

    writer: Any = YAML()
    writer.width = 100
    body = io.StringIO()
    writer.dump(content, body)
    return body.getvalue()


def parse_value(text: str) -> Any:
    """A command-line value read as YAML: numbers, booleans, null, lists and mappings, else text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return text


def apply_overrides(raw: Any, overrides: Sequence[str]) -> Any:
    """A copy of nested settings with `section.key=value` assignments made in order.

    Raises:
        UserError: an assignment is not of that form or walks into a value that holds no keys.
    """
    settings = copy.deepcopy(raw)
    for assignment in overrides:
        dotted, equals, value = assignment.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise UserError(f"-o {assignment}: write section.key=value, as in sampling.n=64")
        _assign(settings, keys, parse_value(value), assignment)
    return settings


def _assign(settings: Any, keys: list[str], value: Any, assignment: str) -> None:
    node = settings
    for depth, key in enumerate(keys):
        if not isinstance(node, dict):
            raise UserError(f"-o {assignment}: {'.'.join(keys[:depth]) or 'the file'} has no keys")
        if depth == len(keys) - 1:
            node[key] = value
        else:
            if node.get(key) is None:
                node[key] = {}
            node = node[key]


def validate(model: type[Model], raw: Any, *, where: str) -> Model:
    """Check plain values against a settings model.

    Raises:
        UserError: one line naming the first thing that is wrong and what would be valid there.
    """
    if not isinstance(raw, Mapping):
        raise UserError(
            f"{where}: expected keys and values; valid keys: {', '.join(model.model_fields)}"
        )
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{where}: {explain(model, error)}") from None


def _did_you_mean_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" (there is no folder {folder})"
    names = sorted(p.name for p in folder.glob("*.y*ml"))
    hint = did_you_mean(path.name, names, lambda name: str(folder / name))
    return hint or (f"; {folder}/ holds {', '.join(names)}" if names else "")

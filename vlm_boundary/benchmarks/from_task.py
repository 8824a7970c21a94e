"""A benchmark YAML from a task of lm-eval or lmms-eval.

What the task says is copied; what it runs is left as a named TODO with its text.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.scalarstring import LiteralScalarString

from vlm_boundary.benchmarks.templates import check_template, is_template
from vlm_boundary.errors import UserError
from vlm_boundary.settings import load_yaml, yaml_text

TODO = "TODO"
_SPLITS = ("test_split", "validation_split", "training_split")
_PICTURES = ("doc_to_image", "doc_to_visual")
_LONGEST_SOURCE = 60  # lines of a function that are shown
_MARK = "<image>"
# What a loader of `datasets` is called where a task reads files of its own.
_LOADERS = ("json", "csv", "parquet", "text", "imagefolder")


@dataclass
class Scaffold:
    """A benchmark's keys, as far as the task says them.

    Attributes:
        todo: what is left, by the key of the YAML, with the reason and what to look at.
        notes: what of the task is not in the YAML, or said otherwise there.
    """

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    todo: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The YAML, with what is left to do and the notes as comments before it."""
        lines = [*self.notes, *(line for said in self.todo.values() for line in said)]
        comments = "".join(f"# {line}".rstrip() + "\n" for line in lines)
        return comments + yaml_text(_blocks(self.keys))


def scaffold(path: Path, root: Path | None = None) -> Scaffold:
    """What a task's YAML says of a benchmark.

    Args:
        path: the task's file.
        root: the folder that its includes do not leave; by default its own.

    Raises:
        UserError: see `load_task`; or it is no task with a data set.
    """
    task = load_task(path, root or path.parent)
    if "dataset_path" not in task:
        members = task["task"] if isinstance(task.get("task"), list) else []
        names = ", ".join(one for one in members if isinstance(one, str))
        what = "a group or a template: give a task that has one"
        if names:
            what = f"a group: give one of its tasks ({names})"
        raise UserError(f"{path}: it names no dataset_path, so it is {what}")
    task_name = task["task"] if isinstance(task.get("task"), str) else path.stem
    found = Scaffold(re.sub(r"[^A-Za-z0-9._-]+", "-", task_name).lstrip("._-") or "task")
    found.notes.append(f"From the task {task_name} ({path.name}).")
    found.keys["description"] = f"The task {task_name} of another harness"
    _source(found, task)
    fields: dict[str, Any] = {}
    found.keys["fields"] = fields
    fields["question"] = _said(found, "fields.question", "doc_to_text", task)
    fields["answer"] = _said(found, "fields.answer", "doc_to_target", task)
    before, question = task.get("description"), fields["question"]
    if isinstance(before, str) and before and question != TODO:
        fields["question"] = before + _templated(question)
    _pictures(found, fields, task)
    _choices(found, fields, task)
    # The task's question has all its words, so that nothing is asked besides.
    found.keys["prompt"] = {"user": "{{ question }}"}
    _what_is_left_out(found, task)
    return found


def _source(found: Scaffold, task: dict[str, Any]) -> None:
    more = task.get("dataset_kwargs") or {}
    data_files = more.get("data_files") if isinstance(more, dict) else None
    path = task["dataset_path"]
    if path in _LOADERS and isinstance(data_files, str):
        path, data_files = data_files, None
    elif path in _LOADERS or not isinstance(path, str):
        found.todo["dataset_path"] = [
            f"TODO dataset_path: the task reads {data_files or path!r} with the loader {path!r}; "
            f"name the file or folder itself"
        ]
        path = TODO
    found.keys["dataset_path"] = path
    if task.get("dataset_name"):
        found.keys["dataset_name"] = str(task["dataset_name"])
    if splits := [task[key] for key in _SPLITS if isinstance(task.get(key), str)]:
        found.keys["split"] = splits[0]
    if data_files is not None and path != TODO:
        found.keys["data_files"] = data_files
    if isinstance(more, dict) and more.get("revision"):
        found.keys["revision"] = str(more["revision"])
    if "process_docs" in task:
        what = "records are changed or left out before they are asked"
        _leave(found, "filters", "process_docs", task["process_docs"], what)


def _said(found: Scaffold, key: str, name: str, task: dict[str, Any]) -> Any:
    """A column or template that the task gives; the word TODO where it gives a function."""
    value = task.get(name)
    if isinstance(value, str) and value:
        if not is_template(value):
            if re.fullmatch(r"[\w.-]+", value):
                return value
            return "{{ " + repr(value) + " }}"  # words, the same for every record
        try:
            return check_template(value)
        except ValueError as error:
            found.todo[key] = [f"TODO {key}: {name} is a template that cannot be read ({error}):"]
            found.todo[key] += _indented(value)
            return TODO
    if isinstance(value, int) and not isinstance(value, bool):
        return "{{ " + str(value) + " }}"
    _leave(found, key, name, value, "")
    return TODO


def _leave(found: Scaffold, key: str, name: str, value: Any, what: str) -> None:
    """Note that a key is left to do, with the text of the function that does it there."""
    said = f" ({what})" if what else ""
    if not isinstance(value, TaskFunction):
        how = "is not given" if value is None else f"is {value!r}"
        found.todo[key] = [f"TODO {key}: {name} {how}{said}"]
        return
    columns = value.columns()
    reads = f" It reads {', '.join(columns)}." if columns else ""
    lines = [f"TODO {key}: {name} is the function {value.name}, which was not run{said}.{reads}"]
    source = value.source()
    if source is None:
        lines.append(f"    its text does not stand in {value.folder.name}/ under that name")
    else:
        lines += _indented(source)
    found.todo[key] = lines


def _indented(text: str) -> list[str]:
    lines = text.splitlines()
    if len(lines) > _LONGEST_SOURCE:
        lines[_LONGEST_SOURCE:] = [f"… and {len(lines) - _LONGEST_SOURCE} lines more"]
    return [f"    {line}" for line in lines]


def _templated(column: str) -> str:
    return column if is_template(column) else "{{ " + column + " }}"


def _pictures(found: Scaffold, fields: dict[str, Any], task: dict[str, Any]) -> None:
    name = next((one for one in _PICTURES if task.get(one) is not None), None)
    if name is None:
        return  # a task in words
    value = task[name]
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        fields["image"] = value[0] if len(value) == 1 else list(value)
    else:
        fields["image"] = _said(found, "fields.image", name, task)
    if _MARK in str(fields["question"]):
        found.keys["images"] = {"placeholder": _MARK, "position": "in_text"}


def _choices(found: Scaffold, fields: dict[str, Any], task: dict[str, Any]) -> None:
    value = task.get("doc_to_choice")
    if value is None:
        return
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        fields["choices"] = "{{ " + repr(value) + " }}"
    else:
        fields["choices"] = _said(found, "fields.choices", "doc_to_choice", task)
    answer = fields["answer"]
    if answer != TODO and not is_template(answer):
        # A harness takes a number for the option's place.
        lettered = f"'{ascii_uppercase}'[{answer}] if {answer} is integer else {answer}"
        fields["answer"] = "{{ " + lettered + " }}"
    found.keys["grading"] = {"letters": "one"}
    found.keys["options"] = {"shown": "question"}


def _what_is_left_out(found: Scaffold, task: dict[str, Any]) -> None:
    if isinstance(words := task.get("lmms_eval_specific_kwargs"), dict) and words:
        found.notes.append(f"Its words around the question: {words.get('default', words)}")
    metrics = [one.get("metric") for one in task.get("metric_list") or [] if isinstance(one, dict)]
    graders = filter(None, (*metrics, task.get("process_results")))
    graded = [one.name if isinstance(one, TaskFunction) else str(one) for one in graders]
    if graded:
        found.notes.append(
            f"The task grades by {', '.join(graded)}; here the verifier does, unless grading says "
            f"otherwise."
        )
    if task.get("output_type") in ("multiple_choice", "loglikelihood", "loglikelihood_rolling"):
        found.notes.append("The task compares likelihoods; here the model answers in words.")
    if task.get("num_fewshot"):
        found.notes.append(
            f"Its {task['num_fewshot']} worked examples before the question are left out."
        )


def _blocks(value: Any) -> Any:
    """Texts of several lines as blocks, which people can read."""
    if isinstance(value, dict):
        return {key: _blocks(one) for key, one in value.items()}
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value


@dataclass(frozen=True)
class TaskFunction:
    """A Python function that a task names with `!function`: `module.name`, beside its YAML."""

    name: str
    folder: Path

    def source(self) -> str | None:
        """Its text, parsed and not imported; None where it does not stand in that file.

        A name that is assigned (a `partial`) gives the assignment.
        """
        found = self._definition()
        return None if found is None else ast.get_source_segment(*found)

    def columns(self) -> list[str]:
        """The columns that its text reads, as in `doc["question"]`, in order."""
        found = self._definition()
        if found is None or not isinstance(found[1], ast.FunctionDef) or not found[1].args.args:
            return []
        document = found[1].args.args[0].arg
        places: list[tuple[int, int, str]] = []
        for node in ast.walk(found[1]):
            match node:
                case (
                    ast.Subscript(value=ast.Name(id=of), slice=ast.Constant(value=str(column)))
                    | ast.Call(
                        func=ast.Attribute(value=ast.Name(id=of), attr="get"),
                        args=[ast.Constant(value=str(column)), *_],
                    )
                ) if of == document:
                    places.append((node.lineno, node.col_offset, column))
        return list(dict.fromkeys(column for *_, column in sorted(places)))

    def _definition(self) -> tuple[str, ast.stmt] | None:
        module, _, name = self.name.rpartition(".")
        path = self.folder.joinpath(*module.split(".")).with_suffix(".py")
        if not module or not _real(path).is_relative_to(_real(self.folder)):
            return None
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (OSError, ValueError, SyntaxError, RecursionError):
            return None
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return text, node
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return text, node
        return None


def load_task(path: Path, root: Path) -> dict[str, Any]:
    """A task's keys over those of the files that it includes, which lie in the folder `root`.

    Raises:
        UserError: a file cannot be read, is not valid YAML, has other tags than `!function`, or
            includes one outside that folder.
    """
    return _load(path, _real(root), ())


def _real(path: Path) -> Path:
    """Where links lead; of a circle of links, of which `Path.resolve` raises, the path itself."""
    return Path(os.path.realpath(path))


def _load(path: Path, folder: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    path = _real(path)
    if path in seen:
        raise UserError(f"{path}: includes itself")
    if not path.is_relative_to(folder):
        reads = f"{seen[-1]}: includes {path}" if seen else str(path)
        raise UserError(f"{reads}, which is not in {folder}; --root names a wider folder")
    own = _parsed(path)
    includes = own.pop("include", None) or []
    below: dict[str, Any] = {}
    for one in includes if isinstance(includes, list) else [includes]:
        below |= _load(path.parent / str(one), folder, (*seen, path))
    return below | own


def _parsed(path: Path) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _constructor(path.parent)
    yaml.allow_duplicate_keys = True  # some tasks have them, and the harness reads the last
    found = load_yaml(path, yaml)
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected a task's keys and values")
    return {str(key): value for key, value in found.items()}


def _constructor(folder: Path) -> type[SafeConstructor]:
    """Plain values, and `!function` as its name."""

    class Constructor(SafeConstructor):
        pass

    def function(_: SafeConstructor, node: ScalarNode) -> TaskFunction:
        return TaskFunction(str(node.value), folder)

    Constructor.add_constructor("!function", function)
    return Constructor

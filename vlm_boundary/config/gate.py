"""The rules of a gate: what must hold of a checkpoint before it is let through."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vlm_boundary.config.base import Name, Settings
from vlm_boundary.errors import UserError
from vlm_boundary.settings import load_yaml, validate


class NotLower(Settings):
    """pass@k is not lower than the base's by a margin: accuracy at k = 1, coverage above."""

    kind: Literal["not_lower"]
    k: Annotated[int, Field(ge=1)] | Literal["n"]
    """Which; n is the most samples that both arms have."""
    points: float = Field(ge=0.0, lt=100.0)
    """The margin, in percentage points."""


class Keeps(Settings):
    """No problem of a list is lost: solved by the base, and not once by the arm."""

    kind: Literal["keeps"]
    problems: tuple[str, ...] = ()
    """Their ids."""
    file: str | None = None
    """A file with an id a line, beside the rules; in place of `problems`."""

    @model_validator(mode="after")
    def _one_list(self) -> Keeps:
        if bool(self.problems) == (self.file is not None):
            raise ValueError("keeps takes either problems or file")
        return self


class Below(Settings):
    """A share of the samples of both arms is below a limit: it is counted, not inferred."""

    kind: Literal["below"]
    share: Literal["truncated", "undecided"]
    """truncated: cut off before an answer stood; undecided: the verifier cannot tell."""
    percent: float = Field(gt=0.0, le=100.0)
    """The limit."""


Rule = Annotated[NotLower | Keeps | Below, Field(discriminator="kind")]


class GateRules(Settings):
    """What a gate asks, and of whom."""

    base: Name | None = None
    """The base; by default every arm with that role."""
    arm: Name | None = None
    """The arm that is to pass; by default every one that is compared with the base."""
    benchmarks: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """On which; by default on all."""
    rules: tuple[Rule, ...] = Field(min_length=1)
    """All must be shown to hold."""


def load_rules(path: Path) -> GateRules:
    """Read the rules of a gate; a rule's file of problems is read with them.

    Raises:
        UserError: a file is missing, not YAML, or says something that is not valid.
    """
    raw = validate(GateRules, load_yaml(path), where=str(path))
    rules = tuple(_with_problems(rule, path) for rule in raw.rules)
    return raw.model_copy(update={"rules": rules})


def _with_problems(rule: Any, path: Path) -> Any:
    if not isinstance(rule, Keeps) or rule.file is None:
        return rule
    file = path.parent / rule.file
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: rules: file {file} cannot be read: {error}") from None
    problems = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not problems:
        raise UserError(f"{path}: rules: file {file} names no problem; write an id a line")
    return Keeps(kind="keeps", problems=problems)

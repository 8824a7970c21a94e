"""What a run was made from: the file manifest.json."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from vlm_boundary.counted import counted
from vlm_boundary.records.record import Record
from vlm_boundary.records.verdict import GraderProgram


@dataclass(frozen=True)
class Checkpoint:
    """A model folder and what identifies it.

    `identity` is the hub commit, or a fingerprint of a local folder's weights, configuration and
    tokenizer; with a LoRA adapter, both of the base and of the adapter. `chat_template` is the
    Jinja source that prompts are rendered with. `note` is what the folder says of itself.
    `trust_remote_code` allows transformers and vLLM to run Python code that it brings.
    """

    folder: Path
    identity: str
    chat_template: str
    note: str | None
    adapter: Path | None = None
    trust_remote_code: bool = False

    @property
    def chat_template_hash(self) -> str:
        """SHA-256 of the chat template."""
        return hashlib.sha256(self.chat_template.encode()).hexdigest()


@dataclass(frozen=True)
class FilterStep:
    """One step of a benchmark's filters and its effect on the number of records."""

    step: str
    before: int
    after: int


class _Kept(Record):
    """A part of the manifest: what another version wrote there is kept when it is written again.

    Any field may be missing: manifests of older versions do not say everything.
    """

    model_config = ConfigDict(extra="allow")


class Identity(_Kept):
    """What determines a model's answers; which settings these are depends on the engine."""

    weights: str = ""
    """Hub commit, fingerprint, or a server's word for it."""
    chat_template: str | None = None
    """Its SHA-256; null where a server renders chats."""
    engine: dict[str, Any] = Field(default_factory=dict)
    """The settings that change what is drawn."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Without n: a larger one is a top-up."""
    seed: int | None = None
    prompt: str | None = None
    """SHA-256 of a judge's prompt."""
    pictures: bool | None = None
    """Whether a judge is shown them."""
    chat_template_args: dict[str, Any] | None = None
    """What the chat template is told beside the turns."""
    trust_remote_code: bool | None = None
    """True where the checkpoint's own code may run."""


class RunBenchmark(_Kept):
    """A benchmark as it was loaded into the run."""

    config: dict[str, Any] = Field(default_factory=dict)
    """Its settings, resolved."""
    content: str = ""
    """SHA-256 over the problems."""
    grading: str = ""
    """SHA-256 over how they are graded; older runs do not say it."""
    descriptions: str | None = None
    """SHA-256 over the words for their pictures; older runs do not say it."""
    problems: int = 0
    unusable: int = 0
    """Problems that cannot be put to a model."""
    filters: list[FilterStep] = Field(default_factory=list)

    @property
    def grader_program(self) -> GraderProgram | None:
        """The program of its own that grades it; None where the verifier does."""
        return GraderProgram.of(self.config.get("grading") or {})


class PictureSizes(_Kept):
    """What an arm is shown of pictures, in the words of its family."""

    processor: str = ""
    """The processor's class, whose rule it is."""
    min_pixels: int | None = None
    max_pixels: int | None = None
    step: int | None = None
    """Sides are multiples of it, in pixels."""
    tiles: int | None = None
    """The most tiles; where there are several, the whole picture is one more."""
    most_tokens: int | None = None
    """The most tokens per picture, marks around it not counted."""
    ignored: list[str] = Field(default_factory=list)
    """What the benchmark says and this family does not take."""
    engine: dict[str, Any] = Field(default_factory=dict)
    """What engine.args gives the processor in place of that."""
    alone: bool = False
    """Several pictures of a prompt are each sized as if alone, which transformers does not do."""

    @property
    def said(self) -> str:
        """In words."""
        ignored = f"; takes no {' and '.join(self.ignored)}" if self.ignored else ""
        ignored += f"; mm_processor_kwargs {self.engine}" if self.engine else ""
        if self.alone:
            ignored += "; several of one prompt each as if alone, which transformers does not do"
        most = "" if self.most_tokens is None else f"at most {counted(self.most_tokens, 'token')}"
        if self.max_pixels is not None:
            pixels = f"{self.min_pixels:,} to {self.max_pixels:,} pixels, by {self.step}"
            return f"{most}: {pixels}{ignored}"
        if self.tiles is not None:
            whole = " and the whole" if self.tiles > 1 else ""
            return f"{most}: {counted(self.tiles, 'tile')}{whole}{ignored}"
        return f"{most or 'by the rules of its processor'} ({self.processor}){ignored}"


class RunModel(_Kept):
    """A model that worked for the run."""

    identity: Identity = Identity()
    checkpoint: Checkpoint | None = None
    """Where it was found; null where nothing was loaded here."""
    note: str | None = None
    thinking_open: bool | None = None
    """Whether its prompts end inside a thought; null where that is not known."""


class RunArm(RunModel):
    """An arm as it was sampled or scored under."""

    prompts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What determines its prompts, by benchmark, or benchmark/condition for the controls."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    engine: dict[str, Any] = Field(default_factory=dict)
    pictures: dict[str, PictureSizes] = Field(default_factory=dict)
    """What it is shown of a benchmark's pictures, where that is known here."""


class RunJudge(RunModel):
    """A judge that read chains."""

    config: dict[str, Any] = Field(default_factory=dict)


class Manifest(_Kept):
    """The file manifest.json; without an experiment, of a run that was not begun."""

    experiment: dict[str, Any] = Field(default_factory=dict)
    """Its settings, resolved."""
    benchmarks: dict[str, RunBenchmark] = Field(default_factory=dict)
    arms: dict[str, RunArm] = Field(default_factory=dict)
    judges: dict[str, RunJudge] = Field(default_factory=dict)

    def identity_of(self, arm: str, benchmark: str, condition: str) -> str | None:
        """A hash of what samples are drawn from; None where it is not known.

        A null counts like a key that is not there, as where identities are compared.
        """
        known = self.arms.get(arm)
        if known is None or not known.identity.weights:
            return None
        what = benchmark if condition == "full" else f"{benchmark}/{condition}"
        content = _without_nulls([known.identity.as_json(), known.prompts.get(what)])
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def arm_settings(self, arm: str) -> dict[str, Any]:
        """An arm's settings in the experiment; empty where it has none."""
        return dict(self.experiment.get("arms", {}).get(arm, {}))


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nulls(v) for key, v in content.items() if v is not None}
    return [_without_nulls(v) for v in content] if isinstance(content, list) else content

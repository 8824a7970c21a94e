"""What every engine offers: completions of chat prompts with pictures, as they finish.

Engines know nothing of benchmarks, verdicts or files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from vlm_boundary.benchmarks.images import ANY_SIZE, PictureBudget, UnreadablePicture
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.config import SamplingConfig
from vlm_boundary.errors import reason_of
from vlm_boundary.records.manifest import Checkpoint


@dataclass(frozen=True)
class Request:
    """Samples `indices` of one prompt; sample i is drawn with seed `seed + i`.

    `messages` are chat turns whose content parts of type image stand for `pictures`, in order.
    Picture files are named by their content, which is how engines know that two are the same.
    """

    request_id: str
    messages: list[Message]
    pictures: tuple[Path, ...]
    indices: range
    seed: int
    budget: PictureBudget = ANY_SIZE
    chat_template_args: Mapping[str, Any] = field(default_factory=dict)
    """What the chat template is told beside the turns, as in {enable_thinking: false}."""
    prefix: str = ""
    """What every response begins with: the prompt goes on with it, behind the opened turn of the
    assistant, and samples hold what comes after."""
    benchmark: str = ""
    """With `condition` and `problem_id`, whose samples these are, for engines that look them up or
    keep a problem to one server."""
    condition: str = "full"
    problem_id: str = ""


Requests: TypeAlias = Iterable["Request | None"]
"""Requests as there is room for them. None says that there is none just now: which come next, and
whether any do, depends on results that were handed over; an engine goes on and asks again."""
AGAIN_SECONDS = 0.01
"""How long an engine without any work waits before it asks again."""


@dataclass(frozen=True, kw_only=True)
class ScoreRequest(Request):
    """Responses that exist, to be read after the prompt; `indices` say which, seeds do not matter.

    `responses` holds the token ids of each index exactly as they were generated, end of turn
    included. Text is never tokenised again: that gives other tokens than the model wrote.
    """

    responses: Mapping[int, Sequence[int]]


@dataclass(frozen=True)
class Completion:
    """One finished sample; see `store.Sample` for the fields.

    `prompt_tokens` counts the prompt as the model reads it, `picture_tokens` those of them that
    stand for pictures; None where the engine does not say.
    """

    request_id: str
    index: int
    seed: int | None
    token_ids: list[int]
    text: str
    finish_reason: str
    logprob_sum: float | None
    token_logprobs: list[float] | None = None
    prompt_tokens: int | None = None
    picture_tokens: int | None = None


@dataclass(frozen=True)
class Scored:
    """One response's token log-probabilities (natural, at temperature 1), end of turn included."""

    request_id: str
    index: int
    token_logprobs: list[float]


@dataclass(frozen=True)
class Failure:
    """A request that cannot run (index None: none of its samples), with the reason.

    `lasting` is whether the same request to the same engine would fail again.
    """

    request_id: str
    index: int | None
    reason: str
    lasting: bool = False


def refused(request_id: str, error: Exception) -> Failure:
    """The failure of a request that cannot be put to an engine; a damaged file may be mended."""
    lasting = not isinstance(error, UnreadablePicture)
    return Failure(request_id, None, reason_of(error), lasting)


class PromptUnusable(Exception):
    """A problem that cannot be put to this checkpoint as it is, with the reason."""


class PromptTooLong(Exception):
    """A prompt that leaves no room for a whole response."""


@dataclass(frozen=True)
class Workload:
    """What an engine will be asked for, as far as it is known before it starts.

    `samplings` are those that `generate` will be called with, none where it only scores; the
    pictures' budget is the widest of any request, None where the checkpoint's own holds;
    `chat_template_args` are those of all requests, each once.
    """

    samplings: tuple[SamplingConfig, ...]
    max_images: int
    budget: PictureBudget = ANY_SIZE
    chat_template_args: tuple[Mapping[str, Any], ...] = ()


def unheard() -> None:
    """Where nobody asks whether an engine is still at work."""


class Engine(Protocol):
    """A loaded checkpoint, or something that stands for one, that draws samples."""

    def generate(
        self, requests: Requests, sampling: SamplingConfig, alive: Callable[[], None]
    ) -> Iterator[Completion | Failure]:
        """Draw every sample of every request, yielding each as it finishes, in any order.

        `alive` is called whenever the engine has done something: one that stops calling is stuck.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Versions, hardware and the resolved arguments, for the manifest."""
        ...

    def close(self) -> None:
        """Free the checkpoint and end the engine's processes."""
        ...


@runtime_checkable
class CountingEngine(Engine, Protocol):
    """An engine that also counts what generating takes."""

    def usage(self) -> Mapping[str, object]:
        """So far, in numbers, for the manifest."""
        ...


@runtime_checkable
class SwappingEngine(Engine, Protocol):
    """An engine that may go on as another one of the same shape, without being started again."""

    def swap(self, checkpoint: Checkpoint, samplings: tuple[SamplingConfig, ...]) -> bool:
        """Become an engine of this checkpoint, to the letter what one opened for it would be.

        Only when nothing is in flight. Counts in `usage` begin anew. False where it cannot, and
        then nothing was changed.

        Args:
            samplings: those that `generate` will be called with.

        Raises:
            UserError: it cannot sample so.
        """
        ...


@runtime_checkable
class ScoringEngine(Engine, Protocol):
    """An engine that can also say how likely responses are that something else wrote."""

    def score(
        self, requests: Iterable[ScoreRequest], alive: Callable[[], None]
    ) -> Iterator[Scored | Failure]:
        """Score every response of every request, yielding each as it finishes, in any order.

        `alive` is called as in `generate`.
        """
        ...

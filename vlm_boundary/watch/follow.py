"""The loop that follows a training run: look, evaluate what is new and whole, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from vlm_boundary.config import ExperimentConfig
from vlm_boundary.config.models import ArmConfig
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.fleet import EngineDied
from vlm_boundary.interrupts import look
from vlm_boundary.sampling.plan import ALL
from vlm_boundary.sampling.prepare import prepare
from vlm_boundary.sharded import UnmergedError, merged_folder
from vlm_boundary.store import RunDirectory
from vlm_boundary.watch.folders import (
    CheckpointFolder,
    Signature,
    announced,
    checkpoints,
    merge,
    what_lacks,
)

Draw: TypeAlias = Callable[[ExperimentConfig, Collection[str]], object]
"""Draws what these arms of an experiment lack."""
Finish: TypeAlias = Callable[[ExperimentConfig], object]
"""Grades what was drawn, and reports."""


@dataclass(frozen=True)
class Watched:
    """A training run to follow.

    Attributes:
        folder: where its checkpoints are written.
        every: take the checkpoints of which steps, as in 20 for 20, 40, …
        like: the arm of the experiment whose settings they get; by default the experiment's own.
        settle: seconds for which a checkpoint's files must stay as they are.
        poll: seconds between two looks.
        until: end when this step, or a later one, has been evaluated.
        idle: end when there was nothing new for so many seconds.
        merge: the words of the trainer's command that merges shards; see `merge_command`.
    """

    folder: Path
    every: int = 1
    like: str | None = None
    settle: float = 30.0
    poll: float = 10.0
    until: int | None = None
    idle: float | None = None
    merge: Sequence[str] | None = None


def follow(
    run: RunDirectory,
    experiment: ExperimentConfig,
    watched: Watched,
    draw: Draw,
    finish: Finish,
    tell: Callable[[str], None],
) -> ExperimentConfig:
    """Evaluate every checkpoint that a training run finishes, as an arm `step-N`.

    What the experiment itself lacks comes first. A checkpoint that cannot be evaluated is told and
    set aside until the next call; the others go on. Ends as `watched` says, else never.

    Returns:
        The experiment with an arm for each checkpoint.

    Raises:
        UserError: the experiment itself cannot be run, or the folder is not a training run's.
    """
    if watched.like is not None and watched.like not in experiment.arms:
        named = ", ".join(experiment.arms)
        raise UserError(f"--like {watched.like}: the experiment has no such arm; it has {named}")
    checkpoints(watched.folder)  # not there: said before anything is sampled
    looks = _Looks(run, watched, tell)
    # First of all: what the run knows of earlier is not to be forgotten with its next manifest.
    grown, taken = looks.with_earlier(experiment)
    draw(grown, list(experiment.arms))
    _try_to_draw(draw, grown, taken, tell)
    finish(grown)
    news = time.monotonic()
    while True:
        look()
        # By name: an experiment may name steps of its own, as one that is read from a watched run.
        known = {arm.step for name, arm in grown.arms.items() if name == f"step-{arm.step}"}
        grown, taken = looks.with_new(grown, looks.ready(without=known))
        if taken:
            _try_to_draw(draw, grown, taken, tell)
            finish(grown)
            news = time.monotonic()
            continue
        reached = max((step for step in known | looks.aside if step is not None), default=-1)
        if watched.until is not None and watched.until <= reached:
            return grown
        if watched.idle is not None and time.monotonic() - news >= watched.idle:
            return grown
        time.sleep(watched.poll)


def _try_to_draw(
    draw: Draw, experiment: ExperimentConfig, arms: Collection[str], tell: Callable[[str], None]
) -> None:
    """Draw for these arms; what goes wrong with one of them is told and ends nothing."""
    if not arms:
        return
    try:
        draw(experiment, arms)
    except PlaceError:
        raise
    except (UserError, EngineDied) as error:
        tell(f"{', '.join(arms)}: {error}")


@dataclass
class _Looks:
    """What was seen of the folder so far."""

    run: RunDirectory
    watched: Watched
    tell: Callable[[str], None]
    aside: set[int] = field(default_factory=set)
    """Steps that are not looked at any more."""
    _seen: dict[int, tuple[Signature, float]] = field(default_factory=dict)
    _told: dict[int, str] = field(default_factory=dict)

    def ready(self, without: Collection[int | None]) -> list[CheckpointFolder]:
        """The checkpoints, except those of these steps, whose models are whole, by step."""
        found = (one for one in checkpoints(self.watched.folder) if one.step not in without)
        return [one for one in found if self._is_ready(one)]

    def put_aside(self, step: int, reason: str) -> None:
        """Tell why a checkpoint is not evaluated, and leave it alone."""
        self.aside.add(step)
        self.tell(f"step {step}: not evaluated: {reason}")

    def _is_ready(self, one: CheckpointFolder) -> bool:
        look()
        if one.step % self.watched.every or one.step in self.aside:
            return False
        now, signature = time.monotonic(), one.signature()
        before = self._seen.get(one.step)
        if before is None or before[0] != signature:
            self._seen[one.step] = before = (signature, now)
        if now - before[1] < self.watched.settle or not announced(one):
            return False
        try:
            lacks = what_lacks(merged_folder(one.folder))
        except UnmergedError as error:
            if error.whole and self.watched.merge is not None:
                self._merge(one, error)
                return False
            lacks = str(error)
        except UserError as error:
            lacks = str(error)
        if lacks and self._told.get(one.step) != lacks:
            self._told[one.step] = lacks
            self.tell(f"step {one.step}: waiting: {lacks}")
        return lacks is None

    def _merge(self, one: CheckpointFolder, unmerged: UnmergedError) -> None:
        self.tell(f"step {one.step}: merging its shards")
        log = self.run.logs / f"merging-step-{one.step}.log"
        assert self.watched.merge is not None
        if failure := merge(self.watched.merge, unmerged.shards, unmerged.target, log):
            self.put_aside(one.step, failure)

    def with_earlier(self, experiment: ExperimentConfig) -> tuple[ExperimentConfig, list[str]]:
        """The experiment with the checkpoints that the run already knows, and those still there."""
        earlier = self.run.read_manifest().experiment.get("arms", {}) if self.run.begun else {}
        added = {
            name: arm["step"]
            for name, arm in earlier.items()
            if name not in experiment.arms
            and arm.get("step") is not None
            and Path(arm["model"]).parent == self.watched.folder.resolve()
        }
        there = []
        for name, step in sorted(added.items(), key=lambda item: item[1]):
            folder = Path(earlier[name]["model"])
            experiment = self._with_arm(experiment, CheckpointFolder(step, folder))
            if folder.is_dir():
                there.append(name)
            else:
                self.tell(f"step {step}: its checkpoint is gone; what was drawn of it stays")
        return experiment, there

    def with_new(
        self, experiment: ExperimentConfig, found: Sequence[CheckpointFolder]
    ) -> tuple[ExperimentConfig, list[str]]:
        """The experiment with those of these checkpoints that can be evaluated, and their names."""
        taken = []
        for one in found:
            look()
            grown = self._with_arm(experiment, one)
            try:
                with self.run.locks.writing(ALL), self.run.locks.turn():
                    prepare(self.run, grown, only=[_name(one.step)])
            except PlaceError:
                raise
            except UserError as error:
                self.put_aside(one.step, str(error))
                continue
            self.tell(f"step {one.step}: {one.folder}")
            experiment = grown
            taken.append(_name(one.step))
        return experiment, taken

    def _with_arm(self, experiment: ExperimentConfig, one: CheckpointFolder) -> ExperimentConfig:
        folder, like = str(one.folder.resolve()), self.watched.like
        arm = experiment.arms[like] if like else ArmConfig(model=folder, role="step")
        update = {"model": folder, "revision": None, "role": "step", "step": one.step}
        arms = experiment.arms | {_name(one.step): arm.model_copy(update=update)}
        return experiment.model_copy(update={"arms": arms})


def _name(step: int) -> str:
    return f"step-{step}"

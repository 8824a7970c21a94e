"""What people are to read: right answers on problems that a model hardly ever solves, or verdicts.

There a right answer may be luck, and one valid chain of thought shows that it is not. Yue et al.
2025 (arXiv 2504.13837, section 3.1) read every right answer on problems with accuracy in (0, 5 %).

How often the verifier errs is seen on answers of both kinds, those that it called right and the
others, drawn uniformly from each.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import SampleKey, Subject
from vlm_boundary.reasoning.selection import correct_samples, graded_samples, nothing_to_read
from vlm_boundary.store import Partition, RunDirectory, write_json

PAPER_ACCURACY = 0.05
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class QueueItem:
    """A sample to be read.

    `item` names it without giving away what it is; the rest is not for a blind reader's eyes.
    `weight` is the inverse of the chance that this sample of the `population` is in the queue.
    """

    item: str
    sample: SampleKey
    text_hash: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class LabelQueue:
    """Samples in the order in which they are read, arms and problems mixed.

    Its population is the right answers of each arm on each benchmark, on problems whose accuracy
    is above 0 and below `max_accuracy` (or anything above 0 where that is 1). With the subject
    "answer" it is all graded answers: as many of those called right as of the others.
    """

    name: str
    seed: int
    max_accuracy: float
    per_arm: int | None
    """At most so many of each arm on each benchmark, drawn uniformly; None takes all."""
    items: tuple[QueueItem, ...]
    subject: Subject = "reasoning"


def make_queue(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    name: str = "paper",
    seed: int = 0,
    max_accuracy: float = PAPER_ACCURACY,
    per_arm: int | None = None,
) -> LabelQueue:
    """Draw a queue and store it as labels/queues/<name>.json.

    Raises:
        UserError: there is nothing to read, or another queue has the name.
    """
    items = [
        item
        for benchmark in experiment.benchmarks
        for arm in experiment.arms
        for item in _drawn(run, experiment, Partition(arm, benchmark), seed, max_accuracy, per_arm)
    ]
    if not items:
        raise UserError(f"{run.path}: {_why_empty(run, experiment, max_accuracy)}")
    return _stored(
        run,
        LabelQueue(
            name=name, seed=seed, max_accuracy=max_accuracy, per_arm=per_arm, items=_mixed(items)
        ),
    )


def make_answer_queue(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    name: str = "answers",
    seed: int = 0,
    per_arm: int = 100,
) -> LabelQueue:
    """Draw answers by which people see how often the verifier errs, and store them as a queue.

    Args:
        per_arm: of each arm on each benchmark; half of them the verifier called right.

    Raises:
        UserError: nothing is graded, or another queue has the name.
    """
    items: list[QueueItem] = []
    partitions = product(experiment.arms, experiment.benchmarks)
    for partition in (Partition(arm, benchmark) for arm, benchmark in partitions):
        graded = graded_samples(run, partition, _first(experiment, partition.arm))
        for accepted in (True, False):
            keys = [
                (one.problem_id, one.index, one.text_hash)
                for one in graded
                if one.accepted == accepted
            ]
            items += _lots(seed, partition, keys, max(per_arm // 2, 1))
    if not items:
        raise UserError(f"{run.path}: no sample has a verdict yet; run 'vlm-boundary verify' first")
    return _stored(
        run,
        LabelQueue(
            name=name,
            seed=seed,
            max_accuracy=1.0,
            per_arm=per_arm,
            items=_mixed(items),
            subject="answer",
        ),
    )


def _mixed(items: list[QueueItem]) -> tuple[QueueItem, ...]:
    """By a hash of the item's own: no arm before another, no problem's samples side by side."""
    return tuple(sorted(items, key=lambda item: item.item))


def _stored(run: RunDirectory, queue: LabelQueue) -> LabelQueue:
    path = queue_path(run, queue.name)
    if path.is_file() and read_queue(run, queue.name) != queue:
        raise UserError(
            f"{path}: there is another queue of this name, and labels refer to it; give the new "
            f"one another --name"
        )
    write_json(path, asdict(queue))
    return queue


def _why_empty(run: RunDirectory, experiment: ExperimentConfig, max_accuracy: float) -> str:
    if not run.verdicts.partitions():
        return "no sample has a verdict yet; run 'vlm-boundary verify' first"
    if len(nothing_to_read(run, experiment)) == len(experiment.arms):
        return "no arm has a right answer, so there is nothing to read; draw more samples"
    return (
        f"no right answer on a problem with accuracy below {max_accuracy:.0%} and above 0; draw "
        f"more samples, or raise --max-accuracy"
    )


def queue_path(run: RunDirectory, name: str) -> Path:
    """Where a queue is kept.

    Raises:
        UserError: the name cannot be a file's.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"queue name {name!r}: use letters, digits, '.', '_' and '-'")
    return run.labels / "queues" / f"{name}.json"


def queue_names(run: RunDirectory) -> list[str]:
    """The queues of a run, sorted."""
    return sorted(path.stem for path in (run.labels / "queues").glob("*.json"))


def read_queue(run: RunDirectory, name: str) -> LabelQueue:
    """A stored queue.

    Raises:
        UserError: there is none of this name, or the file is not one.
    """
    path = queue_path(run, name)
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        items = tuple(
            QueueItem(**item | {"sample": SampleKey(**item["sample"])})
            for item in content.pop("items")
        )
        return LabelQueue(**content, items=items)
    except FileNotFoundError:
        there = ", ".join(queue_names(run)) or "none; 'vlm-boundary queue' makes one"
        raise UserError(f"{run.path}: no queue {name!r}; there are {there}") from None
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a queue ({error}); was it edited?") from None


def _drawn(
    run: RunDirectory,
    experiment: ExperimentConfig,
    partition: Partition,
    seed: int,
    max_accuracy: float,
    per_arm: int | None,
) -> Iterator[QueueItem]:
    n = _first(experiment, partition.arm)
    keys = [
        (problem.problem_id, index, text_hash)
        for problem in correct_samples(run, partition, n, seed)
        if problem.accuracy < max_accuracy or max_accuracy == 1.0
        for index, text_hash in zip(problem.indices, problem.text_hashes, strict=True)
    ]
    return _lots(seed, partition, keys, per_arm)


def _first(experiment: ExperimentConfig, arm: str) -> int:
    """Samples that all problems have: with a stopping rule hard ones have more."""
    sampling = experiment.arm_sampling(arm)
    return sampling.rule.first if sampling.rule else sampling.n


def _lots(
    seed: int, partition: Partition, keys: Iterable[tuple[str, int, str]], most: int | None
) -> Iterator[QueueItem]:
    """A uniform draw of at most so many samples, given by problem, index and text."""
    candidates = []
    for problem_id, index, text_hash in keys:
        key = SampleKey(
            arm=partition.arm,
            benchmark=partition.benchmark,
            problem_id=problem_id,
            sample_index=index,
            condition=FULL,
        )
        item = _item(seed, key)
        candidates.append(QueueItem(item=item, sample=key, text_hash=text_hash, weight=1.0))
    # The first by a hash that knows nothing of the sample but its name.
    candidates.sort(key=lambda candidate: candidate.item)
    chosen = candidates[:most]
    for candidate in chosen:
        yield replace(candidate, weight=len(candidates) / len(chosen))


def _item(seed: int, key: SampleKey) -> str:
    """A name for a sample under which nobody recognises it."""
    content = json.dumps([seed, *vars(key).values()])
    return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()

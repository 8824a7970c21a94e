"""The section `calibration`: the checkers against people, and what people's word makes of them.

Each arm by itself: a checker that is kinder to one arm's style would otherwise make a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.agreement import (
    Statistic,
    Tables,
    cohen_kappa,
    gwet_ac1,
    sensitivity,
    specificity,
)
from vlm_boundary.analysis.cot_pass_at_k import calibrated_curve
from vlm_boundary.analysis.counts import Bools, Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import Clustered, known
from vlm_boundary.analysis.labelled_verdicts import rows_of
from vlm_boundary.analysis.quantiles import normal
from vlm_boundary.analysis.readings import ValidReading, readings
from vlm_boundary.reasoning.people.labels import Label, SampleKey, labels_by_sample, read_labels
from vlm_boundary.reasoning.people.queue import LabelQueue, read_queue
from vlm_boundary.records.reasoning import (
    AgainstPeople,
    Calibration,
    Confusion,
    CorrectedShare,
    LabelGroup,
    LabelledArm,
    QueueSize,
    TwoPeople,
)
from vlm_boundary.records.record import Estimate, Interval
from vlm_boundary.store import Partition

BY_HAND = "picked by hand"
"""Labels that no queue led to: they show agreement, but stand for nothing beyond themselves."""
# Below this, a checker tells valid from invalid too badly for its rate to be corrected.
_INFORMATIVE = 0.2


def calibration(data: BenchmarkData) -> Calibration | None:
    """Agreement of people with each other and with every reading, and corrected P(valid | right).

    Only labels of the text that is graded, and of answers that are right, count.
    """
    stored = read_labels(data.run)
    of_benchmark = [x for x in stored.on("reasoning") if x.sample.benchmark == data.benchmark]
    labels, stale = _current(data, of_benchmark)
    if not of_benchmark:
        return None
    queues = sorted({label.queue for label in labels if label.queue is not None})
    groups: dict[str, LabelGroup] = {}
    for name in (*queues, None):
        group = [label for label in labels if label.queue == name]
        queue = read_queue(data.run, name) if name is not None else None
        if group:
            groups[name or BY_HAND] = _group(data, group, queue)
    return Calibration(
        labels=len(labels),
        blind=sum(label.blind for label in labels),
        stale=stale,
        unreadable_lines=stored.unreadable,
        people=_people(data, labels),
        groups=groups,
    )


def _current(data: BenchmarkData, labels: list[Label]) -> tuple[list[Label], int]:
    """The labels whose text is still the one that is graded as right, and how many are not."""
    hashes: dict[SampleKey, str] = {}
    for arm in {label.sample.arm for label in labels} & set(data.arms):
        wanted = pc.field("problem_id").isin(
            sorted({x.sample.problem_id for x in labels if x.sample.arm == arm})
        )
        columns = ["problem_id", "sample_index", "correct", "text_hash"]
        rows = data.run.verdicts.read(Partition(arm, data.benchmark), columns, wanted)
        indices = rows["sample_index"].to_numpy()
        counted = data.verdicts[arm].rows_of(rows["problem_id"], indices) >= 0
        for row in rows.filter(pa.array(counted)).to_pylist():
            if row["correct"]:
                key = SampleKey(
                    arm=arm,
                    benchmark=data.benchmark,
                    problem_id=row["problem_id"],
                    sample_index=row["sample_index"],
                )
                hashes[key] = row["text_hash"]
    kept = [label for label in labels if hashes.get(label.sample) == label.text_hash]
    return kept, len(labels) - len(kept)


def _people(data: BenchmarkData, labels: list[Label]) -> list[TwoPeople]:
    """Each two labellers on what both decided: the ceiling of what a checker can reach."""
    by_labeller: dict[str, dict[SampleKey, Label]] = {}
    for label in labels:
        if label.verdict != "unsure":
            by_labeller.setdefault(label.labeller, {})[label.sample] = label
    found = []
    for one, other in combinations(sorted(by_labeller), 2):
        shared = sorted(by_labeller[one].keys() & by_labeller[other].keys())
        if shared:
            first, second = (
                np.array([by_labeller[name][key].verdict == "valid" for key in shared])
                for name in (one, other)
            )
            problems = _numbered((key.arm, key.problem_id) for key in shared)
            tables = Tables.of(first, second, np.ones(len(shared)), problems)
            found.append(
                TwoPeople(
                    labellers=[one, other],
                    samples=len(shared),
                    kappa=_estimate(data, tables, cohen_kappa, one, other),
                    ac1=_estimate(data, tables, gwet_ac1, one, other),
                )
            )
    return found


def _group(data: BenchmarkData, labels: list[Label], queue: LabelQueue | None) -> LabelGroup:
    """One queue's labels, arm by arm; or those picked by hand."""
    arms = {}
    for arm in data.arms:
        mine = [label for label in labels if label.sample.arm == arm]
        if mine:
            arms[arm] = _labelled(data, arm, mine, queue)
    size = None
    if queue is not None:
        size = QueueSize(max_accuracy=queue.max_accuracy, samples=len(queue.items))
    return LabelGroup(queue=size, arms=arms)


def _labelled(
    data: BenchmarkData, arm: str, labels: list[Label], queue: LabelQueue | None
) -> LabelledArm:
    by_sample = labels_by_sample(labels)
    truth: dict[SampleKey, bool] = {}
    weights: dict[SampleKey, float] = {}
    disputed = unsure = 0
    for key, given in by_sample.items():
        yes = sum(label.verdict == "valid" for label in given)
        no = sum(label.verdict == "invalid" for label in given)
        if yes == no:
            disputed += yes > 0
            unsure += yes == 0
        else:
            truth[key], weights[key] = yes > no, given[0].weight or 1.0
    keys = sorted(truth)
    verdicts = data.verdicts[arm]
    rows = rows_of(verdicts, keys)  # each has one: `_current` has seen it
    labelled = _Labelled(
        people=np.array([truth[key] for key in keys], dtype=bool),
        weight=np.array([weights[key] for key in keys], dtype=np.float64),
        problem=verdicts.problem[rows].astype(np.int64),
    )
    return LabelledArm(
        samples=len(by_sample),
        valid=int(labelled.people.sum()),
        invalid=int((~labelled.people).sum()),
        unsure=unsure,
        disputed=disputed,
        readings={
            reading.name: _against_people(data, arm, reading, rows, labelled, queue)
            for reading in readings(data, arm)
        },
    )


@dataclass(frozen=True)
class _Labelled:
    """Right answers, one row each: whether people find them valid, inclusion weight, problem."""

    people: Bools
    weight: Floats
    problem: Ints

    def where(self, which: Bools) -> _Labelled:
        return _Labelled(self.people[which], self.weight[which], self.problem[which])


def _against_people(
    data: BenchmarkData,
    arm: str,
    reading: ValidReading,
    rows: Ints,
    labelled: _Labelled,
    queue: LabelQueue | None,
) -> AgainstPeople:
    told = reading.judged[rows] & ~reading.unknown[rows]
    said, checker = labelled.where(told), reading.valid[rows][told]
    tables = Tables.of(said.people, checker, said.weight, said.problem)
    counted = Tables.of(said.people, checker, np.ones(len(checker)), said.problem)
    cells = dict(zip(Confusion.model_fields, map(int, counted.cells.sum(axis=0)), strict=True))
    corrected = {}
    if queue is not None and told.any():
        found = _corrected(data, arm, reading, queue, said, checker, tables)
        corrected["p_valid_given_right"] = found

    def estimate(statistic: Statistic) -> Estimate:
        return _estimate(data, tables, statistic, arm, reading.name)

    return AgainstPeople(
        confusion=Confusion(**cells),
        not_told=int((~told).sum()),
        kappa=estimate(cohen_kappa),
        ac1=estimate(gwet_ac1),
        sensitivity=estimate(sensitivity),
        specificity=estimate(specificity),
        **corrected,
    )


def _corrected(
    data: BenchmarkData,
    arm: str,
    reading: ValidReading,
    queue: LabelQueue,
    said: _Labelled,
    valid: Bools,
    tables: Tables,
) -> CorrectedShare:
    """P(valid | right) on the queue's problems: the checker's, and with people's word.

    Prediction-powered (Angelopoulos et al. 2023, arXiv 2301.09633): the checker's mean over all
    right answers, plus people's mean difference from it. Rogan and Gladen 1978: (q + sp - 1) /
    (se + sp - 1), left out where that denominator is below 0.2.
    """
    counts, verdicts = data.counts(arm), data.verdicts[arm]
    accuracy = counts.correct / counts.samples
    hard = (counts.correct > 0) & ((accuracy < queue.max_accuracy) | (queue.max_accuracy == 1.0))
    by_problem = reading.counts(verdicts)
    at = np.flatnonzero(hard & (by_problem.judged > by_problem.unknown))
    told = by_problem.judged[at] - by_problem.unknown[at]
    weights = counts.correct[at].astype(np.float64)
    checker = Clustered((weights * by_problem.valid[at] / told)[:, None], weights[:, None])
    q = float(checker.mean()[0])
    _, group = np.unique(said.problem, return_inverse=True)
    gap, weight = (
        np.bincount(group, values).astype(np.float64)[:, None]
        for values in (said.weight * (said.people.astype(np.float64) - valid), said.weight)
    )
    rectifier = Clustered(gap, weight)
    corrected = q + float(rectifier.mean()[0])
    error = float(np.hypot(checker.error()[0], rectifier.error()[0]))
    reach = normal(0.5 + data.settings.confidence / 2) * error
    cells = tables.cells.sum(axis=0)[None, :]
    se, sp = float(sensitivity(cells)[0]), float(specificity(cells)[0])
    youden = se + sp - 1
    rogan_gladen = np.clip((q + sp - 1) / youden, 0, 1) if youden >= _INFORMATIVE else np.nan
    values = np.clip([corrected, corrected - reach, corrected + reach], 0, 1)
    estimate, low, high = known(values)
    curve = {}
    if (told == counts.correct[at]).all():  # p_j is known of every right answer
        passed, samples = by_problem.valid[at], counts.samples[at]
        labels = {
            kind: (int(said.people[valid == kind].sum()), int((valid == kind).sum()))
            for kind in (True, False)
        }
        ks = data.shown_ks(data.n(arm))
        level, rng = data.settings.confidence, data.rng("calibrated", arm, reading.name)
        curve["cot_pass_at_k"] = calibrated_curve(
            samples, passed, told - passed, labels, ks, level, rng
        )
    return CorrectedShare(
        checker=known(np.array([q]))[0],
        prediction_powered=Interval(estimate=estimate, low=low, high=high),
        rogan_gladen=known(np.array([rogan_gladen]))[0],
        problems=len(at),
        **curve,
    )


def _estimate(data: BenchmarkData, tables: Tables, statistic: Statistic, *names: str) -> Estimate:
    return tables.estimate(statistic, data.settings.confidence, data.rng("calibration", *names))


def _numbered(names: Iterable[tuple[str, str]]) -> Ints:
    known_names: dict[tuple[str, str], int] = {}
    return np.array([known_names.setdefault(name, len(known_names)) for name in names])

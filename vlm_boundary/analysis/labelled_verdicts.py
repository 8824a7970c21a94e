"""How often the verifier errs on each arm's answers, by what people say of answers drawn for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlm_boundary.analysis.counts import Bools, Codes, Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.distributions import STRATA, difficulty
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.verdicts import Verdicts
from vlm_boundary.reasoning.people.labels import Label, SampleKey, labels_by_sample, read_labels
from vlm_boundary.records.record import Interval
from vlm_boundary.records.sections import CheckedAnswers, LabelledErrors, LabelledVerdicts


def labelled_verdicts(data: BenchmarkData) -> dict[str, LabelledVerdicts]:
    """By arm, where people labelled answers from a queue; a label is of the text that was read."""
    labels = [
        label
        for label in read_labels(data.run).on("answer")
        if label.sample.benchmark == data.benchmark and label.weight is not None
    ]
    found = {}
    for arm in data.arms:
        mine = [label for label in labels if label.sample.arm == arm]
        if mine:
            found[arm] = _of_arm(data, arm, mine)
    return found


def _of_arm(data: BenchmarkData, arm: str, labels: Sequence[Label]) -> LabelledVerdicts:
    verdicts, by_sample = data.verdicts[arm], labels_by_sample(labels)
    rows = rows_of(verdicts, list(by_sample))
    kept, right, weight = [], [], []
    unsure = disputed = stale = 0
    for row, given in zip(rows.tolist(), by_sample.values(), strict=True):
        read = {label.text_hash for label in given}
        yes = sum(label.verdict == "right" for label in given)
        no = sum(label.verdict == "wrong" for label in given)
        if row < 0 or read != {format(int(verdicts.text[row]), "016x")}:
            stale += 1
        elif yes == no:
            disputed += yes > 0
            unsure += yes == 0
        else:
            kept.append(row)
            right.append(yes > no)
            weight.append(given[0].weight or 1.0)
    at, said, heavy = np.array(kept, np.int64), np.array(right, bool), np.array(weight, float)
    stratum, level = _stratum(data, arm), data.settings.confidence

    def errors(which: Bools) -> LabelledErrors:
        here = which[at]
        return _errors(verdicts, which, at[here], said[here], heavy[here], level)

    read_of = np.unique(stratum[at])
    return LabelledVerdicts(
        **errors(np.ones(len(verdicts), dtype=bool)).given(),
        unsure=unsure,
        disputed=disputed,
        stale=stale,
        by_difficulty={STRATA[place]: errors(stratum == place) for place in read_of if place >= 0},
    )


def rows_of(verdicts: Verdicts, keys: Sequence[SampleKey]) -> Ints:
    """The verdict on each sample, -1 where there is none."""
    places = verdicts.places([key.problem_id for key in keys])
    return verdicts.rows_at(places, np.array([key.sample_index for key in keys], dtype=np.int64))


def _stratum(data: BenchmarkData, arm: str) -> Ints:
    """How hard each of an arm's answers is, as a place in `STRATA`; -1 where it is not known.

    By the verdicts on the base's other answers to the problem, without its own.
    """
    verdicts = data.verdicts[arm]
    base = next((one for one in data.arms if data.experiment.arms[one].role == "base"), None)
    if base is None:
        return np.full(len(verdicts), -1, dtype=np.int64)
    counts = data.counts(base)
    place = data.verdicts[base].places(verdicts.problem_ids)[verdicts.problem]
    own = (place >= 0) & (arm == base)
    correct = counts.correct[place] - (own & verdicts.right)
    return np.where(place >= 0, difficulty(correct, counts.samples[place] - own), -1)


def _errors(
    verdicts: Verdicts, which: Bools, at: Ints, right: Bools, weight: Floats, level: float
) -> LabelledErrors:
    """The rates of some of an arm's answers, from those of them that people read.

    With A answers accepted and R not, of which shares p and q are right: false positives are
    A (1 - p) / (A (1 - p) + R (1 - q)), false negatives R q / (A p + R q) (Bayes). Both intervals
    are from those of p and q, each at the square root of the level, so that both hold at once.

    Args:
        which: the answers, shape (verdicts,).
        at: rows of those that were read, with what people say and inclusion weights.
    """
    accepted = int((verdicts.right & which).sum())
    rejected = int(which.sum()) - accepted
    shares = []
    for called in (True, False):
        here = verdicts.right[at] == called
        problem = verdicts.problem[at[here]]
        shares.append(_share(right[here], weight[here], problem, np.sqrt(level)))
    p, q = shares
    ends = [(p[0], q[0]), (p[2], q[1]), (p[1], q[2])]  # estimate, least and most false positives
    positive = [_ratio(accepted, 1 - one, rejected, 1 - two) for one, two in ends]
    negative = [_ratio(rejected, two, accepted, one) for one, two in ends]
    called_right = verdicts.right[at]
    return LabelledErrors(
        accepted=CheckedAnswers(
            answers=accepted, read=int(called_right.sum()), right=int(right[called_right].sum())
        ),
        rejected=CheckedAnswers(
            answers=rejected, read=int((~called_right).sum()), right=int(right[~called_right].sum())
        ),
        false_positive=_interval(positive),
        false_negative=_interval(negative),
    )


def _share(
    right: Bools, weight: Floats, problem: Codes, level: float
) -> tuple[float, float, float]:
    """A share of right answers with its interval, all NaN where none was read.

    Clopper and Pearson's with the effective number of answers (Korn and Graubard 1998), those to
    one problem counting as one between them.
    """
    from scipy.stats import beta

    if not len(right):
        return np.nan, np.nan, np.nan
    share = float((weight * right).sum() / weight.sum())
    by_problem = np.bincount(problem, weight)
    size = weight.sum() ** 2 / (by_problem**2).sum()
    x, tail = share * size, (1 - level) / 2
    low = float(beta.ppf(tail, x, size - x + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, x + 1, size - x)) if share < 1 else 1.0
    return share, low, high


def _ratio(answers: int, share: float, others: int, of_others: float) -> float:
    """The part of the one in both; a share of no answers counts for nothing, NaN is not known."""
    one = answers * share if answers else 0.0
    two = others * of_others if others else 0.0
    return one / (one + two) if one + two > 0 else np.nan


def _interval(values: list[float]) -> Interval:
    estimate, low, high = known(np.array(values))
    return Interval(estimate=estimate, low=low, high=high)

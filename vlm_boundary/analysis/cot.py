"""The sections `cot` and `thoughts`: right for a valid reason, and answers the thought denies."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.cot_pass_at_k import subset_pass_at_k
from vlm_boundary.analysis.counts import Bools, Counts, Floats, Ints
from vlm_boundary.analysis.data import DIFFERENCE, BenchmarkData, Pair
from vlm_boundary.analysis.differences import compare, crossover, difference_at_k
from vlm_boundary.analysis.readings import ValidCounts, ValidReading, of_the_same_text, readings
from vlm_boundary.analysis.shares import share_of
from vlm_boundary.reasoning.thought import AGREES, DIFFERS
from vlm_boundary.records.reasoning import (
    ThoughtDiffers,
    ThoughtsOfArm,
    ValidDifference,
    ValidOfArm,
    ValidOfPair,
    ValidReasoning,
)
from vlm_boundary.records.record import Crossover, Curve, Entry, where_known
from vlm_boundary.store import Partition

E = TypeVar("E", bound=Entry)
_LAYER = "structure"  # it compares an answer with the thought before it


def cot(data: BenchmarkData) -> ValidReasoning | None:
    """CoT-pass@k, P(valid | right) and the problems solved without a valid chain, by reading.

    A wrong answer is never valid. Differences are other − base, on the problems that both have.
    """
    read = {arm: list(readings(data, arm)) for arm in data.arms}
    found = {
        arm: {reading.name: reading.counts(data.verdicts[arm]) for reading in by_arm}
        for arm, by_arm in read.items()
        if by_arm
    }
    if not found:
        return None
    return ValidReasoning(
        layers=data.run.validity_layers(),
        arms={
            arm: {reading.name: _valid(data, arm, reading) for reading in read[arm]}
            for arm in found
        },
        pairs=[
            ValidOfPair(
                base=pair.base,
                other=pair.other,
                pass_at_k_crossover=_plain_crossover(data, pair),
                readings=shared,
            )
            for pair in data.pairs()
            if (shared := _differences(data, pair, found))
        ],
    )


def _valid(data: BenchmarkData, arm: str, said: ValidReading) -> ValidOfArm:
    counts = data.counts(arm)
    reading = said.counts(data.verdicts[arm])
    ks = np.arange(1, data.n(arm) + 1)
    low, high = _bounds(counts, reading, ks)
    solved = counts.correct > 0
    none_valid = solved & (reading.valid + reading.unknown == 0)
    whole = reading.judged == counts.correct

    def curve(values: Floats) -> Curve:
        return _shown(data.means(values, counts.problem_ids).curve(ks), data, data.n(arm))

    bounded = not np.array_equal(low, high, equal_nan=True)
    return ValidOfArm(
        correct=int(counts.correct.sum()),
        judged=int(reading.judged.sum()),
        valid=int(reading.valid.sum()),
        unknown=int(reading.unknown.sum()),
        p_valid_given_correct=_share_of(data, arm, said),
        cot_pass_at_k=curve(low),
        solved=int(solved.sum()),
        solved_with_a_valid_chain=int((reading.valid > 0).sum()),
        solved_only_by_invalid_chains=list(counts.where(none_valid & whole)),
        no_valid_chain_among_those_judged=int((none_valid & ~whole).sum()),
        **where_known(cot_pass_at_k_upper=curve(high) if bounded else None),
    )


def _plain_crossover(data: BenchmarkData, pair: Pair) -> Crossover:
    """The crossover under pass@k, to be read beside those under CoT-pass@k."""
    values = difference_at_k(pair.base_counts, pair.other_counts, np.arange(1, pair.n + 1))
    return crossover(data.means(values, pair.problem_ids, DIFFERENCE))


def _bounds(counts: Counts, reading: ValidCounts, ks: Ints) -> tuple[Floats, Floats]:
    """Unknown ones as not valid below, as valid above."""
    lenient = reading.valid + reading.unknown
    low, high = (
        subset_pass_at_k(counts.samples, counts.correct, reading.judged, valid, ks, counts.rule)
        for valid in (reading.valid, lenient)
    )
    return low[0], high[1]


def _share_of(data: BenchmarkData, arm: str, said: ValidReading) -> Entry:
    """P(valid | right): each problem's share, weighted by how many right answers it has.

    With a stopping rule it is of the samples up to the first look: of all, hard problems have more.
    """
    verdicts, level = data.verdicts[arm], data.settings.confidence
    below = data.first_look.n(arm) if arm in data.ended else None
    first = verdicts.right if below is None else verdicts.right & (verdicts.index < below)
    reading, groups = said.counts(verdicts, below), data.groups(verdicts.problem_ids)
    weights = np.where(reading.judged > 0, verdicts.count(first), 0)
    shares = reading.valid / np.maximum(reading.judged, 1)
    return share_of(weights * shares, weights, level, groups)


def _differences(
    data: BenchmarkData, pair: Pair, found: dict[str, dict[str, ValidCounts]]
) -> dict[str, ValidDifference]:
    """The paired difference of CoT-pass@k under every reading that both arms have."""
    both = [name for name in found.get(pair.base, {}) if name in found.get(pair.other, {})]
    ks = np.arange(1, pair.n + 1)
    groups, level = data.groups(pair.problem_ids), data.settings.confidence
    result: dict[str, ValidDifference] = {}
    for name in both:
        bounds = []
        for arm in pair.names:
            rows = data.verdicts[arm].places(pair.problem_ids)
            bounds.append([of[rows] for of in _bounds(data.counts(arm), found[arm][name], ks)])
        (base_low, base_high), (low, high) = bounds
        draws, rng = data.settings.bootstrap_draws, data.rng(pair.base, pair.other, name)
        said = compare(low - base_low, level, groups, draws, rng)
        bounds_of: dict[str, Curve] = {}
        least, most = low - base_high, high - base_low
        if not np.array_equal(least, most, equal_nan=True):
            for key, values in (("difference_least", least), ("difference_most", most)):
                entries = data.means(values, pair.problem_ids, DIFFERENCE).curve(ks)
                bounds_of[key] = _shown(entries, data, pair.n)
        shown = {"difference": _shown(said.difference, data, pair.n)}
        result[name] = ValidDifference(**said.given() | shown | bounds_of)
    return result


def _shown(entries: dict[int, E], data: BenchmarkData, n: int) -> dict[int, E]:
    """Only the k of tables and of the paper's figures: there are many readings."""
    return {k: entries[k] for k in data.grid(n).tolist()}


def thoughts(data: BenchmarkData) -> dict[str, ThoughtsOfArm] | None:
    """By arm, of samples whose thought concludes something: how many are answered otherwise.

    None where no arm has a separate thought. Only samples up to the first look are counted.
    """
    if _LAYER not in data.run.validity_layers():
        return None
    found = {}
    for arm in data.arms:
        agrees, differs = (_raised(data, arm, flag) for flag in (AGREES, DIFFERS))
        if not (agrees | differs).any():
            continue
        right = data.verdicts[arm].right
        found[arm] = ThoughtsOfArm(
            all_answers=_differing(data, arm, agrees, differs),
            right_answers=_differing(data, arm, agrees & right, differs & right)
            if ((agrees | differs) & right).any()
            else None,
        )
    return found or None


def _raised(data: BenchmarkData, arm: str, flag: str) -> Bools:
    """Whether the flag is raised of each verdict's sample, on the text that was graded."""
    verdicts = data.verdicts[arm]
    columns = ["problem_id", "sample_index", "flags", "text_hash"]
    partition = Partition(arm, data.benchmark)
    table = data.run.validity(_LAYER).read(partition, columns, coded=["problem_id"])
    flags = table["flags"].combine_chunks()
    owner = pc.list_parent_indices(flags).to_numpy(False)
    named = pc.equal(flags.flatten(), pa.scalar(flag)).to_numpy(False)
    raised = np.zeros(table.num_rows, dtype=bool)
    raised[owner[named.astype(bool)]] = True
    rows = of_the_same_text(verdicts, table)
    of_samples = np.zeros(len(verdicts), dtype=bool)
    of_samples[rows[(rows >= 0) & raised]] = True
    if arm in data.ended:
        of_samples &= verdicts.index < data.first_look.n(arm)
    return of_samples


def _differing(data: BenchmarkData, arm: str, agrees: Bools, differs: Bools) -> ThoughtDiffers:
    """The share of samples, with the interval of a ratio of sums over problems (linearised)."""
    verdicts = data.verdicts[arm]
    compared = verdicts.count(agrees | differs)
    otherwise = verdicts.count(differs)
    groups = data.groups(verdicts.problem_ids)
    return ThoughtDiffers(
        samples=int(compared.sum()),
        differ=int(otherwise.sum()),
        share=share_of(otherwise, compared, data.settings.confidence, groups),
    )

"""The section `luck`: what guessing would score, and which problems are solved above that."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData, Pair
from vlm_boundary.analysis.guessing import (
    EXCHANGES,
    SMOOTHING_ANSWERS,
    Exchange,
    Moved,
    fewest_lists,
    guessed_pass_at_k,
    held_out_chance,
    leave_one_out_chance,
    list_length,
    move,
    moved_pass_at_k,
    own_chance,
)
from vlm_boundary.analysis.intervals import known
from vlm_boundary.analysis.sets import mcnemar
from vlm_boundary.errors import UserError
from vlm_boundary.nulls import is_null
from vlm_boundary.records.record import Curve
from vlm_boundary.records.sections import ByLuck, Guesser, Luck, LuckOfArm, LuckOfPair, ProblemLuck
from vlm_boundary.store import Partition, encoded
from vlm_boundary.verifier import Gold, cross


def luck(data: BenchmarkData) -> Luck | None:
    """The blind guesser's curve; each arm's floor and what it solves above it; pairs on that.

    None where a program of the benchmark's own grades: the verifier's comparison is not its.
    """
    if data.loaded.grader_program is not None:
        return None
    found = {arm: _luck_of(data, arm) for arm in data.arms}
    return Luck(
        guesser=_guesser(data),
        false_discovery_rate=data.settings.false_discovery_rate,
        fewest_lists=fewest_lists(data.settings.false_discovery_rate),
        arms=found,
        pairs=[_compare(pair, found[pair.base], found[pair.other]) for pair in data.pairs()],
    )


def _guesser(data: BenchmarkData) -> Guesser:
    """A guesser that knows how often each answer is right, and not the question."""
    problem_ids = tuple(sorted({key for arm in data.arms for key in data.counts(arm).problem_ids}))
    problems = [data.problems[key] for key in problem_ids]
    golds = [Gold.of(problem) for problem in problems]
    smoothing = data.settings.guess_smoothing
    spread = cross(SMOOTHING_ANSWERS, golds).mean(axis=0)
    path = data.settings.guess_priors.get(data.benchmark)
    if path is None:
        right = cross([gold.answer for gold in golds], golds)
        chance = leave_one_out_chance(right, smoothing, spread)
        prior = {"prior": "leave_one_out"}
        known_answers = len(golds) - 1
    else:
        answers = read_prior(Path(path))
        chance = held_out_chance(cross(answers, golds), smoothing, spread)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        prior = {"prior": path, "sha256": digest}
        known_answers = len(answers)
    declared = np.array(
        [np.nan if p.grading.chance is None else p.grading.chance for p in problems]
    )
    chance = np.where(np.isnan(declared), chance, declared)
    ks = data.grid(max(data.n(arm) for arm in data.arms))
    values = guessed_pass_at_k(chance, ks)
    return Guesser(
        answers=known_answers,
        smoothing=smoothing,
        declared_chances=int((~np.isnan(declared)).sum()),
        pass_at_k=data.means(values, problem_ids).curve(ks),
        **prior,
    )


def read_prior(path: Path) -> list[str]:
    """The answers of a file with a column `answer`; UserError where it has none or is not read."""
    from vlm_boundary.benchmarks.sources.files import file_records

    answers = []
    for row, record in enumerate(file_records(path), start=1):
        if is_null(record.get("answer")):
            raise UserError(
                f"{path}, record {row}: it has no 'answer'; a prior is a file with that column, "
                f"an answer a record"
            )
        answers.append(str(record["answer"]))
    if not answers:
        raise UserError(f"{path}: there is no answer in it")
    return answers


def _luck_of(data: BenchmarkData, arm: str) -> LuckOfArm:
    counts = data.counts(arm)
    length = list_length(counts.samples)
    moved, types = _moved(data, arm, data.n(arm))
    exchange = _exchange(data, arm, moved, types, length)
    chance = own_chance(moved)
    rate = data.settings.false_discovery_rate
    p_values, above = exchange.above(rate)
    tested = ~np.isnan(p_values)
    ks = data.grid(data.n(arm))

    def curve(values: Floats) -> Curve:
        return data.means(values, counts.problem_ids).curve(ks)

    columns = zip(
        counts.problem_ids,
        known(chance),
        exchange.lists.tolist(),
        known(p_values),
        above.tolist(),
        strict=True,
    )
    return LuckOfArm(
        floor_pass_at_k=curve(moved_pass_at_k(moved, ks)),
        independent_guesses_pass_at_k=curve(guessed_pass_at_k(chance, ks)),
        list_length=length,
        by_luck=_by_luck(data, arm, exchange, types),
        solved=int((counts.correct > 0).sum()),
        solved_and_tested=int(((counts.correct > 0) & tested).sum()),
        above_floor=int(above.sum()),
        tested=int(tested.sum()),
        problems={
            key: ProblemLuck(
                chance=one, lists=lists, p_value=p, above_floor=None if p is None else yes
            )
            for key, one, lists, p, yes in columns
        },
    )


def _by_luck(
    data: BenchmarkData, arm: str, exchange: Exchange, types: NDArray[np.int64]
) -> ByLuck | None:
    """How many problems the arm solves of those with other lists, and how many luck would."""
    held = exchange.lists > 0
    if not held.any():
        return None
    drawn = exchange.solved_by_luck(types, EXCHANGES, data.rng("luck", arm))
    tail = (1 - data.settings.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], method="nearest")
    solved = int((exchange.own[held] > 0).sum())
    return ByLuck(
        problems=int(held.sum()),
        solved=solved,
        expected=float(drawn.mean()),
        low=int(low),
        high=int(high),
        p_value=float((1 + (drawn >= solved).sum()) / (EXCHANGES + 1)),
    )


def _exchange(
    data: BenchmarkData, arm: str, moved: Moved, types: NDArray[np.int64], length: int
) -> Exchange:
    """The first `length` samples of each problem, held against the others' gold answers."""
    counts, verdicts = data.counts(arm), data.verdicts[arm]
    if (counts.samples == length).all():
        hits, own = moved.hits, counts.correct
    else:
        hits = _moved(data, arm, length)[0].hits
        own = verdicts.count(verdicts.right & (verdicts.order < length))
    problems = [data.problems[key] for key in counts.problem_ids]
    same = np.zeros((len(problems), len(problems)), dtype=bool)
    for kind in np.unique(types):
        here = np.flatnonzero(types == kind)
        golds = [Gold.of(problems[row]) for row in here]
        same[np.ix_(here, here)] = cross([gold.answer for gold in golds], golds)
    whole = counts.samples >= length
    kin = (types[:, None] == types[None, :]) & whole[:, None] & whole[None, :]
    return Exchange(length, own, hits, kin, same | same.T)


def _moved(data: BenchmarkData, arm: str, first: int) -> tuple[Moved, NDArray[np.int64]]:
    """The first answers of each problem graded on the others of its type; the types, numbered."""
    from scipy.sparse import csr_matrix

    counts = data.counts(arm)
    problems = [data.problems[key] for key in counts.problem_ids]
    rows, columns, answers = _answers(data, arm, first)
    table = csr_matrix(
        (np.ones(len(rows), dtype=np.int64), (rows, columns)), (len(problems), len(answers))
    )
    kinds: dict[str | None, int] = {}
    types = np.array([kinds.setdefault(p.answer_type, len(kinds)) for p in problems])
    right = np.zeros((len(answers), len(problems)), dtype=bool)
    for kind in range(len(kinds)):
        here = np.flatnonzero(types == kind)
        given = np.unique(table[here].indices)
        golds = [Gold.of(problems[row]) for row in here]
        right[np.ix_(given, here)] = cross([answers[row] for row in given], golds)
    return move(table, np.minimum(counts.samples, first), right, types), types


def _answers(data: BenchmarkData, arm: str, first: int) -> tuple[Ints, Ints, list[str]]:
    """Of the first samples with an answer, the problem's row, the answer's column; the answers."""
    coded = ["problem_id", "extracted"]
    table = data.run.verdicts.read(Partition(arm, data.benchmark), coded, coded=coded)
    answer, answers = encoded(table["extracted"])
    verdicts = data.verdicts[arm]
    rows = verdicts.rows_of(table["problem_id"], table["sample_index"].to_numpy())
    within = (rows >= 0) & (answer >= 0)
    within[within] &= verdicts.order[rows[within]] < first
    problem = verdicts.problem[rows[within]]
    return problem.astype(np.int64), answer[within].astype(np.int64), answers


def _compare(pair: Pair, base: LuckOfArm, other: LuckOfArm) -> LuckOfPair:
    """Problems above their floors in both arms, in one, in none, of those tested in both."""
    arms = (base.problems, other.problems)
    tested = [{key for key, one in of.items() if one.p_value is not None} for of in arms]
    shared = tested[0] & tested[1]
    first, second = ({key for key in shared if of[key].above_floor} for of in arms)
    lost, won = first - second, second - first
    return LuckOfPair(
        base=pair.base,
        other=pair.other,
        tested=len(shared),
        both=len(first & second),
        base_only=len(lost),
        other_only=len(won),
        neither=len(shared - first - second),
        base_only_ids=sorted(lost),
        other_only_ids=sorted(won),
        mcnemar_p_value=mcnemar(len(lost), len(won)),
    )

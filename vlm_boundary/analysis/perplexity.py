"""Perplexity of responses under the arm that wrote them and under others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import known, mean_interval
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.records.sections import Perplexity, Quartiles
from vlm_boundary.store import Partition, RunDirectory


def response_perplexity(logprob_sum: Floats, tokens: Ints) -> Floats:
    """The exponential of the mean negative log-probability of a response's tokens.

    PPL(Y | x) = exp(-1/T · Σ_t log P(y_t | x, y_<t)) (Yue et al. 2025, arXiv 2504.13837, section
    4.1), where x is the prompt with its pictures and Y ends with its end of turn.

    Args:
        logprob_sum: natural logarithms, one per response.
        tokens: T, at least 1.
    """
    return np.exp(-logprob_sum / tokens)


def problem_quartiles(problem_ids: pa.ChunkedArray, values: Floats) -> tuple[list[str], Floats]:
    """The quartiles of each problem's values: what a box plot of its responses shows.

    A problem counts by its median, as in the paper's appendix C.4: one response that ran wild can
    have a perplexity a thousand times the others'.

    Args:
        problem_ids: of each value.
        values: shape (responses,).

    Returns:
        The problem ids, ascending; lower quartile, median and upper quartile, shape (problems, 3).
    """
    by_problem = pa.table({"problem": problem_ids, "value": values}).sort_by(
        [("problem", "ascending"), ("value", "ascending")]
    )
    problem = by_problem["problem"].combine_chunks().dictionary_encode()
    ordered = by_problem["value"].to_numpy()
    starts = np.flatnonzero(np.diff(problem.indices.to_numpy(), prepend=-1))
    groups = np.split(ordered, starts[1:])
    with np.errstate(invalid="ignore"):  # between two infinities nothing is known
        quartiles = np.array([np.quantile(group, (0.25, 0.5, 0.75)) for group in groups])
    return problem.dictionary.to_pylist(), quartiles


def perplexities(data: BenchmarkData) -> list[Perplexity] | None:
    """Perplexity for each pair of arms that was scored, and of each such arm's own samples.

    What an arm makes of its own samples is known from sampling; of those, as many of each problem
    are used as were scored. None where nothing was scored.
    """
    run, experiment, benchmark = data.run, data.experiment, data.benchmark
    rows = {}
    depth: dict[str, int] = {}
    for under in run.scorers():
        for arm in experiment.arms:
            partition = Partition(arm, benchmark)
            scores = run.scores(under).read(partition, ["logprob_sum", "tokens"], _alike(data, arm))
            if under not in experiment.arms or scores.num_rows == 0:
                continue
            failed = len(run.score_failures(under).read(partition))
            rows[arm, under] = _row(experiment, (arm, under), scores, failed)
            for one in (arm, under):
                used = int(pc.max(scores["sample_index"]).as_py()) + 1
                depth[one] = max(depth.get(one, 0), used)
    for arm, used in depth.items():
        if (arm, arm) not in rows:
            limit = data.first_look.n(arm) if arm in data.ended else used
            own = _own(run, Partition(arm, benchmark), min(used, limit))
            if own.num_rows:
                rows[arm, arm] = _row(experiment, (arm, arm), own, 0)
    return [
        rows[arm, under]
        for arm in experiment.arms
        for under in experiment.arms
        if (arm, under) in rows
    ] or None


def _alike(data: BenchmarkData, arm: str) -> pc.Expression | None:
    """Which samples are scored of all problems: with a stopping rule those up to the first look."""
    return pc.field("sample_index") < data.first_look.n(arm) if arm in data.ended else None


def _own(run: RunDirectory, partition: Partition, depth: int) -> pa.Table:
    """The log-probabilities that came with a partition's first samples."""
    first = pc.field("sample_index") < depth
    rows = run.samples.read(partition, ["logprob_sum", "tokens"], first)
    return rows.filter(pc.and_(pc.is_valid(rows["logprob_sum"]), pc.greater(rows["tokens"], 0)))


def _row(
    experiment: ExperimentConfig, arms: tuple[str, str], rows: pa.Table, failed: int
) -> Perplexity:
    values = response_perplexity(rows["logprob_sum"].to_numpy(), rows["tokens"].to_numpy())
    problem_ids, quartiles = problem_quartiles(rows["problem_id"], values)
    finite = np.where(np.isfinite(quartiles), quartiles, np.nan)
    by_problem = {}
    for key, row in zip(problem_ids, finite, strict=True):
        lower, median, upper = known(row)
        by_problem[key] = Quartiles(lower_quartile=lower, median=median, upper_quartile=upper)
    return Perplexity(
        responses_of=arms[0],
        under=arms[1],
        responses=rows.num_rows,
        not_scored=failed,
        perplexity=mean_interval(finite[:, 1], experiment.analysis.confidence, (1.0, np.inf)),
        by_problem=by_problem,
    )

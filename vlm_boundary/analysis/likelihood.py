"""How likely arms find responses: the sections `perplexity` and `entropy`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.counts import Floats, Ints
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.intervals import known, mean_interval
from vlm_boundary.config import ExperimentConfig, SamplingConfig
from vlm_boundary.records.sections import EntropyOfArm, Perplexity, Quartiles
from vlm_boundary.store import Partition, RunDirectory


def response_perplexity(logprob_sum: Floats, tokens: Ints) -> Floats:
    """exp(-1/T · Σ_t log P(y_t | x, y_<t)) of responses of T ≥ 1 tokens, end of turn included.

    Yue et al. 2025, arXiv 2504.13837, section 4.1; `logprob_sum` in natural logarithms.
    """
    return np.exp(-logprob_sum / tokens)


def problem_quartiles(problem_ids: pa.ChunkedArray, values: Floats) -> tuple[list[str], Floats]:
    """The quartiles of each problem's values: what a box plot of its responses shows.

    A problem counts by its median (Yue et al. 2025, arXiv 2504.13837, appendix C.4).

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

    Of its own, as many of each problem are used as were scored. None where nothing was scored.
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


def surprisal_per_token(
    problem: Ints, tokens: Floats, logprob_sum: Floats, problems: int
) -> Floats:
    """The mean of -log p over all tokens of each problem's samples, in nats.

    Of samples drawn from q and log-probabilities under q, its expectation is the entropy of q a
    token; under another distribution p it is the cross-entropy, which is larger.

    Args:
        problem: the place of each sample's problem, shape (samples,).
        tokens: shape (samples,); NaN where they are not known.
        logprob_sum: natural logarithms, shape (samples,); samples where it is NaN are left out.

    Returns:
        Shape (problems,); NaN where no token is left.
    """
    there = np.isfinite(logprob_sum) & (tokens > 0)
    total = np.bincount(problem[there], weights=-logprob_sum[there], minlength=problems)
    length = np.bincount(problem[there], weights=tokens[there], minlength=problems)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)


def matched_temperature(temperatures: Floats, entropies: Floats, target: float) -> float | None:
    """The temperature at which the entropy is the target; None outside what was measured.

    Entropies are made non-decreasing in temperature by least squares (isotonic regression), then
    joined by straight lines.

    Args:
        temperatures, entropies: ascending, and measured at each, shape (temperatures,).
    """
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(entropies).x
    if not rising[0] <= target <= rising[-1]:
        return None
    reaches = int(np.searchsorted(rising, target, side="left"))
    passes = int(np.searchsorted(rising, target, side="right"))
    first = _between(rising, temperatures, reaches, target)
    last = _between(rising, temperatures, passes, target)
    return (first + last) / 2  # of a level stretch its middle: the entropy says no more


def _between(rising: Floats, temperatures: Floats, end: int, target: float) -> float:
    """Where the line that ends at point `end` meets the target; past the ends the end itself."""
    if end == 0 or end == len(rising):
        return float(temperatures[min(end, len(rising) - 1)])
    low, high = rising[end - 1], rising[end]
    share = (target - low) / (high - low)
    return float(temperatures[end - 1] + share * (temperatures[end] - temperatures[end - 1]))


def is_untouched(sampling: SamplingConfig) -> bool:
    """Whether samples are the model's own: at temperature 1, with nothing cut or penalised."""
    return (
        sampling.temperature == 1
        and sampling.top_p == 1
        and sampling.top_k == 0
        and sampling.min_p == 0
        and sampling.repetition_penalty == 1
        and not sampling.args
    )


def entropy(data: BenchmarkData) -> dict[str, EntropyOfArm] | None:
    """How surprising each arm's own samples are to it, a token, in nats; None if not known.

    Stored log-probabilities are the model's own, at temperature 1: a cross-entropy, except where
    nothing changes the distribution that samples are drawn from.
    """
    found = {}
    for arm in data.arms:
        responses = data.responses[arm]
        values = surprisal_per_token(
            responses.problem, responses.tokens, responses.logprob_sum, len(responses.problem_ids)
        )
        if np.isnan(values).all():
            continue
        sampling = data.experiment.arm_sampling(arm)
        found[arm] = EntropyOfArm(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            cross_entropy=data.mean(values, responses.problem_ids, (0, np.inf)),
            is_entropy=is_untouched(sampling),
        )
    return found or None

"""Short sampled probes of an arm at several temperatures, and the entropy of what they sampled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.likelihood import matched_temperature, surprisal_per_token
from vlm_boundary.config import ArmConfig, ExperimentConfig, VllmConfig, build_experiment
from vlm_boundary.errors import UserError
from vlm_boundary.store import Partition, RunDirectory

_RESAMPLES = 1000
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Match:
    """The temperature at which one arm's entropy is another's, by problems that all probes sampled.

    Attributes:
        target: the other arm's entropy per token, in nats.
        entropies: by temperature, those of the arm that was tried.
        temperature: None where the target lies outside what was tried.
        low, high: of the temperature, 95 %, problems resampled; None where too many resamples have
            no match.
    """

    target: float
    entropies: dict[float, float]
    temperature: float | None
    low: float | None
    high: float | None
    problems: int


def probe_experiment(
    experiment: ExperimentConfig,
    base: str,
    other: str,
    temperatures: Sequence[float],
    per_problem: int,
) -> ExperimentConfig:
    """The experiment that samples the probes, in a run directory of its own inside the run's.

    Their log-probabilities are those after temperature and top-p, so that the surprisal of what was
    sampled is its entropy, and are never mixed with the run's own. UserError where an arm does not
    exist, or its engine cannot say them.
    """
    for name in (base, other):
        if name not in experiment.arms:
            valid = ", ".join(experiment.arms)
            raise UserError(f"there is no arm {name!r}; the experiment's arms are: {valid}")
    arms = {base: _probe(experiment, base, per_problem, None)}
    for temperature in temperatures:
        arms[_name(other, temperature)] = _probe(experiment, other, per_problem, temperature)
    raw = experiment.model_dump(mode="json") | {
        "run_dir": str(experiment.run_path / "entropy-probes"),
        "arms": {name: arm.model_dump(mode="json") for name, arm in arms.items()},
        "controls": {},
        "analysis": {},
    }
    return build_experiment(raw, (), where="match-entropy")


def _name(arm: str, temperature: float) -> str:
    return f"{arm}-T{temperature:g}"


def _probe(
    experiment: ExperimentConfig, name: str, per_problem: int, temperature: float | None
) -> ArmConfig:
    engine = experiment.arm_engine(name)
    if not isinstance(engine, VllmConfig):
        raise UserError(
            f"arm {name!r}: engine kind {engine.kind} does not say log-probabilities after "
            f"temperature and top-p; match-entropy needs kind vllm"
        )
    changes = {"n": per_problem, "logprob_sum": True, "token_logprobs": 0}
    sampling = experiment.arms[name].sampling | changes
    if temperature is not None:
        sampling["temperature"] = temperature
    engine = engine.model_copy(update={"processed_logprobs": True})
    return experiment.arms[name].model_copy(update={"sampling": sampling, "engine": engine})


def match_entropy(
    experiment: ExperimentConfig,
    base: str,
    other: str,
    temperatures: Sequence[float],
    per_problem: int,
    draw: Callable[[RunDirectory, ExperimentConfig], object],
) -> Match:
    """Sample the probes that are missing, by `draw`, and find the temperature.

    Args:
        base: the arm whose entropy is to be met, at its own temperature.
        other: the arm whose temperature is sought.
        temperatures: those to try.
        per_problem: samples of each problem.
    """
    tried = sorted(set(temperatures))
    probes = probe_experiment(experiment, base, other, tried, per_problem)
    run = RunDirectory(Path(probes.run_path))
    draw(run, probes)
    target = _entropies(run, probes, base, per_problem)
    columns = [_entropies(run, probes, _name(other, t), per_problem) for t in tried]
    shared = sorted(set(target).intersection(*columns))
    if not shared:
        raise UserError(f"{run.path}: no problem was sampled by every probe")
    values = np.array([[each[key] for key in shared] for each in [target, *columns]])
    return match(np.array(tried), values)


def match(temperatures: Floats, values: Floats) -> Match:
    """The temperature of equal mean entropy, with an interval by resampling problems.

    `values` are of shape (1 + temperatures, problems), first the target's, then by temperature.
    """
    problems = values.shape[1]
    rng = np.random.default_rng(0)
    weights = rng.multinomial(problems, np.full(problems, 1 / problems), _RESAMPLES) / problems
    means = values @ weights.T
    found = [matched_temperature(temperatures, column[1:], float(column[0])) for column in means.T]
    matched = np.array([one for one in found if one is not None])
    whole = values.mean(axis=1)
    # With resamples that have no match the interval reaches past what was tried.
    known = problems > 1 and matched.size > (1 - 2 * _TAILS[0]) * _RESAMPLES
    low, high = np.quantile(matched, _TAILS) if known else (None, None)
    return Match(
        target=float(whole[0]),
        entropies=dict(zip(temperatures.tolist(), whole[1:].tolist(), strict=True)),
        temperature=matched_temperature(temperatures, whole[1:], float(whole[0])),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        problems=problems,
    )


def _entropies(
    run: RunDirectory, probes: ExperimentConfig, arm: str, per_problem: int
) -> dict[tuple[str, str], float]:
    """Entropy per token of each benchmark's problems, by the first samples of each."""
    found = {}
    for benchmark in probes.benchmarks:
        first = pc.field("sample_index") < per_problem
        rows = run.samples.read(Partition(arm, benchmark), ["logprob_sum", "tokens"], first)
        problem = rows["problem_id"].combine_chunks().dictionary_encode()
        ids = problem.dictionary.to_pylist()
        values = surprisal_per_token(
            problem.indices.to_numpy().astype(np.int64),
            rows["tokens"].to_numpy().astype(np.float64),
            rows["logprob_sum"].to_numpy().astype(np.float64),
            len(ids),
        )
        for key, value in zip(ids, values, strict=True):
            if np.isfinite(value):
                found[benchmark, key] = float(value)
    return found

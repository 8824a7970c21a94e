"""The analysis stage: from verdicts to analysis.json, a section at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vlm_boundary.analysis.beyond_n import beyond_n, shrinkage
from vlm_boundary.analysis.calibration import calibration
from vlm_boundary.analysis.controls import controls, guess_filter
from vlm_boundary.analysis.cot import cot, thoughts
from vlm_boundary.analysis.curves import arms
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.distributions import distributions
from vlm_boundary.analysis.diversity import diversity
from vlm_boundary.analysis.efficiency import efficiency
from vlm_boundary.analysis.findings import Findings, in_order
from vlm_boundary.analysis.followup import followup
from vlm_boundary.analysis.judge_probe import judge_probe
from vlm_boundary.analysis.left_out import left_out
from vlm_boundary.analysis.likelihood import entropy, perplexities
from vlm_boundary.analysis.luck import luck
from vlm_boundary.analysis.pairs import consistency, pairs, self_test
from vlm_boundary.analysis.seeds import seed_effects
from vlm_boundary.analysis.seeing import seeing
from vlm_boundary.analysis.series import series
from vlm_boundary.analysis.shown import write_shown_tables
from vlm_boundary.analysis.significance import family
from vlm_boundary.analysis.tables import write_tables
from vlm_boundary.analysis.verifier_error import verifier_error
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.analysis import SCHEMA_VERSION, Analysis, BenchmarkAnalysis, read_analysis
from vlm_boundary.records.record import where_known
from vlm_boundary.sampling.identity import refuse_to_read_by
from vlm_boundary.store import RunDirectory, held, write_json, write_text
from vlm_boundary.verifier import grader_version

# What analysis.json says of a benchmark, by key; a section that has nothing to say is left out.
# With a stopping rule some sections are of the samples up to the first look, which all problems
# have, others of the unbiased pass@k up to n; those that are of both choose themselves.
SECTIONS: dict[str, Callable[[BenchmarkData], Any]] = {
    "arms": arms,
    "pairs": pairs,
    "self_test": self_test,
    "followup": followup,
    "perplexity": perplexities,
    "luck": lambda data: luck(data.first_look),
    "controls": controls,
    "guess_filter": guess_filter,
    "verifier_error": lambda data: verifier_error(data.first_look),
    "distributions": distributions,
    "consistency": lambda data: consistency(data.first_look),
    "diversity": lambda data: diversity(data.first_look),
    "efficiency": efficiency,
    "entropy": lambda data: entropy(data.first_look),
    "series": series,
    "shrinkage": shrinkage,
    "beyond_n": beyond_n,
    "cot": cot,
    "thoughts": thoughts,
    "seeing": seeing,
    "judge_probe": judge_probe,
    "calibration": lambda data: calibration(data.first_look),
    "left_out": left_out,  # last: the others read the controls
}


def analyze(run: RunDirectory, experiment: ExperimentConfig) -> Analysis:
    """Compute the run's statistics, write analysis.json and tables, and return what it says.

    Raises:
        UserError: there is no verdict to analyse, or samples were drawn under another stopping rule
            than they are to be read by.
    """
    for name, arm in run.read_manifest().arms.items():
        if name in experiment.arms:
            where = f"{run.path}: arm {name!r}"
            refuse_to_read_by(experiment.arm_sampling(name), arm.sampling, where=where)
    of = held(run)  # before it is read: what comes meanwhile is of the next time
    read = [BenchmarkData.read(run, experiment, name) for name in experiment.benchmarks]
    data = [found for found in read if found is not None]
    if not data:
        raise UserError(f"{run.path}: there are no verdicts to analyse; sample and verify first")
    benchmarks = {found.benchmark: _benchmark(found) for found in data}
    found = Analysis(
        schema_version=SCHEMA_VERSION,
        grader=grader_version(),
        confidence=experiment.analysis.confidence,
        benchmarks=benchmarks,
        multiplicity=family(benchmarks, data[0].margin),
        **where_known(seeds=seed_effects(data)),
    )
    write_json(run.analysis, found.as_json())
    write_text(run.analysed, of)
    write_tables(run.tables, found.benchmarks, data)
    # Of what was written, as whoever reads the file has it: the page's tables are the same.
    written = Findings(read_analysis(run.analysis), in_order(experiment))
    write_shown_tables(run.tables, written)
    return found


def _benchmark(data: BenchmarkData) -> BenchmarkAnalysis:
    shown = {k for arm in data.arms for k in data.shown_ks(data.n(arm)).tolist()}
    return BenchmarkAnalysis(
        problems=data.loaded.problems,
        unusable=data.loaded.unusable,
        ks=sorted(shown),
        **where_known(**{key: section(data) for key, section in SECTIONS.items()}),
    )

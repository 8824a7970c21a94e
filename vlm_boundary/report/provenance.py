"""What the numbers were drawn from: models, data, settings, versions, and what went wrong."""

from __future__ import annotations

import json
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vlm_boundary.analysis.left_out import left_out_lines
from vlm_boundary.analysis.shown.table import TextTable
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.records.analysis import Analysis, ArmAnalysis
from vlm_boundary.records.manifest import Manifest, RunArm, RunBenchmark
from vlm_boundary.sampling.asked import apart
from vlm_boundary.settings import yaml_text
from vlm_boundary.store import Partition, RunDirectory, read_writer

# What the statistics and the figures are computed with.
_PACKAGES = ("numpy", "scipy", "pyarrow", "matplotlib", "math-verify")
_MOST_FAILURES = 200  # that the page lists
COMMANDS = (
    "vlm-boundary run experiment.yaml          # everything, from the weights on",
    "vlm-boundary verify RUN --force           # or from this run's samples on: grade them anew,",
    "vlm-boundary check RUN                    # check their reasoning,",
    "vlm-boundary analyze RUN                  # compute the numbers,",
    "vlm-boundary report RUN                   # and write this page",
)


def settings_yaml(experiment: ExperimentConfig) -> str:
    """Every setting as it was resolved, as an experiment file; where the run lies is left out."""
    return yaml_text(experiment.model_dump(mode="json", exclude={"run_dir"}))


def tables(
    run: RunDirectory, experiment: ExperimentConfig, manifest: Manifest, grader: str
) -> list[TextTable]:
    """Models, benchmarks, and versions."""
    return [
        _arms(experiment, manifest),
        _prompts(experiment, manifest),
        _benchmarks(run, experiment, manifest),
        _versions(grader),
    ]


def _arms(experiment: ExperimentConfig, manifest: Manifest) -> TextTable:
    rows = []
    for name, arm in experiment.arms.items():
        sampling, engine = experiment.arm_sampling(name), experiment.arm_engine(name)
        identity = manifest.arms.get(name, RunArm()).identity
        rows.append(
            (
                name,
                arm.role,
                arm.model,
                _short(identity.weights),
                _short(identity.chat_template or "none of ours"),  # a server's, a replay's
                _pairs(engine.model_dump(mode="json", exclude_defaults=True)) or engine.kind,
                # A replayed sample was drawn as its maker says, not as ours would be.
                f"n {sampling.n}; the rest as in the file"
                if engine.kind == "replay"
                else _pairs(sampling.model_dump(mode="json")),
            )
        )
    header = ("arm", "role", "model", "weights", "chat template", "engine", "sampling")
    return TextTable("Arms", header, tuple(rows))


def _prompts(experiment: ExperimentConfig, manifest: Manifest) -> TextTable:
    rows = []
    for name in experiment.arms:
        known = manifest.arms.get(name, RunArm())
        pictures = {of: one.said for of, one in known.pictures.items() if of in manifest.benchmarks}
        same = set(pictures.values())
        said = "; ".join(f"{of}: {one}" for of, one in pictures.items())
        rows.append(
            (
                name,
                _pairs(dict(known.identity.chat_template_args or {})) or "nothing",
                _OPENS[known.thinking_open],
                next(iter(same)) if len(same) == 1 else said or "not known",
            )
        )
    header = ("arm", "chat template is told", "prompt ends inside a thought", "pictures")
    return TextTable("Prompts and pictures", header, tuple(rows))


_OPENS = {True: "yes", False: "no", None: "not known"}


def _benchmarks(run: RunDirectory, experiment: ExperimentConfig, manifest: Manifest) -> TextTable:
    rows = []
    for name in experiment.benchmarks:
        known = manifest.benchmarks.get(name)
        if known:
            steps = [f"{step.step} ({step.before} → {step.after})" for step in known.filters]
            rows.append(
                (
                    name,
                    known.config["description"],
                    str(known.problems),
                    "; ".join(steps) or "none",
                    _graded_by(run, name, known),
                    _short(known.content),
                )
            )
    header = ("benchmark", "what", "problems", "filters", "graded by", "content")
    return TextTable("Benchmarks", header, tuple(rows))


def _graded_by(run: RunDirectory, benchmark: str, known: RunBenchmark) -> str:
    if known.grader_program is None:
        return "the verifier"
    here = [one for one in run.verdicts.partitions() if one.benchmark == benchmark]
    columns = (run.verdicts.read(one, ["grader"])["grader"] for one in here)
    versions = {version for column in columns for version in column.unique().to_pylist()}
    names = " ".join(Path(word).name for word in known.grader_program.argv)
    return f"{names} ({', '.join(sorted(versions)) or 'not yet'})"


def _versions(grader: str) -> TextTable:
    from vlm_boundary import __version__

    rows = [("vlm_boundary", __version__), ("verifier", grader)]
    rows += [("Python", platform.python_version())]
    rows += [(name, version(name)) for name in _PACKAGES]
    return TextTable("Versions that computed this page", ("package", "version"), tuple(rows))


def resolved(run: RunDirectory) -> list[tuple[str, str]]:
    """What each engine resolved its settings to, by the arms that it sampled; without timings."""
    found: dict[str, set[str]] = {}
    for path in run.writers():
        record = read_writer(path)
        if record is None:
            continue  # damaged: every stage says so
        text = json.dumps(record["engine"], indent=1, sort_keys=True, ensure_ascii=False)
        found.setdefault(text, set()).update(record["arms"])
    return sorted((", ".join(sorted(arms)), text) for text, arms in found.items())


def failures(run: RunDirectory, experiment: ExperimentConfig) -> TextTable:
    """Problems and samples that could not be drawn; of very many the first, and how many more."""
    rows: list[tuple[str, ...]] = []
    for benchmark in experiment.benchmarks:
        if run.has_problems(benchmark):
            rows += [
                (benchmark, "every arm", problem.problem_id, problem.error)
                for problem in run.read_problems(benchmark)
                if problem.error
            ]
        for arm in experiment.arms:
            n = experiment.arm_sampling(arm).n
            for failure in run.failures.read(Partition(arm, benchmark), n):
                rows.append((benchmark, arm, failure["problem_id"], failure["reason"]))
    left = len(rows) - _MOST_FAILURES
    if left > 0:
        del rows[_MOST_FAILURES:]
        rows.append(("…", "", "", f"and {left:,} more, in the run's problems/ and failures/"))
    return TextTable("Not sampled", ("benchmark", "arm", "problem", "reason"), tuple(rows))


def warnings(experiment: ExperimentConfig, manifest: Manifest, analysis: Analysis) -> list[str]:
    """What a reader must know beside the first number."""
    lines = []
    for arm in experiment.arms:
        known = manifest.arms.get(arm)
        if known and known.note:
            lines.append(f"{arm} ({experiment.arms[arm].model}): {known.note}.")
    lines += [
        f"{one.first} and {one.other} have different {one.how}, which this experiment allows "
        f"({one.setting})."
        for one in apart(experiment, manifest.arms)
    ]
    lines += [f"{line}." for line in left_out_lines(analysis)]
    for name, content in sorted(analysis.benchmarks.items()):
        usable = content.problems - content.unusable
        if content.unusable:
            lines.append(
                f"{name}: {content.unusable} of {counted(content.problems, 'problem')} "
                f"cannot be put "
                f"to a model; the reasons are listed below."
            )
        for arm, values in content.arms.items():
            lines += _about_arm(name, arm, values, usable)
        missing = [arm for arm in experiment.arms if arm not in content.arms]
        if missing:
            lines.append(f"{name}: no samples yet from {', '.join(missing)}.")
        for row in content.self_test or ():
            if row.found_by_band:
                lines.append(
                    f"{name}: the self-test found a difference between {row.arm} and "
                    f"{row.against}, where there is none."
                )
    return lines


def _about_arm(name: str, arm: str, values: ArmAnalysis, usable: int) -> list[str]:
    lines = []
    if values.problems < usable:
        lines.append(
            f"{name}: only {values.problems} of {counted(usable, 'problem')} were sampled from "
            f"{arm}; the numbers hold for those."
        )
    if values.problems_with_fewer_than_n:
        lines.append(
            f"{name}: {counted(values.problems_with_fewer_than_n, 'problem')} with fewer than "
            f"{counted(values.n, 'sample')} from {arm}; each k leaves out those with fewer than k."
        )
    if undecided := values.statuses["undecided"]:
        highest = values.pass_at_k_lenient
        k = max(highest)
        if highest[k].estimate is not None:
            lines.append(
                f"{name}: the verifier leaves {counted(undecided, 'sample')} of {arm} undecided, "
                f"counted as not correct; were all of them correct, pass@{k} would be "
                f"{highest[k].estimate:.1%}."
            )
    return lines


def _short(text: str) -> str:
    return re.sub(r"[0-9a-f]{40,64}", lambda found: found[0][:12], text)


def _pairs(settings: dict[str, Any]) -> str:
    """Settings on one line, those of a mapping among them as if they stood beside the others."""
    inner = settings.pop("args", {})
    return ", ".join(f"{key} {value}" for key, value in {**settings, **inner}.items())

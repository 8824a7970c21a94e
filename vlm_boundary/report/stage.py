"""The report stage: figures, tables and one page that opens from disk without a network."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from vlm_boundary import __version__
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.report.figures import draw_pass_at_k
from vlm_boundary.report.tables import tables
from vlm_boundary.store import Partition, RunDirectory, write_text


def report(run: RunDirectory, experiment: ExperimentConfig) -> Path:
    """Write the run's report folder; returns the path of its page.

    Raises:
        UserError: the run has not been analysed.
    """
    if not run.analysis.is_file():
        raise UserError(f"{run.path}: there is no analysis.json; run 'vlm-boundary analyze' first")
    analysis = json.loads(run.analysis.read_text(encoding="utf-8"))
    manifest = run.read_manifest()
    figures = draw_pass_at_k(analysis, run.report)
    found = tables(analysis)
    warnings = _warnings(run, experiment, manifest, analysis)
    markdown = [f"# {experiment.name}", "", *(f"> {line}\n" for line in warnings)]
    markdown += ["![pass@k](pass_at_k.png)", "", *(table.markdown() for table in found)]
    write_text(run.report / "report.md", "\n".join(markdown))
    page = _template().render(
        name=experiment.name,
        version=__version__,
        grader=analysis["grader"],
        warnings=warnings,
        figure=base64.b64encode(figures[0].read_bytes()).decode(),
        tables=found,
        arms=_arms(experiment, manifest),
        benchmarks=_benchmarks(experiment, manifest),
        resolved=_resolved(run),
        failures=_failures(run, experiment),
        seed=experiment.seed,
    )
    path = run.report / "index.html"
    write_text(path, page)
    return path


def _warnings(
    run: RunDirectory,
    experiment: ExperimentConfig,
    manifest: dict[str, Any],
    analysis: dict[str, Any],
) -> list[str]:
    """What a reader must know before the first number."""
    lines = []
    for arm in experiment.arms:
        note = manifest["arms"].get(arm, {}).get("note")
        if note:
            lines.append(f"{arm} ({experiment.arms[arm].model}) is {note}.")
    for name, content in sorted(analysis["benchmarks"].items()):
        usable = content["problems"] - content["unusable"]
        if content["unusable"]:
            lines.append(
                f"{name}: {content['unusable']} of {content['problems']} problems cannot be put "
                f"to a model; the reasons are listed below."
            )
        for arm, values in content["arms"].items():
            if values["problems"] < usable:
                lines.append(
                    f"{name}: only {values['problems']} of {usable} problems were sampled from "
                    f"{arm}; the numbers hold for those."
                )
            if values["problems_with_fewer_than_n"]:
                lines.append(
                    f"{name}: {values['problems_with_fewer_than_n']} problems have fewer than "
                    f"{values['n']} samples from {arm}; each k leaves out those with fewer than k."
                )
            if undecided := values["statuses"]["undecided"]:
                highest = values["pass_at_k_lenient"]
                k = max(highest, key=int)
                lines.append(
                    f"{name}: {undecided} samples of {arm} are undecided and count as not correct; "
                    f"with all of them correct, pass@{k} would be {highest[k]['estimate']:.1%}."
                )
        missing = [arm for arm in experiment.arms if arm not in content["arms"]]
        if missing:
            lines.append(f"{name}: no samples yet from {', '.join(missing)}.")
    return lines


def _arms(experiment: ExperimentConfig, manifest: dict[str, Any]) -> list[dict[str, str]]:
    rows = []
    for name, arm in experiment.arms.items():
        sampling, engine = experiment.arm_sampling(name), experiment.arm_engine(name)
        rows.append(
            {
                "arm": name,
                "role": arm.role,
                "model": arm.model,
                "weights": _short_hashes(
                    manifest["arms"].get(name, {}).get("identity", {}).get("weights", "")
                ),
                "engine": _pairs(engine.model_dump(mode="json", exclude_defaults=True))
                or engine.kind,
                # A replayed sample was drawn as its maker says, not as ours would be.
                "sampling": f"n {sampling.n}; the rest as in the file"
                if engine.kind == "replay"
                else _pairs(sampling.model_dump(mode="json")),
            }
        )
    return rows


def _short_hashes(text: str) -> str:
    return re.sub(r"[0-9a-f]{40,64}", lambda found: found[0][:12], text)


def _pairs(settings: dict[str, Any]) -> str:
    """Settings on one line, those of a mapping among them as if they stood beside the others."""
    inner = settings.pop("args", {})
    return ", ".join(f"{key} {value}" for key, value in {**settings, **inner}.items())


def _resolved(run: RunDirectory) -> list[tuple[str, str]]:
    """What each engine resolved its settings to, by the arms that it sampled; without timings."""
    found: dict[str, set[str]] = {}
    for path in sorted((run.path / "writers").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps(record["engine"], indent=1, sort_keys=True, ensure_ascii=False)
        found.setdefault(text, set()).update(record["arms"])
    return sorted((", ".join(sorted(arms)), text) for text, arms in found.items())


def _benchmarks(experiment: ExperimentConfig, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name in experiment.benchmarks:
        known = manifest["benchmarks"].get(name)
        if known:
            rows.append(
                {
                    "name": name,
                    "description": known["config"]["description"],
                    "problems": known["problems"],
                    "filters": [
                        f"{step['step']} ({step['before']} → {step['after']})"
                        for step in known["filters"]
                    ],
                    "content": known["content"][:12],
                }
            )
    return rows


def _failures(run: RunDirectory, experiment: ExperimentConfig) -> list[tuple[str, str, str, str]]:
    """Problems and samples that could not be drawn: benchmark, arm, problem, reason."""
    rows = []
    for benchmark in experiment.benchmarks:
        if run.has_problems(benchmark):
            rows += [
                (benchmark, "every arm", problem.problem_id, problem.error)
                for problem in run.read_problems(benchmark)
                if problem.error
            ]
        for arm in experiment.arms:
            for failure in run.failures.read(Partition(arm, benchmark)):
                rows.append((benchmark, arm, failure["problem_id"], failure["reason"]))
    return rows


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vlm_boundary.report", "."),
        autoescape=True,  # names, paths and reasons come from users and models
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")

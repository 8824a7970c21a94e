"""The card of a published run: what it says, what is in it, how to read and repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vlm_boundary import __version__
from vlm_boundary.analysis.shown.table import percent
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.publish.item import Item
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.report.verdict import Statement

_TABLES = {
    "responses": "every response with its verdict; `correct` is null where it is undecided",
    "problems": "the problems, or their ids alone where their data set keeps its own",
    "validity": "whether right answers were reasoned to, by each layer of checks",
}
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|])")


def card(
    experiment: ExperimentConfig,
    analysis: Analysis,
    said: Sequence[Statement],
    warnings: Sequence[str],
    *,
    items: Sequence[Item],
    stays: Sequence[str],
) -> str:
    """The README of the data set, in Markdown with the hub's front matter.

    Args:
        experiment: its settings, without what they say of this machine.
        said: the report's verdict.
        warnings: what a reader of the numbers must know.
        items: every other file.
        stays: what is left out, a line each.
    """
    from huggingface_hub import DatasetCardData

    configs = [
        {"config_name": name, "data_files": f"data/{name}/*.parquet"}
        | ({"default": True} if name == "responses" else {})
        for name in _TABLES
        if any(item.path.startswith(f"data/{name}/") for item in items)
    ]
    data = DatasetCardData(
        pretty_name=f"{experiment.name}: pass@k of vision-language models",
        tags=["vlm-boundary", "evaluation", "pass-at-k"],
        configs=configs,
    )
    lines = ["---", data.to_yaml(), "---", "", f"# {_plain(experiment.name)}", ""]
    for one in said:
        lines += [f"**{_plain(one.benchmark)}**: {_plain(one.sentence)}", ""]
        lines += [*(f"- {_plain(note)}" for note in one.notes), ""]
    lines += [f"> {_plain(line)}\n" for line in warnings]
    if any(item.path == "figures/pass_at_k.png" for item in items):
        lines += ["![pass@k by arm, with intervals](figures/pass_at_k.png)", ""]
    lines += [*_curves(analysis), *_arms(experiment), *_contents(items, stays), *_again(experiment)]
    return "\n".join(lines) + "\n"


def _curves(analysis: Analysis) -> Iterator[str]:
    level = f"{analysis.confidence:.0%}"
    for name, benchmark in analysis.benchmarks.items():
        arms = benchmark.arms
        yield f"## pass@k on {_plain(name)}"
        yield ""
        yield f"In %, with {level} intervals over {benchmark.problems} problems."
        yield ""
        yield "| k | " + " | ".join(_plain(arm) for arm in arms) + " |"
        yield "|---:" * (len(arms) + 1) + "|"
        for k in benchmark.ks:
            cells = []
            for arm in arms.values():
                found = arm.pass_at_k.get(k)
                cells.append("" if found is None or found.estimate is None else percent(found))
            yield f"| {k} | " + " | ".join(cells) + " |"
        yield ""


def _arms(experiment: ExperimentConfig) -> Iterator[str]:
    yield "## Models"
    yield ""
    yield "| arm | role | model | n | temperature | top-p |"
    yield "|---|---|---|---:|---:|---:|"
    for name, arm in experiment.arms.items():
        drawn = experiment.arm_sampling(name)
        words = [_plain(name), arm.role, _plain(arm.model), str(drawn.n)]
        # How a replayed sample was drawn, only its maker knows.
        known = experiment.arm_engine(name).kind != "replay"
        how = [f"{one:g}" if known else "not known" for one in (drawn.temperature, drawn.top_p)]
        yield f"| {' | '.join([*words, *how])} |"
    yield ""


def _contents(items: Sequence[Item], stays: Sequence[str]) -> Iterator[str]:
    yield "## What is in it"
    yield ""
    for name, what in _TABLES.items():
        if any(item.path.startswith(f"data/{name}/") for item in items):
            yield f"- `{name}`: {what}"
    yield "- `analysis.json`, `tables/`, `figures/`: every number, its tables and figures"
    yield "- `experiment.yaml`: every setting as it was resolved"
    yield ""
    yield "What stays with whoever ran it:"
    yield ""
    yield from (f"- {_plain(line)}" for line in stays)
    yield ""


def _again(experiment: ExperimentConfig) -> Iterator[str]:
    yield "## Reading it, running it again, citing it"
    yield ""
    yield "```python"
    yield "from datasets import load_dataset"
    yield ""
    yield 'responses = load_dataset("OWNER/NAME", "responses", split="train")'
    yield "```"
    yield ""
    yield from _how_to_run(experiment)
    yield (
        f"Made with vlm_boundary {__version__}, after Yue et al. 2025, *Does Reinforcement "
        "Learning Really Incentivize Reasoning Capacity in LLMs Beyond the Base Model?* "
        "(arXiv 2504.13837). Please cite both."
    )


def _how_to_run(experiment: ExperimentConfig) -> Iterator[str]:
    """The command, where the settings draw anything."""
    elsewhere = [experiment.arm_engine(arm).kind == "replay" for arm in experiment.arms]
    if all(elsewhere):
        yield (
            "The samples were drawn elsewhere and are the table `responses`; `experiment.yaml` "
            "says how they were graded and counted, and draws none."
        )
        yield ""
        return
    if any(elsewhere):
        yield "Samples of some models were drawn elsewhere; the settings do not draw them again."
        yield ""
    yield "```bash"
    yield f"# with vlm_boundary {__version__}, and the models and data sets that the file names"
    yield "vlm-boundary run experiment.yaml"
    yield "```"
    yield ""


def _plain(text: str) -> str:
    """Text as Markdown that shows it, whatever marks stand in it."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))

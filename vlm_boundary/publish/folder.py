"""What of a run leaves the machine, and the folder that holds it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vlm_boundary.analysis.findings import Findings, in_order
from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.publish.card import card
from vlm_boundary.publish.every_eval_ever import write_records
from vlm_boundary.publish.hub import write_results
from vlm_boundary.publish.item import Item, text_item
from vlm_boundary.publish.settings import shared_settings
from vlm_boundary.publish.tables import checked, problems_table, responses
from vlm_boundary.records.analysis import Analysis, read_analysis
from vlm_boundary.report import outdated_lines
from vlm_boundary.report.provenance import settings_yaml
from vlm_boundary.report.verdict import statements
from vlm_boundary.store import RunDirectory
from vlm_boundary.writing import replacing_folder

MARK = ".vlm-boundary-publication"
"""Only a folder that holds it is emptied before it is written again."""


@dataclass(frozen=True)
class Publication:
    """The files that would leave (`items`), and a line with the reason for all that stays."""

    items: tuple[Item, ...]
    stays: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write the files over an earlier publication; UserError where something else is there."""
        mark = folder / MARK
        known = {MARK, *mark.read_text(encoding="utf-8").split("\n")} if mark.is_file() else set()
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        foreign = sorted(there - known)
        if foreign or (folder.exists() and not folder.is_dir()):
            raise UserError(
                f"{folder}: it holds something else than a publication"
                f"{''.join(f', {name}' for name in foreign[:3])}; give a new folder"
            )
        names = sorted({Path(item.path).parts[0] for item in self.items})
        with replacing_folder(folder) as place:
            (place / MARK).write_text("\n".join(names), encoding="utf-8")
            for item in self.items:
                path = place / item.path
                path.parent.mkdir(parents=True, exist_ok=True)
                item.write(path)


def publication(
    run: RunDirectory,
    experiment: ExperimentConfig,
    *,
    with_problems: frozenset[str] = frozenset(),
    records: bool = False,
    organization: str | None = None,
    repository: str | None = None,
) -> Publication:
    """What of a run is published; nothing is written or sent yet.

    Questions, gold answers and pictures leave only for problems that this package draws itself and
    for benchmarks that are named, since their data sets' licences or gates may forbid it. Paths of
    this machine never leave.

    Args:
        with_problems: benchmarks whose problems are published too.
        records: Every Eval Ever records and `.eval_results` entries beside the tables.
        organization: who ran the evaluation, for these records.
        repository: where it goes on the hub, as in owner/name, if it is known.

    Raises:
        UserError: the run was not analysed, or a benchmark is not in it.
    """
    manifest = run.existing_manifest()
    if unknown := sorted(with_problems - set(manifest.benchmarks)):
        there = ", ".join(manifest.benchmarks)
        raise UserError(f"--with-problems {unknown[0]}: the run has {there}")
    analysis = read_analysis(run.analysis)
    shared, hidden = shared_settings(experiment)
    shown = frozenset(
        name
        for name, known in manifest.benchmarks.items()
        if name in with_problems or BenchmarkConfig.model_validate(known.config).procedural
    )
    items = [*_tables(run, shown), *_statistics(run, analysis, shared)]
    stays = [
        f"questions, gold answers and pictures of {name}: only their ids leave; --with-problems "
        f"{name} publishes them where the data set's licence allows it"
        for name in manifest.benchmarks
        if name not in shown
    ]
    stays += [f"{hidden} paths of this machine in the settings"] if hidden else []
    stays.append("token ids, log-probabilities of single tokens, and logs of the engines")
    if records:
        items += write_records(run, shared, analysis, shown, organization or "unknown")
        items += write_results(run, shared, analysis, repository)
    said = statements(Findings(analysis, in_order(experiment)))
    text = card(shared, analysis, said, outdated_lines(run), items=items, stays=stays)
    items.append(text_item("README.md", "the card", text))
    return Publication(tuple(items), tuple(stays))


def _tables(run: RunDirectory, shown: frozenset[str]) -> Iterator[Item]:
    for one in run.samples.partitions():
        name = f"{one.arm}-{one.benchmark}-{one.condition}"
        yield Item(
            f"data/responses/{name}.parquet",
            f"responses of {one.arm} to {one.benchmark} ({one.condition}) with their verdicts",
            partial(_write_table, partial(responses, run, one)),
        )
        for layer in run.validity_layers():
            if run.validity(layer).parts(one):
                yield Item(
                    f"data/validity/{name}-{layer}.parquet",
                    f"whether their reasoning is valid, by {layer}",
                    partial(_write_table, partial(checked, run, layer, one)),
                )
    for benchmark in run.existing_manifest().benchmarks:
        what = "problems, pictures included" if benchmark in shown else "ids of problems"
        yield Item(
            f"data/problems/{benchmark}.parquet",
            f"{what}, of {benchmark}",
            partial(problems_table, run, benchmark, whole=benchmark in shown),
        )


def _statistics(
    run: RunDirectory, analysis: Analysis, experiment: ExperimentConfig
) -> Iterator[Item]:
    yield text_item("experiment.yaml", "every setting", settings_yaml(experiment))
    yield text_item("analysis.json", "every number", json.dumps(analysis.as_json(), indent=1))
    for folder, pattern, what in (
        (run.tables, "*.csv", "a table of the statistics"),
        (run.report / "figures", "*.png", "a figure of the report"),
    ):
        for source in sorted(folder.glob(pattern)):
            yield Item(f"{folder.name}/{source.name}", what, partial(shutil.copyfile, source))


def _write_table(table: Callable[[], pa.Table], path: Path) -> None:
    pq.write_table(table(), path)

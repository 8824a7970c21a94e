"""Every section of a run that has everything, and what is said of one that has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import HandMadeRun, make_run

from vlm_boundary.analysis.findings import Findings, Part, in_order
from vlm_boundary.analysis.shown import reasoning, write_shown_tables
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.reasoning.people.labels import Label, add_label
from vlm_boundary.reasoning.people.queue import make_answer_queue, make_queue, read_queue
from vlm_boundary.records.analysis import read_analysis
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.reasoning import ProbedChains
from vlm_boundary.records.sample import Sample, SampleScore
from vlm_boundary.report.interactive import specs
from vlm_boundary.report.sections import Section, sections
from vlm_boundary.store import Partition, RunDirectory, SampleWriter
from vlm_boundary.verifier import verify

N, PROBLEMS = 16, 12
CONTROLS: tuple[Condition, ...] = ("no_image", "direct_answer", "described", "described_with_image")
ARMS = {
    "base": {"model": "org/base", "role": "base"},
    "base-hot": {"model": "org/base", "role": "instruct", "sampling": {"temperature": 1.0}},
    "rl": {"model": "org/rl", "role": "rl", "seed": 1},
    "rl-seed2": {"model": "org/rl2", "role": "rl", "seed": 2},
    "step-10": {"model": "org/step", "role": "step", "step": 10},
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> HandMadeRun:
    """Arms of every role, controls, scores, checked reasoning, people's labels, a known error."""
    rng = np.random.default_rng(1)
    small = make_run(tmp_path_factory.mktemp("small") / "run")
    directory = RunDirectory(tmp_path_factory.mktemp("full") / "run")
    problems = [
        Problem("mine", f"p{i:02d}", "How many?", str(i % 5), metadata={"topic": "ab"[i % 2]})
        for i in range(PROBLEMS)
    ]
    directory.write_problems("mine", tuple(problems))
    experiment = ExperimentConfig.model_validate(
        small.experiment.model_dump(mode="json")
        | {
            "run_dir": str(directory.path),
            "arms": ARMS,
            "sampling": {"n": N},
            "controls": {name: {"n": 4} for name in CONTROLS},
            "analysis": {
                "bootstrap_draws": 100,
                "verifier_error": {
                    "wrong": 100, "wrong_accepted": 1, "right": 100, "right_rejected": 2
                },
            },
        }
    )  # fmt: skip
    loaded = small.directory.read_manifest().benchmarks["mine"]
    known = loaded.model_copy(update={"problems": PROBLEMS, "unusable": 0})
    directory.write_manifest(
        Manifest.model_validate(
            {
                "experiment": experiment.model_dump(mode="json"),
                "benchmarks": {"mine": known},
                "arms": {arm: {"identity": {}, "note": None} for arm in ARMS},
            }
        )
    )
    for arm in ARMS:
        asked: dict[Condition, int] = {"full": N, **dict.fromkeys(CONTROLS, 4)}
        for condition, n in asked.items():
            writer = SampleWriter(directory.samples, Partition(arm, "mine", condition))
            for problem in problems:
                for index in range(n):
                    answer = problem.answer if rng.random() < 0.3 else str(rng.integers(9))
                    text = f"\\boxed{{{answer}}}"
                    writer.add(Sample(problem.problem_id, index, index, [5, 6], text, "stop", -2.0))
            writer.flush()
    writer = SampleWriter(directory.scores("base"), Partition("rl", "mine"))
    for problem in problems:
        writer.add(SampleScore(problem.problem_id, 0, -3.0, 2, None))
    writer.flush()
    verify(directory)
    _check(directory)
    queue = make_queue(directory, experiment, max_accuracy=1.0)
    for place, item in enumerate(read_queue(directory, queue.name).items[:8]):
        for labeller in ("ann", "bo"):
            add_label(
                directory,
                Label(
                    sample=item.sample, text_hash=item.text_hash, labeller=labeller, blind=True,
                    verdict="valid" if place % 2 else "invalid", queue=queue.name,
                    weight=item.weight,
                ),
            )  # fmt: skip
    answers = make_answer_queue(directory, experiment, per_arm=8)
    for item in answers.items:
        add_label(
            directory,
            Label(
                sample=item.sample, text_hash=item.text_hash, labeller="ann", blind=True,
                verdict="right", subject="answer", queue=answers.name, weight=item.weight,
            ),
        )  # fmt: skip
    return HandMadeRun(directory, experiment)


def _check(directory: RunDirectory) -> None:
    """A text layer that passes every second right answer."""
    table = directory.validity("structure")
    for arm in ARMS:
        partition = Partition(arm, "mine")
        rows = [
            {
                "problem_id": one["problem_id"], "sample_index": one["sample_index"],
                "valid": bool(one["correct"] and one["sample_index"] % 2), "flags": [],
                "evidence": [], "checker": "structure/1", "text_hash": one["text_hash"],
                "basis_hash": "0",
            }
            for one in directory.verdicts.read(partition).to_pylist()
        ]  # fmt: skip
        table.replace(partition, pa.Table.from_pylist(rows, schema=table.schema))
        stated = [
            {
                **row, "names": ["AB", "CD"], "values": [str(row["sample_index"] % 3), "4"],
                "steps": [f"({row['sample_index'] % 2}+1)"],
                "first_false": "none" if row["valid"] else "seeing", "checker": "statements/1",
            }
            for row in rows
        ]  # fmt: skip
        table_of = directory.statements
        table_of.replace(partition, pa.Table.from_pylist(stated, schema=table_of.schema))


def found_in(run: HandMadeRun) -> Findings:
    analyze(run.directory, run.experiment)
    return Findings(read_analysis(run.directory.analysis), in_order(run.experiment))


@pytest.fixture(scope="module")
def shown(full: HandMadeRun) -> dict[str, Section]:
    return {section.key: section for section in sections(found_in(full))}


def test_every_section_is_there(shown: dict[str, Section]) -> None:
    assert list(shown) == [
        "numbers", "differences", "solved", "accuracy", "luck", "reasoning", "seeing", "slices",
        "failures", "series", "perplexity", "beyond", "cost", "self-test",
    ]  # fmt: skip
    assert not [section.missing for section in shown.values() if section.missing]
    assert all(section.figures for section in shown.values())


def test_every_figure_names_its_axes_and_has_values(shown: dict[str, Section]) -> None:
    figures = [figure for section in shown.values() for figure in section.figures]
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        assert figure.caption.endswith(".")
        for panel in figure.panels:
            assert panel.x_label
            assert panel.y_label
            assert any(y is not None for series in panel.series for y in series.y)
        json.dumps(specs(figure), allow_nan=False)


def test_every_table_has_a_cell_under_every_heading(shown: dict[str, Section]) -> None:
    tables = [pair for section in shown.values() for pair in section.tables]
    names = [name for name, _ in tables]
    assert len(set(names)) == len(names)
    for name in (
        "mine-controls", "mine-guess_filter", "mine-verifier_error", "mine-verifier_labels",
        "mine-valid_reasoning",
        "mine-calibration", "mine-people", "mine-series", "mine-perplexity", "mine-cost",
        "mine-seeing", "mine-seeing_costs", "mine-seeing_kinds", "mine-leaning", "mine-first_false",
        "mine-self_agreement", "mine-seeing_training", "mine-beyond_n", "mine-slices",
        "mine-strata", "family", "seeds",
    ):  # fmt: skip
        assert name in names
    for _, table in tables:
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert all(isinstance(cell, str) and cell for row in table.rows for cell in row)


def test_arms_stand_in_order_everywhere(full: HandMadeRun) -> None:
    found = found_in(full)
    order = ["base", "rl", "rl-seed2", "step-10", "base-hot"]
    assert list(found.roles) == order
    mine = found.benchmarks["mine"]
    assert list(found.by_arm(mine.arms)) == order
    assert [pair.other for pair in found.pairs(mine.pairs)] == order[1:]
    assert found.colour("rl") == 1


def test_a_run_without_extras_says_what_would_add_them(tmp_path_factory: Any) -> None:
    bare = make_run(tmp_path_factory.mktemp("bare") / "run")
    verify(bare.directory)
    shown = {section.key: section for section in sections(found_in(bare))}
    commands = [command for section in shown.values() for _, command in section.missing]
    assert commands == [
        "vlm-boundary run RUN -o controls.no_image.n=16",
        "vlm-boundary check RUN && vlm-boundary analyze RUN",
        "vlm-boundary run RUN -o controls.described.n=16",
        "vlm-boundary score RUN --responses-of rl --under base",
    ]
    assert "series" not in shown
    assert "beyond" not in shown


def test_what_judges_let_through(full: HandMadeRun) -> None:
    accepted = {"any": 0.5, "majority": 0.25, "all": 0.0}
    plain = ProbedChains(chains=8, accepted=accepted, abstained=1)
    checked = plain.model_copy(update={"text_checks": 0.75})
    found = found_in(full)
    probed = {"j": {"rl": {"original": checked, "blank": plain}}}
    table = reasoning.judge_probe(Part(found, "mine", found.benchmarks["mine"], probed))
    assert table.rows == (
        ("j, rl, original", "8", "50", "25", "0", "1", "75"),
        ("j, rl, blank", "8", "50", "25", "0", "1", "–"),
    )


def test_a_benchmark_with_a_dot_in_its_name_keeps_its_tables_apart(
    full: HandMadeRun, tmp_path: Path
) -> None:
    found = found_in(full)
    renamed = {"benchmarks": {"mine.v2": found.benchmarks["mine"]}}
    changed = Findings(found.analysis.model_copy(update=renamed), found.roles)
    write_shown_tables(tmp_path, changed)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"mine.v2-pass_at_k.csv", "mine.v2-slices.tex", "mine.v2-people.md"} <= names


def test_an_arm_a_set_and_a_condition_have_one_colour_in_every_panel(
    shown: dict[str, Section],
) -> None:
    named = {*ARMS, "both", "neither", "no image", "direct answer"}
    colours: dict[str, set[int | None]] = {}
    for section in shown.values():
        for figure in section.figures:
            for panel in figure.panels:
                for series in panel.series:
                    label = series.label.removesuffix(" only").removeprefix("under ")
                    if label in named:
                        colours.setdefault(label, set()).add(series.colour)
    assert {name: len(of) for name, of in colours.items()} == dict.fromkeys(colours, 1)
    assert colours["both"] != colours["base"]
    assert {"both", "neither", "no image", "base", "rl"} <= set(colours)

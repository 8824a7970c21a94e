"""`import vlm_boundary as vb`: what the commands do, from Python."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import HandMadeRun, make_run

import vlm_boundary as vb
from vlm_boundary import face
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.cli import cli
from vlm_boundary.records.outputs import ComparedModels, Gate
from vlm_boundary.store import Partition
from vlm_boundary.verifier import verify

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def analysed(tmp_path: Path) -> HandMadeRun:
    made = make_run(tmp_path / "run")
    verify(made.directory)
    analyze(made.directory, made.experiment)
    return made


def loaded_by(code: str, names: str) -> list[str]:
    """Which of these modules a process has imported after some code."""
    said = f"{code}\nimport sys; print([name for name in {names.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    return re.findall(r"'([\w.]+)'", done.stdout)


def test_the_import_alone_imports_nothing() -> None:
    heavy = "numpy scipy pyarrow pandas pydantic PIL torch click vlm_boundary.face"
    assert loaded_by("import vlm_boundary as vb; vb.__version__; dir(vb)", heavy) == []


def test_grading_needs_no_tables() -> None:
    code = "import vlm_boundary as vb; assert vb.grade('The answer is 4.', '4').correct"
    assert loaded_by(code, "numpy scipy pyarrow pandas torch vlm_boundary.analysis") == []


def test_what_is_promised_is_there() -> None:
    assert vb.__all__ == face.__all__
    for name in vb.__all__:
        assert getattr(vb, name) is getattr(face, name)
        assert name in dir(vb)
    with pytest.raises(AttributeError, match="no attribute 'open_runs'"):
        _ = vb.open_runs  # type: ignore[attr-defined]


def test_a_runs_tables_records_and_sentences(analysed: HandMadeRun) -> None:
    run = vb.open_run(analysed.directory.path)
    assert run.curves().equals(pq.read_table(run.directory.tables / "curves.parquet"))
    frame = run.differences().to_pandas()
    first = frame[frame.k == 1].iloc[0]
    pair = run.analysis().benchmarks["mine"].pairs[0]
    assert first.estimate == pair.difference[1].estimate
    assert run.verdicts("rl", "mine").equals(run.directory.verdicts.read(Partition("rl", "mine")))
    assert "cut off in the" in run.samples("rl", "mine")["text"].to_pylist()
    (statement,) = run.statements()
    assert "rl" in statement.sentence
    assert run.analyze() == run.analysis()


def test_a_gate_is_the_commands(analysed: HandMadeRun, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{kind: not_lower, k: 1, points: 2}]\n")
    run = vb.open_run(analysed.directory.path)
    found = run.gate(rules)
    assert found == run.gate({"rules": [{"kind": "not_lower", "k": 1, "points": 2}]})
    target = tmp_path / "gate.json"
    command = ["gate", str(run.path), "--rule", str(rules), "--json", str(target)]
    CliRunner().invoke(cli, command)
    assert Gate.model_validate_json(target.read_text()) == found


def test_what_a_command_would_say_is_a_warning(analysed: HandMadeRun) -> None:
    run = vb.open_run(analysed.directory.path)
    analysed.directory.analysed.write_text("of something older")
    with pytest.warns(UserWarning, match="older than the run"):
        run.curves()
    (part,) = analysed.directory.verdicts.parts(Partition("rl", "mine"))
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(vb.UserError, match=r"part-"):
        vb.open_run(run.path)


def test_a_mistake_is_a_line(analysed: HandMadeRun, tmp_path: Path) -> None:
    run = vb.open_run(analysed.directory.path)
    with pytest.raises(vb.UserError, match="not a run directory"):
        vb.open_run(tmp_path)
    with pytest.raises(vb.UserError, match="'confidence'"):
        vb.open_run(run.path, ["analysis.confidnce=0.9"])
    with pytest.raises(
        vb.UserError, match=r"no verdicts of step on mine .* there are base on mine"
    ):
        run.verdicts("step", "mine")
    with pytest.raises(vb.UserError, match="there are beyond_n, curves"):
        run.table("curve")  # type: ignore[arg-type]
    run.directory.analysis.unlink()
    with pytest.raises(vb.UserError, match="run 'vlm-boundary analyze' first"):
        run.curves()


def test_counts_are_analysed_as_a_runs_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = np.full(40, 8)
    c, d = (rng.binomial(8, rng.random(40)) for _ in range(2))
    table = vb.pass_at_k(c.tolist(), n.tolist(), confidence=0.9)
    ks = np.arange(1, 9)
    expected = t_intervals(pass_at_k(c, n, ks), 0.9, (0, 1))
    assert table["k"].to_pylist() == ks.tolist()
    assert table["estimate"].to_pylist() == expected.estimate.tolist()
    assert table["high"].to_pylist() == expected.high.tolist()
    rows = ["model,problem_id,n,c"]
    rows += [f"{m},{i:02d},8,{x[i]}" for m, x in (("base", c), ("other", d)) for i in range(40)]
    (tmp_path / "v.csv").write_text("\n".join(rows) + "\n")
    given = vb.compare_counts((c.tolist(), n.tolist()), (d.tolist(), n.tolist()))
    assert given == vb.compare_table(tmp_path / "v.csv", "base", "other")
    out = tmp_path / "out.json"
    command = [
        "passk",
        str(tmp_path / "v.csv"),
        "--base",
        "base",
        "--rl",
        "other",
        "--json",
        str(out),
    ]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert ComparedModels.model_validate_json(out.read_text()) == given
    clustered = vb.pass_at_k([4, 4, 0, 0], [4] * 4, clusters=["a", "a", "b", "b"])
    assert (
        clustered["low"][0].as_py() < vb.pass_at_k([4, 4, 0, 0], [4] * 4)["low"][0].as_py() + 1e-9
    )
    with pytest.raises(ValueError, match="in one order"):
        vb.compare_counts(([1], [2]), ([1, 1], [2, 2]))


def test_texts_are_graded_and_chains_checked() -> None:
    outputs = [vb.Output("so \\boxed{4}", "4"), vb.Output("so \\boxed{5}", vb.Gold("4"))]
    assert [verdict.correct for verdict in vb.grade_many(outputs)] == [True, False]
    assert vb.grade("\\boxed{4}", "4").correct is True
    chain = vb.check_chain(vb.Output("2 + 2 = 5, so \\boxed{4}", "4"))
    assert (chain.verdict.correct, chain.valid) == (True, False)
    flags = {item.flag for item in chain.evidence if item.veto}
    assert flags == {"arithmetic_error", "answer_unsupported"}  # it comes to 5, falsely


def test_the_notebook_says_what_it_said(tmp_path: Path) -> None:
    """In a kernel of its own: it makes samples, runs an experiment on them and reads it."""
    from notebook import ANY_OUTPUT, executed, read

    stored = read()
    done = executed(stored, tmp_path)
    assert (tmp_path / "runs" / "sums" / "report" / "index.html").is_file()
    for before, after in zip(stored.cells, done.cells, strict=True):
        if before.cell_type == "code" and ANY_OUTPUT not in before.metadata.get("tags", ()):
            assert after.outputs == before.outputs, before.source


def test_the_functions_behind_commands_are_where_the_document_says() -> None:
    document = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    table = document.split("| command | function |\n")[1].split("\n\n")[0]
    named = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", table)
    assert len(named) > 15
    assert not [name for name in named if not found(f"vlm_boundary.{name}")]


def found(dotted: str) -> bool:
    """Whether a module or what a module holds has this name."""
    try:
        return bool(pkgutil.resolve_name(dotted))
    except (ImportError, AttributeError):
        return False


def test_a_users_script_is_typed(tmp_path: Path) -> None:
    """The one of the document, by the type checker; and what is wrong with another is found."""
    document = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    script = re.findall(r"```python\n(.*?)```", document, re.DOTALL)[0]
    assert len(script.split("\n")) <= 14
    (tmp_path / "right.py").write_text(script)
    (tmp_path / "wrong.py").write_text(
        "import vlm_boundary as vb\n\n"
        'vb.open_runs("x")\n'
        'vb.grade("4", 4)\n'
        'vb.open_run("x").table("curve")\n'
        'vb.open_run("x").gate({"rules": []}).decison\n'
    )
    files = [str(tmp_path / name) for name in ("right.py", "wrong.py")]
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *files]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=900)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert not [line for line in errors if "wrong.py" not in line], done.stdout
    assert [int(line.split(":")[1]) for line in errors] == [3, 4, 5, 6], done.stdout + done.stderr


def test_stages_do_what_is_missing(tmp_path: Path) -> None:
    made = make_run(tmp_path / "run")
    run = vb.open_run(made.directory.path)
    graded = run.verify()
    assert graded > 0
    assert run.verify() == 0
    assert run.check() == graded
    assert run.check(force=True) == graded
    run.analyze()
    page = run.report()
    assert page.is_file()
    table = run.verdicts("rl", "mine")
    assert table.num_rows > 0


def test_a_failure_that_a_command_tells_is_a_warning(
    analysed: HandMadeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the verifier and of a grading program: both ways go through one function."""
    run = vb.open_run(analysed.directory.path)
    monkeypatch.setattr("vlm_boundary.verifier.stage.program_failures_of", lambda _: "it failed")
    with pytest.warns(UserWarning, match="it failed"):
        run.verify()
    told = CliRunner().invoke(cli, ["verify", str(run.path)])
    assert "it failed" in told.stderr

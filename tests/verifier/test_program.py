"""A benchmark graded by a program of its own: what it is told, and whatever it does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sampled import append_samples, sample_row

from vlm_boundary.benchmarks import load_benchmark_file
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest, RunBenchmark
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.verdict import GraderProgram, Verdict
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier import program as program_module
from vlm_boundary.verifier import program_failures_of, verify
from vlm_boundary.verifier.beside import GraderBeside
from vlm_boundary.verifier.fitting import fitting
from vlm_boundary.verifier.graders import SAMPLE
from vlm_boundary.verifier.program import NO_VERDICT, Answered, ProgramGrader

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HERE = Partition("base", "boxes")
FIELDS = {"question": "question", "answer": "answer"}

# Does what the output says, so that each output is a kind of program.
OBEDIENT = """
import json, os, subprocess, sys, time

for line in sys.stdin:
    told = json.loads(line)
    said = {"id": told["id"], "correct": told["output"] == told["answer"]}
    match told["output"]:
        case "sleep":
            subprocess.Popen(["sleep", "600"])
            time.sleep(600)
        case "raise":
            raise ZeroDivisionError("no box")
        case "exit":
            sys.exit(3)
        case "kill":
            os.kill(os.getpid(), 9)
        case "memory":
            held = bytearray(1 << 32)
        case "words":
            print("debugging")
        case "other id":
            said["id"] += 1
        case "number":
            said["correct"] = 1
        case "no verdict":
            del said["correct"]
        case "list":
            said = [said]
        case "status":
            said["status"] = "correct"
        case "nothing":
            said["correct"] = None
        case "torrent":
            sys.stdout.write("x" * (3 << 20))
        case "complains":
            sys.stderr.write("y" * (1 << 20))
        case "surrogate":
            said |= {"extracted": "\\ud800", "rule": "odd", "flags": ["a"]}
    print(json.dumps(said))
"""


def a_program(folder: Path, text: str, *, seconds: float = 1.0, memory: int = 512) -> GraderProgram:
    (folder / "grader.py").write_text(text)
    return GraderProgram(("python", str(folder / "grader.py")), seconds, memory)


@pytest.fixture
def graded(tmp_path: Path) -> Iterator[ProgramGrader]:
    program = a_program(tmp_path, OBEDIENT)
    with closing(ProgramGrader(program, "benchmark 'boxes'", processes=1)) as grader:
        assert grader.grade([Answered("5", "5")])[0].correct is True
        yield grader


def a_run(path: Path, program: GraderProgram, texts: list[str]) -> RunDirectory:
    run = RunDirectory(path)
    problem = Problem("boxes", "p0", "Where?", "5", metadata={"threshold": 0.5})
    run.write_problems("boxes", (problem,))
    grading = {
        "command": list(program.argv),
        "seconds": program.seconds,
        "memory_mib": program.memory_mib,
    }
    config = {"grading": grading}
    experiment = {
        "name": "boxes",
        "arms": {"base": {"model": "nowhere", "role": "base"}},
        "benchmarks": {"boxes": {"dataset_path": "no.jsonl", "fields": FIELDS} | config},
    }
    known = RunBenchmark(config=config)
    run.write_manifest(Manifest(experiment=experiment, benchmarks={"boxes": known}))
    append(run, texts)
    return run


def append(run: RunDirectory, texts: list[str], first: int = 0) -> None:
    rows = [sample_row("p0", index, text) for index, text in enumerate(texts, start=first)]
    append_samples(run, HERE, rows)


def rows_of(run: RunDirectory) -> list[dict[str, Any]]:
    return run.verdicts.read(HERE).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("output", "kind", "why"),
    [
        ("sleep", "timeout", "no verdict in 1 s"),
        ("raise", "died", "exit code 1: ZeroDivisionError: no box"),
        ("exit", "died", "exit code 3"),
        ("kill", "died", "killed by SIGKILL"),
        ("memory", "died", "exit code 1: MemoryError"),
        ("words", "bad_line", "not JSON: debugging"),
        ("other id", "bad_line", "not an object with the id 2"),
        ("number", "bad_line", "correct must be true, false or null"),
        ("no verdict", "bad_line", "correct must be true, false or null"),
        ("list", "bad_line", "not an object with the id 2"),
        ("status", "bad_line", "no status 'correct' where correct is false"),
        ("torrent", "bad_line", "a line of more than 1,048,576 bytes"),
    ],
)
def test_what_goes_wrong_is_that_samples_alone(
    graded: ProgramGrader, output: str, kind: str, why: str
) -> None:
    outputs = [Answered(text, "5") for text in ("4", output, "5", "3")]
    right, wrong, after, last = graded.grade(outputs)
    assert (right.correct, after.correct, last.correct) == (False, True, False)
    assert (wrong.correct, wrong.status, wrong.rule) == (None, "undecided", NO_VERDICT)
    assert wrong.flags[0] == kind
    assert wrong.flags[1].startswith(why)


def test_what_a_program_may_say(graded: ProgramGrader) -> None:
    undecided, loud, odd = graded.grade(
        [Answered(text, "5") for text in ("nothing", "complains", "surrogate")]
    )
    assert (undecided.correct, undecided.rule) == (None, "program")
    assert loud == Verdict(False, "incorrect", None, "program", source="program")
    assert (odd.extracted, odd.rule, odd.flags) == ("?", "program: odd", ("a",))


def test_a_late_program_is_killed_with_what_it_started(graded: ProgramGrader) -> None:
    def sleeping() -> set[str]:
        found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
        return {line for line in found.splitlines() if line.endswith(" sleep 600")}

    before, began = sleeping(), time.monotonic()
    graded.grade([Answered("sleep", "5")])
    assert time.monotonic() - began < 10
    assert sleeping() <= before


def test_a_program_that_never_answers_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_program(tmp_path, "raise SystemExit('no module named boxes')")
    outputs = [Answered(str(number), "5") for number in range(50)]
    with (
        closing(ProgramGrader(program, "benchmark 'boxes'")) as grader,
        pytest.raises(UserError, match=r"no verdict on its first \d+ outputs.*no module named box"),
    ):
        grader.grade(outputs)
    with pytest.raises(UserError, match="there is no program 'no-such-program'"):
        ProgramGrader(GraderProgram(("no-such-program",), 1, 64), "benchmark 'boxes'")


def test_a_program_changed_while_it_grades_is_an_error(graded: ProgramGrader) -> None:
    Path(graded._program.argv[1]).write_text(OBEDIENT + "\n")
    graded.grade([Answered("exit", "5")])
    with pytest.raises(UserError, match="changed while it graded"):
        graded.grade([Answered("5", "5")])


def test_a_changed_program_makes_verdicts_stale(tmp_path: Path) -> None:
    program = a_program(tmp_path, OBEDIENT)
    run = a_run(tmp_path / "run", program, ["5", "4", "raise", "5"])
    assert verify(run) == 4
    assert [row["correct"] for row in rows_of(run)] == [True, False, None, True]
    assert {row["grader"] for row in rows_of(run)} == {program.version}
    said = str(program_failures_of(run))
    assert "1 outputs could not be graded, by a fault of the grader program's (1 died)" in said
    assert "sample 2, of base on boxes (full): exit code 1: ZeroDivisionError: no box" in said
    assert verify(run) == 0
    append(run, ["4"], first=4)
    assert verify(run) == 1
    stricter = OBEDIENT.replace('told["output"] == told["answer"]', "False")
    a_program(tmp_path, stricter)
    assert verify(run) == 5
    assert [row["correct"] for row in rows_of(run)] == [False, False, None, False, False]
    fits, reasons = fitting(run, HERE, run.verdicts.read(HERE))
    assert fits.all()
    assert not reasons


def test_verdicts_of_the_verifiers_do_not_count_under_a_program(tmp_path: Path) -> None:
    program = a_program(tmp_path, OBEDIENT)
    run = a_run(tmp_path / "run", program, ["\\boxed{5}"])
    with_program = run.read_manifest()
    run.write_manifest(with_program.model_copy(update={"benchmarks": {}}))
    assert verify(run) == 1
    assert rows_of(run)[0]["correct"] is True
    run.write_manifest(with_program)
    assert not fitting(run, HERE, run.verdicts.read(HERE))[0].any()
    assert verify(run) == 1
    assert rows_of(run)[0]["correct"] is False


def test_what_is_graded_while_the_engine_draws_is_graded(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", a_program(tmp_path, OBEDIENT), ["5", "4"])
    with closing(GraderBeside(run, HERE)) as beside:
        assert beside.grade(run.samples.read(HERE, SAMPLE)) == {"p0": {0: True, 1: False}}
    assert verify(run) == 0


def test_equal_outputs_are_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = "import json, sys\nfor n, line in enumerate(sys.stdin):\n"
    counting += "    print(json.dumps({'id': json.loads(line)['id'], 'correct': n == 0}))\n"
    with closing(ProgramGrader(a_program(tmp_path, counting), "b", processes=1)) as grader:
        said = grader.grade([Answered(text, "5") for text in ("a", "a", "b", "a")])
    assert [verdict.correct for verdict in said] == [True, True, False, True]


def test_the_command_tells_and_counts(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", a_program(tmp_path, OBEDIENT), ["5", "raise"])
    experiment = tmp_path / "experiment.yaml"
    told = run.read_manifest().experiment | {"run_dir": str(run.path)}
    experiment.write_text(json.dumps(told))  # JSON is YAML
    command = [sys.executable, "-m", "vlm_boundary", "verify", str(experiment)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 samples graded" in done.stdout
    assert "by a fault of the grader program's (1 died)" in done.stderr
    Path(tmp_path / "grader.py").unlink()
    program = (
        f"program ({' '.join(GraderProgram(('python', str(tmp_path / 'grader.py')), 1, 1).argv)})"
    )
    append(run, [f"{number}" for number in range(10)], first=2)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"grading.command: the {program} gave no verdict" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stage", ["verify", "run", "sample"])
def test_a_run_directory_alone_starts_no_program(tmp_path: Path, stage: str) -> None:
    """It may be somebody else's, and name whatever they liked."""
    program = a_program(tmp_path, f"open({str(tmp_path / 'started')!r}, 'w')\n{OBEDIENT}")
    run = a_run(tmp_path / "run", program, ["5"])
    command = [sys.executable, "-m", "vlm_boundary", stage, str(run.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is graded by the program" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "started").exists()


@pytest.fixture
def documented(tmp_path: Path) -> Path:
    """The YAML and the program of the documentation, to the letter."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind, name in (("yaml", "boxes.yaml"), ("python", "iou.py")):
        found = re.search(rf"```{kind}\n# {name}\n(.*?)```", text, re.DOTALL)
        assert found
        (tmp_path / name).write_text(found[1])
    (tmp_path / "boxes.jsonl").write_text('{"id": "1"}\n')
    return tmp_path


def test_the_documented_grader(documented: Path) -> None:
    boxes = ("[0, 0, 10, 10]", "so [0, 0, 10, 9.5]", "[0, 0, 10, 4]", "none", "[20, 20, 30, 30]")
    lines = [
        {"output": text, "answer": "[0, 0, 10, 10]", "metadata": {"threshold": 0.5}}
        for text in boxes
    ]
    lines.append(lines[2] | {"metadata": {"threshold": 0.3}})
    (documented / "outputs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "vlm_boundary", "grade", str(documented / "outputs.jsonl")),
            *("--by", str(documented / "boxes.yaml"), "--output", str(documented / "graded.jsonl")),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    graded = [json.loads(line) for line in (documented / "graded.jsonl").read_text().splitlines()]
    assert [one["correct"] for one in graded] == [True, True, False, False, False, True]
    assert [one["status"] for one in graded][3] == "no_answer"
    assert graded[1]["rule"] == "program: IoU 0.95"
    assert graded[1]["extracted"] == "[0.0, 0.0, 10.0, 9.5]"


def test_files_of_the_command_are_found_beside_the_yaml(documented: Path) -> None:
    grading = load_benchmark_file(str(documented / "boxes.yaml")).grading
    assert grading.command == ("python", str(documented / "iou.py"))
    before = GraderProgram.of(grading.model_dump())
    assert before is not None
    (documented / "elsewhere").mkdir()
    moved = documented / "elsewhere" / "iou.py"
    moved.write_bytes((documented / "iou.py").read_bytes())
    there = GraderProgram(("python", str(moved)), before.seconds, before.memory_mib)
    assert there.version == before.version
    moved.write_text("# another\n")
    assert there.version != before.version


@pytest.mark.parametrize(
    ("grading", "message"),
    [
        ("{command: []}", "grading.command"),
        ("{command: python iou.py}", "grading.command"),
        ("{command: [python], letters: one}", "leave out grading.letters"),
        ("{command: [python], numeric: decimals, decimals: 2}", "leave out grading.numeric"),
        ("{command: [python], seconds: 0}", "grading.seconds"),
    ],
)
def test_settings_that_cannot_be(documented: Path, grading: str, message: str) -> None:
    path = documented / "boxes.yaml"
    path.write_text(re.sub(r"grading: .*", f"grading: {grading}", path.read_text()))
    with pytest.raises(UserError, match=re.escape(message)):
        load_benchmark_file(str(path))


def test_the_number_of_first_failures_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert "gives no verdict on the first eight is an error" in text
    assert program_module._HOPELESS == 8

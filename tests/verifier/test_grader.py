"""The grader as a whole: deadlines, pool, cache, order; nothing executed, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hostile_texts import HOSTILE

from vlm_boundary.records.problem import Grading, Problem
from vlm_boundary.verifier import Grader, Output, Verdict, grade, grader_version
from vlm_boundary.verifier import grader as grader_module

HERE_FIRST = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1) as pool:
        pool.grade([Output("\\boxed{\\sqrt[3]{2}}", "\\sqrt[3]{3}")])  # starts the pool
        yield pool


def test_a_verdict_says_what_was_taken_and_why() -> None:
    found = grade("<think>hm</think> So the area is \\boxed{12 \\text{ cm}^2}.", "12")
    assert found == Verdict(
        True,
        "correct",
        "12 \\text{ cm}^2",
        "number_equal",
        normalised="12",
        span=(40, 55),
        source="box",
        tolerance="exact",
    )


def test_a_benchmark_problem_is_graded_against_as_it_is() -> None:
    problem = Problem("mine", "p1", "How long?", "2.5", answer_type="float", precision=1, unit="cm")
    assert grade("The answer is 25 mm.", problem).correct is True
    assert grade("The answer is 25 cm.", problem).correct is False


@pytest.mark.parametrize(
    ("grading", "output", "correct"),
    [
        (Grading(), "\\boxed{2.6}", False),
        (Grading("relative", tolerance=0.05), "\\boxed{2.6}", True),
        (Grading("relative", tolerance=0.05), "\\boxed{2.7}", False),
        (Grading("absolute", tolerance=0.5), "\\boxed{2.9}", True),
        (Grading("decimals", decimals=0), "\\boxed{2.9}", True),
        (Grading("decimals", decimals=1), "\\boxed{2.9}", False),
        (Grading(alternatives=("3", "x")), "\\boxed{3}", True),
        (Grading(alternatives=("3", "x")), "\\boxed{4}", False),
    ],
)
def test_the_rules_that_a_benchmark_declares_are_those_it_is_graded_by(
    grading: Grading, output: str, correct: bool
) -> None:
    problem = Problem("mine", "p1", "How long?", "2.5", answer_type="float", grading=grading)
    assert grade(output, problem).correct is correct


@pytest.mark.parametrize("gold", ["AC", "A, C", "C A"])
@pytest.mark.parametrize(
    ("output", "correct"),
    [
        ("\\boxed{A, C}", True),
        ("\\boxed{CA}", True),
        ("The answer is A and C.", True),
        ("\\boxed{A}", False),
        ("\\boxed{A, B, C}", False),
        ("\\boxed{ACE of spades}", False),
    ],
)
def test_several_letters_are_right_together_in_any_order(
    gold: str, output: str, correct: bool
) -> None:
    rule = Grading(letters="set")
    problem = Problem("mine", "p1", "Which?", gold, answer_type="text", grading=rule)
    assert grade(output, problem).correct is correct


def test_the_ways_to_give_an_output_that_training_uses() -> None:
    with Grader(workers=1) as open_grader:
        verdicts = open_grader.grade(
            [
                Output("\\boxed{4}", "4", "stop", "integer"),
                Output("\\boxed{5}", "4", "length", None),
            ]
        )
    assert [verdict.correct for verdict in verdicts] == [True, False]


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("", "stop", "no_answer"),
        ("no idea", "stop", "no_answer"),
        ("<think>it must be 8", "stop", "no_answer"),
        ("<think>it must be 8", "length", "truncated"),
        ("so far 3 + 5 = 8 and", "length", "truncated"),
        ("\\boxed{8} and then, and then", "length", "correct"),
        ("\\boxed{9}", "stop", "incorrect"),
        ("\\boxed{10^{10^{10}}}", "stop", "undecided"),
    ],
)
def test_statuses(grader: Grader, text: str, finish_reason: str, status: str) -> None:
    assert grader.grade([Output(text, "8", finish_reason)])[0].status == status


@pytest.mark.parametrize(
    ("text", "source", "strict"),
    [
        ("<answer>8</answer>", "tag", True),
        ("\\boxed{8}", "box", True),
        ("The answer is 8.", "statement", True),
        ("8", "sole", True),
        ("Therefore, there are 8 cubes.", "conclusion", False),
        ("There are 8 cubes.", "sentence", False),
    ],
)
def test_sources_and_the_strict_reading(
    grader: Grader, text: str, source: str, strict: bool
) -> None:
    found = grader.grade([Output(text, "8")])[0]
    assert (found.source, found.correct, found.strict, found.lenient) == (
        source,
        True,
        strict,
        True,
    )


def test_the_lenient_reading_counts_the_undecided(grader: Grader) -> None:
    undecided, wrong = grader.grade([Output("\\boxed{8m}", "8"), Output("\\boxed{9}", "8")])
    assert (undecided.correct, undecided.strict, undecided.lenient) == (None, False, True)
    assert wrong.lenient is False


def test_flags_say_what_else_was_seen(grader: Grader) -> None:
    text = "\\boxed{3} or \\boxed{5}\nUser: go on\n\\boxed{7}"
    found = grader.grade([Output(text, "5")])[0]
    assert {"runaway", "guesses"} <= set(found.flags)


MANY = [
    Output(text, gold)
    for gold in ("4", "\\frac{1}{2}", "\\sqrt[3]{16}")
    for text in (
        "it is 4",
        "\\boxed{4}",
        "The answer is 1/2.",
        "\\boxed{2\\sqrt[3]{2}}",
        "\\boxed{\\log_2 16}",
        "N/A",
        "\\boxed{10**10**10}",
    )
]


def test_no_verdict_changes_with_cache_workers_order_or_repetition() -> None:
    with Grader(workers=1, deadline=20) as one, Grader(workers=2, deadline=20, cache=False) as two:
        expected = dict(zip(MANY, one.grade(MANY), strict=True))
        shuffled = MANY * 3
        Random(0).shuffle(shuffled)
        for open_grader in (one, two):
            found = open_grader.grade(shuffled)
            assert found == [expected[output] for output in shuffled]
        assert [one.grade([output])[0] for output in MANY] == list(expected.values())


def test_forks_give_the_same_verdicts_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader_module, "_WORTH_FORKING", 2)
    outputs = [*MANY, *(Output(f"\\boxed{{{k}}} \ud800", "7") for k in range(40))] * 2
    with Grader(workers=1, deadline=20) as one, Grader(workers=1, deadline=20, forks=3) as forked:
        assert forked.grade(outputs) == one.grade(outputs)
        assert forked.grade(outputs[:30]) == one.grade(outputs[:30])


def test_what_a_killed_fork_leaves_undone_is_done_by_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grader_module, "_WORTH_FORKING", 2)
    here, guarded = os.getpid(), grader_module._guarded

    def killed(key: Any) -> Any:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return guarded(key)

    monkeypatch.setattr(grader_module, "_guarded", killed)
    outputs = [Output(f"\\boxed{{{k}}}", "7") for k in range(20)]
    with Grader(workers=1, forks=3) as forked:
        assert [v.correct for v in forked.grade(outputs)] == [k == 7 for k in range(20)]


def test_long_outputs_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader_module, "_CACHE", 5000)
    outputs = [Output(f"{'so ' * 200}\\boxed{{{value}}}", "7") for value in range(50)]
    with Grader(workers=1) as bounded:
        found = bounded.grade(outputs + outputs[:10])
        assert bounded._cache is not None
        assert 0 < sum(len(text) for _, text, *_ in bounded._cache) < 6000
    assert [verdict.correct for verdict in found].count(True) == 2


def test_a_comparison_past_its_deadline_is_undecided_and_the_pool_goes_on() -> None:
    slow = Output("\\boxed{\\binom{50}{25}}", "\\binom{50}{24}")
    with Grader(workers=1, deadline=1e-4) as impatient:
        late, fast = impatient.grade([slow, Output("\\boxed{4}", "4")])
    assert (late.correct, late.status, late.rule) == (None, "undecided", "deadline")
    assert fast.correct is True


def test_killed_workers_are_replaced(grader: Grader) -> None:
    bomb = "\\boxed{\\int_0^1 (x^2+1)^{9^{9^9}} \\sin x}"
    good = Output("\\boxed{\\binom{7}{3}}", "\\binom{7}{4}")
    for _ in range(2):
        found = grader.grade([Output(bomb, "\\sqrt[3]{3}"), good, Output(bomb + " ", "\\ln 5")])
        assert [verdict.correct for verdict in found][1] is True
        assert found[0].correct is not True


def test_any_thread_may_grade() -> None:
    found: list[Verdict] = []
    thread = threading.Thread(
        target=lambda: found.append(grade("\\boxed{\\binom{7}{3}}", "\\binom{7}{4}"))
    )
    thread.start()
    thread.join(60)
    assert found
    assert found[0].rule in ("math_verify", "deadline")


# Equal, but not as written; what the pool alone can tell.
SYMBOLIC = ("\\boxed{\\binom{7}{2}}", "\\binom{7}{5}")


def test_grading_one_by_one_starts_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    popen = subprocess.Popen

    def counting(*arguments: Any, **named: Any) -> Any:
        started.append(arguments)
        return popen(*arguments, **named)

    grader_module._SHARED.close()
    monkeypatch.setattr("vlm_boundary.verifier.pool.subprocess.Popen", counting)
    for value in range(50):
        assert grade(f"\\boxed{{{value}}}", "4").correct is (value == 4)
    assert not started  # plain numbers need none
    threads = [
        threading.Thread(target=lambda k=k: grade(f"\\boxed{{\\binom{{7}}{{{k}}}}}", SYMBOLIC[1]))
        for k in range(2, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for value in range(11, 30):
        assert grade(f"\\boxed{{\\binom{{40}}{{{value}}}}}", "\\binom{39}{9}").rule != "worker_died"
    assert len(started) == 1


def test_a_fork_starts_a_process_of_its_own_and_leaves_the_callers_alone(tmp_path: Path) -> None:
    program = tmp_path / "forking.py"
    program.write_text(
        "import os, sys\nfrom vlm_boundary.verifier import Grader, Output, grade\n"
        f"one, text = Output(*{SYMBOLIC!r}), {SYMBOLIC[0]!r}\n"
        "other = Output(text.replace('2', '3'), one.gold)\n"
        "with Grader(workers=1) as grader:\n"
        "    assert grade(one).correct and grader.grade([one])[0].correct\n"
        "    child = os.fork()\n"
        "    rules = [grade(other).rule, grader.grade([other])[0].rule]\n"
        "    assert rules == ['math_verify'] * 2, rules\n"
        "    if not child:\n        sys.exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    third = Output(text.replace('2', '6'), one.gold)\n"
        "    assert grade(third).rule == grader.grade([third])[0].rule == 'math_verify'\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-W", "error", str(program)],
        stderr=subprocess.PIPE,
        text=True,
        env=HERE_FIRST,
        start_new_session=True,
    )
    _, said = caller.communicate(timeout=300)
    assert (caller.returncode, said) == (0, "")
    assert not _session(caller.pid)


def test_a_program_without_a_main_guard_may_grade(tmp_path: Path) -> None:
    """Worker processes are not the caller's, so that its modules run once."""
    program = tmp_path / "reward.py"
    program.write_text(
        "from vlm_boundary.verifier import grade\nprint('once')\n"
        "print(grade('\\\\boxed{\\\\sqrt[3]{2}}', '\\\\sqrt[3]{2}').rule)\n"
    )
    command = [sys.executable, str(program)]
    said = subprocess.check_output(command, text=True, timeout=120, env=HERE_FIRST)
    assert said.startswith("once\n")
    assert said.count("once") == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_outputs_end_soon_and_do_nothing(
    grader: Grader, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = time.process_time()
    found = grader.grade([Output(HOSTILE[kind], "7.25")])[0]
    # Our own share in processor time, which a busy machine does not change; the pool's is bounded
    # by its deadline.
    assert time.process_time() - before < 2.0 - 0.8
    assert found.correct is not True
    assert found.rule
    assert not list(tmp_path.iterdir())


def test_hostile_gold_answers_end_soon(grader: Grader) -> None:
    before = time.process_time()
    for text in HOSTILE.values():
        gold = text.replace("\\boxed", "")[:5000]
        assert grader.grade([Output("\\boxed{3}", gold)])[0].rule
    assert time.process_time() - before < 10


def test_nothing_is_printed(grader: Grader, capfd: pytest.CaptureFixture[str]) -> None:
    grader.grade([Output(text, "7.25") for text in HOSTILE.values()])
    assert capfd.readouterr() == ("", "")


def test_no_process_is_left_behind() -> None:
    before = _children()
    with Grader(workers=2) as pool:
        pool.grade([Output("\\boxed{\\sqrt[3]{2}}", "\\sqrt[3]{3}")])
    assert not _children() - before


def test_a_killed_caller_leaves_nothing_running(tmp_path: Path) -> None:
    program = tmp_path / "grading.py"
    program.write_text(
        "from vlm_boundary.verifier import Grader, Output\n"
        "with Grader(workers=1, deadline=600.0) as grader:\n"
        "    grader.grade([Output('\\\\boxed{\\\\sqrt[3]{2}}', '\\\\sqrt[3]{3}')])\n"
        "    print('ready', flush=True)\n"
        "    grader.grade([Output('\\\\boxed{\\\\sqrt[3]{2}+9^{9^{9^9}}}', '\\\\ln 5')])\n"
    )
    caller = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        env=HERE_FIRST,
        start_new_session=True,
    )
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    caller.kill()
    caller.wait()
    caller.stdout.close()
    for _ in range(100):
        if not _session(caller.pid):
            break
        time.sleep(0.1)
    assert not _session(caller.pid)


def _session(leader: int) -> set[str]:
    """Ids of the processes of a session that are alive."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended while we looked
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.add(stat.parent.name)
    return found


def test_the_version_names_the_rules_and_the_library() -> None:
    ours, library = grader_version().split()
    assert ours.startswith("vlm_boundary/")
    assert library.startswith("math-verify/")


def _children() -> set[str]:
    """Ids of this process's children that are alive."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # ended while we looked
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
            if int(fields["PPid"]) == os.getpid() and not fields["State"].startswith("Z"):
                found.add(fields["Pid"])
    return found

"""What becomes of engines that misbehave: real processes, with a tiny engine made up for it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from vlm_boundary.config import Timeouts
from vlm_boundary.errors import PlaceError, UserError
from vlm_boundary.fleet import Crew, EngineDied, Job, supervise
from vlm_boundary.fleet.places import Place
from vlm_boundary.fleet.process import EngineProcess
from vlm_boundary.store import Partition, RunDirectory

sys.path.insert(0, str(Path(__file__).parent))
from fake_worker import Fake

WHERE = os.pathsep.join(map(str, (Path(__file__).parent, *filter(None, sys.path))))
PLACES = [Place({"PYTHONPATH": WHERE})]
# Long: on a busy machine one that is at work is not to count as stuck.
TIMEOUTS = Timeouts(start_seconds=60, stall_seconds=60)
SPANS = {"a": (range(3),), "bad": (range(2, 4),), "c": (range(2),)}
ALL = Counter({("a", 0), ("a", 1), ("a", 2), ("bad", 2), ("bad", 3), ("c", 0), ("c", 1)})

# Starts a process that imports for long, and waits to be killed.
KILLED_PARENT = """
import sys, time
from pathlib import Path
from vlm_boundary.fleet.places import Place
from vlm_boundary.fleet.process import EngineProcess
folder = Path(sys.argv[1])
process = EngineProcess("slow_worker", [str(folder)], Place({}), folder / "log")
process.tell({"ahead": "slow"})
print(process._process.pid, flush=True)
time.sleep(600)
"""


def job(does: str, arm: str = "base") -> Job:
    return Job((Fake(Partition(arm, "mine"), SPANS, does),))


def run_jobs(
    run: RunDirectory, rounds: Sequence[Sequence[Job]], places: list[Place], timeouts: Timeouts
) -> None:
    with Crew(run, places, timeouts) as crew:
        for jobs in rounds:
            crew.work_off(jobs)


def stored(run: RunDirectory, arm: str = "base") -> Counter[tuple[str, int]]:
    rows = run.samples.read(Partition(arm, "mine"), ["problem_id", "sample_index"]).to_pylist()
    return Counter((row["problem_id"], row["sample_index"]) for row in rows)


def opened(run: RunDirectory, arm: str = "base") -> int:
    return len((run.path / f"opened-{arm}").read_text())


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def test_an_engine_that_behaves_is_opened_once_and_leaves_nothing(run: RunDirectory) -> None:
    run_jobs(run, [[job("leaves a child")]], PLACES, TIMEOUTS)
    assert stored(run) == ALL
    assert opened(run) == 1
    assert len(run.writers()) == 1
    child = int((run.path / "child").read_text())
    deadline = time.monotonic() + 5
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


ARMS = ("base", "rl", "distilled")
KINDS = dict.fromkeys(ARMS, "openai")


def processes(run: RunDirectory) -> list[str]:
    return (run.path / "processes").read_text().split()


def test_a_process_does_one_job_after_the_other_in_every_round(run: RunDirectory) -> None:
    first, second = {"a": (range(2),)}, {"a": (range(2, 5),)}
    rounds = [
        [Job((Fake(Partition(arm, "mine"), spans, "nothing bad"),)) for arm in ARMS]
        for spans in (first, second)
    ]
    run_jobs(run, rounds, PLACES, TIMEOUTS)
    for arm in ARMS:
        assert stored(run, arm) == Counter({("a", index): 1 for index in range(5)})
        assert opened(run, arm) == 2  # an engine of its own for each job
    assert len(processes(run)) == 6
    assert len(set(processes(run))) == 1
    assert len(run.writers()) == 6
    assert not any(_lives(int(process)) for process in processes(run))


def test_a_job_that_a_used_process_cannot_do_gets_a_new_one(
    run: RunDirectory, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [job("nothing bad"), job("opens in a new process alone", "rl"), job("dies", "distilled")]
    run_jobs(run, [jobs, [job("is set up otherwise", "sft")]], PLACES, TIMEOUTS)
    for arm in (*ARMS, "sft"):
        assert stored(run, arm) == ALL
    a, b, c, d, e, f, g = processes(run)
    # rl tries base's process and then has its own; distilled takes that, its engine dies, and it
    # goes on in another; sft needs one that is set up otherwise.
    assert (a, c, e) == (b, d, f)
    assert len({a, c, e, g}) == 4
    told = capfd.readouterr().err
    assert told.count("Starting it again.") == 1  # of distilled: that rl moved is not a failure


def test_a_mistake_in_a_used_process_is_said_by_a_new_one(run: RunDirectory) -> None:
    jobs = [job("nothing bad"), job("dies as it opens", "rl")]
    with pytest.raises(EngineDied, match="ended with exit code 3"):
        run_jobs(run, [jobs, [job("nothing bad", "distilled")]], PLACES, TIMEOUTS)
    assert opened(run, "rl") == 2
    assert stored(run) == ALL
    assert stored(run, "distilled") == Counter()  # a round after one that failed


def test_a_process_that_ends_while_it_waits_is_not_missed(run: RunDirectory) -> None:
    jobs = [job("ends afterwards"), job("slow", "rl")]
    run_jobs(run, [jobs, [job("nothing bad", "distilled")]], PLACES * 2, TIMEOUTS)
    for arm in ARMS:
        assert stored(run, arm) == ALL


@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_one_that_dies_or_hangs_is_started_again_for_what_is_left(
    run: RunDirectory, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stall = 5 if how == "hangs" else 60
    run_jobs(run, [[job(how)]], PLACES, Timeouts(start_seconds=60, stall_seconds=stall))
    assert stored(run) == ALL  # nothing lost, nothing twice
    assert opened(run) == 2
    said = {
        "dies": "ended with signal SIGKILL: out of memory, say",
        "hangs": "did nothing for 5 s and was ended",
    }
    told = capfd.readouterr().err
    assert said[how] in told
    assert "3 of 7 fakes are stored" in told


def test_a_poisoned_one_is_given_up_when_it_gets_no_further(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "MAX_IN_VAIN", 1)
    with pytest.raises(EngineDied, match=r"SIGKILL: out of memory, say .* 3 of 7 fakes"):
        run_jobs(run, [[job("always dies")]], PLACES, TIMEOUTS)
    assert stored(run) == Counter({("a", 0), ("a", 1), ("a", 2)})
    assert opened(run) == 2  # once with samples, once in vain


def test_one_that_writes_nothing_ends_and_its_work_stays_missing(run: RunDirectory) -> None:
    run_jobs(run, [[job("writes nothing")]], PLACES, TIMEOUTS)
    assert stored(run) == Counter()
    assert opened(run) == 1


@pytest.mark.parametrize("how", ["does not open", "dies as it opens"])
def test_one_that_does_not_open_is_not_tried_again(run: RunDirectory, how: str) -> None:
    with pytest.raises(EngineDied, match=r"did not start for 1\.5 s|ended with exit code 3"):
        run_jobs(run, [[job(how)]], PLACES, Timeouts(start_seconds=1.5, stall_seconds=2))
    assert not run.writers()


def test_a_mistake_does_not_stop_the_others_and_is_said_at_the_end(run: RunDirectory) -> None:
    jobs = [job("refuses", "rl"), job("nothing bad")]
    with pytest.raises(UserError, match="the model is not what it says"):
        run_jobs(run, [jobs], PLACES, TIMEOUTS)
    assert opened(run, "rl") == 1
    assert stored(run) == ALL
    assert len(list(run.logs.iterdir())) == 2  # an engine was ready in both processes


def test_what_is_refused_as_it_opens_leaves_no_log(run: RunDirectory) -> None:
    with pytest.raises(UserError, match="no such model"):
        run_jobs(run, [[job("is refused as it opens")]], PLACES, TIMEOUTS)
    assert not list(run.logs.iterdir())


def test_where_nothing_can_be_written_all_end_at_once(run: RunDirectory) -> None:
    jobs = [job("finds the disk full", "rl"), job("hangs")]
    began = time.monotonic()
    with pytest.raises(PlaceError, match="the disk is full"):
        run_jobs(run, [jobs], PLACES * 2, Timeouts(start_seconds=60, stall_seconds=60))
    assert time.monotonic() - began < 30


def test_processes_start_before_their_first_job_is_known(run: RunDirectory) -> None:
    jobs = [job("nothing bad"), job("nothing bad", "rl"), job("nothing bad", "distilled")]
    with Crew(run, PLACES * 2, TIMEOUTS) as crew:
        crew.start(jobs, KINDS)
        waiting = [worker.process for worker in crew.idle]
        assert len(waiting) == 2  # one at each place
        assert all(process.running for process in waiting)
        assert not (run.path / "processes").exists()
        crew.work_off(jobs)
    assert {stored(run, arm).total() for arm in ARMS} == {7}
    assert len(set(processes(run))) == 2
    assert [process.log.name.split("-")[1] for process in waiting] == ["base", "rl"]


def test_what_is_refused_meanwhile_leaves_no_process_and_begins_no_job(run: RunDirectory) -> None:
    def refuse() -> None:
        with Crew(run, PLACES, TIMEOUTS) as crew:
            crew.start([job("nothing bad")], KINDS)
            waiting.extend(worker.process for worker in crew.idle)
            raise UserError("not asked alike")

    waiting: list[EngineProcess] = []
    with pytest.raises(UserError, match="asked alike"):
        refuse()
    assert [process.running for process in waiting] == [False]
    assert not (run.path / "processes").exists()
    assert not list(run.logs.iterdir())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_a_finalizer_swallows_stops_all_the_same(
    run: RunDirectory, signum: signal.Signals
) -> None:
    class Swallows:
        def __del__(self) -> None:
            signal.raise_signal(signum)

    def prepare() -> None:
        with Crew(run, PLACES, TIMEOUTS) as crew:
            crew.start([job("nothing bad")], KINDS)
            waiting.extend(worker.process for worker in crew.idle)
            Swallows()
            gc.collect()
            crew.work_off([job("nothing bad")])

    waiting: list[EngineProcess] = []
    # As at a terminal: a shell has SIGINT ignored by what runs in its background.
    found = signal.signal(signum, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            prepare()
        assert signal.getsignal(signum) is signal.default_int_handler
    finally:
        signal.signal(signum, found)
    assert [process.running for process in waiting] == [False]
    assert not (run.path / "processes").exists()


def test_a_worker_whose_engine_swallows_a_stop_ends_at_its_next_step(run: RunDirectory) -> None:
    process = EngineProcess("fake_worker", [str(run.path)], PLACES[0], run.path / "log")
    process.tell([unit.record() for unit in job("swallows a stop").units])
    at_work = run.path / "at work"
    deadline = time.monotonic() + 60
    while not at_work.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.stop()
    assert process.wait(60) is not None
    process.kill()
    os.close(process.messages)
    assert stored(run) == Counter()  # it got no further, and has recorded what it did
    assert len(run.writers()) == 1


def test_one_that_imports_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": WHERE},
        text=True,
    )
    assert parent.stdout is not None
    process = int(parent.stdout.readline())
    importing = tmp_path / "importing"
    deadline = time.monotonic() + 60
    while not importing.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5  # what it imports takes 600 s, and catches any Exception
    while _lives(process):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_that_ends_before_its_first_job_is_replaced(run: RunDirectory) -> None:
    jobs = [job("nothing bad")]
    with Crew(run, PLACES, TIMEOUTS) as crew:
        crew.start(jobs, KINDS)
        crew.idle[0].process.stop()  # as a scheduler may
        assert crew.idle[0].process.wait(60) is not None
        crew.work_off(jobs)
    assert stored(run) == ALL


def test_what_ended_by_itself_before_its_first_job_leaves_its_log(run: RunDirectory) -> None:
    with Crew(run, PLACES, TIMEOUTS) as crew:
        crew.start([job("nothing bad")], KINDS)
        process = crew.idle[0].process
        process.stop()
        assert process.wait(60) is not None
    assert process.log.exists()


def test_a_job_waits_for_what_is_imported_ahead(run: RunDirectory) -> None:
    """A pipe holds 64 KiB: whoever writes more to one that nobody reads can see to nothing else."""
    jobs = [job("nothing bad")]
    with Crew(run, PLACES, Timeouts(start_seconds=60, stall_seconds=60)) as crew:
        crew.start(jobs, KINDS)
        (first,) = crew.idle
        os.kill(vars(first.process)["_process"].pid, signal.SIGSTOP)  # an import that never ends
        vars(first)["_heard"] -= 60
        crew.work_off(jobs)
    assert not first.process.running
    assert stored(run) == ALL


def _lives(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"

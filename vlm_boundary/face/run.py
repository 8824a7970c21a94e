"""A run directory opened, read, and brought further."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vlm_boundary.errors import UserError
from vlm_boundary.face.stages import draw, failure_lines, finish, follow_up

if TYPE_CHECKING:
    import pyarrow as pa

    from vlm_boundary.config import Condition, ExperimentConfig
    from vlm_boundary.config.gate import GateRules
    from vlm_boundary.reasoning.judge.stage import Judged
    from vlm_boundary.records.analysis import Analysis
    from vlm_boundary.records.outputs import Gate
    from vlm_boundary.report.verdict import Statement
    from vlm_boundary.store import RunDirectory

AnyPath = str | os.PathLike[str]
TableName = Literal["curves", "differences", "pairs", "problems", "luck", "beyond_n", "slices"]


@dataclass(frozen=True)
class Run:
    """A run directory, opened. Tables are Arrow; `.to_pandas()` makes them pandas.

    Attributes:
        directory: its files, for what is not offered here.
        experiment: the settings that it is read by.
    """

    directory: RunDirectory
    experiment: ExperimentConfig

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.directory.path

    def sample(self, *, limit: int | None = None) -> int:
        """Draw the samples that the run lacks, as `sample` does; returns how many were drawn.

        Args:
            limit: only each benchmark's first problems.

        Raises:
            UserError: something in the experiment cannot be run as it stands.
            EngineDied: an engine failed; the same call goes on from there.
        """
        drawn = draw(self.directory, self.experiment, limit=limit)
        _warn(drawn.told)
        return drawn.samples

    def verify(self, *, force: bool = False) -> int:
        """Grade what has no verdict yet, or everything again; returns how many were graded."""
        from vlm_boundary.verifier import verify

        graded = verify(self.directory, force=force)
        _warn(failure_lines(self.directory))
        return graded

    def check(self, *, force: bool = False) -> int:
        """Check the reasoning of what was not checked yet; returns how many samples were."""
        from vlm_boundary.reasoning.stage import check, failures_of

        checked = check(self.directory, force=force).samples
        if failures := failures_of(self.directory):
            _warn([str(failures)])
        return checked

    def judge(self) -> Judged:
        """Have the experiment's judge read the right answers that it has not read yet.

        Raises:
            UserError: the experiment has no judge, or it cannot be run as it stands.
            EngineDied: an engine failed; the same call goes on from there.
        """
        from vlm_boundary.reasoning.judge.stage import judge

        return judge(self.directory, self.experiment)

    def score(
        self, responses_of: Sequence[str], under: str, *, per_problem: int = 32
    ) -> tuple[int, int]:
        """Store how likely one arm finds the responses of others, as `score` does.

        Args:
            responses_of: the arms whose responses are scored.
            under: the arm that scores them.
            per_problem: the first so many responses of each problem.

        Returns:
            How many were scored, and how many could not be.

        Raises:
            UserError: there is no such arm, or it cannot be run as it stands.
            EngineDied: an engine failed; the same call goes on from there.
        """
        from vlm_boundary.scoring import score

        return score(
            self.directory,
            self.experiment,
            responses_of=responses_of,
            under=under,
            per_problem=per_problem,
        )

    def follow_up(self, n: int) -> Path | None:
        """Bring the problems that one arm of a pair alone solved to n samples, as `followup` does.

        Returns:
            The report's page; None where no problem was solved by one arm alone.

        Raises:
            UserError: n is no more than there are, or the experiment cannot be run as it stands.
            EngineDied: an engine failed; the same call goes on from there.
        """
        from vlm_boundary.analysis.followup import top_ups

        wanted = top_ups(self.directory, self.experiment, n)
        if not wanted:
            return None
        drawn, finished = follow_up(self.directory, self.experiment, wanted)
        _warn((*drawn.told, *finished.told))
        return finished.page

    def analyze(self) -> Analysis:
        """Compute the statistics from the verdicts anew, and store them, as `analyze` does.

        Raises:
            UserError: there are no verdicts.
        """
        from vlm_boundary.analysis.stage import analyze

        return analyze(self.directory, self.experiment)

    def analysis(self) -> Analysis:
        """Everything that analysis.json says, as typed records; warns where it is out of date.

        Raises:
            UserError: the run was not analysed by this version.
        """
        from vlm_boundary.records.analysis import read_analysis
        from vlm_boundary.report.stage import outdated_lines

        found = read_analysis(self.directory.analysis)
        _warn(outdated_lines(self.directory))
        return found

    def table(self, name: TableName) -> pa.Table:
        """One of the tables of the statistics, one row per value; docs/analysis.md has the columns.

        Raises:
            UserError: the run was not analysed by this version, or there is no such table.
        """
        import pyarrow.parquet as pq

        self.analysis()  # says what is out of date
        path = self.directory.tables / f"{name}.parquet"
        if not path.is_file():
            known = ", ".join(sorted(one.stem for one in path.parent.glob("*.parquet")))
            raise UserError(f"{path}: there is no such table; there are {known}")
        return pq.read_table(path)

    def curves(self) -> pa.Table:
        """Every arm's curves: benchmark, arm, metric, k, estimate, low, high, problems."""
        return self.table("curves")

    def differences(self) -> pa.Table:
        """Other − base at every k with interval and band: one row per pair, benchmark and k."""
        return self.table("differences")

    def samples(self, arm: str, benchmark: str, condition: Condition = "full") -> pa.Table:
        """An arm's samples as they are stored, texts and all.

        Raises:
            UserError: the run has none of that arm on that benchmark.
        """
        return self._stored("samples", arm, benchmark, condition)

    def verdicts(self, arm: str, benchmark: str, condition: Condition = "full") -> pa.Table:
        """The verdicts on an arm's samples: problem_id, sample_index, correct and more.

        Raises:
            UserError: the run has none of that arm on that benchmark.
        """
        return self._stored("verdicts", arm, benchmark, condition)

    def _stored(
        self, table: Literal["samples", "verdicts"], arm: str, benchmark: str, condition: Condition
    ) -> pa.Table:
        from vlm_boundary.store import Partition

        parts = self.directory.samples if table == "samples" else self.directory.verdicts
        wanted, there = Partition(arm, benchmark, condition), parts.partitions()
        if wanted not in there:
            known = sorted(f"{one.arm} on {one.benchmark} ({one.condition})" for one in there)
            raise UserError(
                f"{self.path}: no {table} of {arm} on {benchmark} ({condition}); "
                f"there are {', '.join(known) or 'none'}"
            )
        return parts.read(wanted)

    def report(self) -> Path:
        """Write page, figures and tables, as `report` does; warns where they are out of date.

        Raises:
            UserError: the run was not analysed by this version.
        """
        from vlm_boundary.report import outdated_lines, report

        _warn(outdated_lines(self.directory))
        return report(self.directory, self.experiment)

    def statements(self) -> list[Statement]:
        """The report's verdict: a sentence for every pair on every benchmark.

        Raises:
            UserError: the run was not analysed by this version.
        """
        from vlm_boundary.analysis.findings import Findings, in_order
        from vlm_boundary.report.verdict import statements

        return statements(Findings(self.analysis(), in_order(self.experiment)))

    def gate(self, rules: AnyPath | GateRules | Mapping[str, Any]) -> Gate:
        """Whether its checkpoints may pass, as `gate` says; see docs/gate.md.

        Args:
            rules: a YAML file, or what it would hold.

        Raises:
            UserError: the rules are not valid, or name what the run does not hold.
        """
        from vlm_boundary.analysis.gate import gate_run
        from vlm_boundary.config.gate import GateRules, load_rules
        from vlm_boundary.settings import validate

        if isinstance(rules, Mapping):
            rules = validate(GateRules, rules, where="rules")
        elif not isinstance(rules, GateRules):
            rules = load_rules(Path(rules))
        return gate_run(self.directory, self.experiment, rules)


def open_run(path: AnyPath, overrides: Sequence[str] = ()) -> Run:
    """Open a run directory; warns of what is damaged or missing in it.

    Args:
        path: the directory.
        overrides: settings to read it by, as `-o` takes them: `"analysis.confidence=0.9"`.

    Raises:
        UserError: it is no run, cannot be read as it is, or a setting is not valid.
    """
    from vlm_boundary.config import build_experiment
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.store.wholeness import look, refuse_what_stops

    directory = RunDirectory(Path(path))
    experiment = build_experiment(
        directory.existing_manifest().experiment, tuple(overrides), where=str(path)
    )
    found = look(directory)
    refuse_what_stops(directory, found)
    _warn(map(str, found))
    return Run(directory, experiment)


def run_experiment(
    experiment: AnyPath, overrides: Sequence[str] = (), *, limit: int | None = None
) -> Run:
    """Run an experiment to its report, doing only what is missing, as `run` does.

    A script that calls this needs `if __name__ == "__main__":` around the call, since engines may
    be processes that import it.

    Args:
        experiment: its YAML.
        overrides: as `-o` takes them: `"sampling.n=64"`.
        limit: sample only each benchmark's first problems.

    Returns:
        The run; `run.directory.page` is the report. What could not be drawn is warned of.

    Raises:
        UserError: something in the experiment cannot be run as it stands.
        EngineDied: an engine failed; the same call goes on from there.
    """
    from vlm_boundary.config import load_experiment
    from vlm_boundary.store import RunDirectory
    from vlm_boundary.store.wholeness import look, refuse_what_stops

    settings = load_experiment(Path(experiment), tuple(overrides))
    directory = RunDirectory(settings.run_path)
    if directory.begun:
        refuse_what_stops(directory, look(directory), ("verdicts", "opinions", "validity"))
    _warn(draw(directory, settings, limit=limit).told)
    _warn(finish(directory, settings).told)
    return Run(directory, settings)


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        warnings.warn(line, stacklevel=3)

"""The report stage: one page that opens from disk, and its figures as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vlm_boundary import __version__
from vlm_boundary.analysis.findings import Findings, in_order
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.progress import progress_bar
from vlm_boundary.records.analysis import read_analysis
from vlm_boundary.records.outputs import DrawnFigure, ReportContents
from vlm_boundary.report import provenance
from vlm_boundary.report.behind import problem_sets, undecided
from vlm_boundary.report.chart import Figure
from vlm_boundary.report.drawing import FORMATS, draw_all
from vlm_boundary.report.figures.curves import pass_at_k
from vlm_boundary.report.page import page
from vlm_boundary.report.sections import Section, sections
from vlm_boundary.report.verdict import Statement, statements
from vlm_boundary.store import RunDirectory, fingerprint, held, write_json, write_text

_PACKAGE = Path(__file__).parents[1]


def report(
    run: RunDirectory,
    experiment: ExperimentConfig,
    formats: Sequence[str] = FORMATS,
    *,
    forks: int = 1,
) -> Path:
    """Write the run's report folder; returns the path of its page.

    Args:
        run: whose statistics are reported.
        experiment: how it is to be reported.
        formats: of the figures, PNG among them, which the page falls back on.
        forks: how many forks of this process draw figures; more than one only in a program whose
            threads may be forked, such as a command.

    Raises:
        UserError: the run has not been analysed.
    """
    analysis = read_analysis(run.analysis)
    manifest = run.read_manifest()
    found = Findings(analysis, in_order(experiment))
    said, shown = statements(found), sections(found)
    headline = pass_at_k(found)
    figures = [figure for section in shown for figure in section.figures]
    _draw(run, (headline, *figures), formats, forks)
    settings = provenance.settings_yaml(experiment)
    write_text(run.report / "experiment.yaml", settings)
    warnings = [
        *outdated_lines(run),
        *provenance.warnings(experiment, manifest, analysis),
    ]
    write_text(run.report / "report.md", _markdown(experiment.name, said, warnings, shown))
    text = page(
        headline=headline,
        figures=figures,
        formats=formats,
        picture=(run.report / "figures" / f"{headline.name}.png").read_bytes(),
        name=experiment.name,
        arms=", ".join(found.roles),
        sizes=", ".join(
            f"{name}: {counted(one.problems, 'problem')}" for name, one in found.benchmarks.items()
        ),
        verdicts=said,
        warnings=warnings,
        sections=shown,
        sets=problem_sets(found),
        asked=undecided(found),
        failures=provenance.failures(run, experiment),
        seed=experiment.seed,
        commands=provenance.COMMANDS,
        provenance=provenance.tables(run, experiment, manifest, analysis.grader),
        resolved=provenance.resolved(run),
        settings=settings,
        version=__version__,
        grader=analysis.grader,
    )
    path = run.page
    write_text(path, text)
    return path


def _draw(run: RunDirectory, figures: Sequence[Figure], formats: Sequence[str], forks: int) -> None:
    with progress_bar("drawing", total=len(figures), unit="figure") as bar:
        for _ in draw_all(figures, run.report / "figures", formats, forks=forks):
            bar.update()
    drawn = [DrawnFigure(name=one.name, title=one.title, caption=one.caption) for one in figures]
    write_json(run.report / "contents.json", ReportContents(figures=drawn).as_json())


def outdated_lines(run: RunDirectory) -> list[str]:
    """Says, in one line, that the statistics are of something older than what the run holds."""
    if not run.analysed.is_file() or run.analysed.read_bytes() == held(run).encode():
        return []
    return [
        "These statistics are older than the run: its samples, verdicts, checks, problems or "
        "labels have changed since they were computed. 'vlm-boundary analyze' makes them anew."
    ]


def _markdown(name: str, said: list[Statement], warnings: list[str], shown: list[Section]) -> str:
    """What the page says, for a terminal or a pull request."""
    lines = [f"# {name}", ""]
    for verdict in said:
        lines += [f"**{verdict.benchmark}**: {verdict.sentence}", ""]
        lines += [f"- {note}" for note in verdict.notes]
        lines.append("")
    lines += [f"> {line}\n" for line in warnings]
    lines += ["![pass@k](figures/pass_at_k.png)", ""]
    for section in shown:
        lines += [f"## {section.title}", "", section.text, ""]
        lines += [f"![{figure.title}](figures/{figure.name}.png)\n" for figure in section.figures]
        lines += [table.markdown() for _, table in section.tables]
    return "\n".join(lines)


def up_to_date_report(run: RunDirectory, experiment: ExperimentConfig, *, forks: int = 1) -> Path:
    """Analyse and report, unless that was done of the very same by this very package.

    Returns the path of the page; `forks` as in `report`. UserError: there is nothing to analyse.
    """
    made = (run.analysis, run.analysed, run.tables, run.report)
    done = run.path / ".reported"
    inputs = _inputs(run, experiment, without={*made, done})
    if done.is_file() and done.read_text(encoding="utf-8") == fingerprint(made, inputs):
        return run.page
    analyze(run, experiment)
    page = report(run, experiment, forks=forks)
    # With the inputs as they were before: whoever adds samples meanwhile is analysed next time.
    write_text(done, fingerprint(made, inputs))
    return page


def _inputs(run: RunDirectory, experiment: ExperimentConfig, without: set[Path]) -> str:
    """What both follow from: the package, the settings and everything else in the run."""
    apart = without | {run.path / ".locks", run.logs, run.images}
    files = {path for path in run.path.iterdir() if path not in apart}
    files |= {Path(file) for file in experiment.analysis.guess_priors.values()}
    settings = json.dumps(experiment.model_dump(mode="json"), sort_keys=True)
    return fingerprint([_PACKAGE, *files], settings)

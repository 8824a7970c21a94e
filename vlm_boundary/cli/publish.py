"""`vlm-boundary publish`: a run as a data set that others can read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from vlm_boundary.cli.options import existing_run, override_option, path_option
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError


@click.command(short_help="Make a run into a data set with a card, in a folder or on the hub.")
@click.argument("target", metavar="RUN|EXPERIMENT.yaml", type=click.Path(path_type=Path))
@override_option
@click.option("--to", "repository", metavar="OWNER/NAME", help="Send it to the hub.")
@click.option(
    "--private", is_flag=True, help="Make the data set private, where it is new on the hub."
)
@path_option(
    "--folder",
    metavar="DIR",
    help="Write it here; what an earlier publication left there is replaced.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would leave, and what stays.")
@click.option(
    "--with-problems",
    multiple=True,
    metavar="BENCHMARK",
    help="Publish this benchmark's questions, gold answers and pictures too; repeatable.",
)
@click.option(
    "--records",
    is_flag=True,
    help="Add records of the schema Every Eval Ever, and entries for the models' pages.",
)
@click.option("--organization", metavar="NAME", help="Who ran it, for the records.")
def publish(
    target: Path,
    overrides: tuple[str, ...],
    repository: str | None,
    private: bool,
    folder: Path | None,
    dry_run: bool,
    with_problems: tuple[str, ...],
    records: bool,
    organization: str | None,
) -> None:
    """Publish responses, verdicts, numbers, figures and a card that explains them.

    Questions, gold answers and pictures stay here unless the package draws the problems itself or
    their benchmark is named; paths of this machine never leave. Nothing is sent without --to.
    """
    from vlm_boundary.publish import publication, upload

    if not (repository or folder or dry_run):
        raise UserError("say where: --to OWNER/NAME, --folder DIR, or --dry-run")
    run, experiment = existing_run(target, overrides)
    found = publication(
        run,
        experiment,
        with_problems=frozenset(with_problems),
        records=records,
        organization=organization,
        repository=repository,
    )
    if dry_run:
        for item in found.items:
            click.echo(f"{item.path:<60} {item.what}")
        for line in found.stays:
            click.echo(f"stays here: {line}")
        return
    if folder is not None:
        found.write(folder)
        click.echo(f"{counted(len(found.items), 'file')} in {folder}")
    if repository is not None:
        with tempfile.TemporaryDirectory() as temporary:
            sent = folder or Path(temporary) / "publication"
            if folder is None:
                found.write(sent)
            click.echo(upload(sent, repository, private=private))

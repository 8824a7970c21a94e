"""Options that several commands share, and the run or experiment they are given."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.cluster.connect import ClusterShares
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.store import RunDirectory, Shard

_MOST_TOLD = 5
DERIVED = ("verdicts", "opinions", "validity", "statements")
"""What of a run is made again without an engine, by its folders."""
Command = TypeVar("Command", bound=Callable[..., Any])


def path_option(*names: str, metavar: str, help: str, **more: Any) -> Callable[[Command], Command]:
    """An option that is a path."""
    return click.option(*names, metavar=metavar, type=click.Path(path_type=Path), help=help, **more)


def count_option(
    *names: str, help: str, default: int | None = None, **more: Any
) -> Callable[[Command], Command]:
    """An option that is a number from 1."""
    return click.option(
        *names,
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        metavar="N",
        help=help,
        **more,
    )


target_argument = click.argument(
    "target", metavar="RUN|EXPERIMENT.yaml", type=click.Path(path_type=Path)
)
override_option = click.option(
    "-o",
    "--override",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key of the experiment, as in -o sampling.n=64 or -o arms.rl.model=PATH; "
    "repeatable.",
)
n_option = count_option(
    "--n",
    "n",
    help="Samples per problem, in place of sampling.n; a larger n later adds what is missing.",
)
limit_option = count_option("--limit", help="Take only the first N problems of each benchmark.")
gpus_option = click.option(
    "--gpus",
    metavar="I,J…",
    help="GPUs to use, an engine on each; by default all.",
)
ray_option = click.option(
    "--ray",
    "ray",
    metavar="ADDRESS",
    help="Work on a Ray cluster: auto for the one that this machine belongs to, HOST:PORT, or "
    "local.",
)
track_option = click.option(
    "--track",
    type=click.Choice(("trackio", "wandb")),
    help="Put the numbers into this experiment tracker, in the project of the experiment's "
    "name; nothing is sent anywhere unless asked.",
)


def sampling_options(command: Command) -> Command:
    """--n, --limit, --gpus and --ray."""
    return n_option(limit_option(gpus_option(ray_option(command))))


def _shard(context: click.Context, option: click.Parameter, value: str | None) -> Shard | None:
    if value is None:
        return None
    from vlm_boundary.store import Shard

    index, _, count = value.partition("/")
    if not (index.isdecimal() and count.isdecimal()):
        raise UserError(f"--shard {value}: give I/N, as in 0/4 for the first of four shares")
    return Shard(int(index), int(count))


shard_option = click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Sample only share I (0 to N-1) of the problems; other processes or machines may "
    "sample the other shares into the same run meanwhile.",
)


def open_target(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None = None,
    gpus: str | None = None,
    ray: str | None = None,
    mends: Collection[str] = (),
) -> tuple[RunDirectory, ExperimentConfig]:
    """The run directory and settings that a command is about; `mends` as in `tell_state`.

    Raises:
        UserError: there is no such file or run, or its settings are not valid.
    """
    from vlm_boundary.config import build_experiment, load_experiment
    from vlm_boundary.store import RunDirectory

    if n is not None:
        overrides = (*overrides, f"sampling.n={n}")
    if gpus is not None:
        overrides = (*overrides, f"gpus=[{gpus}]")
    if ray is not None:
        overrides = (*overrides, f"ray.address={ray}")
    if target.is_dir():
        run = RunDirectory(target)
        manifest = run.existing_manifest()
        tell_state(run, mends)
        return run, build_experiment(manifest.experiment, overrides, where=str(target))
    experiment = load_experiment(target, overrides)
    run = RunDirectory(experiment.run_path)
    tell_state(run, mends)
    return run, experiment


def tell_state(run: RunDirectory, mends: Collection[str] = ()) -> None:
    """Say, on standard error, what of a run is damaged, missing or not its own, if it was begun.

    Args:
        mends: the folders of tables that the command makes again itself, or does not look at.

    Raises:
        UserError: no stage can go on with the run as it is.
    """
    from vlm_boundary.store.wholeness import look, refuse_what_stops

    if not run.begun:
        return
    found = look(run)
    refuse_what_stops(run, found, mends)
    for finding in found[:_MOST_TOLD]:
        click.echo(str(finding), err=True)
    if len(found) > _MOST_TOLD:
        more = len(found) - _MOST_TOLD
        click.echo(f"and {more:,} more: see 'vlm-boundary fsck {run.path}'", err=True)


def shares_on(
    experiment: ExperimentConfig, address: str | None, doing: str
) -> ClusterShares | None:
    """Where verdicts or checks are shared out, if --ray says so.

    Args:
        address: what --ray was given.
        doing: what is done, for the progress bar.
    """
    if address is None:
        return None
    from vlm_boundary.cluster.connect import ClusterShares
    from vlm_boundary.config import RayConfig

    config = experiment.ray or RayConfig()
    return ClusterShares(config.model_copy(update={"address": address}), doing)


def refuse_unasked_programs(run: RunDirectory, target: Path) -> None:
    """Start no grading program that only a run directory names: it may be somebody else's.

    Raises:
        UserError: the target is a run directory with a benchmark that a program grades.
    """
    if not target.is_dir():
        return
    for name, benchmark in run.existing_manifest().benchmarks.items():
        if program := benchmark.grader_program:
            raise UserError(
                f"{target}: benchmark {name!r} is graded by the program {list(program.argv)}, "
                f"which a run directory may name freely; read it, then give the experiment's YAML "
                f"in place of the run directory"
            )


def existing_run(
    target: Path,
    overrides: tuple[str, ...],
    gpus: str | None = None,
    mends: Collection[str] = (),
) -> tuple[RunDirectory, ExperimentConfig]:
    """What `open_target` gives, for a stage that reads what a run already holds.

    Raises:
        UserError: there is no such run yet, or its settings are not valid.
    """
    run, experiment = open_target(target, overrides, gpus=gpus, mends=mends)
    if not run.begun:
        raise UserError(f"{run.path}: there is no such run yet; 'vlm-boundary sample' begins one")
    return run, experiment

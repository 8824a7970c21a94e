"""`vlm-boundary match-entropy`: the temperature at which RL's entropy is the base's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlm_boundary.cli.options import count_option, gpus_option, limit_option, override_option
from vlm_boundary.cli.stages import draw_samples, refuse_empty, stoppable
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError

if TYPE_CHECKING:
    from vlm_boundary.config import ExperimentConfig
    from vlm_boundary.store import RunDirectory


@click.command(
    "match-entropy", short_help="Add RL at the temperature whose entropy equals the base's."
)
@click.argument("target", metavar="EXPERIMENT.yaml", type=click.Path(path_type=Path))
@override_option
@limit_option
@gpus_option
@click.option("--base", metavar="ARM", required=True, help="The arm whose entropy is to be met.")
@click.option("--rl", metavar="ARM", required=True, help="The arm whose temperature is sought.")
@click.option(
    "--temperatures",
    default="0.6,0.8,1.0,1.2,1.5",
    show_default=True,
    metavar="T,T…",
    help="Temperatures to try.",
)
@count_option("--per-problem", default=4, help="Samples of each problem at each temperature.")
@click.option("--arm", metavar="NAME", help="Name of the new arm; by default ARM-matched.")
@click.option("--dry-run", is_flag=True, help="Say the temperature and write nothing.")
def match_entropy(
    target: Path,
    overrides: tuple[str, ...],
    limit: int | None,
    gpus: str | None,
    base: str,
    rl: str,
    temperatures: str,
    per_problem: int,
    arm: str | None,
    dry_run: bool,
) -> None:
    """Find the temperature at which an RL checkpoint is as random as its base, and add that arm.

    A few responses are sampled from the base at its own temperature and from the RL arm at several,
    with log-probabilities after temperature and top-p, whose negative mean is the entropy per
    token. The new arm is written into the experiment file; 'run' then samples and compares it.
    """
    from vlm_boundary.analysis.probes import match_entropy as find
    from vlm_boundary.config import load_experiment
    from vlm_boundary.config.files import add_arm

    if target.is_dir():
        raise UserError(f"{target}: give the experiment's YAML file, which the new arm goes into")
    if gpus is not None:
        overrides = (*overrides, f"gpus=[{gpus}]")
    experiment = load_experiment(target, overrides)
    name = arm or f"{rl}-matched"
    if name in experiment.arms and not dry_run:
        raise UserError(f"{target}: there is an arm {name!r} already; give --arm another name")

    def draw(run: RunDirectory, probes: ExperimentConfig) -> int:
        drawn = stoppable(run, lambda: draw_samples(run, probes, limit))
        refuse_empty(run, drawn)
        return drawn.samples

    found = find(experiment, base, rl, _numbers(temperatures), per_problem, draw)
    click.echo(
        f"{base}: {found.target:.4f} nats per token, over {counted(found.problems, 'problem')}"
    )
    for temperature, entropy in found.entropies.items():
        click.echo(f"{rl} at temperature {temperature:g}: {entropy:.4f}")
    if found.temperature is None:
        raise UserError(
            f"none of the temperatures tried brackets the entropy of {base!r}: give lower or "
            f"higher --temperatures"
        )
    matched = round(found.temperature, 3)
    interval = "" if found.low is None else f" [{found.low:.3f}, {found.high:.3f}]"
    click.echo(f"Equal at temperature {matched:g}{interval}.")
    if dry_run:
        return
    add_arm(target, name, like=rl, sampling={"temperature": matched})
    click.echo(f"Added arm {name} to {target}; 'vlm-boundary run {target}' samples it.")


def _numbers(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--temperatures {text}: give numbers, as in 0.6,0.8,1.0") from None
    if len(set(found)) < 2 or min(found) < 0.01 or max(found) > 2:
        raise UserError(f"--temperatures {text}: give at least two between 0.01 and 2")
    return found

"""`vlm-boundary plan`: what an experiment would cost, before a GPU is touched."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import (
    count_option,
    limit_option,
    n_option,
    open_target,
    override_option,
    target_argument,
)
from vlm_boundary.errors import UserError


@click.command(short_help="Say what an experiment would cost, before a GPU is touched.")
@target_argument
@override_option
@n_option
@limit_option
@click.option(
    "--gpu",
    "gpu_names",
    metavar="NAME",
    multiple=True,
    help="Work out the least time on this GPU, as A100, H100, H200 or L40S; repeatable.",
)
@count_option("--gpu-count", default=1, help="How many there are of it.")
@click.option(
    "--response-tokens",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Mean length of a response; by default that of the arm's stored samples.",
)
@click.option(
    "--detect",
    type=click.FloatRange(min=0, min_open=True, max=100),
    metavar="POINTS",
    help="Also print the cheapest designs that find a gap of so many points.",
)
@click.option(
    "--at-k",
    type=click.IntRange(min=1),
    metavar="K",
    help="The k of pass@k in which --detect looks for it; by default n.",
)
@click.option(
    "--power",
    type=click.FloatRange(min=0.5, max=0.999),
    metavar="SHARE",
    help="How often --detect is to find it; by default 0.8.",
)
@click.option(
    "--prior",
    metavar="NEVER,A,B",
    help="In place of the counts so far, for --detect and for what a stopping rule saves: the "
    "share of problems never solved, and the Beta of the others' accuracies, as in 0.12,0.6,0.8.",
)
def plan(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    gpu_names: tuple[str, ...],
    gpu_count: int,
    response_tokens: float | None,
    detect: float | None,
    at_k: int | None,
    power: float | None,
    prior: str | None,
) -> None:
    """Say what an experiment would draw and what that would take; the run stays as it is.

    Problems after each filter, prompt lengths with pictures, samples that are missing, disk, and
    the least time on a GPU at its data sheet's rates. What a run holds already is subtracted.
    """
    from vlm_boundary.analysis.power import POWER
    from vlm_boundary.engines.bound import find_gpu
    from vlm_boundary.planning import describe
    from vlm_boundary.planning import plan as work_out
    from vlm_boundary.planning.detect import Gap, detect_lines, resolution_lines, saving_lines
    from vlm_boundary.sampling.outcome import speed_lines

    stated = _prior(prior)
    if detect is None and (at_k, power) != (None, None):
        raise UserError("--at-k and --power say how --detect is meant; give it too")
    gpus = [find_gpu(name) for name in gpu_names]
    run, experiment = open_target(target, overrides, n)
    stops = any(experiment.arm_sampling(arm).rule for arm in experiment.arms)
    if detect is None and stated and not stops:
        raise UserError("--prior is for --detect, or for a stopping rule; there is neither")
    found = work_out(
        run,
        experiment,
        gpus=gpus,
        gpu_count=gpu_count,
        response_tokens=response_tokens,
        limit=limit,
    )
    click.echo(describe(found))
    for line in resolution_lines(run, experiment, found):
        click.echo(line)
    for line in saving_lines(run, experiment, found, stated):
        click.echo(line)
    if detect is not None:
        asked = Gap(detect / 100, at_k or experiment.sampling.n, power or POWER, stated)
        for line in detect_lines(run, experiment, found, asked):
            click.echo(line)
    for line in speed_lines(run.writers()):
        click.echo(f"So far {line}")


def _prior(text: str | None) -> tuple[float, float, float] | None:
    """The three numbers of --prior."""
    if text is None:
        return None
    try:
        never, a, b = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--prior {text}: write three numbers, as in 0.12,0.6,0.8") from None
    if not (0 <= never < 1 and a > 0 and b > 0):
        raise UserError(f"--prior {text}: a share below 1, and A and B above 0")
    return never, a, b

"""`vlm-boundary plan`: what an experiment would cost, before a GPU is touched."""

from __future__ import annotations

from pathlib import Path

import click

from vlm_boundary.cli.options import (
    limit_option,
    n_option,
    open_target,
    override_option,
    target_argument,
)


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
@click.option(
    "--gpu-count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many there are of it.",
)
@click.option(
    "--response-tokens",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Mean length of a response; by default that of the arm's stored samples.",
)
def plan(
    target: Path,
    overrides: tuple[str, ...],
    n: int | None,
    limit: int | None,
    gpu_names: tuple[str, ...],
    gpu_count: int,
    response_tokens: float | None,
) -> None:
    """Say what an experiment would draw and what that would take; nothing is written.

    Problems after each filter, prompt lengths with pictures, samples that are missing, disk, and
    the least time on a GPU at its data sheet's rates. What a run holds already is subtracted.
    """
    from vlm_boundary.engines.gpus import find_gpu
    from vlm_boundary.planning import describe
    from vlm_boundary.planning import plan as work_out
    from vlm_boundary.planning.efficiency import speed_lines
    from vlm_boundary.planning.resolution import resolution_lines

    gpus = [find_gpu(name) for name in gpu_names]
    run, experiment = open_target(target, overrides, n)
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
    for line in speed_lines(run.writers()):
        click.echo(f"So far {line}")

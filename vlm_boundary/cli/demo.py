"""`vlm-boundary demo`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vlm_boundary.cli.options import Command, override_option, path_option
from vlm_boundary.errors import UserError


def _env_option(variable: str, *names: str, **more: Any) -> Callable[[Command], Command]:
    """An option that an environment variable of the demo's own sets too, as on a Space."""
    return click.option(*names, envvar=f"VLM_BOUNDARY_DEMO_{variable}", show_envvar=True, **more)


@click.command(short_help="Look at every sample of a run in the browser.")
@click.argument("runs", metavar="[RUN...]", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--runs-dir",
    type=click.Path(path_type=Path),
    envvar="RUNS_DIR",
    show_envvar=True,
    help="Open every run in this folder, where no RUN is named.",
)
@click.option(
    "--host",
    envvar="GRADIO_SERVER_NAME",
    show_envvar=True,
    help="Address to listen on; by default 127.0.0.1, on a Space 0.0.0.0.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="GRADIO_SERVER_PORT",
    show_envvar=True,
    help="Port; by default a free one from 7860.",
)
@_env_option(
    "AUTH",
    "--auth",
    metavar="NAME:PASSWORD",
    multiple=True,
    help="Ask for a password; repeatable. Needed on any other --host than this machine, unless "
    "--public.",
)
@_env_option(
    "PUBLIC",
    "--public",
    is_flag=True,
    help="Ask nobody for a password on any --host: whoever reaches the address may read, and "
    "sample in the tab Live.",
)
@_env_option(
    "HOSTS",
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which the page may be asked for, as behind a proxy; repeatable, * for any.",
)
@_env_option(
    "ORIGINS",
    "--allow-origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Where the page's requests come from (https://NAME) where a proxy changes the name that "
    "it is asked for under; repeatable.",
)
@_env_option(
    "FRAMES",
    "--allow-frame",
    "frames",
    metavar="ORIGIN",
    multiple=True,
    help="A site whose pages may show this one in a frame; repeatable.",
)
@_env_option(
    "LABELS",
    "--labels",
    type=click.Path(path_type=Path),
    help="Keep labels in this folder; by default in the run, and with --public nowhere: there is "
    "no tab Label then.",
)
@path_option(
    "--export",
    "folder",
    metavar="DIR",
    help="Write RUN into this folder as pages that any static file server shows, and end.",
)
@override_option
def demo(
    runs: tuple[Path, ...],
    runs_dir: Path | None,
    auth: tuple[str, ...],
    folder: Path | None,
    overrides: tuple[str, ...],
    **asked: Any,
) -> None:
    """Look at one or several runs: problems, samples of both models, labels, a live tab.

    Listens on this machine alone; from elsewhere use 'ssh -L 7860:127.0.0.1:7860 MACHINE'.
    -o changes what the live tab asks, as in
    -o 'arms.rl.engine={kind: openai, base_url: "http://gpu-2:8000/v1"}'.
    """
    if folder is not None:
        _export(runs, folder)
        return
    from vlm_boundary.demo.access import usual_access

    people = tuple(_pair(one) for one in auth)
    given = {name: value for name, value in asked.items() if value}
    access = replace(usual_access(os.environ), **given | ({"auth": people} if people else {}))
    paths = runs or _runs_in(runs_dir)
    # Said before anything heavy is imported: gradio alone takes seconds.
    click.echo(f"Opening {', '.join(map(str, paths))} …")
    from vlm_boundary.demo.serve import serve

    address, close = serve(list(paths), access, overrides=overrides, told=click.echo)
    click.echo(f"{address}   (Ctrl-C ends it)")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
    finally:
        close()


def _runs_in(folder: Path | None) -> tuple[Path, ...]:
    if folder is None:
        raise UserError("name a RUN, or with --runs-dir (or RUNS_DIR) a folder of them")
    found = (path.parent for path in folder.glob("*/manifest.json"))
    runs = tuple(sorted(one for one in found if not one.name.startswith(".")))
    if not runs:
        raise UserError(f"--runs-dir {folder}: no folder in it is a run (has a manifest.json)")
    return runs


def _export(runs: tuple[Path, ...], folder: Path) -> None:
    if len(runs) != 1:
        raise UserError(f"--export writes one run, and {len(runs)} are named")
    from vlm_boundary.bundle import export

    folder = folder.absolute()  # "." is replaced, and then the name of no folder here
    export(runs[0], folder, click.echo)
    click.echo(
        f"{folder}: questions, answers, pictures and responses of {runs[0]}, for whoever can read "
        f"it. To look at it: python -m http.server -d {folder}"
    )


def _pair(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise UserError("--auth: give NAME:PASSWORD")
    return name, password

"""`vlm-boundary demo`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import NoReturn

import click

from vlm_boundary.cli.options import override_option
from vlm_boundary.errors import UserError


@click.command(short_help="Look at every sample of a run in the browser.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port; by default a free one from 7860."
)
@click.option(
    "--auth",
    metavar="NAME:PASSWORD",
    multiple=True,
    envvar="VLM_BOUNDARY_DEMO_AUTH",
    show_envvar=True,
    help="Ask for a password; repeatable. Needed on any other --host than this machine.",
)
@click.option(
    "--export",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write RUN into this folder as pages that any static file server shows, and end.",
)
@override_option
def demo(
    runs: tuple[Path, ...],
    host: str,
    port: int | None,
    auth: tuple[str, ...],
    folder: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Look at one or several runs: problems, samples of both models, labels, a live tab.

    Listens on this machine alone; from elsewhere use 'ssh -L 7860:127.0.0.1:7860 MACHINE'.
    -o changes what the live tab asks, as in
    -o 'arms.rl.engine={kind: openai, base_url: "http://gpu-2:8000/v1"}'.
    """
    if folder is not None:
        _export(runs, folder)
        return
    people = [_pair(one) for one in auth] or None
    # Said before anything heavy is imported: gradio alone takes seconds.
    click.echo(f"Opening {', '.join(map(str, runs))} …")
    from vlm_boundary.demo.serve import serve

    address, close = serve(
        list(runs), host=host, port=port, auth=people, overrides=overrides, told=click.echo
    )
    click.echo(f"{address}   (Ctrl-C ends it)")
    signal.signal(signal.SIGTERM, lambda *_: _end())
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
    finally:
        close()


def _export(runs: tuple[Path, ...], folder: Path) -> None:
    if len(runs) != 1:
        raise UserError(f"--export writes one run, and {len(runs)} are named")
    from vlm_boundary.bundle import export

    export(runs[0], folder, click.echo)
    click.echo(
        f"{folder}: questions, answers, pictures and responses of {runs[0]}, for whoever can read "
        f"it. To look at it: python -m http.server -d {folder}"
    )


def _end() -> NoReturn:
    raise KeyboardInterrupt


def _pair(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise UserError("--auth: give NAME:PASSWORD")
    return name, password

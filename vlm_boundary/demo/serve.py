"""Serving the app: to this machine alone unless told otherwise, and with nothing from outside."""

from __future__ import annotations

import errno
import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from vlm_boundary.demo.access import LOOPBACK, Access, Guard, without_origins
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.errors import UserError
from vlm_boundary.progress import PacedLines

_HERE = Access()
_SECONDS = 1.0  # between two lines that say how far it is
# Gradio would switch these on by itself.
_SWITCHES = (
    "GRADIO_SHARE",
    "GRADIO_ALLOWED_PATHS",
    "GRADIO_MCP_SERVER",
    "GRADIO_ROOT_PATH",
    "GRADIO_SSR_MODE",
    "GRADIO_VIBE_MODE",
    "GRADIO_PROFILING",
    "GRADIO_RUN_HISTORY",
    "GRADIO_HOT_RELOAD",
    "SYSTEM",  # "spaces": watch the files and load what changes into the running page
)


def serve(
    paths: list[Path],
    access: Access = _HERE,
    *,
    overrides: tuple[str, ...] = (),
    told: Callable[[str], None] = lambda line: None,
) -> tuple[str, Callable[[], None]]:
    """Serve runs, in threads of this process, until the returned function is called.

    Args:
        overrides: settings of the live tab's engines, as KEY=VALUE.
        told: hears, a line at a time, how far it is.

    Returns:
        The address, and what ends the server.

    Raises:
        UserError: a path is no run, a name is there twice, gradio is not installed, host or port
            cannot be listened on, or labels cannot be written where they are to go.
    """
    _check_place(access.host, access.port)
    runs = _opened(paths, access, told)
    told("Starting the page …")
    _set_environment()
    with _nothing_collected():
        app, live, address = _started(runs, access, overrides)

    def close() -> None:
        app.close()
        live.close()
        gc.unfreeze()

    return address, close


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What is imported and laid out stays: looking for garbage in it takes a sixth of the time."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collected:
            gc.enable()


def _started(
    runs: dict[str, RunIndex], access: Access, overrides: tuple[str, ...]
) -> tuple[Any, Any, str]:
    """The app, which is being served, the live tab's engines, and the address."""
    try:
        import markdown_it  # noqa: F401  # wanted by the first text that is shown

        import vlm_boundary.demo.lean_gradio  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"the demo needs {error.name}; in a clone: pip install -e '.[demo]'"
        ) from None
    from vlm_boundary.demo.app import build
    from vlm_boundary.demo.live import LiveEngines

    live = LiveEngines(runs, overrides)
    app = build(runs, live, signed_in=bool(access.auth), labelled=access.labelled)
    app.queue(default_concurrency_limit=16, max_size=64)
    return app, live, _launch(app, access)


def _launch(app: Any, access: Access) -> str:
    """Serve the app, in threads of this process; returns its address."""
    host, port = access.host, access.port
    from starlette.middleware import Middleware

    try:
        _, address, _ = app.launch(
            server_name=f"[{host}]" if ":" in host else host,  # as it stands in an address
            server_port=port,
            auth=list(access.auth)
            or None,  # an empty list would ask for a password that nobody has
            share=False,
            quiet=True,
            show_error=False,
            prevent_thread_lock=True,
            allowed_paths=[],
            max_file_size="20mb",
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            mcp_server=False,
            ssr_mode=False,
            pwa=False,
            theme=_theme(),
            css=_static("app.css"),
            head=_head(),
            app_kwargs={
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
                "middleware": [Middleware(Guard, access=access)],
            },
        )
    except OSError as error:
        raise UserError(f"cannot listen on {host}, port {port or 'from 7860'}: {error}") from None
    served = app.app
    served.middleware_stack = without_origins(
        served.middleware_stack or served.build_middleware_stack()
    )
    return str(address)


def _head() -> str:
    """Our script, and where KaTeX is; formulas stay as written where Gradio ships none."""
    from vlm_boundary.demo.lean_gradio import gr

    shipped = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    katex, style = (
        next((path.name for path in sorted(shipped.glob(f"katex-*.{kind}"))), "")
        for kind in ("js", "css")
    )
    link = f'<link rel="stylesheet" href="./assets/{style}">' if style else ""
    where = f'window.vbKatex = new URL("./assets/{katex}", document.baseURI).href;'
    return f"{link}<script>{where if katex else ''}{_static('app.js')}</script>"


def _static(name: str) -> str:
    return files("vlm_boundary.demo").joinpath("static", name).read_text(encoding="utf-8")


def _theme() -> Any:
    """Gradio's own, with hints, tabs and buttons that can be read: a contrast of 4.5 and more."""
    from vlm_boundary.demo.lean_gradio import gr

    plain = gr.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    return plain.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        color_accent="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
    )


def _set_environment() -> None:
    """What Gradio reads of the environment, as it should be here."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    for switch in _SWITCHES:
        os.environ.pop(switch, None)
    own = ",".join(LOOPBACK)
    for name in ("NO_PROXY", "no_proxy"):  # Gradio asks its own address whether it is up
        os.environ[name] = f"{os.environ[name]},{own}" if os.environ.get(name) else own


def _opened(paths: list[Path], access: Access, told: Callable[[str], None]) -> dict[str, RunIndex]:
    """The runs by the names that readers see."""
    runs: dict[str, RunIndex] = {}
    for path in paths:
        progress = PacedLines(str(path), "partitions read", told, _SECONDS)
        run = RunIndex(path, progress, access.labels_of(path.resolve().name))
        if run.name in runs:
            raise UserError(f"{path}: another run is called {run.name!r} too; rename its folder")
        run.beside = runs
        runs[run.name] = run
    return runs


def _check_place(host: str, port: int | None) -> None:
    """Refuse what cannot be listened on; Gradio would try a hundred ports, each for seconds."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"--port {port}: something listens there on {host} already; give another, or no "
                f"--port for a free one"
            ) from None
        raise UserError(
            f"cannot listen on --host {host}{f' --port {port}' if port else ''}: {error.strerror}"
        ) from None

"""Serving the app: to this machine alone unless told otherwise, and with nothing from outside."""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vlm_boundary.demo.index import RunIndex
from vlm_boundary.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Gradio needs inline scripts, and `eval` for its HTML component; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "script-src-attr 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-src 'none'; "
    "object-src 'none'; form-action 'self'; base-uri 'self'; frame-ancestors 'self'"
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_SECONDS = 1.0  # between two lines that say how far it is
# Gradio would switch these on by itself.
_SWITCHES = (
    "GRADIO_SHARE",
    "GRADIO_ALLOWED_PATHS",
    "GRADIO_MCP_SERVER",
    "GRADIO_ROOT_PATH",
    "GRADIO_SSR_MODE",
)

# What Gradio answers without asking who asks: others' work is ended there, or watched.
_UNGUARDED = re.compile(
    r"/(?:reset|cancel|heartbeat|stream|run-history|runs|vibe[a-z-]*|undo-vibe-edit)(?:/|$)"
)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Guard:
    """ASGI middleware: headers that keep the page to itself, and no files by URL or path.

    A page from elsewhere may send nothing and read nothing, be it another program's of this
    machine. Of what Gradio answers to anyone, what ends another reader's work asks for sign-in.

    Args:
        hosts: names under which the page may be asked for; empty allows any. A page elsewhere
            cannot make its own name point here and read along.
    """

    def __init__(self, app: Any, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer, refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = _host_of(headers.get(b"host", b"").decode("latin-1"))
        refused = bool(self._hosts) and host not in self._hosts
        # Gradio's own route would fetch addresses on a visitor's behalf.
        outside = re.search(r"/(?:file|proxy)=\s*https?:|/proxy=", scope["path"], re.IGNORECASE)
        if refused or outside or _is_foreign(scope["method"], headers):
            await _refuse(send, 403, b"not allowed")
            return
        if _UNGUARDED.search(scope["path"]) and not _signed_in(scope):
            await _refuse(send, 401, b"sign in first")
            return

        async def with_headers(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


class NoOrigins:
    """ASGI middleware outside Gradio's own, which lets any program of this machine read along."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass on, and take back what would allow another origin to read."""

        async def without(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, value)
                    for name, value in message.get("headers", [])
                    if not name.lower().startswith(b"access-control-")
                ]
            await send(message)

        await self._app(scope, receive, without)


class Assets:
    """The page's own script and style, and KaTeX as Gradio ships it."""

    @cached_property
    def css(self) -> str:
        """Our style sheet."""
        return files("vlm_boundary.demo").joinpath("static/app.css").read_text(encoding="utf-8")

    @cached_property
    def head(self) -> str:
        """Our script, and where KaTeX is; formulas stay as written where it is not found."""
        script = files("vlm_boundary.demo").joinpath("static/app.js").read_text(encoding="utf-8")
        katex = self._shipped("katex-*.js")
        style = self._shipped("katex-*.css")
        link = f'<link rel="stylesheet" href="./assets/{style}">' if style else ""
        where = f'window.vbKatex = new URL("./assets/{katex}", document.baseURI).href;'
        return f"{link}<script>{where if katex else ''}{script}</script>"

    def _shipped(self, pattern: str) -> str:
        import gradio

        folder = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
        return next((path.name for path in sorted(folder.glob(pattern))), "")


def serve(
    paths: list[Path],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    auth: list[tuple[str, str]] | None = None,
    overrides: tuple[str, ...] = (),
    told: Callable[[str], None] = lambda line: None,
) -> tuple[str, Callable[[], None]]:
    """Serve runs, in threads of this process, until the returned function is called.

    Args:
        port: by default the first free one from 7860.
        auth: names and passwords of those who may come in; None asks nobody, and serves only this
            machine.
        overrides: settings of the live tab's engines, as KEY=VALUE.
        told: hears, a line at a time, how far it is.

    Returns:
        The address, and what ends the server.

    Raises:
        UserError: a path is no run, a name is there twice, gradio is not installed, host or port
            cannot be listened on, or others could read along without a password.
    """
    if host not in LOOPBACK and auth is None:
        raise UserError(
            f"--host {host} lets other machines read the run: give --auth NAME:PASSWORD too, or "
            f"keep 127.0.0.1 and reach it through 'ssh -L 7860:127.0.0.1:7860 MACHINE'"
        )
    _check_place(host, port)
    runs = _opened(paths, told)
    told("Starting the page …")
    _set_environment()
    try:
        import gradio  # noqa: F401
        import markdown_it  # noqa: F401  # wanted by the first text that is shown
    except ImportError as error:
        raise UserError(
            f"the demo needs {error.name}; in a clone: pip install -e '.[demo]'"
        ) from None
    from vlm_boundary.demo.app import build
    from vlm_boundary.demo.live import LiveEngines

    live = LiveEngines(runs, overrides)
    app = build(runs, live, signed_in=auth is not None)
    app.queue(default_concurrency_limit=16, max_size=64)
    address = _launch(app, host, port, auth)

    def close() -> None:
        app.close()
        live.close()

    return address, close


def _launch(app: Any, host: str, port: int | None, auth: list[tuple[str, str]] | None) -> str:
    """Serve the app, in threads of this process; returns its address."""
    from starlette.middleware import Middleware

    assets = Assets()
    try:
        _, address, _ = app.launch(
            server_name=f"[{host}]" if ":" in host else host,  # as it stands in an address
            server_port=port,
            auth=auth,  # an empty list would ask for a password that nobody has
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
            css=assets.css,
            head=assets.head,
            app_kwargs={
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
                "middleware": [Middleware(Guard, hosts=LOOPBACK if host in LOOPBACK else ())],
            },
        )
    except OSError as error:
        raise UserError(f"cannot listen on {host}, port {port or 'from 7860'}: {error}") from None
    served = app.app
    served.middleware_stack = NoOrigins(served.middleware_stack or served.build_middleware_stack())
    return str(address)


def _theme() -> Any:
    """Gradio's own, with hints, tabs and buttons that can be read: a contrast of 4.5 and more."""
    import gradio

    plain = gradio.themes.Default(
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


def _opened(paths: list[Path], told: Callable[[str], None]) -> dict[str, RunIndex]:
    """The runs by the names that readers see."""
    runs: dict[str, RunIndex] = {}
    for path in paths:
        run = RunIndex(path, _Progress(path, told))
        if run.name in runs:
            raise UserError(f"{path}: another run is called {run.name!r} too; rename its folder")
        runs[run.name] = run
    return runs


class _Progress:
    """A line at once and when all is read, and at most one a second between."""

    def __init__(self, path: Path, told: Callable[[str], None]) -> None:
        self._path = path
        self._told = told
        self._said = -_SECONDS

    def __call__(self, read: int, total: int) -> None:
        """Say how many partitions are read, if it is time."""
        now = time.monotonic()
        if read == total or now - self._said >= _SECONDS:
            self._said = now
            self._told(f"{self._path}: {read} of {total} partitions read")


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


async def _refuse(send: _Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(_HEADERS)})
    await send({"type": "http.response.body", "body": body})


def _is_foreign(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page of another origin asks for more than to read, which it may not either."""
    origin = headers.get(b"origin")
    if origin is None or method in ("GET", "HEAD"):
        return False
    return urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") != headers.get(b"host", b"")


def _signed_in(scope: _Message) -> bool:
    """Whether a request comes from someone whom Gradio let in, where it asks for that."""
    from starlette.requests import HTTPConnection

    app = scope["app"]
    if app.auth is None:
        return True
    cookies = HTTPConnection(scope).cookies
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(cookies.get(name) in app.tokens for name in names)


def _host_of(value: str) -> str:
    """The name in a Host header, without its port."""
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.rpartition(":")[0] if ":" in value else value

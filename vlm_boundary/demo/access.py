"""Where the page is served, to whom, and what stands guard over that."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vlm_boundary.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANY = "*"
_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:]+")
# As huggingface.co shows a Space: in a frame, from the address in SPACE_HOST, on this port.
_SPACE_FRAMES = ("https://huggingface.co",)
_SPACE_PORT = 7860
# Gradio needs inline scripts, and `eval` for its HTML component; nothing comes from elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "script-src-attr 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-src 'none'; "
    "object-src 'none'; form-action 'self'; base-uri 'self'; frame-ancestors "
)
_Headers = tuple[tuple[bytes, bytes], ...]

# Gradio's own routes, of which one would fetch addresses on a visitor's behalf, and others would
# change the program that serves.
_CLOSED = re.compile(
    r"/(?:file|proxy)=\s*https?:|/proxy=|/(?:undo-)?vibe-[a-z-]+(?:/|$)", re.IGNORECASE
)
# What Gradio answers without asking who asks: others' work is ended there, or watched.
_UNGUARDED = re.compile(r"/(?:reset|cancel|heartbeat|stream|run-history|runs)(?:/|$)")

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


@dataclass(frozen=True)
class Access:
    """Where the page is served, to whom, and what others may do with it.

    Args:
        host: address to listen on.
        port: None takes the first free one from 7860.
        auth: names and passwords of those who may come in; without any nobody is asked, which
            serves this machine alone, unless the page is `public`.
        public: whoever reaches the address may read, and sample in the tab Live.
        hosts: names under which the page may be asked for, besides this machine's; `ANY` allows
            all. Without any, a page that listens on this machine alone answers to its names, and
            one that others reach answers to all.
        origins: where the page's own requests may come from although it is asked for under another
            name, as behind a proxy that changes it.
        frames: pages that may show this one in a frame, as origins.
        labels: folder for labels, one in it a run; None keeps them with each run, except that a
            public page takes none.

    Raises:
        UserError: others could read along without a password, or a name is none.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    auth: tuple[tuple[str, str], ...] = ()
    public: bool = False
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    labels: Path | None = None

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.auth and not self.public:
            raise UserError(
                f"--host {self.host} lets other machines read the run: give --auth NAME:PASSWORD "
                f"too, or --public if anyone may, or keep 127.0.0.1 and reach it through "
                f"'ssh -L 7860:127.0.0.1:7860 MACHINE'"
            )
        for name in self.hosts:
            if name != ANY and not _HOST.fullmatch(name):
                raise UserError(f"--allow-host {name}: give a name without port, or {ANY} for any")
        for option, origins in (("origin", self.origins), ("frame", self.frames)):
            for origin in origins:
                if not _ORIGIN.fullmatch(origin):
                    raise UserError(f"--allow-{option} {origin}: give an origin, https://NAME")

    @property
    def labelled(self) -> bool:
        """Whether readers can label."""
        return self.labels is not None or not self.public

    def answers_to(self, name: str) -> bool:
        """Whether the page is given to who asks for it under this name."""
        local = self.host in LOOPBACK
        if ANY in self.hosts or not (self.hosts or local):
            return True
        return name.lower() in {*(host.lower() for host in self.hosts), *LOOPBACK}

    def takes_from(self, origin: str) -> bool:
        """Whether requests may come from a page of this origin; case does not count in names."""
        return origin.lower() in {one.lower() for one in self.origins}

    def labels_of(self, run: str) -> Path | None:
        """Where a run's labels are kept; None for in the run itself.

        Raises:
            UserError: nothing can be written there.
        """
        if self.labels is None:
            return None
        folder = self.labels / run
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--labels {self.labels}: {error.strerror}") from None
        if not os.access(folder, os.W_OK):
            raise UserError(f"--labels {self.labels}: {folder} cannot be written")
        return folder


def usual_access(environment: Mapping[str, str]) -> Access:
    """What holds where nothing is asked for: this machine alone; on a Space whoever may see it.

    A Space (huggingface.co) says so in SPACE_ID; SPACE_HOST has the names that it is served under,
    with commas between them. Who may see it is for the Space's own settings to say.
    """
    if not environment.get("SPACE_ID"):
        return Access()
    names = [name.strip() for name in environment.get("SPACE_HOST", "").split(",")]
    return Access(
        host="0.0.0.0",
        port=_SPACE_PORT,
        public=True,
        origins=tuple(f"https://{name}" for name in names if name),
        frames=_SPACE_FRAMES,
    )


class Guard:
    """ASGI middleware: headers that keep the page to itself, and no files by URL or path.

    A page from elsewhere may send nothing and read nothing, be it another program's of this
    machine. Of what Gradio answers to anyone, what ends another reader's work asks for sign-in.

    Args:
        access: under which names the page may be asked for (so that a page elsewhere cannot make
            its own name point here and read along), where its requests may come from, and which
            pages may show it in a frame.
    """

    def __init__(self, app: _App, access: Access) -> None:
        self._app = app
        self._access = access
        policy = _POLICY + " ".join(("'self'", *access.frames))
        self._headers: _Headers = (
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        )

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer, refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = _host_of(headers.get(b"host", b"").decode("latin-1"))
        refused = not self._access.answers_to(host)
        if refused or _CLOSED.search(scope["path"]) or self._is_foreign(scope["method"], headers):
            await self._refuse(send, 403, b"not allowed")
            return
        if _UNGUARDED.search(scope["path"]) and not _signed_in(scope):
            await self._refuse(send, 401, b"sign in first")
            return

        async def with_headers(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _is_foreign(self, method: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a page of another origin asks for more than to read, which it may not either."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin or method in ("GET", "HEAD") or self._access.takes_from(origin):
            return False
        host = headers.get(b"host", b"").decode("latin-1")
        return urlsplit(origin).netloc.lower() != host.lower()

    async def _refuse(self, send: _Send, status: int, body: bytes) -> None:
        headers = list(self._headers)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def without_origins(app: _App) -> _App:
    """ASGI middleware outside Gradio's own, which lets any program of this machine read along.

    It takes back what would allow another origin to read.
    """

    async def passed_on(scope: _Message, receive: _Receive, send: _Send) -> None:
        async def without(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, value)
                    for name, value in message.get("headers", [])
                    if not name.lower().startswith(b"access-control-")
                ]
            await send(message)

        await app(scope, receive, without)

    return passed_on


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

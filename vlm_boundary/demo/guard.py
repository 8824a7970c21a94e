"""What stands between the page and whoever asks: headers, names, origins."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from vlm_boundary.demo.access import Access

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


class Guard:
    """ASGI middleware: headers that keep the page to itself, and no files by URL or path.

    A page from elsewhere may send nothing and read nothing, be it another program's of this
    machine. Of what Gradio answers to anyone, what ends another reader's work asks for sign-in.

    Args:
        access: under which names the page may be asked for (so that a page elsewhere cannot make
            its own name point here and read along), where its requests may come from, and which
            pages may show it in a frame.
    """

    def __init__(self, app: Any, access: Access) -> None:
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

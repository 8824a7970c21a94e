"""Pictures by their web address: fetched once, within bounds, and from public addresses only."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.errors import reason_of
from vlm_boundary.writing import cache_folder, replacing

MAX_BYTES = 64 << 20
SECONDS = 30.0
"""What one attempt may take, from the look-up of the name to the last byte."""
_REDIRECTS = 5
_ATTEMPTS = 3
_PAUSE = 1.0  # before the second attempt, and twice as long before each further one
_MOVED = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_SAFE = "/%:@!$&'()*+,;=~?"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# Addresses that failed, with the reason: within a command each is tried once.
_FAILED: dict[str, str] = {}
# Servers that did not answer: their other addresses get one attempt each.
_UNREACHED: set[str] = set()


class _PassingError(Exception):
    """What another attempt may not meet again, with the reason."""


def downloaded(address: str) -> bytes:
    """The picture at a web address, from this machine's cache once it was fetched.

    The cache is `vlm_boundary/pictures` in `XDG_CACHE_HOME`: one file per picture under its
    SHA-256, and one per address that names it. Proxies are not asked: the address that is checked
    is the one that is connected to.

    Raises:
        PictureError: it cannot be fetched, is too large, or lies in a private network.
    """
    folder = cache_folder("pictures")
    named = folder / "addresses" / hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
    kept = _kept(folder, named)
    if kept is not None:
        return kept
    if address in _FAILED:
        raise PictureError(_FAILED[address])
    try:
        data = _fetched(address)
    except PictureError as error:
        _FAILED[address] = str(error)
        raise
    digest = hashlib.sha256(data).hexdigest()
    with replacing(folder / digest) as temporary:
        temporary.write_bytes(data)
    with replacing(named) as temporary:
        temporary.write_text(digest)
    return data


def _kept(folder: Path, named: Path) -> bytes | None:
    """What was fetched before; None where it was not, or is no longer what it was."""
    try:
        digest = named.read_text()
        data = (folder / digest).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _fetched(address: str) -> bytes:
    reason, host = "", address.split("/")[2]
    attempts = 1 if host in _UNREACHED else _ATTEMPTS
    for attempt in range(attempts):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        try:
            return _followed(address)
        except _PassingError as error:
            reason = str(error)
    _UNREACHED.add(host)
    raise PictureError(f"{_short(address)} cannot be fetched ({attempts} attempts): {reason}")


def _followed(address: str) -> bytes:
    """What an address leads to, over redirects, each of which is checked as the first is."""
    deadline = time.monotonic() + SECONDS
    place = address
    for _ in range(_REDIRECTS + 1):
        found = _answer(place, deadline)
        if isinstance(found, bytes):
            return found
        try:
            place = urljoin(place, found)
        except ValueError:
            raise PictureError(f"{_short(address)} is redirected to what is no address") from None
    raise PictureError(f"{_short(address)} is redirected more than {_REDIRECTS} times")


def _answer(address: str, deadline: float) -> bytes | str:
    """The content of an address, or where it has moved."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise PictureError(f"{_short(address)} is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise PictureError(f"{_short(address)} is not a web address that can be fetched")
    late = threading.Event()
    try:
        opened = _connected(host, port, deadline)
    except OSError as error:
        raise _PassingError(_reason(error)) from None

    ending = opened.dup()  # TLS takes the socket itself over

    def end() -> None:
        late.set()
        with suppress(OSError):  # it is closed already
            ending.shutdown(socket.SHUT_RDWR)

    # A server that sends a byte now and then would never meet a socket's own timeout.
    timer = threading.Timer(max(deadline - time.monotonic(), 0.0), end)
    timer.daemon = True
    timer.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        connection.sock = opened
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(opened, server_hostname=host)
        path = quote(parts.path or "/", safe=_SAFE)
        path += f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        headers = {"Host": f"{host}:{parts.port}" if parts.port else host, "Connection": "close"}
        connection.request("GET", path, headers=headers | {"User-Agent": "vlm-boundary"})
        found = _content(connection.getresponse(), address)
        if late.is_set():  # what came may be cut short
            raise TimeoutError
        return found
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise PictureError(f"{_short(address)} took longer than {SECONDS:g} seconds") from None
        raise _PassingError(_reason(error)) from None
    finally:
        timer.cancel()
        connection.close()
        opened.close()
        ending.close()


def _content(response: http.client.HTTPResponse, address: str) -> bytes | str:
    place = response.headers.get("Location")
    if response.status in _MOVED and place:
        return place
    if response.status in _PASSING:
        raise _PassingError(f"the server answers {response.status}")
    if response.status != 200:
        raise PictureError(f"{_short(address)}: the server answers {response.status}")
    data = response.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PictureError(f"{_short(address)} is larger than {MAX_BYTES >> 20} MiB")
    if response.length:  # less came than was announced
        raise http.client.IncompleteRead(data, response.length)
    return data


def _connected(host: str, port: int, deadline: float) -> socket.socket:
    """A connection to one of the host's addresses, all of which are public.

    Raises:
        PictureError: one of them is not.
        OSError: there is none, or none answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        if not _is_public(str(place[0])):
            raise PictureError(
                f"{host} is at {place[0]}, inside a private network; from there nothing is fetched"
            )
    last: OSError = OSError("no address")
    for family, kind, protocol, _, place in found:
        opened = socket.socket(family, kind, protocol)
        opened.settimeout(max(deadline - time.monotonic(), 0.1))
        try:
            opened.connect(place)
        except OSError as error:
            opened.close()
            last = error
        else:
            return opened
    raise last


def _is_public(text: str) -> bool:
    """Whether an IP address is one that anybody reaches; those inside others are looked at."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(str(inner))
    return address.is_global and not address.is_multicast


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return reason_of(error)[:200]


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:120]}…"

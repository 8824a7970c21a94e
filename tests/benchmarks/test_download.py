"""Pictures by their web address: fetched once, within bounds, never from inside a network."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from benchmarks.making import config, png, rows, write

from vlm_boundary.benchmarks import Scan, download, load_problems
from vlm_boundary.benchmarks.images import PictureError

HOSTS = {"pictures.test": "127.0.0.1", "inside.test": "10.0.0.1", "rebound.test": "127.0.0.1"}


class Site(BaseHTTPRequestHandler):
    """What each path answers."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        match self.path.split("?")[0]:
            case "/a.png" | "/a%20b.png":
                self._say(200, png())
            case "/moved":
                self._say(302, b"", Location="/a.png")
            case "/inside":
                self._say(302, b"", Location="http://inside.test/a.png")
            case "/file":
                self._say(302, b"", Location="file:///etc/passwd")
            case "/circle":
                self._say(302, b"", Location="/circle")
            case "/flaky":
                self._say(200 if self.asked[self.path] > 1 else 503, png("blue"))
            case "/large":
                self._say(200, b"x" * 2000)
            case "/cut":
                self._say(200, png(), length=100_000)
            case "/slow":
                self.send_response(200)
                self.end_headers()
                for _ in range(200):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            case _:
                self._say(404, b"")

    def _say(self, status: int, content: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        with suppress(OSError):  # the client has hung up
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server at a name whose address, this machine's, counts as public."""
    really, public = socket.getaddrinfo, download._is_public

    def look_up(host: str, *options: Any, **named: Any) -> Any:
        return really(HOSTS.get(host, host), *options, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(download, "_is_public", lambda ip: ip == "127.0.0.1" or public(ip))
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    monkeypatch.setattr(download, "_FAILED", {})
    monkeypatch.setattr(download, "_UNREACHED", set())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Site.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://pictures.test:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_picture_is_fetched_once_and_kept_by_its_content(site: str, tmp_path: Path) -> None:
    records = [row | {"image": f"{site}/a.png"} for row in rows()]
    path = write(tmp_path, "d.jsonl", records)
    off = load_problems(config(path), tmp_path / "kept").problems
    assert "say images: {download: true}" in (off[0].error or "")
    assert not Site.asked
    on = config(path, images={"download": True}, filters=[{"missing_image": "drop"}])
    for _ in range(2):
        found = load_problems(on, tmp_path / "kept").problems
        assert [p.error for p in found] == [None, None]
        assert found[0].pictures == found[1].pictures
    assert Site.asked == {"/a.png": 1}
    kept = tmp_path / "cache" / "vlm_boundary" / "pictures" / found[0].pictures[0].split(".")[0]
    assert kept.read_bytes() == png()
    kept.write_bytes(b"something else")
    assert load_problems(on, tmp_path / "kept").problems == found
    assert Site.asked == {"/a.png": 2}


def test_an_address_beside_base64_is_one_too(site: str, tmp_path: Path) -> None:
    path = write(
        tmp_path, "d.jsonl", [rows()[0] | {"image": [f" {site}/a.png", f"{site}/a b.png"]}]
    )
    settings = config(path, images={"download": True, "encoding": "base64"})
    (problem,) = load_problems(settings, tmp_path / "kept").problems
    assert (len(problem.pictures), problem.error) == (2, None)


def test_redirects_are_followed_and_passing_troubles_met_again(site: str) -> None:
    assert download.downloaded(f"{site}/moved") == png()
    assert download.downloaded(f"{site}/flaky") == png("blue")
    assert Site.asked["/flaky"] == 2


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/inside", "inside.test is at 10.0.0.1, inside a private network"),
        ("/file", "is not a web address that can be fetched"),
        ("/circle", "redirected more than 5 times"),
        ("/none", "the server answers 404"),
        ("/cut", "3 attempts"),
    ],
)
def test_what_cannot_be_fetched_is_said_once(site: str, path: str, says: str) -> None:
    for _ in range(2):
        with pytest.raises(PictureError) as raised:
            download.downloaded(f"{site}{path}")
        assert says in str(raised.value)
    asked = Site.asked[path]
    assert asked == {"/circle": 6, "/cut": 3}.get(path, 1)


def test_size_and_time_have_bounds(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    with pytest.raises(PictureError, match="is larger than"):
        download.downloaded(f"{site}/large")
    monkeypatch.setattr(download, "SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(PictureError, match=r"took longer than 0\.5 seconds"):
        download.downloaded(f"{site}/slow")
    assert time.monotonic() - begun < 5
    assert Site.asked["/slow"] == 1


def test_the_address_that_is_checked_is_the_one_that_is_connected_to(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is looked up first, and private a moment later."""
    answers = iter(["127.0.0.1", "10.0.0.1", "10.0.0.1"])
    really = socket.getaddrinfo

    def look_up(host: str, *options: Any, **named: Any) -> Any:
        return really(next(answers) if host == "rebound.test" else host, *options, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    port = site.rsplit(":", 1)[1]
    assert download.downloaded(f"http://rebound.test:{port}/a.png") == png()
    assert next(answers) == "10.0.0.1"  # the second one was never asked for


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/a.png",
        "http://2130706433/a.png",
        "http://0x7f.1/a.png",
        "http://localhost/a.png",
        "http://[::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://[64:ff9b::7f00:1]/a.png",
        "http://[2002:7f00:1::]/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://10.1.2.3/a.png",
        "http://192.168.0.1/a.png",
        "http://100.64.0.1/a.png",
        "http://0.0.0.0/a.png",
        "http://224.0.0.1/a.png",
        "http://[fe80::1%25lo]/a.png",
    ],
)
def test_private_addresses_are_never_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    connected = []
    monkeypatch.setattr(socket.socket, "connect", lambda *a: connected.append(a))
    with pytest.raises(PictureError):
        download.downloaded(address)
    assert not connected


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(ip: str) -> None:
    assert download._is_public(ip)


@pytest.mark.parametrize(
    "address", ["http://user@example.com/a.png", "http://[::1/a", "http:///a.png", "http://a:x/b"]
)
def test_what_is_no_address_is_said(address: str, tmp_path: Path) -> None:
    path = write(tmp_path, "d.jsonl", [rows()[0] | {"image": address}])
    (candidate,) = Scan(config(path, images={"download": True}))
    with pytest.raises(PictureError, match="is not a web address"):
        candidate.pictures[0].read()

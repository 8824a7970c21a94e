"""huggingface.co in small: a Space's container, its TLS front, and the page that frames it."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "anna-boundary.hf.space"
SITE = "https://huggingface.co/spaces/anna/boundary"


@contextmanager
def container(app: Path, folder: Path, **environment: str) -> Iterator[int]:
    """`python app.py` with the environment of a Space's container; yields the port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    space = {
        "SYSTEM": "spaces",
        "SPACE_ID": "anna/boundary",
        "SPACE_HOST": HOST,
        "GRADIO_SERVER_NAME": "0.0.0.0",
        # The container has 7860 to itself; this machine may not.
        "GRADIO_SERVER_PORT": str(port),
    }
    said = folder / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            (sys.executable, str(app)),
            cwd=folder,
            env=os.environ | space | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 300
        while not re.search(rf"http://\S+:{port}/", said.read_text()):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def _certificate(path: Path) -> Path:
    """A key and its own certificate for two days, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + made.public_bytes(pem))
    return path


@contextmanager
def https_front(port: int, folder: Path) -> Iterator[int]:
    """A proxy that ends TLS before a port of this machine, as the site's does; yields its port."""
    certificate = _certificate(folder / "front.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                one, _ = listening.accept()
                threading.Thread(target=_forward, args=(one, context, port), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def _forward(one: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One request a connection: its head says that it came by https, the rest is passed on."""
    with suppress(OSError), context.wrap_socket(one, server_side=True) as client:
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(65536)
            if not more:
                return
            head += more
        first, rest = head.split(b"\r\n", 1)
        rest = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
        added = b"Connection: close\r\nX-Forwarded-Proto: https\r\n"
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.sendall(first + b"\r\n" + added + rest)
            back = threading.Thread(target=_pipe, args=(server, client), daemon=True)
            back.start()
            _pipe(client, server, leave_open=True)
            back.join()


def _pipe(source: socket.socket, into: socket.socket, *, leave_open: bool = False) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            into.sendall(data)
    if not leave_open:
        with suppress(OSError):
            into.shutdown(socket.SHUT_RDWR)


@contextmanager
def site(port: int) -> Iterator[Any]:
    """A browser in which the Space's name leads to the proxy; yields how to open a framing page.

    What it yields takes the framing page's address and returns that page.
    """
    from demo_parts import Reader
    from playwright.sync_api import sync_playwright
    from required import chromium

    flags = [
        *Reader.FLAGS,
        f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}",
        "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        context = browser.new_context(
            ignore_https_errors=True, viewport={"width": 1600, "height": 1100}
        )
        frame = f'<iframe src="https://{HOST}/?__theme=light" width="1560" height="1050"></iframe>'

        def opened(address: str) -> Any:
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.route(address, lambda route: route.fulfill(body=frame, content_type="text/html"))
            page.goto(address)
            return page

        try:
            yield opened
        finally:
            browser.close()

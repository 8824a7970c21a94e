"""What the tests of several engines share: a picture, a question, and vLLM's own server."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vlm_boundary.engines.base import Request

# What the tiny checkpoint needs of vLLM on a CPU; the same in process and in its server.
ENGINE_ARGS: dict[str, Any] = {
    "dtype": "float32",
    "max_model_len": 512,
    "kv_cache_memory_bytes": 128 << 20,
}
_SERVER_FLAGS = (
    "--generation-config vllm --dtype float32 --max-model-len 512 --max-num-batched-tokens 4096 "
    "--no-enable-chunked-prefill --enforce-eager --skip-mm-profiling --block-size 32 "
    "--max-num-seqs 32 --kv-cache-memory-bytes 134217728 --host 127.0.0.1"
)


def draw_picture(folder: Path) -> Path:
    """A red bar, under a name as short as content hashes are long."""
    image = Image.new("RGB", (84, 84), "white")
    ImageDraw.Draw(image).rectangle((10, 30, 40, 80), fill="red")
    path = folder / "0a.png"
    image.save(path)
    return path


def ask(pictures: tuple[Path, ...], count: int = 4, **changes: Any) -> Request:
    """A question about the pictures; by default samples 0 to 3 from seed 100."""
    content = [{"type": "image"} for _ in pictures] + [{"type": "text", "text": "How many bars?"}]
    values: dict[str, Any] = {
        "request_id": "p",
        "indices": range(count),
        "seed": 100,
        "problem_id": "p",
    } | changes
    return Request(messages=[{"role": "user", "content": content}], pictures=pictures, **values)


@contextmanager
def vllm_server(folder: Path, log: Path, *flags: str) -> Iterator[str]:
    """A real vLLM server for a checkpoint, served as `tiny`; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)]
    command += ["--served-model-name", "tiny", "--port", str(port), *_SERVER_FLAGS.split(), *flags]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"VLLM_CPU_OMP_THREADS_BIND": "nobind"},
        )
    try:
        deadline = time.monotonic() + 400
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the engine that it started, too
        process.wait()


@dataclass
class Manners:
    """How a server that is not vLLM behaves, and what it was asked."""

    answer: Callable[[dict[str, Any], int], str]
    """The text of choice j of a request."""
    most: int = 1000
    """Choices it gives at most."""
    refusals: Iterator[int] = field(default_factory=lambda: itertools.repeat(200))
    """Status codes, one a request."""
    reasons: Iterator[str] = field(default_factory=lambda: itertools.repeat("stop"))
    asked: list[dict[str, Any]] = field(default_factory=list)
    model: str = "tiny"
    """What it serves."""


@contextmanager
def scripted_server(manners: Manners) -> Iterator[str]:
    """A server with OpenAI's chat API that serves a model as it was told; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200, {"data": [{"id": manners.model, "object": "model", "owned_by": "me"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = next(manners.refusals)
            if status != 200:
                self._reply(status, {"error": {"message": f"status {status}"}})
                return
            manners.asked.append(body)
            choices = [
                {
                    "index": j,
                    "finish_reason": next(manners.reasons),
                    "message": {"role": "assistant", "content": manners.answer(body, j)},
                }
                for j in range(min(body.get("n") or 1, manners.most))
            ]
            self._reply(200, {"id": "1", "object": "chat.completion", "choices": choices})

        def _reply(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()

"""What the tests of several engines share: a picture, a question, and vLLM's own server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vlm_boundary.engines import Request

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
    values = {"request_id": "p", "indices": range(count), "seed": 100, "problem_id": "p"} | changes
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

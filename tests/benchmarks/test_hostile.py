"""Files of strangers: what cannot be used concerns its problem, or is one line before a run."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from benchmarks.making import config, png, rows, write
from PIL import Image

from vlm_boundary.benchmarks import load_benchmark_file, load_problems
from vlm_boundary.errors import UserError


def bomb() -> bytes:
    """A valid PNG header that promises 50,000 × 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def jpeg() -> bytes:
    data = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(data, format="JPEG")
    return data.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"

PICTURES = {
    "truncated.jpg": (jpeg()[:2000], "can be decoded"),
    "bomb.png": (bomb(), "decompression bomb"),
    "text.png": (b"hello", "of no format that is known"),
    "empty.png": (b"", "of no format that is known"),
    "cut.png": (png()[:60], "can be decoded"),
    # Pillow would hand it to Ghostscript.
    "program.png": (EPS, "of no format that is known"),
    "svg.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "of no format that is known"),
}
PATHS = {
    "../outside.png": "leaves",
    "/etc/passwd": "leaves",
    "link.png": "leaves",
    "a\0b.png": "is not a path",
    "x" * 5000: "cannot be read",
    ".": "is not a file",
    "pipe": "is not a file",
    "missing.png": "does not exist",
    "https://example.com/a.png": "web address",
    "data:image/png;base64,!!!": "not valid base64",
}


def test_hostile_pictures_concern_their_problems_only(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "good.png").write_bytes(png())
    os.mkfifo(folder / "pipe")
    for name, (content, _) in PICTURES.items():
        (folder / name).write_bytes(content)
    expected = {name: says for name, (_, says) in PICTURES.items()} | PATHS
    records = [
        {"id": f"{row}", "question": "?", "answer": "1", "image": name}
        for row, name in enumerate(["good.png", *expected, "good.png"])
    ]
    found = load_problems(config(write(folder, "d.jsonl", records)), tmp_path / "kept").problems
    assert [found[0].error, found[-1].error] == [None, None]
    for problem, (name, says) in zip(found[1:-1], expected.items(), strict=True):
        assert says in (problem.error or ""), name
        assert "\n" not in (problem.error or "")
        assert len(problem.error or "") < 400
        assert problem.pictures == ()


@pytest.mark.parametrize("value", [3, {"bytes": None, "path": None}, {"a": 1}, [None, {}], True])
def test_what_is_no_picture_at_all(tmp_path: Path, value: Any) -> None:
    records = [rows()[0] | {"image": value}, rows()[1] | {"image": None}]
    found = load_problems(config(write(tmp_path, "d.jsonl", records)), tmp_path / "kept").problems
    assert "expected a picture" in (found[0].error or "")
    assert found[1].error is None


YAMLS = {
    "dataset_path: !!python/object/apply:os.system ['touch ran']\n": "could not determine",
    "fields: !!python/name:os.system\n": "could not determine",
    "a: &a [x]\na: 2\n": "duplicate key",
    "- 1\n- 2\n": "expected keys and values",
    "dataset_path: [\n": "line",
    "": "expected keys and values",
    "\0": "special characters",
    "include: other.yaml\n": "no such benchmark file",
    "include: mine.yaml\n": "includes itself",
    "[" * 2000: "nested too deeply",
    "fields: {question: '{{ question', answer: a}\ndataset_path: d.jsonl\n": "Jinja",
    "dataset_path: d.jsonl\nfields: {question: q, answer: a}\nfilters: [{match: {field: q, pattern: '('}}]\n": "regular expression",  # noqa: E501
}


@pytest.mark.parametrize("content", YAMLS, ids=range(len(YAMLS)))
def test_a_hostile_yaml_is_one_line(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(UserError) as raised:
        load_benchmark_file("mine.yaml")
    assert YAMLS[content] in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600
    assert not (tmp_path / "ran").exists()


def test_a_yaml_that_unfolds_into_billions_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "mine.yaml").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match="unknown key 'a0'"):
        load_benchmark_file(str(tmp_path / "mine.yaml"))
    inside = ", ".join(line.partition(": ")[2] for line in lines)
    (tmp_path / "mine.yaml").write_text(f"description: [{inside}]\n")
    with pytest.raises(UserError, match="description: expected text"):
        load_benchmark_file(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("{{ question.__class__.__mro__ }}", "unsafe"),
        ("{{ ''.__class__.__subclasses__() }}", "unsafe"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ 1 // 0 }}", "zero"),
        ("{{ question | nofilter }}", "No filter named"),
        ("{% for i in range(10000000) %}{% endfor %}", "too big"),
    ],
)
def test_a_template_that_reaches_too_far_is_one_line(
    tmp_path: Path, question: str, says: str
) -> None:
    fields = {"problem_id": "id", "question": question, "answer": "answer"}
    with pytest.raises(UserError) as raised:
        load_problems(config(write(tmp_path, "d.jsonl", rows()), fields=fields), tmp_path / "kept")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_question_is_data_and_never_a_template(tmp_path: Path) -> None:
    records = [rows()[0] | {"question": "{{ 1 + 1 }}{% raw %}", "image": None}]
    fields = {"problem_id": "id", "question": "Q: {{ question }}", "answer": "answer"}
    (problem,) = load_problems(
        config(write(tmp_path, "d.jsonl", records), fields=fields), tmp_path / "kept"
    ).problems
    assert problem.question == "Q: {{ 1 + 1 }}{% raw %}"

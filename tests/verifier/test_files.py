"""Grading a file: fields kept and added, mistakes in one line, second opinions beside."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from required import needs

from vlm_boundary.cli import cli
from vlm_boundary.verifier import Gold, Output, grade
from vlm_boundary.verifier.llm import LlmExtractor
from vlm_boundary.verifier.opinions import mathvista, second_opinions
from vlm_boundary.verifier.pool import KillingPool

ROWS = [
    {"id": 1, "output": "\\boxed{5}", "answer": 5, "extra": {"kept": [1]}},
    {"id": 2, "output": "The answer is 6.", "gold": "5", "correct": "theirs"},
    {"id": 3, "output": "\\boxed{5m} <b>", "answer": "5", "question": "How many?"},
    {"id": 4, "output": None, "answer": "5"},
    {"id": 5, "output": "<b>1:2", "answer": "1", "answer_type": "integer"},
    {"id": 6, "output": "so far", "answer": "5", "finish_reason": "length"},
    {"id": 7, "output": "(B)", "answer": "red", "choices": ["blue", "red"]},
]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["grade", *map(str, arguments)])


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_field_is_kept_and_the_verdict_added(tmp_path: Path) -> None:
    source, target = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    result = call(source, "--output", target)
    assert result.exit_code == 0, result.output
    rows = read(target)
    assert [row["correct"] for row in rows] == [True, False, None, False, False, False, True]
    assert [row["status"] for row in rows][3:6] == ["no_answer", "incorrect", "truncated"]
    assert rows[0]["extra"] == {"kept": [1]}
    assert rows[1]["input_correct"] == "theirs"
    assert rows[1]["extracted"] == "6"
    assert all({"extracted", "status", "rule", "flags"} <= set(row) for row in rows)
    assert "7 outputs graded" in result.output
    assert "undecided" in result.output


def test_nan_in_a_line_says_nothing_and_is_kept(tmp_path: Path) -> None:
    """`precision: NaN` ended in a traceback, and NaN elsewhere was the text nan."""
    nan = float("nan")
    row = {"output": "\\boxed{4.2}", "answer": "4.2", "precision": nan, "unit": nan}
    source = write(tmp_path / "in.jsonl", [row | {"choices": nan, "answer_type": nan}])
    result = call(source, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 0, result.output
    (graded,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert '"precision": NaN' in graded
    assert json.loads(graded)["correct"] is True
    source = write(tmp_path / "in.jsonl", [{"output": "\\boxed{nan}", "answer": nan}])
    result = call(source, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 2
    assert "no field 'answer'" in result.stderr
    source = write(tmp_path / "in.jsonl", [row | {"precision": float("inf")}])
    assert "number of decimals" in call(source, "--output", tmp_path / "out.jsonl").stderr


def test_an_empty_option_keeps_its_letter(tmp_path: Path) -> None:
    row = {"output": "(B)", "answer": "red", "choices": [None, "red"]}
    source = write(tmp_path / "in.jsonl", [row])
    assert call(source, "--output", tmp_path / "out.jsonl").exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["correct"] is True


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS[:1])
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
    assert call(source, "--output", tmp_path / "out.jsonl").exit_code == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "in.jsonl:1: this line is not JSON"),
        ("[1]", "in.jsonl:1: a line must be an object"),
        ('{"answer": "5"}', "no field 'output'; there are answer"),
        ('{"output": "5"}', "no field 'answer' (or gold); there are output"),
        ('{"output": 5, "answer": "5"}', "output must be a text"),
        ('{"output": "5", "answer": "5", "answer_type": "int"}', "there are integer, float"),
        ('{"output": "5", "answer": "5", "precision": "x"}', "number of decimals"),
        ('{"output": "5", "answer": "5", "choices": "ab"}', "choices must be a list"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, line: str, says: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(line + "\n")
    result = call(source, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 2
    assert says in result.output
    assert list(tmp_path.iterdir()) == [source]


def test_files_that_cannot_be(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    assert "no such file" in call(tmp_path / "none.jsonl", "--output", tmp_path / "o").output
    assert "another file" in call(source, "--output", source).output
    assert "cannot be written" in call(source, "--output", source / "o").output
    assert "together" in call(source, "--output", tmp_path / "o", "--llm-url", "http://x").output


def test_second_opinions_stand_beside_ours(tmp_path: Path) -> None:
    source, target = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    page = tmp_path / "page.html"
    result = call(source, "--output", target, "--opinions", "--disagreements", page)
    assert result.exit_code == 0, result.output
    rows = read(target)
    assert rows[0]["opinions"] == {"mathvista": True, "mathvision": True, "math_verify": True}
    assert rows[4]["correct"] is False
    text = page.read_text()
    assert "&lt;b&gt;" in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("extracted", "gold", "expected"),
    [
        ("4.7", Gold("4", "integer"), True),  # it truncates
        ("4.25", Gold("4.2", "float", precision=1), True),
        ("1/2", Gold("0.5", "float", precision=1), False),
        ("(B)", Gold("red", "text", choices=("blue", "red")), True),
        ("rad", Gold("red", "text", choices=("blue", "red")), True),  # the most similar
        ("[1,2]", Gold("[1, 2]", "list"), False),
        (None, Gold("0", "integer"), False),
    ],
)
def test_mathvistas_rule_with_its_faults(extracted: str, gold: Gold, expected: bool) -> None:
    assert mathvista(extracted, gold) is expected


def test_mathvisions_and_math_verifys_rules_with_their_faults() -> None:
    outputs = [
        Output("\\boxed{\\frac{1}{55}}", "\\frac{1}{60}"),  # both round to 0.02
        Output("\\boxed{\\sqrt[3]{8.01}}", "2"),
        Output("It is 1:2", "1"),
        Output("\\boxed{10^{10^{10}}}", "7"),
    ]
    verdicts = [grade(output) for output in outputs]
    assert [verdict.correct for verdict in verdicts] == [False, False, False, None]
    with closing(KillingPool(workers=1)) as pool:
        opinions = second_opinions(outputs, verdicts, pool)
    assert [opinion.mathvision for opinion in opinions][:3] == [True, True, False]
    assert opinions[2].math_verify is True
    assert opinions[3].math_verify is not True


class _Endpoint(BaseHTTPRequestHandler):
    replies: ClassVar[dict[str, Any]] = {
        "honest": {"choices": [{"message": {"content": "12"}}]},
        "made up": {"choices": [{"message": {"content": "99"}}]},
        "none": {"choices": [{"message": {"content": "NONE"}}]},
        "endless": {"choices": [{"message": {"content": "7" * 100_000}}]},
        "empty": {"choices": []},
        "nobody": {"choices": None},
        "a list": [1, 2],
        "no content": {"choices": [{"message": {"content": None}}]},
        "a number": {"choices": [{"message": {"content": 5}}]},
        "a word": "word",
    }

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = request["messages"][0]["content"]
        reply = next(reply for key, reply in self.replies.items() if key in prompt)
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    needs("openai")
    server = HTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_language_models_extraction_is_audited_and_never_the_verdict(
    endpoint: str, tmp_path: Path
) -> None:
    texts = ["honest: perhaps 12, all told", "made up: no number", "none at all"]
    with closing(LlmExtractor(endpoint, "m")) as extractor:
        found = extractor.extractions([Output(text, "12") for text in texts])
    assert [(item.audit, item.correct) for item in found] == [
        ("in_output", True),
        ("made_up", None),
        ("none", None),
    ]
    source = write(tmp_path / "in.jsonl", [{"output": "made up 5", "answer": "99"}])
    target = tmp_path / "out.jsonl"
    result = call(source, "--output", target, "--llm-url", endpoint, "--llm-model", "m")
    assert result.exit_code == 0, result.output
    (row,) = read(target)
    assert row["correct"] is not True
    assert row["llm"] == {"extracted": "99", "audit": "made_up", "correct": None}


def test_replies_that_are_none_are_failures_and_no_reply_is_endless(endpoint: str) -> None:
    texts = [f"{key} 7" for key in _Endpoint.replies][3:]
    with closing(LlmExtractor(endpoint, "m")) as extractor:
        found = extractor.extractions([Output("honest 12", "12"), *(Output(t, "7") for t in texts)])
    assert [item.audit for item in found] == ["in_output", "made_up", *["failed"] * 6]
    assert len(found[1].extracted or "") == 2000


def test_without_the_openai_package_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    source, target = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    result = call(source, "--output", target, "--llm-url", "http://x/v1", "--llm-model", "m")
    assert result.exit_code == 2
    assert "needs the openai package; in a clone: pip install -e '.[server]'" in result.output
    assert not target.exists()


def test_an_endpoint_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    needs("openai")
    source, target = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    for url, says in (("http://127.0.0.1:9", "answers no request"), ("file:///etc", "not the URL")):
        result = call(source, "--output", target, "--llm-url", url, "--llm-model", "m")
        assert result.exit_code == 2
        assert says in result.output

"""`check FILE.jsonl --output OUT.jsonl`: every field kept, three added."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vlm_boundary.cli import cli
from vlm_boundary.reasoning import arithmetic, files

LINES: list[dict[str, Any]] = [
    {"question": "Sum?", "output": "3 + 4 = 7 \\boxed{7}", "answer": "7", "id": 1},
    {"question": "Sum?", "output": "3 + 5 = 7 \\boxed{7}", "gold": "7", "flags": ["mine"]},
    {"question": "Sum?", "output": "3 + 4 = 7 \\boxed{7}", "answer": 8},
    {"output": "3 + 4 =", "answer": "7", "finish_reason": "length"},
    {"output": None, "answer": "7"},
]


def run(tmp_path: Path, text: str) -> tuple[int, str, list[dict[str, Any]]]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", str(source), "--output", str(target)])
    lines = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    return result.exit_code, result.output, [json.loads(line) for line in lines]


def test_a_file(tmp_path: Path) -> None:
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    code, output, lines = run(tmp_path, text)
    assert code == 0, output
    assert [line["valid"] for line in lines] == [True, False, False, False, False]
    assert [line["flags"] for line in lines[:4]] == [[], ["arithmetic_error"], [], ["truncated"]]
    assert lines[0]["id"] == 1
    assert lines[1]["input_flags"] == ["mine"]
    (item,) = lines[1]["evidence"]
    assert lines[1]["output"][item["start"] : item["end"]] == "3 + 5 = 7"
    assert "arithmetic_error" in output
    assert "valid if right" in output


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"answer": "7"}\n', "no field 'output'"), ("{oops\n", "not JSON"), ("[]\n", "an object")],
)
def test_a_line_that_cannot_be_checked_is_named(tmp_path: Path, text: str, said: str) -> None:
    code, output, lines = run(tmp_path, text)
    assert (code, lines) == (2, [])
    assert "in.jsonl:1" in output
    assert said in output


def test_a_file_needs_an_output(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("", encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", str(source)])
    assert result.exit_code == 2
    assert "--output" in result.output


def test_what_one_output_raises_is_that_outputs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = arithmetic.check_arithmetic

    def raising(chain: Any) -> Any:
        return whole(chain) if "bad" not in chain.text else [][1]

    monkeypatch.setattr(files, "check_arithmetic", raising)
    texts = ["3 + 4 = 7 \\boxed{7}", "bad: 3 + 4 = 7 \\boxed{7}", "bad: 3 + 4 = 8 \\boxed{8}"]
    text = "".join(json.dumps({"output": text, "answer": "7"}) + "\n" for text in texts)
    code, output, lines = run(tmp_path, text)
    assert code == 0, output
    assert [line["valid"] for line in lines] == [True, None, False]
    assert [line["flags"] for line in lines] == [[], ["failed"], ["failed"]]
    assert "2 outputs could not be checked, by a fault of the checker's (2 IndexError)" in output
    assert "in.jsonl:2" in output

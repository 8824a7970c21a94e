"""What the README and the pages on benchmarks tell a user, done to the letter."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from benchmarks.making import call, png
from required import needs
from ruamel.yaml import YAML

from vlm_boundary.benchmarks import PROTOCOLS, BenchmarkConfig, load_benchmark
from vlm_boundary.benchmarks.reference import DOCUMENT, updated
from vlm_boundary.benchmarks.schema import FilterConfig
from vlm_boundary.settings import validate

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "own-benchmark.md"


def blocks(document: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def block(first_line: str, document: Path = GUIDE) -> str:
    (found,) = [text for text in blocks(document) if text.startswith(first_line)]
    return found


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An unseen data set: a CSV with a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    with (tmp_path / "charts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [
            "id",
            "question",
            "file",
            "answer",
            "title",
            "A",
            "B",
            "C",
            "D",
            "topic",
            "level",
            "language",
        ]
        writer.writerow(columns)
        for number, colour in enumerate(("red", "green", "blue")):
            (tmp_path / "pictures" / f"{number}.png").write_bytes(png(colour))
            told = [f"Q{number}", "How many?", f"pictures/{number}.png", number, "Chart"]
            writer.writerow([*told, *["", "", "", ""], "sales", 1, "english"])
        writer.writerow(["Q3", "Which?", "pictures/0.png", "A", "C", "x", "y", "", "", "s", 1, ""])
    return tmp_path


@pytest.mark.parametrize("document", [README, GUIDE], ids=["readme", "guide"])
def test_the_benchmark_works_at_the_first_try(charts: Path, document: Path) -> None:
    (charts / "my-charts.yaml").write_text(block("# my-charts.yaml", document))
    checked = call("validate", "my-charts.yaml")
    assert checked.exit_code == 0, checked.output
    assert "4 problems" in checked.output
    experiment = YAML(typ="safe", pure=True).load(block("benchmarks:   "))
    config = load_benchmark("my-charts", experiment["benchmarks"]["my-charts"])
    assert config.dataset_path == str(charts / "charts.csv")
    needs("transformers")
    shown = call("preview", "my-charts.yaml")
    assert shown.exit_code == 0, shown.output
    page = (charts / "my-charts-preview.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 4


def test_what_more_the_guide_says_works_too(charts: Path) -> None:
    (charts / "base.yaml").write_text(block("# my-charts.yaml"))
    (charts / "more.yaml").write_text("include: base.yaml\n" + block("fields:\n  question"))
    checked = call("validate", "more.yaml")
    assert checked.exit_code == 0, checked.output
    for line in (
        "4 records",
        "multiple_choice: drop: 4 → 3",
        "keep: language is english: 3 → 3",
        "duplicates: drop: 3 → 3",
    ):
        assert line in checked.output


def test_the_tables_of_keys_are_those_of_the_schema() -> None:
    """Made anew by: python -m vlm_boundary.benchmarks.reference."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert updated(text) == text


def test_every_key_says_what_it_is() -> None:
    table = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "| `" in line]
    keys = [line for line in table if line.startswith("| `")]
    assert len(keys) > 60
    assert not [line for line in keys if line.endswith("|  |")]


def test_the_examples_of_the_documentation_are_valid() -> None:
    """Each block over the keys that it stands on; a block of `grading:` lines holds several."""
    fields = {"question": "q", "answer": "a", "choices": "c", "language": "l", "precision": "p"}
    for text in blocks(DOCUMENT):
        lines = text.strip().splitlines()
        parts = lines if all(line.startswith("grading:") for line in lines) else [text]
        for part in parts:
            said = YAML(typ="safe", pure=True).load(part)
            raw = {"name": "x", "dataset_path": "x.jsonl", "fields": fields} | said
            assert validate(BenchmarkConfig, raw, where="docs")


def test_every_filter_and_protocol_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in (*FilterConfig.model_fields, *PROTOCOLS):
        assert f"`{name}`" in text

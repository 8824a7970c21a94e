"""`vlm-boundary benchmarks`: what there is, what it says, and one clear line for a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.making import call, png, rows, write
from required import needs

from vlm_boundary.benchmarks import PROTOCOLS, load_benchmark_file, shipped_names


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(png())
    write(tmp_path, "d.jsonl", rows())
    path = tmp_path / "mine.yaml"
    path.write_text(
        "dataset_path: d.jsonl\n"
        "fields: {problem_id: id, question: question, answer: answer, image: image}\n"
    )
    return path


def test_the_list_names_every_shipped_benchmark_and_stars_the_unverified() -> None:
    output = call("list").output
    for name in shipped_names():
        (line,) = [line for line in output.splitlines() if line.split(" ", 1)[0] == name]
        config = load_benchmark_file(name)
        assert config.description in line
        assert (" * " in line) == bool(config.unverified)


@pytest.mark.parametrize("name", ["mathvision-test", "mathverse-vision-only", "procedural"])
def test_what_is_shown_is_a_benchmark_itself(name: str, tmp_path: Path) -> None:
    shown = call("show", name)
    assert shown.exit_code == 0
    (tmp_path / "again.yaml").write_text(shown.output)
    again = load_benchmark_file(str(tmp_path / "again.yaml"))
    config = load_benchmark_file(name)
    protocol = PROTOCOLS[config.prompt] if isinstance(config.prompt, str) else config.prompt
    assert again == config.model_copy(update={"prompt": protocol})


def test_validate_counts_what_can_and_cannot_be_used(mine: Path) -> None:
    checked = call("validate", mine)
    assert checked.exit_code == 1
    assert "the YAML is valid" in checked.output
    assert "2 problems" in checked.output
    assert "cannot be used: 2: picture" in checked.output
    assert "1 of 2 problems cannot be put to a model" in checked.output
    (mine.parent / "pictures" / "b.png").write_bytes(png("blue"))
    assert call("validate", mine).exit_code == 0


def test_validate_makes_every_prompt(mine: Path) -> None:
    """A prompt without the question, or options that none shows, were called fine."""
    (mine.parent / "pictures" / "b.png").write_bytes(png("blue"))
    text = mine.read_text()
    mine.write_text(text + "prompt: {user: 'Solve it.'}\n")
    checked = call("validate", mine)
    assert checked.exit_code == 2
    assert "none of its 2 problems can be put to a model; the first: its prompt" in checked.stderr
    marked = [rows()[0], rows()[1] | {"question": "Is <image1> <image2>?", "options": "['a', 'b']"}]
    write(mine.parent, "d.jsonl", marked)
    mine.write_text(text + "images: {placeholder: '<image(\\d+)>', max_pixels: 50000}\n")
    checked = call("validate", mine)
    assert checked.exit_code == 0, checked.output
    assert "1 problem with marks for more pictures than there are, as 2" in checked.output
    mine.write_text(text + "images: {placeholder: '<image(\\d+)>', position: in_text}\n")
    checked = call("validate", mine)
    assert checked.exit_code == 1
    assert "cannot be used: 2: it marks a picture that it does not have: <image2>" in checked.output
    text = text.replace("answer: answer", "answer: answer, choices: options")
    mine.write_text(text + "prompt: {user: '{{ question }}'}\n")
    checked = call("validate", mine)
    assert "cannot be used: 2: its prompt does not show the options" in checked.output


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("dataset_path: d.jsonl", "dataset_path: gone.jsonl", "dataset_path gone.jsonl does not"),
        ("dataset_path: d.jsonl", "dataset_path: gone.xlsx", "dataset_path gone.xlsx does not"),
        ("dataset_path: d.jsonl", "dataset_path: gone/", "dataset_path gone does not exist"),
        ("dataset_path: d.jsonl", "dataset_path: /gone/a.csv", "dataset_path /gone/a.csv does not"),
        ("dataset_path: d.jsonl", "dataset_path: folder.csv", "doesn't contain any data files"),
        (
            "dataset_path: d.jsonl",
            "dataset_path: folder.csv\ndata_files: '*.csv'",
            "data files found",
        ),
        ("dataset_path: d.jsonl", "dataset_path: folder.csv\ndata_files: []", "data_files"),
        ("fields:", "image_root: gone\nfields:", "image_root gone does not exist"),
        ("fields:", "image_root: d.jsonl\nfields:", "d.jsonl is not a folder"),
        ("fields:", "image_root: folder.csv\nfields:", "none of its 2 problems can be put to"),
        ("d.jsonl", "AI4Math/MathVista\nimage_root: gone", "image_root gone does not exist"),
    ],
)
def test_what_is_not_on_this_disk_is_an_error_and_no_download(
    mine: Path, before: str, after: str, says: str
) -> None:
    needs("datasets")
    (mine.parent / "folder.csv").mkdir()
    mine.write_text(mine.read_text().replace(before, after))
    checked = call("validate", mine)
    assert checked.exit_code == 2, checked.output
    assert says in checked.stderr.splitlines()[-1]
    assert sum(line.startswith("Error: ") for line in checked.stderr.splitlines()) == 1
    assert "downloads" not in checked.output


def test_where_a_file_was_looked_for_is_said_and_what_there_could_be(mine: Path) -> None:
    mine.write_text(mine.read_text().replace("d.jsonl", "gone.csv"))
    (line,) = call("validate", mine).output.splitlines()
    assert line == (
        f"Error: benchmark 'mine': dataset_path gone.csv does not exist, neither beside its YAML "
        f"file nor in {mine.parent}; give a .jsonl, .json, .csv, .tsv, .parquet file, a folder, "
        f"or a hub id"
    )


def test_validate_leaves_the_network_alone() -> None:
    checked = call("validate", "mathvista-testmini")
    assert checked.exit_code == 0
    assert "AI4Math/MathVista is not on this disk and not in reach" in checked.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "mathvision"], "no benchmark 'mathvision': name one of aime24"),
        (["validate", "nowhere.yaml"], "nowhere.yaml: no such benchmark file"),
        (["preview", "mathvision", "--limit", "1"], "no benchmark 'mathvision'"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_misspelt_key_is_one_line(mine: Path) -> None:
    mine.write_text(mine.read_text().replace("answer: answer", "answre: answer"))
    result = call("validate", mine)
    assert result.exit_code == 2
    assert "'fields.answre'; did you mean 'answer'?" in result.stderr


def test_a_failing_prompt_is_one_line(mine: Path) -> None:
    needs("transformers")
    (mine.parent / "pictures" / "b.png").write_bytes(png("blue"))
    mine.write_text(mine.read_text() + "prompt: {user: '{{ answer }}'}\n")
    result = call("preview", mine)
    assert result.exit_code == 2
    assert "prompt, problem '1': template '{{ answer }}': 'answer' is undefined" in result.stderr

"""Every source gives the same problems, whatever way the records and pictures are stored."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from benchmarks.making import FIELDS, config, png, rows, write

from vlm_boundary.benchmarks import load_benchmark, load_problems
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

COLOURS = ("red", "blue")


def without_pictures() -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "image"} for row in rows()]


def problems(settings: dict[str, Any], folder: Path) -> tuple[Problem, ...]:
    loaded = load_benchmark("mine", {"fields": FIELDS} | settings)
    return load_problems(loaded, folder / "kept").problems


def check(found: tuple[Problem, ...]) -> None:
    assert [(p.problem_id, p.question, p.answer, p.error) for p in found] == [
        ("1", "How many?", "3", None),
        ("2", "Which?", "B", None),
    ]
    assert len({p.pictures for p in found}) == 2
    assert all(len(p.pictures) == 1 for p in found)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_local_files(folder: Path, suffix: str) -> None:
    check(problems({"dataset_path": str(write(folder, f"data{suffix}", rows()))}, folder))


def test_a_json_list(folder: Path) -> None:
    (folder / "d.json").write_text(json.dumps(rows()))
    check(problems({"dataset_path": str(folder / "d.json")}, folder))


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("split", [None, "test"])
def test_a_folder_of_pictures_with_metadata(folder: Path, suffix: str, split: str | None) -> None:
    place = folder / "pictures" / (split or "")
    place.mkdir(exist_ok=True)
    for name, colour in zip("ab", COLOURS, strict=True):
        (place / f"{name}.png").write_bytes(png(colour))
    records = [
        row | {"file_name": f"{name}.png"}
        for row, name in zip(without_pictures(), "ab", strict=True)
    ]
    write(place, f"metadata{suffix}", records)
    fields = FIELDS | {"image": "file_name"}
    settings = {"dataset_path": str(folder / "pictures"), "split": split, "fields": fields}
    check(problems(settings, folder))


def as_base64(colour: str) -> str:
    return base64.b64encode(png(colour)).decode()


@pytest.mark.parametrize(
    ("images", "picture"),
    [
        ({"encoding": "base64"}, as_base64),
        ({}, lambda colour: f"data:image/png;base64,{as_base64(colour)}"),
    ],
)
def test_base64_in_text(
    folder: Path, images: dict[str, str], picture: Callable[[str], str]
) -> None:
    records = [
        row | {"image": picture(c)} for row, c in zip(without_pictures(), COLOURS, strict=True)
    ]
    path = write(folder, "d.jsonl", records)
    check(problems({"dataset_path": str(path), "images": images}, folder))


def test_a_picture_larger_than_the_csv_modules_own_limit(folder: Path) -> None:
    import random

    noise = random.Random(0).randbytes(300 * 300 * 3)
    from PIL import Image

    Image.frombytes("RGB", (300, 300), noise).save(folder / "noise.png")
    text = base64.b64encode((folder / "noise.png").read_bytes()).decode()
    assert len(text) > 131_072
    path = write(folder, "d.csv", [without_pictures()[0] | {"image": text}])
    (problem,) = problems({"dataset_path": str(path), "images": {"encoding": "base64"}}, folder)
    assert problem.error is None


def vlmevalkit(path: Path, records: list[dict[str, str]]) -> dict[str, Any]:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(records)
    fields = {
        "problem_id": "index",
        "question": "question",
        "answer": "answer",
        "image": "image",
        "choices": ["A", "B"],
    }
    return {"dataset_path": str(path), "format": "vlmevalkit", "fields": fields}


def test_vlmevalkits_tsv_with_a_picture_stored_once(folder: Path) -> None:
    red, blue = as_base64("red"), as_base64("blue")
    shared = {"A": "x", "B": "", "answer": "A"}
    settings = vlmevalkit(
        folder / "V.tsv",
        [
            {"index": "0", "image": "1", "question": "before\nits picture", **shared},
            {"index": "1", "image": red, "question": "its own", **shared},
            {"index": "2", "image": "1", "question": "after", **shared},
            {"index": "3", "image": str([red, blue]), "question": "two", **shared},
            {"index": "4", "image": "99", "question": "nowhere", **shared},
        ],
    )
    found = problems(settings, folder)
    assert [len(p.pictures) for p in found] == [1, 1, 1, 2, 0]
    assert found[0].pictures == found[1].pictures == found[2].pictures == found[3].pictures[:1]
    assert found[0].question == "before\nits picture"
    assert found[0].choices == ("x",)
    assert "can be decoded" in (found[4].error or "") or "base64" in (found[4].error or "")


# ------------------------------------------------------------------ data sets in the hub's layout


def hub_folder(path: Path, **splits: Any) -> Path:
    """A data set as the hub keeps it: Parquet shards under data/, named by split."""
    (path / "data").mkdir(parents=True)
    for split, dataset in splits.items():
        dataset.to_parquet(path / "data" / f"{split}-00000-of-00001.parquet")
    return path


def with_images(values: list[Any], feature: Any) -> datasets.Dataset:
    records = [
        row | {"image": value} for row, value in zip(without_pictures(), values, strict=True)
    ]
    features = datasets.Features(
        {name: datasets.Value("string") for name in without_pictures()[0]} | {"image": feature}
    )
    return datasets.Dataset.from_list(records, features=features)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_a_data_set_with_a_picture_column(folder: Path) -> None:
    values = [{"bytes": png(colour), "path": "x.png"} for colour in COLOURS]
    path = hub_folder(folder / "hub", test=with_images(values, datasets.Image()))
    check(problems({"dataset_path": str(path)}, folder))


def test_a_data_set_with_lists_of_pictures(folder: Path) -> None:
    values = [
        [{"bytes": png(colour), "path": None}, {"bytes": png("green"), "path": None}]
        for colour in COLOURS
    ]
    path = hub_folder(folder / "hub", test=with_images(values, datasets.List(datasets.Image())))
    found = problems({"dataset_path": str(path)}, folder)
    assert [len(p.pictures) for p in found] == [2, 2]
    assert found[0].pictures[1] == found[1].pictures[1]


def test_splits_one_after_the_other_with_their_names(folder: Path) -> None:
    values = [{"bytes": png(colour), "path": None} for colour in COLOURS]
    dataset = with_images(values, datasets.Image())
    path = hub_folder(folder / "hub", v1=dataset, v2=dataset)
    fields = FIELDS | {"problem_id": "{{ id }}-{{ _split }}", "metadata": ["_split", "_row"]}
    found = problems({"dataset_path": str(path), "split": ["v2", "v1"], "fields": fields}, folder)
    assert [p.problem_id for p in found] == ["1-v2", "2-v2", "1-v1", "2-v1"]
    assert found[3].metadata == {"_split": "v1", "_row": 3}


def test_data_files_of_a_folder(folder: Path) -> None:
    write(folder, "one.jsonl", rows()[:1])
    write(folder, "two.jsonl", rows()[1:])
    settings = {
        "dataset_path": str(folder),
        "data_files": {"test": ["one.jsonl", "two.jsonl"]},
        "split": "test",
    }
    check(problems(settings, folder))


def test_what_is_asked_of_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(path: str, name: str | None, **options: Any) -> Any:
        asked.append((path, name, options))
        values = [{"bytes": png(colour), "path": None} for colour in COLOURS]
        return with_images(values, datasets.Image())

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    fields = FIELDS | {"problem_id": "{{ _name }}-{{ id }}"}
    problems(
        {
            "dataset_path": "owner/set",
            "dataset_name": ["maths", "physics"],
            "split": "validation",
            "revision": "abc123",
            "data_files": "data/*.parquet",
            "fields": fields,
        },
        folder,
    )
    options = {"split": "validation", "revision": "abc123", "data_files": "data/*.parquet"}
    assert asked == [("owner/set", "maths", options), ("owner/set", "physics", options)]


def test_no_network_is_touched_when_the_hub_is_offline(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"cannot load owner/set, test: .*Offline"):
        problems({"dataset_path": "owner/set"}, folder)


def test_a_data_set_script_is_never_run(folder: Path) -> None:
    path = folder / "scripted"
    path.mkdir()
    (path / "scripted.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="cannot load"):
        problems({"dataset_path": str(path)}, folder)
    assert not (folder / "ran").exists()


def test_a_picture_record_cannot_name_a_file_elsewhere(folder: Path) -> None:
    """What Image columns hold when the picture is not in the file: a path, also an absolute one."""
    (folder / "inner").mkdir()
    secret = str(folder / "pictures" / "a.png")
    records = [rows()[0] | {"image": {"bytes": None, "path": secret}}]
    path = write(folder / "inner", "d.parquet", records)
    (problem,) = load_problems(config(path), folder / "kept").problems
    assert "leaves" in (problem.error or "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dataset_path": "nowhere/d.jsonl"}, "nowhere/d.jsonl does not exist"),
        ({"dataset_path": "./folder"}, "does not exist"),
        ({"dataset_path": "json"}, "not the loader 'json'"),
        ({"dataset_name": "x"}, "dataset_name belongs to a data set"),
        ({"format": "vlmevalkit"}, "end in .tsv"),
        ({"dataset_path": "owner/set", "format": "vlmevalkit"}, "needs dataset_path to be a local"),
    ],
)
def test_a_source_that_cannot_be_is_said(folder: Path, changes: dict[str, Any], says: str) -> None:
    path = write(folder, "d.jsonl", rows())
    with pytest.raises(UserError) as raised:
        problems({"dataset_path": str(path)} | changes, folder)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("d.jsonl", b"\xff\xfe{}", "not UTF-8"),
        ("d.csv", b"id,question\n1,\xff\n", "not UTF-8"),
        ("d.csv", b"id,question,answer,image\n1,a,b,c,d\n", "line 2: more cells"),
        ("d.parquet", b"not parquet", "not a Parquet file"),
        ("d.json", b"[" * 100_000, "nested too deeply"),
        ("d.json", b"3", "a list or a mapping"),
        ("d.json", b"[3]", "a record with keys"),
        ("d.jsonl", b'{"id": 1}\n{', "line 2: not JSON"),
        ("d.jsonl", b'{"id": "1", "question": "\\ud83d"}', "half of a surrogate pair"),
        ("d.csv", b"id,question,answer,image\n ,?,3,\n", "record 0 has no id"),
        ("d.xlsx", b"", "cannot read '.xlsx' files"),
    ],
)
def test_a_broken_file_is_one_line(folder: Path, name: str, content: bytes, says: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(UserError) as raised:
        problems({"dataset_path": str(folder / name)}, folder)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_records_of_json_files_may_leave_out_what_they_do_not_have(folder: Path) -> None:
    records = [rows()[0], rows()[1] | {"unit": "cm"}]
    fields = FIELDS | {"unit": "unit"}
    for name in ("d.jsonl", "d.json"):
        found = problems(
            {"dataset_path": str(write(folder, name, records)), "fields": fields}, folder
        )
        assert [p.unit for p in found] == [None, "cm"]

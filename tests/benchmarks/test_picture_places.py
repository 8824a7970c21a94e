"""Where pictures are: archives, nested records, base64 of every kind, data sets saved to disk."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import datasets
import pytest
from benchmarks.making import FIELDS, config, png, rows, write

from vlm_boundary.benchmarks import Scan, load_benchmark, load_problems
from vlm_boundary.benchmarks.load import Origin
from vlm_boundary.errors import UserError
from vlm_boundary.records.problem import Problem

MEMBERS = {"pictures/a.png": png("red"), "pictures/b.png": png("blue")}


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


MAKERS = {".zip": zipped, ".tar": tarred}


def problems(folder: Path, records: list[dict[str, Any]], **changes: Any) -> tuple[Problem, ...]:
    settings = config(write(folder, "d.jsonl", records), **changes)
    return load_problems(settings, folder / "kept").problems


@pytest.mark.parametrize("suffix", MAKERS)
def test_pictures_are_read_out_of_an_archive(tmp_path: Path, suffix: str) -> None:
    archive = MAKERS[suffix](tmp_path / f"all{suffix}", {f"./{n}": c for n, c in MEMBERS.items()})
    found = problems(tmp_path, rows(), image_root=str(archive), filters=[{"missing_image": "drop"}])
    assert [p.error for p in found] == [None, None]
    assert len({p.pictures for p in found}) == 2
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted([archive.name, "d.jsonl", "kept"])


@pytest.mark.parametrize("suffix", MAKERS)
def test_an_archives_names_lead_nowhere(tmp_path: Path, suffix: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outside.png").write_bytes(png())
    hostile = {"../outside.png": png(), "/etc/x.png": png(), "a/../../y.png": png()}
    archive = MAKERS[suffix](inner / f"all{suffix}", MEMBERS | hostile)
    asked = ["../outside.png", "/etc/x.png", "a/../../y.png", "pictures", "none.png", "x\0y", ".."]
    records = [rows()[0] | {"id": str(i), "image": name} for i, name in enumerate(asked)]
    found = problems(inner, records, image_root=str(archive))
    for name, problem in zip(asked, found, strict=True):
        assert "leaves the archive" in (problem.error or "") or "is not" in (problem.error or ""), (
            name
        )
    assert sorted(f.name for f in tmp_path.iterdir()) == ["inner", "outside.png"]


def test_links_bombs_and_doubles_in_archives_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlm_boundary.benchmarks.picture_source.MAX_BYTES", 1 << 20)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        symbolic = zipfile.ZipInfo("link.png")
        symbolic.external_attr = 0o120777 << 16
        archive.writestr(symbolic, "/etc/passwd")
        archive.writestr("bomb.png", bytes(2 << 20))
        archive.writestr("twice.png", png())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("twice.png", png("blue"))
    for name, member, says in [
        ("x.tar", "link.png", "is not a file"),
        ("x.zip", "link.png", "is not a file"),
        ("x.zip", "bomb.png", "is larger than"),
        ("x.zip", "twice.png", "is twice"),
    ]:
        root = str(tmp_path / name)
        (problem,) = problems(tmp_path, [rows()[0] | {"image": member}], image_root=root)
        assert says in (problem.error or "")


def test_a_lying_or_damaged_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match="not an archive that can be read"):
        problems(tmp_path, rows(), image_root=str(tmp_path / "x.zip"))
    whole = zipped(tmp_path / "y.zip", {"a.png": png("red", (500, 500))}).read_bytes()
    place = whole.index(b"a.png") + 20
    (tmp_path / "y.zip").write_bytes(whole[:place] + b"\xff" * 9 + whole[place + 9 :])
    root = str(tmp_path / "y.zip")
    (problem,) = problems(tmp_path, [rows()[0] | {"image": "a.png"}], image_root=root)
    assert "cannot be read" in (problem.error or "")


def test_a_changed_archive_is_noticed(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "all.zip", MEMBERS)
    settings = config(write(tmp_path, "d.jsonl", rows()), image_root=str(archive))
    origin = load_problems(settings, tmp_path / "kept").origin
    assert origin.changes(settings) == []
    zipped(archive, MEMBERS | {"pictures/b.png": png("green", (60, 60))})
    assert origin.changes(settings) == [str(archive)]
    found = load_problems(settings, tmp_path / "kept")
    assert isinstance(found.origin, Origin)
    assert all(p.error is None for p in found.problems)


# ------------------------------------------------------------------------------------------ base64


def safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


NOISE = bytes(range(256)) * 3  # has + and / in base64, behind which a picture's end is ignored


@pytest.mark.parametrize("size", [0, 1, 2])
def test_base64_of_either_alphabet_with_and_without_padding(tmp_path: Path, size: int) -> None:
    data = png() + NOISE + b"x" * size
    standard = base64.b64encode(data).decode()
    assert "+" in standard
    assert "/" in standard
    written = [standard, standard.rstrip("="), safe(data), safe(data).rstrip("="), f"{standard}\n"]
    written += [f"data:image/png;base64,{text}" for text in written]
    written += [f" DATA:image/png;base64,{standard.replace('+', '%2B').replace('=', '%3D')}"]
    records = [rows()[0] | {"id": str(i), "image": text} for i, text in enumerate(written)]
    found = problems(tmp_path, records, images={"encoding": "base64"})
    assert [p.error for p in found] == [None] * len(found)
    assert len({p.pictures for p in found}) == 1


@pytest.mark.parametrize("images", [{}, {"encoding": "base64"}], ids=str)
@pytest.mark.parametrize("as_text", [str, json.dumps, lambda values: values])
def test_data_addresses_in_lists(tmp_path: Path, images: dict[str, Any], as_text: Any) -> None:
    two = [f"data:image/png;base64,{safe(png(colour)).rstrip('=')}" for colour in ("red", "blue")]
    (problem,) = problems(tmp_path, [rows()[0] | {"image": as_text(two)}], images=images)
    assert (len(problem.pictures), problem.error) == (2, None)


@pytest.mark.parametrize("text", ["!!!", "A", "data:image/svg+xml,%3Csvg/%3E", "data:x"])
def test_what_is_no_base64_is_said(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, [rows()[0] | {"image": text}], images={"encoding": "base64"})
    assert problem.error


# ------------------------------------------------------------------------------- nested records


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


IMAGE = datasets.Image()
TEXT = datasets.Value("string")
ONE, TWO = ({"bytes": png(colour), "path": None} for colour in ("red", "blue"))
NESTED = {
    "a struct": ({"picture": IMAGE, "caption": TEXT}, {"picture": ONE, "caption": "x"}, 1),
    "a list of structs": (
        datasets.List({"picture": IMAGE, "caption": TEXT}),
        [{"picture": ONE, "caption": "x"}, {"picture": TWO, "caption": None}],
        2,
    ),
    "a struct of lists": ({"picture": datasets.List(IMAGE)}, {"picture": [ONE, TWO]}, 2),
    "lists in a list of structs": (
        datasets.List({"picture": datasets.List(IMAGE)}),
        [{"picture": [ONE, TWO]}, {"picture": [ONE]}, {"picture": None}],
        3,
    ),
}


def nested(kind: str) -> tuple[datasets.Dataset, int]:
    feature, value, count = NESTED[kind]
    record = {k: v for k, v in rows()[0].items() if k != "image"} | {"told": value}
    features = datasets.Features(
        dict.fromkeys(("id", "question", "answer"), TEXT) | {"told": feature}
    )
    return datasets.Dataset.from_list([record], features=features), count


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("way", ["hub", "disk", "file"])
def test_pictures_in_nested_records(tmp_path: Path, kind: str, way: str) -> None:
    dataset, count = nested(kind)
    place = tmp_path / "hub"
    if way == "hub":
        (place / "data").mkdir(parents=True)
        dataset.to_parquet(place / "data" / "test-00000-of-00001.parquet")
    elif way == "disk":
        dataset.save_to_disk(place)
    else:
        place = tmp_path / "d.parquet"
        dataset.to_parquet(place)
    fields = FIELDS | {"image": "told.picture"}
    settings = load_benchmark("mine", {"dataset_path": str(place), "fields": fields})
    (problem,) = load_problems(settings, tmp_path / "kept").problems
    assert (len(problem.pictures), problem.error) == (count, None)


def test_options_in_a_list_of_records(tmp_path: Path) -> None:
    options = [{"label": "A", "text": "red"}, {"label": "B", "text": "blue"}]
    fields = FIELDS | {"choices": "options.text", "image": None}
    (problem,) = problems(tmp_path, [rows()[0] | {"options": options}], fields=fields)
    assert problem.choices == ("red", "blue")
    with pytest.raises(UserError, match=r"names column 'options.txet'"):
        problems(
            tmp_path,
            [rows()[0] | {"options": options}],
            fields=fields | {"choices": "options.txet"},
        )


# ------------------------------------------------------------------------------- saved to disk


def test_one_split_that_was_saved_to_disk(tmp_path: Path) -> None:
    """`load_dataset` refuses such a folder."""
    dataset, _ = nested("a struct")
    dataset.save_to_disk(tmp_path / "saved")
    named = datasets.Dataset.from_list(dataset.to_list(), split="train")
    named.save_to_disk(tmp_path / "named")
    fields = FIELDS | {"image": None, "metadata": ["_split"]}

    def read(place: str, **changes: Any) -> list[Any]:
        told = {"dataset_path": str(tmp_path / place), "fields": fields} | changes
        return [c.problem.metadata["_split"] for c in Scan(load_benchmark("mine", told))]

    assert read("saved") == [None]
    assert read("saved", split="test") == ["test"]
    assert read("named") == ["train"]
    assert read("named", split="train") == ["train"]
    refused: list[tuple[dict[str, Any], str]] = [
        ({"split": "test"}, "is the one split train, not test; leave split out"),
        ({"split": ["a", "b"]}, "not a, b; leave split out"),
        ({"revision": "x"}, "has no revision"),
    ]
    for changes, says in refused:
        with pytest.raises(UserError, match=says):
            read("named", **changes)
    (tmp_path / "saved" / "state.json").write_text("{}")
    with pytest.raises(UserError, match=r"cannot load .*saved to disk"):
        read("saved")


def test_splits_that_were_saved_to_disk_together(tmp_path: Path) -> None:
    dataset, _ = nested("a struct")
    datasets.DatasetDict(test=dataset, train=dataset).save_to_disk(tmp_path / "saved")
    fields = FIELDS | {"image": "told.picture"}
    told = {"dataset_path": str(tmp_path / "saved"), "fields": fields, "split": "test"}
    (candidate,) = Scan(load_benchmark("mine", told))
    assert candidate.pictures[0].read() == png("red")

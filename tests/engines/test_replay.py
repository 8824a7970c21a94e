"""Samples that exist, from the kinds of files that people have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vlm_boundary.config import ReplayConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Failure, Request
from vlm_boundary.engines.replay import ReplayEngine, fingerprint_samples, unknown_samples
from vlm_boundary.errors import UserError
from vlm_boundary.records.sample import Sample
from vlm_boundary.store import Partition, SampleWriter
from vlm_boundary.store.parts import PartTable
from vlm_boundary.store.schemas import SAMPLES

SAMPLING = SamplingConfig(n=4)


def lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def request(problem_id: str, count: int, start: int = 0) -> Request:
    span = range(start, count)
    return Request(f"{problem_id}:{start}", [], (), span, 7, benchmark="b", problem_id=problem_id)


def draw(
    path: Path, *requests: Request, **fields: str
) -> tuple[dict[tuple[str, int], Completion], list[Failure]]:
    told = {"kind": "replay", "path": str(path), "fields": fields}
    engine = ReplayEngine(ReplayConfig.model_validate(told))
    results = list(engine.generate(requests, SAMPLING))
    found = [result for result in results if isinstance(result, Completion)]
    assert len({(c.request_id, c.index) for c in found}) == len(found)
    failures = [result for result in results if isinstance(result, Failure)]
    return {(c.request_id.split(":")[0], c.index): c for c in found}, failures


def test_samples_count_in_the_order_in_which_they_stand(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"problem_id": "p", "text": "one"},
        {"problem_id": "q", "text": "other"},
        {"problem_id": "p", "text": "two", "finish_reason": "length", "token_ids": [3, 4]},
        {"problem_id": "unknown", "text": "nobody asks"},
    )
    found, failures = draw(path, request("p", 2), request("q", 1))
    assert not failures
    assert {key: c.text for key, c in found.items()} == {
        ("p", 0): "one",
        ("p", 1): "two",
        ("q", 0): "other",
    }
    assert found["p", 0].finish_reason == "unknown"
    assert (found["p", 1].finish_reason, found["p", 1].token_ids) == ("length", [3, 4])
    assert found["p", 0].seed is None


def test_columns_may_have_other_names_and_a_record_several_texts(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"id": 17, "responses": ["one", "two"], "why": ["stop", "length"], "text": "not this"},
        {"id": 17, "responses": ["three"], "why": ["stop"]},
    )
    found, _ = draw(path, request("17", 3), problem_id="id", text="responses", finish_reason="why")
    assert [found["17", i].text for i in range(3)] == ["one", "two", "three"]
    assert [found["17", i].finish_reason for i in range(3)] == ["stop", "length", "stop"]


def test_only_what_is_asked_for_is_taken_and_what_lacks_is_said_once(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        *({"problem_id": "p", "text": str(i), "sample_index": i} for i in range(8)),
    )
    found, failures = draw(path, request("p", 2), request("p", 12, start=6), request("r", 2))
    assert sorted(found) == [("p", 0), ("p", 1), ("p", 6), ("p", 7)]
    reasons = {failure.request_id: failure.reason for failure in failures}
    assert all(failure.index is None for failure in failures)
    assert "holds 8 samples of this problem, 12 are asked for" in reasons["p:6"]
    assert "holds no sample of this problem" in reasons["r:0"]
    assert len(failures) == 2


def test_a_file_of_several_benchmarks_and_conditions(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"problem_id": "p", "text": "of another", "benchmark": "c"},
        {"problem_id": "p", "text": "without picture", "benchmark": "b", "condition": "no_image"},
        {"problem_id": "p", "text": "this", "benchmark": "b", "condition": "full"},
    )
    found, _ = draw(path, request("p", 1))
    assert found["p", 0].text == "this"


def test_our_own_samples_are_replayed_as_they_are(tmp_path: Path) -> None:
    table = PartTable(tmp_path / "samples", SAMPLES)
    writer = SampleWriter(table, Partition("base", "b"))
    for index in range(3):
        writer.add(Sample("p", index, 100 + index, [1, index], f"t{index}", "stop", -1.5))
    writer.flush()
    found, failures = draw(tmp_path / "samples", request("p", 3))
    assert not failures
    assert [(found["p", i].token_ids, found["p", i].logprob_sum) for i in range(3)] == [
        ([1, 0], -1.5),
        ([1, 1], -1.5),
        ([1, 2], -1.5),
    ]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"text": None}, "has no text"),
        ({"text": 5}, "text is int"),
        ({"text": "\ud800"}, "not valid Unicode"),
        ({"text": "a", "token_ids": ["x"]}, "token_ids"),
        ({"text": "a", "token_ids": [-1]}, "token_ids"),
        ({"text": "a", "logprob_sum": float("nan")}, "logprob_sum"),
        ({"text": "a", "logprob_sum": "low"}, "logprob_sum"),
    ],
)
def test_what_is_wrong_with_one_sample_concerns_that_sample(
    tmp_path: Path, record: dict[str, Any], says: str
) -> None:
    path = lines(
        tmp_path / "a.jsonl", {"problem_id": "p"} | record, {"problem_id": "p", "text": "good"}
    )
    found, (failure,) = draw(path, request("p", 2))
    assert found["p", 1].text == "good"
    assert failure.index == 0
    assert says in failure.reason
    assert "record 1" in failure.reason


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"problem_id": "p", "text": "a"}\n{broken\n', "line 2: not JSON"),
        ("[1]\n", "line 1: expected a record"),
        ('{"id": 1, "answer": "a"}\n', "has no 'problem_id', only id, answer"),
        ('{"problem_id": 1, "answer": "a"}\n', "engine.fields.text"),
        ('{"problem_id": "p", "text": "a", "sample_index": -1}\n', "sample_index -1"),
        ('{"problem_id": "p", "text": "a", "sample_index": 0}\n' * 2, "stands there twice"),
        ('{"problem_id": "p", "text": ["a", "b"], "token_ids": [1]}\n', "list of as many"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_one_clear_line(
    tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(UserError) as raised:
        draw(path, request("p", 2))
    assert says in str(raised.value)
    assert "a.jsonl" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_that_are_not_there_or_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "b.parquet").write_text("x")
    for name, says in (("none.jsonl", "no such file"), ("a.csv", ".jsonl or .parquet")):
        with pytest.raises(UserError, match=says):
            ReplayEngine(ReplayConfig(kind="replay", path=str(tmp_path / name)))
    with pytest.raises(UserError, match="not a Parquet file"):
        draw(tmp_path / "b.parquet", request("p", 1))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no \.jsonl or \.parquet file in it"):
        ReplayEngine(ReplayConfig(kind="replay", path=str(tmp_path / "empty")))


def test_the_content_identifies_a_file_and_not_its_name(tmp_path: Path) -> None:
    def identity(path: Path) -> str:
        return fingerprint_samples(ReplayConfig(kind="replay", path=str(path)))

    first = lines(tmp_path / "a.jsonl", {"problem_id": "p", "text": "one"})
    same = lines(tmp_path / "b.jsonl", {"problem_id": "p", "text": "one"})
    other = lines(tmp_path / "c.jsonl", {"problem_id": "p", "text": "two"})
    assert identity(first) == identity(same) != identity(other)


def test_a_parquet_file_with_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"problem_id": "p", "text": ["a", "b"], "logprob_sum": [-1.0, -2.0]}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    found, _ = draw(path, request("p", 2))
    assert [found["p", i].logprob_sum for i in range(2)] == [-1.0, -2.0]


def test_lists_of_lists_are_one_list_after_the_other(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"problem_id": "p", "text": [["a", "b"], ["c"]], "logprob_sum": [[-1, -2], [-3]]},
        {"problem_id": "p", "text": [["d", "e"]], "token_ids": [[[1], [2, 3]]]},
        {"problem_id": "p", "text": ["f", ["g"]]},
    )
    found, failures = draw(path, request("p", 7))
    assert not failures
    assert "".join(found["p", i].text for i in range(7)) == "abcdefg"
    assert [found["p", i].logprob_sum for i in range(3)] == [-1, -2, -3]
    assert [found["p", i].token_ids for i in (3, 4)] == [[1], [2, 3]]


def test_a_list_too_deep_is_wrong_text_by_text(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"problem_id": "p", "text": [[["a"]], "b"]})
    found, (failure,) = draw(path, request("p", 2))
    assert "text is list" in failure.reason
    assert found["p", 1].text == "b"


def test_samples_of_problems_that_nobody_has_are_counted(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"problem_id": "p", "text": ["a", "b"]},
        {"problem_id": "q", "text": ["a", "b"]},
        {"problem_id": "p", "text": "c", "benchmark": "other"},
        {"problem_id": "r", "text": "c", "benchmark": "b"},
    )
    config = ReplayConfig(kind="replay", path=str(path))
    assert unknown_samples(config, {"b": {"p"}, "c": {"s"}}) == {"q": 2, "r": 1}

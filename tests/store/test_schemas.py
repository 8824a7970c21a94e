"""The columns of the tables are the fields of the records that they hold."""

from dataclasses import fields
from typing import Any

import pyarrow as pa
import pytest

from vlm_boundary.records.problem import Grading, Problem
from vlm_boundary.records.sample import Judgement, Sample, SampleScore, Vote
from vlm_boundary.records.validity import Evidence, Validity
from vlm_boundary.records.verdict import Verdict
from vlm_boundary.store import schemas

# What a table says of a row besides: under which key it stands and what it was made from.
KEY = {"problem_id", "sample_index"}
MADE_FROM = {"grader", "checker", "text_hash", "gold_hash", "basis_hash", "written_at"}


@pytest.mark.parametrize(
    ("record", "schema", "besides"),
    [
        (Problem, schemas.PROBLEMS, set()),
        (Sample, schemas.SAMPLES, {"tokens"}),
        (SampleScore, schemas.SCORES, set()),
        (Judgement, schemas.JUDGEMENTS, set()),
        (Verdict, schemas.VERDICTS, KEY),
        (Validity, schemas.VALIDITY, KEY),
    ],
)
def test_a_record_is_a_row(record: Any, schema: pa.Schema, besides: set[str]) -> None:
    # The benchmark names the file, and a prefix is what one condition shows of a stored problem.
    held = {field.name for field in fields(record)} - {"benchmark", "prefix"}
    assert held <= set(schema.names)
    assert set(schema.names) - held - MADE_FROM == besides


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (Grading, schemas.PROBLEMS.field("grading").type),
        (Evidence, schemas.VALIDITY.field("evidence").type.value_type),
        (Vote, schemas.JUDGEMENTS.field("votes").type.value_type),
    ],
)
def test_so_is_a_record_within_a_row(record: Any, kind: pa.StructType) -> None:
    assert [field.name for field in fields(record)] == [field.name for field in kind]

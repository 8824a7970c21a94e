"""The section `judge_probe`: what each judge lets through of chains that were spoilt on purpose."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.readings import BANDS, judges, of_the_same_text
from vlm_boundary.reasoning.files import check_output
from vlm_boundary.reasoning.judge.judging import Variant
from vlm_boundary.reasoning.judge.probe import CHAIN_EDITS, ORIGINAL, PICTURE_EDITS, spoil
from vlm_boundary.reasoning.judge.verdict import bands
from vlm_boundary.records.reasoning import ProbedChains
from vlm_boundary.records.validity import validity
from vlm_boundary.store import Partition
from vlm_boundary.verifier import Gold, Grader, Output

_Key = tuple[str, int]
_ByEdit = dict[str, ProbedChains]


def judge_probe(data: BenchmarkData) -> dict[str, dict[str, _ByEdit]] | None:
    """By judge, arm and edit: the share of chains that each band accepts, of the same chains.

    `text_checks` is the share that the verifier and the deterministic layers let through.
    Abstentions accept nothing and are counted.
    """
    found = {}
    for judge in judges(data):
        arms = {arm: said for arm in data.arms if (said := _probed(data, judge, arm))}
        if arms:
            found[judge] = arms
    return found or None


def _probed(data: BenchmarkData, judge: str, arm: str) -> _ByEdit:
    partition = Partition(arm, data.benchmark)
    votes = {
        variant: {
            (row["problem_id"], row["sample_index"]): [vote["valid"] for vote in row["votes"]]
            for row in _of_what_counts(data, judge, variant, partition).to_pylist()
        }
        for variant in (ORIGINAL, *CHAIN_EDITS, *PICTURE_EDITS)
    }
    probed = sorted({key for variant in CHAIN_EDITS for key in votes[variant]})
    if not probed:
        return {}
    # By the verifier, so that nothing is known where a program of the benchmark's own grades.
    ours = data.loaded.grader_program is None
    checks = _text_checks(data, partition, probed) if ours else {}
    return {
        variant: _shares(
            [given[key] for key in probed if key in given],
            {"text_checks": checks[variant]} if variant in checks else {},
        )
        for variant, given in votes.items()
        if any(key in given for key in probed)
    }


def _of_what_counts(
    data: BenchmarkData, judge: str, variant: Variant, partition: Partition
) -> pa.Table:
    """A judge's votes on chains that the run still holds, as they were when it read them."""
    columns = ["votes", "text_hash"]
    rows = data.run.judgements(judge, variant).read(partition, columns)
    return rows.filter(pa.array(of_the_same_text(data.everything[partition.arm], rows) >= 0))


def _shares(votes: list[list[bool | None]], checks: dict[str, float]) -> ProbedChains:
    read = [bands(given) for given in votes]
    accepted = {band: sum(getattr(one, band) is True for one in read) / len(read) for band in BANDS}
    abstained = sum(one.any is None for one in read)
    return ProbedChains(chains=len(read), accepted=accepted, abstained=abstained, **checks)


def _text_checks(data: BenchmarkData, partition: Partition, probed: list[_Key]) -> dict[str, float]:
    """Share of these chains that passes grading and the deterministic layers, by edit."""
    of_probed = pc.field("problem_id").isin(sorted({problem_id for problem_id, _ in probed}))
    samples = data.run.samples.read(partition, ["text", "finish_reason"], of_probed).to_pylist()
    texts = {(row["problem_id"], row["sample_index"]): row for row in samples}
    verdicts = data.run.verdicts.read(
        partition, ["problem_id", "sample_index", "span"], of_probed
    ).to_pylist()
    spans = {(row["problem_id"], row["sample_index"]): row["span"] for row in verdicts}
    shares = {}
    with Grader() as grader:
        written = [(key, texts[key]["text"]) for key in probed]
        thinking_open = data.run.thinking_open(partition.arm)
        shares[ORIGINAL] = _passing(data, grader, written, texts, thinking_open)
        for edit in CHAIN_EDITS:
            spoilt = []
            for key, text in written:
                span = spans[key]
                if edited := spoil(text, (span[0], span[1]) if span else None, edit):
                    spoilt.append((key, edited.text))
            if spoilt:
                shares[edit] = _passing(data, grader, spoilt, texts, thinking_open)
    return shares


def _passing(
    data: BenchmarkData,
    grader: Grader,
    chains: list[tuple[_Key, str]],
    samples: dict[_Key, dict[str, Any]],
    thinking_open: bool | None,
) -> float:
    """Share of chains that are graded as right and raise no veto."""
    outputs = [
        Output(
            text,
            Gold.of(data.problems[key[0]]),
            samples[key]["finish_reason"],
            thinking_open=thinking_open,
        )
        for key, text in chains
    ]
    graded = zip(outputs, grader.grade(outputs), strict=True)
    passed = [validity(one.correct, check_output(output, one)) is True for output, one in graded]
    return sum(passed) / len(chains)

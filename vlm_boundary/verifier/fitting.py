"""Which verdicts are on what the run holds: its samples, their texts, its gold answers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vlm_boundary.store import Partition, RunDirectory, encoded
from vlm_boundary.store.keys import numbered
from vlm_boundary.verifier.graders import gold_hashes_of

TextHashes = NDArray[np.uint64]
_DIGITS = 16  # of a hash, in hexadecimal

NO_SAMPLE = "verdicts without a sample"
OTHER_TEXT = "verdicts on another text than the sample's"
OTHER_GOLD = "verdicts by another gold answer than the problem's"
NO_PROBLEM = "verdicts on problems that the run does not have"
NO_VERDICT = "samples without a verdict"


def fitting(
    run: RunDirectory, partition: Partition, verdicts: pa.Table
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which of these verdicts count, and how many do not and why, samples without one included.

    Samples that an older version stored say no hash: there the key alone is compared.

    Args:
        verdicts: of the partition, sorted by key, with text_hash and gold_hash.
    """
    if not verdicts.num_rows and not run.has_problems(partition.benchmark):
        return np.zeros(0, dtype=bool), {}
    golds = gold_hashes_of(run, partition)
    codes, ids = encoded(verdicts["problem_id"])
    known = np.array([key in golds for key in ids], dtype=bool)[codes]
    said, hashes = encoded(verdicts["gold_hash"])
    place = {value: code for code, value in enumerate(hashes)}
    expected = np.array([place.get(golds.get(key, ""), -2) for key in ids], dtype=np.int32)[codes]
    by_gold = said == expected
    samples = run.samples.read(partition, ["text_hash"], coded=["problem_id"])
    keys, theirs = numbered(codes, verdicts), _sample_keys(samples, ids)
    # Both are sorted by problem id and index, but the ids' places need not ascend.
    order = np.argsort(theirs, kind="stable")
    places = np.minimum(np.searchsorted(theirs, keys, sorter=order), max(len(theirs) - 1, 0))
    there = np.zeros(len(keys), dtype=bool)
    same = np.zeros(len(keys), dtype=bool)
    if len(theirs):
        rows = order[places]
        there = theirs[rows] == keys
        hashed = pc.is_valid(samples["text_hash"]).to_numpy()[rows]
        of_sample = text_hashes(samples["text_hash"])[rows]
        same = (of_sample == text_hashes(verdicts["text_hash"])) | ~hashed
    reasons = Counter[str]()
    left = np.ones(len(keys), dtype=bool)
    for reason, fits in (
        (NO_PROBLEM, known),
        (NO_SAMPLE, there),
        (OTHER_TEXT, same),
        (OTHER_GOLD, by_gold),
    ):
        reasons[reason] = int((left & ~fits).sum())
        left &= fits
    reasons[NO_VERDICT] = int(samples.num_rows - there.sum())
    return left, {reason: count for reason, count in reasons.items() if count}


def text_hashes(column: pa.ChunkedArray) -> TextHashes:
    """Hashes as numbers, which take an eighth of the memory; 0 where there is none."""
    whole = column.combine_chunks()
    lengths = pc.fill_null(pc.binary_length(whole), 0).to_numpy(zero_copy_only=False)
    padded = pc.if_else(
        pa.array(lengths == _DIGITS), pc.fill_null(whole, ""), pa.scalar("0" * _DIGITS)
    )
    fixed = pc.cast(pc.cast(padded, pa.binary()), pa.binary(_DIGITS))
    letters = np.frombuffer(fixed.buffers()[1], np.uint8, len(fixed) * _DIGITS, fixed.offset)
    digits = np.where(letters >= ord("a"), letters - (ord("a") - 10), letters - ord("0"))
    pairs = digits.reshape(-1, _DIGITS // 2, 2).astype(np.uint8)
    found = (pairs[..., 0] << 4) | pairs[..., 1]
    return np.ascontiguousarray(found).view(">u8").reshape(-1).astype(np.uint64)


def _sample_keys(samples: pa.Table, ids: list[str]) -> NDArray[np.int64]:
    """Keys of samples by the verdicts' codes; a problem without verdicts gets a code of its own."""
    codes, theirs = encoded(samples["problem_id"])
    place = {key: code for code, key in enumerate(ids)}
    for key in theirs:
        place.setdefault(key, len(place))
    translated = np.array([place[key] for key in theirs], dtype=np.int32)
    return numbered(translated[codes] if len(codes) else codes, samples)

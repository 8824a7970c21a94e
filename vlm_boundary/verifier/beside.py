"""Verdicts beside the drawing, stored at once: what they decide can then be decided again."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.store import Partition, RunDirectory, derived_rows, each_once, places_of
from vlm_boundary.store.keys import KEY
from vlm_boundary.verifier.fitting import fitting
from vlm_boundary.verifier.graders import SAMPLE, Graders, gold_hashes_of
from vlm_boundary.verifier.stage import expected_verdicts

Right = dict[str, dict[int, bool]]
"""Of each problem, the indices of its samples that have a verdict, and whether it says right."""


class GraderBeside:
    """Grades samples of one partition as they come, and stores their verdicts; close it at the end.

    Verdicts are those of `verify`, which has nothing left to do on these samples.
    """

    def __init__(self, run: RunDirectory, partition: Partition) -> None:
        self._table = run.verdicts
        self._partition = partition
        self._gold_hashes = gold_hashes_of(run, partition)
        self._graders = Graders(run, workers=1)
        self._grader = self._graders.of(partition)

    def grade(self, samples: pa.Table) -> Right:
        """The verdicts on samples, with the columns `SAMPLE`, once they are stored.

        Raises:
            PlaceError: they cannot be stored.
            UserError: the benchmark's own program gives no verdict.
        """
        samples = each_once(samples)
        verdicts = self._grader.grade(samples)
        expected = expected_verdicts(samples, self._gold_hashes, self._grader.version)
        self._table.append(self._partition, derived_rows(expected, verdicts, self._table.schema))
        said = pa.array([verdict.correct for verdict in verdicts], pa.bool_())
        return _by_problem(samples.select(KEY).append_column("correct", said))

    def close(self) -> None:
        """End its processes."""
        self._graders.close()


def verdicts_below(
    run: RunDirectory, partition: Partition, problem_ids: Collection[str], limit: int
) -> Right:
    """The verdicts on these problems' stored samples with an index below `limit`.

    Those that are lacking, as after a kill, are made and stored first.
    """
    wanted = pc.field("problem_id").isin(pa.array(problem_ids, pa.string())) & (
        pc.field("sample_index") < limit
    )
    columns = [*KEY, "correct", "text_hash", "gold_hash"]
    stored = run.verdicts.stored(partition, columns, wanted)
    fits, _ = fitting(run, partition, stored)
    known = each_once(stored.filter(pa.array(fits))).select([*KEY, "correct"])
    keys = run.samples.read(partition, KEY, wanted)
    without = _without(keys, known)
    right = _by_problem(known)
    if without.num_rows:
        ids = pc.unique(without["problem_id"])
        samples = run.samples.read(partition, SAMPLE, wanted & pc.field("problem_id").isin(ids))
        beside = GraderBeside(run, partition)
        try:
            made = beside.grade(_without(samples, known))
        finally:
            beside.close()
        for problem_id, found in made.items():
            right.setdefault(problem_id, {}).update(found)
    return right


def _without(samples: pa.Table, verdicts: pa.Table) -> pa.Table:
    """The samples that have no verdict."""
    ids = sorted({*samples["problem_id"].unique().to_pylist(), *verdicts["problem_id"].to_pylist()})
    places = places_of(ids, samples, verdicts)
    return samples.filter(pc.is_null(places))


def _by_problem(rows: pa.Table) -> Right:
    found: Right = {}
    columns = (rows[name].to_pylist() for name in (*KEY, "correct"))
    for problem_id, index, correct in zip(*columns, strict=True):
        found.setdefault(problem_id, {})[index] = correct is True
    return found

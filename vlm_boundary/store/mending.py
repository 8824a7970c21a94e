"""Repairs of a run directory: nothing is deleted, what is taken out is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from vlm_boundary.counted import counted
from vlm_boundary.store import schemas
from vlm_boundary.store.layout import set_aside
from vlm_boundary.store.locks import Shard
from vlm_boundary.store.owner import DamagedPart, as_named, footer_of, reading
from vlm_boundary.store.parts import Partition, open_part
from vlm_boundary.store.run import RunDirectory
from vlm_boundary.store.schemas import misfit, under_schema
from vlm_boundary.store.wholeness import Fault, fitting_texts, look_closely, tables_of


def mend(run: RunDirectory, faults: Sequence[Fault], *, by_word: bool) -> Iterator[str]:
    """Repair what was found, with a line on each thing done.

    Args:
        by_word: also set aside what took an engine to draw.

    Raises:
        UserError: somebody is writing into the run, or it cannot be written.
    """
    left = {"none"} if by_word else {"none", "set aside by word"}
    to_do = [one for one in faults if one.repair not in left]
    if not to_do:
        return
    with run.locks.writing(Shard()), run.locks.turn():
        # A stage, or another repair, may have mended something before nobody else could write.
        still = set(look_closely(run))
        for fault in to_do:
            done = _mend(run, fault) if fault in still else "no longer so"
            yield f"{fault.path}: {done}"


def _mend(run: RunDirectory, fault: Fault) -> str:
    if fault.repair == "remove":
        fault.path.unlink(missing_ok=True)
        return "removed"
    kept = ""
    if fault.repair == "set aside by word":
        kept = _keep_what_can_be_read(run, fault.path)
    if fault.repair == "read again" and fault.benchmark:
        # Without it the data are read again, and compared by content with what was sampled.
        run.origin_path(fault.benchmark).unlink(missing_ok=True)
    return f"set aside as {set_aside(run.path, fault.path)}{kept}"


def _keep_what_can_be_read(run: RunDirectory, path: Path) -> str:
    """Store a damaged part's good rows anew, a row group at a time; says how many those are.

    Of one that can be read and yet is not what was written, or has other columns, nothing is kept:
    it was edited, and does not tell where.
    """
    table = next(one for one, _ in tables_of(run) if path.is_relative_to(one.root))
    partition = Partition.from_folder(path.parent.relative_to(table.root))
    good: list[pa.Table] = []
    whole = True
    try:
        if misfit(footer_of(path).columns, table.schema):
            return ""
        with reading(path), open_part(path) as file:
            for group in range(file.num_row_groups):
                try:
                    with reading(path):
                        rows = under_schema(file.read_row_group(group), table.schema)
                except DamagedPart:
                    whole = False
                    continue
                if table.schema is schemas.SAMPLES:
                    rows = rows.filter(pa.array(fitting_texts(rows), pa.bool_()))
                good.append(rows)
    except DamagedPart:
        return ""
    rows = pa.concat_tables(good) if good else None
    if rows is None or rows.num_rows == 0 or (whole and not as_named(path)):
        return ""
    table.append(partition, rows)
    return f"; what is kept of it: {counted(rows.num_rows, 'row')}"

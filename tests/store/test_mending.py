"""Repairs that meet others: what was mended meanwhile is left alone."""

from __future__ import annotations

from pathlib import Path

from conftest import HandMadeRun

from vlm_boundary.store.mending import mend
from vlm_boundary.store.wholeness import look_closely
from vlm_boundary.verifier import verify


def test_what_was_mended_meanwhile_is_left_alone(run: HandMadeRun) -> None:
    directory = run.directory
    verify(directory)
    (part, *_) = sorted(directory.verdicts.root.rglob("part-*.parquet"))
    content = part.read_bytes()
    part.write_bytes(b"")
    found = look_closely(directory)
    assert part in {one.path for one in found}
    part.write_bytes(content)  # its stage made it again, byte for byte
    (line,) = [said for said in mend(directory, found, by_word=True) if said.startswith(f"{part}:")]
    assert line == f"{part}: no longer so"
    assert part.read_bytes() == content
    assert not Path(directory.path / "set-aside").exists()

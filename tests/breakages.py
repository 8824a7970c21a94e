"""Ways in which a finished run can be broken, with what is said of each and what is kept.

`python tests/breakages.py` prints the table of docs/run-directories.md.
"""

# ruff: noqa: E501
from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from vlm_boundary.store import short_hash

PROBLEMS, N = 4, 4
EXPERIMENT = """
name: broken
run_dir: {folder}/run
benchmarks:
  mine:
    dataset_path: {folder}/data.jsonl
    fields: {{question: q, answer: a, problem_id: id, image: picture}}
arms:
  base: {{model: org/base, role: base, engine: {{kind: replay, path: {folder}/base.jsonl}}}}
  rl: {{model: org/rl, role: rl, engine: {{kind: replay, path: {folder}/rl.jsonl}}}}
sampling: {{n: 4}}
analysis: {{bootstrap_draws: 100}}
"""


def write_data(folder: Path) -> None:
    records = [
        {"id": f"p{i}", "q": f"What is {i}?", "a": str(i), "picture": f"{i}.png"}
        for i in range(PROBLEMS)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    for i in range(PROBLEMS):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.png")
    for arm, right in (("base", 1), ("rl", 2)):
        lines = [
            {"problem_id": f"p{i}", "text": f"So \\boxed{{{i if k < right and i else 77}}}"}
            for i in range(PROBLEMS)
            for k in range(N)
        ]
        (folder / f"{arm}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))


@dataclass(frozen=True)
class Broken:
    """A copy of a finished run of the arms base and rl on the benchmark mine, and its data."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def part(self, table: str, arm: str, condition: str = "full") -> Path:
        folder = self.run / table / f"arm={arm}/benchmark=mine/condition={condition}"
        (found,) = folder.glob("part-*.parquet")
        return found

    @property
    def problems(self) -> Path:
        return self.run / "problems" / "mine.parquet"

    @property
    def picture(self) -> Path:
        return min((self.run / "images").iterdir())


@dataclass(frozen=True)
class Breakage:
    """One way to break a run.

    Attributes:
        name: what is done, as the table says it.
        do: does it.
        says: what `fsck` or a stage says, a part of a line.
        kept: what becomes of samples and numbers, as the table says it.
        stops: a stage ends with exit code 2 before it is mended.
        same: the numbers are those of the whole run, without a word.
        again: after repair and one `run`, the numbers are those of the whole run.
        forced: that takes `verify --force`.
    """

    name: str
    do: Callable[[Broken], object]
    says: str
    kept: str
    stops: bool = False
    same: bool = False
    again: bool = True
    forced: bool = False


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)


def flip(path: Path) -> None:
    """A byte in the middle of the largest column's data."""
    meta = pq.read_metadata(path).row_group(0)
    columns = [meta.column(place) for place in range(meta.num_columns)]
    largest = max(columns, key=lambda column: column.total_compressed_size)
    begin = largest.dictionary_page_offset or largest.data_page_offset
    place = begin + largest.total_compressed_size // 2
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def written(path: Path) -> None:
    path.parent.mkdir(parents=True)
    text(path)


def text(path: Path) -> None:
    path.write_text("not a Parquet file\n" * 9)


def edit(path: Path, change: Callable[[pa.Table], pa.Table], *, forget: bool = False) -> None:
    """Rewrite a part with other rows, as a notebook would; pyarrow keeps what it says of itself."""
    table = change(pq.read_table(path, partitioning=None))
    pq.write_table(table.replace_schema_metadata(None) if forget else table, path)


def column(
    name: str, change: Callable[[pa.ChunkedArray], object]
) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        place = table.column_names.index(name)
        return table.set_column(place, table.schema.field(name), change(table[name]))

    return changed


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def swap(first: Path, second: Path) -> None:
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def of_arm(table: str, arm: str, do: Callable[[Path], object]) -> Callable[[Broken], object]:
    return lambda broken: do(broken.part(table, arm))


def elsewhere(table: str, arm: str, to: str) -> Callable[[Broken], None]:
    """Copy an arm's part into another folder of the same or of another table."""

    def do(broken: Broken) -> None:
        copy(broken.part(table, arm), broken.run / to / "part-0123.parquet")

    return do


def another_run(broken: Broken) -> None:
    """A part of a run of other weights, otherwise the same."""
    path = broken.part("samples", "rl")
    table = pq.read_table(path, partitioning=None)
    said = json.loads(table.schema.metadata[b"vlm_boundary"]) | {"identity": "0" * 16}
    other = table.replace_schema_metadata({b"vlm_boundary": json.dumps(said).encode()})
    pq.write_table(other, path.with_name("part-0123.parquet"))


def swap_arms(broken: Broken) -> None:
    swap(broken.part("samples", "base"), broken.part("samples", "rl"))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_file(name: str) -> Callable[[Broken], None]:
    """A file in place of a folder of the run."""

    def do(broken: Broken) -> None:
        shutil.rmtree(broken.run / name, ignore_errors=True)
        (broken.run / name).write_text("x")

    return do


def origin(text: str) -> Callable[[Broken], object]:
    return lambda broken: (broken.run / "origins" / "mine.json").write_text(text)


def misplaced(broken: Broken) -> None:
    part = broken.part("samples", "rl")
    part.rename(broken.run / "samples" / "arm=rl" / part.name)


def as_text(table: pa.Table) -> pa.Table:
    place = table.column_names.index("sample_index")
    return table.set_column(place, "sample_index", table["sample_index"].cast(pa.string()))


def undecided_by_pandas(broken: Broken) -> None:
    """Another program writes verdicts again, and nothing of what a part says of itself."""
    none = column("correct", lambda c: pa.nulls(len(c), pa.bool_()))
    edit(broken.part("verdicts", "rl"), none, forget=True)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "gone")


def rewind(broken: Broken) -> None:
    for path in sorted(broken.folder.rglob("*")):
        if path.is_file():
            os.utime(path, (0, 0))


def wrong(golds: pa.ChunkedArray) -> pa.Array:
    return pa.array(["99"] * len(golds), pa.string())


def retext(texts: pa.ChunkedArray) -> pa.Array:
    return pa.array(["So \\boxed{1}"] * len(texts))


def retold(table: pa.Table) -> pa.Table:
    """Other texts, with hashes that fit them."""
    said = pa.array([short_hash("So \\boxed{1}", "stop")] * table.num_rows)
    return column("text_hash", lambda _: said)(column("text", retext)(table))


def strange_ids(table: pa.Table) -> pa.Table:
    ids = pa.array(["q" + key for key in table["problem_id"].to_pylist()], pa.string())
    return pa.concat_tables([table, table.set_column(0, table.schema.field(0), ids)])


def data_behind_the_clock(broken: Broken) -> None:
    """Every gold answer is another one of the same length, size and time as they were."""
    path = broken.folder / "data.jsonl"
    known = path.stat()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["a"] = str(9 - int(line["a"]))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def graded_loosely(table: pa.Table) -> pa.Table:
    """Another answer is right as well."""
    rules = [rule | {"alternatives": ["77"]} for rule in table["grading"].to_pylist()]
    return column("grading", lambda c: pa.array(rules, c.type))(table)


def manifest(change: Callable[[Path], object]) -> Callable[[Broken], object]:
    return lambda broken: change(broken.run / "manifest.json")


def without(part: str, name: str) -> Callable[[Path], object]:
    def do(path: Path) -> None:
        content = json.loads(path.read_text())
        del content[part][name]
        path.write_text(json.dumps(content))

    return do


def more_problems(path: Path) -> None:
    content = json.loads(path.read_text())
    content["benchmarks"]["mine"]["problems"] = 400
    path.write_text(json.dumps(content))


def left_over(broken: Broken) -> None:
    path = broken.part("samples", "base")
    path.with_name(".0123.tmp").write_bytes(path.read_bytes()[:99])


def locks(broken: Broken) -> None:
    (broken.run / ".locks").mkdir(exist_ok=True)
    for name in ("turn.lock", "verdicts.lock", "shard-0-of-1.lock"):
        (broken.run / ".locks" / name).write_text("nonsense")


def labels(broken: Broken) -> None:
    (broken.run / "labels").mkdir()
    (broken.run / "labels" / "ann.jsonl").write_bytes(b'{"half\n\xff\xfe\n[]\n')


def older(broken: Broken) -> None:
    """As an older version wrote them."""
    for table in ("samples", "verdicts"):
        for arm in ("base", "rl"):
            drop = (lambda t: t.drop_columns(["text_hash"])) if table == "samples" else lambda t: t
            edit(broken.part(table, arm), drop, forget=True)


DRAWN_AGAIN = "readable rows kept, the rest drawn again after `--set-aside`"
DRAWN_AFTER = "drawn again after `--repair`"
ASIDE = "set aside and drawn again after `--set-aside`"
MADE_AGAIN = "made again by its stage; no number before that"
LEFT_OUT = "the file is never used; `--repair` sets it aside"
READ_AGAIN = "read again from the data after `--repair`"
ROWS_OUT = "numbers without its rows; drawn again by the next `run`"

EDITED = "numbers without these rows; drawn again after `--set-aside`"

BREAKAGES = (
    Breakage("a file of samples cut in half", of_arm("samples", "rl", truncate), "damaged", ASIDE, True),
    Breakage("a file of samples made empty (0 bytes)", of_arm("samples", "rl", empty), "it is empty", ASIDE, True),
    Breakage("a file of samples without its end", of_arm("samples", "rl", spoil_end), "damaged", ASIDE, True),
    Breakage("a byte of a file of samples flipped", of_arm("samples", "rl", flip), "damaged", DRAWN_AGAIN, True),
    Breakage("a file of samples overwritten with text", of_arm("samples", "rl", text), "damaged", ASIDE, True),
    Breakage("a folder in place of a file of samples", of_arm("samples", "rl", a_folder), "damaged", ASIDE, True),
    Breakage("a link to nothing in place of a file of samples", of_arm("samples", "rl", dangling), "it is a link to nothing", ASIDE, True),
    Breakage("a file in place of the folder of samples", a_file("samples"), "not a folder", DRAWN_AFTER, True),
    Breakage("a file in place of an arm's folder", a_file("samples/arm=rl"), "not a folder", DRAWN_AFTER, True),
    Breakage("samples moved out of their folder", misplaced, "not where a part is looked for", ROWS_OUT),
    Breakage("a column of samples removed", of_arm("samples", "rl", lambda p: edit(p, lambda t: t.drop_columns(["text"]))), "it has no column 'text'", ASIDE, True),
    Breakage("a column of samples made text", of_arm("samples", "rl", lambda p: edit(p, as_text)), "its column 'sample_index' holds string, not int32", ASIDE, True),
    Breakage("an arm's samples deleted", of_arm("samples", "rl", Path.unlink), "16 verdicts without a sample left out (rl)", ROWS_OUT),
    Breakage("all samples deleted", lambda b: shutil.rmtree(b.run / "samples"), "no verdicts to analyse", ROWS_OUT, True),
    Breakage("an arm's samples in another arm's folder", elsewhere("samples", "rl", "samples/arm=base/benchmark=mine/condition=full"), "it was written as arm 'rl'", LEFT_OUT, same=True),
    Breakage("samples in another benchmark's folder", elsewhere("samples", "rl", "samples/arm=rl/benchmark=other/condition=full"), "it was written as benchmark 'mine'", LEFT_OUT, same=True),
    Breakage("samples in a control's folder", elsewhere("samples", "rl", "samples/arm=rl/benchmark=mine/condition=no_image"), "it was written as condition 'full'", LEFT_OUT, same=True),
    Breakage("samples drawn from other weights", another_run, "another identity of arm 'rl'", LEFT_OUT, same=True),
    Breakage("two arms' samples swapped", swap_arms, "it was written as arm", "neither is used; drawn again after `--repair`", True),
    Breakage("samples twice", elsewhere("samples", "rl", "samples/arm=rl/benchmark=mine/condition=full"), "it was changed after", "each key counts once; `--set-aside` takes it out", same=True),
    Breakage("texts of samples edited", of_arm("samples", "rl", lambda p: edit(p, column("text", retext))), "it was changed after", ASIDE, same=True),
    Breakage("texts and their hashes edited", of_arm("samples", "rl", lambda p: edit(p, retold)), "verdicts on another text", EDITED),
    Breakage("rows of samples removed", of_arm("samples", "rl", lambda p: edit(p, lambda t: t.slice(4))), "4 verdicts without a sample left out (rl)", EDITED),
    Breakage("samples of unknown problems", of_arm("samples", "rl", lambda p: edit(p, strange_ids, forget=True)), "of problems that 'mine' does not have", "they are left out", again=True),
    Breakage("a file of verdicts cut in half", of_arm("verdicts", "rl", truncate), "damaged", MADE_AGAIN, True),
    Breakage("a file of verdicts made empty (0 bytes)", of_arm("verdicts", "rl", empty), "it is empty", MADE_AGAIN, True),
    Breakage("a byte of verdicts flipped", of_arm("verdicts", "rl", flip), "it was changed after", MADE_AGAIN, True),
    Breakage("verdicts edited to be right", of_arm("verdicts", "rl", lambda p: edit(p, column("correct", lambda c: pa.array([True] * len(c))))), "it was changed after", MADE_AGAIN, True),
    Breakage("a column of verdicts removed", of_arm("verdicts", "rl", lambda p: edit(p, lambda t: t.drop_columns(["correct"]), forget=True)), "it has no column 'correct'", MADE_AGAIN, True),
    Breakage("a file in place of the folder of verdicts", a_file("verdicts"), "not a folder", "made again by `verify` after `--repair`", True),
    Breakage("verdicts written again by another program", undecided_by_pandas, "do not say whose they are", "read, with a notice; `verify --force` makes them again", forced=True),
    Breakage("verdicts deleted", of_arm("verdicts", "rl", Path.unlink), "16 samples without a verdict left out (rl)", "named; made again by `verify`"),
    Breakage("an arm's verdicts in another arm's folder", elsewhere("verdicts", "rl", "verdicts/arm=base/benchmark=mine/condition=full"), "it was written as arm 'rl'", LEFT_OUT, same=True),
    Breakage("two arms' verdicts swapped", lambda b: swap(b.part("verdicts", "base"), b.part("verdicts", "rl")), "it was written as arm", LEFT_OUT, True),
    Breakage("gold answers edited", lambda b: edit(b.problems, column("answer", wrong)), "not the problems that the run was begun with", READ_AGAIN, True),
    Breakage("how answers are graded edited", lambda b: edit(b.problems, graded_loosely), "not the problems that the run was begun with", READ_AGAIN, True),
    Breakage("a problem removed", lambda b: edit(b.problems, lambda t: t.slice(1)), "not the problems that the run was begun with", READ_AGAIN, True),
    Breakage("the file of problems cut in half", lambda b: truncate(b.problems), "damaged", READ_AGAIN, True),
    Breakage("the file of problems deleted", lambda b: b.problems.unlink(), "missing", READ_AGAIN, True),
    Breakage("a column of problems removed", lambda b: edit(b.problems, lambda t: t.drop_columns(["grading"])), "it has no column 'grading'", READ_AGAIN, True),
    Breakage("a file in place of the folder of problems", a_file("problems"), "not a folder", READ_AGAIN, True),
    Breakage("metadata of problems removed", lambda b: edit(b.problems, column("metadata", lambda c: pa.nulls(len(c), pa.string()))), "a row of it is no problem", READ_AGAIN, True),
    Breakage("a file in place of the folder of pictures", a_file("images"), "not a folder", READ_AGAIN, True),
    Breakage("a folder in place of a picture", lambda b: a_folder(b.picture), "not a file", READ_AGAIN, True),
    Breakage("a picture deleted", lambda b: b.picture.unlink(), "missing", "all; stored again by `sample`", same=True),
    Breakage("a picture emptied", lambda b: empty(b.picture), "empty", READ_AGAIN, True),
    Breakage("a picture replaced", lambda b: b.picture.write_bytes(b"other"), "its content is not what its name says", READ_AGAIN, same=True),
    Breakage("the manifest deleted", manifest(Path.unlink), "not a run directory (it has no manifest.json)", "samples stay, and are not mixed with new ones", True, again=False),
    Breakage("the manifest cut in half", manifest(truncate), "not a manifest", "everything, once it is restored", True, again=False),
    Breakage("a benchmark removed from the manifest", manifest(without("benchmarks", "mine")), "says nothing of benchmark 'mine'", "everything, once it is restored", True, again=False),
    Breakage("an arm removed from the manifest", manifest(without("arms", "rl")), "says nothing of arm 'rl'", "everything, once it is restored", again=False, same=True),
    Breakage("how many problems there are edited in the manifest", manifest(more_problems), "not the problems that the run was begun with", READ_AGAIN, True),
    Breakage("the manifest edited", manifest(lambda p: p.write_text('{"arms": []}')), "not a manifest", "everything, once it is restored", True, again=False),
    Breakage("the manifest emptied of its experiment", manifest(lambda p: p.write_text("{}")), "names no experiment", "everything, once it is restored", True, again=False),
    Breakage("what data were read from is forgotten", origin("{"), "is whole", "the data are read again and compared", same=True),
    Breakage("what data were read from is something else", origin("[1, 2]"), "is whole", "the data are read again and compared", same=True),
    Breakage("a folder in place of what data were read from", lambda b: a_folder(b.run / "origins" / "mine.json"), "a folder where a file belongs", "the data are read again and compared", True),
    Breakage("failures overwritten", lambda b: written(b.run / "failures/arm=rl/benchmark=mine/condition=full/part-0123.parquet"), "damaged", "found out again", True),
    Breakage("a layer of validity cut in half", of_arm("validity/layer=structure", "rl", truncate), "damaged", MADE_AGAIN, True),
    Breakage("a layer of validity deleted", lambda b: shutil.rmtree(b.run / "validity/layer=structure"), "", "made again by `check`", again=True),
    Breakage("one layer in place of another", lambda b: copy(b.part("validity/layer=structure", "rl"), b.part("validity/layer=arithmetic", "rl")), "it was written as table", "never used; made again by `check`"),
    Breakage("what an engine was is overwritten", lambda b: text(min((b.run / "writers").iterdir())), "no record of an engine", "all samples; the report leaves the engine out", same=True),
    Breakage("a folder in place of what an engine was", lambda b: a_folder(min((b.run / "writers").iterdir())), "no record of an engine", "all samples; the report leaves the engine out", same=True),
    Breakage("an unfinished file of a killed process", left_over, "left by a process that was killed", "all; `--repair` removes it", same=True),
    Breakage("nonsense in locks", locks, "is whole", "all", same=True),
    Breakage("a file in place of the folder of locks", a_file(".locks"), "move it away", "everything, once it is moved away", True, again=False),
    Breakage("nonsense in labels", labels, "is whole", "all; lines that are none are counted", same=True),
    Breakage("all clocks set back to 1970", rewind, "is whole", "all", same=True),
    Breakage("the statistics cut in half", lambda b: truncate(b.run / "analysis.json"), "is whole", "made again by `analyze`", same=True),
    Breakage("a folder in place of the statistics", lambda b: a_folder(b.run / "analysis.json"), "a folder where a file belongs", "made again by `analyze` after `--repair`", True),
    Breakage("what the statistics are of, overwritten", lambda b: (b.run / "analysis.of").write_bytes(b"\xff"), "is whole", "all; `report` calls them older than the run until `analyze` has run", same=True),
    Breakage("a file in place of the folder of tables", a_file("tables"), "not a folder", "made again by `analyze` after `--repair`", True),
    Breakage("data changed behind the clock", data_behind_the_clock, "4 of 4 answers differ", "the run's own problems; sampling stops", True, again=False),
    Breakage("the data deleted", lambda b: (b.folder / "data.jsonl").unlink(), "is whole", "the run's own problems", same=True),
    Breakage("a run of an older version", older, "says no hashes of its texts", "all; verdicts are held against keys", again=True),
)  # fmt: skip


def table() -> str:
    """The breakages as Markdown."""
    lines = ["| what is done | what is said | what is kept |", "|---|---|---|"]
    for one in BREAKAGES:
        said = "–" if not one.says or one.says == "is whole" else f"… {one.says} …"
        lines.append(f"| {one.name} | {said} | {one.kept} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

"""`vlm-boundary passk` on tables that anyone might bring."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from scipy import stats

from vlm_boundary.analysis.counts import Counts
from vlm_boundary.analysis.differences import difference_at_k
from vlm_boundary.analysis.intervals import Clustered, cluster_codes, t_intervals
from vlm_boundary.analysis.resampling import bootstrap_t
from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.analysis.table_file import read_table_file
from vlm_boundary.cli import cli
from vlm_boundary.stopping import StoppingRule

Row = dict[str, Any]


def write(path: Path, rows: list[Row]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["passk", *map(str, arguments)])
    return done.exit_code, done.output


def rows_of(counts: dict[str, dict[str, tuple[int, int]]]) -> list[Row]:
    return [
        {"model": model, "problem_id": problem, "correct": place < c, "text": "ignored"}
        for model, problems in counts.items()
        for problem, (c, n) in problems.items()
        for place in range(n)
    ]


COUNTS = {
    "qwen": {"a": (1, 4), "b": (2, 4), "c": (0, 4), "d": (3, 4), "only": (1, 4)},
    "qwen-rl": {"a": (4, 4), "b": (4, 4), "c": (1, 4), "d": (0, 4)},
}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"table{suffix}", rows_of(COUNTS))
    out = tmp_path / "out.json"
    code, text = call(path, "--base", "qwen", "--rl", "qwen-rl", "--json", out)
    assert code == 0, text
    content = json.loads(out.read_text())
    curve = content["models"]["qwen"]["pass_at_k"]
    assert list(map(int, curve)) != []
    assert sorted(map(int, curve)) == [1, 2, 3, 4]
    assert curve["1"]["estimate"] == pytest.approx((1 + 2 + 0 + 3 + 1) / 20)
    # pass@2 of 0, 1, 2, 3 correct of 4: 0, 1/2, 5/6, 1.
    assert curve["2"]["estimate"] == pytest.approx((1 / 2 + 5 / 6 + 0 + 1 + 1 / 2) / 5)
    differences = np.array([3 / 4, 2 / 4, 1 / 4, -3 / 4])
    # Worked out apart from the package: of the mean of these four and one more at the bound (1, or
    # -1), under weights spread evenly, the r-th moment is h_r / C(4 + r, r), h_r the sum of all
    # products of r of the five (complete homogeneous). The beta distribution with the same end and
    # three moments, its width by scipy's brentq, has these quantiles at 2.5 % (of four million
    # drawn weights they are -0.619 and 0.747).
    low, high = -0.6206432, 0.7507015
    entry = content["difference"]["1"]
    assert entry["estimate"] == pytest.approx(differences.mean())
    assert (entry["low"], entry["high"]) == pytest.approx((low, high), abs=1e-6)
    assert entry["problems"] == 4
    assert content["solved"] == {"both": 2, "base_only": 1, "rl_only": 1, "neither": 0}
    assert content["solved_problems"]["base_only"] == ["d"]
    assert content["crossover_k"]["status"] == "not_resolved"
    assert set(content["crossover_k"]) >= {"estimate", "low", "high", "status"}
    assert "1 of qwen left out" in text
    assert "One model has more samples" not in text
    assert "both 2, base only 1, RL only 1, neither 0" in text


def test_a_parquet_file_may_lack_verdicts_in_several_row_groups(tmp_path: Path) -> None:
    verdicts = [True, None, False, True, None, True, False, None]
    table = {"model": ["a"] * 4 + ["b"] * 4, "problem_id": list("xxyy") * 2, "correct": verdicts}
    pq.write_table(pa.table(table), tmp_path / "t.parquet", row_group_size=2)
    counts = read_table_file(tmp_path / "t.parquet").counts
    assert [one.correct.tolist() for one in counts.values()] == [[1, 1], [1, 0]]
    assert [one.undecided.tolist() for one in counts.values()] == [[1, 0], [1, 1]]


def test_problems_with_fewer_samples_are_left_out_of_that_k_alone(tmp_path: Path) -> None:
    counts = {
        "b": {"x": (1, 4), "y": (1, 2), "z": (0, 4)},
        "r": {"x": (2, 4), "y": (2, 2), "z": (1, 3)},
    }
    out = tmp_path / "out.json"
    path = write(tmp_path / "t.jsonl", rows_of(counts))
    code, text = call(path, "--base", "b", "--rl", "r", "--json", out)
    assert code == 0
    assert "One model has more samples of 1 of these problems" in text
    difference = json.loads(out.read_text())["difference"]
    assert [difference[str(k)]["problems"] for k in (1, 2, 3, 4)] == [3, 3, 2, 1]
    assert difference["4"]["estimate"] == 0.0
    assert difference["4"]["low"] is None


@pytest.mark.parametrize(
    ("values", "right", "undecided"),
    [
        ([True, False, None], 1, 1),
        ([1, 0, 1], 2, 0),
        (["true", "False", ""], 1, 1),
        ([1.0, 0.0, float("nan")], 1, 1),
    ],
)
def test_correct_may_be_written_in_several_ways(
    tmp_path: Path, values: list[Any], right: int, undecided: int
) -> None:
    rows = [{"model": "m", "problem_id": 7, "correct": value} for value in values]
    counts = read_table_file(write(tmp_path / "t.jsonl", rows)).counts["m"]
    assert counts.problem_ids == ("7",)
    assert (counts.correct.sum(), counts.undecided.sum()) == (right, undecided)


def test_numbers_and_words_name_the_same_problem(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "problem_id": 7, "correct": 1},
        {"model": "m", "problem_id": "7", "correct": 0},
        {"model": "m", "problem_id": 7.0, "correct": True},
    ]
    counts = read_table_file(write(tmp_path / "t.jsonl", rows)).counts["m"]
    assert (counts.problem_ids, counts.samples[0], counts.correct[0]) == (("7",), 3, 2)


GOOD = '{"model": "b", "problem_id": "x", "correct": true}\n'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.txt", GOOD, "the name must end in .jsonl, .csv, .tsv, .parquet"),
        ("none.jsonl", None, "there is no such file"),
        ("t.jsonl", "", "there are no rows"),
        ("t.jsonl", GOOD + "{oops\n", "t.jsonl:2: this line is not JSON"),
        ("t.jsonl", "[" * 100_000, "this line is not JSON"),
        ("t.jsonl", "3\n", "a line must be an object"),
        ("t.jsonl", '{"model": "b", "problem_id": "x"}\n', "no column correct; there are model"),
        ("t.jsonl", GOOD.replace("true", '"maybe"'), "row 1: correct is 'maybe' (str)"),
        ("t.jsonl", GOOD.replace("true", "2"), "row 1: correct is 2 (int)"),
        ("t.jsonl", GOOD.replace('"x"', "null"), "row 1: problem_id is None"),
        ("t.jsonl", GOOD.replace('"x"', '{"a": 1}'), "row 1: problem_id is"),
        ("t.jsonl", GOOD, "no model 'r'; there are b"),
        ("t.csv", "model,correct\nb,1\n", "no column problem_id; there are model, correct"),
        ("t.csv", "model,problem_id,correct\nb,x\n", "Row #2: Expected 3 columns, got 2"),
        ("t.csv", b"\xff\xfe\x00", "cannot be read as UTF-8"),
        ("t.parquet", "not parquet", "not a Parquet file"),
        (
            "t.jsonl",
            GOOD + GOOD.replace('"b"', '"r"').replace('"x"', '"y"'),
            "have no problem_id in common",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    tmp_path: Path, name: str, content: str | bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, text = call(path, "--base", "b", "--rl", "r")
    assert code == 2
    assert said in text
    assert len(text.splitlines()) == 1
    assert "Traceback" not in text


def test_one_model_is_not_compared_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(GOOD)
    code, text = call(path, "--base", "b", "--rl", "b")
    assert code == 2
    assert "name two models" in text


def test_a_crossover_is_reported_with_its_interval(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    chance = np.where(rng.random(300) < 0.1, 0.0, rng.beta(0.35, 0.7, 300))
    odds = (chance / (1 - chance) * 4) ** 1.5 / 4
    counts = {
        model: {f"p{i}": (int(c), 64) for i, c in enumerate(rng.binomial(64, p))}
        for model, p in (("b", chance), ("r", odds / (1 + odds)))
    }
    out = tmp_path / "out.json"
    code, text = call(
        write(tmp_path / "t.csv", rows_of(counts)), "--base", "b", "--rl", "r", "--json", out
    )
    assert code == 0
    turn = json.loads(out.read_text())["crossover_k"]
    assert turn["status"] == "resolved"
    assert turn["low"] <= turn["estimate"] <= turn["high"]
    assert f"Crossover: k = {turn['estimate']} [{turn['low']}, {turn['high']}], resolved" in text


def by_counts(counts: dict[str, dict[str, tuple[int, int]]], **more: Any) -> list[Row]:
    return [
        {"model": model, "problem_id": problem, "n": n, "c": c} | more
        for model, problems in counts.items()
        for problem, (c, n) in problems.items()
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "names", [("n", "c"), ("n", "correct"), ("num_samples", "num_correct"), ("n", "n_correct")]
)
def test_a_row_a_problem_gives_what_a_row_a_sample_gives(
    tmp_path: Path, suffix: str, names: tuple[str, str]
) -> None:
    rows = [
        {
            "model": row["model"],
            "problem_id": row["problem_id"],
            names[0]: row["n"],
            names[1]: row["c"],
        }
        for row in by_counts(COUNTS)
    ]
    counted = read_table_file(write(tmp_path / f"counted{suffix}", rows)).counts
    drawn = read_table_file(write(tmp_path / f"drawn{suffix}", rows_of(COUNTS))).counts
    for model in COUNTS:
        assert counted[model].problem_ids == drawn[model].problem_ids
        for column in ("samples", "correct", "undecided"):
            expected = getattr(drawn[model], column).tolist()
            assert getattr(counted[model], column).tolist() == expected


def test_counts_of_a_file_are_as_many_samples_in_the_output(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", by_counts({"b": {"x": (1, 128)}, "r": {"x": (1, 128)}}))
    code, text = call(path, "--base", "b", "--rl", "r")
    assert code == 0
    assert "b: 1 problems, 128 samples each" in text


HEAD = '"model": "b", "problem_id": "x"'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        # A row a sample that says beside it how many there are: neither reading is the sure one.
        ([f'{{{HEAD}, "n": 2, "correct": true}}'], "row 1: correct is True (bool)"),
        (
            [f'{{{HEAD}, "n": 2, "correct": 1}}'] * 2,
            "problem x was in row 1 already; column n makes a row a problem",
        ),
        (
            [f'{{{HEAD}, "n": 2, "sample_index": 0, "correct": 1}}'],
            "column sample_index makes it one",
        ),
        ([f'{{{HEAD}, "n": 2, "c": 1, "correct": 1}}'], "columns c, correct say one thing each"),
        ([f'{{{HEAD}, "n": 2, "num_samples": 2, "c": 1}}'], "columns n, num_samples say one thing"),
        ([f'{{{HEAD}, "n": 2}}'], "no column c, of a row a problem, with n; there are"),
        ([f'{{{HEAD}, "c": 2}}'], "no column correct; there are model, problem_id, c"),
        ([f'{{{HEAD}, "n": 2, "c": 3}}'], "problem x: c is larger than n (3 of 2)"),
        ([f'{{{HEAD}, "n": 0, "c": 0}}'], "n must be at least 1"),
        ([f'{{{HEAD}, "n": 2, "c": 0.5}}'], "row 1: c is 0.5 (float); it must be a whole number"),
        ([f'{{{HEAD}, "n": null, "c": 0}}'], "row 1: n is None"),
        ([f'{{{HEAD}, "n": "-2", "c": 0}}'], "row 1: n is '-2'"),
        ([f'{{{HEAD}, "correct": 1}}', f'{{{HEAD}, "n": 4, "correct": 1}}'], "2: column n, which"),
        ([f'{{{HEAD}, "n": 2, "c": 1}}', f'{{{HEAD}, "c": 1}}'], "2: no column n, which the first"),
        (
            [
                f'{{{HEAD}, "sample_index": 0, "correct": 1}}',
                f'{{{HEAD}, "sample_index": 0, "correct": 0}}',
            ],
            "row 2: model b, problem x, sample_index 0 was in row 1 already, with another verdict",
        ),
        ([f'{{{HEAD}, "sample_index": null, "correct": 1}}'], "row 1: sample_index is None"),
        (
            [
                f'{{{HEAD}, "cluster": "u", "correct": 1}}',
                f'{{{HEAD}, "cluster": "v", "correct": 0}}',
            ],
            "row 2: model b, problem x is of cluster v, and in row 1 of u",
        ),
        (
            [
                f'{{{HEAD}, "cluster": "u", "correct": 1}}',
                f'{{{HEAD}, "cluster": "", "correct": 0}}',
            ],
            "is of cluster None, and in row 1 of u",
        ),
    ],
)
def test_what_could_mean_two_things_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    code, text = call(path, "--base", "b", "--rl", "r")
    assert code == 2
    assert said in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_rows_that_repeat_a_sample_count_once_and_are_told(tmp_path: Path, suffix: str) -> None:
    numbered: list[Row] = []
    for row in rows_of(COUNTS):
        before = [r for r in numbered if r["model"] == row["model"]]
        index = sum(r["problem_id"] == row["problem_id"] for r in before)
        numbered.append(row | {"sample_index": index})
    path = write(tmp_path / f"t{suffix}", numbered + numbered[3:10])
    found = read_table_file(path)
    assert found.repeats == 7
    once = read_table_file(write(tmp_path / f"once{suffix}", rows_of(COUNTS))).counts
    for model in COUNTS:
        assert found.counts[model].samples.tolist() == once[model].samples.tolist()
        assert found.counts[model].correct.tolist() == once[model].correct.tolist()
    code, text = call(path, "--base", "qwen", "--rl", "qwen-rl")
    assert code == 0
    assert text.startswith("7 rows left out that repeat a sample of another row")


def test_repeated_rows_without_an_index_are_samples(tmp_path: Path) -> None:
    rows = rows_of({"m": {"x": (1, 3)}})
    found = read_table_file(write(tmp_path / "t.jsonl", rows * 2))
    assert (found.counts["m"].samples.tolist(), found.repeats) == ([6], 0)


def drop_outs() -> list[Row]:
    """RL is better on 90 problems with 16 samples, worse on 30 with 128; they cross at 60."""
    rng = np.random.default_rng(1)
    rows: list[Row] = []
    for kind, count, n, base, rl in (("easy", 90, 16, 0.02, 0.1), ("hard", 30, 128, 0.05, 0.001)):
        for place in range(count):
            for model, p in (("b", base), ("r", rl)):
                c = int(rng.binomial(n, p))
                rows.append({"model": model, "problem_id": f"{kind}{place}", "n": n, "c": c})
    return rows


def test_problems_that_drop_out_make_no_crossover(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    path = write(tmp_path / "t.jsonl", drop_outs())
    code, text = call(path, "--base", "b", "--rl", "r", "--json", out)
    assert code == 0, text
    content = json.loads(out.read_text())
    difference, turn = content["difference"], content["crossover_k"]
    assert difference["16"]["low"] > 0 > difference["17"]["high"]  # what was called a crossover
    assert (turn["estimate"], turn["status"], turn["up_to"]) == (None, "none", 16)
    assert difference["16"]["band_low"] is not None
    assert all(difference[str(k)]["band_low"] is None for k in range(17, 129))
    assert "Not all of the 120 problems have more than 16 samples of both models" in text
    assert "Crossover: none up to k = 16" in text
    (row,) = (line for line in text.splitlines() if line.strip().startswith("32 "))
    assert row.count("of 30") == 2


def clustered(rng: np.random.Generator, origins: int, variants: int) -> list[Row]:
    """Problems of which ten are variants of one: the same chance of success of each model."""
    rows = []
    for origin in range(origins):
        chances = {"b": rng.beta(0.5, 0.5), "r": rng.beta(0.5, 0.5)}
        for variant in range(variants):
            for model, chance in chances.items():
                c = int(rng.binomial(8, chance))
                name = f"{origin}-{variant}"
                row = {"model": model, "problem_id": name, "n": 8, "c": c, "cluster": origin}
                rows.append(row)
    return rows


def widths_and_hits(with_clusters: bool) -> tuple[float, float]:
    """Mean width of the difference's interval at k = 1, and how often it holds the truth, 0."""
    rng = np.random.default_rng(6)
    widths, hits = [], []
    for _ in range(100):
        rows = clustered(rng, 60, 10)
        clusters = {row["problem_id"]: str(row["cluster"]) for row in rows}
        counts = {}
        for model in ("b", "r"):
            of = [row for row in rows if row["model"] == model]
            c, n = (np.array([row[key] for row in of]) for key in ("c", "n"))
            counts[model] = Counts(tuple(row["problem_id"] for row in of), n, c, c * 0, c)
        groups = cluster_codes(counts["b"].problem_ids, clusters if with_clusters else None)
        values = difference_at_k(counts["b"], counts["r"], np.array([1]))
        found = t_intervals(values, 0.95, (-1, 1), groups)
        widths.append(float(found.high[0] - found.low[0]))
        hits.append(bool(found.low[0] <= 0 <= found.high[0]))
    return float(np.mean(widths)), float(np.mean(hits))


def test_clusters_widen_intervals_by_the_design_effect_and_hold_what_they_claim() -> None:
    plain, missed = widths_and_hits(False)
    wide, held = widths_and_hits(True)
    # Chances of Beta(1/2, 1/2): variance 1/8 between origins, 1/8 · 1/8 between samples of eight.
    correlation = (1 / 8) / (1 / 8 + 1 / 64)
    # The difference of two such chances has kurtosis 3 + (1.5 - 3) / 2: that many carry the spread.
    few, many = (stats.t.ppf(0.975, drawn / 2.25) for drawn in (60, 600))
    effect = np.sqrt(1 + 9 * correlation) * few / many
    assert wide / plain == pytest.approx(effect, rel=0.03)
    assert missed < 0.6
    assert 0.95 - 0.05 <= held < 0.995


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_cluster_column_makes_every_interval_one_of_clusters(tmp_path: Path, suffix: str) -> None:
    rows = clustered(np.random.default_rng(3), 60, 10)
    out = tmp_path / "out.json"
    command = ("--base", "b", "--rl", "r", "--json", out)
    code, text = call(write(tmp_path / f"t{suffix}", rows), *command)
    assert code == 0, text
    assert "the 60 clusters of problems taken as a sample of theirs" in text
    assert "McNemar" not in text  # which takes problems for independent
    content = json.loads(out.read_text())
    assert content["clusters"] == 60
    code, _ = call(
        write(tmp_path / "alone.csv", [{**row, "cluster": ""} for row in rows]), *command
    )
    assert code == 0
    alone = json.loads(out.read_text())
    assert alone["clusters"] == 600
    for low, high in (
        ("low", "high"),
        ("band_low", "band_high"),
        ("bootstrap_low", "bootstrap_high"),
    ):
        with_clusters, without = (of["difference"]["1"] for of in (content, alone))
        assert with_clusters[high] - with_clusters[low] > 2 * (without[high] - without[low])
    curves = [of["models"]["b"]["pass_at_k"]["1"] for of in (content, alone)]
    assert curves[0]["high"] - curves[0]["low"] > 2 * (curves[1]["high"] - curves[1]["low"])


def test_a_hundred_thousand_problems_are_resampled_in_blocks() -> None:
    values = np.random.default_rng(0).integers(-1, 2, size=(100_000, 1)).astype(float)
    tracemalloc.start()
    bootstrap_t(Clustered.of(values), 0.95, (-1, 1), 200, np.random.default_rng(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 << 20  # all at once it took 400 MB, and 20 GB for 10,000 draws


LOOKS = StoppingRule((4, 8, 16), 2)


def stopped_counts() -> dict[str, list[tuple[int, int]]]:
    """Of two models (right, samples) of each problem, as the rule leaves them."""
    rng = np.random.default_rng(3)
    found: dict[str, list[tuple[int, int]]] = {}
    for model, power in (("a", 1.0), ("b", 0.5)):
        right = rng.random((50, 16)) < rng.beta(0.4, 1.0, (50, 1)) ** power
        ends = [LOOKS.standing(range(16), row.tolist()) for row in right]
        found[model] = [(end.right, end.look) for end in ends]
    return found


@pytest.mark.parametrize("kind", ["counts", "samples", "all samples"])
def test_tables_of_problems_that_were_stopped_early(tmp_path: Path, kind: str) -> None:
    rows: list[Row] = []
    for model, problems in stopped_counts().items():
        for place, (c, n) in enumerate(problems):
            key = {"model": model, "problem_id": f"p{place}"}
            if kind == "counts":
                rows.append(key | {"n": n, "c": c})
            else:
                # The right ones last, so that no earlier look is met.
                right = [index >= n - c for index in range(n)]
                right += [True] * (16 - n) if kind == "all samples" else []
                rows += [key | {"sample_index": i, "correct": r} for i, r in enumerate(right)]
    path, out = write(tmp_path / "table.jsonl", rows), tmp_path / "out.json"
    arguments = ("--base", "a", "--rl", "b", "--looks", "4,8,16", "--right", 2, "--json", out)
    code, text = call(path, *arguments)
    assert code == 0, text
    content = json.loads(out.read_text())
    for model, problems in stopped_counts().items():
        correct, samples = (np.array(column) for column in zip(*problems, strict=True))
        values = stopped_pass_at_k(correct, samples, np.arange(1, 17), LOOKS).mean(axis=0)
        curve = content["models"][model]["pass_at_k"]
        assert [curve[str(k)]["estimate"] for k in range(1, 17)] == pytest.approx(values.tolist())
        assert {entry["problems"] for entry in curve.values()} == {50}
        saved = (
            f"{samples.mean():.1f} on average ({1 - samples.mean() / 16:.0%} of a fixed n saved)"
        )
        assert f"{model}: 50 problems, at most 16 samples each, by the rule {saved}" in text
    assert content["crossover_k"]["up_to"] == 16
    assert "more chances" not in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--looks", "4,8"), "belong together"),
        (("--right", 2), "belong together"),
        (("--looks", "8,4", "--right", 2), "ascending"),
        (("--looks", "4,x", "--right", 2), "ascending"),
        (("--looks", "0,4", "--right", 2), "ascending"),
        (("--looks", "4,8", "--right", 5), "after 4 samples"),
        (("--looks", "4,8", "--right", 2), "problem q: with 1 right of 4 samples no problem ends"),
    ],
)
def test_a_rule_that_is_none_or_was_not_kept_is_refused(
    tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    rows = [
        {"model": model, "problem_id": problem, "n": 4, "c": c}
        for model in ("a", "b")
        for problem, c in (("p", 3), ("q", 1))
    ]
    code, text = call(write(tmp_path / "t.csv", rows), "--base", "a", "--rl", "b", *options)
    assert code != 0
    assert said in text

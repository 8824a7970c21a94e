"""The section `seeing`: differences taken apart, where chains fail, what samples agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from analysis_runs import BenchmarkRun, Outcome, drawn, make_run, right, wrong
from seeing_simulation import covered

from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.seeing import Together, _terms, _tested, seeing
from vlm_boundary.analysis.shares import difference_of_shares, share_of
from vlm_boundary.analysis.stage import analyze
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.record import Entry
from vlm_boundary.records.seeing import Seeing
from vlm_boundary.store import Partition, short_hash

N, PROBLEMS = 8, 12
ARMS: dict[str, dict[str, Any]] = {
    "base": {"model": "org/base", "role": "base"},
    "rl": {"model": "org/rl", "role": "rl"},
    "half": {"model": "org/half", "role": "step", "step": 10},
}
KEYS = [f"p{place:02d}" for place in range(PROBLEMS)]
GOLDS = dict(zip(KEYS, map(str, range(PROBLEMS)), strict=True))
CONTROLS = {"described": {"n": 4}, "described_with_image": {"n": 4}, "blurred": {"n": 4}}
Fact = tuple[str, str]


def run_of(path: Path, **settings: Any) -> BenchmarkRun:
    problems = [
        Problem("mine", key, "How many?", gold, metadata={"kind": "ab"[place % 2]})
        for place, (key, gold) in enumerate(GOLDS.items())
    ]
    return make_run(path, problems, ARMS, N, **settings)


def add_statements(
    run: BenchmarkRun,
    arm: str,
    said: Mapping[str, Sequence[tuple[Sequence[Fact], Sequence[str], str | None]]],
) -> None:
    """Of each sample: its facts, its steps, and the first false statement."""
    rows = [
        {
            "problem_id": key,
            "sample_index": index,
            "names": [name for name, _ in facts],
            "values": [value for _, value in facts],
            "steps": list(steps),
            "first_false": first,
            "checker": "made",
            "text_hash": short_hash("", "stop"),
            "basis_hash": "",
        }
        for key, samples in sorted(said.items())
        for index, (facts, steps, first) in enumerate(samples)
    ]
    table = run.directory.statements
    table.replace(Partition(arm, "mine"), pa.Table.from_pylist(rows, schema=table.schema))


def section(run: BenchmarkRun) -> Seeing:
    found = seeing(run.data)
    assert found is not None
    return found


def value(entry: Entry) -> float:
    assert entry.estimate is not None
    return entry.estimate


@pytest.fixture
def conditions(tmp_path: Path) -> BenchmarkRun:
    """Each arm under every condition, some right in some problems."""
    run = run_of(tmp_path / "run", controls=CONTROLS)
    for seed, arm in enumerate(ARMS):
        run.add_verdicts(arm, drawn(dict.fromkeys(KEYS, 0.2 + 0.2 * seed), GOLDS, N, seed))
        for place, condition in enumerate(CONTROLS):
            chance = dict.fromkeys(KEYS, 0.3 + 0.2 * seed)
            made = drawn(chance, GOLDS, 4, 10 + 10 * seed + place)
            run.add_verdicts(arm, made, condition)  # type: ignore[arg-type]
    return run


def shares(run: BenchmarkRun, arm: str, condition: str = "full") -> np.ndarray[Any, Any]:
    """pass@1 by problem, counted by hand."""
    rows = run.directory.verdicts.read(Partition(arm, "mine", condition)).to_pylist()  # type: ignore[arg-type]
    return np.array([np.mean([r["correct"] for r in rows if r["problem_id"] == k]) for k in KEYS])


def test_whole_is_reasoning_and_seeing_by_hand(conditions: BenchmarkRun) -> None:
    found = {pair.other: pair for pair in section(conditions).decomposition}
    assert set(found) == {"rl", "half"}
    pair = found["rl"]
    assert (pair.n, pair.problems) == (4, PROBLEMS)
    whole = (shares(conditions, "rl") - shares(conditions, "base")).mean()
    reasoning = (
        shares(conditions, "rl", "described") - shares(conditions, "base", "described")
    ).mean()
    assert value(pair.whole[1]) == pytest.approx(whole)
    assert value(pair.reasoning[1]) == pytest.approx(reasoning)
    for k, one in pair.seeing.items():
        assert value(one) == pytest.approx(value(pair.whole[k]) - value(pair.reasoning[k]))
        assert one.low is not None
        assert one.high is not None
        assert one.low < value(one) < one.high
    beside = shares(conditions, "rl", "described_with_image") - shares(
        conditions, "base", "described_with_image"
    )
    assert pair.beside_words is not None
    assert value(pair.beside_words[1]) == pytest.approx(beside.mean() - reasoning)


def test_kinds_are_parts_and_their_tests_are_adjusted_together(conditions: BenchmarkRun) -> None:
    pair = section(conditions).decomposition[0]
    kinds = {(one.field, one.value): one for one in pair.kinds}
    of_kind = [kinds["kind", name] for name in "ab"]
    assert [one.problems for one in of_kind] == [6, 6]
    for term in ("whole", "reasoning", "seeing"):
        parts = [value(getattr(one, term)[1]) for one in of_kind]
        assert np.mean(parts) == pytest.approx(value(getattr(pair, term)[1]))
    assert pair.tests == 4 * len(kinds)  # two terms at k = 1 and at the last
    assert all(p is None or 0 <= p <= 1 for one in of_kind for p in one.seeing_adjusted_p.values())


def test_tests_of_kinds_are_their_intervals_read_the_other_way_round(tmp_path: Path) -> None:
    """Random parts in which few problems move: there Student's test contradicts the interval."""
    run = run_of(tmp_path / "run", controls={"described": {"n": 4}})
    rng = np.random.default_rng(3)
    chances = {"full": 0.7, "described": 0.35}
    for condition, chance in chances.items():
        moved = dict(zip(KEYS, chance * (rng.random(PROBLEMS) < 0.7), strict=True))
        run.add_verdicts("rl", drawn(moved, GOLDS, 4, 1), condition)  # type: ignore[arg-type]
        run.add_verdicts("base", drawn(dict.fromkeys(KEYS, 0.0), GOLDS, 4, 2), condition)  # type: ignore[arg-type]
    pair = next(one for one in run.data.pairs() if one.names == ("base", "rl"))
    together = Together.of(run.data, pair.names, ("full", "described"))
    assert together is not None
    ends, few, agree = np.arange(len(together.ks)), [], []
    for _ in range(40):
        which = np.zeros(PROBLEMS, dtype=bool)
        which[rng.choice(PROBLEMS, 8, replace=False)] = True
        terms, found = _terms(together, pair, which), _tested(together, pair, which, ends)
        for curve, p in ((terms.reasoning, found[0]), (terms.seeing, found[1])):
            for one, of_one in zip(curve.values(), p, strict=True):
                assert one.low is not None
                assert one.high is not None
                few.append(one.few)
                agree.append((of_one < 0.05, one.low > 0 or one.high < 0))
    assert any(few)
    assert {out for _, out in agree} == {False, True}
    assert all(claimed == out for claimed, out in agree)


def test_costs_and_leaning_by_hand(conditions: BenchmarkRun) -> None:
    found = section(conditions)
    cost = shares(conditions, "rl", "described") - shares(conditions, "rl")
    assert value(found.costs["rl"].cost[1]) == pytest.approx(cost.mean())
    lost = {
        arm: (shares(conditions, arm) - shares(conditions, arm, "blurred")).mean()
        for arm in ("base", "rl")
    }
    pair = next(one for one in found.leaning if one.other == "rl")
    assert set(pair.by_condition) == {"blurred"}
    assert value(pair.by_condition["blurred"][1]) == pytest.approx(lost["rl"] - lost["base"])


def test_along_training_are_the_bases_and_the_steps(conditions: BenchmarkRun) -> None:
    found = section(conditions).training
    assert [(one.arm, one.step) for one in found] == [("base", None), ("half", 10)]
    assert set(found[0].full_minus_control) == set(CONTROLS)
    assert found[0].first_false is None


def test_only_problems_that_all_have_are_compared(conditions: BenchmarkRun) -> None:
    chance = dict.fromkeys(KEYS[:5], 0.5)
    conditions.add_verdicts("rl", drawn(chance, GOLDS, 4, 3), "described")
    found = {pair.other: pair.problems for pair in section(conditions).decomposition}
    assert found == {"rl": 5, "half": PROBLEMS}


def made_statements(run: BenchmarkRun) -> dict[str, list[list[tuple[Any, ...]]]]:
    """Random statements and outcomes of two arms; returns what was said by arm and problem."""
    rng = np.random.default_rng(4)
    said: dict[str, list[list[tuple[Any, ...]]]] = {}
    for arm in ("base", "rl"):
        outcomes: dict[str, list[Outcome]] = {}
        by_problem = []
        for key in KEYS:
            rows = []
            for _ in range(N):
                names = [name for name in "xyz" if rng.random() < 0.7]
                facts = [(name, str(rng.integers(0, 2))) for name in names]
                steps = sorted({str(one) for one in rng.integers(0, 2, rng.integers(0, 3))})
                hit = bool(rng.random() < 0.5)
                kinds = ["seeing", "reasoning", "none" if hit else "answer"]
                rows.append((facts, steps, str(rng.choice(kinds)), hit, str(rng.integers(90, 93))))
            outcomes[key] = [right(GOLDS[key]) if row[3] else wrong(row[4]) for row in rows]
            by_problem.append(rows)
        run.add_verdicts(arm, outcomes)
        add_statements(
            run, arm, {k: [r[:3] for r in rows] for k, rows in zip(KEYS, by_problem, strict=True)}
        )
        said[arm] = by_problem
    return said


def test_agreement_is_that_of_all_pairs_of_samples(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    said = made_statements(run)
    found = section(run).self_agreement
    assert found is not None

    def by_hand(rows: list[tuple[Any, ...]]) -> tuple[float, ...]:
        facts, steps, same_facts, answers = [], [], [], []
        for one, two in combinations(rows, 2):
            first, second = dict(one[0]), dict(two[0])
            facts += [first[name] == second[name] for name in first.keys() & second.keys()]
            if one[1] and two[1]:
                steps.append(one[1] == two[1])
                if one[0] and sorted(one[0]) == sorted(two[0]):
                    same_facts.append(one[1] == two[1])
            answers.append((one[3], not one[3] and one[4]) == (two[3], not two[3] and two[4]))
        return tuple(
            float(np.mean(pairs)) if pairs else np.nan
            for pairs in (facts, steps, same_facts, answers)
        )

    values = {arm: np.array([by_hand(rows) for rows in said[arm]]) for arm in said}
    names = ("facts", "steps", "steps_on_same_facts", "answers")
    for arm, expected in values.items():
        assert [value(getattr(found.arms[arm], name)) for name in names] == pytest.approx(
            np.nanmean(expected, axis=0)
        )
    pair = next(one for one in found.pairs if one.other == "rl")
    assert [value(getattr(pair, name)) for name in names] == pytest.approx(
        np.nanmean(values["rl"] - values["base"], axis=0)
    )


def test_first_false_statements_are_counted_by_outcome(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    said = made_statements(run)
    found = section(run).chains
    assert found is not None
    rows = {arm: [row for problem in by for row in problem] for arm, by in said.items()}
    base = found.arms["base"]
    lucky = [row[2] == "seeing" for row in rows["base"] if row[3]]
    assert base.right_answers is not None
    assert base.right_answers.samples == len(lucky)
    assert value(base.right_answers.seeing) == pytest.approx(np.mean(lucky))
    stated = {
        arm: [row[2] == "seeing" for row in of if row[2] in ("seeing", "reasoning")]
        for arm, of in rows.items()
    }
    assert value(base.all_chains.seeing_of_stated) == pytest.approx(np.mean(stated["base"]))
    pair = found.pairs[0].all_chains["seeing_of_stated"]
    assert value(pair) == pytest.approx(np.mean(stated["rl"]) - np.mean(stated["base"]))
    kinds = [getattr(base.all_chains, name) for name in ("seeing", "reasoning", "answer", "none")]
    assert sum(map(value, kinds)) == pytest.approx(1)


def test_statements_on_another_text_do_not_count(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    made_statements(run)
    table = run.directory.statements
    for arm in ("base", "rl"):
        rows = table.read(Partition(arm, "mine"))
        place = rows.column_names.index("text_hash")
        other = pa.array([short_hash("other", "stop")] * rows.num_rows)
        table.replace(Partition(arm, "mine"), rows.set_column(place, "text_hash", other))
    assert seeing(run.data) is None


def test_without_controls_or_statements_nothing_is_said(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    run.add_verdicts("base", drawn(dict.fromkeys(KEYS, 0.5), GOLDS, N, 1))
    run.add_verdicts("rl", drawn(dict.fromkeys(KEYS, 0.5), GOLDS, N, 2))
    assert seeing(run.data) is None


def test_the_tables_say_it(conditions: BenchmarkRun) -> None:
    analyze(conditions.directory, conditions.experiment)
    written = (conditions.directory.tables / "mine-seeing.md").read_text(encoding="utf-8")
    assert "pass@1, seeing (the rest)" in written
    assert (conditions.directory.tables / "mine-leaning.md").is_file()
    assert not (conditions.directory.tables / "mine-first_false.md").is_file()


def test_a_difference_of_shares_is_linearised() -> None:
    """With as many in each problem it is the mean of paired differences."""
    rng = np.random.default_rng(2)
    whole = np.full(40, 10.0)
    base, other = rng.binomial(10, 0.3, 40), rng.binomial(10, 0.5, 40)
    found = difference_of_shares((base, whole), (other, whole), 0.95, None)
    expected = t_intervals((other - base)[:, None] / 10, 0.95, (-1, 1)).entries()[0]
    assert found.model_dump() == pytest.approx(expected.model_dump())
    assert share_of(base[:0], whole[:0], 0.95, None).estimate is None


def test_what_is_solved_by_the_picture_alone_counts_in_what_is_kept() -> None:
    """Problems that nobody solves with words add to what is solved with the picture."""
    told = (np.array([0.25, 0.5, 0.0, 0.0]), np.array([0.25, 0.25, 0.0, 0.25]))
    full = (np.array([0.25, 0.25, 0.5, 0.0]), np.array([0.125, 0.125, 0.25, 0.0]))
    kept = [share_of(*arm, 0.95, None, np.inf) for arm in zip(full, told, strict=True)]
    assert [value(one) for one in kept] == pytest.approx([1.0 / 0.75, 0.5 / 0.75])
    base, other = zip(full, told, strict=True)
    apart = difference_of_shares(base, other, 0.95, None, np.inf)
    assert value(apart) == pytest.approx(value(kept[1]) - value(kept[0]))
    assert (kept[0].problems, kept[1].problems, apart.problems) == (3, 4, 4)
    nothing = (full[0], np.zeros(4))
    assert share_of(*nothing, 0.95, None, np.inf).estimate is None
    assert difference_of_shares(nothing, other, 0.95, None, np.inf).estimate is None


def test_intervals_hold_in_simulation() -> None:
    """A sample of tests/seeing_simulation.py: 150 repetitions, of which 134 are 3 errors below."""
    rows = {name: (truth, held) for name, truth, held, _ in covered("seeing", 60, 150)}
    assert rows["reasoning, k = 1"][0] == pytest.approx(0, abs=1e-9)
    assert rows["seeing, k = 1"][0] == pytest.approx(rows["whole, k = 1"][0])
    assert min(held for _, held in rows.values()) > 100 * 134 / 150

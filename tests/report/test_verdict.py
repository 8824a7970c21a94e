"""The verdict's words: none stronger than the intervals, whatever was found."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from vlm_boundary.analysis.findings import Findings
from vlm_boundary.records.analysis import SCHEMA_VERSION, Analysis
from vlm_boundary.report.verdict import Statement, statements

REST = {"problems": 100, "few": False, "band_low": None, "band_high": None}
UP = REST | {"estimate": 0.08, "low": 0.05, "high": 0.11}
DOWN = REST | {"estimate": -0.136, "low": -0.201, "high": -0.072}
OPEN = REST | {"estimate": 0.004, "low": -0.01, "high": 0.018}
UNKNOWN = REST | {"estimate": None, "low": None, "high": None, "problems": 0}
NO_INTERVAL = REST | {"estimate": 1.0, "low": None, "high": None, "problems": 1}
CROSSED = {
    "estimate": 4,
    "low": 3,
    "high": 6,
    "status": "resolved",
    "excluded": False,
    "up_to": 128,
}
PERHAPS = {
    "estimate": 4,
    "low": None,
    "high": 6,
    "status": "not_resolved",
    "excluded": False,
    "up_to": 128,
}
NEVER = {
    "estimate": None,
    "low": None,
    "high": None,
    "status": "none",
    "excluded": True,
    "up_to": 128,
}
NOT_SEEN = {
    "estimate": None,
    "low": None,
    "high": None,
    "status": "none",
    "excluded": False,
    "up_to": 128,
}
ABOVE = {
    "base": "base", "other": "rl", "tested": 100, "both": 49, "base_only": 12, "other_only": 9,
    "neither": 30, "mcnemar_p_value": 0.66, "base_only_ids": [], "other_only_ids": [],
}  # fmt: skip
CELLS = ("both", "base_only", "other_only", "neither")
SETS = {
    "solved": dict.fromkeys(CELLS, 0), "solved_problems": {cell: [] for cell in CELLS},
    "support": dict.fromkeys(("srr", "ndr", "sds", "nscr"), None),
    "mcnemar_p": None, "unsolved_below": None,
}  # fmt: skip
ROLES = {"base": "base", "rl": "rl"}
# Words that claim something, each with the sign that its interval must have.
STRONG = {
    "rl is right more often than base (": (1, 1),
    "rl is right less often than base (": (1, -1),
    "solves more problems (": (128, 1),
    "solves fewer problems (": (128, -1),
}
FIRST_OPEN = "Whether rl is right more or less often than base is not resolved"
CROSSING_OPEN = "their estimates cross at k = 4, but where the arms do, or whether, is not resolved"


def one_pair(
    first: dict[str, Any],
    last: dict[str, Any] | None = None,
    turn: dict[str, Any] = NOT_SEEN,
    *,
    n: int = 128,
    **more: Any,
) -> dict[str, Any]:
    """An analysis with one pair on one benchmark; `more` are further keys of the benchmark."""
    difference = {"1": first} if last is None else {"1": first, str(n): last}
    pair = SETS | {
        "base": "base", "other": "rl", "n": n, "problems": 100, "difference": difference,
        "crossover": turn, "band_level": 0.99, "p_values": {}, "p_no_crossover": None,
        "this_benchmark": {}, "needed": {},
    }  # fmt: skip
    ends = {"first": first} if last is None else {"first": first, "last": last}
    claimed = {claim: claims(entry) for claim, entry in ends.items()}
    claimed["no_crossover"] = turn["excluded"]
    named: dict[str, Any] = {"benchmark": "mine", "base": "base", "other": "rl"}
    tests = tuple(
        named | {"claim": claim, "k": 1, "p": None, "p_holm": 0.001 if holds else 0.5}
        for claim, holds in claimed.items()
    )
    return analysis({"pairs": [pair], "arms": {}} | more, tests)


def claims(entry: dict[str, Any]) -> bool:
    """Whether its interval leaves zero out."""
    low, high = entry["low"], entry["high"]
    return low is not None and (low > 0 or high < 0)


def analysis(content: dict[str, Any], tests: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    found = {
        "schema_version": SCHEMA_VERSION,
        "grader": "verifier 1",
        "confidence": 0.95,
        "benchmarks": {"mine": {"problems": 100, "unusable": 0, "ks": [1]} | content},
        "multiplicity": {"method": "Holm", "family": "all", "tests": list(tests)},
    }
    return dict(json.loads(json.dumps(found)))


def lucky(pair: dict[str, Any]) -> dict[str, Any]:
    """What an analysis says of luck, with one pair."""
    guesser = {"prior": "mine", "answers": 1, "smoothing": 1, "declared_chances": 0}
    return {
        "guesser": guesser | {"pass_at_k": {}}, "false_discovery_rate": 0.05, "arms": {},
        "fewest_lists": 19,
        "pairs": [pair],
    }  # fmt: skip


def told(content: dict[str, Any], roles: dict[str, str] = ROLES) -> list[Statement]:
    return statements(Findings(Analysis.model_validate(content), roles))


def only(content: dict[str, Any], roles: dict[str, str] = ROLES) -> Statement:
    (said,) = told(content, roles)
    return said


def test_everything_resolved_reads_as_a_reader_expects() -> None:
    said = only(one_pair(UP, DOWN, CROSSED, luck=lucky(ABOVE)))
    assert said.sentence == (
        "rl is right more often than base (+8.0 points at k = 1, 95% interval +5.0 to +11.0) and "
        "solves fewer problems (−13.6 points at k = 128, 95% interval −20.1 to −7.2); they cross "
        "at k = 4 (95% interval 3 to 6); problems solved more often than luck explains: base "
        "61, rl 58 (49 both, 12 only base, 9 only rl)."
    )
    assert all(claim.resolved for claim in said.claims)


@pytest.mark.parametrize(
    ("first", "last"), list(product([UP, DOWN, OPEN, UNKNOWN, NO_INTERVAL], repeat=2))
)
@pytest.mark.parametrize("turn", [CROSSED, PERHAPS, NEVER, NOT_SEEN])
def test_words_are_only_as_strong_as_the_intervals(
    first: dict[str, Any], last: dict[str, Any], turn: dict[str, Any]
) -> None:
    said = only(one_pair(first, last, turn))
    entries = {1: first, 128: last}
    for words, (k, sign) in STRONG.items():
        low, high = entries[k]["low"], entries[k]["high"]
        supported = low is not None and (low > 0 if sign > 0 else high < 0)
        assert (words in said.sentence) == supported
    resolved = [low is not None and (low > 0 or e["high"] < 0)
                for e in (first, last) for low in [e["low"]]]  # fmt: skip
    assert [claim.resolved for claim in said.claims[:2]] == resolved
    assert said.sentence.count("is not resolved") == sum(
        not claim.resolved for claim in said.claims
    )
    crossed = turn is CROSSED and (first, last) == (UP, DOWN)
    assert ("; they cross at k = 4 (" in said.sentence) == crossed
    assert said.sentence.endswith(".")
    assert said.sentence[0] in "rW"


@pytest.mark.parametrize(
    ("turn", "words", "resolved"),
    [
        (CROSSED, "they cross at k = 4 (95% interval 3 to 6)", True),
        (PERHAPS, f"{CROSSING_OPEN} (6 or less)", False),
        (PERHAPS | {"low": 3, "high": None},
         f"{CROSSING_OPEN} (3 or more)", False),
        (PERHAPS | {"high": None},
         f"{CROSSING_OPEN} (any k up to 128)", False),
        (NEVER, "they do not cross up to k = 128", True),
        (NOT_SEEN,
         "whether they cross up to k = 128 is not resolved (their estimates do not)", False),
    ],
)  # fmt: skip
def test_the_crossover_in_words(turn: dict[str, Any], words: str, resolved: bool) -> None:
    claim = only(one_pair(UP, DOWN, turn)).claims[2]
    assert (claim.text, claim.resolved) == (words, resolved)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (OPEN, f"{FIRST_OPEN} (+0.4 points at k = 1, 95% "
               "interval −1.0 to +1.8)"),
        (UNKNOWN, f"{FIRST_OPEN} (no problem has 1 sample of "
                  "both)"),
        (NO_INTERVAL, f"{FIRST_OPEN} (+100.0 points at k = 1, no "
                      "95% interval from 1 problem)"),
        (REST | {"estimate": 0.0004, "low": 0.0002, "high": 0.0006},
         "rl is right more often than base (+0.04 points at k = 1, 95% interval +0.02 to +0.06)"),
        (REST | {"estimate": 0.0, "low": 0.0, "high": 0.0},
         f"{FIRST_OPEN} (0.0 points at k = 1, 95% interval 0.0 "
         "to 0.0)"),
    ],
)  # fmt: skip
def test_numbers_are_as_exact_as_their_sign_needs(entry: dict[str, Any], words: str) -> None:
    assert only(one_pair(entry, DOWN)).sentence.startswith(words)


def test_an_interval_that_ends_at_zero_resolves_nothing() -> None:
    said = only(one_pair(UP | {"low": 0.0}, DOWN | {"high": 0.0}))
    assert not any(claim.resolved for claim in said.claims)


def test_one_sample_a_problem_says_nothing_of_what_can_be_solved() -> None:
    said = only(one_pair(UP, n=1))
    assert "solves" not in said.sentence
    assert "cross" not in said.sentence
    assert "which problems either can solve was not asked" in said.sentence


def test_no_shared_problem_compares_nothing() -> None:
    content = one_pair(UNKNOWN, UNKNOWN)
    content["benchmarks"]["mine"]["pairs"][0]["problems"] = 0
    said = only(content)
    assert said.sentence == ("base and rl have no problem in common, so that nothing is compared.")


def test_without_a_tested_problem_there_is_no_count_above_the_floor() -> None:
    said = only(one_pair(UP, DOWN, luck=lucky(ABOVE | {"tested": 0})))
    assert said.claims[-1].text == (
        "whether luck explains what is solved cannot be tested: no problem has the 19 others of "
        "its answer type that a test needs"
    )
    assert not said.claims[-1].resolved


def test_counts_above_the_floor_are_not_taken_for_a_finding() -> None:
    for found, words in (
        (ABOVE, "(McNemar, p = 0.66)"),
        (ABOVE | {"mcnemar_p_value": 0.001}, "(McNemar, p = 0.001)"),
        (
            ABOVE | {"mcnemar_p_value": None, "base_only": 0, "other_only": 0},
            "(no problem is solved by one alone)",
        ),
    ):
        note = only(one_pair(UP, DOWN, luck=lucky(found))).notes[-1]
        assert note.endswith(f"described, not among the tested statements {words}.")


def test_what_luck_would_solve_stands_beside_what_is_solved() -> None:
    one = {
        "floor_pass_at_k": {}, "independent_guesses_pass_at_k": {}, "list_length": 128,
        "solved": 95, "solved_and_tested": 70, "above_floor": 46, "tested": 83, "problems": {},
        "by_luck": {"problems": 102, "solved": 95, "expected": 30.55, "low": 23, "high": 38,
                    "p_value": 1e-4},
    }  # fmt: skip
    said = only(one_pair(UP, DOWN, luck=lucky(ABOVE) | {"arms": {"base": one}}))
    assert "base 95 of 102, expected by luck 30.6 (23 to 38)" in said.notes[-1]


def test_all_claims_of_the_report_decide_the_words_of_each() -> None:
    content = one_pair(UP, DOWN, CROSSED)
    content["multiplicity"]["tests"][0]["p_holm"] = 0.08
    said = only(content)
    assert said.sentence.startswith(
        f"{FIRST_OPEN} (+8.0 points at k = 1, 95% interval +5.0 "
        "to +11.0; not once all 2 statements of this page are allowed for, p = 0.08) and solves "
        "fewer"
    )
    assert (
        "; their estimates cross at k = 4, but where the arms do, or whether, is not resolved"
        in said.sentence
    )
    never = one_pair(UP, UP, NEVER)
    never["multiplicity"]["tests"][2]["p_holm"] = 0.06
    assert "whether they cross up to k = 128 is not resolved (not once" in only(never).sentence


@pytest.mark.parametrize(
    ("entry", "holds", "words"),
    [
        (OPEN, True, "rl is right as often as base to within 2 points (+0.4 points at k = 1, 90% "
                     "interval −0.7 to +1.5) and"),
        (OPEN, False, f"{FIRST_OPEN}, nor whether it is within 2 "
                      "points (+0.4 points at k = 1, 95% interval −1.0 to +1.8)"),
        (REST | {"estimate": 0.01, "low": 0.004, "high": 0.016}, True,
         "rl is right more often than base, by less than 2 points (+1.0 points at k = 1, 95% "
         "interval"),
        (UP, False, "rl is right more often than base (+8.0 points at k = 1, 95% interval +5.0 to "
                    "+11.0)"),
    ],
)  # fmt: skip
def test_that_arms_are_within_the_margin_is_said_where_it_is_claimed(
    entry: dict[str, Any], holds: bool, words: str
) -> None:
    content = one_pair(entry, DOWN)
    (pair,) = content["benchmarks"]["mine"]["pairs"]
    within = {"estimate": entry["estimate"], "low": -0.007, "high": 0.015, "p_value": 0.001}
    far = {"estimate": -0.136, "low": -0.2, "high": -0.1, "p_value": 1.0}
    pair["equivalence"] = {"margin": 0.02, "level": 0.9, "at": {"1": within, "128": far}}
    named: dict[str, Any] = {"benchmark": "mine", "base": "base", "other": "rl", "k": 1, "p": 0.001}
    content["multiplicity"]["tests"] += [
        named | {"claim": "within_first", "p_holm": 0.01 if holds else 0.06},
        named | {"claim": "within_last", "p_holm": 1.0},
    ]
    said = only(content)
    assert said.sentence.startswith(words)
    assert said.claims[0].resolved == (holds or entry is UP)
    assert "solves fewer problems (−13.6 points" in said.sentence


def test_where_there_are_few_problems_the_interval_is_said_to_allow_for_others() -> None:
    said = only(one_pair(UP, OPEN | {"few": True}))
    assert "so few that differ, that it allows for others not drawn" in said.sentence
    assert "not drawn" not in only(one_pair(UP, OPEN)).sentence


@pytest.mark.parametrize(
    ("judged", "unknown", "words"),
    [(200, 0, "base 40 of the 90 it solves"), (150, 0, "base at least 40 of the 90 it solves"),
     (200, 3, "base at least 40 of the 90 it solves")],
)  # fmt: skip
def test_valid_reasoning_is_counted_by_the_surest_reading(
    judged: int, unknown: int, words: str
) -> None:
    one = {"correct": 200, "judged": judged, "unknown": unknown, "solved": 90,
           "solved_with_a_valid_chain": 40, "valid": 100, "p_valid_given_correct": UP,
           "cot_pass_at_k": {}, "solved_only_by_invalid_chains": [],
           "no_valid_chain_among_those_judged": 0}  # fmt: skip
    by_reading = {"structural": one | {"solved_with_a_valid_chain": 88}, "exact": one}
    cot = {"layers": [], "arms": {"base": by_reading, "rl": by_reading}, "pairs": []}
    note = only(one_pair(UP, DOWN, cot=cot)).notes[-1]
    assert words in note
    assert "exact check" in note


def arm(n: int = 8) -> dict[str, Any]:
    once = REST | {"estimate": 0.25, "low": 0.2, "high": 0.3}
    curve = {"1": once, str(n): REST | {"estimate": 0.5, "low": 0.4, "high": 0.6}}
    counts = ("problems", "problems_with_fewer_than_n", "samples", "correct")
    curves = ("pass_at_k_strict", "pass_at_k_lenient", "pass_hat_k", "maj_at_k", "mg_pass_at_k")
    other = ("statuses", "sources", "g_pass_at_k", "cover_at_tau")
    return dict.fromkeys(counts, 100) | {name: {} for name in (*curves, *other)} | {
        "role": "base", "n": n, "pass_at_k": curve, "avg_at_n": once,
        "single_pass": once | {"arm": "base", "greedy": False},
    }  # fmt: skip


def test_one_arm_alone() -> None:
    said = only(analysis({"pairs": [], "arms": {"base": arm()}}), {"base": "base"})
    assert said.sentence == (
        "base is right in 25.0% of its samples and solves 50.0% of problems in 8; there is no "
        "other arm to compare it with, so that nothing is compared."
    )


def test_without_a_base_nothing_is_compared() -> None:
    content = analysis({"pairs": [], "arms": {"one": arm(), "two": arm(1)}})
    said = only(content, {"one": "rl", "two": "distilled"})
    assert "no arm has the role base, so that nothing is compared" in said.sentence
    assert not said.claims[-1].resolved


def test_rl_comes_first_and_every_pair_is_told() -> None:
    content = one_pair(UP, DOWN)
    (pair,) = content["benchmarks"]["mine"]["pairs"]
    content["benchmarks"]["mine"]["pairs"] = [pair | {"other": "distilled"}, pair]
    tests = content["multiplicity"]["tests"]
    content["multiplicity"]["tests"] = [*tests, *(test | {"other": "distilled"} for test in tests)]
    said = told(content, {"base": "base", "distilled": "distilled", "rl": "rl"})
    assert [one.sentence.split()[0] for one in said] == ["rl", "distilled"]


@pytest.mark.parametrize("name", ["whether-1", "solves"])
def test_an_arm_may_be_called_like_a_word_of_the_sentence(name: str) -> None:
    content = analysis({"pairs": [], "arms": {name: arm(), "two": arm(1)}})
    said = only(content, {name: "rl", "two": "distilled"})
    assert said.sentence.startswith(f"{name} is right in 25.0% of its samples")
    content = analysis({"pairs": [], "arms": {"one": arm(), name: arm(1)}})
    said = only(content, {"one": "rl", name: "distilled"})
    assert f"in 8; {name} is right in" in said.sentence

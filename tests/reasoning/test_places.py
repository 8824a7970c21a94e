"""Where phrases and formulas begin, for the patterns that are tried at these places alone."""

import re

import pytest

from vlm_boundary.reasoning.algebra.runs import untypeset, written_runs
from vlm_boundary.reasoning.text.places import (
    by_last_word,
    matches_at,
    places_of_phrases,
    unhyphenated,
)

THIRDS = by_last_word(("a third", "two thirds", "half", "one half"))


def test_a_phrase_is_found_whole_and_once() -> None:
    text = "One-half of it, and a third; halfway, the third half"
    found = places_of_phrases(unhyphenated(text), {"half", "third", "it"}, THIRDS, 0, len(text))
    assert [text[place : place + 8] for place in found] == [
        "One-half",
        "a third;",
        "halfway,",
        "half",
    ]


def test_a_place_outside_the_span_is_none() -> None:
    assert places_of_phrases("half half half", {"half"}, THIRDS, 1, 9) == [5]


def test_small_letters_keep_the_places_of_a_text() -> None:
    assert len(unhyphenated("İ-half")) == len("İ-half")  # "İ" has two small letters


def test_matches_are_not_within_one_another() -> None:
    text = "a b a b c"
    found = matches_at(re.compile(r"[ab](?: [ab])?"), text, [0, 2, 4, 6, 8], len(text))
    assert [match[0] for match in found] == ["a b", "a b"]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("3. 4x = 8, so x = 2.", ["4x = 8", "x = 2"]),
        ("The sum = 3 is x + 1 = 2y = 4 here", ["x + 1 = 2y = 4"]),
        ("2x\n= 4 and y = \\frac{1}{2}", ["y = \\frac{1}{2}"]),
        ("$3xy = 6$ and $$a = b$$", ["3xy = 6", "a = b"]),
        ("= = 3x", []),
        ("abc = 5", []),
    ],
)
def test_runs_are_read_around_their_signs_of_equality(text: str, runs: list[str]) -> None:
    assert [run[0].strip() for run in written_runs(untypeset(text))] == runs

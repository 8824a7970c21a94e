"""A phrase is only tried where one of its words occurs; so each of its matches must have one."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from vlm_boundary.verifier import doubts, phrases, runs
from vlm_boundary.verifier.phrases import Phrase

_PHRASES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (phrases, doubts, runs)
    for name, value in vars(module).items()
    if isinstance(value, Phrase)
}


@pytest.mark.parametrize("name", _PHRASES)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_match_has_one_of_the_words(name: str, data: st.DataObject) -> None:
    phrase = _PHRASES[name]
    drawn = data.draw(st.from_regex(phrase.pattern))
    between = data.draw(st.sampled_from((" ", "  ", "\n", "\t")))
    text = re.sub(r"\s+", between, drawn)
    assume(phrase.pattern.search(text))
    assert phrase.search(text), text

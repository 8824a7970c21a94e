"""Options of a multiple-choice question: letters match letters first, texts and numbers then."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from vlm_boundary.verifier.outcome import Outcome
from vlm_boundary.verifier.text_answers import normal_text, option_letter, option_letters
from vlm_boundary.verifier.values import Value

_REASON = re.compile(r"\b(?:because|since|as|for|while|whereas)\b", re.IGNORECASE)
_ANOTHER = re.compile(
    r"\([A-J]\)|(?<![\w])[B-J][).:](?!\d)|^\W*(?:and|or|and/or|&|/|,)?\s*\(?[A-J]\)?\s*(?:$|[,;./])"
    r"|\b(?:or|and)\s+(?:(?:maybe|perhaps|possibly|probably|also|even|rather|else|option)\s+){1,3}[A-J](?!\w)"
)
_REJECTED = re.compile(
    r"\b(?:not|wrong|incorrect|false|ruled\s+out|excluded|eliminated|impossible|invalid|n't)\b",
    re.IGNORECASE,
)


def named(raw: str) -> tuple[str, str] | Outcome | None:
    """The one option that a text names by letter and what it says of it; None if none.

    Two options, or one that is turned down, are an outcome at once.
    """
    several = option_letters(raw)
    if several is not None and len(several) > 1:
        return Outcome(False, "several_options")
    option = option_letter(raw)
    if option is None:
        return None
    said = _REASON.split(option[1], maxsplit=1)[0]
    if _ANOTHER.search(said):
        return Outcome(False, "several_options")
    if _REJECTED.search(said):
        return Outcome(None, "option_doubted")
    return option[0], said.strip(" ,;")


def compare_letter(letter: str, raw: str) -> Outcome:
    """One option named by its letter."""
    option = named(raw)
    if isinstance(option, Outcome):
        return option
    if option is None:
        return Outcome(False, "text_differs")
    return _outcome(option[0] == letter)


def compare_option(letter: str, text: str, raw: str) -> Outcome:
    """An option named by its letter, its text or both, where no others are known."""
    option = named(raw)
    if isinstance(option, Outcome):
        return option
    wanted = normal_text(text)
    if option is None:
        return _outcome(normal_text(raw) == wanted)
    if option[1] and (option[0] == letter) != (normal_text(option[1]) == wanted):
        return Outcome(None, "letter_and_text_differ")
    return _outcome(option[0] == letter)


def compare_letter_set(gold: str, raw: str) -> Outcome:
    """The letters of several options, in any order."""
    found = option_letters(raw)
    if found is None:
        return Outcome(False, "text_differs")
    return _outcome(found == option_letters(gold))


def _outcome(same: bool) -> Outcome:
    return Outcome(same, "option_equal" if same else "option_differs")


class Choices:
    """The texts of a question's options, in order, and which of them is right.

    Args:
        gold: the right option's letter or its text.
        same_value: whether a choice's text says a value.
    """

    def __init__(
        self,
        texts: Sequence[str],
        gold: str,
        value: Value | None,
        same_value: Callable[[str, Value | None], bool],
    ) -> None:
        self._texts = [normal_text(text) for text in texts]
        self._choices = texts
        self._same_value = same_value
        option = option_letter(gold)
        self._letter = option[0] if option and not option[1] else None
        place = self._place(self._letter)
        self._gold = {place} if place is not None else self._by_text(gold, value)

    def _place(self, letter: str | None) -> int | None:
        place = ord(letter) - ord("A") if letter else -1
        return place if 0 <= place < len(self._texts) else None

    def _by_text(self, raw: str, value: Value | None) -> set[int]:
        """The options with this text, or else with this value; several only if they are alike."""
        text = normal_text(raw)
        same = {i for i, choice in enumerate(self._texts) if choice == text}
        if not same and value is not None:
            same = {i for i, c in enumerate(self._choices) if self._same_value(c, value)}
        return same if len({self._texts[i] for i in same}) == 1 else set()

    def compare(self, raw: str, value: Value | None) -> Outcome:
        """An option named by its letter, its text or both."""
        if not self._gold:
            return Outcome(None, "gold_not_among_choices")
        option = named(raw)
        whole = self._by_text(raw, value)
        if isinstance(option, Outcome):
            return _outcome(True) if whole & self._gold else option
        if option is None:
            return _outcome(bool(whole & self._gold)) if whole else Outcome(False, "not_an_option")
        letter, said = option
        if whole and said:  # an option's text that begins like a letter: "A is larger than B"
            return _outcome(bool(whole & self._gold))
        place = self._place(letter)
        if place is None:
            by_letter = self._place(self._letter) is not None
            return _outcome(not by_letter and bool(whole & self._gold))
        return self._by_letter(place, whole if not said else self._by_text(said, value), bool(said))

    def _by_letter(self, place: int, texts: set[int], said: bool) -> Outcome:
        if texts and place not in texts and (said or self._place(self._letter) is None):
            return Outcome(None, "letter_and_text_differ")
        return _outcome(place in self._gold)

"""Whether a value that was read equals the gold answer, by the type of the answer."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TypeGuard

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.units import UNITS, Measure, clash, parse_unit
from vlm_boundary.verifier.equations import (
    another_name,
    as_interval,
    assigned,
    compare_equation,
    compare_intervals,
    is_curve,
    says,
    single,
)
from vlm_boundary.verifier.latex import plain_characters
from vlm_boundary.verifier.moments import (
    Clock,
    compare_clock,
    compare_date,
    is_date,
    read_clock,
)
from vlm_boundary.verifier.numbers import equal, forms
from vlm_boundary.verifier.numerals import literal
from vlm_boundary.verifier.options import (
    Choices,
    compare_letter,
    compare_letter_set,
    compare_option,
)
from vlm_boundary.verifier.outcome import Outcome
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.several import compare_ratio, compare_several
from vlm_boundary.verifier.text_answers import (
    listed_words,
    normal_text,
    option_letter,
    written,
    yes_or_no,
)
from vlm_boundary.verifier.values import (
    Approximated,
    Number,
    NumberInterval,
    Relation,
    Several,
    Value,
    Words,
)
from vlm_boundary.verifier.verdict import Gold, Tolerance

_DIGITS = re.compile(r"\d+")
_DECIMAL = re.compile(r"[-+]?[\d.]+")
_NUMERAL = re.compile(r"-?\d+(?:\.\d+)?")
_SPACED = re.compile(r"-?\d+(?:\.\d+)?(?:\s+-?\d+(?:\.\d+)?)+")
_OPTION = re.compile(r"\([A-J]\)(?:\s+(?=\w)|(?=[^\W\d]))[^()]{1,200}")
_SYMBOLS = ("e", "i")  # rather numbers than options
_MAX_SPELLED = 1000


class GoldTarget:
    """A gold answer read once and compared many times."""

    def __init__(self, gold: Gold) -> None:
        self.gold = gold
        self.listed = gold.answer_type == "list" or gold.answer.strip().startswith(
            ("[", "(", "\\{")
        )
        self.is_text = gold.answer_type == "text"
        self.unsupported = False
        self.value: Value | None = None
        try:
            self.value = read(gold.answer, listed=self.listed)
            spelled = plain_characters(gold.answer)[0].strip()
            if _SPACED.fullmatch(spelled) and (self.value is None or "-" in spelled):
                # 3 5 and 3 -5 are two numbers, neither their product nor their difference
                self.value = Several("list", tuple(literal(n) for n in spelled.split()))
        except Unsupported:
            self.unsupported = True
        self.name: str | None = None
        self._named()
        self.clock: Clock | None = None
        self.is_date = False
        if gold.answer_type in (None, "text") and not _NUMERAL.fullmatch(gold.answer):
            self.clock = None if "ratio" in gold.question.lower() else read_clock(gold.answer)
            self.is_date = is_date(gold.answer)
        letter = option_letter(gold.answer)
        self.letter = letter[0] if letter and not letter[1] else None
        self.option = letter if letter and _OPTION.fullmatch(gold.answer.strip(" $")) else None
        if gold.answer.strip(" $") in _SYMBOLS and not (gold.choices or self.is_text):
            self.letter = None
        wordy = isinstance(self.value, Words | None) and not self.unsupported
        self.is_text |= wordy or self.clock is not None or self.is_date
        wrapped = self.letter is not None and not gold.answer.strip(" $").isalpha()  # \text{(C)}
        self.is_text |= self.option is not None
        self.is_text |= self.letter is not None and (wrapped or not gold.answer_type)

    def _named(self) -> None:
        """Of x = 5, √2 ≈ 1.41 and 5m the value that they say."""
        if isinstance(self.value, Approximated):  # where x ≈ 1.41 names a number
            exact = self.value.exact
            named = isinstance(exact, Number) and exact.value.variables
            self.value = self.value.rounded if named else exact
        if isinstance(self.value, Relation):
            given = assigned(self.value)
            if given is not None and isinstance(given[1], Number):
                self.name, self.value = given
        value = self.value
        if isinstance(value, Number) and value.doubtful and self._asks_for(value.unit):
            self.value = replace(value, doubtful=False)

    def _asks_for(self, unit: Measure | None) -> bool:
        """Whether the question speaks of what a unit measures, so that 5m is a length."""
        known = (UNITS.get(word) for word in self.gold.question.split()) if unit else ()
        return any(other and unit and other.dimension == unit.dimension for other in known)

    @property
    def many(self) -> bool:
        """Whether the gold answer has several values."""
        return isinstance(self.value, Several)

    @property
    def is_constant(self) -> bool:
        """Whether the gold answer is one number without variables."""
        return isinstance(self.value, Number) and not self.value.value.variables

    @cached_property
    def unit(self) -> Measure | None:
        """The unit in which the gold answer is given, where it is known."""
        own = self.value.unit if isinstance(self.value, Number) else None
        return own or parse_unit(self.gold.unit)

    @cached_property
    def tolerance(self) -> Tolerance:
        """What the gold answer's type, precision and digits imply, unless one is declared."""
        gold, value = self.gold, self.value
        if gold.tolerance is not None:
            return gold.tolerance
        if gold.answer_type == "integer" or not isinstance(value, Number) or value.step is None:
            return Tolerance("exact")
        if gold.answer_type == "float" and gold.precision is not None:
            return Tolerance("decimals", gold.precision)
        if value.step.denominator > 1:
            return Tolerance("decimals", len(str(value.step.denominator)) - 1)
        return Tolerance("exact")

    def compare(self, raw: str, value: Value | None) -> Outcome:
        """Compare what was extracted, as written and as read."""
        if self.gold.letter_set:
            return compare_letter_set(self.gold.answer, raw)
        if self.gold.choices:
            return self._choices.compare(raw, value)
        if self.is_text:
            outcome = self._text(raw, value)
        else:
            outcome = self._unreadable(raw) if value is None else self._value(value)
        if outcome.correct or not self.is_written(raw, value):
            return outcome
        return Outcome(True, "as_written")

    def is_written(self, raw: str, value: Value | None = None) -> bool:
        """Whether an answer is the gold answer letter by letter, whatever it means.

        Of several guesses the last is not the answer.
        """
        if self._literal or self.letter:
            return False
        guesses = isinstance(value, Several) and value.kind == "either"
        if guesses and not (isinstance(self.value, Several) and self.value.kind == "either"):
            return False
        return bool(raw) and written(raw) == self._written

    def ends(self, text: str, start: int) -> int | None:
        """Where the gold answer ends that stands letter by letter at `start`, as a whole clause."""
        pattern = self.spelling
        match = pattern.match(text, start) if pattern else None
        return match.end(1) if match else None

    @cached_property
    def spelling(self) -> re.Pattern[str] | None:
        """The gold answer up to the end of a line or sentence, where reading it may fail."""
        answer = plain_characters(self.gold.answer)[0].strip().rstrip(".")
        if _DECIMAL.fullmatch(answer) or self.letter or not 0 < len(answer) <= _MAX_SPELLED:
            return None
        words = answer.split()
        body = r"\s*".join(re.escape(word) for word in words)
        return re.compile(rf"({body})[.*$\s]{{0,8}}(?:\n|\Z|(?<=\s)[A-Z])")

    @cached_property
    def _written(self) -> str:
        return written(self.gold.answer)

    @cached_property
    def _literal(self) -> bool:
        """Whether the gold answer is a number in digits, which is always read."""
        value = self.value
        return isinstance(value, Number) and value.step is not None and value.unit is None

    @cached_property
    def _choices(self) -> Choices:
        gold = self.gold
        return Choices(gold.choices, gold.answer, self.value, self._says)

    def _unreadable(self, raw: str) -> Outcome:
        """No value alone; undecided only where the gold answer may be in it."""
        wanted = _DIGITS.findall(self.gold.answer)
        seen = set(_DIGITS.findall(raw[:2000].replace(",", "")))
        if wanted and all(number in seen for number in wanted):
            return Outcome(None, "unreadable")
        return Outcome(False, "unreadable")

    # Numbers and what is made of them

    def _value(self, value: Value) -> Outcome:
        gold = self.value
        if isinstance(value, Approximated):
            return self._approximated(value)
        if isinstance(gold, Number):
            return self._single(gold, value)
        if isinstance(gold, NumberInterval) or _is_union(gold):
            return compare_intervals(gold, value)
        if isinstance(gold, Several):
            if isinstance(value, NumberInterval) and as_interval(gold):
                return compare_intervals(gold, value)
            return self._several(gold, value)
        if isinstance(gold, Relation):
            if isinstance(gold.right, Several) and gold.operator in "=∈":
                return self._given_several(gold, gold.right, value)
            return compare_equation(gold, value)
        return Outcome(None, "gold_unreadable")

    def _approximated(self, value: Approximated) -> Outcome:
        """√2 ≈ 1.41 says one value twice; either form may match, if the two agree."""
        exact, rounded = self._value(value.exact), self._value(value.rounded)
        if exact.correct or not rounded.correct:
            return exact if exact.correct else rounded
        one, two = single(value.exact), single(value.rounded)
        if one is None or two is None or one.is_name:
            return rounded
        a, b = one.approximate, two.approximate
        if a is None or b is None or abs(a - b) > 0.05 * max(abs(a), abs(b)):
            return Outcome(None, "approximation_disagrees", rounded.tolerance)
        return rounded

    def _single(self, gold: Number, value: Value) -> Outcome:
        if isinstance(value, Relation | NumberInterval):
            return self._from_relation(gold, value)
        if isinstance(value, Approximated):
            return self._approximated(value)
        if isinstance(value, Several):
            return self._one_of_several(gold, value)
        if isinstance(value, Words):
            return Outcome(False, "not_a_number")
        return self._number(gold, value)

    def _from_relation(self, gold: Number, value: Relation | NumberInterval) -> Outcome:
        if isinstance(value, NumberInterval) or value.operator not in "=∈":
            return Outcome(False, "inequality")
        given = assigned(value)
        if given is None and self.name and (same := says(value, self.name, gold.value)) is not None:
            return Outcome(same, "equation_equal" if same else "equation_differs")
        outcome = self._single(gold, given[1] if given else value.right)
        if outcome.correct and given is None and is_curve(value):
            return Outcome(None, "equation")
        other = self.name and given and another_name(self.name, given[0])
        return Outcome(None, "another_name") if outcome.correct and other else outcome

    def _one_of_several(self, gold: Number, value: Several) -> Outcome:
        """Several values for a gold answer of one are wrong, unless all are the same."""
        if value.kind in ("ratio", "range", "matrix", "union"):
            return Outcome(False, value.kind)
        outcomes = [self._single(gold, item) for item in value.items]
        if outcomes and (len(outcomes) == 1 or all(outcome.correct for outcome in outcomes)):
            return outcomes[0]
        return Outcome(False, "several_values")

    def _number(self, gold: Number, found: Number) -> Outcome:
        tolerance = self.tolerance
        for value in self._forms(gold, found):
            if not equal(gold, value, tolerance, self.gold):
                continue
            doubtful = value.doubtful or gold.doubtful
            if doubtful and (found.unit is None or found.unit != gold.unit):
                return Outcome(None, "unit_or_variable", str(tolerance))
            if clash(gold.unit, value.unit):
                return Outcome(None, "another_unit", str(tolerance))
            if gold.value == value.value:
                return Outcome(True, "number_equal", str(tolerance))
            within = "within_tolerance" if tolerance.kind != "exact" else "rounded"
            return Outcome(True, within, str(tolerance))
        return Outcome(False, "number_differs", str(tolerance))

    def _forms(self, gold: Number, found: Number) -> list[Number]:
        return forms(gold, found, unit=self.unit, question=self.gold.question)

    # Several values

    def _several(self, gold: Several, value: Value) -> Outcome:
        any_brackets = self.gold.answer_type == "list"
        return compare_several(gold, value, self._item, any_brackets=any_brackets)

    def _given_several(self, gold: Relation, right: Several, value: Value) -> Outcome:
        """(p,q) = (3,2), and V:W = 11:21."""
        if gold.operator == "∈":
            return compare_intervals(right, value)
        names = gold.name.strip("()").split(",")
        if right.kind == "tuple" and len(names) == len(right.items):
            items = (Relation("=", None, v, n) for n, v in zip(names, right.items, strict=True))
            right = replace(right, items=tuple(items))
        return self._several(right, value)

    def _item(self, gold: Value, value: Value) -> bool:
        if isinstance(gold, Number) and isinstance(value, Number):
            decimals = 0 if gold.step is None else len(str(gold.step.denominator)) - 1
            kind: Tolerance = Tolerance("decimals", decimals) if decimals else Tolerance("exact")
            tolerance = self.gold.tolerance or kind
            return any(equal(gold, form, tolerance, self.gold) for form in self._forms(gold, value))
        if isinstance(gold, Several) and isinstance(value, Several):
            return bool(self._several(gold, value).correct)
        if isinstance(gold, Words) and isinstance(value, Words):
            return normal_text(gold.text) == normal_text(value.text)
        return False

    # Words and options

    def _text(self, raw: str, value: Value | None) -> Outcome:
        if self.letter:
            return compare_letter(self.letter, raw)
        if self.option:
            return compare_option(*self.option, raw)
        if self.clock is not None:
            return self._time(self.clock, raw, value)
        if self.is_date:
            return compare_date(self.gold.answer, raw)
        gold, found = normal_text(self.gold.answer), normal_text(raw)
        if found and (gold == found or listed_words(self.gold.answer) == listed_words(raw)):
            return Outcome(True, "text_equal")
        wanted = yes_or_no(self.gold.answer)
        if wanted is not None:
            given = yes_or_no(raw)
            return Outcome(given == wanted, "text_equal" if given == wanted else "text_differs")
        if isinstance(self.value, Number) and isinstance(value, Number | Relation | Several):
            return self._single(self.value, value)
        if isinstance(self.value, Several) and isinstance(value, Several):
            return self._several(self.value, value)
        return Outcome(False, "text_differs")

    def _time(self, clock: Clock, raw: str, value: Value | None) -> Outcome:
        """A time of day is its hours and minutes; what equals it as a ratio alone is undecided."""
        outcome = compare_clock(clock, raw)
        if outcome is not None and outcome.correct is not False:
            return outcome
        gold = self.value
        ratio = isinstance(gold, Several) and gold.kind == "ratio" and ":0" not in self.gold.answer
        if ratio and isinstance(gold, Several) and value and compare_ratio(gold, value).correct:
            return Outcome(None, "time_or_ratio")
        return outcome or Outcome(False, "not_a_time")

    def _says(self, choice: str, value: Value | None) -> bool:
        """Whether a choice's text says this number."""
        target = target_of(Gold(choice))
        return (
            isinstance(value, Number)
            and isinstance(target.value, Number)
            and target._number(target.value, value).correct is True
        )


@lru_cache(maxsize=8192)
def target_of(gold: Gold) -> GoldTarget:
    """The gold answer as it is compared."""
    return GoldTarget(gold)


def _is_union(value: Value | None) -> TypeGuard[Several]:
    """Whether several intervals are meant: x < 1 or x > 2."""
    if not isinstance(value, Several) or value.kind not in ("union", "either"):
        return False
    return value.kind == "union" or all(isinstance(item, NumberInterval) for item in value.items)

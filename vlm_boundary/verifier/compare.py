"""Whether a value that was read equals the gold answer, by the type of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from vlm_boundary.verifier.exact import Exact, Unsupported
from vlm_boundary.verifier.numbers import equal, forms, proportional, proportional_sums
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.text_answers import normal_text, option_letter, option_letters, yes_or_no
from vlm_boundary.verifier.units import parse_unit
from vlm_boundary.verifier.values import (
    Approximated,
    Number,
    Relation,
    Several,
    Unit,
    Value,
    Words,
)
from vlm_boundary.verifier.verdict import Gold, Tolerance

_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Outcome:
    """One comparison: right, wrong, or None; the rule that decided; the tolerance it used."""

    correct: bool | None
    rule: str
    tolerance: str | None = None


class Target:
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
        except Unsupported:
            self.unsupported = True
        if isinstance(self.value, Approximated):  # √2 ≈ 1.41, where x ≈ 1.41 names a number
            exact = self.value.exact
            named = isinstance(exact, Number) and exact.value.variables
            self.value = self.value.rounded if named else exact
        if isinstance(self.value, Relation) and self._is_assignment(self.value):
            self.value = self.value.right
        if isinstance(self.value, Number) and self.value.doubtful:
            self.value = replace(self.value, doubtful=False)
        letter = option_letter(gold.answer)
        self.letter = letter[0] if letter and not letter[1] else None
        wordy = isinstance(self.value, Words | None) and not self.unsupported
        self.is_text |= wordy or (self.letter is not None and not gold.answer_type)

    @staticmethod
    def _is_assignment(value: Relation) -> bool:
        """Whether an equation only names a number: x = 5."""
        return (
            value.operator == "="
            and isinstance(value.right, Number)
            and not value.right.value.variables
        )

    @property
    def many(self) -> bool:
        """Whether the gold answer has several values."""
        return isinstance(self.value, Several)

    @property
    def is_constant(self) -> bool:
        """Whether the gold answer is one number without variables."""
        return isinstance(self.value, Number) and not self.value.value.variables

    @cached_property
    def unit(self) -> Unit | None:
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
            return self._letter_set(raw)
        if self.gold.choices:
            return self._choice(raw, value)
        if self.is_text:
            return self._text(raw, value)
        if value is None:
            return self._unreadable(raw)
        return self._value(value)

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
        if isinstance(gold, Several):
            return self._several(gold, value)
        if isinstance(gold, Relation):
            return self._equation(gold, value)
        return Outcome(None, "gold_unreadable")

    def _approximated(self, value: Approximated) -> Outcome:
        """√2 ≈ 1.41 says one value twice; either form may match, if the two agree."""
        exact, rounded = self._value(value.exact), self._value(value.rounded)
        if exact.correct or not rounded.correct:
            return exact if exact.correct else rounded
        one, two = _single_value(value.exact), _single_value(value.rounded)
        if one is None or two is None or one.is_name:
            return rounded
        a, b = one.approximate, two.approximate
        if a is None or b is None or abs(a - b) > 0.05 * max(abs(a), abs(b)):
            return Outcome(None, "approximation_disagrees", rounded.tolerance)
        return rounded

    def _single(self, gold: Number, value: Value) -> Outcome:
        if isinstance(value, Relation):
            if value.operator != "=":
                return Outcome(False, "inequality")
            right = value.right
            if (
                isinstance(right, Number)
                and right.value.variables
                and isinstance(value.left, Number)
                and not value.left.value.variables
            ):
                return self._single(gold, value.left)  # 5 = x
            return self._single(gold, right)
        if isinstance(value, Approximated):
            return self._approximated(value)
        if isinstance(value, Several):
            return self._one_of_several(gold, value)
        if isinstance(value, Words):
            return Outcome(False, "not_a_number")
        return self._number(gold, value)

    def _one_of_several(self, gold: Number, value: Several) -> Outcome:
        """Several values for a gold answer of one are wrong, unless all are the same."""
        if value.kind == "ratio":
            return Outcome(False, "ratio")
        if value.kind == "range":
            return Outcome(False, "range")
        outcomes = [self._single(gold, item) for item in value.items]
        if len(value.items) == 1 or all(outcome.correct for outcome in outcomes):
            return outcomes[0]
        return Outcome(False, "several_values")

    def _number(self, gold: Number, found: Number) -> Outcome:
        tolerance = self.tolerance
        for value in self._forms(gold, found):
            if equal(gold, value, tolerance, self.gold):
                rule = "number_equal"
                if found.doubtful:
                    return Outcome(None, "unit_or_variable", str(tolerance))
                if gold.value == value.value:
                    return Outcome(True, rule, str(tolerance))
                within = "within_tolerance" if tolerance.kind != "exact" else "rounded"
                return Outcome(True, within, str(tolerance))
        return Outcome(False, "number_differs", str(tolerance))

    def _forms(self, gold: Number, found: Number) -> list[Number]:
        return forms(gold, found, unit=self.unit, question=self.gold.question)

    # Lists, tuples, sets, ratios

    def _several(self, gold: Several, value: Value) -> Outcome:
        if gold.kind == "ratio":
            return self._ratio(gold, value)
        if not isinstance(value, Several):
            if isinstance(value, Relation) and isinstance(value.right, Several):
                return self._several(gold, value.right)
            return Outcome(False, "one_value_for_several")
        if value.kind in ("ratio", "range"):
            return Outcome(False, value.kind)
        if not self._brackets_agree(gold, value):
            return Outcome(False, "brackets_differ")
        items = [_right_side(item) for item in value.items]
        golds = [_right_side(item) for item in gold.items]
        if gold.kind in ("set", "either") or value.kind == "either":
            return self._unordered(golds, items)
        if len(golds) != len(items):
            return Outcome(False, "list_differs")
        same = all(self._item(g, v) for g, v in zip(golds, items, strict=True))
        return Outcome(same, "list_equal" if same else "list_differs")

    def _brackets_agree(self, gold: Several, value: Several) -> bool:
        if not value.brackets or self.gold.answer_type == "list":
            return True
        if gold.kind == "set" or value.kind == "set":
            return gold.kind == value.kind or not gold.brackets
        return gold.brackets == value.brackets or not gold.brackets

    def _unordered(self, golds: list[Value], items: list[Value]) -> Outcome:
        covered = all(any(self._item(g, v) for v in items) for g in golds)
        nothing_else = all(any(self._item(g, v) for g in golds) for v in items)
        same = covered and nothing_else
        return Outcome(same, "set_equal" if same else "set_differs")

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

    def _ratio(self, gold: Several, value: Value) -> Outcome:
        parts = [_single_value(item) for item in gold.items]
        value = _right_side(value)
        if isinstance(value, Several) and value.kind == "ratio":
            found = [_single_value(item) for item in value.items]
            same = len(found) == len(parts) and proportional(parts, found)
            return Outcome(same, "ratio_equal" if same else "ratio_differs")
        if isinstance(value, Number) and len(parts) == 2:
            first, second = parts
            if first is None or second is None or not second.terms:
                return Outcome(None, "gold_unreadable")
            same = first == value.value * second
            return Outcome(same, "ratio_equal" if same else "ratio_differs")
        return Outcome(False, "ratio_differs")

    # Equations

    def _equation(self, gold: Relation, value: Value) -> Outcome:
        right = _single_value(gold.right)
        if gold.operator != "=" or right is None:
            same_relation = (
                isinstance(value, Relation)
                and value.operator == gold.operator
                and _single_value(value.right) == right
                and right is not None
            )
            return Outcome(True if same_relation else None, "inequality")
        if isinstance(value, Number):
            same = value.value == right
            return Outcome(same, "expression_equal" if same else "expression_differs")
        if not isinstance(value, Relation) or value.operator != "=":
            return Outcome(False, "not_an_equation")
        found = _single_value(value.right)
        if found == right and _names_function(value) and _names_function(gold):
            return Outcome(True, "equation_equal")
        left, other = _single_value(gold.left), _single_value(value.left)
        if left is None or other is None or found is None:
            return Outcome(False, "equation_differs")
        same = proportional_sums(left - right, other - found)
        return Outcome(same, "equation_equal" if same else "equation_differs")

    # Words and options

    def _text(self, raw: str, value: Value | None) -> Outcome:
        gold = normal_text(self.gold.answer)
        found = normal_text(raw)
        if found and gold == found:
            return Outcome(True, "text_equal")
        if self.letter:
            return self._letters(raw)
        wanted = yes_or_no(self.gold.answer)
        if wanted is not None:
            given = yes_or_no(raw)
            return Outcome(given == wanted, "text_equal" if given == wanted else "text_differs")
        if _TIME.fullmatch(self.gold.answer.strip()):
            return Outcome(False, "text_differs")
        if isinstance(self.value, Number) and isinstance(value, Number | Relation | Several):
            return self._single(self.value, value)
        if isinstance(self.value, Several) and isinstance(value, Several):
            return self._several(self.value, value)
        return Outcome(False, "text_differs")

    def _letters(self, raw: str) -> Outcome:
        option = option_letter(raw)
        if option is None:
            return Outcome(False, "text_differs")
        same = option[0] == self.letter
        return Outcome(same, "option_equal" if same else "option_differs")

    def _letter_set(self, raw: str) -> Outcome:
        found = option_letters(raw)
        if found is None:
            return Outcome(False, "text_differs")
        same = found == option_letters(self.gold.answer)
        return Outcome(same, "option_equal" if same else "option_differs")

    def _choice(self, raw: str, value: Value | None) -> Outcome:
        gold = self._choice_index(self.gold.answer, self.value)
        if gold is None:
            return Outcome(None, "gold_not_among_choices")
        option = option_letter(raw)
        by_letter = None
        if option and ord(option[0]) - ord("A") < len(self.gold.choices):
            by_letter = ord(option[0]) - ord("A")
        by_text = self._choice_by_text(option[1] if option and option[1] else raw, value)
        if by_letter is not None and not (option and not option[1] and by_text is not None):
            if by_text is not None and by_text != by_letter:
                return Outcome(None, "letter_and_text_differ")
            same = by_letter == gold
            return Outcome(same, "option_equal" if same else "option_differs")
        if by_text is not None:
            return Outcome(by_text == gold, "option_equal" if by_text == gold else "option_differs")
        return Outcome(False, "not_an_option")

    def _choice_index(self, answer: str, value: Value | None) -> int | None:
        by_text = self._choice_by_text(answer, value)
        if by_text is not None:
            return by_text
        index = ord(self.letter) - ord("A") if self.letter else -1
        return index if 0 <= index < len(self.gold.choices) else None

    def _choice_by_text(self, raw: str, value: Value | None) -> int | None:
        """The one choice with this text, or this number."""
        text = normal_text(raw)
        same = [i for i, c in enumerate(self.gold.choices) if normal_text(c) == text]
        if not same and isinstance(value, Number):
            for i, choice in enumerate(self.gold.choices):
                target = target_of(Gold(choice))
                if isinstance(target.value, Number) and target._number(target.value, value).correct:
                    same.append(i)
        return same[0] if len(same) == 1 else None


@lru_cache(maxsize=8192)
def target_of(gold: Gold) -> Target:
    """The gold answer as it is compared."""
    return Target(gold)


def _single_value(value: Value | None) -> Exact | None:
    value = _right_side(value) if value is not None else None
    return value.value if isinstance(value, Number) else None


def _right_side(value: Value) -> Value:
    return value.right if isinstance(value, Relation) and value.operator == "=" else value


def _names_function(value: Relation) -> bool:
    return bool(re.fullmatch(r"[a-zA-Z](?:\([a-zA-Z]\))?'?", value.name))

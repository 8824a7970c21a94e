"""What each room takes for mathematics."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_boundary.mathtext.lexer import MAX_DIGITS


@dataclass(frozen=True, slots=True)
class Dialect:
    """What only some texts have in them.

    Attributes:
        variables: letters are variables and factors need no sign between them.
        mixed: a whole number and a fraction behind it are a sum, as in 1 3/4.
        prose: a sentence goes on behind the value.
        labels: words say of what a number is, between numbers and signs; % and ° stand anywhere.
        formula: it is a formula and nothing else, so that no letter is a unit.
        digits: how many digits a number may have.
    """

    variables: bool = False
    mixed: bool = False
    prose: bool = False
    labels: bool = False
    formula: bool = False
    digits: int = MAX_DIGITS


ANSWER = Dialect(variables=True, mixed=True)
SENTENCE = Dialect(variables=True, mixed=True, prose=True)
FORMULA = Dialect(variables=True, formula=True)
CHAIN = Dialect(labels=True, digits=24)

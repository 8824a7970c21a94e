"""Whether two numbers are equal: in units, per cent and scale words, exactly or as rounded."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from vlm_boundary.mathtext.errors import Unsupported
from vlm_boundary.mathtext.exact import PI, Exact
from vlm_boundary.mathtext.units import SCALES, UNITS, Measure
from vlm_boundary.verifier.values import Number
from vlm_boundary.verifier.verdict import Gold, Tolerance

SCALE_WORD = re.compile("|".join(SCALES), re.IGNORECASE)
_ARTEFACT = Fraction(1, 10**9)  # what binary arithmetic leaves behind, as a share of the value
# Of each scale the size of a degree in Celsius degrees, and where water freezes.
_CELSIUS = {
    "celsius": (Fraction(1), Fraction(0)),
    "fahrenheit": (Fraction(5, 9), Fraction(32)),
    "kelvin": (Fraction(1), Fraction(27315, 100)),
}
_RADIAN = UNITS["radian"]
ROUNDED_SIGNIFICANT = 3
"""Digits from which a rounded decimal counts for an exact gold answer."""


def forms(gold: Number, found: Number, *, unit: Measure | None, question: str) -> list[Number]:
    """The number as it may be compared: converted to the gold's unit, per cent as a share.

    Args:
        unit: the unit in which the gold answer is given, where it is known.
        question: what was asked; it may say that answers are in thousands.
    """
    other = found.unit
    if unit and other and unit.dimension == other.dimension and unit.size != other.size:
        return [_times(found, other.size / unit.size)]
    if unit and other and unit != other and {unit.dimension, other.dimension} <= _CELSIUS.keys():
        return [found, _on_scale(found, other, unit)]
    if unit and unit.dimension == "angle" and _in_radians(replace(found, unit=other or _RADIAN)):
        degrees = found.value * Exact.rational(180 / unit.size) / Exact.variable(PI)
        return [replace(found, value=degrees, unit=unit, doubtful=other is None)]
    if other and other.dimension == "angle" and _in_radians(gold):
        radians = found.value * Exact.rational(other.size / 180) * Exact.variable(PI)
        return [replace(found, value=radians, unit=unit)]
    found_forms = [found]
    if found.percent and not gold.percent and gold.value.terms:  # 3 % is not 0.0
        found_forms.append(_times(found, Fraction(1, 100)))
    if gold.percent and not found.percent:
        found_forms.append(_times(found, Fraction(100)))
    if found.scale != 1 and SCALE_WORD.search(question):
        found_forms.append(_times(found, 1 / found.scale))
    return found_forms


def _on_scale(found: Number, other: Measure, unit: Measure) -> Number:
    """A temperature on another scale."""
    size, zero = _CELSIUS[other.dimension]
    to, freezing = _CELSIUS[unit.dimension]
    above = (found.value - Exact.rational(zero)) * Exact.rational(size / to)
    step = None if found.step is None else found.step * size / to
    return replace(found, value=above + Exact.rational(freezing), step=step, unit=unit)


def _in_radians(found: Number) -> bool:
    """Whether an angle is a share of π, said to be of radians."""
    share = found.value.terms[0][0] if len(found.value.terms) == 1 else None
    radians = found.unit is not None and found.unit.dimension == "radian"
    return radians and share == (1, ((PI, 1),))


def equal(gold: Number, found: Number, tolerance: Tolerance, declared: Gold) -> bool:
    """Whether two numbers are equal within a tolerance.

    Args:
        declared: what is known of the gold answer besides its value.
    """
    if gold.value == found.value:
        return True
    names = gold.value.variables | found.value.variables
    if "i" in names:
        return gold.value.with_imaginary() == found.value.with_imaginary()
    if names - {"e"}:
        return False
    long_decimal = found.step is not None and found.step <= _ARTEFACT  # 4.999999999999
    exact = tolerance.kind == "exact" and gold.step is not None
    worked_out = not (found.value.transcendent or gold.value.transcendent)
    if exact and worked_out and not long_decimal:
        return False  # what most outputs come to
    one, two = _real(gold.value), _real(found.value)
    if one is None or two is None:
        return False
    difference = abs(one - two)
    if not worked_out and difference <= _ARTEFACT * abs(one) and (found.step or 1) >= 1:
        raise Unsupported("equal to many digits")
    noise = _ARTEFACT * min(Fraction(1), abs(one))
    artefact = long_decimal and found.step is not None and found.step <= noise
    if exact and not artefact:
        return False
    if difference <= tolerance.distance(one) + (0 if tolerance.kind == "exact" else _ulp(one)):
        return tolerance.kind != "exact"
    if artefact:
        return difference <= noise
    return _rounded(gold, found, difference, declared)


def _rounded(gold: Number, found: Number, difference: Fraction, declared: Gold) -> bool:
    """A rounded decimal for an exact gold answer that no decimal writes."""
    written = gold.value.fraction
    if gold.step is not None or (written is not None and written.denominator == 1):
        return False
    return (
        declared.answer_type != "integer"
        and declared.tolerance is None
        and found.step is not None
        and found.significant >= ROUNDED_SIGNIFICANT
        and difference <= found.step / 2
    )


def proportional(one: list[Exact | None], two: list[Exact | None]) -> bool:
    """Whether two ratios are the same: all cross products equal."""
    for a, b in zip(one, two, strict=True):
        if a is None or b is None or one[0] is None or two[0] is None:
            return False
        if a * two[0] != b * one[0]:
            return False
    return True


def _times(number: Number, factor: Fraction) -> Number:
    step = None if number.step is None else number.step * factor
    return replace(number, value=number.value * Exact.rational(factor), step=step)


def _real(value: Exact) -> Fraction | None:
    """Its value, to within a float's precision where it is irrational."""
    exact = value.fraction
    if exact is not None:
        return exact
    approximate = value.approximate
    return None if approximate is None else Fraction(approximate)


def _ulp(value: Fraction) -> Fraction:
    """What a float may be off by; ties of a rounding count as right."""
    return abs(value) * Fraction(1, 10**12)

"""Exact arithmetic on what answers are made of: rationals, square roots, π and variables.

Everything is bounded, so that no expression of a model can take long or fill the memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from vlm_boundary.mathtext.errors import BeyondLimits, Unsupported

MAX_BITS = 4096
MAX_TERMS = 64
MAX_EXPONENT = 20
MAX_FACTORIAL = 100
_MAX_RADICAND = 10**10
_NEARLY = 1e-9


class Constant(str):
    """The name of an irrational number that is no square root: π, 2^(1/3), ln(2)."""

    size: float

    @classmethod
    def of(cls, name: str, size: float) -> Constant:
        """A constant by its name and its value as a float."""
        constant = cls(name)
        constant.size = size
        return constant


PI = Constant.of("π", math.pi)
_E = {"e": math.e}  # a variable where other variables are, a number where none is
Monomial = tuple[int, tuple[tuple[str, int], ...]]
"""A square-free radicand, and variables and constants with their powers."""
_ONE: Monomial = (1, ())


@dataclass(frozen=True)
class Exact:
    """A sum of terms: rational coefficient × square root × powers of variables."""

    terms: tuple[tuple[Monomial, Fraction], ...]

    @staticmethod
    def rational(value: Fraction | int) -> Exact:
        """A rational number."""
        return Exact(((_ONE, Fraction(value)),) if value else ())

    @staticmethod
    def variable(name: str) -> Exact:
        """A variable, or a constant such as π."""
        return Exact((((1, ((name, 1),)), Fraction(1)),))

    @property
    def fraction(self) -> Fraction | None:
        """Its value where it is a rational number."""
        if not self.terms:
            return Fraction(0)
        ((monomial, coefficient), *others) = self.terms
        return coefficient if monomial == _ONE and not others else None

    @property
    def variables(self) -> frozenset[str]:
        """Names in it that are no constants."""
        return frozenset(
            n for (_, powers), _ in self.terms for n, _ in powers if not isinstance(n, Constant)
        )

    @property
    def transcendent(self) -> bool:
        """Whether it has a constant in it whose sums and products are not worked out here."""
        names = (n for (_, powers), _ in self.terms for n, _ in powers)
        return any(isinstance(n, Constant) and n != PI for n in names)

    def without_denominators(self) -> Exact:
        """The same times the least product of variables that leaves none with a negative power."""
        least: dict[str, int] = {}
        for (_, powers), _ in self.terms:
            for name, power in powers:
                if power < least.get(name, 0) and not isinstance(name, Constant):
                    least[name] = power
        if not least:
            return self
        return self * Exact((((1, tuple(sorted((n, -p) for n, p in least.items()))), Fraction(1)),))

    def with_imaginary(self) -> Exact:
        """The same with i as the imaginary unit, where it is the one variable: i² is -1."""
        if self.variables != {"i"}:
            return self
        total = Exact(())
        for (radicand, powers), coefficient in self.terms:
            turns = dict(powers).get("i", 0) % 4
            rest = tuple(p for p in powers if p[0] != "i") + ((("i", 1),) if turns % 2 else ())
            term = (radicand, tuple(sorted(rest))), -coefficient if turns > 1 else coefficient
            total = total + Exact((term,))
        return total

    def coefficients(self) -> dict[tuple[tuple[str, int], ...], Exact]:
        """What stands at each product of variables; π and roots belong to the coefficients."""
        found: dict[tuple[tuple[str, int], ...], dict[Monomial, Fraction]] = {}
        for (radicand, powers), coefficient in self.terms:
            variables = tuple(p for p in powers if not isinstance(p[0], Constant))
            constant = tuple(p for p in powers if isinstance(p[0], Constant))
            found.setdefault(variables, {})[radicand, constant] = coefficient
        return {variables: _exact(terms) for variables, terms in sorted(found.items())}

    @property
    def is_name(self) -> bool:
        """Whether it is one variable and nothing else."""
        if len(self.terms) != 1:
            return False
        (((radicand, powers), coefficient),) = self.terms
        return radicand == 1 and coefficient == 1 and len(powers) == 1 and powers[0][1] == 1

    @property
    def approximate(self) -> float | None:
        """Its value as a float; None with variables, or past what a float holds."""
        if self.variables - {"e"}:
            return None
        try:
            return sum(
                float(c) * math.sqrt(radicand) * math.prod(_size(n) ** power for n, power in powers)
                for (radicand, powers), c in self.terms
            )
        except OverflowError:
            return None

    def __str__(self) -> str:
        whole = self.fraction
        if whole is not None and whole.denominator == 1 and whole.numerator.bit_length() < 256:
            return str(whole.numerator)
        return "+".join(_term(*term) for term in self.terms).replace("+-", "-")

    def __add__(self, other: Exact) -> Exact:
        total = dict(self.terms)
        for monomial, coefficient in other.terms:
            known = total.get(monomial)
            total[monomial] = coefficient if known is None else known + coefficient
        return _exact(total)

    def __neg__(self) -> Exact:
        return Exact(tuple((monomial, -coefficient) for monomial, coefficient in self.terms))

    def __sub__(self, other: Exact) -> Exact:
        return self + -other

    def __mul__(self, other: Exact) -> Exact:
        if len(self.terms) * len(other.terms) > MAX_TERMS:
            raise BeyondLimits("too many terms")
        total: dict[Monomial, Fraction] = {}
        for (radicand, powers), a in self.terms:
            for (radicand2, powers2), b in other.terms:
                common = math.gcd(radicand, radicand2)
                product = radicand // common * (radicand2 // common)
                if product > _MAX_RADICAND:
                    raise BeyondLimits("radicand too large")
                monomial = (product, _joined(powers, powers2))
                term = a * b if common == 1 else a * b * common
                known = total.get(monomial)
                total[monomial] = term if known is None else known + term
        return _exact(total)

    def __truediv__(self, other: Exact) -> Exact:
        if not other.terms:
            raise Unsupported("division by zero")
        if len(other.terms) == 1:
            (((radicand, powers), coefficient),) = other.terms
            inverse = (radicand, tuple((name, -power) for name, power in powers))
            return self * Exact(((inverse, 1 / (coefficient * radicand)),))
        if len(other.terms) == 2 and not any(powers for (_, powers), _ in other.terms):
            conjugate = Exact((other.terms[0],)) - Exact((other.terms[1],))
            return self * conjugate / (other * conjugate)
        raise Unsupported("division by a sum")

    def __pow__(self, exponent: Exact) -> Exact:
        power = exponent.fraction
        if power is None:
            raise Unsupported("not a rational exponent")
        if power.denominator == 2 and abs(power.numerator) <= MAX_EXPONENT:
            return self.root() ** Exact.rational(power.numerator)
        if power.denominator != 1:
            whole_power = self ** Exact.rational(power.numerator)
            return whole_power.nth_root(power.denominator)
        whole = int(power)
        value = self.fraction
        if value is not None:
            return Exact.rational(_rational_power(value, whole))
        if abs(whole) > MAX_EXPONENT:
            raise BeyondLimits("exponent too large")
        result = Exact.rational(1)
        for _ in range(abs(whole)):
            result = result * self
        return result if whole >= 0 else Exact.rational(1) / result

    def root(self) -> Exact:
        """Its square root, where it is a rational number; of a negative one i times another."""
        value = self.fraction
        if value is None and len(self.terms) == 1:
            (((radicand, powers), coefficient),) = self.terms
            if not powers and coefficient > 0:  # the root of c√r is the fourth root of c²r
                return Exact.rational(coefficient**2 * radicand).nth_root(4)
        if value is None:
            raise Unsupported("square root of something other than a rational number")
        if value <= 0:
            return Exact.variable("i") * (-self).root() if value else self
        outside, inside = _power_free(value.numerator * value.denominator, 2)
        return Exact((((inside, ()), Fraction(outside, value.denominator)),))

    def nth_root(self, order: int) -> Exact:
        """Its real root of an order, where it is a rational number that has one."""
        value = self.fraction
        if value is None or not 2 <= order <= MAX_EXPONENT or (value < 0 and order % 2 == 0):
            raise Unsupported("a root of something other than a rational number")
        if value <= 0:
            return -(-self).nth_root(order) if value else self
        for factor in range(2, order + 1):
            while order % factor == 0 and (smaller := _perfect_root(value, factor)) is not None:
                value, order = smaller, order // factor
        if order == 1:
            return Exact.rational(value)
        if order == 2:
            return Exact.rational(value).root()
        outside, inside = _power_free(value.numerator * value.denominator ** (order - 1), order)
        name = Constant.of(f"{inside}^(1/{order})", inside ** (1 / order))
        return Exact.rational(Fraction(outside, value.denominator)) * Exact.variable(name)

    def logarithm(self, base: Exact | None = None) -> Exact:
        """Its logarithm, natural without a base, where both are positive rational numbers."""
        value, to = self.fraction, Fraction(1) if base is None else base.fraction
        if value is None or to is None or value <= 0 or to <= 0 or (base and to == 1):
            raise Unsupported("a logarithm of something other than a rational number")
        if value == 1:
            return Exact(())
        try:
            size = math.log(value) / (1 if base is None else math.log(to))
        except (OverflowError, ValueError) as error:
            raise BeyondLimits("number too large") from error
        if base is not None and abs(size - round(size)) < _NEARLY:
            whole = round(size)
            if abs(whole) <= MAX_EXPONENT and to**whole == value:
                return Exact.rational(whole)
        name = f"ln({value})" if base is None else f"log_{to}({value})"
        return Exact.variable(Constant.of(name, size))

    def factorial(self) -> Exact:
        """Its factorial, where it is a small whole number."""
        value = self.fraction
        if value is None or value.denominator != 1 or value < 0:
            raise Unsupported("factorial of something other than a whole number")
        if value > MAX_FACTORIAL:
            raise BeyondLimits("factorial too large")
        return Exact.rational(math.factorial(int(value)))


def _exact(terms: Mapping[Monomial, Fraction]) -> Exact:
    kept = sorted((m, c) for m, c in terms.items() if c)
    for _, c in kept:
        if max(c.numerator.bit_length(), c.denominator.bit_length()) > MAX_BITS:
            raise BeyondLimits("number too large")
    return Exact(tuple(kept))


def _term(monomial: Monomial, coefficient: Fraction) -> str:
    radicand, powers = monomial
    factors = [f"√{radicand}"] if radicand != 1 else []
    factors += [name if power == 1 else f"{name}^{power}" for name, power in powers]
    if max(coefficient.numerator.bit_length(), coefficient.denominator.bit_length()) > 256:
        number = f"{coefficient.numerator.bit_length()}-bit fraction"
    else:
        number = str(coefficient)
    if number in ("1", "-1") and factors:
        number = number[:-1]
    return number + "".join(factors)


def _size(name: str) -> float:
    return name.size if isinstance(name, Constant) else _E[name]


def _perfect_root(value: Fraction, order: int) -> Fraction | None:
    roots = []
    for part in (value.numerator, value.denominator):
        if part > _MAX_RADICAND**2:
            raise BeyondLimits("radicand too large")
        root = round(part ** (1 / order))
        if root**order != part:
            return None
        roots.append(root)
    return Fraction(*roots)


def _joined(
    one: tuple[tuple[str, int], ...], two: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    if not one or not two:
        return one or two
    powers = dict(one)
    for name, power in two:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _rational_power(value: Fraction, exponent: int) -> Fraction:
    if value == 0 and exponent < 0:
        raise Unsupported("division by zero")
    bits = max(abs(value.numerator).bit_length(), value.denominator.bit_length())
    if abs(value) != 1 and value != 0 and bits * abs(exponent) > MAX_BITS:
        raise BeyondLimits("power too large")
    return Fraction(1 if exponent % 2 == 0 else value) if abs(value) == 1 else value**exponent


@lru_cache(maxsize=4096)
def _power_free(number: int, order: int) -> tuple[int, int]:
    """(outside, inside) with number = outside^order × inside, and nothing more to take out."""
    if number > _MAX_RADICAND:
        raise BeyondLimits("radicand too large")
    outside, inside, factor = 1, 1, 2
    while factor * factor <= number:
        power = 0
        while number % factor == 0:
            number //= factor
            power += 1
        outside *= factor ** (power // order)
        inside *= factor ** (power % order)
        factor += 1
    return outside, inside * number

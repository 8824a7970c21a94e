"""Units of measurement and the words beside numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Measure:
    """A unit by what it measures and its size in that dimension's base unit."""

    dimension: str
    size: Fraction


_UNITS: dict[str, dict[str, str]] = {
    "length": {
        "mm millimeter millimeters millimetre millimetres 毫米": "0.001",
        "cm cms centimeter centimeters centimetre centimetres 厘米": "0.01",
        "dm decimeter decimeters decimetre decimetres 分米": "0.1",
        "m meter meters metre metres 米": "1",
        "km kms kilometer kilometers kilometre kilometres 千米 公里": "1000",
        "inch inches": "0.0254",
        "ft foot feet": "0.3048",
        "yd yds yard yards": "0.9144",
        "mi mile miles": "1609.344",
    },
    "mass": {
        "mg milligram milligrams": "0.001",
        "g gram grams 克": "1",
        "kg kgs kilogram kilograms kilo kilos 千克 公斤": "1000",
        "t ton tons tonne tonnes 吨": "1000000",
        "oz ounce ounces": "28.349523125",
        "lb lbs pound pounds": "453.59237",
    },
    "time": {
        "ms millisecond milliseconds": "0.001",
        "s sec secs second seconds 秒": "1",
        "min mins minute minutes 分钟": "60",
        "h hr hrs hour hours 小时": "3600",
        "day days 天": "86400",
        "week weeks 周": "604800",
    },
    "calendar": {"month months 个月": "1", "yr yrs year years 年 岁": "12"},
    "volume": {
        "ml mL milliliter milliliters millilitre millilitres 毫升": "1",
        "cl": "10",
        "dl": "100",
        "l L liter liters litre litres 升": "1000",
    },
    "money": {"cent cents ¢": "0.01", "dollar dollars usd USD $ 美元": "1"},
    "speed": {"mph": "0.44704", "kph kmh": "0.2777777777777777778"},
    "energy": {
        "joule joules": "1", "kilojoule kilojoules": "1000", "Wh": "3600", "kWh": "3600000",
        "cal": "4.184", "kcal": "4184",
    },
    "pressure": {"pascal pascals": "1", "atm": "101325"},
}  # fmt: skip
# What has one unit in words.
_UNITS |= {
    dimension: {names: "1"}
    for dimension, names in {
        "pence": "penny pence", "rupee": "₹ rupee rupees", "yen": "yen ¥",
        "euro": "euro euros eur EUR €", "pound sterling": "£ gbp GBP", "yuan": "yuan rmb 元",
        "angle": "° degree degrees deg 度", "celsius": "°C celsius Celsius",
        "fahrenheit": "°F fahrenheit Fahrenheit", "kelvin": "K kelvin Kelvin",
        "radian": "rad radian radians", "power": "watt watts", "force": "newton newtons",
        "voltage": "volt volts", "current": "amp amps ampere amperes", "resistance": "ohm ohms",
        "frequency": "hertz", "charge": "coulomb coulombs", "capacitance": "farad farads",
        "magnetic field": "tesla teslas", "inductance": "henry henries henrys",
        "amount": "mole moles", "electronvolt": "",
    }.items()
}  # fmt: skip
# Symbols and the prefixes with which they are written; pm would be p.m., kT is an energy.
_SYMBOLS: dict[str, tuple[str, str]] = {
    "J": ("energy", "num kMG"), "W": ("power", "num kMG"), "N": ("force", "num kM"),
    "Pa": ("pressure", "m kMG"), "V": ("voltage", "num kM"), "A": ("current", "pnum k"),
    "Ω": ("resistance", "m kM"), "Hz": ("frequency", "m kMG"), "C": ("charge", "pnum"),
    "F": ("capacitance", "pnum"), "T": ("magnetic field", "num"), "H": ("inductance", "num"),
    "mol": ("amount", "num k"), "eV": ("electronvolt", "m kMG"), "m": ("length", "nu"),
    "s": ("time", "pnu"), "g": ("mass", "u"),
}  # fmt: skip
_PREFIXES = {"p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9}
UNITS: dict[str, Measure] = {
    name: Measure(dimension, Fraction(size))
    for dimension, sizes in _UNITS.items()
    for names, size in sizes.items()
    for name in names.split()
}
UNITS |= {
    sign + symbol: Measure(dimension, UNITS.get(symbol, Measure("", Fraction(1))).size * size)
    for symbol, (dimension, prefixes) in _SYMBOLS.items()
    for prefix in ["", *prefixes.replace(" ", "")]
    for size in (Fraction(10) ** _PREFIXES[prefix],)
    for sign in (("μ",) if prefix == "u" else (prefix,))
}
SCALES: dict[str, Fraction] = {
    word: Fraction(10**power)
    for power, words in {
        2: "hundred", 3: "thousand thousands", 6: "million millions", 9: "billion billions",
        12: "trillion", 4: "万", 8: "亿",
    }.items()
    for word in words.split()
}  # fmt: skip
PER_CENT = frozenset("% percent percentage pct 百分点 ٪".split())
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "平方": 2, "立方": 3}
UNITS |= {
    name: Measure("angle", Fraction(1, part))
    for name, part in (("arcminute", 60), ("arcminutes", 60), ("arcsecond", 3600))
}
# What may be written alike: 25° is an angle or a temperature, 25 C a charge or a temperature.
_ALIKE = (
    frozenset(("angle", "celsius", "fahrenheit")),
    frozenset(("charge", "celsius")),
    frozenset(("capacitance", "fahrenheit")),
)
LETTERS = frozenset(name for name in UNITS if len(name) == 1 and name.isascii())
NOUNS = frozenset(name.lower().rstrip("s") or "s" for name in UNITS)
"""The names of units in small letters, without a plural s."""
CHANGING = frozenset(SCALES) | frozenset(
    "hundreds trillions dozen dozens squared cubed mod modulo remainder half halves quarter "
    "quarters third thirds factorial r pairs pair".split()
)
"""Words that change the number before them."""


def parse_unit(text: str | None) -> Measure | None:
    """The unit that a text names, with square, cubic, exponents and "per"; None if none is known.

    "cm^2", "square meters", "km/h" and "meters per second" are units, "apples" is not.
    """
    if not text:
        return None
    parts = text.strip().rstrip(".").replace(" per ", "/").replace("**", "^").split("/")
    if len(parts) > 2:
        return None
    units = [_simple(part.split()) for part in parts]
    first, *others = units
    if first is None or any(unit is None for unit in others):
        return None
    for unit in others:
        assert unit is not None
        dimension = f"{first.dimension}/{unit.dimension}"
        first = Measure(
            "speed" if dimension == "length/time" else dimension, first.size / unit.size
        )
    return first


def clash(one: Measure | None, two: Measure | None) -> bool:
    """Whether two units, both known, measure different things: metres and square metres.

    A degree sign alone may be an angle or a temperature of either scale.
    """
    if one is None or two is None or one.dimension == two.dimension:
        return False
    both = {one.dimension, two.dimension}
    if both == {"celsius", "fahrenheit"}:
        return True
    return not any(both <= alike for alike in _ALIKE)


def _simple(words: list[str]) -> Measure | None:
    power = 1
    if words and words[0].lower() in _POWERS:
        power, words = _POWERS[words[0].lower()], words[1:]
    if len(words) == 2 and words[1] in ("squared", "cubed"):
        power, words = (2 if words[1] == "squared" else 3), words[:1]
    text = "".join(words)
    for prefix in ("平方", "立方"):
        if text.startswith(prefix):
            power, text = _POWERS[prefix], text.removeprefix(prefix)
    name, caret, exponent = text.partition("^")
    if caret:
        if exponent not in ("2", "3", "{2}", "{3}"):
            return None
        power = int(exponent.strip("{}"))
    unit = UNITS.get(name) or UNITS.get("inch" if name == "in" else name.lower())
    if unit is None or power == 1:
        return unit
    if unit.dimension == "length" and power == 3:  # a litre is a cubic decimetre
        return Measure("volume", unit.size**3 * 10**6)
    return Measure(f"{unit.dimension}^{power}", unit.size**power)

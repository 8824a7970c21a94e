"""Whatever the value, its form and the phrase around it: right is right, another value never is."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vlm_boundary.verifier import Gold, Grader, Output

GRADER = Grader(workers=1)  # starts no process: what is drawn here needs none

INTEGERS = st.integers(-10_000_000, 10_000_000)
PHRASES = st.sampled_from(
    [
        "\\boxed{{{}}}",
        "$\\boxed{{{}}}$",
        "I count twice. \\boxed{{{}}}.",
        "<think>3 or 4?</think> \\boxed{{{}}}",
        "<answer>{}</answer>",
        "<think>hm</think><answer> {} </answer>",
        "The answer is {}.",
        "The final answer is: {}",
        "**Answer:** {}",
        "So the answer is ${}$.",
        "Answer: {}\n\nI hope this helps!",
        "#### {}",
        "It follows that 1 + 1 = 2. Therefore, the answer is {}.",
        "{}",
        "答案是{}。",
        "The answer is not 9999999999; it is {}.",
        "First \\boxed{{123456789}}, but no: \\boxed{{{}}}",
        "The answer is {}.\nUser: and now?\nAssistant: The answer is 987654321.",
    ]
)


def integer_forms(value: int) -> list[str]:
    sign = "-" if value < 0 else ""
    size = abs(value)
    forms = [
        str(value),
        f"{value}.0",
        f"{value:,}",
        f"{sign}{size:,}".replace(",", "{,}"),
        f"{value} ",
        f"\\frac{{{2 * value}}}{{2}}",
        f"{3 * value}/3",
        str(value).replace("-", "−"),
        str(value).translate({ord(str(d)): 0xFF10 + d for d in range(10)}),
        f"{value}\\text{{ apples}}",
        f"x = {value}",
        f"{value}^\\circ",
        f"{value}\\%",
    ]
    return forms


def graded(text: str, gold: Gold) -> bool | None:
    return GRADER.grade([Output(text, gold, "stop")])[0].correct


@settings(max_examples=600, deadline=None)
@given(INTEGERS, PHRASES, st.data())
def test_an_integer_in_any_form_and_phrase_is_right(
    value: int, phrase: str, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(integer_forms(value)))
    assert graded(phrase.format(form), Gold(str(value), "integer")) is True


@settings(max_examples=600, deadline=None)
@given(INTEGERS, INTEGERS, PHRASES, st.data())
def test_another_integer_never_is(value: int, other: int, phrase: str, data: st.DataObject) -> None:
    assume(value not in (other, 100 * other))
    assume(
        not (
            "%" in (form := data.draw(st.sampled_from(integer_forms(other))))
            and value * 100 == other
        )
    )
    assert graded(phrase.format(form), Gold(str(value), "integer")) is not True


@settings(max_examples=300, deadline=None)
@given(
    st.fractions(-1000, 1000, max_denominator=500), PHRASES, st.integers(1, 9), st.integers(0, 3)
)
def test_fractions(value: Fraction, phrase: str, factor: int, form: int) -> None:
    assume(value.denominator > 1)
    top, bottom = value.numerator * factor, value.denominator * factor
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole, rest = divmod(size.numerator, size.denominator)
    written = [
        f"{top}/{bottom}",
        f"\\frac{{{top}}}{{{bottom}}}",
        f"{sign}\\dfrac{{{abs(top)}}}{{{bottom}}}",
        f"{sign}{whole}\\frac{{{rest}}}{{{size.denominator}}}" if whole else f"{top}/{bottom}",
    ][form]
    gold = f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert graded(phrase.format(written), Gold(gold, "expression")) is True
    wrong = f"\\frac{{{value.numerator + value.denominator}}}{{{value.denominator}}}"
    assert graded(phrase.format(written), Gold(wrong, "expression")) is not True


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(1, 3), st.integers(-60, 60), PHRASES)
def test_decimals_to_half_a_unit_of_their_precision(
    units: int, precision: int, off: int, phrase: str
) -> None:
    gold = Fraction(units, 10**precision)
    found = gold + Fraction(off, 100 * 10**precision)
    text = f"{float(found):.{precision + 2}f}"
    target = Gold(f"{float(gold):.{precision}f}", "float", precision=precision)
    verdict = graded(phrase.format(text), target)
    # A phrase's sentence may be refused or doubted, but never graded against the rule.
    assert verdict is (abs(off) <= 50)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(2, 200), st.integers(1, 12), PHRASES)
def test_surds_and_pi(a: int, b: int, c: int, phrase: str) -> None:
    gold = Gold(f"{a}\\sqrt{{{b}}}+{c}\\pi", "expression")
    for written in (f"{c}\\pi + {a}\\sqrt{{{b}}}", f"\\sqrt{{{a * a * b}}}+{c}\\pi"):
        assert graded(phrase.format(written), gold) is True
    assert graded(phrase.format(f"{a}\\sqrt{{{b}}}+{c + 1}\\pi"), gold) is not True
    assert graded(phrase.format(f"{a}+{c}"), gold) is not True


TIMES = ["\\times", "\\cdot", "\\ast", "\\cdotp", "×", "·", "⋅", "∗", "*", "{\\times}"]
AROUND = st.sampled_from(["", " ", "  ", "\\,", "~"])


@settings(max_examples=500, deadline=None)
@given(st.integers(2, 5000), st.integers(2, 999), st.sampled_from(TIMES), AROUND, AROUND, PHRASES)
def test_products_in_all_spellings(
    a: int, b: int, sign: str, before: str, after: str, phrase: str
) -> None:
    written = f"{a}{before}{sign}{after}{b}"
    assert graded(phrase.format(written), Gold(str(a * b), "integer")) is True
    assert graded(phrase.format(written), Gold(f"{a}{b}", "integer")) is not True
    halves = f"{a}{before}{sign}{after}\\frac{{1}}{{{b}}}"
    value = Fraction(a, b)
    gold = Gold(f"\\frac{{{value.numerator}}}{{{value.denominator}}}")
    assert graded(phrase.format(halves), gold) is True
    mixed = Fraction(a * b + 1, b)
    other = Gold(f"\\frac{{{mixed.numerator}}}{{{mixed.denominator}}}")
    assert graded(phrase.format(halves), other) is not True


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 99), st.integers(2, 99), st.sampled_from(["÷", "\\div", "/"]), AROUND)
def test_quotients_in_all_spellings(a: int, b: int, sign: str, around: str) -> None:
    written = f"\\boxed{{{a * b}{around}{sign}{around}{b}}}"
    assert graded(written, Gold(str(a), "integer")) is True
    assert graded(written, Gold(str(a + 1), "integer")) is not True


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-99, 999), min_size=2, max_size=6), PHRASES)
def test_lists_are_ordered(values: list[int], phrase: str) -> None:
    gold = Gold(str(values), "list")
    assert graded(phrase.format(str(values)), gold) is True
    if values != values[::-1]:
        assert graded(phrase.format(str(values[::-1])), gold) is not True
    assert graded(phrase.format(str([*values, 5])), gold) is not True


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["5", "\\frac{1}{2}", "red", "[1, 2]", "2.5"]))
def test_any_text_has_a_verdict(text: str, gold: str) -> None:
    verdict = GRADER.grade([Output(text.replace("5", "6"), gold)])[0]
    assert verdict.rule
    if gold == "5" and not any(c.isnumeric() or c in "fF" for c in text.replace("5", "6")):
        assert verdict.correct is not True


HOURS, MINUTES = st.integers(1, 12), st.integers(0, 59)
HALVES = st.sampled_from(["", " AM", " a.m.", " PM", " p.m."])


@settings(max_examples=400, deadline=None)
@given(HOURS, MINUTES, HOURS, MINUTES, HALVES, HALVES)
def test_times_are_no_ratios(
    hour: int, minute: int, other_hour: int, other_minute: int, half: str, other_half: str
) -> None:
    gold = f"{hour}:{minute:02}{half}"
    assert graded(f"\\boxed{{{gold}}}", Gold(gold)) is True
    assume((hour % 12, minute) != (other_hour % 12, other_minute))
    other = f"{other_hour}:{other_minute:02}{other_half}"
    assert graded(f"\\boxed{{{other}}}", Gold(gold)) is not True
    if half and other_half and half.strip()[0].lower() != other_half.strip()[0].lower():
        assert graded(f"\\boxed{{{hour}:{minute:02}{other_half}}}", Gold(gold)) is not True


@settings(max_examples=300, deadline=None)
@given(st.dates(), st.dates())
def test_dates_are_no_sums(day: date, other: date) -> None:
    assert graded(f"\\boxed{{{day.isoformat()}}}", Gold(day.isoformat())) is True
    difference = str(day.year - day.month - day.day)
    assert graded(f"\\boxed{{{difference}}}", Gold(day.isoformat())) is not True
    assert graded(f"\\boxed{{{day.isoformat()}}}", Gold(difference)) is not True
    assume(day != other)
    assert graded(f"\\boxed{{{other.isoformat()}}}", Gold(day.isoformat())) is not True


SMALL = st.integers(-9, 9).filter(bool)


@settings(max_examples=400, deadline=None)
@given(SMALL, SMALL, st.integers(-20, 20), SMALL, SMALL, st.integers(1, 2))
def test_equations_up_to_a_factor(
    a: int, b: int, c: int, factor: int, other: int, power: int
) -> None:
    gold = Gold(f"{a}x^{power}{b:+}y={c}")
    scaled = f"{factor * a}x^{power}{factor * b:+}y={factor * c}"
    moved = f"{a}x^{power}{b:+}y{-c:+}=0"
    for written in (scaled, moved, f"{c}={a}x^{power}{b:+}y"):
        assert graded(f"\\boxed{{{written}}}", gold) is True
    wrong = [str(c), f"{a}x^{power}{-b:+}y={c}", f"{a}x^{power}{b:+}y={c + other}", f"x={c}"]
    for written in wrong if c else wrong[:1]:
        assert graded(f"\\boxed{{{written}}}", gold) is not True


@settings(max_examples=300, deadline=None)
@given(st.integers(10, 99), st.integers(-40, -3), st.integers(10, 99), st.integers(-40, -3))
def test_small_numbers_are_compared_by_their_size(
    digits: int, power: int, other_digits: int, other_power: int
) -> None:
    value, other = Fraction(digits, 10) * Fraction(10) ** power, Fraction(other_digits, 10)
    other *= Fraction(10) ** other_power
    for form in ("{}e{}", "{}\\times 10^{{{}}}", "{} \\cdot 10^{{{}}}", "{}*10**({})"):
        gold = Gold(f"{digits / 10}e{power}")
        assert graded(f"\\boxed{{{form.format(digits / 10, power)}}}", gold) is True
        if abs(value - other) > value / 10:
            written = form.format(other_digits / 10, other_power)
            assert graded(f"\\boxed{{{written}}}", gold) is not True
    assert graded("\\boxed{0}", Gold(f"{digits / 10}e{power}")) is not True


@settings(max_examples=300, deadline=None)
@given(st.integers(-50, 50), st.integers(1, 50), st.integers(1, 9), st.booleans(), st.booleans())
def test_intervals_as_inequalities(
    low: int, width: int, off: int, low_in: bool, high_in: bool
) -> None:
    high = low + width
    gold = Gold(f"{'[' if low_in else '('}{low},{high}{']' if high_in else ')'}")
    first, second = ("\\le" if low_in else "<"), ("\\le" if high_in else "<")
    assert graded(f"\\boxed{{{low} {first} x {second} {high}}}", gold) is True
    swapped = "<" if low_in else "\\le"
    assert graded(f"\\boxed{{{low} {swapped} x {second} {high}}}", gold) is not True
    assert graded(f"\\boxed{{{low} {first} x {second} {high + off}}}", gold) is not True


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30), st.integers(1, 9999), st.integers(0, 2), st.integers(1, 8))
def test_repeating_decimals(whole: int, block: int, lead: int, off: int) -> None:
    digits = str(block)
    value = Fraction(block, (10 ** len(digits) - 1) * 10**lead) + whole
    gold = Gold(f"{value.numerator}/{value.denominator}")
    for form in ("\\overline{{{}}}", "({})"):
        written = f"{whole}.{'0' * lead}{form.format(digits)}"
        assert graded(f"\\boxed{{{written}}}", gold) is True
        wrong = Gold(f"{value.numerator + off}/{value.denominator}")
        assert graded(f"\\boxed{{{written}}}", wrong) is not True


LADDERS = st.sampled_from(
    [("hours", "minutes", 60), ("m", "cm", 100), ("feet", "inches", 12), ("kg", "g", 1000)]
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 40), st.data())
def test_quantities_in_two_units(large: int, data: st.DataObject) -> None:
    big, little, ratio = data.draw(LADDERS)
    small = data.draw(st.integers(1, ratio - 1))
    joint = data.draw(st.sampled_from([" ", " and "]))
    written = f"\\boxed{{{large} {big}{joint}{small} {little}}}"
    assert graded(written, Gold(f"{large * ratio + small} {little}")) is True
    assert graded(written, Gold(f"{large * ratio + small + 1} {little}")) is not True
    assert graded(written, Gold(f"{large} {big}")) is not True


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=3, unique=True), st.data())
def test_letters(letters: list[str], data: st.DataObject) -> None:
    joint = data.draw(st.sampled_from([", ", " and ", " or ", "/", " "]))
    around = data.draw(st.sampled_from(["{}", "({})"]))
    gold = data.draw(st.sampled_from("ABCDE"))
    written = joint.join(around.format(letter) for letter in letters)
    verdict = graded(f"\\boxed{{{written}}}", Gold(gold, choices=("12", "14", "16", "18", "20")))
    assert (verdict is True) is (letters == [gold])


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 60), st.integers(3, 5), st.integers(1, 5))
def test_roots_to_three_digits_and_exactly(radicand: int, order: int, off: int) -> None:
    gold = Gold(f"\\sqrt[{order}]{{{radicand}}}")
    value = radicand ** (1 / order)
    assume(abs(value - round(value)) > 1e-9)
    assert graded(f"\\boxed{{{radicand}^{{1/{order}}}}}", gold) is True
    assert graded(f"\\boxed{{{value:.3f}}}", gold) is True
    assert graded(f"\\boxed{{{value + off / 100:.3f}}}", gold) is not True
    assert graded(f"\\boxed{{\\sqrt[{order}]{{{radicand + off}}}}}", gold) is not True

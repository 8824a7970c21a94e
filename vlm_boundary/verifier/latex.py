r"""Plain spelling of what models write: Unicode, LaTeX and Markdown down to a few symbols."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from vlm_boundary.mathtext.lexer import VULGAR

_ODD = re.compile(r"[^\x20-\x7e\n\t]")
_MAX_REPEATED = 200
_FLOOD = re.compile(rf"(.)\1{{{_MAX_REPEATED},}}|\s{{{_MAX_REPEATED},}}", re.DOTALL)
_MINUSES = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_SPELT = {"µ": "μ", "Ω": "Ω", "’": "'", "‘": "'", "“": '"', "”": '"', "\u2044": "/", "∶": ":"}
_RESPELLED = {*_SUPERSCRIPTS, "\x0c"}
_SUPER_RUN = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")


@lru_cache(maxsize=65536)
def _plain_character(c: str) -> str:
    """What a character outside plain ASCII is read as; nothing for the invisible."""
    if c in _MINUSES:
        return "-"
    if c in VULGAR:
        return f"({VULGAR[c]})"
    if c in _SUPERSCRIPTS:
        return c
    if "\uff01" <= c <= "\uff5e":
        return chr(ord(c) - 0xFEE0)
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category == "Zs":
        return " "
    if category in ("Zl", "Zp"):
        return "\n"
    if category in ("Cf", "Cc", "Cs", "Co", "Cn"):
        return ""
    if "MATHEMATICAL" in unicodedata.name(c, ""):
        return unicodedata.normalize("NFKC", c)
    return _SPELT.get(c, c)


def plain_characters(text: str) -> tuple[str, list[int] | None]:
    """The text with one spelling for each character, and where each was; None if none moved.

    Full-width and other digits become ASCII ones, every minus one minus, superscripts powers;
    what cannot be seen (NUL, zero width, bidirectional marks) goes.
    """
    kept: list[int] | None = None
    if _may_flood(text):
        text, kept = _without_floods(text)
    if not _ODD.search(text):
        return text, kept
    odd = {c: _plain_character(c) for c in set(_ODD.findall(text))}
    if all(len(plain) == 1 and c not in _RESPELLED for c, plain in odd.items()):
        return text.translate({ord(c): plain for c, plain in odd.items()}), kept
    pieces: list[str] = []
    places: list[int] = []
    raised = {m.start(): m for m in _SUPER_RUN.finditer(text)}
    skip = -1
    for place, c in enumerate(text):
        if place < skip:
            continue
        if c == "\x0c" and text.startswith("rac", place + 1):  # a data set in which \f was eaten
            piece = "\\f"
        elif place in raised:
            skip = raised[place].end()
            piece = "^{" + "".join(_SUPERSCRIPTS[s] for s in raised[place][0]) + "}"
        elif c in VULGAR and text[max(0, place - 2) : place].rstrip(" ")[-1:].isdigit():
            piece = " " + VULGAR[c]  # 2½ is a sum
        else:
            piece = c if "\x20" <= c <= "\x7e" or c in "\n\t" else _plain_character(c)
        pieces.append(piece)
        places.extend([kept[place] if kept else place] * len(piece))
    return "".join(pieces), places


def _without_floods(text: str) -> tuple[str, list[int]]:
    """The text with no character or space repeated without end, and where each was."""
    pieces: list[str] = []
    places: list[int] = []
    start = 0
    for flood in [*_FLOOD.finditer(text), None]:
        stop = flood.start() + _MAX_REPEATED if flood else len(text)
        pieces.append(text[start:stop])
        places.extend(range(start, stop))
        start = flood.end() if flood else stop
    return "".join(pieces), places


def _may_flood(text: str) -> bool:
    """Whether a block of the text is one character, as one within a flood must be."""
    half = _MAX_REPEATED // 2
    for place in range(0, len(text) - half, half):
        block = text[place : place + half]
        if block.isspace() or (block[0] == block[-1] and block == block[0] * half):
            return True
    return False


_WRAPPERS = (
    "text|mathrm|textbf|textit|textrm|textnormal|mathbf|mathit|mathsf|operatorname|mbox|hbox"
    "|boldsymbol|number|num|unit|si|ce|hat|emph|underline|bm|fbox|boxed|mathbb|mathcal|texttt"
)
_FLAT = r"[^{}]*"
_NESTED = rf"(?:[^{{}}]|\{{(?:[^{{}}]|\{{{_FLAT}\}})*\}})*"  # braces within braces
_WRAPPER = re.compile(rf"\\(?:{_WRAPPERS})\s*\{{({_NESTED})\}}")
_QUANTITY = re.compile(rf"\\(?:quantity|SI|qty)\s*\{{({_FLAT})\}}\s*\{{({_FLAT})\}}")
_ANGLE = re.compile(rf"\\ang\s*\{{({_FLAT})\}}")
_EMPTY_BASE = re.compile(r"\{\}(?=\s*\^)")  # 30{}^\circ
_STRUCK = re.compile(rf"~~[^~\n]{{1,200}}~~|\\(?:[bx]?cancel|sout)\s*\{{{_FLAT}\}}")
_THOUSANDS = re.compile(r"(?<=\d)(?:\\[,;: !]|\{,\}(?:\\!\s*)?|,\s*\\!\s*|~|\\ )(?=\d{3}(?!\d))")
_REPEATING = re.compile(  # 0.\overline{3}, 0.\dot{3}, 0.(3), 0.333…
    r"(?<![\d.])(\d{1,9})\.(\d{0,12})(?:\\(?:overline|bar)\s*\{(\d{1,9})\}|\((\d{1,9})\)"
    r"|((?:\\dot\s*\{?\d\}?\d{0,6}){1,2})(?!\d))"
)
_GOES_ON = re.compile(
    r"(?<![\d.])(\d{1,9})\.(\d{0,6}?)(\d{1,6}?)\3{2,20}\s*(?:\.\.\.|…|\\[lc]?dots)"
)
_DOLLARS = re.compile(r"^\s*(-?)\s*\$(?=\s*[\d.])")  # a sum of money, no formula
_NOISE = re.compile(
    r"\\(?:left|right|displaystyle|limits|bigl?|bigr|Bigl?|Bigr|rm|bf|it|cal)(?![a-zA-Z])"
    r"|\\[()\[\]!]|\$"
)
_DEGREES = re.compile(
    r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\(?:degree|circ)(?![a-zA-Z])|\{degrees\}"
)
_BRACED_WORDS = re.compile(r"(?:(?<=[}\dπ°])|^)\{([A-Za-z]{3,})\}")
_COMMANDS = {
    r"\pi": "π", r"\cdot": "×", r"\times": "×", r"\ast": "×", r"\cdotp": "×", r"\bullet": "×",
    r"\star": "×", r"\div": "÷", r"\pm": "±",
    r"\mp": "±", r"\leq": "≤", r"\le": "≤", r"\leqslant": "≤", r"\geq": "≥", r"\ge": "≥",
    r"\geqslant": "≥", r"\lt": "<", r"\gt": ">", r"\neq": "≠", r"\ne": "≠", r"\approx": "≈",
    r"\simeq": "≈", r"\sim": "≈", r"\doteq": "≈", r"\cong": "≈", r"\infty": "∞", r"\cup": "∪",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\colon": ":",
    r"\quad": " ", r"\qquad": " ", r"\lbrace": "⦃", r"\rbrace": "⦄", r"\Omega": "Ω",
    r"\in": "∈", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\mid": "|",
    r"\Rightarrow": "⇒", r"\implies": "⇒", r"\therefore": "∴", r"\prime": "'",
    r"\lbrack": "[", r"\rbrack": "]", r"\langle": "(", r"\rangle": ")", r"\equiv": "=",
}  # fmt: skip
_GREEK = "alpha beta gamma delta theta lambda mu rho sigma tau phi omega"
_COMMANDS |= {
    rf"\{name}": unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('lambda', 'lamda')}")
    for name in _GREEK.split()
}
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_BRACED_SIGN = re.compile(r"\{\s*([×÷±=≈<>≤≥+*/:-])\s*\}")  # 20{\times}150
_SPACES = re.compile(r"\\[,;:> ]|~|[ \t\n]+")
_SINGLE = str.maketrans(
    {**dict.fromkeys("×·⋅∙∗✕✖⨯", "*"), **dict.fromkeys("÷∕", "/"), **dict.fromkeys("≃∼≅", "≈")}
    | {"℃": "°C", "℉": "°F", "＄": "$"}
)
_UNEQUAL = re.compile(r"(?:(?<= )|^)!=")  # 5!=120 is an equation
_STARS = re.compile(r"( *)(\*{1,3})( *)")
_OPERAND_END = re.compile(r"(?:[\d)}\]!°π%|]|(?<![a-zA-Z])[a-zA-Z])$")
_OPERAND = re.compile(r"[\d({\[\\√π.+-]|\|(?=[\d({\\√-])|[a-zA-Z](?![a-zA-Z])")
_EMPHASIS = re.compile(  # behind a value a star multiplies
    r"(?<![\w)}\]*])(?<![\d)}\]] )(\*{1,3})(?=[^\s*])([^*\n]{1,300})(?<=\S)\1(?![\w*({\\])"
)
_UNDERSCORES = re.compile(r"(?<!\S)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\S)")
_MAX_UNWRAPPED = 8


@lru_cache(maxsize=8192)
def plain_math(text: str) -> str:
    r"""A span in a few symbols: \dfrac{3}{4}\,\text{cm} is \frac{3}{4} cm."""
    text, _ = plain_characters(text)
    if "~~" in text or "cancel" in text or "sout" in text:
        text = _STRUCK.sub(" ", text)
    if "." in text and ("\\" in text or "(" in text or "…" in text or "..." in text):
        text = _GOES_ON.sub(_going_on, _REPEATING.sub(_repeating, text))
    if text.count("$") == 1:
        text = _DOLLARS.sub(r"\1＄", text)
    if "\\" in text or "$" in text or "{" in text or "~" in text:
        text = _plain_latex(text)
    text = _SPACES.sub(" ", text)
    if "=" in text:
        text = _UNEQUAL.sub("≠", text.replace("<=", "≤").replace(">=", "≥"))
    if "*" in text:
        text = _STARS.sub(_star, _EMPHASIS.sub(r"\2", text))
    if "_" in text:
        text = _UNDERSCORES.sub("", text)
    return text.translate(_SINGLE).strip()


def _star(match: re.Match[str]) -> str:
    """Stars as typed: a product or a power between operands, Markdown elsewhere."""
    left, stars, right = match.groups()
    text = match.string
    before = text[max(0, match.start() - 2) : match.start()]
    if len(stars) < 3 and before and match.end() < len(text):
        joined = not left and not right and before[-1].isalnum() and text[match.end()].isalnum()
        if joined or (_OPERAND_END.search(before) and _OPERAND.match(text, match.end())):
            if len(stars) == 1:
                return "*"
            if len(left) == len(right):
                return "^"
    return left + right


def _repeating(match: re.Match[str]) -> str:
    """A repeating decimal as the fraction that it is."""
    whole, lead, *blocks = match.groups()
    digits = re.sub(r"\D", "", next(block for block in blocks if block))
    return _fraction(whole, lead, digits)


def _going_on(match: re.Match[str]) -> str:
    whole, lead, digits = match.groups()
    return match[0] if digits.strip("0") == "" else _fraction(whole, lead, digits)


def _fraction(whole: str, lead: str, digits: str) -> str:
    ones = 10 ** len(digits) - 1
    top = int(whole + lead) * ones + int(digits)
    return f"({top}/{ones * 10 ** len(lead)})"


def _plain_latex(text: str) -> str:
    text = text.replace("\\\\", " ").replace("\\$", "＄")
    text = _EMPTY_BASE.sub("", _ANGLE.sub(r"\1°", _QUANTITY.sub(r"\1 \\text{ \2}", text)))
    text = _THOUSANDS.sub("", text)
    text = _NOISE.sub("", text)
    text = _DEGREES.sub("°", text)
    for _ in range(_MAX_UNWRAPPED):
        text, count = _WRAPPER.subn(r" \1 ", text)
        if not count:
            break
    text = text.replace("\\{", "⦃").replace("\\}", "⦄").replace("\\%", "%").replace("\\#", "#")
    text = text.replace("{,}", ",").replace("\\&", "&").replace("\\_", "_")
    text = _COMMAND.sub(lambda m: _COMMANDS.get(m[0], m[0]), text)
    text = _BRACED_SIGN.sub(r"\1", text)
    return _BRACED_WORDS.sub(r" \1 ", text)

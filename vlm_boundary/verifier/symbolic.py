"""Which spans are worth a symbolic comparison."""

from __future__ import annotations

import re

MAX_LENGTH = 200
_ALLOWED = re.compile(r"[\sa-zA-Z0-9\\{}()\[\],.;:+\-*/^_=<>|!'%°π√∞∪∩≤≥≠±~&]*")
_COMMANDS = frozenset(
    "frac dfrac tfrac sqrt pi sin cos tan cot sec csc log ln exp arcsin arccos arctan theta alpha "
    "beta gamma lambda mu phi omega infty cup cap cdot times div pm leq geq le ge lt gt neq ne "
    "binom begin end pmatrix bmatrix cases left right circ degree text mathrm overline sum int "
    "lim to quad qquad".split()
)
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{4,}")
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_SENTENCE = re.compile(r"\\(?:text|mathrm)\s*\{[^{}]*[a-zA-Z]+ [a-zA-Z]+ [a-zA-Z]")
_ENVIRONMENT = re.compile(r"\\(?:begin|end|text|mathrm)\s*\{[^{}]*\}")


_RELATION = re.compile(r"=|<|>|≤|≥|≠|\\(?:leq?|geq?|neq?|lt|gt)(?![a-zA-Z])")


def is_comparable(found: str, gold: str) -> bool:
    """Whether two spans may be compared symbolically: mathematics, and relations with relations.

    Of an equation beside an expression math-verify compares the right side.
    """
    if "\n" in gold.strip() or not (is_mathematics(found) and "\\" in found + gold):
        return False
    return bool(_RELATION.search(found)) == bool(_RELATION.search(gold))


def is_mathematics(text: str) -> bool:
    """Whether a span is short mathematics: only formulas of a known vocabulary."""
    return (
        len(text) <= MAX_LENGTH
        and _ALLOWED.fullmatch(text) is not None
        and "__" not in text
        and not _SENTENCE.search(text)
        and all(word in _COMMANDS for word in _WORD.findall(_ENVIRONMENT.sub("", text)))
        and all(command in _COMMANDS for command in _COMMAND.findall(text))
    )

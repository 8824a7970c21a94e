"""Answers in words: option letters and their texts, yes and no, names."""

from __future__ import annotations

import re
from functools import lru_cache

from vlm_boundary.verifier.latex import plain_math

_LETTER = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|answer)\s*(?:is\s*)?:?\s*)?"
    r"(?:[(\[]\s*([A-Ja-j])\s*[)\]]|([A-J])(?=\s*$|[).:,]|\s+(?:is|because|since)\b)|([a-j])(?=\s*$|[).]))"
    r"[).:,\s]*(.*)",
    re.DOTALL | re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,;.&+/()\[\]{}]|\b(?:and|or|options?|choices?)\b", re.IGNORECASE)
_LETTERS = re.compile(r"[A-J]+")
_PUNCTUATION = re.compile(r"[^\w\s%°+\-/.:]|(?<!\d)[.:]|[.:](?!\d)")
_ARTICLES = re.compile(r"\b(?:the|a|an)\b")
_YES = {"yes": "yes", "no": "no", "true": "true", "false": "false", "是": "yes", "否": "no"}
_YES_HEAD = re.compile(r"\s*(yes|no|true|false|是|否)(?=$|[\s,.;:!，。])", re.IGNORECASE)


@lru_cache(maxsize=8192)
def normal_text(text: str) -> str:
    """Text as it is compared: no case, articles, punctuation, Markdown or LaTeX wrapping."""
    plain = plain_math(text[:2000]).casefold().replace("_", " ")
    plain = _PUNCTUATION.sub(" ", plain)
    if len(plain) > 2:
        plain = _ARTICLES.sub(" ", plain)
    return " ".join(plain.split())


def option_letter(text: str) -> tuple[str, str] | None:
    """The letter of an option and what stands behind it: "(B) 5 cm" is ("B", "5 cm")."""
    match = _LETTER.fullmatch(plain_math(text[:500]).strip(" .*"))
    if not match:
        return None
    letter = match[1] or match[2] or match[3]
    return letter.upper(), match[4].strip()


def option_letters(text: str) -> frozenset[str] | None:
    """The letters of several options and nothing else: "A, C", "AC", "(A) and (C)"."""
    plain = _BETWEEN.sub("", plain_math(text[:500]))
    return frozenset(plain) if _LETTERS.fullmatch(plain) else None


def yes_or_no(text: str) -> str | None:
    """The yes or no that a text begins with."""
    match = _YES_HEAD.match(text)
    return _YES[match[1].lower()] if match else None

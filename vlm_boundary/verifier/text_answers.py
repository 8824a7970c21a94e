"""Answers in words: option letters and their texts, yes and no, names."""

from __future__ import annotations

import re
from functools import lru_cache

from vlm_boundary.verifier.latex import plain_math

_LETTER = re.compile(
    r"(?:[\u3040-\u30ff\u4e00-\u9fff，、,:：;\s]{1,24}(?<!\s)\s*)?"
    r"(?:(?:it\s+is|it's|definitely|certainly|clearly|surely|obviously|for\s+sure)\s+)*"
    r"(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|answer)\s*(?:is\s*)?:?\s*)?"
    r"(?:[(\[]\s*([A-Ja-j])\s*[)\]]|([A-J])(?=\s*$|[).:,。で]|\s+(?:is|because|since)\b)|([a-j])(?=\s*$|[).]))"
    r"[).:,\s]*(?:です|である|。)?(.*)",
    re.DOTALL | re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,;.&+/()\[\]{}]|\b(?:and|or|options?|choices?)\b", re.IGNORECASE)
_LETTERS = re.compile(r"[A-J]+")
_NOT = re.compile(r"[不非错误除没]")
_PUNCTUATION = re.compile(r"[^\w\s%°+\-/.:=<>≤≥≠≈±√^*|∠∞$€£]|(?<!\d)[.:]|[.:](?!\d)")
_AROUND = re.compile(r" ?([=<>≤≥≠≈+*/^±-]) ?")
_ARTICLES = re.compile(r"\b(?:the|an|a)\s+(?=[^\W\d_]{2})")
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?![\d-])")  # 3 5 is not 35
_SEPARATORS = re.compile(r",?\s+(?:and|&)\s+|[,;]\s+")
_YES = {"yes": "yes", "no": "no", "true": "true", "false": "false", "是": "yes", "否": "no"}
_YES_HEAD = re.compile(
    r"\s*(?:the\s+(?:correct\s+)?answer\s+is\s*:?\s*)?[*\"']*(yes|no|true|false|是|否)[*\"']*"
    r"(?:(?=\s*[,.;:!，。\n(—–]|\s*$)|\s+(?=(?:because|since|as|it|he|she|they|there|this|that|the)\b))",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"\b(?:yes|no|not\s+really|maybe|perhaps|true|false)\b|是|否", re.IGNORECASE
)
_OF_TWO = re.compile(r"^\W*(?:and|or|wait|but|maybe|perhaps|unsure|not\s+sure)\b", re.IGNORECASE)

_NOT_AFTER_ALL = re.compile(
    r"\bbut\s+(?:it|this|that|they|he|she|the\s+\w+(?:\s+\w+)?)\s+"
    r"(?:is|are|was|were|does|do|did|has|have|can)(?:\s+(?:actually|really|in\s+fact))?(?:\s+not|n't)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def normal_text(text: str) -> str:
    """Text as it is compared: no case, articles, punctuation, Markdown or LaTeX wrapping."""
    plain = plain_math(text[:2000]).casefold().replace("_", " ")
    plain = _PUNCTUATION.sub(" ", plain)
    plain = _ARTICLES.sub(" ", plain)
    return _AROUND.sub(r"\1", " ".join(plain.split()))


def listed_words(text: str) -> list[str]:
    """The texts that commas and "and" separate, in order: "red, green and blue"."""
    return [normal_text(part) for part in _SEPARATORS.split(text[:2000]) if part.strip()]


def option_letter(text: str) -> tuple[str, str] | None:
    """The letter of an option and what stands behind it: "(B) 5 cm" is ("B", "5 cm")."""
    match = _LETTER.fullmatch(plain_math(text[:500]).strip(" .*"))
    if not match or _NOT.search(match[0][: match.start(match.lastindex or 0)]):
        return None
    letter = match[1] or match[2] or match[3]
    return letter.upper(), match[4].strip()


def option_letters(text: str) -> frozenset[str] | None:
    """The letters of several options and nothing else: "A, C", "AC", "(A) and (C)"."""
    plain = _BETWEEN.sub("", plain_math(text[:500]))
    return frozenset(plain) if _LETTERS.fullmatch(plain) else None


def yes_or_no(text: str) -> str | None:
    """The yes or no that a text begins with, where nothing in it takes that back."""
    match = _YES_HEAD.match(text[:500])
    if not match:
        return None
    said, rest = _YES[match[1].lower()], text[match.end() : 500]
    if _OF_TWO.match(rest) or _NOT_AFTER_ALL.search(rest):
        return None
    others = {
        _YES.get(other[0].lower()) for other in _YES_OR_NO.finditer(rest) if _alone(rest, other)
    }
    return said if others <= {said} else None


def _alone(text: str, match: re.Match[str]) -> bool:
    """Whether a yes or no stands by itself, and is not the "no" of "there is no square"."""
    after = text[match.end() : match.end() + 2].lstrip(" *\"'")
    return not after or not after[0].isalpha()


@lru_cache(maxsize=8192)
def written(text: str) -> str:
    """An answer as it is written, except for spaces, dollars, brackets' sizes and a final stop."""
    return _SPACE.sub("", plain_math(text[:2000])).strip(".,;:。，；")

r"""The last complete \boxed{…} of an output, and the plain comparison of what it holds."""

from __future__ import annotations

import re
import unicodedata

_BOX = re.compile(r"\\boxed\s*\{")
_LOOSE = re.compile(r"[\s$]+")


def last_boxed(scope: str) -> str | None:
    r"""The content of the last \boxed{…} whose braces close, or None."""
    for opening in reversed([match.end() for match in _BOX.finditer(scope)][-32:]):
        depth = 1
        for place in range(opening, len(scope)):
            depth += {"{": 1, "}": -1}.get(scope[place], 0)
            if depth == 0:
                return scope[opening:place]
    return None


def plain(text: str) -> str:
    """Text as it is compared: compatibility forms folded, no spaces, dollars, case or full stop."""
    folded = unicodedata.normalize("NFKC", text)
    inner = re.sub(r"^\\text\s*\{(.*)\}$", r"\1", folded.strip())
    return _LOOSE.sub("", inner).casefold().rstrip(".")

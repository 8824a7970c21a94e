"""Second opinions: what the official rules of MathVista and MATH-V, and math-verify, would say.

They stand beside our verdicts, for people to look at where they differ; no number rests on them.
The official rules are rewritten from their published behaviour, faults included, and without the
`eval` that some of them use on a model's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from vlm_boundary.pages import page_template
from vlm_boundary.records.verdict import Verdict
from vlm_boundary.verifier.compare import target_of
from vlm_boundary.verifier.faults import FAULTS
from vlm_boundary.verifier.pool import KillingPool
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.symbolic import is_mathematics
from vlm_boundary.verifier.values import Number, Value, unnamed
from vlm_boundary.verifier.verdict import Gold, Output
from vlm_boundary.writing import replacing

_OPTION = re.compile(r"\(([A-Za-z])\)")
_MAX_OUTPUT = 20_000
_Read = TypeVar("_Read")
LISTED = 1000
"""Disagreements that a page shows."""


@dataclass(frozen=True)
class Opinions:
    """True, false, or None where the rule has no answer or ran out of time.

    The first two judge our extraction, as they come with extractors of their own that ask a
    language model; math-verify reads the whole output.
    """

    mathvista: bool | None
    mathvision: bool | None
    math_verify: bool | None

    def as_dict(self) -> dict[str, bool | None]:
        """By name."""
        return asdict(self)


def second_opinions(
    outputs: Sequence[Output], verdicts: Sequence[Verdict], pool: KillingPool
) -> list[Opinions]:
    """What the other rules say of each output, asked once of those that are alike."""
    keys = [
        (o.text[-_MAX_OUTPUT:], o.target(), v.extracted)
        for o, v in zip(outputs, verdicts, strict=True)
    ]
    distinct = {key: None for key in keys}
    whole = pool.ask("math_verify", [(text, gold.answer) for text, gold, _ in distinct])
    rounded = _mathvision([(extracted, gold) for _, gold, extracted in distinct], pool)
    said = {
        key: Opinions(_mathvista(key[2], key[1]), mathvision, answer)
        for key, mathvision, (answer, _) in zip(distinct, rounded, whole, strict=True)
    }
    return [said[key] for key in keys]


def _mathvista(extracted: str | None, gold: Gold) -> bool | None:
    try:
        return mathvista(extracted, gold)
    except FAULTS:  # in one text; the rule has no answer then
        return None


def mathvista(extracted: str | None, gold: Gold) -> bool:
    """MathVista's rule: normalise by answer type, then compare as strings.

    It truncates to an integer (4.7 passes for 4), rounds a float to its precision, and takes the
    most similar choice for a text that is none of them.
    """
    if extracted is None:
        return False
    text = extracted.strip()
    if gold.choices:
        return _most_similar_choice(text, gold.choices) == gold.answer
    with suppress(ValueError, OverflowError):
        if gold.answer_type == "integer":
            return str(int(float(text))) == gold.answer
        if gold.answer_type == "float":
            return str(round(float(text), gold.precision or 0)) == gold.answer
        return text == gold.answer
    return False


def _most_similar_choice(text: str, choices: Sequence[str]) -> str:
    letter = _OPTION.search(text)
    name = letter[1].upper() if letter else text.upper()
    if len(name) == 1 and 0 <= ord(name) - ord("A") < len(choices):
        return choices[ord(name) - ord("A")]
    return min(choices, key=lambda choice: _distance(choice[:200], text[:200]))


def _distance(one: str, two: str) -> int:
    """Edit distance of Levenshtein."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(two, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def _mathvision(
    extractions: Sequence[tuple[str | None, Gold]], pool: KillingPool
) -> list[bool | None]:
    """MATH-V's rule: the same string, or the same value once both are rounded to two decimals."""
    answers: list[bool | None] = []
    asked: list[tuple[int, tuple[str, str]]] = []
    for place, (answer, gold) in enumerate(extractions):
        wanted = gold.answer
        if answer is None:
            answers.append(False)
        elif _bare(answer) == _bare(wanted):
            answers.append(True)
        else:
            first = _number(read, answer)
            second = _number(lambda gold: target_of(gold).value, gold)
            if first is not None and second is not None:
                answers.append(round(first, 2) == round(second, 2))
            else:
                answers.append(False)
                if is_mathematics(answer) and is_mathematics(wanted) and "\\" in answer + wanted:
                    asked.append((place, (answer, wanted)))
    replies = pool.ask("rounded_equal", [request for _, request in asked])
    for (place, _), (reply, why) in zip(asked, replies, strict=True):
        answers[place] = None if why == "deadline" else bool(reply)
    return answers


def _bare(text: str) -> str:
    return re.sub(r"[\s$]", "", text).rstrip(".").lower()


def _number(reading: Callable[[_Read], Value | None], of: _Read) -> float | None:
    """What a reading gives as a float; None where it is no number, or none that is covered."""
    try:
        value = unnamed(reading(of))
        return value.value.approximate if isinstance(value, Number) else None
    except FAULTS:  # what is not covered is among them
        return None


class Disagreements:
    """Outputs that some rule, or another tool, judges otherwise than the verifier.

    Attributes:
        total: outputs that were compared.
        found: those that someone judges otherwise; the first `LISTED` are kept.
    """

    def __init__(self) -> None:
        self.total = 0
        self.found = 0
        self._names: dict[str, None] = {}
        self._listed: list[tuple[str, Output, Verdict, Mapping[str, bool | None]]] = []

    def add(
        self, label: str, output: Output, verdict: Verdict, said: Mapping[str, bool | None]
    ) -> None:
        """Compare an output's verdict with what others say of it, by their names."""
        self.total += 1
        self._names |= dict.fromkeys(said)
        if any(opinion is not verdict.correct for opinion in said.values()):
            self.found += 1
            if len(self._listed) < LISTED:
                self._listed.append((label, output, verdict, said))

    def write(self, path: Path) -> None:
        """Write them as a page."""
        page = page_template("vlm_boundary.verifier", "disagreements.html.j2").render(
            rows=self._listed,
            found=self.found,
            total=self.total,
            names=list(self._names),
        )
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8", errors="replace")

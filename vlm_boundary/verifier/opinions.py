"""Second opinions: what the official rules of MathVista and MATH-V, and math-verify, would say.

They stand beside our verdicts, for people to look at where they differ; no number rests on them.
The official rules are rewritten from their published behaviour, faults included, and without the
`eval` that some of them use on a model's text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from vlm_boundary.verifier.compare import target_of
from vlm_boundary.verifier.exact import Unsupported
from vlm_boundary.verifier.pool import KillingPool
from vlm_boundary.verifier.reader import read
from vlm_boundary.verifier.symbolic import is_mathematics
from vlm_boundary.verifier.values import Number, Relation, Value
from vlm_boundary.verifier.verdict import Gold, Output, Verdict

if TYPE_CHECKING:
    from pathlib import Path

_OPTION = re.compile(r"\(([A-Za-z])\)")
_MAX_OUTPUT = 20_000


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
    outputs: Sequence[Output], verdicts: Sequence[Verdict], workers: int | None = None
) -> list[Opinions]:
    """What the other rules say of each output."""
    pool = KillingPool(workers)
    try:
        whole = pool.ask(
            "math_verify", [(o.text[-_MAX_OUTPUT:], o.target().answer) for o in outputs]
        )
        rounded = _mathvision(outputs, verdicts, pool)
    finally:
        pool.close()
    return [
        Opinions(mathvista(v.extracted, o.target()), mathvision, answer)
        for o, v, mathvision, (answer, _) in zip(outputs, verdicts, rounded, whole, strict=True)
    ]


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
    outputs: Sequence[Output], verdicts: Sequence[Verdict], pool: KillingPool
) -> list[bool | None]:
    """MATH-V's rule: the same string, or the same value once both are rounded to two decimals."""
    answers: list[bool | None] = []
    asked: list[tuple[int, tuple[str, str]]] = []
    for place, (output, verdict) in enumerate(zip(outputs, verdicts, strict=True)):
        answer, wanted = verdict.extracted, output.target().answer
        if answer is None:
            answers.append(False)
        elif _bare(answer) == _bare(wanted):
            answers.append(True)
        else:
            one, two = _value(answer), target_of(output.target()).value
            first, second = _float(one), _float(two)
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


def _value(text: str) -> Value | None:
    try:
        return read(text)
    except Unsupported:
        return None


def _float(value: Value | None) -> float | None:
    if isinstance(value, Relation):
        value = value.right
    return value.value.approximate if isinstance(value, Number) else None


def write_disagreements(
    path: Path,
    labels: Sequence[str],
    outputs: Sequence[Output],
    verdicts: Sequence[Verdict],
    opinions: Sequence[Opinions],
) -> int:
    """Write a page with every output that someone judges otherwise; returns how many there are."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vlm_boundary.verifier", "."),
        autoescape=True,  # outputs come from models
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = [
        {"label": label, "output": o, "gold": o.target(), "verdict": v, "opinions": p.as_dict()}
        for label, o, v, p in zip(labels, outputs, verdicts, opinions, strict=True)
        if any(opinion is not v.correct for opinion in p.as_dict().values())
    ]
    page = environment.get_template("disagreements.html.j2").render(
        rows=rows, total=len(outputs), names=list(Opinions.__dataclass_fields__)
    )
    path.write_text(page, encoding="utf-8", errors="replace")
    return len(rows)

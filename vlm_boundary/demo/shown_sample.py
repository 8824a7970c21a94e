"""One sample as HTML: its text with what was found in it, its verdict, numbers and checks."""

from __future__ import annotations

from html import escape

from vlm_boundary.demo.drawn import DrawnSample, Response
from vlm_boundary.demo.text import LONGEST_RENDERED, Highlight, MarkKind, plain, rendered, visible

_MOST_HITS = 200  # marked in one text
_RULES = {"mathvista": "MathVista", "mathvision": "MATH-V", "math_verify": "math-verify"}


def sample_body(
    drawn: DrawnSample, *, marks: bool = True, raw: bool = False, found: str = ""
) -> str:
    """A sample's text with what was extracted and checked marked where it stands.

    Args:
        marks: whether these are shown.
        raw: as written, else with its Markdown and formulas rendered.
        found: what was searched for, which is marked too.
    """
    pointed = _marks(drawn) if marks else []
    pointed += _hits(drawn.response.text, found)
    text = drawn.response.text
    if not text:
        return '<p class="vb-empty">The model wrote nothing.</p>'
    return plain(text, pointed) if raw else rendered(text, pointed)


def verdict_line(drawn: DrawnSample) -> str:
    """What the verifier made of a sample."""
    verdict = drawn.verdict
    if verdict is None:
        return '<p class="vb-verdict vb-is-rest">not graded yet</p>'
    kind_of = {True: "right", False: "wrong", None: "undecided"}[verdict.correct]
    sign = {"right": "✓", "wrong": "✗", "undecided": "?"}[kind_of]
    said = verdict.extracted
    answer = f"<b>{visible(said, 120)}</b>" if said is not None else "no answer found"
    read = verdict.normalised
    as_read = f" read as {visible(read, 120)}," if read is not None and read != said else ""
    flags = "".join(f' <span class="vb-flag">{visible(f, 60)}</span>' for f in verdict.flags)
    rules = [
        f"{name}: {'right' if drawn.opinions[key] else 'wrong'}"
        for key, name in _RULES.items()
        if drawn.opinions.get(key) is not None and drawn.opinions[key] != (verdict.correct is True)
    ]
    against = f' <span class="vb-warn">but {escape("; ".join(rules))}</span>' if rules else ""
    return (
        f'<p class="vb-verdict vb-is-{kind_of}"><span>{sign} {escape(verdict.status)}</span> '
        f'{answer} <span class="vb-quiet">{as_read} from {escape(verdict.source)}, '
        f"rule {escape(verdict.rule)}</span>{flags}{against}</p>"
    )


def numbers_line(response: Response) -> str:
    """How a sample ended, its length, log-probability and seed."""
    logprob = response.logprob_sum
    tokens = response.tokens
    facts = [
        f"ended by {visible(response.finish_reason, 30)}",
        f"{tokens:,} tokens" if tokens is not None else "",
        f"log-probability {_signed(logprob, 2)}" if logprob is not None else "no log-probability",
        f"{_signed(logprob / tokens, 3)} a token" if logprob is not None and tokens else "",
        f"seed {response.seed}" if response.seed is not None else "no seed",
    ]
    said = " · ".join(fact for fact in facts if fact)
    return f'<p class="vb-quiet vb-numbers">{said}</p>'


def _signed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def checks(drawn: DrawnSample) -> str:
    """What each layer says of a sample's reasoning."""
    rows = []
    for layer, check in sorted(drawn.checks.items()):
        name = {True: "valid", False: "invalid", None: "not judged"}[check.valid]
        if check.valid is False and not any(found.veto for found in check.evidence):
            name = "nothing against it, but a wrong answer is never valid"
        flags = ", ".join(visible(flag, 80) for flag in check.flags)
        notes = "".join(
            f"<li>{visible(found.flag, 60)}: {visible(found.note, 300)}</li>"
            for found in check.evidence[:20]
        )
        listed = f"<ul>{notes}</ul>" if notes else ""
        rows.append(
            f'<div class="vb-check vb-{name.partition(" ")[0]}"><b>{visible(layer, 40)}</b> '
            f"{name} {f'({flags})' if flags else ''}{listed}</div>"
        )
    return f'<div class="vb-checks">{"".join(rows)}</div>' if rows else ""


def _hits(text: str, wanted: str) -> list[Highlight]:
    """Where a text holds what was searched for."""
    found: list[Highlight] = []
    start = text.find(wanted) if wanted else -1
    while start >= 0 and len(found) < _MOST_HITS:
        found.append(Highlight(start, start + len(wanted), "found"))
        start = text.find(wanted, start + len(wanted))
    return found


def _marks(drawn: DrawnSample) -> list[Highlight]:
    found = []
    if drawn.verdict and drawn.verdict.span:
        start, end = drawn.verdict.span
        found.append(Highlight(start, end, "answer", "the extracted answer"))
    pointed = []
    for layer, check in drawn.checks.items():
        for one in check.evidence:
            note = f"{layer}, {one.flag}: {one.note}"
            kind_of: MarkKind = "fault" if one.veto else "hint"
            pointed.append(Highlight(one.start, one.end, kind_of, note))
    if "arithmetic" in drawn.checks:
        found += _sound_steps(drawn.response.text, pointed)
    return found + pointed


def _sound_steps(text: str, pointed: list[Highlight]) -> list[Highlight]:
    """The equations that the arithmetic layer reads and has nothing against."""
    if len(text) > LONGEST_RENDERED:
        return []
    from vlm_boundary.reasoning.text.equations import equations

    spans = ((step.left.start, step.right.end) for step in equations(text, 0, len(text)))
    return [
        Highlight(start, end, "sound", "read, and no error found")
        for start, end in spans
        if not any(mark.start < end and start < mark.end for mark in pointed)
    ]

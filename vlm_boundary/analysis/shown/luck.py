"""Tables of what guessing explains, and of what the verifier may have got wrong."""

from __future__ import annotations

from vlm_boundary.analysis.findings import Part, first_looks
from vlm_boundary.analysis.shown.table import (
    TextTable,
    interval,
    minus,
    p_value,
    percent,
    points,
    table,
)
from vlm_boundary.records.record import Range
from vlm_boundary.records.sections import (
    ByLuck,
    ControlArm,
    GuessFilter,
    LabelledErrors,
    Luck,
    VerifierErrors,
)


def above_floor(part: Part[Luck]) -> TextTable:
    """What each arm solves, and what of that its own answers to other problems do not explain."""
    rows: list[tuple[str, ...]] = [
        (
            arm,
            str(one.solved),
            _by_luck(one.by_luck),
            "–" if not one.tested else f"{one.above_floor} of {one.tested}",
            percent(one.floor_pass_at_k.get(1)),
            percent(one.floor_pass_at_k.get(part.content.arms[arm].alike)),
        )
        for arm, one in part.found.by_arm(part.section.arms).items()
    ]
    guesser = part.section.guesser.pass_at_k
    ends = percent(guesser[1]), percent(guesser[max(guesser)])
    rows.append(("a blind guesser", "–", "–", "–", *ends))
    header = ("arm", "solved", "by luck", "above its floor", "floor at k = 1", "floor at k = n")
    title = (
        "problems solved at least once, how many are when the arm's lists of answers "
        f"are exchanged, and problems solved above the arm's own guess floor (false discovery rate "
        f"{part.section.false_discovery_rate:.0%}; of those with {part.section.fewest_lists} other "
        f"lists of their type or more){_first(part)}"
    )
    return table(part, title, header, rows)


def _first(part: Part[Luck]) -> str:
    """What a title adds where problems end early: n is then that of the first look."""
    first = first_looks(part.content.arms.values())
    return f"; where problems end early, in the first {first}" if first else ""


def _by_luck(one: ByLuck | None) -> str:
    if one is None:
        return "–"
    return f"{one.expected:.1f} [{one.low}, {one.high}] of {one.problems}"


def above_floor_pairs(part: Part[Luck]) -> TextTable:
    """The solved sets above each arm's own floor."""
    rows = [
        (f"{pair.base} / {pair.other}", *map(str, pair.counts), p_value(pair.mcnemar_p_value))
        for pair in part.found.pairs(part.section.pairs)
    ]
    header = ("pair", "both", "first only", "second only", "neither", "McNemar p")
    title = f"problems solved above each arm's own guess floor{_first(part)}"
    return table(part, title, header, rows)


def controls(part: Part[dict[str, dict[str, ControlArm]]]) -> TextTable:
    """What is solved without the picture, with another, without reasoning."""
    rows = [
        (
            f"{arm}, {condition.replace('_', ' ')}, k = {k}",
            percent(one.pass_at_k.get(k)),
            points(one.full_minus_control.get(k)),
            str(one.problems),
        )
        for condition, by_arm in part.section.items()
        for arm, one in by_arm.items()
        for k in sorted({1, one.n})
    ]
    header = ("control", "pass@k (%)", "as it is − control (points)", "problems")
    return table(part, "controls", header, rows)


def guess_filter(part: Part[list[GuessFilter]]) -> TextTable:
    """Pairs on the problems that direct answers do not guess."""
    rows = []
    for one in part.section:
        left = "–"
        reason = f"needs {one.draws_needed} direct answers a problem, there are {one.draws}"
        ends = reason, "–"
        if one.surviving is not None:
            left = str(one.surviving)
            ends = points(one.difference[1]), points(one.difference[max(one.difference)])
        rows.append((minus(one), left, str(one.problems), *ends))
    header = ("difference", "problems left", "of", "at k = 1 (points)", "at k = n (points)")
    title = "without the problems that direct answers guess now and then"
    return table(part, title, header, rows)


def verifier_error(part: Part[VerifierErrors]) -> TextTable:
    """Numbers corrected for a measured error of the verifier, and what it leaves possible."""
    section = part.section
    rows = []
    for arm, one in part.found.by_arm(section.arms).items():
        own = ""
        if one.false_positive:
            accepted = interval(one.false_positive, "{:.2f}")
            rejected = interval(one.false_negative, "{:.2f}")
            own = f" (its own: wrong accepted {accepted} %, right rejected {rejected} %)"
        plain, reach = (
            part.content.arms[arm].pass_at_k[1],
            one.pass_at_k_range[max(one.pass_at_k_range)],
        )
        rows.append(
            (f"{arm}{own}", percent(plain), percent(one.pass_at_1), _range(reach, "{:.1f}"))
        )
    for pair in part.found.pairs(section.pairs):
        compared = part.content.pair(pair.names)
        observed = points(compared.difference[1] if compared else None)
        reach = pair.difference_range[max(pair.difference_range)]
        corrected = points(pair.difference_at_1)
        rows.append((minus(pair), observed, corrected, _range(reach, "{:+.1f}")))
    title = "what the verifier's error does"
    if section.false_positive and section.false_negative:
        accepted, rejected = (
            interval(one, "{:.2f}") for one in (section.false_positive, section.false_negative)
        )
        title += f": wrong answers accepted {accepted} %, right ones rejected {rejected} %"
    header = ("", "k = 1 as it is", "k = 1 corrected", "possible range at k = n")
    return table(part, title, header, rows)


def labelled_verdicts(part: Part[VerifierErrors]) -> TextTable:
    """What people say of answers that the verifier accepted or not, by arm and difficulty."""
    rows = []
    for arm, one in part.found.by_arm(part.section.labelled).items():
        rows.append(_labelled(arm, one))
        for share, errors in one.by_difficulty.items():
            rows.append(_labelled(f"{arm}, base right {share}", errors))
    header = (
        "answers", "accepted: right of those read", "rejected: right of those read",
        "wrong accepted (%)", "right rejected (%)",
    )  # fmt: skip
    title = (
        "the verifier against people (by how often the base's other answers to a problem are right)"
    )
    return table(part, title, header, rows)


def _labelled(name: str, one: LabelledErrors) -> tuple[str, ...]:
    checked = (f"{each.right} of {each.read}" for each in (one.accepted, one.rejected))
    rates = (interval(each, "{:.2f}") for each in (one.false_positive, one.false_negative))
    return name, *checked, *rates


def _range(one: Range, form: str) -> str:
    if one.low is None or one.high is None:
        return "–"
    return f"{form.format(100 * one.low)} to {form.format(100 * one.high)}"

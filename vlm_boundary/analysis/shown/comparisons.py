"""Tables of arms, of pairs, and of what became of the samples."""

from __future__ import annotations

from vlm_boundary.analysis.findings import Part, first_looks
from vlm_boundary.analysis.shown.table import (
    TextTable,
    at,
    ends,
    interval,
    minus,
    p_value,
    percent,
    points,
    points_of,
    share,
    table,
)
from vlm_boundary.records.analysis import ArmAnalysis, Multiplicity, PairAnalysis
from vlm_boundary.records.sections import FollowUp, Perplexity, SelfTest

_Arms = Part[dict[str, ArmAnalysis]]
_Pairs = Part[list[PairAnalysis]]


def curves(part: _Arms) -> TextTable:
    """pass@k at the k of tables, and its paired differences."""
    arms, pairs = part.found.by_arm(part.section), part.found.pairs(part.content.pairs)
    rows = [
        (
            str(k),
            *(percent(one.pass_at_k.get(k)) for one in arms.values()),
            *(points(pair.difference.get(k)) for pair in pairs),
        )
        for k in part.content.ks
    ]
    header = ("k", *arms, *map(minus, pairs))
    title = f"pass@k in %, {part.found.level} intervals (Student's t over problems)"
    return table(part, title, header, rows)


def differences(part: _Pairs) -> TextTable:
    """Each difference with every interval there is."""
    rows = [
        (
            f"{minus(pair)}, k = {k}",
            points(entry),
            ends(entry.bootstrap, "{:+.1f}"),
            ends(entry.band, "{:+.1f}"),
            points(pair.this_benchmark.get(k)),
            str(entry.problems),
        )
        for pair in part.found.pairs(part.section)
        for k, entry in at(pair.difference, part.content.ks)
    ]
    header = (
        "difference", "Student's t", "bootstrap-t", "band over all k", "this very benchmark",
        "problems",
    )  # fmt: skip
    title = (
        f"differences in points, {part.found.level}: problems like these (this very "
        f"benchmark: only the samples drawn again)"
    )
    return table(part, title, header, rows)


def equivalence(part: _Pairs) -> TextTable:
    """The differences at k = 1 and k = n held against the margin."""
    stated = [(pair, pair.equivalence) for pair in part.found.pairs(part.section)]
    rows = [
        (f"{minus(pair)}, k = {k}", points(one), p_value(one.p_value))
        for pair, found in stated
        if found
        for k, one in found.at.items()
    ]
    margin, level = next(((one.margin, one.level) for _, one in stated if one), (0.0, 0.0))
    title = (
        f"differences in points held against ±{100 * margin:g}: {level:.0%} intervals "
        "and the p-value of two one-sided tests, before all claims are allowed for"
    )
    return table(part, title, ("difference", f"{level:.0%} interval", "p"), rows)


def crossovers(part: _Pairs) -> TextTable:
    """Where pairs cross."""
    rows = []
    for pair in part.found.pairs(part.section):
        turn = pair.crossover
        ks = ["–" if k is None else str(k) for k in (turn.estimate, turn.low, turn.high)]
        status = turn.status.replace("_", " ")
        if turn.status == "none":
            status += ", ruled out" if turn.excluded else ", not ruled out"
        rows.append((minus(pair), *ks, status))
    header = ("difference", "crossover k", "from", "to", "status")
    title = "the k at which the difference turns from above zero to zero or below"
    return table(part, title, header, rows)


def solved(part: _Pairs) -> TextTable:
    """The solved sets at n, and what they say of support."""
    rows = []
    pairs = part.found.pairs(part.section)
    for pair in pairs:
        support = pair.support
        shares = map(share, (support.srr, support.ndr, support.sds, support.nscr))
        cells = (*map(str, pair.solved.counts), p_value(pair.mcnemar_p), *shares)
        rows.append((f"{pair.base} / {pair.other}", *cells))
    header = (
        "pair", "both", "first only", "second only", "neither", "McNemar p", "SRR", "NDR", "SDS",
        "NSCR",
    )  # fmt: skip
    bounds = [pair.unsolved_below for pair in pairs if pair.unsolved_below is not None]
    note = ""
    if bounds:
        note = f"; unsolved means a success probability below {max(bounds):.1%}, one-sided, not 0"
    return table(part, f"problems solved at least once{note}", header, rows)


def transitions(part: _Pairs) -> TextTable:
    """Which share of problems one arm of a pair solves and the other does not."""
    rows = [
        (
            f"{minus(pair)}, k = {k}",
            percent(gained),
            percent(pair.lost[k]),
            points(pair.difference[k]),
        )
        for pair in part.found.pairs(part.section)
        for k, gained in pair.gained.items()
    ]
    header = ("pair", "solved by the second alone", "by the first alone", "difference (points)")
    title = f"% of problems gained and lost in k samples of each, {part.found.level}"
    return table(part, title, header, rows)


def needed(part: _Pairs) -> TextTable:
    """How many problems or samples would resolve a gap of the size seen."""
    rows = [
        (
            f"{minus(pair)}, k = {k}",
            points_of(pair.difference[k].estimate),
            points_of(found.smallest_gap).lstrip("+"),
            "–" if found.problems is None else f"{found.problems:,}",
            "–" if found.samples is None else f"{found.samples:,}",
        )
        for pair in part.found.pairs(part.section)
        for k in sorted({1, pair.n})
        if (found := pair.needed.get(k))
    ]
    header = ("difference", "seen", "smallest found", "problems needed", "or samples of each")
    title = "what finds a gap of the size seen 80 % of the time (–: no number would)"
    return table(part, title, header, rows)


def alone(part: _Arms) -> TextTable:
    """What one answer, the average and the vote do."""
    rows = []
    for arm, values in part.found.by_arm(part.section).items():
        single = values.single_pass
        kind = "greedy" if single.greedy else "first sample"
        if single.arm != arm:
            kind += f" of {single.arm}"
        last = values.alike
        rows.append(
            (
                arm,
                f"{percent(single)} ({kind})",
                percent(values.avg_at_n),
                percent(values.maj_at_k[last]),
                percent(values.pass_hat_k[last]),
                percent(values.g_pass_at_k["0.5"].get(last)),
                percent(values.cover_at_tau["0.5"]),
            )
        )
    header = ("arm", "single pass", "avg@n", "maj@n", "pass^n", "G-Pass@n, τ 0.5", "Cover@0.5")
    title = f"one answer, the average, the vote, and consistency, in %, {part.found.level}"
    if first := first_looks(part.content.arms.values()):
        title += f"; where problems end early, votes and consistency are of the first {first}"
    return table(part, title, header, rows)


def self_test(part: Part[list[SelfTest]]) -> TextTable:
    """What was found between a checkpoint and itself."""
    rows = [
        (
            f"{row.arm} against {row.against}",
            str(row.n),
            f"{len(row.found_at)} of {row.n}",
            "yes" if row.found_by_band else "no",
            row.crossover.status.replace("_", " "),
        )
        for row in part.section
    ]
    header = ("same checkpoint twice", "k up to", "k with a difference", "by the band", "crossover")
    title = (
        "self-test: a true difference is zero here; one k in twenty errs, and "
        "neighbours err together"
    )
    return table(part, title, header, rows)


def followup(part: Part[list[FollowUp]]) -> TextTable:
    """What fresh samples say of problems that one arm alone solved."""
    rows = [
        (
            f"{row.base} / {row.other}: "
            + ("first only" if row.cell == "base_only" else "second only"),
            str(row.problems),
            f"{row.fresh_samples.base:,} / {row.fresh_samples.other:,}",
            str(row.solved_again.base),
            str(row.solved_again.other),
        )
        for row in part.section
    ]
    header = ("cell", "problems", "fresh samples", "solved by the first", "by the second")
    title = "problems that one alone had solved, in fresh samples of both"
    return table(part, title, header, rows)


_CLAIMS = {
    "first": "k = {k}",
    "last": "k = {k}",
    "no_crossover": "no crossover up to k = {k}",
    "within_first": "less than {margin:g} points at k = {k}",
    "within_last": "less than {margin:g} points at k = {k}",
}


def family(multiplicity: Multiplicity, confidence: float) -> TextTable:
    """Every claim of the report, adjusted for there being so many."""
    margin = 100 * (multiplicity.margin or 0.0)
    rows = [
        (
            f"{test.benchmark}: {minus(test)}, "
            + _CLAIMS[test.claim].format(k=test.k, margin=margin),
            p_value(test.p),
            p_value(test.p_holm),
            "claimed" if test.p_holm is not None and test.p_holm <= 1 - confidence else "open",
        )
        for test in multiplicity.tests
    ]
    title = (
        f"All {len(rows)} claims of this report as one family: with Holm's p at most "
        f"{1 - confidence:.0%} the report says so"
    )
    return TextTable(title, ("claim", "p", "p, Holm's", "the report"), tuple(rows))


def outcomes(part: _Arms) -> TextTable:
    """How many samples ended how."""
    arms = part.found.by_arm(part.section)
    statuses = list(next(iter(arms.values())).statuses)
    stops = any(values.stopping for values in arms.values())
    rows = [
        (
            arm,
            str(values.problems),
            str(values.samples),
            *((str(values.n), f"{values.samples / max(values.problems, 1):.1f}") if stops else ()),
            *(str(values.statuses[status]) for status in statuses),
        )
        for arm, values in arms.items()
    ]
    depth = ("n at most", "n on average") if stops else ()
    named = (status.replace("_", " ") for status in statuses)
    header = ("arm", "problems", "samples", *depth, *named)
    return table(part, "what became of the samples", header, rows)


def perplexity(part: Part[list[Perplexity]]) -> TextTable:
    """Perplexity of responses, by who wrote and who reads them."""
    rows = [
        (
            f"{row.responses_of} under {row.under}",
            interval(row.perplexity, "{:.3f}", scale=1),
            str(row.perplexity.problems),
            str(row.responses),
            str(row.not_scored),
        )
        for row in part.section
    ]
    header = ("responses", "perplexity", "problems", "scored", "not scored")
    title = (
        "perplexity a token, end of turn counted: each problem's median response, "
        f"mean over problems, {part.found.level} intervals (Student's t over problems)"
    )
    return table(part, title, header, rows)


def sources(part: _Arms) -> TextTable:
    """Where each arm's answers stood: a verifier that favours one way favours an arm."""
    arms = part.found.by_arm(part.section)
    sources = list(next(iter(arms.values())).sources)
    rows = [
        (arm, *(f"{values.sources[s] / values.samples:.1%}" for s in sources))
        for arm, values in arms.items()
    ]
    return table(part, "where the answers stood", ("arm", *sources), rows)


def readings(part: _Arms) -> TextTable:
    """pass@k when only answers said outright count, as it is, and with the undecided as correct."""
    rows = []
    for arm, values in part.found.by_arm(part.section).items():
        curves = (values.pass_at_k_strict, values.pass_at_k, values.pass_at_k_lenient)
        for k in sorted({1, max(curves[0])}):
            if k in curves[0]:
                rows.append((f"{arm}, k = {k}", *(percent(curve[k]) for curve in curves)))
    header = ("arm", "strict", "as reported", "lenient")
    title = "pass@k in % by reading (strict: the answer was marked or said alone; "
    return table(part, title + "lenient: undecided counts as correct)", header, rows)

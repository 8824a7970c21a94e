"""Figures with k, or what k samples cost, on the x axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vlm_boundary.analysis.findings import (
    Findings,
    on_grid,
    powers_of_two,
    reading_name,
)
from vlm_boundary.counted import counted
from vlm_boundary.records.analysis import BenchmarkAnalysis, PairAnalysis
from vlm_boundary.records.record import Interval
from vlm_boundary.report.chart import Figure, Mark, Panel, Series, Style, interval_series

K = "k (samples per problem, log₂ scale)"
_CONDITIONS = (4, 5, 3)
_STYLES: tuple[Style, ...] = ("dashed", "dotted")


def pass_at_k(found: Findings) -> Figure:
    """Every arm's curve with its band, its own guess floor, and where pairs cross."""
    return Figure(
        "pass_at_k",
        "pass@k: problems solved at least once in k samples",
        f"The share of problems for which at least one of k sampled answers is right (shaded: "
        f"{found.level} intervals over problems). Dotted: what a model would score by luck, "
        "measured with the answers that it gave to other problems; in grey a guesser that sees no "
        "problem. A vertical line marks where two curves cross, shaded where its interval is "
        "known.",
        tuple(_pass_at_k(found, name, content) for name, content in found.benchmarks.items()),
    )


def _pass_at_k(found: Findings, name: str, content: BenchmarkAnalysis) -> Panel:
    arms = found.arms(content.arms)
    series = []
    for arm in arms:
        entries = on_grid(content.arms[arm].pass_at_k)
        series.append(interval_series(arm, entries, colour=found.colour(arm)))
    luck = content.luck
    if luck:
        for arm in arms:
            floor = on_grid(luck.arms[arm].floor_pass_at_k)
            series.append(_bare(f"guess floor of {arm}", floor, found.colour(arm), arm))
        guesser = on_grid(luck.guesser.pass_at_k)
        series.append(_bare("a blind guesser", guesser, None, None))
        series.append(Series("dotted: guess floors", (), (), style="dotted"))
    most = max((content.arms[arm].n for arm in arms), default=1)
    return Panel(
        f"{name} ({_size(content)})",
        K,
        "pass@k (%)",
        tuple(series),
        "log2",
        marks=tuple(_crossovers(found, found.pairs(content.pairs))),
        ticks=powers_of_two(most),
    )


def _bare(
    label: str, entries: Mapping[int, Interval], colour: int | None, group: str | None
) -> Series:
    """A dotted line without a band; the legend has one entry for all of them."""
    with_band = interval_series(label, entries)
    return Series(
        label, with_band.x, with_band.y, colour=colour, style="dotted", legend=False, group=group
    )


def _crossovers(found: Findings, pairs: Iterable[PairAnalysis]) -> Iterator[Mark]:
    for pair in pairs:
        turn = pair.crossover
        if turn.estimate is None:
            continue
        where = f"k = {turn.estimate}" if turn.status == "resolved" else "not resolved"
        yield Mark(
            f"{pair.other} × {pair.base}: {where}",
            turn.estimate,
            turn.low,
            turn.high,
            found.colour(pair.other),
        )


def _size(content: BenchmarkAnalysis) -> str:
    """How many problems the curves stand on, of how many there are."""
    used = sorted({values.problems for values in content.arms.values()})
    if used == [content.problems]:
        return f"{counted(used[0], 'problem')}"
    return f"{' or '.join(map(str, used))} of {counted(content.problems, 'problem')}"


def differences(found: Findings) -> Figure | None:
    """Other − base at every k, with the interval at each k and the band over all."""
    panels = []
    for name, content in found.benchmarks.items():
        for pair in found.pairs(content.pairs):
            rows = on_grid(pair.difference)
            colour = found.colour(pair.other)
            each = interval_series(f"{found.level} interval at each k", rows, colour=colour)
            band = {k: row.band for k, row in rows.items()}
            panels.append(
                Panel(
                    f"{name}: {pair.other} − {pair.base}",
                    K,
                    "difference in pass@k (points)",
                    (
                        interval_series("band over all k at once", band, style="dashed"),
                        each,
                    ),
                    "log2",
                    marks=tuple(_crossovers(found, [pair])),
                    ticks=powers_of_two(pair.n),
                    zero=True,
                    bottom=None,
                )
            )
    caption = (
        "The difference of the two curves on the same problems. Above zero the first-named model "
        "solves more with k samples, below zero the base model does; where the shaded interval "
        "includes zero, the data do not tell which. The dashed band holds for all k together."
    )
    return (
        Figure("difference", "Difference on the same problems", caption, tuple(panels))
        if panels
        else None
    )


def consistency(found: Findings) -> Figure | None:
    """Majority votes, and how many problems are solved how reliably."""
    panels = []
    for name, content in found.benchmarks.items():
        arms = found.arms(content.arms)
        most = max((content.arms[arm].n for arm in arms), default=1)
        if most < 2:
            continue
        votes = [
            interval_series(arm, on_grid(content.arms[arm].maj_at_k), colour=found.colour(arm))
            for arm in arms
        ]
        covered = [
            interval_series(
                arm,
                dict(
                    sorted(
                        (100 * float(tau), entry)
                        for tau, entry in content.arms[arm].cover_at_tau.items()
                    )
                ),
                colour=found.colour(arm),
            )
            for arm in arms
        ]
        ticks = powers_of_two(most)
        panels += [
            Panel(f"{name}: majority vote", K, "maj@k (%)", tuple(votes), "log2", ticks=ticks),
            Panel(
                f"{name}: reliability",
                "share τ of samples that are right (%)",
                "problems with at least τ (%)",
                tuple(covered),
            ),
        ]
    caption = (
        "Majority vote (maj@k): how often the most frequent of k answers is right. Reliability "
        "(Cover@τ): the share of problems for which at least τ of the samples are right; further "
        "to the right a problem has to be solved more reliably to count."
    )
    return (
        Figure("consistency", "Majority vote and reliability", caption, tuple(panels))
        if panels
        else None
    )


def controls(found: Findings) -> Figure | None:
    """Each arm's curve under each control condition beside its own."""
    panels = []
    # A condition has one colour and one style in every panel.
    known = sorted({key for _, _, one in found.with_section(lambda b: b.controls) for key in one})
    looks = {key: (_CONDITIONS[at % 3], _STYLES[at % 2]) for at, key in enumerate(known)}
    for name, content, section in found.with_section(lambda one: one.controls):
        conditions = sorted(section)
        for arm in found.arms({arm for by_arm in section.values() for arm in by_arm}):
            here = {key: section[key][arm] for key in conditions if arm in section[key]}
            most = max(one.n for one in here.values())
            full = {k: e for k, e in on_grid(content.arms[arm].pass_at_k).items() if k <= most}
            series = [interval_series("as it is", full, colour=found.colour(arm))]
            for condition, one in here.items():
                colour, style = looks[condition]
                series.append(
                    interval_series(
                        condition.replace("_", " "),
                        on_grid(one.pass_at_k),
                        colour=colour,
                        style=style,
                    )
                )
            panels.append(
                Panel(
                    f"{name}: {arm}", K, "pass@k (%)", tuple(series), "log2",
                    ticks=powers_of_two(most),
                )
            )  # fmt: skip
    caption = (
        "The same problems without their picture, with another problem's picture, or answered "
        "without reasoning. What is still solved then does not show that the model looked at the "
        "picture, or that it reasoned."
    )
    return (
        Figure("controls", "Without the picture, without reasoning", caption, tuple(panels))
        if panels
        else None
    )


def valid_reasoning(found: Findings) -> Figure | None:
    """CoT-pass@k under each reading of valid, beside pass@k."""
    panels = []
    for name, content, section in found.with_section(lambda one: one.cot):
        names = sorted({reading for by_name in section.arms.values() for reading in by_name})
        for reading in names:
            series = []
            for arm in found.arms(section.arms):
                if reading not in section.arms[arm]:
                    continue
                one, colour = section.arms[arm][reading], found.colour(arm)
                upper = one.cot_pass_at_k_upper or one.cot_pass_at_k
                both = {
                    k: row.model_copy(update={"high": upper[k].high})
                    for k, row in on_grid(one.cot_pass_at_k).items()
                }
                plain = on_grid(content.arms[arm].pass_at_k)
                series += [
                    interval_series(arm, both, colour=colour),
                    _bare(f"pass@k of {arm}", plain, colour, arm),
                ]
            most = max(content.arms[arm].n for arm in section.arms)
            series.append(Series("dotted: pass@k", (), (), style="dotted"))
            panels.append(
                Panel(
                    f"{name}: {reading_name(reading)}", K, "CoT-pass@k (%)", tuple(series), "log2",
                    ticks=powers_of_two(most),
                )
            )  # fmt: skip
    caption = (
        "CoT-pass@k: the share of problems for which at least one of k answers is right and its "
        "chain of thought is valid too, a panel for each judge of that. Dotted: pass@k, which asks "
        "for the answer alone. Where not every right answer was read, bands reach from what is "
        "known to be valid to what may be."
    )
    return (
        Figure("cot_pass_at_k", "Right answers with valid reasoning", caption, tuple(panels))
        if panels
        else None
    )


def coverage_by_tokens(found: Findings) -> Figure | None:
    """pass@k against the tokens that k samples cost."""
    panels = []
    for name, _, section in found.with_section(lambda one: one.efficiency):
        series = []
        for arm in found.arms(section.arms):
            rows = {
                row.tokens_per_problem: row.pass_at_k
                for row in section.arms[arm].coverage
                if row.tokens_per_problem
            }
            if rows:
                series.append(interval_series(arm, rows, colour=found.colour(arm)))
        if series:
            panels.append(
                Panel(
                    name, "tokens generated per problem (log scale)", "problems solved (%)",
                    tuple(series), "log10",
                )
            )  # fmt: skip
    caption = (
        "The share of problems solved at least once (pass@k) against the tokens that the k samples "
        "take on average: which model solves more at the same cost."
    )
    return (
        Figure("cost", "Problems solved by tokens generated", caption, tuple(panels))
        if panels
        else None
    )


def beyond_n(found: Findings) -> Figure | None:
    """Measured curves to n, and what two models of the problems' accuracies say past it."""
    panels = []
    models = {"beta_binomial": "beta-binomial", "zero_inflated": "with unsolvable problems"}
    for name, content, section in found.with_section(lambda one: one.beyond_n):
        for arm in found.arms(section.arms):
            one, colour = section.arms[arm], found.colour(arm)
            measured = on_grid(content.arms[arm].pass_at_k)
            series = [interval_series("measured", measured, colour=colour)]
            for place, (model, fitted) in enumerate(one.models.items()):
                series.append(
                    interval_series(
                        models[model],
                        fitted.pass_at_k,
                        colour=None if place else colour,
                        style="dotted" if place else "dashed",
                    )
                )
            panels.append(
                Panel(
                    f"{name}: {arm}", K, "pass@k (%)", tuple(series), "log2",
                    ticks=powers_of_two(one.n * section.reach)[::2],
                )
            )  # fmt: skip
    caption = (
        "Solid: measured, up to the n samples that were drawn. Beyond, nothing was sampled: dashed "
        "and dotted are two models fitted to the counts, which differ in what they assume of "
        "problems never solved. The table says how well they predicted data held back from them."
    )
    return (
        Figure("beyond_n", "What more samples might solve", caption, tuple(panels))
        if panels
        else None
    )


def self_test(found: Findings) -> Figure | None:
    """The same checkpoint against itself."""
    panels = []
    for name, _, section in found.with_section(lambda one: one.self_test):
        for row in section:
            colour = found.colour(row.arm)
            values = on_grid(row.difference)
            panels.append(
                Panel(
                    f"{name}: {row.arm} against {row.against}",
                    K,
                    "difference in pass@k (points)",
                    (interval_series(f"{found.level} interval", values, colour=colour),),
                    "log2",
                    ticks=powers_of_two(row.n),
                    zero=True,
                    bottom=None,
                )
            )
    caption = (
        "Two sets of samples of one model, compared as if they were two models. The true "
        "difference is zero, so the interval should include zero; at each k it misses it in about "
        f"{1 - found.confidence:.0%} of such comparisons."
    )
    return (
        Figure("self_test", "Each model against itself", caption, tuple(panels)) if panels else None
    )

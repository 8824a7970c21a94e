"""Figures with k, or what k samples cost, on the x axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from vlm_boundary.analysis.findings import Findings, on_grid, powers_of_two, reading_name
from vlm_boundary.counted import counted
from vlm_boundary.records.analysis import BenchmarkAnalysis, PairAnalysis
from vlm_boundary.records.record import Interval
from vlm_boundary.report.chart import Mark, Panel, Series, Style, figure, interval_series

K = "k (samples per problem, log₂ scale)"
_CONDITIONS = (4, 5, 3)
_STYLES: tuple[Style, ...] = ("dashed", "dotted")


@figure(
    "pass_at_k",
    "pass@k: problems solved at least once in k samples",
    "The share of problems for which at least one of k sampled answers is right (shaded: "
    "{level} intervals over problems). Dotted: what a model would score by luck, measured with the "
    "answers that it gave to other problems; in grey a guesser that sees no problem. A vertical "
    "line marks where two curves cross, shaded where its interval is known.",
)
def pass_at_k(found: Findings) -> Iterator[Panel]:
    """Every arm's curve with its band, its own guess floor, and where pairs cross."""
    for name, content in found.benchmarks.items():
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
        yield _by_k(
            f"{name} ({_size(content)})",
            "pass@k (%)",
            series,
            max((content.arms[arm].n for arm in arms), default=1),
            marks=tuple(_crossovers(found, found.pairs(content.pairs))),
        )


def _by_k(
    title: str,
    label: str,
    series: Iterable[Series],
    most: int,
    *,
    marks: tuple[Mark, ...] = (),
    difference: bool = False,
) -> Panel:
    """A panel over k up to the most."""
    return Panel(
        title,
        K,
        label,
        tuple(series),
        "log2",
        marks=marks,
        ticks=powers_of_two(most),
        zero=difference,
        bottom=None if difference else 0.0,
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
        if turn.estimate is not None:
            where = f"k = {turn.estimate}" if turn.status == "resolved" else "not resolved"
            label = f"{pair.other} × {pair.base}: {where}"
            yield Mark(label, turn.estimate, turn.low, turn.high, found.colour(pair.other))


def _size(content: BenchmarkAnalysis) -> str:
    """How many problems the curves stand on, of how many there are."""
    used = sorted({values.problems for values in content.arms.values()})
    if used == [content.problems]:
        return f"{counted(used[0], 'problem')}"
    return f"{' or '.join(map(str, used))} of {counted(content.problems, 'problem')}"


@figure(
    "difference",
    "Difference on the same problems",
    "The difference of the two curves on the same problems. Above zero the first-named model "
    "solves more with k samples, below zero the base model does; where the shaded interval "
    "includes zero, the data do not tell which. The dashed band holds for all k together.",
)
def differences(found: Findings) -> Iterator[Panel]:
    """Other − base at every k, with the interval at each k and the band over all."""
    for name, content in found.benchmarks.items():
        for pair in found.pairs(content.pairs):
            rows = on_grid(pair.difference)
            band = {k: row.band for k, row in rows.items()}
            each = f"{found.level} interval at each k"
            yield _by_k(
                f"{name}: {pair.other} − {pair.base}",
                "difference in pass@k (points)",
                (
                    interval_series("band over all k at once", band, style="dashed"),
                    interval_series(each, rows, colour=found.colour(pair.other)),
                ),
                pair.n,
                marks=tuple(_crossovers(found, [pair])),
                difference=True,
            )


@figure(
    "consistency",
    "Majority vote and reliability",
    "Majority vote (maj@k): how often the most frequent of k answers is right. Reliability "
    "(Cover@τ): the share of problems for which at least τ of the samples are right; further "
    "to the right a problem has to be solved more reliably to count.",
)
def consistency(found: Findings) -> Iterator[Panel]:
    """Majority votes, and how many problems are solved how reliably."""
    for name, content in found.benchmarks.items():
        arms = {arm: content.arms[arm] for arm in found.arms(content.arms)}
        most = max((one.n for one in arms.values()), default=1)
        if most < 2:
            continue
        votes = [
            interval_series(arm, on_grid(one.maj_at_k), colour=found.colour(arm))
            for arm, one in arms.items()
        ]
        yield _by_k(f"{name}: majority vote", "maj@k (%)", votes, most)
        covered = {
            arm: sorted((100 * float(tau), entry) for tau, entry in one.cover_at_tau.items())
            for arm, one in arms.items()
        }
        yield Panel(
            f"{name}: reliability",
            "share τ of samples that are right (%)",
            "problems with at least τ (%)",
            tuple(
                interval_series(arm, dict(entries), colour=found.colour(arm))
                for arm, entries in covered.items()
            ),
        )


@figure(
    "controls",
    "Without the picture, without reasoning",
    "The same problems without their picture, with another problem's picture, or answered "
    "without reasoning. What is still solved then does not show that the model looked at the "
    "picture, or that it reasoned.",
)
def controls(found: Findings) -> Iterator[Panel]:
    """Each arm's curve under each control condition beside its own."""
    # A condition has one colour and one style in every panel.
    known = sorted({key for _, _, one in found.with_section(lambda b: b.controls) for key in one})
    looks = {key: (_CONDITIONS[at % 3], _STYLES[at % 2]) for at, key in enumerate(known)}
    for name, content, section in found.with_section(lambda one: one.controls):
        for arm in found.arms({arm for by_arm in section.values() for arm in by_arm}):
            here = {key: section[key][arm] for key in sorted(section) if arm in section[key]}
            most = max(one.n for one in here.values())
            full = {k: e for k, e in on_grid(content.arms[arm].pass_at_k).items() if k <= most}
            series = [interval_series("as it is", full, colour=found.colour(arm))]
            for condition, one in here.items():
                colour, style = looks[condition]
                label, curve = condition.replace("_", " "), on_grid(one.pass_at_k)
                series.append(interval_series(label, curve, colour=colour, style=style))
            yield _by_k(f"{name}: {arm}", "pass@k (%)", series, most)


@figure(
    "cot_pass_at_k",
    "Right answers with valid reasoning",
    "CoT-pass@k: the share of problems for which at least one of k answers is right and its "
    "chain of thought is valid too, a panel for each judge of that. Dotted: pass@k, which asks "
    "for the answer alone. Where not every right answer was read, bands reach from what is "
    "known to be valid to what may be.",
)
def valid_reasoning(found: Findings) -> Iterator[Panel]:
    """CoT-pass@k under each reading of valid, beside pass@k."""
    for name, content, section in found.with_section(lambda one: one.cot):
        for reading in sorted({key for by_name in section.arms.values() for key in by_name}):
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
            series.append(Series("dotted: pass@k", (), (), style="dotted"))
            most = max(content.arms[arm].n for arm in section.arms)
            yield _by_k(f"{name}: {reading_name(reading)}", "CoT-pass@k (%)", series, most)


@figure(
    "cost",
    "Problems solved by tokens generated",
    "The share of problems solved at least once (pass@k) against the tokens that the k samples "
    "take on average: which model solves more at the same cost.",
)
def coverage_by_tokens(found: Findings) -> Iterator[Panel]:
    """pass@k against the tokens that k samples cost."""
    label = "tokens generated per problem (log scale)"
    for name, _, section in found.with_section(lambda one: one.efficiency):
        by_arm = {
            arm: {
                row.tokens_per_problem: row.pass_at_k
                for row in section.arms[arm].coverage
                if row.tokens_per_problem
            }
            for arm in found.arms(section.arms)
        }
        series = tuple(
            interval_series(arm, rows, colour=found.colour(arm))
            for arm, rows in by_arm.items()
            if rows
        )
        if series:
            yield Panel(name, label, "problems solved (%)", series, "log10")


@figure(
    "beyond_n",
    "What more samples might solve",
    "Solid: measured, up to the n samples that were drawn. Beyond, nothing was sampled: dashed "
    "and dotted are two models fitted to the counts, which differ in what they assume of "
    "problems never solved. The table says how well they predicted data held back from them.",
)
def beyond_n(found: Findings) -> Iterator[Panel]:
    """Measured curves to n, and what two models of the problems' accuracies say past it."""
    models = {"beta_binomial": "beta-binomial", "zero_inflated": "with unsolvable problems"}
    for name, content, section in found.with_section(lambda one: one.beyond_n):
        for arm in found.arms(section.arms):
            one, colour = section.arms[arm], found.colour(arm)
            measured = on_grid(content.arms[arm].pass_at_k)
            series = [interval_series("measured", measured, colour=colour)]
            looks: tuple[tuple[int | None, Style], ...] = ((colour, "dashed"), (None, "dotted"))
            for (model, fitted), (of, style) in zip(one.models.items(), looks, strict=True):
                curve = fitted.pass_at_k
                series.append(interval_series(models[model], curve, colour=of, style=style))
            panel = _by_k(f"{name}: {arm}", "pass@k (%)", series, one.n * section.reach)
            yield replace(panel, ticks=panel.ticks[::2])


@figure(
    "self_test",
    "Each model against itself",
    "Two sets of samples of one model, compared as if they were two models. The true "
    "difference is zero, so the interval should include zero; at each k it misses it in about "
    "{miss} of such comparisons.",
)
def self_test(found: Findings) -> Iterator[Panel]:
    """The same checkpoint against itself."""
    for name, _, section in found.with_section(lambda one: one.self_test):
        for row in section:
            values, colour = on_grid(row.difference), found.colour(row.arm)
            yield _by_k(
                f"{name}: {row.arm} against {row.against}",
                "difference in pass@k (points)",
                [interval_series(f"{found.level} interval", values, colour=colour)],
                row.n,
                difference=True,
            )

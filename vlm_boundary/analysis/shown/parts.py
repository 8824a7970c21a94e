"""Tables of parts of the problems, of series of arms, of what lies past n, and of cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vlm_boundary.analysis.findings import Part
from vlm_boundary.analysis.shown.table import (
    TextTable,
    ends,
    interval,
    minus,
    p_value,
    percent,
    points,
    points_of,
    table,
)
from vlm_boundary.records.effort import BeyondN, Efficiency
from vlm_boundary.records.record import Interval
from vlm_boundary.records.sections import (
    ConsistencyOfPair,
    Distributions,
    Diversity,
    EntropyOfArm,
    ShrunkArm,
)
from vlm_boundary.records.series import ArmSeries, RecipeEffect, SeedEffect


def slices(part: Part[Distributions]) -> TextTable:
    """Differences by metadata, p-values adjusted; then over all, the values drawn themselves."""
    rows = []
    for pair in part.section.slices:
        rows += [
            (
                f"{minus(pair)}, {one.field}: {one.value}, k = {k}",
                str(one.problems),
                percent(one.base_pass_at_k[k]),
                percent(one.other_pass_at_k[k]),
                points(entry),
                p_value(one.adjusted_p_value[k]),
            )
            for one in pair.slices
            for k, entry in one.difference.items()
        ]
        for field in pair.sampled:
            for k, entry in field.difference.items():
                what = f"its {field.values} values taken as a sample"
                name = f"{minus(pair)}, {field.field}: {what}, k = {k}"
                rows.append((name, str(entry.problems), "–", "–", points(entry), "–"))
    header = ("slice", "problems", "base (%)", "other (%)", "difference (points)", "p, Holm's")
    return table(part, "by metadata", header, rows)


def strata(part: Part[Distributions]) -> TextTable:
    """Differences by how hard problems are for the base, judged by samples that do not count."""
    rows = [
        (
            f"{minus(pair)}, base right in {one.base_accuracy}, k = {k}",
            str(one.problems),
            percent(one.base_pass_at_k[k]),
            percent(one.other_pass_at_k[k]),
            points(entry),
            percent(one.gained.get(k)),
            percent(one.lost.get(k)),
        )
        for pair in part.section.strata
        for one in pair.strata
        for k, entry in one.difference.items()
    ]
    judged = max((pair.judged_on for pair in part.section.strata), default=0)
    header = (
        "stratum", "problems", "base (%)", "other (%)", "difference (points)", "gained (%)",
        "lost (%)",
    )  # fmt: skip
    title = (
        f"by the base's accuracy in {judged} samples per problem; its other samples "
        "are those that are compared"
    )
    return table(part, title, header, rows)


_COVERED = ("0.1", "0.5", "0.9", "1")


def consistency(part: Part[list[ConsistencyOfPair]]) -> TextTable:
    """Paired differences of votes and of shares of right answers."""
    rows = []
    for pair in part.found.pairs(part.section):
        last = max(pair.maj_at_k)
        cells = {
            f"maj@{last}": pair.maj_at_k[last],
            f"pass^{last}": pair.pass_hat_k.get(last),
            **{f"G-Pass@{last}, τ {tau}": by_k.get(last) for tau, by_k in pair.g_pass_at_k.items()},
            **{f"Cover@{tau}": pair.cover_at_tau[tau] for tau in _COVERED},
        }
        rows += [(f"{minus(pair)}, {name}", points(entry)) for name, entry in cells.items()]
    title = f"differences in votes and consistency, in points, {part.found.level}"
    return table(part, title, ("difference", "points"), rows)


def diversity(part: Part[Diversity]) -> TextTable:
    """How many answers arms give, and how spread they are."""
    arms, rows = part.found.by_arm(part.section.arms), []
    pairs = part.found.pairs(part.section.pairs)
    ks = sorted({k for one in arms.values() for k in one.distinct_at_k} & set(part.content.ks))
    named = [(arm, one.distinct_at_k, one.entropy) for arm, one in arms.items()]
    named += [(minus(pair), pair.distinct_at_k, pair.entropy) for pair in pairs]
    for name, distinct, entropy in named:
        counts = (interval(distinct.get(k), "{:.2f}", 1) for k in ks)
        rows.append((name, *counts, interval(entropy, "{:.3f}", 1)))
    header = ("arm", *(f"in {k}" for k in ks), "entropy (nats)")
    title = "different answers in k samples, and entropy of answers"
    return table(part, title, header, rows)


def shrinkage(part: Part[dict[str, ShrunkArm]]) -> TextTable:
    """Shrunk estimates beside the unbiased ones, and their back-test."""
    rows = []
    for arm, one in part.found.by_arm(part.section).items():
        plain, tested = part.content.arms[arm].pass_at_k, one.back_test
        errors = "–", "–"
        if tested is not None:
            squared = f"{tested.unbiased:.4f} / {tested.shrunk:.4f}"
            errors = squared, interval(tested.gain, "{:+.4f}", 1)
        for k in sorted({1, max(one.pass_at_k)}):
            shrunk = Interval(estimate=one.pass_at_k[k], low=None, high=None)
            rows.append((f"{arm}, k = {k}", percent(plain.get(k)), percent(shrunk), *errors))
    header = ("arm", "unbiased (%)", "shrunk (%)", "squared errors", "gain")
    title = (
        "pass@k with problems drawn towards each other, and squared errors of their "
        "accuracies from half of the samples (unbiased / shrunk)"
    )
    return table(part, title, header, rows)


def training(part: Part[ArmSeries]) -> TextTable:
    """Training steps, temperatures and seeds."""
    section = part.section
    rows = []
    for one in section.training.arms if section.training else ():
        step = "base" if one.step is None else f"step {one.step}"
        rows.append((f"{one.arm} ({step})", *_ends(one.pass_at_k)))
    for group in section.temperature:
        rows += [
            (f"{one.arm} (temperature {one.temperature:g})", *_ends(one.pass_at_k))
            for one in group.arms
        ]
    for seeds in section.seeds:
        rows.append((f"mean of seeds: {', '.join(seeds.arms)}", *_ends(seeds.pass_at_k)))
        spread = {
            k: Interval(estimate=entry.standard_deviation, low=None, high=None)
            for k, entry in seeds.pass_at_k.items()
        }
        rows.append(("their standard deviation", *_ends(spread)))
    header = ("checkpoint", "pass@1 (%)", "largest k", "pass@k (%)")
    return table(part, "training steps, temperatures, seeds", header, rows)


def seeds(effects: Sequence[RecipeEffect], level: str) -> TextTable:
    """RL as a recipe against a base, beside what each of its checkpoints does."""
    rows = []
    for one in effects:
        blocks = [*one.benchmarks.items()]
        if one.together:
            blocks.append(("all benchmarks", one.together))
        arms = sorted(one.seeds, key=lambda arm: one.seeds[arm])
        names = ", ".join(arms)
        rows += [
            (f"{name}: RL ({names}) − {one.base}, k = {k}", *_seed_cells(effect, arms))
            for name, by_k in blocks
            for k, effect in by_k.items()
        ]
    header = (
        "recipe", "of any seed", "of these seeds", "each", "deviation between seeds",
        "another seed here", "seeds needed",
    )  # fmt: skip
    title = (
        f"RL as a recipe, differences in points, {level}: training seeds taken as drawn, as "
        "problems are (of these seeds: only problems are)"
    )
    if any(len(one.seeds) == 2 for one in effects):
        title += "; two seeds say next to nothing of others, and intervals are as wide as that"
    return TextTable(title, header, tuple(rows))


def _seed_cells(effect: SeedEffect, arms: list[str]) -> tuple[str, ...]:
    another = Interval(estimate=effect.estimate, low=effect.another.low, high=effect.another.high)
    return (
        points(effect),
        points(effect.these_checkpoints),
        " ".join(points_of(effect.each[arm]) for arm in arms),
        percent(effect.between),
        ends(another, "{:+.1f}"),
        "–" if effect.seeds_needed is None else str(effect.seeds_needed),
    )


def _ends(curve: Mapping[int, Interval]) -> tuple[str, str, str]:
    last = max(curve)
    return percent(curve[1]), str(last), percent(curve[last])


def beyond_n(part: Part[BeyondN]) -> TextTable:
    """What the models say past n, and how far they were off where it is known."""
    rows = []
    models = {"beta_binomial": "beta-binomial", "zero_inflated": "with unsolvable problems"}
    for arm, one in part.found.by_arm(part.section.arms).items():
        tested = one.back_test.models if one.back_test else {}
        for model, fitted in one.models.items():
            curve, far = fitted.pass_at_k, max(fitted.pass_at_k)
            rows.append(
                (
                    f"{arm}, {models[model]}",
                    percent(curve[one.n]),
                    f"{far:,}",
                    percent(curve[far]),
                    percent(fitted.never_solved),
                    points(tested[model].error) if tested else "–",
                )
            )
    header = (
        "arm, model", "at n (%)", "k", "at that k (%)", "never solved (%)",
        "back-test error (points)",
    )  # fmt: skip
    return table(part, "models past n, and their back-test", header, rows)


def cost(part: Part[Efficiency]) -> TextTable:
    """Tokens, and what they bought."""
    rows = []
    for arm, one in part.found.by_arm(part.section.arms).items():
        total = one.tokens
        if total is None and one.tokens_per_sample.estimate is None:
            continue
        rows.append(
            (
                arm,
                "–" if total is None else f"{total:,}",
                interval(one.tokens_per_sample, "{:.1f}", 1),
                _tokens(one.tokens_per_correct_sample),
                _tokens(one.tokens_per_solved_problem),
            )
        )
    header = ("arm", "tokens", "per sample", "per right sample", "per solved problem")
    return table(part, "tokens generated", header, rows)


def efficiency_gaps(part: Part[Efficiency]) -> TextTable:
    """How far the other arm's single sample is from the base's many."""
    rows = [
        (f"{pair.base} / {pair.other}", str(pair.k), points(pair.sampling_efficiency_gap))
        for pair in part.found.pairs(part.section.pairs)
    ]
    title = "sampling-efficiency gap ΔSE: the base's pass@k − the other's pass@1"
    return table(part, title, ("pair", "k", "gap (points)"), rows)


def equal_tokens(part: Part[Efficiency]) -> TextTable:
    """Pairs that spend as many tokens a problem, at the k of tables of the longer-winded."""
    rows = [
        (
            f"{minus(pair)}, {one.tokens:,.0f} tokens",
            f"{one.base_k:.1f} / {one.other_k:.1f}",
            percent(one.base_pass_at_k),
            percent(one.other_pass_at_k),
            points(one.difference),
        )
        for pair in part.found.pairs(part.section.budgets)
        for one in pair.by_tokens or ()
        if round(min(one.base_k, one.other_k), 6) in part.content.ks
    ]
    header = ("spent a problem", "samples", "base (%)", "other (%)", "difference (points)")
    title = f"pass@k of as many tokens, {part.found.level} intervals"
    return table(part, title, header, rows)


def shorter_responses(part: Part[Efficiency]) -> TextTable:
    """Pairs with responses up to a length, at k = 1 and the largest."""
    rows = [
        (
            f"{minus(pair)}, {one.max_tokens:,} tokens, k = {k}",
            f"{one.base_longer:.1%} / {one.other_longer:.1%}",
            percent(one.base_pass_at_k[k]),
            percent(one.other_pass_at_k[k]),
            points(one.difference[k]),
        )
        for pair in part.found.pairs(part.section.budgets)
        for one in pair.by_max_tokens or ()
        for k in sorted({1, max(one.difference)})
    ]
    header = ("longest response", "longer ones", "base (%)", "other (%)", "difference (points)")
    title = "pass@k were longer responses cut off, as by a smaller max_tokens"
    return table(part, title, header, rows)


def _tokens(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def entropy(part: Part[dict[str, EntropyOfArm]]) -> TextTable:
    """How surprising each arm's own samples are to it."""
    rows = [
        (
            arm,
            f"{one.temperature:g}",
            f"{one.top_p:g}",
            interval(one.cross_entropy, "{:.3f}", 1),
            "entropy" if one.is_entropy else "cross-entropy",
        )
        for arm, one in part.section.items()
    ]
    header = ("arm", "temperature", "top-p", "nats a token", "which is its")
    return table(part, "how surprising each arm's own samples are to it", header, rows)

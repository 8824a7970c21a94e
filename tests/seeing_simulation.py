"""How often intervals of the section `seeing` hold, by simulation.

    python tests/seeing_simulation.py [--repetitions 1000] [--sizes 30 114 460]

prints the table of docs/seeing.md. A sample sees all that it needs with its problem's chance s, and
then reasons rightly with chance r; with words in the picture's place it only has to reason. Of
the other model s, r or both are moved, in log-odds, by one draw a problem. The truth is that of
many problems. Chains that see or reason wrongly are right all the same now and then.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vlm_boundary.analysis.counts import Floats
from vlm_boundary.analysis.estimators import pass_at_k
from vlm_boundary.analysis.intervals import t_intervals
from vlm_boundary.analysis.shares import difference_of_shares, share_of
from vlm_boundary.records.record import Entry

SAMPLES = 16
LUCKY = 0.03
"""How often a chain with a false statement is right."""
MOVED = {
    "neither": (0.0, 0.0), "seeing": (0.8, 0.0), "reasoning": (0.0, 0.8), "both": (0.8, 0.8),
}  # fmt: skip
"""By scenario: the mean moves of s and of r in log-odds; each problem's is half to one and a half
times as large."""
TERMS = ("whole", "reasoning", "seeing")
SHARES = ("all", "right", "stated")


@dataclass(frozen=True)
class Chances:
    """Of the problems: seeing and reasoning rightly, base and other, shape (problems,) each."""

    see: tuple[Floats, Floats]
    reason: tuple[Floats, Floats]


def drawn(scenario: str, problems: int, rng: np.random.Generator) -> Chances:
    """Problems of all difficulties."""
    see, reason = rng.normal(0.6, 1.8, problems), rng.normal(0.4, 1.8, problems)
    more_see, more_reason = (moved * rng.uniform(0.5, 1.5, problems) for moved in MOVED[scenario])
    return Chances(
        (_share(see), _share(see + more_see)), (_share(reason), _share(reason + more_reason))
    )


def true_terms(chances: Chances, k: int) -> dict[str, float]:
    """whole, reasoning and seeing at k, means over the problems; at k = 1 kept, too."""
    (s, t), (r, q) = chances.see, chances.reason
    right, other = (LUCKY + (1 - LUCKY) * one for one in (s * r, t * q))
    told, other_told = (LUCKY + (1 - LUCKY) * one for one in (r, q))
    whole = float(((1 - right) ** k - (1 - other) ** k).mean())
    reasoning = float(((1 - told) ** k - (1 - other_told) ** k).mean())
    found = {"whole": whole, "reasoning": reasoning, "seeing": whole - reasoning}
    if k == 1:
        found["kept"] = float(other.mean() / other_told.mean() - right.mean() / told.mean())
    return found


def true_shares(chances: Chances) -> dict[str, float]:
    """Other − base: of all chains, of right ones, and of those that state what is false."""
    found: dict[str, list[float]] = {name: [] for name in SHARES}
    for s, r in zip(chances.see, chances.reason, strict=True):
        seeing, reasoning = (1 - s).mean(), (s * (1 - r)).mean()
        right = (s * r + LUCKY * (1 - s * r)).mean()
        found["all"].append(seeing)
        found["right"].append(LUCKY * seeing / right)
        found["stated"].append(seeing / (seeing + reasoning))
    return {name: float(other - base) for name, (base, other) in found.items()}


def estimated_terms(chances: Chances, rng: np.random.Generator) -> dict[tuple[str, int], Entry]:
    """From 16 samples of each problem, model and condition: terms at k = 1 and 16, and kept."""
    ks = np.array([1, SAMPLES])
    curve = pass_at_k(np.arange(SAMPLES + 1), np.full(SAMPLES + 1, SAMPLES), ks)
    cells = []
    for base, other in (
        (chances.see[0] * chances.reason[0], chances.see[1] * chances.reason[1]),
        chances.reason,
    ):
        counts = (rng.binomial(SAMPLES, LUCKY + (1 - LUCKY) * one) for one in (base, other))
        cells.append([curve[one] for one in counts])
    whole, reasoning = (other - base for base, other in cells)
    kept_base, kept_other = ((full[:, 0], told[:, 0]) for full, told in zip(*cells, strict=True))
    values = {"whole": whole, "reasoning": reasoning, "seeing": whole - reasoning}
    found = {
        (name, k): entry
        for name, one in values.items()
        for k, entry in t_intervals(
            one, 0.95, (-2, 2) if name == "seeing" else (-1, 1)
        ).curve(ks).items()
    }  # fmt: skip
    return found | {("kept", 1): difference_of_shares(kept_base, kept_other, 0.95, None, np.inf)}


def estimated_shares(chances: Chances, rng: np.random.Generator) -> tuple[dict[str, Entry], Entry]:
    """The differences of shares, and the base's share of right answers that rest on misreading."""
    parts: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in SHARES}
    for s, r in zip(chances.see, chances.reason, strict=True):
        kinds = rng.multinomial(SAMPLES, np.stack([1 - s, s * (1 - r), s * r], axis=1))
        misread, misreasoned, neither = kinds.T.astype(np.float64)
        lucky = rng.binomial(misread.astype(np.int64), LUCKY).astype(np.float64)
        also = rng.binomial(misreasoned.astype(np.int64), LUCKY).astype(np.float64)
        parts["all"].append((misread, np.full(len(s), float(SAMPLES))))
        parts["right"].append((lucky, lucky + also + neither))
        parts["stated"].append((misread, misread + misreasoned))
    found = {
        name: difference_of_shares(base, other, 0.95, None) for name, (base, other) in parts.items()
    }
    return found, share_of(*parts["right"][0], 0.95, None)


def covered(scenario: str, problems: int, times: int) -> Iterator[tuple[str, float, float, float]]:
    """Of each estimate: name, truth, how often its interval holds it and leaves zero out (%)."""
    rng = np.random.default_rng([problems, *scenario.encode()])
    many = drawn(scenario, 1_000_000, np.random.default_rng(0))
    truth: dict[str, float] = {
        f"{name}, k = {k}": value
        for k in (1, SAMPLES)
        for name, value in true_terms(many, k).items()
    }
    truth |= {f"share, {name}": value for name, value in true_shares(many).items()}
    s, r = many.see[0], many.reason[0]
    right = (s * r + LUCKY * (1 - s * r)).mean()
    truth["base, right on misread"] = float(LUCKY * (1 - s).mean() / right)
    held, found = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
    for _ in range(times):
        chances = drawn(scenario, problems, rng)
        terms = estimated_terms(chances, rng)
        shares, of_base = estimated_shares(chances, rng)
        entries = {f"{name}, k = {k}": entry for (name, k), entry in terms.items()}
        entries |= {f"share, {name}": entry for name, entry in shares.items()}
        entries["base, right on misread"] = of_base
        for name, entry in entries.items():
            low, high = entry.low, entry.high
            if low is not None and high is not None:
                held[name] += low <= truth[name] <= high
                found[name] += low > 0 or high < 0
    for name, value in truth.items():
        yield name, value, 100 * held[name] / times, 100 * found[name] / times


def _cells(rows: Sequence[tuple[str, float, float, float]]) -> list[str]:
    """Truths, how often they are held, and how often zero is left out."""
    _, truth, held, found = zip(*rows, strict=True)
    return [
        ", ".join(f"{100 * one:+.1f}" for one in truth),
        ", ".join(f"{one:.1f}" for one in held),
        ", ".join(f"{one:.1f}" for one in found),
    ]


def _share(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+", default=(30, 114, 460))
    options = parser.parse_args()
    print(
        "| moved | N | terms at k = 1: truth (points) | held (%) | zero left out (%) "
        "| terms at k = 16: truth | held | zero left out | kept: truth | held | zero left out "
        "| shares: truth | held | zero left out "
        "| base's share: truth | held |\n" + "|---|---:" + 14 * "|---:" + "|"
    )
    for scenario in MOVED:
        for problems in options.sizes:
            rows = list(covered(scenario, problems, options.repetitions))
            groups = (rows[:3], rows[4:7], rows[3:4], rows[7:10])
            cells = [cell for part in groups for cell in _cells(part)]
            cells += _cells(rows[10:])[:2]
            print(f"| {scenario} | {problems} | {' | '.join(cells)} |", flush=True)
    print(f"\nOf {options.repetitions} repetitions.")


if __name__ == "__main__":
    main()

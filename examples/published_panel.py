"""The published visual panel redrawn from its values, with what can be said of it afterwards.

Figure 4 (right) of Yue et al. 2025 (arXiv 2504.13837): Qwen2.5-VL-7B-Instruct and the same after
RL (EasyR1, GRPO on Geometry3K) on the free-form problems of MathVista and MathVision testmini. The
values were read off the figure's vector curves. Its points at k = 1 are single passes, whole
numbers of problems, and no values of the estimator; they are drawn apart.

    python examples/published_panel.py --output panel.png [--guessers guessers.json]

`--guessers` takes what examples/guessers.py --json writes and draws those curves beside. For each
benchmark the gap at k = 128 is printed with the narrowest and the widest 95 % interval that any
pattern of solved problems behind the two curves would give it: the curves do not say which.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

KS = (2, 3, 4, 5, 6, 8, 16, 32, 64, 128)
PROBLEMS = {"MathVista": 460, "MathVision": 114}
SINGLE_PASS = {
    "MathVista": {"base": 278 / 460, "RL": 302 / 460},
    "MathVision": {"base": 24 / 114, "RL": 33 / 114},
}
PUBLISHED = {
    "MathVista": {
        "base": (
            0.659157, 0.694071, 0.715837, 0.731120, 0.742636, 0.759141, 0.791424, 0.815662,
            0.837084, 0.859674,
        ),
        "RL": (
            0.691426, 0.708497, 0.719986, 0.728729, 0.735795, 0.746789, 0.772183, 0.795933,
            0.818345, 0.839160,
        ),
    },
    "MathVision": {
        "base": (
            0.309613, 0.371153, 0.418316, 0.456232, 0.487673, 0.537339, 0.650815, 0.744934,
            0.814685, 0.863766,
        ),
        "RL": (
            0.322200, 0.371962, 0.408751, 0.437585, 0.460984, 0.496839, 0.572052, 0.629351,
            0.679861, 0.728154,
        ),
    },
}  # fmt: skip
COLOURS = {"base": "#0072B2", "RL": "#D55E00"}
GUESSER_COLOURS = ("#555555", "#999999")


def half_widths(base: float, rl: float, problems: int) -> tuple[float, float]:
    """Narrowest and widest half-width of Student's 95 % interval for RL − base at k = n.

    Per-problem differences are -1, 0 or 1 there; their variance is the share of problems that one
    model alone solves, less the gap's square. That share is least when one model solves all that
    the other does, and greatest when they overlap as little as they can.
    """
    from scipy.stats import t

    least = abs(rl - base)
    greatest = min(base + rl, 2 - base - rl)
    factor = t.ppf(0.975, problems - 1) / np.sqrt(problems - 1)
    narrow, wide = (factor * np.sqrt(share - (rl - base) ** 2) for share in (least, greatest))
    return float(narrow), float(wide)


def crossing(base: tuple[float, ...], rl: tuple[float, ...]) -> str:
    """Between which of the published k the difference turns."""
    for place in range(1, len(KS)):
        if rl[place - 1] > base[place - 1] and rl[place] <= base[place]:
            return f"between k = {KS[place - 1]} and {KS[place]}"
    return "at none of the published k"


def draw(path: Path, guessers: dict[str, dict[str, list[float]]], guessed_at: list[int]) -> None:
    """Write the panel."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axis, (name, curves) in zip(axes, PUBLISHED.items(), strict=True):
        for model, values in curves.items():
            axis.plot(KS, values, marker="o", markersize=3, color=COLOURS[model], label=model)
            axis.plot(1, SINGLE_PASS[name][model], marker="x", color=COLOURS[model])
        found = guessers.get(name, {}).items()
        for (label, values), colour in zip(found, GUESSER_COLOURS, strict=False):
            axis.plot(guessed_at, values, "--", color=colour, label=f"blind guesser, {label}")
        axis.set_xscale("log", base=2)
        ticks = [1 << power for power in range(8)]
        axis.set_xticks(ticks, [str(k) for k in ticks])
        axis.set_xlabel("k (× at k = 1: a single pass)")
        axis.set_title(f"{name} ({PROBLEMS[name]} problems)", fontsize=10)
        axis.grid(alpha=0.25)
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("pass@k")
    axes[0].set_ylim(0, 1)
    figure.tight_layout()
    figure.savefig(path, dpi=160)
    pyplot.close(figure)


def main() -> None:
    """Draw the panel and print what its gaps allow to be said."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, metavar="FILE", required=True, help=".png or .svg")
    parser.add_argument("--guessers", type=Path, metavar="FILE", help="of examples/guessers.py")
    options = parser.parse_args()
    guessed = {"guessers": {}, "ks": []}
    if options.guessers:
        guessed = json.loads(options.guessers.read_text(encoding="utf-8"))
    draw(options.output, guessed["guessers"], guessed["ks"])
    for name, curves in PUBLISHED.items():
        base, rl = curves["base"][-1], curves["RL"][-1]
        narrow, wide = (100 * each for each in half_widths(base, rl, PROBLEMS[name]))
        gap = 100 * (rl - base)
        print(
            f"{name}: RL − base at k = 128 is {gap:+.2f} points, between ± {narrow:.2f} (one "
            f"model solves all that the other does) and ± {wide:.2f} (they overlap as little as "
            f"they can); the curves cross {crossing(curves['base'], curves['RL'])}"
        )
        for label, values in guessed["guessers"].get(name, {}).items():
            print(f"  a blind guesser, {label}, reaches {values[-1]:.3f} at k = 128")
    print(f"Panel: {options.output}")


if __name__ == "__main__":
    main()

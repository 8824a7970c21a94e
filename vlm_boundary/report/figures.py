"""The pass@k figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlm_boundary.analysis.estimators import paper_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colour-blind-safe palette, in an order in which neighbours differ in brightness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
FORMATS = ("png", "svg")


def draw_pass_at_k(analysis: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pass@k curves of every benchmark side by side; returns the files.

    The same analysis gives the same bytes: nothing in the files depends on when they were made.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "vlm_boundary"
    benchmarks = analysis["benchmarks"]
    width = 5.6 * len(benchmarks)
    figure, axes = pyplot.subplots(1, len(benchmarks), figsize=(width, 3.9), squeeze=False)
    for axis, (name, content) in zip(axes[0], benchmarks.items(), strict=True):
        _curves(axis, name, content)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suffix in FORMATS:
        path = folder / f"pass_at_k.{suffix}"
        metadata = {"Date": None} if suffix == "svg" else {"Software": None}
        figure.savefig(path, dpi=160, metadata=metadata)
        files.append(path)
    pyplot.close(figure)
    return files


def _curves(axis: Axes, benchmark: str, content: dict[str, Any]) -> None:
    ticks: set[int] = set()
    for place, (arm, values) in enumerate(content["arms"].items()):
        grid = paper_grid(values["n"]).tolist()
        curve = [(k, values["pass_at_k"][str(k)]) for k in grid]
        points = [(k, v) for k, v in curve if v["estimate"] is not None]
        ks = [k for k, _ in points]
        ticks.update(k for k in content["ks"] if k in ks)
        colour = COLOURS[place % len(COLOURS)]
        axis.plot(
            ks,
            [v["estimate"] for _, v in points],
            color=colour,
            marker=MARKERS[place % len(MARKERS)],
            markersize=4,
            label=arm,
            clip_on=False,  # a curve at 0 or 1 is drawn whole
            zorder=3,
        )
        known = [(k, v) for k, v in points if v["low"] is not None]
        axis.fill_between(
            [k for k, _ in known],
            [v["low"] for _, v in known],
            [v["high"] for _, v in known],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axis.set_xscale("log", base=2)
    axis.set_xticks(sorted(ticks), [str(k) for k in sorted(ticks)])
    axis.minorticks_off()
    axis.set_ylim(bottom=0.0)
    axis.set_xlabel("k (samples per problem)")
    axis.set_ylabel("pass@k")
    axis.set_title(f"{benchmark} ({_size(content)})", fontsize=10)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)


def _size(content: dict[str, Any]) -> str:
    """How many problems the curves stand on, of how many there are."""
    used = sorted({values["problems"] for values in content["arms"].values()})
    if used == [content["problems"]]:
        return f"{used[0]} problems"
    return f"{' or '.join(map(str, used))} of {content['problems']} problems"

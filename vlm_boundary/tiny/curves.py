"""How the training of a family went: `python -m vlm_boundary.tiny.curves DIR`.

Writes DIR/curves.svg: left the loss of supervised training, right the reward of RL, both from the
logs beside the weights.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from vlm_boundary.tiny.record import read_log

_SMOOTH = 10  # RL steps, of a few hundred responses each


def draw_curves(family: Path) -> Path:
    """Draw the curves of every checkpoint folder that has a log; returns the file."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "vlm_boundary"
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6))
    for path in sorted(family.glob("*/log.jsonl")):
        log = read_log(path.parent)
        for axis, kind in ((left, "loss"), (right, "reward")):
            points = [(line["step"], line[kind]) for line in log if "step" in line and kind in line]
            if points:
                steps, values = zip(*points, strict=True)
                axis.plot(
                    steps, _smoothed(values) if kind == "reward" else values, label=path.parent.name
                )
    left.set(xlabel="step", ylabel="loss, nats a token", yscale="log")
    right.set(xlabel="step", ylabel=f"reward, mean of {_SMOOTH} steps")
    for axis in (left, right):
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    file = family / "curves.svg"
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return file


def _smoothed(values: tuple[Any, ...]) -> list[float]:
    windows = (values[max(0, end - _SMOOTH) : end] for end in range(1, len(values) + 1))
    return [sum(window) / len(window) for window in windows]


if __name__ == "__main__":
    print(draw_curves(Path(sys.argv[1])))

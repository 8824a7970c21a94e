"""Figures as files that a paper can print: PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vlm_boundary.report.chart import NEUTRAL, PALETTE, Figure, Panel, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = {"line": "-", "dashed": "--", "dotted": ":", "points": "none", "bars": "none"}
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++")
# Nothing in a file may say when it was made: the same analysis gives the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
SETTINGS = {
    "svg.hashsalt": "vlm_boundary",
    "pdf.fonttype": 42,  # text stays text, as publishers ask
    "font.size": 9,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "hatch.linewidth": 0.4,
}
_COLUMNS = 2


def draw(figure: Figure, folder: Path) -> list[Path]:
    """Write a figure in every format into a folder; returns the files."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context(SETTINGS):
        columns = min(len(figure.panels), _COLUMNS)
        rows = -(-len(figure.panels) // columns)
        lines = [
            max(_height(panel) for panel in figure.panels[row * columns : (row + 1) * columns])
            for row in range(rows)
        ]
        canvas = Canvas(figsize=(5.6 * columns, sum(lines)), layout="constrained")
        FigureCanvasAgg(canvas)
        axes = canvas.subplots(rows, columns, squeeze=False, height_ratios=lines).flat
        for axis, panel in zip(axes, figure.panels, strict=False):
            _panel(axis, panel)
        for axis in axes[len(figure.panels) :]:
            axis.set_visible(False)
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")  # laid out once, not once a format
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for suffix, metadata in METADATA.items():
            path = folder / f"{figure.name}.{suffix}"
            canvas.savefig(path, dpi=150, metadata=metadata)
            files.append(path)
    return files


def _height(panel: Panel) -> float:
    """Inches: a row for each category that runs down the page."""
    if not panel.horizontal:
        return 3.9
    return 1.5 + 0.3 * len(_categories(panel))


def _categories(panel: Panel) -> list[str]:
    return list(dict.fromkeys(str(x) for one in panel.series for x in one.x))


def _panel(axis: Axes, panel: Panel) -> None:
    if panel.x_scale == "category":
        _on_categories(axis, panel)
    else:
        for place, series in enumerate(panel.series):
            _line(axis, series, place)
        _scale(axis, panel)
    for mark in panel.marks:
        colour = _colour(mark.colour)
        axis.axvspan(mark.low, mark.high, color=colour, alpha=0.08, linewidth=0)
        axis.axvline(mark.x, color=colour, linewidth=1, linestyle=(0, (6, 3)), label=mark.label)
    if panel.zero:
        (axis.axvline if panel.horizontal else axis.axhline)(0, color="black", linewidth=0.8)
    ends = (
        (axis.set_xlim, "left", "right") if panel.horizontal else (axis.set_ylim, "bottom", "top")
    )
    for name, value in zip(ends[1:], (panel.bottom, panel.top), strict=True):
        if value is not None:
            ends[0](**{name: value})
    names = (panel.x_label, panel.y_label)
    axis.set_xlabel(names[panel.horizontal])
    axis.set_ylabel(names[not panel.horizontal])
    axis.set_title(_plain(panel.title), loc="left")
    handles, labels = axis.get_legend_handles_labels()
    if len(handles) > 1:
        below = panel.horizontal or len(handles) > 6
        axis.legend(
            handles,
            labels,
            **(
                {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 3} if below else {}
            ),
        )


def _scale(axis: Axes, panel: Panel) -> None:
    if panel.x_scale in ("log2", "log10"):
        axis.set_xscale("log", base=2 if panel.x_scale == "log2" else 10)
    if panel.ticks:
        axis.set_xticks(panel.ticks, [str(tick) for tick in panel.ticks])
        axis.minorticks_off()


def _line(axis: Axes, series: Series, place: int) -> None:
    colour = _colour(series.colour)
    known = [
        (x, y, low, high)
        for x, y, low, high in zip(series.x, series.y, *_ends(series), strict=True)
        if y is not None
    ]
    marked = series.style in ("line", "points")
    axis.plot(
        [x for x, *_ in known],
        [y for _, y, *_ in known],
        color=colour,
        linestyle=DASHES[series.style],
        linewidth=1.1 if series.style == "dotted" else 1.5,
        marker=MARKERS[(series.colour or place) % len(MARKERS)] if marked else None,
        markersize=3.5,
        label=_plain(series.label) if series.legend else None,
        clip_on=False,  # a curve at 0 or 1 is drawn whole
        zorder=3,
    )
    banded = [(x, low, high) for x, _, low, high in known if low is not None and high is not None]
    if banded:
        x, low, high = zip(*banded, strict=True)
        axis.fill_between(x, low, high, color=colour, alpha=0.14, linewidth=0)


def _on_categories(axis: Axes, panel: Panel) -> None:
    names = _categories(panel)
    spots = np.arange(len(names), dtype=float)
    shown = len(panel.series)
    width = 0.7 if panel.stacked else 0.8 / max(shown, 1)
    base = np.zeros(len(names))
    for place, series in enumerate(panel.series):
        shift = 0.0 if panel.stacked else (place - (shown - 1) / 2) * width
        by_name = dict(
            zip(map(str, series.x), zip(series.y, *_ends(series), strict=True), strict=True)
        )
        rows = [by_name.get(name, (None, None, None)) for name in names]
        values = np.array([np.nan if row[0] is None else row[0] for row in rows], dtype=float)
        errors = np.array(
            [
                [
                    0.0 if row[0] is None or row[at] is None else abs(row[0] - row[at])
                    for row in rows
                ]
                for at in (1, 2)
            ]
        )
        colour, label = _colour(series.colour), _plain(series.label) if series.legend else None
        at = spots + shift
        if series.style == "bars":
            draw_bars = axis.barh if panel.horizontal else axis.bar
            heights = np.nan_to_num(values)
            start = {"left" if panel.horizontal else "bottom": base.copy()} if panel.stacked else {}
            draw_bars(
                at, heights, width, color=colour, label=label, edgecolor="white", linewidth=0.5,
                hatch=HATCHES[place % len(HATCHES)], **start,
            )  # fmt: skip
            if panel.stacked:
                _numbers(axis, panel, spots, base, heights)
                base += heights
        else:
            shift = (place - (shown - 1) / 2) * min(0.22, 0.8 / max(shown, 1))
            at = spots + shift
            first, second = (values, at) if panel.horizontal else (at, values)
            axis.errorbar(
                first, second, **{"xerr" if panel.horizontal else "yerr": errors}, fmt=MARKERS[place % 6],
                color=colour, label=label, markersize=4.5, linewidth=1.2, capsize=2,
            )  # fmt: skip
    if panel.horizontal:
        axis.set_yticks(spots, [_plain(name) for name in names])
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
    else:
        axis.set_xticks(spots, [_plain(name) for name in names], rotation=45, ha="right")
        axis.grid(axis="x", visible=False)


def _numbers(axis: Axes, panel: Panel, spots: Any, base: Any, heights: Any) -> None:
    """Each part's number in it, where it fits."""
    total = max(float((base + heights).max()), 1.0)
    for spot, start, height in zip(spots, base, heights, strict=True):
        if height > 0.04 * max(total, panel.top or 0):
            middle = start + height / 2
            x, y = (middle, spot) if panel.horizontal else (spot, middle)
            axis.text(
                x, y, f"{height:.3g}", ha="center", va="center", fontsize=8,
                bbox={"boxstyle": "round,pad=0.15", "color": "white", "alpha": 0.85, "linewidth": 0},
            )  # fmt: skip


def _ends(series: Series) -> tuple[Sequence[Any], Sequence[Any]]:
    none = (None,) * len(series.x)
    return series.low or none, series.high or none


def _colour(place: int | None) -> str:
    return NEUTRAL if place is None else PALETTE[place % len(PALETTE)]


def _plain(text: str) -> str:
    """Text of users as it is: no mathematics from a dollar, nothing hidden by a leading _."""
    return text.replace("$", r"\$")

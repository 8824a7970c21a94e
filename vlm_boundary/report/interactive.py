"""Figures for the page, as plotly.js takes them; colours are filled in by the page's theme."""

from __future__ import annotations

from typing import Any

from vlm_boundary.report.chart import Figure, Mark, Number, Panel, Series

Spec = dict[str, Any]

_DASHES = {"dashed": "dash", "dotted": "dot"}
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
_HATCHES = ("", "/", ".", "x", "\\", "+")


def specs(figure: Figure) -> list[Spec]:
    """One plotly figure a panel; colours are `theme:PLACE` or `theme:PLACE/OPACITY`, n neutral."""
    return [_panel(panel) for panel in figure.panels]


def _panel(panel: Panel) -> Spec:
    traces = []
    for place, series in enumerate(panel.series):
        if series.style == "bars":
            traces.append(_bars(panel, series, place))
        elif panel.x_scale == "category":
            traces.append(_points(panel, series, place))
        else:
            traces += _lines(series, place)
    values = _axis(panel.y_label) | {"zeroline": panel.zero}
    if panel.top is not None:
        values["range"] = [panel.bottom, panel.top]
    elif panel.bottom is not None:
        values["rangemode"] = "tozero"
    across = _axis(panel.x_label) | {"zeroline": False}
    if panel.x_scale == "category":
        across |= {"type": "category", "automargin": True}
        if panel.horizontal:
            across["autorange"] = "reversed"
    elif panel.x_scale != "linear":
        across["type"] = "log"
    if panel.ticks:
        across |= {"tickvals": list(panel.ticks), "ticktext": [str(k) for k in panel.ticks]}
    layout: Spec = {
        "xaxis": values if panel.horizontal else across,
        "yaxis": across if panel.horizontal else values,
        "barmode": "stack" if panel.stacked else "group",
        "shapes": [shape for mark in panel.marks for shape in _mark_shapes(mark)],
        "hovermode": "closest" if panel.x_scale == "category" else "x unified",
    }
    if panel.x_scale == "category":  # on other axes it would move the points
        layout |= {"scattermode": "group", "scattergap": 0.4}
    # Crossovers are in the legend, where labels cannot lie on each other.
    traces += [
        _trace(mark.label, [None], [None])
        | {"mode": "lines", "line": {"color": _colour(mark.colour), "dash": "longdash", "width": 1}}
        for mark in panel.marks
    ]
    rows = len(dict.fromkeys(x for one in panel.series for x in one.x))
    return {
        "title": panel.title,
        "height": 190 + 34 * rows if panel.horizontal else 400,
        "data": traces,
        "layout": layout,
    }


def _axis(label: str) -> Spec:
    return {"title": {"text": _text(label), "standoff": 10}}


def _mark_shapes(mark: Mark) -> list[Spec]:
    common = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    line = {"color": _colour(mark.colour), "width": 1, "dash": "longdash"}
    shapes: list[Spec] = [{**common, "type": "line", "x0": mark.x, "x1": mark.x, "line": line}]
    if mark.low is not None and mark.high is not None:
        shapes.append(
            {
                **common, "type": "rect", "x0": mark.low, "x1": mark.high, "line": {"width": 0},
                "fillcolor": _colour(mark.colour, 0.08),
            }
        )  # fmt: skip
    return shapes


def _lines(series: Series, place: int) -> list[Spec]:
    group = series.group or series.label
    shown = series.style == "line"
    line = {"color": _colour(series.colour), "width": 2 if shown else 1.5}
    if series.style in _DASHES:
        line["dash"] = _DASHES[series.style]
    trace = _trace(series.label, series.x or [None], series.y or [None]) | {
        "mode": "lines+markers" if shown else "lines",
        "line": line,
        "marker": {"size": 5, "symbol": _SYMBOLS[series.look(place) % len(_SYMBOLS)]},
        "legendgroup": group,
        "showlegend": series.legend,
        "customdata": [_interval(low, high) for low, high in _ends(series)] or [""],
        "hovertemplate": f"{_text(series.label)}: %{{y:.1f}}%{{customdata}}<extra></extra>",
    }
    ends = [
        (x, low, high)
        for x, (low, high) in zip(series.x, _ends(series), strict=True)
        if low is not None and high is not None
    ]
    if not ends:
        return [trace]
    # One closed outline: up along the lower ends, back along the upper ones.
    x, low, high = (list(column) for column in zip(*ends, strict=True))
    band = {
        "type": "scatter", "x": x + x[::-1], "y": low + high[::-1], "fill": "toself",
        "fillcolor": _colour(series.colour, 0.15), "line": {"width": 0}, "mode": "lines",
        "hoverinfo": "skip", "legendgroup": group, "showlegend": False,
    }  # fmt: skip
    return [band, trace]


def _bars(panel: Panel, series: Series, place: int) -> Spec:
    return _oriented(panel, series) | {
        "type": "bar",
        "orientation": "h" if panel.horizontal else "v",
        "marker": {
            "color": _colour(series.colour),
            "pattern": {
                "shape": _HATCHES[series.look(place) % len(_HATCHES)],
                "solidity": 0.15,
                "fillmode": "overlay",
                "fgcolor": "rgba(255,255,255,0.7)",
                "size": 6,
            },
        },
        "text": [f"{y:.3g}" if y else "" for y in series.y] if panel.stacked else None,
        "insidetextanchor": "middle",
        "hovertemplate": _hover(panel, series),
    }


def _points(panel: Panel, series: Series, place: int) -> Spec:
    reach = {
        side: [
            None if end is None or y is None else abs(end - y)
            for end, y in zip(ends, series.y, strict=True)
        ]
        for side, ends in (("array", series.high), ("arrayminus", series.low))
        if ends
    }  # fmt: skip
    bars = {"type": "data", "symmetric": False, "thickness": 1.5, "width": 3} | reach
    return _oriented(panel, series) | {
        "type": "scatter",
        "mode": "markers",
        "orientation": "h" if panel.horizontal else "v",
        "offsetgroup": str(place),
        "marker": {
            "color": _colour(series.colour), "size": 8,
            "symbol": _SYMBOLS[series.look(place) % len(_SYMBOLS)],
        },
        ("error_x" if panel.horizontal else "error_y"): bars if reach else {"visible": False},
        "customdata": [_interval(low, high) for low, high in _ends(series)],
        "hovertemplate": _hover(panel, series),
    }  # fmt: skip


def _oriented(panel: Panel, series: Series) -> Spec:
    x, y = [_text(str(x)) for x in series.x], list(series.y)
    across = {"x": y, "y": x} if panel.horizontal else {"x": x, "y": y}
    return {"name": _text(series.label), "showlegend": series.legend} | across


def _hover(panel: Panel, series: Series) -> str:
    category, value = ("%{y}", "%{x:.4g}") if panel.horizontal else ("%{x}", "%{y:.4g}")
    more = "%{customdata}" if series.low else ""
    return f"{category}<br>{_text(series.label)}: {value}{more}<extra></extra>"


def _trace(label: str, x: Any, y: Any) -> Spec:
    return {"type": "scatter", "name": _text(label), "x": list(x), "y": list(y)}


def _ends(series: Series) -> list[tuple[Number, Number]]:
    none = (None,) * len(series.x)
    return list(zip(series.low or none, series.high or none, strict=True))


def _interval(low: Number, high: Number) -> str:
    if low is None or high is None:
        return ""
    return f" [{low:.1f}, {high:.1f}]".replace("-", "−")


def _colour(place: int | None, opacity: float | None = None) -> str:
    name = "theme:n" if place is None else f"theme:{place % 6}"
    return name if opacity is None else f"{name}/{opacity}"


def _text(text: str) -> str:
    """Plotly reads a few tags, links among them, and %{…}: text of users is none of that."""
    for special, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "%\u200b{")):
        text = text.replace(special, written)
    return text

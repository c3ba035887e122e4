"""Draws figures for the screen, as the JSON that Plotly takes.

Texts are escaped: Plotly reads some of HTML in them.
"""

from __future__ import annotations

import base64
import html
from typing import Any

import numpy as np

from moeprobe.figures.colours import PURPLE_ORANGE
from moeprobe.figures.figure import (
    Array,
    Axis,
    Bars,
    Figure,
    Heat,
    Histogram,
    Level,
    Line,
    Mark,
    Panel,
    Points,
)

Json = dict[str, Any]

_ROW_PIXELS = 270
_EXTRA_PIXELS = 150
_GAP_PIXELS = 85  # between rows: a title and the labels of an axis
_GAP = 0.09  # between columns, of the width
_SYMBOLS = {"circle": "circle", "square": "square", "triangle": "triangle-up"}
_TRANSPARENT = "33"  # hexadecimal, of bands


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def numbers(array: Array) -> Json | list[Any]:
    """Return numbers as Plotly reads them fastest: bytes and their type."""
    values = np.asarray(array)
    if values.dtype.kind not in "fiu":
        return [_escaped(str(value)) for value in values.tolist()]
    packed = np.ascontiguousarray(values, "<f4" if values.ndim > 1 else "<f8")
    shape = ", ".join(map(str, packed.shape))
    data = base64.b64encode(packed.tobytes()).decode()
    described = {"dtype": packed.dtype.str[1:], "bdata": data}
    return described | ({"shape": shape} if packed.ndim > 1 else {})


def _heat(heat: Heat) -> list[Json]:
    return [
        {
            "type": "heatmap",
            "z": numbers(heat.matrix),
            "x": [_escaped(name) for name in heat.columns],
            "y": [_escaped(name) for name in heat.rows],
            "coloraxis": "coloraxis",
            "hovertemplate": "%{y}, %{x}: %{z:.4g}<extra></extra>",
        }
    ]


def _error(mark: Points) -> Json:
    if mark.low is None or mark.high is None:
        return {}
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers(mark.high - mark.y),
            "arrayminus": numbers(mark.y - mark.low),
            "width": 3,
            "thickness": 1.2,
        }
    }


def _points(mark: Points) -> list[Json]:
    marker = {"color": mark.colour, "size": 6, "symbol": _SYMBOLS[mark.symbol]}
    trace = {"type": "scatter", "mode": "markers", "marker": marker, "name": mark.name}
    return [trace | {"x": numbers(mark.x), "y": numbers(mark.y)} | _error(mark)]


def _line(mark: Line) -> list[Json]:
    style = {"color": mark.colour, "width": 1.6}
    trace: Json = {
        "type": "scatter",
        "mode": "lines+markers" if mark.has_points else "lines",
        "line": style | ({"dash": "dash"} if mark.is_dashed else {}),
        "name": mark.name,
        "x": numbers(mark.x),
        "y": numbers(mark.y),
    }
    if mark.low is None or mark.high is None:
        return [trace]
    band = {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": mark.colour + _TRANSPARENT,
        "hoverinfo": "skip",
        "showlegend": False,
        "x": numbers(np.concatenate([mark.x, mark.x[::-1]])),
        "y": numbers(np.concatenate([mark.low, mark.high[::-1]])),
    }
    return [band, trace]


def _bars(mark: Bars) -> list[Json]:
    bars: Json = {
        "type": "bar",
        "name": mark.name,
        "marker": {"color": mark.colour},
        "width": mark.width,
        "x": numbers(mark.x),
        "y": numbers(mark.y),
    }
    return [bars if mark.base is None else bars | {"base": numbers(mark.base)}]


def _histogram(mark: Histogram) -> list[Json]:
    middles = (mark.edges[1:] + mark.edges[:-1]) / 2
    width = float(mark.edges[1] - mark.edges[0])
    bars = _bars(Bars(middles, mark.counts, mark.name, mark.colour, width))
    return [bars[0] | {"opacity": 0.75}]


def _level(mark: Level) -> list[Json]:
    """Return what the legend shows; the line itself is a shape."""
    dash = {"dash": "dash"} if mark.is_dashed else {}
    line = {"color": mark.colour, "width": 1.4} | dash
    return [
        {"type": "scatter", "mode": "lines", "line": line, "name": mark.name,
         "x": [None], "y": [None]}
    ]  # fmt: skip


def _traces(mark: Mark) -> list[Json]:
    match mark:
        case Heat():
            return _heat(mark)
        case Points():
            return _points(mark)
        case Line():
            return _line(mark)
        case Bars():
            return _bars(mark)
        case Histogram():
            return _histogram(mark)
        case Level():
            return _level(mark)


def _shapes(mark: Level, x: str, y: str) -> list[Json]:
    across, along = (x, f"{y} domain") if mark.is_vertical else (f"{x} domain", y)
    base = {"xref": across, "yref": along, "layer": "above"}

    def box(low: float, high: float) -> Json:
        ends = ("x0", "x1") if mark.is_vertical else ("y0", "y1")
        others = ("y0", "y1") if mark.is_vertical else ("x0", "x1")
        return {ends[0]: low, ends[1]: high, others[0]: 0, others[1]: 1}

    dash = {"dash": "dash"} if mark.is_dashed else {}
    line = {"color": mark.colour, "width": 1.4} | dash
    shapes = [base | {"type": "line", "line": line} | box(mark.at, mark.at)]
    if mark.band:
        fill = {"fillcolor": mark.colour + _TRANSPARENT, "line": {"width": 0}}
        shapes.append(base | {"type": "rect"} | fill | box(*mark.band))
    return shapes


def _axis(axis: Axis, domain: list[float], anchor: str, *, has_heat: bool) -> Json:
    made: Json = {
        "title": {"text": _escaped(axis.label), "standoff": 4},
        "domain": domain,
        "anchor": anchor,
        "showgrid": not has_heat,
        "zeroline": False,
    }
    if axis.ticks:
        names = axis.tick_names or map(str, axis.ticks)
        made |= {"tickvals": list(axis.ticks), "ticktext": list(map(_escaped, names))}
    if has_heat:
        made |= {"type": "category", "ticks": "", "constrain": "domain"}
    elif axis.is_log:
        made |= {"type": "log", "exponentformat": "power"}
        made |= {} if axis.ticks else {"dtick": 1}
        if axis.limits:
            made["range"] = [float(np.log10(end)) for end in axis.limits]
    else:
        made |= {"range": list(axis.limits)} if axis.limits else {}
        made |= {"tickformat": "d"} if axis.is_count else {}
    return made


class _Layout:
    """Where the panels stand, in shares of the figure's size."""

    def __init__(self, figure: Figure) -> None:
        self.height = figure.rows * _ROW_PIXELS + _EXTRA_PIXELS
        self._columns = min(figure.columns, len(figure.panels))
        self._rows = figure.rows

    def domains(self, index: int) -> tuple[list[float], list[float]]:
        """Return the shares of width and height that a panel has."""
        row, column = divmod(index, self._columns)
        gap = _GAP if self._columns > 1 else 0
        width = (1 - gap * (self._columns - 1)) / self._columns
        inner = self.height - _EXTRA_PIXELS
        row_gap = _GAP_PIXELS / inner if self._rows > 1 else 0
        height = (1 - row_gap * (self._rows - 1)) / self._rows
        left = column * (width + gap)
        top = 1 - row * (height + row_gap)
        return [left, min(left + width, 1.0)], [max(top - height, 0.0), top]


def _title(panel: Panel, x: list[float], y: list[float]) -> Json:
    return {
        "text": _escaped(panel.title),
        "x": (x[0] + x[1]) / 2,
        "y": y[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }


def _panel(
    panel: Panel, index: int, places: _Layout, layout: Json, named: set[str]
) -> list[Json]:
    """Add a panel's axes, title and shapes to `layout`, and return its traces."""
    number = "" if index == 0 else str(index + 1)
    x, y = places.domains(index)
    has_heat = any(isinstance(mark, Heat) for mark in panel.marks)
    layout[f"xaxis{number}"] = _axis(panel.x, x, f"y{number}", has_heat=has_heat)
    layout[f"yaxis{number}"] = _axis(panel.y, y, f"x{number}", has_heat=has_heat)
    if has_heat:
        layout[f"yaxis{number}"] |= {"autorange": "reversed"}
    layout["annotations"].append(_title(panel, x, y))
    traces = []
    for mark in panel.marks:
        if isinstance(mark, Level):
            layout["shapes"] += _shapes(mark, f"x{number}", f"y{number}")
        for trace in _traces(mark):
            trace |= {"xaxis": f"x{number}", "yaxis": f"y{number}"}
            name = trace.get("name")
            if name is not None and trace.get("showlegend", True):
                trace["name"] = trace["legendgroup"] = _escaped(name)
                trace["showlegend"] = name not in named
                named.add(name)
            traces.append(trace)
    return traces


def plotly_figure(figure: Figure) -> Json:
    """Return `data` and `layout` of a figure."""
    places = _Layout(figure)
    layout: Json = {
        "title": {"text": _escaped(figure.title), "x": 0, "xref": "paper"},
        "height": places.height,
        "margin": {"l": 60, "r": 20, "t": 70, "b": 80},
        "template": "none",
        "plot_bgcolor": "#fff",
        "font": {"size": 12},
        "barmode": "overlay",
        "legend": {
            "orientation": "h",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
            "x": 0.5,
            "xanchor": "center",
        },
        "hovermode": "closest",
        "annotations": [],
        "shapes": [],
    }
    if figure.colours:
        low, high = figure.colours.limits
        layout["coloraxis"] = {
            "cmin": low,
            "cmax": high,
            "colorscale": PURPLE_ORANGE if figure.colours.is_diverging else "Cividis",
            "colorbar": {"title": {"text": _escaped(figure.colours.label)}},
        }
    named: set[str] = set()
    data = [
        trace
        for index, panel in enumerate(figure.panels)
        for trace in _panel(panel, index, places, layout, named)
    ]
    layout["showlegend"] = len(named) > 1
    return {"data": data, "layout": layout}

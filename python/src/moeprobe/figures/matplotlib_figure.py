"""Draws figures for paper, with matplotlib."""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib as mpl
import matplotlib.axes
import matplotlib.figure
import numpy as np
from matplotlib.ticker import MaxNLocator, NullLocator

from moeprobe.figures.colours import DIVERGING, SEQUENTIAL
from moeprobe.figures.figure import (
    Axis,
    Bars,
    ColourScale,
    Figure,
    Heat,
    Histogram,
    Level,
    Line,
    Mark,
    Panel,
    Points,
)

Axes = matplotlib.axes.Axes

_PANEL_INCHES = (2.7, 2.2)
# Of an entry of the legend: its line, and a letter.
_LEGEND_INCHES = 0.45
_LETTER_INCHES = 0.062
_MOST_TICKS = 16
_SYMBOLS = {"circle": "o", "square": "s", "triangle": "^"}
# Text stays text, and the same figure gives the same bytes.
STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "moeprobe",
}


def _plain(text: str) -> str:
    """Return `text` without what matplotlib would take for a formula."""
    return text.replace("$", r"\$")


def _heat(axes: Axes, mark: Heat, colours: ColourScale | None) -> None:
    if colours is None:
        raise ValueError("heat needs a scale of colours")
    low, high = colours.limits
    name = DIVERGING if colours.is_diverging else SEQUENTIAL
    shown = np.ma.masked_invalid(mark.matrix)
    axes.imshow(shown, cmap=name, vmin=low, vmax=high, aspect="auto")
    axes.spines[:].set_visible(False)
    step = max(1, -(-len(mark.columns) // _MOST_TICKS))
    axes.set_xticks(range(0, len(mark.columns), step), mark.columns[::step])
    step = max(1, -(-len(mark.rows) // _MOST_TICKS))
    axes.set_yticks(range(0, len(mark.rows), step), mark.rows[::step])


def _line(axes: Axes, mark: Line) -> None:
    style = "--" if mark.is_dashed else "-"
    marker = "o" if mark.has_points else ""
    axes.plot(
        mark.x, mark.y, style, color=mark.colour, marker=marker, ms=3,
        label=_plain(mark.name),
    )  # fmt: skip
    if mark.low is not None and mark.high is not None:
        axes.fill_between(
            mark.x, mark.low, mark.high, color=mark.colour, alpha=0.2, linewidth=0
        )


def _points(axes: Axes, mark: Points) -> None:
    error = None
    if mark.low is not None and mark.high is not None:
        error = np.stack([mark.y - mark.low, mark.high - mark.y])
    axes.errorbar(
        mark.x, mark.y, error, fmt=_SYMBOLS[mark.symbol], color=mark.colour, ms=3.5,
        capsize=2.5, label=_plain(mark.name),
    )  # fmt: skip


def _level(axes: Axes, mark: Level) -> None:
    line, span = (
        (axes.axvline, axes.axvspan)
        if mark.is_vertical
        else (axes.axhline, axes.axhspan)
    )
    style = "--" if mark.is_dashed else "-"
    line(mark.at, color=mark.colour, linestyle=style, lw=1.1, label=_plain(mark.name))
    if mark.band:
        span(*mark.band, color=mark.colour, alpha=0.2, linewidth=0)


def _draw(axes: Axes, mark: Mark, colours: ColourScale | None) -> None:
    match mark:
        case Heat():
            _heat(axes, mark, colours)
        case Line():
            _line(axes, mark)
        case Points():
            _points(axes, mark)
        case Level():
            _level(axes, mark)
        case Bars():
            axes.bar(
                mark.x, mark.y, mark.width, 0 if mark.base is None else mark.base,
                color=mark.colour, label=_plain(mark.name),
            )  # fmt: skip
        case Histogram():
            axes.stairs(
                mark.counts, mark.edges, fill=True, color=mark.colour, alpha=0.75,
                label=_plain(mark.name),
            )  # fmt: skip


def _set_axis(axes: Axes, name: str, axis: Axis, *, has_heat: bool) -> None:
    axes.set(**{f"{name}label": _plain(axis.label)})
    if has_heat:
        return
    if axis.is_log:
        axes.set(**{f"{name}scale": "log"})
    if axis.ticks:
        ruler = axes.xaxis if name == "x" else axes.yaxis
        names = axis.tick_names or map(str, axis.ticks)
        ruler.set_ticks(axis.ticks, labels=list(map(_plain, names)))
        ruler.set_minor_locator(NullLocator())
    if axis.limits:
        axes.set(**{f"{name}lim": axis.limits})
    if axis.is_count:
        ruler = axes.xaxis if name == "x" else axes.yaxis
        ruler.set_major_locator(MaxNLocator(integer=True))


def _panel(axes: Axes, panel: Panel, colours: ColourScale | None) -> None:
    has_heat = any(isinstance(mark, Heat) for mark in panel.marks)
    for mark in panel.marks:
        _draw(axes, mark, colours)
    axes.set_title(_plain(panel.title), fontsize=8)
    _set_axis(axes, "x", panel.x, has_heat=has_heat)
    _set_axis(axes, "y", panel.y, has_heat=has_heat)


def _add_legend(drawn: matplotlib.figure.Figure) -> None:
    handles: dict[str, Any] = {}
    for axes in drawn.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(str(label), handle)
    if len(handles) > 1:
        width = _LEGEND_INCHES + _LETTER_INCHES * max(map(len, handles))
        drawn.legend(
            list(handles.values()),
            list(handles),
            loc="outside lower center",
            ncols=min(max(1, int(drawn.get_figwidth() / width)), len(handles)),
        )


def _add_colours(drawn: matplotlib.figure.Figure, figure: Figure) -> None:
    images = [(axes, image) for axes in drawn.axes for image in axes.get_images()]
    if figure.colours and images:
        drawn.colorbar(
            images[0][1],
            ax=[axes for axes, _ in images],
            label=_plain(figure.colours.label),
        )


def matplotlib_figure(figure: Figure) -> matplotlib.figure.Figure:
    """Return a figure as wide as its panels need."""
    columns = min(figure.columns, len(figure.panels))
    width, height = _PANEL_INCHES
    with mpl.rc_context(STYLE):
        drawn = matplotlib.figure.Figure(
            figsize=(width * columns + 0.6, height * figure.rows + 0.5),
            layout="constrained",
        )
        grid = drawn.subplots(figure.rows, columns, squeeze=False)
        for axes in grid.flat[len(figure.panels) :]:
            axes.remove()
        for axes, panel in zip(grid.flat, figure.panels, strict=False):
            _panel(axes, panel, figure.colours)
        _add_colours(drawn, figure)
        _add_legend(drawn)
    return drawn


def save_figure(figure: Figure, path: pathlib.Path) -> None:
    """Write .svg, .pdf or .png; the same figure gives the same file."""
    dated = {".svg": "Date", ".pdf": "CreationDate"}.get(path.suffix)
    with mpl.rc_context(STYLE):
        matplotlib_figure(figure).savefig(
            path, metadata={dated: None} if dated else None, dpi=200
        )

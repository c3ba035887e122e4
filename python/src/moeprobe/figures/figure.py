"""What a figure shows, whoever draws it: panels of marks."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import matplotlib.figure
    import plotly.graph_objects

Array = npt.NDArray[Any]
Limits = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Axis:
    """An axis: its label with the unit, and where it ends."""

    label: str
    limits: Limits | None = None  # None: as the marks need
    is_log: bool = False
    is_count: bool = False  # ticks at whole numbers
    # Ticks that are these values; empty: as the axis needs.
    ticks: tuple[float, ...] = ()
    tick_names: tuple[str, ...] = ()  # of `ticks`; empty: the values


@dataclasses.dataclass(frozen=True)
class ColourScale:
    """What the colours of heat say; the same for all panels of a figure.

    A diverging scale has its middle at 0, and limits of the same size.
    """

    label: str
    limits: Limits
    is_diverging: bool = False


@dataclasses.dataclass(frozen=True)
class Heat:
    """A matrix [rows, columns]; what is NaN is left white."""

    matrix: Array
    rows: list[str]
    columns: list[str]


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve; `low` and `high` are the edges of a band around it."""

    x: Array
    y: Array
    name: str
    colour: str
    low: Array | None = None
    high: Array | None = None
    is_dashed: bool = False
    has_points: bool = False


@dataclasses.dataclass(frozen=True)
class Points:
    """Single values; `low` and `high` are the ends of their error bars."""

    x: Array
    y: Array
    name: str
    colour: str
    low: Array | None = None
    high: Array | None = None
    symbol: str = "circle"  # or "square", "triangle"


@dataclasses.dataclass(frozen=True)
class Bars:
    """A bar for each value, from `base` or 0 upwards."""

    x: Array
    y: Array
    name: str
    colour: str
    width: float = 0.7
    base: Array | None = None


@dataclasses.dataclass(frozen=True)
class Histogram:
    """Counts between edges, of which there is one more."""

    edges: Array
    counts: Array
    name: str
    colour: str


@dataclasses.dataclass(frozen=True)
class Level:
    """A line through the whole panel, at x or at y, and a band around it."""

    at: float
    name: str
    colour: str
    is_vertical: bool = False
    is_dashed: bool = True
    band: Limits | None = None


Mark = Heat | Line | Points | Bars | Histogram | Level


@dataclasses.dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    x: Axis
    y: Axis
    marks: list[Mark]


@dataclasses.dataclass(frozen=True)
class Figure:
    """Panels in rows, under a title; `caption` says how to read them.

    Shows itself in a notebook. `name` is short and safe for files.
    """

    name: str
    title: str
    caption: str
    panels: list[Panel]
    columns: int = 3
    colours: ColourScale | None = None

    @property
    def rows(self) -> int:
        """How many rows the panels take."""
        return -(-len(self.panels) // self.columns)

    def plotly(self) -> plotly.graph_objects.Figure:
        """Return it for the screen. Needs the extra `figures`."""
        import plotly.graph_objects  # noqa: PLC0415 (an extra)

        from moeprobe.figures.plotly_figure import plotly_figure  # noqa: PLC0415

        return plotly.graph_objects.Figure(plotly_figure(self))

    def matplotlib(self) -> matplotlib.figure.Figure:
        """Return it for paper. Needs the extra `paper`."""
        from moeprobe.figures.matplotlib_figure import (  # noqa: PLC0415 (an extra)
            matplotlib_figure,
        )

        return matplotlib_figure(self)

    def show(self) -> None:
        """Open it in a browser, or below the cell of a notebook."""
        self.plotly().show()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it: .html for the screen; .svg, .pdf or .png for paper."""
        if pathlib.Path(path).suffix == ".html":
            self.plotly().write_html(path)
        else:
            from moeprobe.figures.matplotlib_figure import (  # noqa: PLC0415
                save_figure,
            )

            save_figure(self, pathlib.Path(path))

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> Any:
        return self.plotly()._repr_mimebundle_()


def finite_limits(*arrays: Array, at_least: float = 1e-9) -> Limits:
    """Return the least and the largest finite number; never the same."""
    numbers = np.concatenate([np.zeros(0), *(np.ravel(array) for array in arrays)])
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0, 1.0
    low, high = float(numbers.min()), float(numbers.max())
    return (low, high) if high - low > at_least else (low - 0.5, high + 0.5)


def share_limits(panels: list[Panel]) -> list[Panel]:
    """Return the panels with limits of y that hold the lines of all of them."""
    lines = [m for panel in panels for m in panel.marks if isinstance(m, Line)]
    ends = [end for m in lines for end in (m.y, m.low, m.high) if end is not None]
    low, high = finite_limits(*ends) if ends else (0.0, 1.0)
    is_log = any(panel.y.is_log for panel in panels) and low > 0
    margin = 0.0 if is_log else 0.04 * (high - low)
    limits = (0.9 * low, 1.1 * high) if is_log else (low - margin, high + margin)
    return [
        dataclasses.replace(panel, y=dataclasses.replace(panel.y, limits=limits))
        for panel in panels
    ]


def symmetric_limits(*arrays: Array) -> Limits:
    """Return limits around 0 that hold every finite number."""
    low, high = finite_limits(*arrays)
    most = max(abs(low), abs(high))
    return -most, most

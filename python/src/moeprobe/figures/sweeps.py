"""Curves over a sweep."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from moeprobe.errors import NotFoundError
from moeprobe.figures.colours import COLOURS
from moeprobe.figures.figure import (
    Array,
    Axis,
    Figure,
    Line,
    Mark,
    Panel,
    share_limits,
)
from moeprobe.figures.spectra import some_layers
from moeprobe.result.result import Result

_MOST_LAYERS = 6


def _means(result: Result, quantity: str) -> xr.Dataset:
    """Return mean and interval by the fields of the sweep, data set and layer."""
    table = result.table()
    chosen = (table.quantity == quantity) & ~table.part.str.endswith("baseline")
    rows = table[chosen & (table.layer >= 0)]
    fields = list(result.cells[0]["settings"])
    rows = rows.assign(data=rows.part.str.extract(r"data(\d+)/", expand=False))
    rows = rows[rows.data.isna() | (rows.data == "0")]
    values = rows.set_index([*fields, "layer"])[
        ["mean", "interval_low", "interval_high"]
    ]
    found: xr.Dataset = xr.Dataset.from_dataframe(values)
    return found


def _line(x: Array, at: xr.Dataset, name: str, colour: str) -> Line:
    low, high = at.interval_low.values, at.interval_high.values
    mean = at["mean"].values
    if np.isnan(low).any():
        return Line(x, mean, name, colour, has_points=True)
    return Line(x, mean, name, colour, low, high, has_points=True)


def _panel(
    at: xr.Dataset, field: str, title: str, label: str, layers: list[int]
) -> Panel:
    values = at[field].values
    is_number = np.issubdtype(values.dtype, np.number)
    x = values if is_number else np.arange(len(values))
    marks: list[Mark] = [
        _line(x, at.sel(layer=layer), f"layer {layer}", COLOURS[i % len(COLOURS)])
        for i, layer in enumerate(layers)
    ]
    spread = is_number and x.min() > 0 and x.max() > 8 * x.min()
    words = "" if is_number else f": {', '.join(map(str, values))}"
    ticks = tuple(values.tolist()) if is_number else ()
    axis = Axis(f"{field}{words}", is_log=bool(spread), ticks=ticks)
    return Panel(title, axis, Axis(label), marks)


def has_means(result: Result, quantity: str) -> bool:
    """Tell whether a result has means of a quantity; its arrays may be elsewhere."""
    return any(quantity in at["quantities"] for at in result.document["summary"])


def sweep_curves(
    result: Result, quantity: str = "jacobian_cosine/routed", label: str = ""
) -> Figure:
    """Draw the mean of a quantity over the first field of a sweep.

    A curve for each layer, three of them where there are many; a panel for each
    setting of the other fields.
    """
    if not result.cells:
        raise NotFoundError(f"{result.job} has no sweep")
    if not has_means(result, quantity):
        raise NotFoundError(f"the result has no means of {quantity!r}")
    found = _means(result, quantity)
    field, *others = list(result.cells[0]["settings"])
    layers = found.layer.values.tolist()
    chosen = layers if len(layers) <= _MOST_LAYERS else some_layers(layers)
    label = label or quantity
    if others:
        stacked = found.stack(setting=others)
        panels = [
            _panel(stacked.sel(setting=s), field, _title(others, s), label, chosen)
            for s in stacked.setting.values
        ]
    else:
        panels = [_panel(found, field, "", label, chosen)]
    return Figure(
        f"sweep-{quantity.replace('/', '-')}",
        f"{label} over {field}",
        "Means over pairs or experts; bands are 95 % intervals.",
        share_limits(panels),
    )


def _title(fields: list[str], setting: tuple[Hashable, ...]) -> str:
    values = setting if isinstance(setting, tuple) else (setting,)
    return ", ".join(f"{f} {v}" for f, v in zip(fields, values, strict=False))

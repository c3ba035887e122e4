"""The means of a result as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pandas as pd

from moeprobe.result.cells import CellIndex, settings_of
from moeprobe.result.document import Document
from moeprobe.result.nulls import NULLS, Null

_COLUMNS = (
    "part",
    "layer",
    "quantity",
    "mean",
    "std",
    "count",
    "se",
    "interval_low",
    "interval_high",
    *(
        f"{null.prefix}{name}"
        for null in NULLS
        for name in ("null_mean", "null_std", "p")
    ),
)


def _null(quantity: Document, null: Null) -> dict[str, Any]:
    found = quantity.get(null.key, {})
    return {
        f"{null.prefix}null_mean": found.get("mean"),
        f"{null.prefix}null_std": found.get("std"),
        f"{null.prefix}p": found.get("p"),
    }


def _row(part: str, layer: int, name: str, quantity: Document) -> dict[str, Any]:
    low, high = quantity.get("interval", (None, None))
    nulls = [_null(quantity, null) for null in NULLS]
    return {
        "part": part,
        "layer": layer,
        "quantity": name,
        **{key: quantity.get(key) for key in ("mean", "std", "count", "se")},
        "interval_low": low,
        "interval_high": high,
        **{key: value for null in nulls for key, value in null.items()},
    }


def columns_of(document: Document) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the columns, and of those that a sweep adds."""
    settings = settings_of(document.get("cells", []))
    return _COLUMNS, tuple(settings[0]) if settings else ()


def rows_of(document: Document) -> Iterator[dict[str, Any]]:
    """Yield a row for each part, layer and quantity; None where one lacks it."""
    cells = document.get("cells", [])
    index, settings_by_cell = CellIndex(cells), settings_of(cells)
    nothing = dict.fromkeys(columns_of(document)[1])
    for layer in document["summary"]:
        part = layer["part"]
        cell, _ = index.split(part)
        settings = settings_by_cell[cell] if cell >= 0 else nothing
        for name, quantity in layer["quantities"].items():
            yield _row(part, layer["layer"], name, quantity) | settings


def make_table(document: Document) -> pd.DataFrame:
    """Return a row for each part, layer and quantity, as in summary.csv.

    Mean and population standard deviation over pairs or experts, standard error
    and 95 % interval from windows, mean, deviation and p of the nulls; a column
    for each field of a sweep. Layer -1 is the whole model.
    """
    columns, settings = columns_of(document)
    frame = pd.DataFrame(rows_of(document), columns=[*columns, *settings])
    numbers = list(columns[3:5] + columns[6:])
    kinds = dict.fromkeys(numbers, "float64") | {"count": "int64"}
    return cast("pd.DataFrame", frame.astype(kinds))

"""Which cells of a sweep or an experiment there are to look at."""

from __future__ import annotations

import math
from typing import Any

from moeprobe.request.described import is_experiment
from moeprobe.result.cells import CellIndex
from moeprobe.result.experiment import cells_at_the_end
from moeprobe.result.result import Result

# Means that only models with experts have.
_OF_PAIRS = ("jacobian_cosine/", "grassmann/")


def cell_options(result: Result) -> list[tuple[int, str]]:
    """Return the cells that hold something by now, and what sets them apart."""
    filled = {cell for cell, _ in _filled(result)}
    return [
        (place, _title(cell["settings"]))
        for place, cell in enumerate(result.cells)
        if place in filled
    ]


def first_cell(result: Result) -> int:
    """Return the cell to begin with: of an experiment, one that has pairs."""
    if not is_experiment(result.request):
        return 0
    with_pairs = {
        cell
        for cell, quantities in _filled(result)
        if any(_says_of_pairs(name, found) for name, found in quantities.items())
    }
    ends = [c for c in cells_at_the_end(result.document) if c in with_pairs]
    return next(iter(ends or sorted(with_pairs)), 0)


def _says_of_pairs(quantity: str, found: dict[str, Any]) -> bool:
    # A model without experts has the quantity, and no number.
    mean = found.get("mean")
    return quantity.startswith(_OF_PAIRS) and mean is not None and math.isfinite(mean)


def _filled(result: Result) -> list[tuple[int, dict[str, Any]]]:
    """Return the cell of each layer that there are means of, and the means."""
    index = CellIndex(result.cells)
    return [
        (index.split(layer["part"])[0], layer["quantities"])
        for layer in result.document["summary"]
    ]


def _title(settings: dict[str, Any]) -> str:
    return ", ".join(f"{field} {value}" for field, value in settings.items())

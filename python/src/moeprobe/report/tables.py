"""Tables of a report: means with what they are worth, and jobs side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pandas as pd

from moeprobe.figures.layers import MEANS
from moeprobe.report.numbers import ABSENT, decimals, number, share, signed
from moeprobe.result.result import Result


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells as text, under titles; the first column names the row."""

    titles: list[str]
    rows: list[list[str]]


@dataclasses.dataclass(frozen=True)
class QuantityTable:
    """The means of one quantity of one part, by layer."""

    quantity: str
    label: str
    part: str
    table: Table


_TITLES = [
    "layer",
    "mean",
    "std of pairs or experts",
    "95 % interval",
    "random router",
    "difference",
    "p",
]
_PERMUTED = ["shuffled gates", "p"]


def _interval(low: float, high: float, places: int) -> str:
    if pd.isna(low) or pd.isna(high):
        return ABSENT
    return f"[{number(low, places)}, {number(high, places)}]"


def _spread(mean: float, std: float, places: int) -> str:
    if pd.isna(mean):
        return ABSENT
    return f"{number(mean, places)} \N{PLUS-MINUS SIGN} {number(std, places)}"


def _layer(layer: int) -> str:
    return "whole model" if layer < 0 else str(layer)


def _cells(row: dict[Any, Any], places: int, *, permuted: bool) -> list[str]:
    cells = [
        _layer(row["layer"]),
        number(row["mean"], places),
        number(row["std"], places) if row["count"] > 1 else ABSENT,
        _interval(row["interval_low"], row["interval_high"], places),
        _spread(row["null_mean"], row["null_std"], places),
        signed(row["mean"] - row["null_mean"], places),
        share(row["p"]),
    ]
    if permuted:
        null = (row["permutation_null_mean"], row["permutation_null_std"])
        cells += [_spread(*null, places), share(row["permutation_p"])]
    return cells


def _quantity_table(rows: pd.DataFrame) -> Table:
    permuted = bool(rows.permutation_p.notna().any())
    titles = _TITLES + (_PERMUTED if permuted else [])
    places = decimals(rows["mean"], [*rows.se, *rows.null_std])
    records = rows.to_dict("records")
    return Table(titles, [_cells(row, places, permuted=permuted) for row in records])


def quantity_tables(result: Result) -> list[QuantityTable]:
    """Return a table for each part and quantity, those most asked for first."""
    labels = dict(MEANS)
    first = {quantity: place for place, quantity in enumerate(labels)}
    table = result.table()
    groups = [
        (str(part), str(quantity), rows)
        for (part, quantity), rows in table.groupby(["part", "quantity"], sort=False)
    ]
    groups.sort(key=lambda group: (group[0], first.get(group[1], len(first))))
    return [
        QuantityTable(quantity, labels.get(quantity, quantity), part,
                      _quantity_table(rows))
        for part, quantity, rows in groups
    ]  # fmt: skip


def _cell(table: pd.DataFrame, quantity: str, layer: int, places: int) -> str:
    chosen = (table.part == "model") & (table.quantity == quantity)
    rows = table[chosen & (table.layer == layer)]
    if not len(rows):
        return ABSENT
    row = rows.to_dict("records")[0]
    interval = _interval(row["interval_low"], row["interval_high"], places)
    mean = number(row["mean"], places)
    return mean if interval == ABSENT else f"{mean} {interval}"


def side_by_side(results: Sequence[Result]) -> list[QuantityTable]:
    """Return, for the quantities most asked for, the means of all results."""
    tables = [result.table() for result in results]
    titles = ["layer", *(result.job for result in results)]
    made = []
    for quantity, label in MEANS:
        rows = [t[(t.quantity == quantity) & (t.part == "model")] for t in tables]
        layers = sorted({int(layer) for found in rows for layer in found.layer})
        if sum(len(found) > 0 for found in rows) < 2:  # noqa: PLR2004
            continue
        numbers = pd.concat(rows)
        places = decimals(numbers["mean"], numbers.se)
        cells = [
            [_layer(at), *(_cell(t, quantity, at, places) for t in tables)]
            for at in layers
        ]
        made.append(QuantityTable(quantity, label, "model", Table(titles, cells)))
    return made

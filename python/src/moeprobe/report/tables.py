"""Tables of a report: means with what they are worth, and jobs side by side."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from moeprobe.figures.layers import MEANS
from moeprobe.report.numbers import ABSENT, decimals, number, share, signed
from moeprobe.result.nulls import NULLS, Null
from moeprobe.result.result import Result
from moeprobe.result.table import rows_of

Row = dict[str, Any]


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

    @property
    def is_asked_for(self) -> bool:
        """Whether it is one of the quantities most asked for."""
        return self.quantity != self.label


_TITLES = ["layer", "mean", "std of pairs or experts", "95 % interval"]
# What a table says of each null that any of its rows has.
_NULL_TITLES = ("difference", "p")


def _interval(row: Row, places: int) -> str:
    if math.isnan(row["interval_low"]) or math.isnan(row["interval_high"]):
        return ABSENT
    low, high = (number(row[f"interval_{end}"], places) for end in ("low", "high"))
    return f"[{low}, {high}]"


def _spread(mean: float, std: float, places: int) -> str:
    if math.isnan(mean):
        return ABSENT
    return f"{number(mean, places)} \N{PLUS-MINUS SIGN} {number(std, places)}"


def _layer(layer: int) -> str:
    return "whole model" if layer < 0 else str(layer)


def _places(rows: Sequence[Row]) -> int:
    columns = ["se", *(f"{null.prefix}null_std" for null in NULLS)]
    errors = [row[column] for row in rows for column in columns]
    return decimals([row["mean"] for row in rows], errors)


def _null_cells(row: Row, null: Null, places: int) -> list[str]:
    mean, std = row[f"{null.prefix}null_mean"], row[f"{null.prefix}null_std"]
    return [
        _spread(mean, std, places),
        signed(row["mean"] - mean, places),
        share(row[f"{null.prefix}p"]),
    ]


def _cells(row: Row, places: int, nulls: Sequence[Null]) -> list[str]:
    return [
        _layer(row["layer"]),
        number(row["mean"], places),
        number(row["std"], places) if row["count"] > 1 else ABSENT,
        _interval(row, places),
        *(cell for null in nulls for cell in _null_cells(row, null, places)),
    ]


def _quantity_table(rows: Sequence[Row]) -> Table:
    nulls = [
        null
        for null in NULLS
        if any(not math.isnan(row[f"{null.prefix}p"]) for row in rows)
    ]
    titles = [title for null in nulls for title in (null.title, *_NULL_TITLES)]
    places = _places(rows)
    return Table(_TITLES + titles, [_cells(row, places, nulls) for row in rows])


def _rows(result: Result) -> list[Row]:
    """Return the rows of the result's table; NaN where one lacks a number."""
    return [
        {key: math.nan if value is None else value for key, value in row.items()}
        for row in rows_of(result.document)
    ]


def quantity_tables(result: Result) -> list[QuantityTable]:
    """Return a table for each part and quantity, those most asked for first."""
    labels = dict(MEANS)
    first = {quantity: place for place, quantity in enumerate(labels)}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in _rows(result):
        groups.setdefault((row["part"], row["quantity"]), []).append(row)
    order = sorted(groups, key=lambda key: _rank(key, first))
    return [
        QuantityTable(
            quantity,
            labels.get(quantity, quantity),
            part,
            _quantity_table(groups[part, quantity]),
        )
        for part, quantity in order
    ]


def _rank(key: tuple[str, str], first: dict[str, int]) -> tuple[bool, str, int]:
    part, quantity = key
    return part.endswith("baseline"), part, first.get(quantity, len(first))


def _cell(row: Row | None, places: int) -> str:
    if row is None:
        return ABSENT
    interval = _interval(row, places)
    mean = number(row["mean"], places)
    return mean if interval == ABSENT else f"{mean} {interval}"


def side_by_side(results: Sequence[Result]) -> list[QuantityTable]:
    """Return, for the quantities most asked for, the means of all results."""
    titles = ["layer", *(result.job for result in results)]
    found = [
        {(r["quantity"], r["layer"]): r for r in _rows(result) if r["part"] == "model"}
        for result in results
    ]
    made = []
    for quantity, label in MEANS:
        layers = sorted({at for rows in found for name, at in rows if name == quantity})
        having = [rows for rows in found if any(name == quantity for name, _ in rows)]
        if len(having) < 2:  # noqa: PLR2004
            continue
        places = _places([row for rows in having for (name, _), row in rows.items()
                          if name == quantity])  # fmt: skip
        cells = [
            [_layer(at), *(_cell(rows.get((quantity, at)), places) for rows in found)]
            for at in layers
        ]
        made.append(QuantityTable(quantity, label, "model", Table(titles, cells)))
    return made
